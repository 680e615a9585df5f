// A file system in memory, as the files of a repository that is browsed on the web are: no disk,
// and no path of one.
import * as vscode from 'vscode';

const folder: vscode.FileStat = { type: vscode.FileType.Directory, ctime: 0, mtime: 0, size: 0 };

/**
 * Files by their paths (`/driver/lamp.c`); folders are what the paths say. It can be written, but
 * nothing is renamed or deleted.
 */
export function createMemoryFiles(
  texts: Readonly<Record<string, string>>,
): vscode.FileSystemProvider {
  const files = new Map<string, Uint8Array>(
    Object.entries(texts).map(([path, text]) => [path, new TextEncoder().encode(text)]),
  );
  const changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  const isFolder = (path: string): boolean =>
    [...files.keys()].some((name) => name.startsWith(path.endsWith('/') ? path : `${path}/`));
  const read = (uri: vscode.Uri): Uint8Array => {
    const bytes = files.get(uri.path);
    if (bytes === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    return bytes;
  };
  const refuse = (uri: vscode.Uri): never => {
    throw vscode.FileSystemError.NoPermissions(uri);
  };
  return {
    onDidChangeFile: changed.event,
    watch: () => new vscode.Disposable(() => undefined),
    stat: (uri) =>
      isFolder(uri.path)
        ? folder
        : { ...folder, type: vscode.FileType.File, size: read(uri).length },
    readFile: read,
    readDirectory(uri) {
      const start = uri.path.endsWith('/') ? uri.path : `${uri.path}/`;
      const inside = [...files.keys()]
        .filter((name) => name.startsWith(start))
        .map((name) => name.slice(start.length).split('/'));
      const entries = inside.map(
        ([name = '', ...more]) =>
          [name, more.length > 0 ? vscode.FileType.Directory : vscode.FileType.File] as const,
      );
      return [...new Map(entries)];
    },
    writeFile(uri, content) {
      files.set(uri.path, content);
      changed.fire([{ type: vscode.FileChangeType.Changed, uri }]);
    },
    createDirectory: () => undefined,
    delete: refuse,
    rename: refuse,
  };
}
