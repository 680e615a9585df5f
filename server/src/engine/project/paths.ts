/**
 * Paths as keys: POSIX paths (`/src/drv/main.c`) and URIs (`vscode-vfs://github/o/r/main.c`) alike.
 * A host picks one kind and
 * keeps to it. Nothing here touches a file system.
 */

const URI_ROOT = /^[A-Za-z][A-Za-z0-9+.-]+:\/\/[^/]*/;

function split(path: string): { root: string; segments: string[]; isUri: boolean } {
  const uri = path.startsWith('/') ? null : URI_ROOT.exec(path);
  const authority = uri ? uri[0] : '';
  const isAbsolute = path.startsWith('/', authority.length);
  const root = isAbsolute ? `${authority}/` : authority;
  const segments = path.slice(root.length).split('/');
  return {
    root,
    segments: segments.includes('') ? segments.filter((text) => text !== '') : segments,
    isUri: uri !== null,
  };
}

/**
 * The folder of `path` without a trailing slash, or undefined when `path` is a root or, like
 * `untitled:Untitled-1`, in no folder.
 */
export function folderOf(path: string): string | undefined {
  const { root, segments } = split(path);
  if (segments.length === 0) return undefined;
  return trimmed(root, segments.slice(0, -1)) || undefined;
}

/** The last segment of `path`, decoded when `path` is a URI. */
export function nameOf(path: string): string {
  const { segments, isUri } = split(path);
  const last = segments[segments.length - 1] ?? '';
  return isUri ? decoded(last) : last;
}

/**
 * `relative` as seen from `folder`, with `.` and `..` taken out. Undefined when it climbs above the
 * root or is itself absolute:
 * a C file that names an absolute header says nothing about this workspace.
 */
export function resolve(folder: string, relative: string): string | undefined {
  if (
    relative === '' ||
    relative.startsWith('/') ||
    relative.includes('\0') ||
    URI_ROOT.test(relative)
  )
    return undefined;
  const { root, segments, isUri } = split(folder);
  for (const segment of relative.replaceAll('\\', '/').split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      if (segments.length === 0) return undefined;
      segments.pop();
    } else {
      segments.push(isUri ? encoded(segment) : segment);
    }
  }
  return trimmed(root, segments);
}

/** Is `path` `folder` itself or below it? Both must be in the same form. */
export function isInside(path: string, folder: string): boolean {
  const base = folder.endsWith('/') ? folder : `${folder}/`;
  return path === folder || path.startsWith(base);
}

/**
 * `path` as seen from `folder` with `/` separators and, for URIs, decoded; undefined when it is not
 * below it.
 */
export function relativeTo(folder: string, path: string): string | undefined {
  if (!isInside(path, folder) || path === folder) return undefined;
  const rest = path.slice(folder.endsWith('/') ? folder.length : folder.length + 1);
  return split(path).isUri ? rest.split('/').map(decoded).join('/') : rest;
}

/** The URIs that were asked about last: with every key it is the same one again and again. */
const canonical = new Map<string, string>();
const MAX_CANONICAL = 100;

/**
 * One spelling for every URI of the same document: percent-encoding differs between clients (`c%3A`
 * and `c:`).
 */
export function canonicalUri(uri: string): string {
  let known = canonical.get(uri);
  if (known === undefined) {
    if (canonical.size >= MAX_CANONICAL) canonical.clear();
    canonical.set(uri, (known = spelledAlike(uri)));
  }
  return known;
}

function spelledAlike(uri: string): string {
  const { root, segments, isUri } = split(uri);
  return isUri
    ? trimmed(
        root,
        segments.map((text) => encoded(decoded(text))),
      )
    : uri;
}

function trimmed(root: string, segments: readonly string[]): string {
  return root + segments.join('/');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Half of a surrogate pair has no encoding: a name with one leads to no file. */
function encoded(segment: string): string {
  return encodeURIComponent(segment.replace(/\p{Surrogate}/gu, '\uFFFD'));
}
