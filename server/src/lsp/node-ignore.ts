/** What the `.gitignore` files of a tree name: build output and copies, which a walk passes over. */
import { dirname } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { readRegularFile } from './node-read.ts';

/** Nobody writes a longer one by hand. */
const MAX_IGNORE_BYTES = 200_000;

export interface IgnoreFiles {
  /** Whether git would ignore a path below the folder; that of a folder ends with a slash. */
  isIgnored(path: string): boolean;
}

/**
 * The `.gitignore` files in `folder`, below it and above it up to `tree`. A folder that is ignored
 * itself was named on purpose: then what is above it does not count.
 * @param folder absolute, with `/`.
 */
export function createIgnoreFiles(folder: string, tree: string): IgnoreFiles {
  const known = new Map<string, Ignore | undefined>();
  const rulesIn = (place: string): Ignore | undefined => {
    if (!known.has(place)) known.set(place, readRules(place));
    return known.get(place);
  };
  const isIgnored = (path: string, border: string): boolean => {
    for (let at = dirname(path); at.length >= border.length; at = dirname(at)) {
      const below = path.slice(at.endsWith('/') ? at.length : at.length + 1);
      const said = below === '' ? undefined : rulesIn(at)?.test(below);
      if (said?.ignored === true) return true;
      if (said?.unignored === true || at === dirname(at)) return false;
    }
    return false;
  };
  const isNamed = folder.startsWith(`${tree}/`) && isIgnored(`${folder}/`, tree);
  const border = isNamed || !folder.startsWith(tree) ? folder : tree;
  return { isIgnored: (path) => isIgnored(path, border) };
}

function readRules(folder: string): Ignore | undefined {
  try {
    const text = readRegularFile(`${folder}/.gitignore`, MAX_IGNORE_BYTES).toString();
    return ignore({ ignorecase: false }).add(text);
  } catch {
    return undefined;
  }
}
