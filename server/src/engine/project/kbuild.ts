/**
 * The part of Kbuild's Makefile language that says which objects make one module: `foo-y := a.o b.o`, `foo-objs`,
 * `foo-$(CONFIG_X) +=`, continuation lines, and simple variables inside the lists.
 */
import { append } from '../../text/lists.ts';

/** What one Makefile or Kbuild file says. */
export interface Kbuild {
  /** Composite name → its objects in order, as written relative to the file, without `.o`. */
  readonly composites: ReadonlyMap<string, readonly string[]>;
  /** What `obj-y` and `obj-m` list, relative to the file and without `.o`: a module each, unless it is the name of a composite. */
  readonly objects: ReadonlySet<string>;
  /** Folders given to the compiler by `-I`, relative to the file; those under $(srctree) begin with `/`. */
  readonly includeFolders: readonly string[];
}

const MAX_LINES = 20_000;
const MAX_OBJECTS = 512;
/** Characters that the variables of one file may come to; ten that name the next one twice each come to thousands. */
const MAX_EXPANDED = 1_000_000;
const MAX_DEPTH = 8;
const ASSIGNMENT = /^\s*(?:override\s+|export\s+)?([\w.$(){}\/-]+)\s*(\+=|:=|::=|\?=|=)(.*)/s;

/** Reads a Makefile or Kbuild file. Total: what it does not understand it skips. */
export function parseKbuild(text: string): Kbuild {
  const variables = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const match = ASSIGNMENT.exec(line);
    if (!match) continue;
    // An option decides whether an object is built, not what it belongs to: every choice of CONFIG_… counts as y.
    const name = match[1]!.replace(/\$[({][^)}]*(?:[)}]|$)/g, 'y');
    const value = match[3]!.trimStart();
    const before = variables.get(name);
    variables.set(name, match[2] === '+=' && before !== undefined ? `${before} ${value}` : mergeConditional(before, value));
  }
  const budget: Budget = { left: MAX_EXPANDED };
  const composites = new Map<string, string[]>();
  const singles = new Set<string>();
  const includeFolders: string[] = [];
  for (const [name, value] of variables) {
    if (/^obj-(?:y|m)$/.test(name)) for (const object of objectsIn(value, variables, budget)) singles.add(object);
    if (/^(?:subdir-)?ccflags-/.test(name) || name === 'EXTRA_CFLAGS') {
      append(includeFolders, includesOf(value));
      continue;
    }
    const composite = /^(.+)-(?:y|m|objs)$/.exec(name)?.[1];
    if (composite === undefined || composite === 'obj' || composite === 'lib' || composite === 'subdir' || composite === 'always' || composite === 'hostprogs') continue;
    const objects = objectsIn(value, variables, budget);
    if (objects.length === 0) continue;
    const list = composites.get(composite) ?? [];
    for (const object of objects) if (list.length < MAX_OBJECTS && !list.includes(object)) list.push(object);
    composites.set(composite, list);
  }
  return { composites, objects: singles, includeFolders };
}

/**
 * The objects that are linked into one module with `object` (without `.o`, relative to the Makefile), itself included and in
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
function objectsIn(value: string, variables: ReadonlyMap<string, string>, budget: Budget): string[] {
  return expand(value, variables, budget, 0).split(/\s+/).filter((word) => /^[\w./-]+\.o$/.test(word)).map((word) => word.slice(0, -2));
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

/** What may still be expanded, over all variables of one file. */
interface Budget {
  left: number;
}

/** The value with the values of its variables; what is over the budget is left out. */
function expand(value: string, variables: ReadonlyMap<string, string>, budget: Budget, depth: number): string {
  budget.left -= value.length + 1;
  if (depth > MAX_DEPTH || budget.left < 0) return '';
  return value.replace(/\$[({]([\w.-]+)[)}]/g, (_, name: string) => {
    const known = variables.get(name);
    return known === undefined ? '' : expand(known, variables, budget, depth + 1);
  });
}

function includesOf(flags: string): string[] {
  const folders: string[] = [];
  for (const match of flags.matchAll(/-I\s*(\S+)/g)) {
    const folder = match[1]!;
    if (folder.startsWith('$(srctree)/$(src)') || folder.startsWith('$(src)') || folder.startsWith('$(obj)') || folder.startsWith('$(M)') || folder.startsWith('$(PWD)')) {
      folders.push(folder.replace(/^(?:\$\(\w+\)\/?)+/, '') || '.');
    } else if (folder.startsWith('$(srctree)/')) {
      folders.push(folder.slice('$(srctree)'.length));
    } else if (!folder.includes('$') && !folder.startsWith('/')) {
      folders.push(folder);
    }
  }
  return folders;
}
