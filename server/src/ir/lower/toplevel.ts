/** Lowers the items at file scope, each on its own. */
import type { Condition, SyntaxNode, TopLevelItem } from '../../syntax/node.ts';
import type { Span } from '../../text/span.ts';
import type {
  FileMacroIr,
  FunctionIr,
  IncludeIr,
  MacroIr,
  PrototypeIr,
  StructIr,
  TypeName,
  VariableIr,
} from '../types.ts';
import {
  field,
  isFlowWord,
  isInFirstColumn,
  parts,
  spanOf,
  takeInventory,
  textOf,
  type Context,
} from './context.ts';
import {
  lowerParams,
  readDeclared,
  readDeclarator,
  declaredType,
  readSpecifiers,
} from './declarators.ts';
import { lowerExpr } from './expressions.ts';
import { withSplitChains } from './preproc.ts';
import { isUnclosed, lowerBlock } from './statements.ts';
import { lowerStruct, tagOf } from './structs.ts';
import { blankComments } from '../../text/lexical.ts';
import { append, toKeep } from '../../text/lists.ts';

/** What one top-level item contributes to the file. */
export interface ItemIr {
  readonly functions: readonly FunctionIr[];
  readonly structs: readonly StructIr[];
  readonly variables: readonly VariableIr[];
  /** Without their bodies, which are parsed for all macros of a file at once. */
  readonly macros: MacroIr[];
  readonly includes: readonly IncludeIr[];
  readonly prototypes: readonly PrototypeIr[];
  readonly fileMacros: readonly FileMacroIr[];
  readonly typedefs: readonly { readonly name: string; readonly type: TypeName }[];
  readonly lost: readonly Span[];
  /** Why it could not be lowered: an error of the lowering. The rest is then empty. */
  readonly failed?: string;
}

/** An item in the making. */
type Draft = {
  readonly [Part in Exclude<keyof ItemIr, 'failed'>]: ItemIr[Part][number][];
};

/** What the parser may put into an ERROR node although it is whole. */
const HOISTABLE: ReadonlySet<string> = new Set([
  'declaration',
  'type_definition',
  'struct_specifier',
  'union_specifier',
  'preproc_include',
  'preproc_def',
  'preproc_function_def',
]);
/** A file with more of them in one ERROR node is no C. */
const MAX_HOISTED = 10_000;

/** Lowers one item. An error of the lowering costs this item, and no other. */
export function lowerItemAlone(
  item: TopLevelItem,
  conditions: readonly Condition[],
  context: Context,
): ItemIr {
  try {
    return lowerItem(item, conditions, context);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      functions: [],
      structs: [],
      variables: [],
      macros: [],
      includes: [],
      prototypes: [],
      fileMacros: [],
      typedefs: [],
      lost: [spanOf(item)],
      failed: reason,
    };
  }
}

/** Lowers one item with everything that was found inside it and belongs to the file. */
export function lowerItem(
  item: TopLevelItem,
  conditions: readonly Condition[],
  context: Context,
): ItemIr {
  const out: Draft = {
    functions: [],
    structs: [],
    variables: [],
    macros: [],
    includes: [],
    prototypes: [],
    fileMacros: [],
    typedefs: [],
    lost: [],
  };
  if (item.type === 'comment') return finished(out);
  const root = item.node();
  const stack: SyntaxNode[] = [root];
  if (item.type === 'ERROR') {
    out.lost.push(spanOf(item));
    // The functions inside are items of their own, the declarations are not.
    stack.pop();
    append(
      stack,
      root.children
        .filter((child) => HOISTABLE.has(child.type) && isInFirstColumn(child, context))
        .slice(0, MAX_HOISTED)
        .reverse(),
    );
  }
  // Iterative, since what is hoisted may hoist again; each definition gets an `opaque` of its own.
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const inner = createContextLike(context);
    lowerNode(node, conditions, out, inner);
    for (const found of inner.hoisted.reverse()) stack.push(found);
  }
  return finished(out);
}

function finished(draft: Draft): ItemIr {
  return {
    functions: toKeep(draft.functions),
    structs: toKeep(draft.structs),
    variables: toKeep(draft.variables),
    macros: draft.macros.slice(),
    includes: toKeep(draft.includes),
    prototypes: toKeep(draft.prototypes),
    fileMacros: toKeep(draft.fileMacros),
    typedefs: toKeep(draft.typedefs),
    lost: toKeep(draft.lost),
  };
}

