/**
 * Elements that a callback makes and puts into a list of the device, and that the close takes off
 * the list and does not free.
 */
import { putsOnList, takesOffList } from '../kernel/name-forms.ts';
import type { CallExpr, Expr, FunctionIr, LoopStmt, Stmt } from '../ir/types.ts';
import { calls } from '../ir/visit.ts';
import { isLog } from '../kernel/heuristics.ts';
import { takenBy } from '../kernel/resource-pairs.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import { keptByFunction } from './function-traits.ts';
import { contains, declaredType, walk } from './locate.ts';
import { reachedFromRoles } from './call-graph.ts';
import { accessesOf, memberAccesses } from './members.ts';

/** A loop of a close that takes elements off a list. */
export interface ForgottenElement {
  readonly fn: FunctionIr;
  readonly path: string;
  /** The head of the loop, without its body. */
  readonly loop: { readonly start: number; readonly end: number };
  /** The member that is the list. */
  readonly list: string;
  /** The call that makes the elements. */
  readonly taking: { readonly call: CallExpr; readonly fn: FunctionIr; readonly path: string };
}

/** The loops of closes in which an element may only be taken off its list. */
export function forgottenElements(
  facts: ModuleFacts,
  index: ModuleIndex,
  closing: readonly FunctionIr[],
): ForgottenElement[] {
  const ends = reachedFromRoles(facts, index, 'remove', 'release', 'action');
  const makers = (): FunctionIr[] =>
    index.allFunctions.flatMap(({ item }) => (closing.includes(item) ? [] : [item]));
  return [...new Set(closing)].flatMap((fn) => {
    const path = index.fileOf(fn)?.path;
    if (path === undefined || ends.has(fn) || !hasLoop(fn)) return [];
    return [...walk(fn.body)].flatMap((node): ForgottenElement[] => {
      const walked = node.kind === 'loop' ? walkedBy(index, fn, node) : null;
      if (node.kind !== 'loop' || walked === null || !mayOnlyUnlink(node.body, walked.cursor))
        return [];
      const taking = makerOf(index, makers(), walked);
      if (taking === null) return [];
      const head = { start: node.start, end: node.body.start };
      return [{ fn, path, loop: trimmed(fn, head), list: walked.list, taking }];
    });
  });
}

/** Without the space before the body. */
function trimmed(fn: FunctionIr, { start, end }: { start: number; end: number }) {
  const text = fn.text.slice(start - fn.start, end - fn.start);
  return { start, end: start + text.trimEnd().length };
}

/** What a loop over a list of a member walks. */
interface Walked {
  readonly cursor: string;
  /** The struct of the elements. */
  readonly element: string;
  /** The key of the list. */
  readonly key: string;
  readonly list: string;
}

/** The arguments of a loop macro that are the cursor and the list. */
const LOOPS: readonly (readonly [macro: RegExp, cursor: number, list: number])[] = [
  [/^h?list_for_each_entry_safe(?:_reverse)?$/, 0, 2],
  [/^hash_for_each_safe$/, 3, 0],
];

/** Whether a function has a loop that is one of these. */
const hasLoop = keptByFunction((root) =>
  [...walk(root.body)].some((node) => node.kind === 'loop' && formOf(node) !== undefined),
);

function formOf({ macro }: LoopStmt): (typeof LOOPS)[number] | undefined {
  return macro === null ? undefined : LOOPS.find(([form]) => form.test(macro));
}

/** `list_for_each_entry_safe(x, next, &p->list, link)`; null for any other loop. */
function walkedBy(index: ModuleIndex, fn: FunctionIr, loop: LoopStmt): Walked | null {
  const form = formOf(loop);
  if (form === undefined) return null;
  const cursor = loop.args[form[1]];
  const key = keyOfList(index, fn, loop.args[form[2]]);
  const element = cursor?.kind === 'name' ? declaredType(fn, cursor.name) : null;
  if (cursor?.kind !== 'name' || key === null || element?.keyword !== 'struct') return null;
  return {
    cursor: cursor.name,
    element: element.name,
    key,
    list: key.slice(key.indexOf('.') + 1),
  };
}

function keyOfList(index: ModuleIndex, fn: FunctionIr, expr: Expr | undefined): string | null {
  if (expr === undefined) return null;
  return memberAccesses(index, fn).find(({ node }) => contains(expr, node))?.key ?? null;
}

/** Whether a way through a body takes the element off and does nothing else with it. */
function mayOnlyUnlink(body: Stmt, cursor: string): boolean {
  const unlinks = [...walk(body)].some(
    (node) => node.kind === 'call' && takesOffList(node.name ?? '') && names(node, cursor),
  );
  return unlinks && hasIdleWay(body, cursor);
}

/** Whether a way through a statement does no more with the element than to take it off and look. */
function hasIdleWay(stmt: Stmt, cursor: string): boolean {
  if (stmt.kind === 'block') return stmt.body.every((one) => hasIdleWay(one, cursor));
  if (stmt.kind === 'if')
    return (
      !isHanded(stmt.condition, cursor) &&
      (hasIdleWay(stmt.then, cursor) ||
        stmt.otherwise === null ||
        hasIdleWay(stmt.otherwise, cursor))
    );
  if (stmt.kind !== 'expr') return !names(stmt, cursor);
  const { expr } = stmt;
  if (expr.kind === 'call')
    return takesOffList(expr.name ?? '') || isLog(expr.name ?? '') || !names(expr, cursor);
  return !names(expr, cursor);
}

/** `if (kref_put(&x->ref, foo_free))`. */
function isHanded(condition: Expr, cursor: string): boolean {
  return [...walk(condition)].some((node) => node.kind === 'call' && names(node, cursor));
}

function names(node: Stmt | Expr, name: string): boolean {
  return [...walk(node)].some((one) => one.kind === 'name' && one.name === name);
}

/** The call that makes an element and puts it into the list. */
function makerOf(
  index: ModuleIndex,
  makers: readonly FunctionIr[],
  { element, key }: Walked,
): ForgottenElement['taking'] | null {
  for (const fn of makers) {
    const file = index.fileOf(fn);
    const isLinked = accessesOf(index, fn, key).some(({ lowered }) =>
      putsOnList(lowered.call?.name ?? ''),
    );
    if (file === undefined || !isLinked) continue;
    const call = calls(fn).find(
      (one) => takenBy(one.name ?? '')?.undo.includes('kfree') === true && keeps(fn, one, element),
    );
    if (call !== undefined) return { call, fn, path: file.path };
  }
  return null;
}

/** Whether a variable of the struct is given what a call returns. */
function keeps(fn: FunctionIr, call: CallExpr, element: string): boolean {
  return [...walk(fn.body)].some((node) => {
    if (node.kind === 'decl') return node.init === call && node.type.name === element;
    return (
      node.kind === 'assign' &&
      node.value === call &&
      node.target.kind === 'name' &&
      declaredType(fn, node.target.name)?.name === element
    );
  });
}
