import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const call = promisify(execFile);

/** What one scenario left behind. */
export interface Run {
  readonly scenario: string;
  /** The number of the kind of device, from 0. */
  readonly type: number;
  /** The name of the call that failed, or null when none did. */
  readonly failed: string | null;
  /** What each probe returned. */
  readonly returns: readonly number[];
  /** The calls that could have failed, in their order. */
  readonly calls: readonly string[];
  /** Effects in their order; those of the life cycle itself begin with '~'. */
  readonly events: readonly string[];
  /**
   * What must never happen: leaks, memory used after its free, counters that are not brought back,
   * calls in a wrong state.
   */
  readonly bugs: readonly string[];
}

/** Runs all scenarios of a program that `build` made. */
export async function run(program: string): Promise<Run[]> {
  const options =
    'detect_leaks=0:abort_on_error=0:exitcode=66:alloc_dealloc_mismatch=0:symbolize=0:quarantine_size_mb=64';
  const { stdout } = await call(program, [], {
    env: { ...process.env, ASAN_OPTIONS: options },
    maxBuffer: 1 << 28,
    timeout: 120_000,
  });
  const runs = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Run);
  if (!runs.some(({ bugs }) => bugs.some((bug) => ADDRESS.test(bug)))) return runs;
  const nameOf = await functionNames(program);
  return runs.map((one) => ({
    ...one,
    bugs: one.bugs.map((bug) =>
      bug.replace(ADDRESS, (_, at: string) => `in ${nameOf(Number(at))}`),
    ),
  }));
}

const ADDRESS = /\bat (0x[0-9a-f]+)$/;

/** Finds the function that an address of a program lies in. */
async function functionNames(program: string): Promise<(address: number) => string> {
  const { stdout } = await call('nm', ['-n', program], { maxBuffer: 1 << 24 });
  const functions = [...stdout.matchAll(/^([0-9a-f]{16}) [tTwW] (\S+)$/gm)].map(([, at, name]) => ({
    at: Number.parseInt(at!, 16),
    name: name!,
  }));
  return (address) => functions.findLast(({ at }) => at <= address)?.name ?? 'unknown code';
}
