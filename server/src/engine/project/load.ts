/**
 * Finds what belongs to a file: the other sources of its Kbuild module and the headers of its own,
 * transitively: those that are quoted, and
 * those in angle brackets that lie in a folder that its Makefile names or declare what it exports.
 * Pure over the
 * FileSystem that the host gives; everything is bounded, and what is not there is left out without
 * a word, because a driver
 * is often opened without its tree.
 */
import type { FileSystem, ModuleInput, SourceDocument } from '../types.ts';
import { includesIn } from './includes.ts';
import {
  includedMakefiles,
  moduleObjects,
  parseKbuild,
  wildcardFolders,
  type Kbuild,
} from './kbuild.ts';
import { matcherOf } from './make-functions.ts';
import { append, isSameList } from '../../text/lists.ts';
import { callsOneOf, exportedInits } from './join.ts';
import { linkedTogether } from './named.ts';
import { folderOf, isInside, relativeTo, resolve } from './paths.ts';

export interface LoadOptions {
  /**
   * Nothing outside this folder is read, but for `beside`. Without it the file's own folder is the
   * border.
   */
  readonly root: string | undefined;
  /**
   * Where headers may lie too: the folder above of a driver that is in no repository and has its
   * `compat/` beside it.
   */
  readonly beside?: string | undefined;
  /**
   * The sources that a person named together: those of them that no Makefile speaks of, and that
   * call each other, are one module.
   */
  readonly named?: readonly string[] | undefined;
  /** Folders of headers that the build names beside those of the Makefile. */
  readonly includeFolders?: readonly string[] | undefined;
  /** Headers that the build puts in front of the file. */
  readonly forcedHeaders?: readonly string[] | undefined;
  /** Whether the build names a header, which may then be read wherever it lies. */
  readonly isNamed?: ((path: string) => boolean) | undefined;
}

const MAX_SOURCES = 48;
const MAX_HEADERS = 96;
/** Files that are looked into for the includes that lead on. */
const MAX_FILES = 300;
/** UTF-16 code units over all headers that are looked into, whether or not they come along. */
const MAX_LOOKED = 12_000_000;
/** Paths that are asked for: most includes lead to no file here. */
const MAX_ASKED = 20_000;
/** UTF-16 code units over all documents of a module, the file itself not counted. */
const MAX_TEXT = 6_000_000;
const MAX_MAKEFILE_LEVELS = 4;
/** Makefiles that one includes, and those that these include. */
const MAX_INCLUDED_MAKEFILES = 16;

/** Loads modules; remembers what scans of unchanged texts found. One per host. */
export interface ModuleLoader {
  /**
   * The module of `file`, whose present text is `text`. Sources are in the order of the Makefile
   * and headers in the order
   * in which the sources reach them, so that every file of a module yields the same lists.
   */
  load(file: string, text: string, options: LoadOptions): Promise<ModuleInput>;
  /**
   * Whether a file leads to the same other files with either text, so that its module is the same
   * but for that text.
   */
  leadsAlike(file: string, before: string, after: string): boolean;
}

/** What is found in one text, without a parse. */
interface Scan extends ReturnType<typeof includesIn> {
  readonly text: string;
  readonly exportedInits: readonly string[];
}

/** What a Makefile says of a file. */
interface Members {
  readonly paths: string[];
  readonly includeFolders: string[];
  readonly forcedHeaders: string[];
  readonly isStated: boolean;
}

/**
 * The objects of the module of `file` by a Makefile in `folder`, and the folder that their names
 * begin in. A Makefile that another one includes names its objects as that one sees them, with the
 * folders in between in front.
 */
function objectsOf(
  kbuild: Kbuild,
  folder: string,
  file: string,
): { readonly objects: readonly string[]; readonly from: string } | null {
  let from: string | undefined = folder;
  for (let level = 0; from !== undefined && level < MAX_MAKEFILE_LEVELS; level++) {
    const object = relativeTo(from, file)?.replace(/\.[cS]$/, '');
    if (object === undefined) return null;
    const objects = moduleObjects(kbuild, object);
    if (objects.length > 0) return { objects, from };
    if (kbuild.objects.has(object)) return { objects: [object], from };
    from = folderOf(from);
  }
  return null;
}

