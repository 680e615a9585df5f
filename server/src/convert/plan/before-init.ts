/** What may stand between an allocation and the init of what it allocates. */
import type { CallExpr, Expr, FileIr } from '../../ir/types.ts';
import { byteRangesOf } from '../../kernel/memory-uses.ts';
import {
  allExpressions,
  namesIn,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { memberPath, scopeOf, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import { refuse, textOf } from '../refusal-error.ts';
import type { Container } from '../types.ts';
import { writesZeroes } from './overwritten.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

/** What a call or an assignment writes over: it would wipe what vfio_alloc_device has set up. */
function overwrittenBy(expr: Expr): readonly Expr[] {
  if (expr.kind === 'assign') return [expr.target];
  if (expr.kind !== 'call' || expr.name === null) return [];
  return byteRangesOf(expr.name).flatMap(({ pointer, writes }) => {
    const arg = writes ? expr.args[pointer] : undefined;
    return arg ? [arg] : [];
  });
}

/**
 * What stands between the test and the init runs on an initialised device once converted: nothing
 * there may overwrite it. `outer` is the statement
 * beside the allocation that the init, `to`, is in.
 */
export function checkBetween(
  file: FileIr,
  scope: Scope,
  from: Placed,
  outer: Placed,
  to: Placed,
  name: string,
  container: Container,
): void {
  const between = [
    ...from.siblings.slice(from.index + 1, outer.index),
    ...(outer === to ? [] : to.siblings.slice(0, to.index)),
  ];
  for (const stmt of between) {
    if (stmt.kind === 'label')
      refuse(
        'split-span',
        `The label \`${stmt.name}\` between the allocation and the init is reached by another path.`,
        file,
        stmt,
      );
    if (stmt.kind === 'case' || stmt.kind === 'preproc')
      refuse(
        'conditional-code',
        'An #if or case label is between the allocation and the init.',
        file,
        stmt,
      );
    if (stmt.kind === 'unknown' || stmt.kind === 'asm')
      refuse(
        'opaque-function',
        'A statement between the allocation and the init could not be parsed.',
        file,
        stmt,
      );
  }
  for (const at of statementsOf(scope.fn)) {
    if (at.stmt.start < from.stmt.end || at.stmt.start >= to.stmt.start) continue;
    for (const expr of allExpressions(at.stmt)) {
      if (expr.kind === 'call') refuseOverwritingHelper(file, scope, expr, name, container);
      const isAssigned = expr.kind === 'assign';
      if (!overwrittenBy(expr).some((one) => touchesDevice(one, name, container, isAssigned)))
        continue;
      refuse(
        'split-span',
        `\`${textOf(file, expr)}\` overwrites the device between its allocation and the init; after the conversion the device is already initialised here. ${adviceFor(expr)}`,
        file,
        expr,
      );
    }
  }
}

/** What to do about a write over the whole object in front of its init. */
function adviceFor(expr: Expr): string {
  if (writesZeroes(expr)) return 'Remove it: the memory is zeroed.';
  return 'Set the members after the vfio_device one by one instead.';
}

/** A helper of this file that is given the object before the init and wipes it. */
function refuseOverwritingHelper(
  file: FileIr,
  scope: Scope,
  call: CallExpr,
  name: string,
  container: Container,
): void {
  const callee = namedFunctions(file, call.name)[0];
  if (!callee || !call.args.some((arg) => namesIn(arg).includes(name))) return;
  const inside = scopeOf(scope.module, file, callee);
  for (const { stmt } of statementsOf(callee)) {
    for (const expr of allExpressions(stmt)) {
      if (expr.kind !== 'call') continue;
      const isObject = overwrittenBy(expr).some((pointer) => {
        const type = typeOf(inside, pointer);
        return type?.pointers === 1 && container.tags.includes(type.tag);
      });
      if (!isObject) continue;
      refuse(
        'split-span',
        `${callee.name}() overwrites the device before its init; after the conversion the device is already initialised here. ${adviceFor(expr)}`,
        file,
        expr,
      );
    }
  }
}

/**
 * Whether writing to `target` (in an assignment, or as the pointer given to a call) writes to the
 * vfio_device of the variable, or to the whole object.
 */
function touchesDevice(
  target: Expr,
  name: string,
  container: Container,
  assigned: boolean,
): boolean {
  const inner = uncast(target);
  if (inner.kind === 'name') return inner.name === name && !assigned;
  if (inner.kind === 'unary' && inner.op === '*') return namesIn(inner.operand)[0] === name;
  const { root, path } = memberPath(inner);
  if (root.kind !== 'name' || root.name !== name || path.length === 0)
    return root.kind === 'name' && root.name === name;
  // A member of the core device that is not on the way to the vfio_device is private to the core
  // driver and set by it as before.
  return path.every(
    (field, index) => index >= container.path.length || field === container.path[index],
  );
}
