/**
 * The part of Kbuild's Makefile language that says which objects make one module: `foo-y := a.o
 * b.o`, `foo-objs`,
 * `foo-$(CONFIG_X) +=`, continuation lines, and variables and functions inside the lists.
 */
import { expandMake, type MakeWorld } from './make-functions.ts';
import { append } from '../../text/lists.ts';

/** What one Makefile or Kbuild file says. */
export interface Kbuild {
  /** Composite name → its objects in order, as written relative to the file, without `.o`. */
  readonly composites: ReadonlyMap<string, readonly string[]>;
  /**
   * What `obj-y` and `obj-m` list, relative to the file and without `.o`: a module each, unless it
   * is the name of a composite.
   */
  readonly objects: ReadonlySet<string>;
  /**
   * Folders given to the compiler by `-I`, relative to the file; those under $(srctree) begin with
   * `/`.
   */
  readonly includeFolders: readonly string[];
  /** Headers that `-include` puts in front of every source, as `includeFolders` are written. */
  readonly forcedHeaders: readonly string[];
}

const MAX_LINES = 20_000;
const MAX_OBJECTS = 512;
const MAX_WILDCARD_FOLDERS = 16;
/**
 * Characters that the variables of one file may come to; ten that name the next one twice each come
 * to thousands.
 */
const MAX_EXPANDED = 1_000_000;
const ASSIGNMENT = /^\s*(?:override\s+|export\s+)?([\w.$(){}\/-]+)\s*(\+=|:=|::=|\?=|=)(.*)/s;

/**
 * The values of a makefile's variables, expanded; each that is assigned more than once has all
 * values. Empty for what is not there.
 */
export function expandedVariables(text: string): (name: string) => string {
  const world = worldOf(variablesIn(text), () => []);
  return (name) => expandMake(`$(${name})`, world);
}

/** What leads to the folder of the makefile, wherever it is run from. */
const HERE: ReadonlySet<string> = new Set(['src', 'obj', 'M', 'PWD', 'CURDIR']);

const HERE_PREFIX = /\$[({](?:src|obj|M|PWD|CURDIR)[)}]\//g;

function worldOf(
  variables: ReadonlyMap<string, string>,
  wildcard: MakeWorld['wildcard'],
): MakeWorld {
  return {
    valueOf: (name) => variables.get(name) ?? (HERE.has(name) ? '.' : undefined),
    wildcard,
    left: MAX_EXPANDED,
  };
}

function variablesIn(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const match = ASSIGNMENT.exec(line);
    if (!match) continue;
    // An option decides whether an object is built, not what it belongs to: every choice of
    // CONFIG_… counts as y.
    const name = match[1]!.replace(/\$[({][^)}]*(?:[)}]|$)/g, 'y');
    const value = match[3]!.trimStart();
    const before = variables.get(name);
    variables.set(
      name,
      match[2] === '+=' && before !== undefined
        ? `${before} ${value}`
        : mergeConditional(before, value),
    );
  }
  return variables;
}

/** Variables with flags for the compiler, of a folder, a file or all. */
const COMPILER_FLAGS =
  /^(?:(?:subdir-)?ccflags-.*|EXTRA_CFLAGS|LINUXINCLUDE|NOSTDINC_FLAGS|KBUILD_C(?:PP)?FLAGS|KCFLAGS|CFLAGS_.+)$/;

/**
 * Reads a Makefile or Kbuild file. Total: what it does not understand it skips.
 * @param wildcard the files that a pattern stands for, relative to the file.
 */
export function parseKbuild(text: string, wildcard: MakeWorld['wildcard'] = () => []): Kbuild {
  const variables = variablesIn(text);
  const world = worldOf(variables, wildcard);
  const composites = new Map<string, string[]>();
  const singles = new Set<string>();
  const includeFolders: string[] = [],
    forcedHeaders: string[] = [];
  for (const [name, value] of variables) {
    if (/^obj-(?:y|m)$/.test(name))
      for (const object of objectsIn(value, world)) singles.add(object);
    if (COMPILER_FLAGS.test(name)) {
      const flags = withOwnVariables(value, variables);
      append(includeFolders, includesOf(flags));
      append(forcedHeaders, forcedIncludesOf(flags));
      continue;
    }
    const composite = /^(.+)-(?:y|m|objs)$/.exec(name)?.[1];
    if (
      composite === undefined ||
      composite === 'obj' ||
      composite === 'lib' ||
      composite === 'subdir' ||
      composite === 'always' ||
      composite === 'hostprogs'
    )
      continue;
    const objects = objectsIn(value, world);
    if (objects.length === 0) continue;
    const list = composites.get(composite) ?? [];
    for (const object of objects)
      if (list.length < MAX_OBJECTS && !list.includes(object)) list.push(object);
    composites.set(composite, list);
  }
  return { composites, objects: singles, includeFolders, forcedHeaders };
}

