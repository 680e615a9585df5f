import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A driver of test/fixtures/drivers: its documents by name, and the kernels that its first line
 * names.
 */
export interface DriverModule {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly kernels: readonly string[];
}

const FIXTURES = join(import.meta.dirname, '../fixtures/drivers');

/** The correct drivers: a file `x.c` with `x.h` if there is one, or a folder of files. */
export function cleanDrivers(): DriverModule[] {
  return driversIn(join(FIXTURES, 'clean'));
}

/** Small correct drivers, each with one way of writing something. */
export function shapes(): DriverModule[] {
  return driversIn(join(FIXTURES, 'shapes'));
}

/** The drivers of a folder. */
export function driversIn(root: string): DriverModule[] {
  return readdirSync(root)
    .filter((name) => !name.endsWith('.h'))
    .sort()
    .map((name) => {
      const folder = statSync(join(root, name)).isDirectory();
      const inside = folder ? join(root, name) : root;
      const own = folder
        ? readdirSync(inside).sort()
        : readdirSync(inside).filter((one) => one === name || one === name.replace(/\.c$/, '.h'));
      const files = Object.fromEntries(
        own.map((one) => [one, readFileSync(join(inside, one), 'utf8')]),
      );
      const kernels = Object.values(files).flatMap(
        (text) => /^\/\* kernel: ([\d. ]+) \*\/\n/.exec(text)?.[1]?.trim().split(/\s+/) ?? [],
      );
      return { name, files, kernels };
    });
}
