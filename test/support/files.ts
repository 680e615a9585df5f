import type { FileSystem } from '../../server/src/engine/types.ts';

/** A file system over a map from path to text, which may change under it. */
export function memoryFileSystem(files: Readonly<Record<string, string>>): FileSystem {
  return {
    readFile: async (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
    async readDirectory(path) {
      const prefix = path.endsWith('/') ? path : `${path}/`;
      const names = Object.keys(files)
        .filter((one) => one.startsWith(prefix))
        .map((one) => one.slice(prefix.length));
      return [
        ...new Set(
          names.map((name) => (name.includes('/') ? `${name.slice(0, name.indexOf('/'))}/` : name)),
        ),
      ];
    },
  };
}
