/** All rows of functions, by name. */
import { ASYNC } from './async.ts';
import { ATOMIC } from './atomic.ts';
import { BUS } from './bus.ts';
import { COLLECTIONS } from './collections.ts';
import { COUNTERS } from './counters.ts';
import { DATA } from './data.ts';
import { DEVICE } from './device.ts';
import { DRVDATA } from './drvdata.ts';
import { FILES } from './files.ts';
import { INTERRUPTS } from './interrupts.ts';
import { LOCKING } from './locking.ts';
import { LOGGING } from './logging.ts';
import { MANAGED } from './managed.ts';
import { MEMORY } from './memory.ts';
import { POWER } from './power.ts';
import { REFERENCES } from './references.ts';
import { REGISTERS } from './registers.ts';
import type { FunctionRow, FunctionRows } from './row.ts';
import { TESTS } from './tests.ts';
import { USER_MEMORY } from './user-memory.ts';
import { VFIO } from './vfio.ts';
import { WAITING } from './waiting.ts';

/** The files by subject. A name is in one of them. */
export const SUBJECTS: readonly FunctionRows[] = [
  MEMORY,
  DRVDATA,
  MANAGED,
  VFIO,
  BUS,
  INTERRUPTS,
  FILES,
  COLLECTIONS,
  ASYNC,
  WAITING,
  POWER,
  REFERENCES,
  LOCKING,
  ATOMIC,
  DEVICE,
  USER_MEMORY,
  COUNTERS,
  DATA,
  REGISTERS,
  LOGGING,
  TESTS,
];

const rows = new Map<string, FunctionRow>();

/** The row of a function or macro; undefined when no file has its name. */
export function functionRow(name: string): FunctionRow | undefined {
  return rows.get(name);
}

/** The columns that are looked up by what they say: all are filled in one look at the rows. */
const COLUMNS = {
  asksLayout: new Map<string, NonNullable<FunctionRow['asksLayout']>>(),
  async: new Map<string, NonNullable<FunctionRow['async']>>(),
  lockLife: new Map<string, NonNullable<FunctionRow['lockLife']>>(),
  setsUp: new Map<string, NonNullable<FunctionRow['setsUp']>>(),
  takes: new Map<string, NonNullable<FunctionRow['takes']>>(),
  undoneBy: new Map<string, NonNullable<FunctionRow['undoneBy']>>(),
  viewOf: new Map<string, NonNullable<FunctionRow['viewOf']>>(),
};
const filled: Partial<Record<string, Map<string, unknown>>> = COLUMNS;
// Each start of a process does this: nothing is made that is not kept.
for (const subject of SUBJECTS) {
  for (const name in subject) {
    const row = subject[name]!;
    rows.set(name, row);
    for (const key in row) {
      const value = row[key as keyof FunctionRow];
      if (value !== undefined) filled[key]?.set(name, value);
    }
  }
}

/** The names of the functions that have a column, with what it says, in the order of the files. */
export function column<K extends keyof typeof COLUMNS>(key: K): (typeof COLUMNS)[K] {
  return COLUMNS[key];
}