/** The same stretch of text with nothing noted yet. */
function createContextLike(context: Context): Context {
  const { text, own, base, notes } = context;
  return { text, own, base, notes, depth: 0, opaque: false, unclosed: false, hoisted: [] };
}

function lowerNode(
  node: SyntaxNode,
  conditions: readonly Condition[],
  out: Draft,
  context: Context,
): void {
  switch (node.type) {
    case 'function_definition':
      lowerFunction(node, conditions, out, context);
      return;
    case 'declaration':
      lowerDeclaration(node, conditions, out, context);
      return;
    case 'type_definition':
      lowerTypedef(node, conditions, out, context);
      return;
    case 'struct_specifier':
    case 'union_specifier': {
      const struct = lowerStruct(node, tagOf(node, context), conditions, context);
      if (struct !== null) out.structs.push(struct);
      return;
    }
    case 'preproc_include': {
      const path = field(node, 'path');
      const text = path === undefined ? '' : textOf(path, context);
      const bare = /^["<](.*)[">]$/.exec(text)?.[1];
      out.includes.push({
        kind: 'include',
        start: node.start,
        end: node.end,
        path: bare ?? text,
        quoted: text.startsWith('"'),
        conditions,
      });
      return;
    }
    case 'preproc_def':
    case 'preproc_function_def':
      lowerDefine(node, conditions, out, context);
      return;
    case 'expression_statement':
      lowerFileMacro(node, out, context);
      return;
    case 'ERROR':
      out.lost.push(spanOf(node));
      return;
    default:
      // A statement at file scope: braces do not match, or a macro that the mask does not know
      // opens a block.
      if (/_statement$/.test(node.type)) out.lost.push(spanOf(node));
  }
}

function lowerFunction(
  node: SyntaxNode,
  conditions: readonly Condition[],
  out: Draft,
  context: Context,
): void {
  const specifiers = readSpecifiers(node, context);
  const declaratorNode = field(node, 'declarator');
  const bodyNode = field(node, 'body');
  const declarator = declaratorNode === undefined ? null : readDeclarator(declaratorNode, context);
  if (
    bodyNode?.type !== 'compound_statement' ||
    declarator === null ||
    declarator.name === '' ||
    isFlowWord(declarator.name)
  ) {
    out.lost.push(spanOf(node));
    return;
  }
  if (specifiers.typeNode !== undefined && field(specifiers.typeNode, 'body') !== undefined)
    context.hoisted.push(specifiers.typeNode);
  context.unclosed = isUnclosed(bodyNode);
  const params = lowerParams(declarator.params, context);
  const body = withSplitChains(lowerBlock(bodyNode, context), node, context);
  const header = node.children.filter((child) => child.start < bodyNode.start);
  if (declarator.shape !== 'function' || header.some((child) => hidesFlow(child, context)))
    context.opaque = true;
  out.functions.push({
    kind: 'function',
    start: node.start,
    end: node.end,
    name: declarator.name,
    nameSpan: declarator.nameSpan,
    returnType: declaredType(specifiers.type, declarator.shape === 'function' ? declarator : null),
    params,
    isStatic: specifiers.isStatic,
    isInline: specifiers.isInline,
    body,
    conditions,
    opaque: context.opaque,
    text: textOf(node, context),
  });
}

/**
 * A brace, a keyword or a directive in front of the body means that the body may not be the
 * function's.
 */
function hidesFlow(node: SyntaxNode, context: Context): boolean {
  const stack = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.type === 'ERROR') {
      if (takeInventory([next], context).hidesFlow) return true;
    } else append(stack, next.children);
  }
  return false;
}

function lowerDeclaration(
  node: SyntaxNode,
  conditions: readonly Condition[],
  out: Draft,
  context: Context,
): void {
  const specifiers = readSpecifiers(node, context);
  const { typeNode } = specifiers;
  if (typeNode !== undefined) {
    const struct = lowerStruct(typeNode, tagOf(typeNode, context), conditions, context);
    if (struct !== null) out.structs.push(struct);
  }
  const first = field(node, 'declarator');
  if (first?.type === 'parenthesized_declarator' && typeNode?.type === 'type_identifier') {
    // `static DEFINE_MUTEX(lock);`
    out.fileMacros.push({
      kind: 'file-macro',
      start: node.start,
      end: node.end,
      name: textOf(typeNode, context),
      args: splitArguments(textOf(first, context)),
    });
    return;
  }
  for (const one of readDeclared(node, specifiers.type, context)) {
    const { name, nameSpan, shape } = one.declarator;
    if (name === '') continue;
    if (shape === 'function') {
      out.prototypes.push({
        kind: 'prototype',
        start: node.start,
        end: node.end,
        name,
        nameSpan,
        returnType: one.type,
        params: lowerParams(one.declarator.params, context),
        isStatic: specifiers.isStatic,
        conditions,
      });
    } else {
      out.variables.push({
        kind: 'variable',
        start: node.start,
        end: node.end,
        name,
        nameSpan,
        type: one.type,
        isStatic: specifiers.isStatic,
        isConst: specifiers.isConst,
        isExtern: specifiers.isExtern,
        init: one.init === undefined ? null : lowerExpr(one.init, context),
        conditions,
      });
    }
  }
}

