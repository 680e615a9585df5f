/** Folders on the disk that go with the test that made them. */
import { afterEach } from 'vitest';
import { temporaryFolder, type Folder } from './folder.ts';

/** To be called once at the top of a test file: what makes a folder with such files in a test. */
export function foldersOfTests(): (files: Record<string, string | Uint8Array>) => Folder {
  const made: Folder[] = [];
  afterEach(() => {
    for (const folder of made.splice(0)) folder.remove();
  });
  return (files) => {
    const folder = temporaryFolder(files);
    made.push(folder);
    return folder;
  };
}