/** A loader over `fs`. `fs` may cache; the loader asks it again on every load. */
export function createModuleLoader(fs: FileSystem): ModuleLoader {
  const scansByPath = new Map<string, Scan>();
  const kbuildByPath = new Map<string, { text: string; files: string; kbuild: Kbuild }>();

  function scanOf(path: string, text: string): Scan {
    const known = scansByPath.get(path);
    if (known && known.text === text) return known;
    const scan = { text, ...includesIn(text), exportedInits: exportedInits(text) };
    remember(scansByPath, path, scan);
    return scan;
  }

  const membersByPath = new Map<
    string,
    { text: string; members: ReturnType<typeof structMembersIn> }
  >();

  function membersOfStructs({ path, text }: SourceDocument): ReturnType<typeof structMembersIn> {
    const known = membersByPath.get(path);
    if (known && known.text === text) return known.members;
    const members = structMembersIn(text);
    remember(membersByPath, path, { text, members });
    return members;
  }

  /**
   * Those of the skipped headers that define a struct with a device in it by way of another struct,
   * without a word of VFIO.
   */
  function holdersAmong(
    skipped: readonly SourceDocument[],
    kept: readonly SourceDocument[],
  ): SourceDocument[] {
    const holders = new Set(['vfio_device', 'vfio_pci_core_device']);
    const found = new Set<SourceDocument>();
    for (let size = -1; size < holders.size;) {
      size = holders.size;
      for (const document of [...kept, ...skipped]) {
        for (const [tag, members] of membersOfStructs(document)) {
          if (!members.some((member) => holders.has(member))) continue;
          holders.add(tag);
          if (!kept.includes(document)) found.add(document);
        }
      }
    }
    return skipped.filter((document) => found.has(document));
  }

  async function kbuildIn(folder: string): Promise<Kbuild | undefined> {
    let first: Kbuild | undefined;
    for (const name of ['Kbuild', 'GNUmakefile', 'Makefile']) {
      const path = resolve(folder, name)!;
      const own = await fs.readFile(path);
      if (own === undefined) continue;
      const kbuild = await kbuildOf(path, folder, own);
      first ??= kbuild;
      if (kbuild.composites.size > 0 || kbuild.objects.size > 0) return kbuild;
    }
    return first;
  }

  async function kbuildOf(path: string, folder: string, own: string): Promise<Kbuild> {
    const text = await withIncludes(own, folder, { left: MAX_INCLUDED_MAKEFILES });
    const files: string[] = [];
    for (const one of wildcardFolders(text)) {
      const at = resolve(folder, one);
      const names = at === undefined ? [] : await fs.readDirectory(at);
      append(
        files,
        names
          .filter((name) => !name.endsWith('/'))
          .map((name) => (one === '.' ? name : `${one}/${name}`)),
      );
    }
    const list = files.join('\n');
    const known = kbuildByPath.get(path);
    if (known && known.text === text && known.files === list) return known.kbuild;
    const kbuild = parseKbuild(text, (pattern) => files.filter(matcherOf(pattern)));
    remember(kbuildByPath, path, { text, files: list, kbuild });
    return kbuild;
  }

  /** The text of a makefile with those that it includes in the place of the lines that do. */
  async function withIncludes(
    text: string,
    folder: string,
    budget: { left: number },
  ): Promise<string> {
    let whole = text;
    for (const { line, names } of includedMakefiles(text)) {
      const parts: string[] = [];
      for (const name of names) {
        const path = budget.left-- > 0 ? resolve(folder, name) : undefined;
        const included = path === undefined ? undefined : await fs.readFile(path);
        if (included !== undefined) parts.push(await withIncludes(included, folder, budget));
      }
      whole = whole.replace(line, () => parts.join('\n'));
    }
    return whole;
  }

  /**
   * The paths of the module's sources, or only `file`; the folders that its Makefile adds to the
   * include path and the headers that it puts in front. `isStated`: a Makefile says what the file
   * belongs to.
   */
  async function membersOf(file: string, border: string): Promise<Members> {
    const includeFolders: string[] = [],
      forcedHeaders: string[] = [];
    let folder = folderOf(file);
    for (
      let level = 0;
      folder !== undefined && level < MAX_MAKEFILE_LEVELS && isInside(folder, border);
      level++
    ) {
      const kbuild = await kbuildIn(folder);
      if (kbuild) {
        const at: string = folder;
        const place = (name: string) =>
          name.startsWith('/') ? resolve(border, name.slice(1)) : resolve(at, name);
        append(
          includeFolders,
          kbuild.includeFolders.flatMap((name) => place(name) ?? []),
        );
        append(
          forcedHeaders,
          kbuild.forcedHeaders.flatMap((name) => place(name) ?? []),
        );
        const found = objectsOf(kbuild, folder, file);
        if (found) {
          const paths = found.objects.flatMap((one) => resolve(found.from, `${one}.c`) ?? []);
          const inside = [...new Set(paths)].filter((path) => isInside(path, border));
          return {
            paths: nearestMembers(inside, file),
            includeFolders,
            forcedHeaders,
            isStated: true,
          };
        }
      }
      folder = folderOf(folder);
    }
    return { paths: [file], includeFolders, forcedHeaders, isStated: false };
  }

  /**
   * The sources named together with `file` that are linked with it, when no Makefile says what any
   * of them belongs to.
   */
  async function namedWith(
    file: string,
    text: string,
    named: readonly string[],
    border: (path: string) => string,
  ): Promise<string[]> {
    if (!named.includes(file) || named.length < 2 || named.length > MAX_FILES) return [file];
    const documents: SourceDocument[] = [];
    for (const path of named) {
      const other = path === file ? text : await fs.readFile(path);
      if (other === undefined || (path !== file && (await membersOf(path, border(path))).isStated))
        continue;
      documents.push({ path, text: other });
    }
    return nearestMembers(
      linkedTogether(documents, file).map((document) => document.path),
      file,
    );
  }

  /** The documents at some paths, as far as there is room for them; `own` is one of them. */
  async function sourcesAt(
    paths: readonly string[],
    own: SourceDocument,
    reading: Reading,
  ): Promise<readonly SourceDocument[]> {
    const sources: SourceDocument[] = [];
    for (const path of paths) {
      if (path === own.path) {
        sources.push(own);
        continue;
      }
      const text = await fs.readFile(path);
      if (text === undefined || text.length > reading.budget) continue;
      reading.budget -= text.length;
      sources.push({ path, text });
    }
    return sources;
  }

  /**
   * Reads the headers that sources include, and those that these include. Breadth first: when the
   * bound is hit, the headers nearest to the sources are in.
   */
  async function readIncluded(
    sources: readonly SourceDocument[],
    { includeFolders, forcedHeaders, mayBeRead }: Places,
    reading: Reading,
  ): Promise<void> {
    const skipped: SourceDocument[] = [];
    const queue: SourceDocument[] = [...sources];
    for (
      let next = 0;
      next < queue.length && reading.seen.size < MAX_FILES && hasRoomForHeader(reading);
      next++
    ) {
      const document = queue[next]!;
      const isSource = next < sources.length;
      const folder = folderOf(document.path);
      if (folder === undefined) continue;
      const { quoted, angled } = scanOf(document.path, document.text);
      const wanted = [
        ...(isSource ? forcedHeaders.map((include) => ({ include, folders: [''] })) : []),
        ...quoted.map((include) => ({ include, folders: [folder, ...includeFolders] })),
        // Nearly all includes are the kernel's, and nearly no Makefile has folders for them.
        ...(includeFolders.length === 0
          ? []
          : angled.map((include) => ({ include, folders: includeFolders }))),
      ];
      for (const { include, folders } of wanted) {
        if (!hasRoomForHeader(reading)) break;
        const paths = folders.flatMap((from) => {
          const path = from === '' ? include : resolve(from, include);
          return path !== undefined && mayBeRead(path) ? [path] : [];
        });
        const header = await firstAt(paths, reading);
        if (header === null) continue;
        queue.push(header);
        // A header from elsewhere that does not know VFIO is only a way to others: i915's would
        // be parsed for nothing.
        const isNear = isSource && isInside(header.path, folder);
        const isWanted = header.text.includes('vfio') || isNear;
        if (!isWanted || !take(header, reading)) skipped.push(header);
      }
    }
    for (const header of skipped.length > 0 ? holdersAmong(skipped, reading.headers) : [])
      if (!hasRoomForHeader(reading) || !take(header, reading)) break;
  }

  const declaringByPath = new Map<
    string,
    { text: string; names: readonly string[]; declares: boolean }
  >();

  /** Whether a header declares one of the names: all files of a module ask the same. */
  function declares(path: string, text: string, names: readonly string[]): boolean {
    const known = declaringByPath.get(path);
    if (known && known.text === text && known.names === names) return known.declares;
    const answer = { text, names, declares: callsOneOf(text, new Set(names)) };
    remember(declaringByPath, path, answer);
    return answer.declares;
  }

  /** Reads the headers that declare what sources export, in the folders above them. */
  async function readDeclaring(
    sources: readonly SourceDocument[],
    border: string,
    reading: Reading,
  ): Promise<void> {
    for (const { path, text } of sources) {
      const { angled, exportedInits: names } = scanOf(path, text);
      if (names.length === 0) continue;
      for (const folder of includeFoldersAbove(path, border)) {
        const paths = angled.flatMap((include) => resolve(folder, include) ?? []);
        for (const at of paths.filter((one) => isInside(one, border))) {
          if (reading.seen.has(at) || !hasRoomForHeader(reading)) continue;
          const header = await reading.look(at);
          if (header === undefined || !declares(at, header, names)) continue;
          if (take({ path: at, text: header }, reading)) reading.seen.add(at);
        }
      }
    }
  }

  return {
    leadsAlike(file, before, after) {
      const one = scanOf(file, before),
        other = scanOf(file, after);
      return (
        isSameList(one.quoted, other.quoted) &&
        isSameList(one.angled, other.angled) &&
        isSameList(one.exportedInits, other.exportedInits)
      );
    },

    async load(file, text, options) {
      const { root, beside, named = [], isNamed } = options;
      const ownFolder = folderOf(file);
      if (ownFolder === undefined) return { file, sources: [{ path: file, text }], headers: [] };
      const border = root !== undefined && isInside(file, root) ? root : ownFolder;
      const members = file.endsWith('.c')
        ? await membersOf(file, border)
        : { paths: [file], includeFolders: [], forcedHeaders: [], isStated: true };
      const includeFolders = [...members.includeFolders, ...(options.includeFolders ?? [])];
      const forcedHeaders = [...members.forcedHeaders, ...(options.forcedHeaders ?? [])];
      const mayBeRead = (path: string): boolean =>
        isInside(path, border) ||
        (beside !== undefined && isInside(path, beside)) ||
        isNamed?.(path) === true;
      const borderOf = (path: string): string =>
        isInside(path, border) ? border : (folderOf(path) ?? border);
      const paths = members.isStated ? members.paths : await namedWith(file, text, named, borderOf);

      const reading = readingOf(paths, fs);
      const sources = await sourcesAt(paths, { path: file, text }, reading);
      await readIncluded(sources, { includeFolders, forcedHeaders, mayBeRead }, reading);
      await readDeclaring(sources, border, reading);
      return { file, sources, headers: reading.headers };
    },
  };
}