function lowerTypedef(
  node: SyntaxNode,
  conditions: readonly Condition[],
  out: Draft,
  context: Context,
): void {
  const typeNode = field(node, 'type');
  if (typeNode === undefined) return;
  const specifiers = readSpecifiers(node, context);
  const declared = readDeclared(node, specifiers.type, context);
  const plain = declared.find(
    (one) =>
      one.declarator.shape === 'object' && one.declarator.pointers + one.declarator.arrays === 0,
  );
  const tag = tagOf(typeNode, context) || (plain?.declarator.name ?? '');
  const struct = lowerStruct(typeNode, tag, conditions, context);
  if (struct !== null) out.structs.push(struct);
  for (const one of declared) {
    if (one.declarator.name === '') continue;
    const type =
      one.declarator.shape === 'function' ? { ...one.type, name: '', keyword: null } : one.type;
    out.typedefs.push({
      name: one.declarator.name,
      type: type.name === '' && struct !== null ? { ...type, name: struct.name } : type,
    });
  }
}

/** The name of the arguments after the last that has one: `args` of `(fmt, args...)`. */
function restOf(list: string): string | null {
  const at = list.indexOf('...');
  if (at < 0) return null;
  const last = list.slice(0, at).split(/[(,]/).at(-1)!.trim();
  return last === '' ? '__VA_ARGS__' : last;
}

function lowerDefine(
  node: SyntaxNode,
  conditions: readonly Condition[],
  out: Draft,
  context: Context,
): void {
  const name = field(node, 'name');
  const list = field(node, 'parameters');
  const value = field(node, 'value');
  if (name === undefined) return;
  const rest = list === undefined ? null : restOf(textOf(list, context));
  const params =
    list === undefined
      ? null
      : parts(list)
          .filter((part) => part.type === 'identifier')
          .map((part) => textOf(part, context))
          .filter((param) => param !== rest);
  const text = value === undefined ? '' : blankComments(textOf(value, context)).trimEnd();
  const bodyText = text.trimStart();
  out.macros.push({
    kind: 'macro',
    start: node.start,
    end: node.end,
    name: textOf(name, context),
    params,
    rest,
    body: null,
    statements: null,
    bodyText,
    bodyOffset: (value?.start ?? node.end) - node.start + text.length - bodyText.length,
    conditions,
  });
}

function lowerFileMacro(node: SyntaxNode, out: Draft, context: Context): void {
  const call = parts(node)[0];
  const name = call === undefined ? undefined : field(call, 'function');
  const list = call === undefined ? undefined : field(call, 'arguments');
  if (call?.type === 'call_expression' && name?.type === 'identifier' && list !== undefined) {
    out.fileMacros.push({
      kind: 'file-macro',
      start: node.start,
      end: node.end,
      name: textOf(name, context),
      args: splitArguments(textOf(list, context)),
    });
  } else if (parts(node).length > 0) out.lost.push(spanOf(node));
}

/** The arguments of `(a, f(b, c))` as trimmed texts. */
export function splitArguments(list: string): string[] {
  const args: string[] = [];
  let depth = 0;
  let start = 1;
  for (const match of list.matchAll(/"(?:\\[^]|[^"\\\n])*"?|[()[\]{},]/g)) {
    if (/^[([{]/.test(match[0])) depth++;
    else if (/^[)\]}]/.test(match[0])) depth--;
    if ((match[0] === ',' && depth === 1) || depth === 0) {
      args.push(list.slice(start, match.index).trim());
      start = match.index + 1;
      if (depth === 0) break;
    }
  }
  return args.length === 1 && args[0] === '' ? [] : args;
}
