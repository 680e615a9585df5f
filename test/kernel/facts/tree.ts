/** A kernel tree on the disk: its release, and what its headers and sources declare. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelVersion } from '../../../server/src/kernel/types.ts';
import type { SyntaxParser } from '../../../server/src/syntax/node.ts';
import { declarationsOf, type Declaration } from './headers.ts';

export interface KernelTree {
  readonly root: string;
  /** With its sublevel. */
  readonly version: KernelVersion;
  /** The declarations of a file, by its path; undefined where there is no such file. */
  declarations(path: string): readonly Declaration[] | undefined;
  /** The text of a file; undefined where there is no such file. */
  text(path: string): string | undefined;
  /** The paths of the files below a folder whose names end so. */
  files(folder: string, ending: string): readonly string[];
}

/**
 * Opens the tree in a folder.
 * @throws an Error when the folder has no kernel's Makefile.
 */
export function openTree(parser: SyntaxParser, root: string): KernelTree {
  const declared = new Map<string, readonly Declaration[] | undefined>();
  return {
    root,
    version: versionOf(root),
    declarations(path) {
      if (!declared.has(path)) declared.set(path, declarationsOf(parser, root, path));
      return declared.get(path);
    },
    text(path) {
      const full = join(root, path);
      return existsSync(full) ? readFileSync(full, 'latin1') : undefined;
    },
    files(folder, ending) {
      const full = join(root, folder);
      if (!existsSync(full)) return [];
      return readdirSync(full, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(ending))
        .map((name) => join(folder, name));
    },
  };
}

function versionOf(root: string): KernelVersion {
  const makefile = join(root, 'Makefile');
  const text = existsSync(makefile) ? readFileSync(makefile, 'latin1').slice(0, 4_096) : '';
  const [major, minor, sublevel] = ['VERSION', 'PATCHLEVEL', 'SUBLEVEL'].map((name) =>
    Number(new RegExp(`^${name} *= *(\\d+)`, 'm').exec(text)?.[1]),
  );
  if (!(major! >= 2) || !(minor! >= 0)) throw new Error(`${root} has no kernel's Makefile`);
  return [major!, minor!, sublevel! >= 0 ? sublevel! : 0];
}
