/** The disk for the server in Node. */
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isInside } from '../engine/project/paths.ts';
import type { HostFiles } from './files.ts';
import { withoutMark } from './files.ts';
import { createIgnoreFiles, type IgnoreFiles } from './node-ignore.ts';
import { leadsOutside, readRegularFile } from './node-read.ts';
import { scan } from './node-scan.ts';
import { walk } from './node-walk.ts';

/** Files of a walk between two pauses. */
const PAUSE_AFTER = 500;

/**
 * The disk for `file:` URIs; other schemes have no files here. The folder of a file outside of the
 * workspace is one of its own.
 * @param rest a pause in which the server hears what has come in.
 */
export function createNodeFiles(rest: () => Promise<void> = () => Promise.resolve()): HostFiles {
  let roots: readonly string[] = [];
  const mayRead = (path: string): boolean =>
    !leadsOutside(path, roots.some((root) => isInside(path, root)) ? roots : [dirname(path)]);
  /** As they were at the last walk. */
  let ignored: ReadonlyMap<string, IgnoreFiles> = new Map();
  const isIgnored = (path: string): boolean =>
    roots.some((root) => isInside(path, root) && ignored.get(root)?.isIgnored(path) === true);
  return {
    async readFile(uri) {
      const path = pathOf(uri);
      try {
        return path !== undefined && mayRead(path)
          ? withoutMark(readRegularFile(path).toString('utf8'))
          : undefined;
      } catch {
        return undefined;
      }
    },
    async readDirectory(uri) {
      const path = pathOf(uri);
      try {
        if (path === undefined || !mayRead(path)) return [];
        const entries = readdirSync(path, { withFileTypes: true });
        return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
      } catch {
        return [];
      }
    },
    within(folders) {
      roots = folders.flatMap((uri) => pathOf(uri) ?? []);
    },
    async findSources() {
      const found = new Set<string>();
      ignored = new Map(roots.map((root) => [root, createIgnoreFiles(root, root)]));
      let walked = 0;
      for (const root of roots) {
        for (const path of walk(root, root, ignored.get(root)!, () => undefined)) {
          found.add(pathToFileURL(path).href);
          if (++walked % PAUSE_AFTER === 0) await rest();
        }
      }
      return [...found];
    },
    async mentioning(uris) {
      const byPath = new Map(
        uris.flatMap((uri) => {
          const path = pathOf(uri);
          return path === undefined ? [] : [[path, uri] as const];
        }),
      );
      const { hits } = scan([...byPath.keys()]);
      await rest();
      return hits
        .filter((path) => mayRead(path) && !isIgnored(path))
        .map((path) => byPath.get(path)!);
    },
  };
}

/** The path of a `file:` URI; undefined for one of another host, and for other schemes. */
function pathOf(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}