/** Where the headers of a module may be. */
interface Places {
  readonly includeFolders: readonly string[];
  readonly forcedHeaders: readonly string[];
  mayBeRead(path: string): boolean;
}

/** What has been read of one module, and how much more may be. */
interface Reading {
  /** Characters that there is still room for. */
  budget: number;
  readonly headers: SourceDocument[];
  /** The paths that were read. */
  readonly seen: Set<string>;
  /** The header at a path; undefined where there is none, and when enough was read. */
  look(path: string): Promise<string | undefined>;
}

function readingOf(paths: readonly string[], fs: Pick<FileSystem, 'readFile'>): Reading {
  let looked = MAX_LOOKED,
    asked = MAX_ASKED;
  return {
    budget: MAX_TEXT,
    headers: [],
    seen: new Set(paths),
    async look(path) {
      if (looked <= 0 || --asked < 0) return undefined;
      const header = await fs.readFile(path);
      looked -= header?.length ?? 0;
      return header === undefined || looked < 0 ? undefined : header;
    },
  };
}

function hasRoomForHeader({ headers }: Reading): boolean {
  return headers.length < MAX_HEADERS;
}

/** Adds a header to the module, if there is room for it. */
function take(header: SourceDocument, reading: Reading): boolean {
  if (header.text.length > reading.budget) return false;
  reading.budget -= header.text.length;
  reading.headers.push(header);
  return true;
}

