/** Finds the functions of a module, their calls and what is exported. */
import type { CallExpr, FileIr, FunctionIr } from '../../ir/types.ts';
import type { Span } from '../../text/span.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';
import type { Module } from '../../lifecycle/types.ts';
import { codeOf, commentsAbove, lineStart } from '../rewrite/layout.ts';
import { allExpressions, statementsOf, type Placed } from '../../lifecycle/module/statements.ts';
import { scopeOf, type Scope } from '../../lifecycle/module/types-of.ts';

/** A function of the module and the document that defines it. */
export interface Helper {
  readonly file: FileIr;
  readonly fn: FunctionIr;
}

/** A call of a function of the module, and where it stands. */
export interface HelperCall {
  readonly scope: Scope;
  readonly at: Placed;
  readonly call: CallExpr;
}

/**
 * The one function that `name` means in `from`, as the linker resolves it; null when there is none
 * or it cannot be told.
 */
export function definitionOf(module: Module, from: FileIr, name: string): Helper | null {
  const own = namedFunctions(from, name);
  if (own.length > 0) return own.length === 1 ? { file: from, fn: own[0]! } : null;
  const shared = [...module.sources, ...module.headers]
    .filter((file) => file !== from)
    .flatMap((file) =>
      namedFunctions(file, name)
        .filter((fn) => !fn.isStatic || module.headers.includes(file))
        .map((fn) => ({ file, fn })),
    );
  return shared.length === 1 ? shared[0]! : null;
}

/** The documents that can name a function: its own, or all of them when it is not static. */
function documentsThatSee(module: Module, { file, fn }: Helper): readonly FileIr[] {
  return fn.isStatic && module.sources.includes(file)
    ? [file]
    : [...module.sources, ...module.headers];
}

export function isExported(module: Module, helper: Helper): boolean {
  return exportsOf(module, helper).length > 0;
}

/** The EXPORT_SYMBOL…() of a function. */
export function exportsOf(module: Module, { fn }: Helper) {
  return [...module.sources, ...module.headers].flatMap((file) =>
    file.fileMacros
      .filter((macro) => macro.name.startsWith('EXPORT_SYMBOL') && macro.args[0] === fn.name)
      .map((item) => ({ file, item })),
  );
}

/** Where a function is named when it is exported, and in the comments above its definition. */
export function mentionsOf(
  module: Module,
  helper: Helper,
): { readonly file: FileIr; readonly span: Span }[] {
  const { file, fn } = helper;
  const name = new RegExp(`\\b${fn.name}\\b`, 'g');
  const inside = (where: FileIr, within: Span): { readonly file: FileIr; readonly span: Span }[] =>
    [...where.text.slice(within.start, within.end).matchAll(name)].map((match) => ({
      file: where,
      span: { start: within.start + match.index, end: within.start + match.index + fn.name.length },
    }));
  return [
    ...exportsOf(module, helper).flatMap(({ file: where, item }) =>
      inside(where, item).slice(0, 1),
    ),
    ...commentsAbove(file.text, file.comments, lineStart(file.text, fn.start)).flatMap((comment) =>
      inside(file, comment),
    ),
  ];
}

/**
 * All calls of a function, or null when not all can be seen: it is exported, it is shared beyond
 * documents that are known to make up a
 * module, its address is taken, or something that was not understood names it. With `exported`
 * those of an exported function that are at hand.
 */
export function callsOf(module: Module, helper: Helper, exported = false): HelperCall[] | null {
  const { fn } = helper;
  if (
    isExported(module, helper) !== exported ||
    (!exported && !fn.isStatic && module.sources.length < 2) ||
    fn.conditions.length > 0
  )
    return null;
  const calls: HelperCall[] = [];
  for (const file of documentsThatSee(module, helper)) {
    const name = new RegExp(`\\b${fn.name}\\b`, 'g');
    const code = codeOf(file.text);
    const mentioned = (code.match(name) ?? []).length;
    if (mentioned === 0) continue;
    if (file !== helper.file && namedFunctions(file, fn.name).length > 0) return null;
    let known =
      (file === helper.file ? 1 : 0) +
      file.prototypes.filter((item) => item.name === fn.name).length +
      file.fileMacros.filter(
        (macro) => macro.name.startsWith('EXPORT_SYMBOL') && macro.args[0] === fn.name,
      ).length;
    for (const caller of file.functions) {
      if (!caller.text.includes(fn.name)) continue;
      const scope = scopeOf(module, file, caller);
      for (const at of statementsOf(caller)) {
        for (const expr of allExpressions(at.stmt)) {
          if (expr.kind !== 'call' || expr.name !== fn.name) continue;
          calls.push({ scope, at, call: expr });
          known++;
        }
      }
    }
    if (known !== mentioned) return null;
  }
  return calls;
}

/** The declarations of a function without its body, in all documents. */
export function prototypesOf(module: Module, { fn }: Helper) {
  return [...module.sources, ...module.headers].flatMap((file) =>
    file.prototypes.filter((item) => item.name === fn.name).map((item) => ({ file, item })),
  );
}
