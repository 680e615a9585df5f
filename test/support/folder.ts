import { mkdtempSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A folder on the disk that goes with the test. */
export interface Folder {
  readonly path: string;
  readonly uri: string;
  write(name: string, content: string | Uint8Array): void;
  uriOf(name: string): string;
  pathOf(name: string): string;
  removeFile(name: string): void;
  remove(): void;
}

export function temporaryFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): Folder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'vfio-lifecycle-')));
  const write = (name: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  return {
    path,
    uri: pathToFileURL(path).href,
    write,
    uriOf: (name) => pathToFileURL(join(path, name)).href,
    pathOf: (name) => join(path, name),
    removeFile: (name) => rmSync(join(path, name)),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
