/**
 * Finds what a module is converted together with: the drivers of a library that initialises VFIO
 * devices, or the library of a driver and its
 * other drivers. On the command line a person names them; an editor has to look. Everything is
 * bounded.
 */
import type { FileSystem, ModuleInput } from '../types.ts';
import { callsOneOf, exportedInits, joinLinked } from './join.ts';
import type { ModuleLoader } from './load.ts';
import { folderOf, isInside, resolve } from './paths.ts';

/** Folders that are listed, and sources that are read, for one question. */
const MAX_FOLDERS = 64;
const MAX_FILES = 300;

export interface Linked {
  /**
   * The module with the documents of those that it is converted with; the module itself when there
   * are none.
   */
  readonly input: ModuleInput;
  /**
   * For a library without a driver: the functions that were looked for, and in how many sources.
   */
  readonly missed: { readonly names: readonly string[]; readonly files: number } | null;
}

export interface LinkFinder {
  /**
   * Looks for the other modules in the folder of the module's file, the folders below it, and then
   * those above it up to `root`, with theirs.
   * Without a root nothing outside the file's own folder is read.
   */
  join(input: ModuleInput, root: string | undefined): Promise<Linked>;
  /** A file came, went or changed: what was found before is forgotten. */
  forget(): void;
}

interface Found {
  readonly paths: readonly string[];
  readonly files: number;
}

export function createLinkFinder(fs: FileSystem, loader: ModuleLoader): LinkFinder {
  const known = new Map<string, Promise<Found>>();

  async function search(
    file: string,
    border: string,
    known: ReadonlySet<string>,
    test: (text: string) => boolean,
  ): Promise<Found> {
    const paths: string[] = [];
    const seen = new Set<string>();
    let files = 0;
    let folders = 0;
    for (
      let top = folderOf(file);
      top !== undefined && isInside(top, border);
      top = folderOf(top)
    ) {
      const pending = [top];
      for (let folder = pending.shift(); folder !== undefined; folder = pending.shift()) {
        if (seen.has(folder) || ++folders > MAX_FOLDERS) continue;
        seen.add(folder);
        for (const name of await fs.readDirectory(folder)) {
          const path = resolve(folder, name);
          if (path === undefined) continue;
          if (name.endsWith('/')) {
            if (!name.startsWith('.')) pending.push(path);
            continue;
          }
          if (!name.endsWith('.c') || known.has(path) || files >= MAX_FILES) continue;
          files++;
          const text = await fs.readFile(path);
          if (text !== undefined && test(text)) paths.push(path);
        }
      }
    }
    return { paths, files };
  }

  function remembered(key: string, ask: () => Promise<Found>): Promise<Found> {
    let answer = known.get(key);
    if (!answer) known.set(key, (answer = ask()));
    return answer;
  }

  async function load(path: string, root: string | undefined): Promise<ModuleInput | null> {
    const text = await fs.readFile(path);
    return text === undefined ? null : loader.load(path, text, { root });
  }

  async function withDrivers(
    library: ModuleInput,
    border: string,
    root: string | undefined,
  ): Promise<Linked> {
    const names = library.sources.flatMap((source) => exportedInits(source.text));
    const home = library.sources.find((source) => exportedInits(source.text).length > 0)!.path;
    const own = new Set(library.sources.map((source) => source.path));
    const exported = new Set(names);
    const { paths, files } = await remembered(`${home}\n${names.join('\n')}`, () =>
      search(home, border, own, (text) => /vfio/.test(text) && callsOneOf(text, exported)),
    );
    const modules = (await Promise.all(paths.map((path) => load(path, root)))).flatMap(
      (one) => one ?? [],
    );
    const joined = joinLinked([library, ...modules])[0]!;
    return { input: joined, missed: joined === library ? { names, files } : null };
  }

  return {
    async join(input, root) {
      const folder = folderOf(input.file);
      if (folder === undefined) return { input, missed: null };
      const border = root !== undefined && isInside(input.file, root) ? root : folder;
      if (input.sources.some((source) => exportedInits(source.text).length > 0)) {
        const linked = await withDrivers(input, border, root);
        return {
          ...linked,
          input: {
            ...linked.input,
            file: input.file,
            wrappers: input.wrappers,
            build: input.build,
          },
        };
      }
      const names = foreignCalls(input);
      if (names.length === 0) return { input, missed: null };
      const own = new Set(input.sources.map((source) => source.path));
      const wanted = new Set(names);
      const { paths } = await remembered(`${input.file}\n${names.join('\n')}`, () =>
        search(input.file, border, own, (text) =>
          exportedInits(text).some((name) => wanted.has(name)),
        ),
      );
      const library = paths[0] === undefined ? null : await load(paths[0], root);
      if (!library) return { input, missed: null };
      const { input: joined } = await withDrivers(library, border, root);
      return { input: joinLinked([input, joined])[0]!, missed: null };
    },
    forget: () => known.clear(),
  };
}

const OWN_INIT =
  /\bvfio_(?:init_group_dev|pci_core_init_device|alloc_device|init_device|add_group_dev)\s*\(/;

/**
 * The functions that a driver calls, that its headers declare and that none of its sources defines;
 * none for a driver that initialises its devices itself.
 */
function foreignCalls({ sources, headers }: ModuleInput): string[] {
  if (
    sources.some((source) => OWN_INIT.test(source.text)) ||
    !sources.some((source) =>
      /\bvfio_device_ops\b|\bvfio_device\b|\bkv?zalloc\s*\(/.test(source.text),
    )
  )
    return [];
  const declared = new Set(
    headers.flatMap((header) =>
      [...header.text.matchAll(/\b(\w+)\s*\([^;{}()]*\)\s*;/g)].map((match) => match[1]!),
    ),
  );
  const called = new Set(
    sources.flatMap((source) =>
      [...source.text.matchAll(/\b(\w+)\s*\(/g)].map((match) => match[1]!),
    ),
  );
  const heads = sources.flatMap((source) => [...source.text.matchAll(/^[A-Za-z_]([\w \t*]*)\(/gm)]);
  const defined = new Set(heads.map(([, head]) => /\b\w+$/.exec(head!.trimEnd())?.[0]));
  return [...called].filter((name) => declared.has(name) && !defined.has(name)).sort();
}
