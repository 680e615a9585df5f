/**
 * Answers the server's questions about files, so that it reads virtual workspaces and disks alike.
 */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';

/** No source, header or Makefile is larger. */
const maxBytes = 16_000_000;

/** Of a file system that cannot search; a kernel tree has 5,000. */
const maxFolders = 20_000;

/**
 * What a path is when all links on the way are followed; only where there is a disk. Rejects when
 * there is nothing.
 */
export type RealPath = (path: string) => Promise<string>;

/**
 * Answers the server's questions about files, so that it reads a virtual workspace and a local disk
 * in the same way. A document names the files that
 * the server asks for, so that nothing is read that does not end, and nothing outside of the
 * workspace through a link.
 */
export function answerFileRequests(
  client: BaseLanguageClient,
  realPath: RealPath | undefined,
): vscode.Disposable {
  return vscode.Disposable.from(
    client.onRequest('vfioLifecycle/readFile', async ({ uri }: { uri: string }) => ({
      text: await readFile(uri, realPath),
    })),
    client.onRequest('vfioLifecycle/findSources', async () => ({
      uris: (await findSources()).map((uri) => client.code2ProtocolConverter.asUri(uri)),
    })),
    client.onRequest('vfioLifecycle/mentioning', async ({ uris }: { uris: string[] }) => ({
      uris: await mentioning(uris, realPath),
    })),
    client.onRequest('vfioLifecycle/readDirectory', async ({ uri }: { uri: string }) => ({
      entries: await readDirectory(uri, realPath),
    })),
  );
}

/**
 * Which C files the workspace has, as far as the settings do not exclude them from the explorer or
 * from searches.
 */
async function findSources(): Promise<vscode.Uri[]> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return (await Promise.all(folders.map(({ uri }) => sourcesIn(uri)))).flat();
}

/** The C sources and headers of a folder, without what its settings exclude. */
export async function sourcesIn(
  folder: vscode.Uri,
  token?: vscode.CancellationToken,
): Promise<vscode.Uri[]> {
  const pattern = new vscode.RelativePattern(folder, '**/*.{c,h}');
  const searched = vscode.workspace.findFiles(pattern, excludedFrom(folder), undefined, token);
  if (folder.scheme === 'file') return searched;
  // Only some file systems can search, and of one that cannot VS Code may wait for ever.
  let isListed = false;
  const walked = walk(folder, () => isListed);
  const listing = searched.then((listed) => {
    isListed = listed.length > 0;
    return isListed ? listed : walked;
  });
  return Promise.race([listing, walked.then((found) => (isListed ? listing : found))]);
}

/** The patterns of `files.exclude` and `search.exclude` as one. */
function excludedFrom(folder: vscode.Uri): string | undefined {
  const patterns = ['files', 'search'].flatMap((section) => {
    const exclude =
      vscode.workspace.getConfiguration(section, folder).get<Record<string, unknown>>('exclude') ??
      {};
    return Object.keys(exclude).filter((pattern) => exclude[pattern] === true);
  });
  return patterns.length === 0 ? undefined : `{${patterns.join(',')}}`;
}

/**
 * The C files below a folder of a file system that cannot search. What begins with a dot is passed
 * over: `.git`, above all.
 * @param isListed true once another way has found them: then the walk ends early.
 */
async function walk(top: vscode.Uri, isListed: () => boolean): Promise<vscode.Uri[]> {
  const found: vscode.Uri[] = [];
  const pending = [top];
  let folders = 0;
  for (
    let folder = pending.pop();
    folder !== undefined && folders < maxFolders && !isListed();
    folder = pending.pop()
  ) {
    folders++;
    for (const [name, type] of await entriesOf(folder)) {
      const uri = vscode.Uri.joinPath(folder, name);
      if (type === vscode.FileType.Directory && !name.startsWith('.')) pending.push(uri);
      else if (type === vscode.FileType.File && /\.[ch]$/.test(name)) found.push(uri);
    }
  }
  return found;
}

async function entriesOf(folder: vscode.Uri): Promise<[string, vscode.FileType][]> {
  try {
    return await vscode.workspace.fs.readDirectory(folder);
  } catch {
    return [];
  }
}

/** Those of some files that have the word `vfio`. */
async function mentioning(
  uris: readonly string[],
  realPath: RealPath | undefined,
): Promise<string[]> {
  const texts = await Promise.all(uris.map((uri) => readFile(uri, realPath)));
  return uris.filter((_, i) => texts[i]?.includes('vfio') === true);
}

/** The text of a regular file, or null where there is none that can be read. */
async function readFile(name: string, realPath: RealPath | undefined): Promise<string | null> {
  try {
    const uri = vscode.Uri.parse(name);
    const { type, size } = await vscode.workspace.fs.stat(uri);
    // The type is a set of bits; a device and a pipe have none, and a link has those of what it
    // leads to.
    if (!(type & vscode.FileType.File) || size > maxBytes || (await leadsOutside(uri, realPath)))
      return null;
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    return null;
  }
}

/** The names in a folder, folders with a trailing slash; none where it cannot be read. */
async function readDirectory(name: string, realPath: RealPath | undefined): Promise<string[]> {
  try {
    const uri = vscode.Uri.parse(name);
    if (await leadsOutside(uri, realPath)) return [];
    const entries = await vscode.workspace.fs.readDirectory(uri);
    // The type is a set of bits: a link to a folder is a folder too.
    return entries.map(([entry, type]) => (type & vscode.FileType.Directory ? `${entry}/` : entry));
  } catch {
    return [];
  }
}

/**
 * Does a link take a file of a local disk out of the workspace? A kernel tree belongs to every
 * workspace: drivers are built against one that lies
 * elsewhere. Other file systems follow no links for us.
 */
async function leadsOutside(uri: vscode.Uri, realPath: RealPath | undefined): Promise<boolean> {
  if (uri.scheme !== 'file' || realPath === undefined) return false;
  const target = await realPath(uri.fsPath);
  if (target === uri.fsPath) return false;
  const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  // Of a file that was opened by itself its folder is the workspace.
  const isOwn = !folders.some((folder) => isInside(uri.fsPath, folder));
  for (const folder of isOwn ? [vscode.Uri.joinPath(uri, '..').fsPath] : folders) {
    const root = await realPath(folder).catch(() => folder);
    if (isInside(target, root)) return false;
  }
  return !(await isInKernelTree(vscode.Uri.file(target)));
}

function isInside(path: string, folder: string): boolean {
  return (
    path === folder ||
    (path.startsWith(folder) && /[\\/]/.test(path[folder.length] ?? '')) ||
    (/[\\/]$/.test(folder) && path.startsWith(folder))
  );
}

async function isInKernelTree(uri: vscode.Uri): Promise<boolean> {
  for (
    let at = vscode.Uri.joinPath(uri, '..'), before = uri;
    at.path !== before.path;
    before = at, at = vscode.Uri.joinPath(at, '..')
  ) {
    const header = vscode.Uri.joinPath(at, 'include/linux/vfio.h');
    if (
      await vscode.workspace.fs.stat(header).then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return false;
}
