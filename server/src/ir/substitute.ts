/**
 * The one substitution: the body of a macro with the arguments of a use in the place of its
 * parameters.
 */
import { spend } from '../budget/work.ts';
import type { Span } from '../text/span.ts';
import type { CodeNode, Expr, MacroIr, TypeName } from './types.ts';

/** What a macro's text is at one use. */
export interface MacroUse {
  /** The use: all that the macro brings stands there. */
  readonly at: Span;
  readonly values: ReadonlyMap<string, Expr>;
  /** The arguments after the last that has a name, and what stands for them. */
  readonly rest: readonly Expr[];
  readonly restName: string | null;
  /** New names for what the macro declares where the names are taken. */
  readonly renamed: ReadonlyMap<string, string>;
  /** What a node of the definition becomes, besides its parts. */
  readonly placed: (node: CodeNode) => { readonly start: number } & CodeNode;
}

/**
 * The arguments of a use by the macro's parameters.
 * @returns null when they do not fit.
 */
export function argumentsOf(
  macro: Pick<MacroIr, 'params' | 'rest'>,
  args: readonly Expr[],
): Pick<MacroUse, 'values' | 'rest' | 'restName'> | null {
  const params = macro.params ?? [];
  // `FOO()` gives a macro of one parameter an empty one: nothing to put in its place.
  if (args.length < params.length || (args.length > params.length && macro.rest === null))
    return null;
  const values = new Map(params.map((name, index) => [name, args[index]!]));
  return { values, rest: args.slice(params.length), restName: macro.rest };
}

/** Thrown where a part of a body cannot be written out. */
class NotPossible extends Error {}

/** Deeper than any lowered body is (`MAX_DEPTH` of the lowering). */
const MAX_DEPTH = 700;

/**
 * A copy of a part of a macro's body for one use of it.
 * @returns null when it holds what was not understood, or what the arguments do not fit.
 */
export function substitute<T>(part: T, use: MacroUse): T | null {
  try {
    return copied(part, use, 0) as T;
  } catch (error) {
    if (error instanceof NotPossible) return null;
    throw error;
  }
}

function copied(part: unknown, use: MacroUse, depth: number): unknown {
  if (typeof part !== 'object' || part === null) return part;
  // Macros that use each other twice double what they bring: it counts.
  spend(1);
  if (depth > MAX_DEPTH) throw new NotPossible();
  if (Array.isArray(part))
    return part.flatMap((one): unknown[] =>
      isRest(one, use) ? [...use.rest] : [copied(one, use, depth + 1)],
    );
  const from = part as Readonly<Record<string, unknown>>;
  const kind = from['kind'];
  if (kind === 'unknown') throw new NotPossible();
  if (kind === 'name') {
    const value = use.values.get(from['name'] as string);
    if (value) return value;
  }
  const copy: Record<string, unknown> = {};
  for (const key in from) copy[key] = copied(from[key], use, depth + 1);
  if (typeof from['start'] === 'number') {
    copy['start'] = use.at.start;
    copy['end'] = use.at.end;
    if (kind !== undefined) Object.assign(copy, use.placed(from as unknown as CodeNode));
  }
  return named(copy, from, use);
}

/** The copy with those of its names that are parameters, pasted, or taken elsewhere. */
function named(
  copy: Record<string, unknown>,
  from: Readonly<Record<string, unknown>>,
  use: MacroUse,
): unknown {
  switch (from['kind']) {
    case 'name':
    case 'decl':
      copy['name'] = variableIn(from['name'] as string, use);
      return copy;
    case 'label':
      copy['name'] = nameIn(from['name'] as string, use);
      return copy;
    case 'goto':
      copy['label'] = nameIn(from['label'] as string, use);
      return copy;
    case 'member':
      return memberOf(copy, from['field'] as string, use);
    case 'call': {
      const callee = copy['callee'] as Expr;
      copy['name'] = callee.kind === 'name' ? callee.name : null;
      return copy;
    }
    case 'loop':
    case 'guard':
      if (from['macro'] !== null) copy['macro'] = nameIn(from['macro'] as string, use);
      return copy;
    case 'sizeof': {
      const operand = copy['operand'] as Expr | null;
      return operand?.kind === 'type' ? { ...copy, operand: null, type: operand.type } : copy;
    }
    case undefined:
      return 'pointers' in from && 'arrays' in from ? typeOf(copy, from, use) : entryOf(copy, use);
    default:
      return copy;
  }
}

/** The name of a variable at the use: what the macro declares may have another one there. */
function variableIn(name: string, use: MacroUse): string {
  return use.values.has(name) ? nameIn(name, use) : (use.renamed.get(name) ?? nameIn(name, use));
}

/** A name of the body at the use, when it is one there. */
function nameIn(name: string, use: MacroUse): string {
  const value = use.values.get(name);
  if (value) return wordOf(value);
  if (!name.includes('$')) return name;
  return pastedParts(name)
    .map((word) => {
      const part = use.values.get(word);
      return part ? wordOf(part) : word;
    })
    .join('');
}

/** The parts of a name in the body of a macro that `##` joins; the name itself where none does. */
export function pastedParts(name: string): readonly string[] {
  return name.split(/\$+/);
}

/** The one word that an argument is. */
function wordOf(value: Expr): string {
  if (value.kind === 'name') return value.name;
  if (value.kind === 'number' && /^\w+$/.test(value.text)) return value.text;
  if (value.kind === 'type' && value.type.pointers + value.type.arrays === 0)
    return value.type.name;
  throw new NotPossible();
}

/** `(p)->m`, where `m` may be given as `a.b`. */
function memberOf(copy: Record<string, unknown>, field: string, use: MacroUse): unknown {
  const value = use.values.get(field);
  if (value?.kind !== 'member') {
    copy['field'] = nameIn(field, use);
    return copy;
  }
  const path: string[] = [];
  let base: Expr = value;
  for (; base.kind === 'member' && !base.arrow; base = base.base) path.unshift(base.field);
  if (base.kind !== 'name') throw new NotPossible();
  let member: Record<string, unknown> = { ...copy, field: base.name };
  for (const name of path) member = { ...copy, base: member, arrow: false, field: name };
  return member;
}

function typeOf(
  copy: Record<string, unknown>,
  from: Readonly<Record<string, unknown>>,
  use: MacroUse,
): unknown {
  const value = use.values.get(from['name'] as string);
  if (value?.kind !== 'type') {
    copy['name'] = nameIn(from['name'] as string, use);
    return copy;
  }
  const type = copy as unknown as TypeName;
  return {
    ...value.type,
    pointers: value.type.pointers + type.pointers,
    arrays: value.type.arrays + type.arrays,
  } satisfies TypeName;
}

/** An entry of an initialiser, whose members may be given. */
function entryOf(copy: Record<string, unknown>, use: MacroUse): unknown {
  const designators = copy['designators'] as readonly string[] | undefined;
  if (designators) copy['designators'] = designators.map((name) => nameIn(name, use));
  return copy;
}

function isRest(part: unknown, { restName }: MacroUse): boolean {
  return (
    typeof part === 'object' &&
    part !== null &&
    (part as { kind?: string }).kind === 'name' &&
    (part as { name?: string }).name === restName
  );
}
