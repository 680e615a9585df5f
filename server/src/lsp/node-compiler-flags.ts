/** When V8 compiles what it runs, and how long it keeps that. */
import { setFlagsFromString } from 'node:v8';

const EIGHTFOLD_CALLS = [
  '--invocation-count-for-turbofan=24000',
  '--invocation-count-for-maglev=3200',
];

/**
 * When V8 compiles a function with its optimising compilers, by V8's major version: after eight
 * times as much as it waits for by itself. The functions of an analysis are large and the analysis
 * of a driver is short: half of the processor time of a check went into compiling what then hardly
 * ran. V8 11 (Node 20) counts the bytes of bytecode that a function has run, later ones its calls.
 */
const LATER: ReadonlyMap<number, readonly string[]> = new Map<number, readonly string[]>([
  [11, ['--interrupt-budget=540672']],
  [12, EIGHTFOLD_CALLS],
  [13, EIGHTFOLD_CALLS],
]);

/**
 * V8 forgets the code of what has not run for a while. That of the whole program, which runs once
 * in a process, would be missing in what is kept for the next one, which had to compile it anew.
 */
const KEEP = '--no-flush-bytecode';

/**
 * @param v8 a version as `process.versions.v8`: to one that was not tried nothing is said that it
 * may not know, because it prints an error for each such flag.
 */
export function compilerFlags(v8: string): readonly string[] {
  return [...(LATER.get(Number.parseInt(v8, 10)) ?? []), KEEP];
}

/** For all threads of this process; to be called before the program that is to run so is loaded. */
export function setCompilerFlags(): void {
  for (const flag of compilerFlags(process.versions.v8)) setFlagsFromString(flag);
}