/** The first header at some paths; null where there is none, or it was read before. */
async function firstAt(
  paths: readonly string[],
  { seen, look }: Reading,
): Promise<SourceDocument | null> {
  for (const path of paths) {
    if (seen.has(path)) return null;
    const text = await look(path);
    if (text === undefined) continue;
    seen.add(path);
    return { path, text };
  }
  return null;
}

/**
 * The structs that a text defines, with the tags of those that are members of them as a whole. A
 * text scan, like that for includes.
 */
function structMembersIn(text: string): readonly (readonly [string, readonly string[]])[] {
  return [...text.matchAll(/\bstruct[ \t]+(\w+)\s*\{([^{}]*)\}/g)]
    .map(
      ([, tag, body]) =>
        [
          tag!,
          [...body!.matchAll(/\bstruct[ \t]+(\w+)[ \t]+\w+[ \t]*;/g)].map(([, member]) => member!),
        ] as const,
    )
    .filter(([, members]) => members.length > 0);
}

/**
 * `include` beside a file and beside the folders above it: where a library keeps what it shows to
 * others, with no Makefile of its own to say so.
 */
function includeFoldersAbove(path: string, border: string): string[] {
  const folders: string[] = [];
  for (
    let folder = folderOf(path);
    folder !== undefined && isInside(folder, border);
    folder = folderOf(folder)
  ) {
    const include = resolve(folder, 'include');
    if (include !== undefined) folders.push(include);
  }
  return folders;
}