/**
 * What `include` lines name, as it is written without what stands for the makefile's folder; `line`
 * is the whole line.
 */
export function includedMakefiles(
  text: string,
): readonly { readonly line: string; readonly names: readonly string[] }[] {
  return [...text.matchAll(/^[ \t]*[-s]?include[ \t]+(\S[^\n]*)$/gm)].map(([line, names]) => ({
    line,
    names: names!
      .trim()
      .split(/\s+/)
      .map((name) => name.replace(HERE_PREFIX, ''))
      .filter((name) => !name.includes('$')),
  }));
}

/**
 * The folders whose files the patterns of `$(wildcard …)` may stand for, as they are written, `.`
 * for that of the makefile.
 */
export function wildcardFolders(text: string): readonly string[] {
  const lists = [...text.matchAll(/\$[({]wildcard[ \t]+([^\n]*)/g)].map(([, list]) =>
    list!.replace(HERE_PREFIX, ''),
  );
  // Up to what closes the call: no name of a file has a parenthesis here.
  const patterns = lists.flatMap((list) =>
    list
      .split(/[(){}]/, 1)[0]!
      .trim()
      .split(/\s+/),
  );
  const folders = patterns.map((pattern) =>
    pattern.includes('/') ? pattern.slice(0, pattern.lastIndexOf('/')) : '.',
  );
  return [...new Set(folders)]
    .filter((folder) => /^[\w./-]+$/.test(folder))
    .slice(0, MAX_WILDCARD_FOLDERS);
}

/**
 * The objects that are linked into one module with `object` (without `.o`, relative to the
 * Makefile), itself included and in
 * the order of the Makefile; the union when several composites have it; empty when none has.
 */
export function moduleObjects(kbuild: Kbuild, object: string): readonly string[] {
  const found = new Set<string>();
  for (const objects of kbuild.composites.values()) {
    if (objects.includes(object)) for (const other of objects) found.add(other);
  }
  return [...found];
}

/** The objects in a list, without `.o`. */
function objectsIn(value: string, world: MakeWorld): string[] {
  const words = expandMake(value, world)
    .split(/\s+/)
    .filter((word) => /^[\w./-]+\.o$/.test(word));
  return words.map((word) => word.slice(0, -2).replace(/^(?:\.\/+)+/, ''));
}

/** `a := x` under ifdef and `a := y` under else are both seen; a union is the safe reading. */
function mergeConditional(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before} ${value}`;
}

function* logicalLines(text: string): Generator<string> {
  let pending = '';
  let count = 0;
  for (const raw of text.split('\n')) {
    if (++count > MAX_LINES) return;
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.endsWith('\\')) {
      pending += `${line.slice(0, -1)} `;
      continue;
    }
    const hash = (pending + line).indexOf('#');
    yield hash < 0 ? pending + line : (pending + line).slice(0, hash);
    pending = '';
  }
  if (pending !== '') yield pending;
}

/** Variables of variables of variables: nobody goes further. */
const MAX_VARIABLE_DEPTH = 3;

/** Flags in which the file's own variables have their values; those of the kernel's stay. */
function withOwnVariables(flags: string, variables: ReadonlyMap<string, string>): string {
  let text = flags;
  for (let depth = 0; depth < MAX_VARIABLE_DEPTH && text.length < MAX_FLAGS; depth++)
    text = text.replace(/\$[({](\w+)[)}]/g, (whole, name: string) =>
      HERE.has(name) ? whole : (variables.get(name)?.trim().slice(0, MAX_FLAGS) ?? whole),
    );
  return text;
}

/** Characters of flags: more is no list that a person wrote. */
const MAX_FLAGS = 10_000;

/** The folders that `-I` and its like name. */
function includesOf(flags: string): string[] {
  return [...flags.matchAll(/(?:-I|-isystem|-iquote|-idirafter)\s*(\S+)/g)].flatMap((match) =>
    namedPath(match[1]!),
  );
}

/** The headers that `-include` puts in front of every source. */
function forcedIncludesOf(flags: string): string[] {
  return [...flags.matchAll(/-include\s+(\S+)/g)].flatMap((match) => namedPath(match[1]!));
}

/** Variables that stand for the folder of the Makefile, with or without the tree's in front. */
const OWN_FOLDER = /^(?:\$[({]srctree[)}]\/)?\$[({](?:src|obj|M|PWD|CURDIR|KBUILD_EXTMOD)[)}]/;

/**
 * A path of a flag, relative to the folder of the Makefile; one that begins with `/` to the tree.
 */
function namedPath(path: string): string[] {
  const name = path.replace(/^["']|["']$/g, '');
  if (OWN_FOLDER.test(name)) return [name.replace(/^(?:\$[({]\w+[)}]\/?)+/, '') || '.'];
  if (name.startsWith('$(srctree)/')) return [name.slice('$(srctree)'.length)];
  return name.includes('$') || name.startsWith('/') || name === '' ? [] : [name];
}
