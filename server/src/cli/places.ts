/** Names files relative to their repository or kernel tree. */
import { dirname, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findRoot, keyOf } from './workspace.ts';

/** A file as other programs find it again: relative to the tree that it is in. */
export interface Place {
  /** With `/`, not escaped. */
  readonly path: string;
  /** The tree's name in the report: SRCROOT is that of the working folder. */
  readonly base: string;
}

export interface Places {
  placeOf(path: string): Place;
  /** The trees that were named, each with its `file:` URI, which ends with a slash. */
  bases(): Readonly<Record<string, string>>;
}

/**
 * Names files relative to the repository or kernel tree of the working folder, and those outside of
 * it relative to their own.
 */
export function createPlaces(): Places {
  const home = findRoot(keyOf('.'));
  const roots = new Map<string, string>([[home, 'SRCROOT']]);
  return {
    placeOf(path) {
      const root = path.startsWith(home.endsWith('/') ? home : `${home}/`)
        ? home
        : findRoot(dirname(path));
      let base = roots.get(root);
      if (base === undefined) roots.set(root, (base = `SRCROOT${roots.size + 1}`));
      return { path: relative(root, path).split(sep).join('/'), base };
    },
    bases: () =>
      Object.fromEntries([...roots].map(([root, base]) => [base, pathToFileURL(`${root}/`).href])),
  };
}