/**
 * When a module is over the bound (i915 has hundreds of objects), those in the file's own folder
 * tell the most.
 */
function nearestMembers(paths: string[], file: string): string[] {
  if (paths.length <= MAX_SOURCES) return paths.includes(file) ? paths : [file, ...paths];
  const folder = folderOf(file);
  const near = paths
    .filter((path) => path !== file && folderOf(path) === folder)
    .slice(0, MAX_SOURCES - 1);
  return [file, ...near];
}

/** Keeps a memo from growing with the tree. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > 512) map.delete(map.keys().next().value!);
}

/**
 * A FileSystem that reads each thing once until it is told that it changed. Hosts put open
 * documents in front of it.
 */
export interface CachedFileSystem extends FileSystem {
  /** Forgets `path` and the folders it is in; without a path, everything. */
  invalidate(path?: string): void;
}

/** Wraps `fs` with a cache of at most `limit` texts. */
export function cachedFileSystem(fs: FileSystem, limit = 2_000): CachedFileSystem {
  const texts = new Map<string, Promise<string | undefined>>();
  const folders = new Map<string, Promise<readonly string[]>>();
  return {
    readFile(path) {
      let text = texts.get(path);
      if (text === undefined) {
        text = fs.readFile(path);
        texts.set(path, text);
        if (texts.size > limit) texts.delete(texts.keys().next().value!);
      }
      return text;
    },
    readDirectory(path) {
      let names = folders.get(path);
      if (names === undefined) {
        names = fs.readDirectory(path);
        folders.set(path, names);
        if (folders.size > limit) folders.delete(folders.keys().next().value!);
      }
      return names;
    },
    invalidate(path) {
      if (path === undefined) {
        texts.clear();
        folders.clear();
        return;
      }
      texts.delete(path);
      // The folders above as well: the one that it is in may be new.
      for (let folder = folderOf(path); folder !== undefined; folder = folderOf(folder))
        folders.delete(folder);
    },
  };
}
