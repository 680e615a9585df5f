/** Whether one statement undoes another. */
import { onlySetsUp } from '../../kernel/name-forms.ts';
import { ignoresNull } from '../../kernel/memory-uses.ts';
import type { CallExpr, Expr, Stmt } from '../../ir/types.ts';
import { behaviourOf } from '../../kernel/lookup.ts';
import { LAST_OF_OLD_MODEL } from '../../kernel/known-kernels.ts';
import { opposites, soundsLikeSetUp } from '../../kernel/heuristics.ts';
import { givenTo, takenBy } from '../../kernel/resource-pairs.ts';
import { allExpressions, expressionsIn, uncast } from '../../lifecycle/module/statements.ts';
import { assignmentsOf } from '../query/call-sites.ts';
import type { Binding, Names } from './bindings.ts';
import { callsOf, codeUnder } from './movability.ts';
import { under } from './probe-shape.ts';
import type { Frame } from './types.ts';
import { withoutComments } from '../../text/lexical.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

type Named = Pick<Names, 'file' | 'of'>;

/** The one name of what both functions have under names of their own; null for anything else. */
function commonName(binding: Binding): string | null {
  switch (binding.kind) {
    case 'object':
      return '$p';
    case 'device':
      return '$dev';
    case 'bus':
      return `$${binding.tag}`;
    default:
      return null;
  }
}

/**
 * The text of a span with the object and its device under one name each, on one line, so that
 * statements of two functions can be compared.
 */
export function normalText(
  names: Named,
  node: { readonly start: number; readonly end: number },
  exprs: readonly Expr[],
): string {
  const edits = exprs
    .flatMap((expr) => {
      if (expr.kind !== 'name' || expr.start < node.start || expr.end > node.end) return [];
      const binding = names.of.get(expr.name);
      const text = binding ? commonName(binding) : null;
      return text === null ? [] : [{ expr, text }];
    })
    .sort((left, right) => left.expr.start - right.expr.start);
  let text = '';
  let at = node.start;
  for (const { expr, text: name } of edits) {
    if (expr.start < at) continue;
    text += names.file.text.slice(at, expr.start) + name;
    at = expr.end;
  }
  text += names.file.text.slice(at, node.end);
  return withoutComments(text)
    .replace(/\s+/g, ' ')
    .replace(/ ?([()\[\],;{}]) ?/g, '$1')
    .trim();
}

/** `normalText` of a statement. */
export function normalStatement(names: Named, stmt: Stmt): string {
  return normalText(names, stmt, under(stmt).flatMap(allExpressions));
}

/**
 * A place in the object by which a taking and a giving back are matched: `$p->memory`. Null for
 * what is no place.
 */
function keyOf(names: Names, expr: Expr | undefined): string | null {
  if (!expr) return null;
  let inner = uncast(expr);
  while (inner.kind === 'unary' && inner.op === '&') inner = uncast(inner.operand);
  if (inner.kind !== 'member' && inner.kind !== 'name' && inner.kind !== 'index') return null;
  const aliased =
    inner.kind === 'name' && names.of.get(inner.name)?.kind !== 'object'
      ? assignmentsOf(names.fn, inner.name)
      : [];
  const value = aliased.length === 1 ? uncast(aliased[0]!.value) : null;
  // `lock = &p->lock;` is another name for the member.
  if (value?.kind === 'unary' && value.op === '&') return keyOf(names, value);
  const parts = expressionsIn(inner);
  return parts.some(({ expansion }) => expansion !== undefined)
    ? textOfPlace(names, inner)
    : normalText(names, inner, parts);
}

/**
 * A place in the text of a macro as `normalText` has it where it is written out; null for what is
 * more than members and elements.
 */
function textOfPlace(names: Names, expr: Expr): string | null {
  const inner = uncast(expr);
  switch (inner.kind) {
    case 'name': {
      const binding = names.of.get(inner.name);
      return (binding && commonName(binding)) ?? inner.name;
    }
    case 'number':
      return inner.text;
    case 'member': {
      const base = textOfPlace(names, inner.base);
      return base && `${base}${inner.arrow ? '->' : '.'}${inner.field}`;
    }
    case 'index': {
      const base = textOfPlace(names, inner.base);
      const index = textOfPlace(names, inner.index);
      return base && index && `${base}[${index}]`;
    }
    default:
      return null;
  }
}

/**
 * What lives and dies with the memory it is in: a lock, a list head, a work item that nobody
 * queued.
 */
export function owesNothing(names: Names, stmt: Stmt): boolean {
  return callsOf(names, stmt).every((call) => isOwnInit(names, call));
}

function isOwnInit(names: Names, call: CallExpr): boolean {
  const { name } = call;
  if (name === null || namedFunctions(names.file, name).length > 0) return false;
  const pair = takenBy(name);
  if (pair) return pair.undo.some((undo) => undo === 'mutex_destroy' || undo === 'xa_destroy');
  const known = behaviourOf(name, LAST_OF_OLD_MODEL) === 'neutral' || onlySetsUp(name);
  return known && (soundsLikeSetUp(name) || opposites(name).length === 0);
}

/**
 * Whether `item` ends, by a pair of the kernel's, what `stmt` sets up in the object:
 * mutex_destroy() of what mutex_init() was given.
 */
export function endsWhatIsSetUp(
  stmt: Stmt,
  stmtNames: Names,
  item: Stmt,
  itemNames: Names,
): boolean {
  return callsOf(stmtNames, stmt).some((call) => {
    const pair = call.name === null ? undefined : takenBy(call.name);
    const taken =
      pair && typeof pair.taken === 'number' ? keyOf(stmtNames, call.args[pair.taken]) : null;
    return (
      pair !== undefined &&
      taken !== null &&
      callsOf(itemNames, item).some(
        (giving) =>
          pair.undo.includes(giving.name ?? '') &&
          keyOf(itemNames, giving.args[givenTo(pair, giving.name!)]) === taken,
      )
    );
  });
}

/**
 * Whether `item` gives back what `stmt` takes, by the kernel's pairs, by their names, or by the
 * member that one sets and the other hands on.
 */
export function isUndoOf(stmt: Stmt, stmtNames: Names, item: Stmt, itemNames: Names): boolean {
  const taking = callsOf(stmtNames, stmt);
  const assigned = codeUnder(stmtNames, stmt)
    .flatMap(allExpressions)
    .flatMap((expr) => (expr.kind === 'assign' ? [expr] : []));
  for (const giving of callsOf(itemNames, item)) {
    if (giving.name === null) continue;
    const given = giving.args.map((arg) => keyOf(itemNames, arg));
    const handsOnObject =
      given.includes('$p') || given.some((key) => key === `$p->${itemNames.deviceField}`);
    for (const call of taking) {
      // The same call is another way to undo it: the way out of a later step.
      if (call.name === null || call.name === giving.name) continue;
      const pair = takenBy(call.name);
      if (pair?.undo.includes(giving.name)) {
        const target =
          pair.taken === 'return'
            ? assigned.find((one) => expressionsIn(one.value).includes(call))?.target
            : call.args[pair.taken];
        const key = keyOf(stmtNames, target);
        if (key !== null && key === given[givenTo(pair, giving.name)]) return true;
      }
      if (
        opposites(call.name).includes(giving.name) &&
        (handsOnObject ||
          given.some(
            (key) => key !== null && call.args.some((arg) => keyOf(stmtNames, arg) === key),
          ))
      )
        return true;
      if (isOwnInit(stmtNames, call)) continue;
      const members = call.args
        .map((arg) => keyOf(stmtNames, arg))
        .filter(
          (key) => key !== null && key.startsWith('$p->') && key !== `$p->${stmtNames.deviceField}`,
        );
      if (given.some((key) => key !== null && members.includes(key))) return true;
    }
    for (const one of assigned) {
      const key = keyOf(stmtNames, one.target);
      if (
        key !== null &&
        key.startsWith('$p->') &&
        given.includes(key) &&
        uncast(one.value).kind === 'call'
      )
        return true;
    }
  }
  return false;
}

/**
 * Whether there is nothing for `item` to undo where `stmt`, a statement that moves, fails: all that
 * it undoes is taken by the very call whose failure
 * `stmt` tests, or later.
 */
export function isNotTakenYet(
  frame: Frame,
  names: Names,
  moved: readonly Stmt[],
  stmt: Stmt,
  item: Stmt,
): boolean {
  const { list } = frame;
  const calls = callsOf(names, item);
  // A function of the driver may do more than that.
  if (calls.length === 0 || calls.some((call) => namedFunctions(names.file, call.name).length > 0))
    return false;
  const owners = list
    .slice(frame.check + 1, frame.register)
    .filter((other) => isUndoOf(other, names, item, names));
  if (owners.length === 0) return false;
  if (owners.every((owner) => !moved.includes(owner))) return true;
  const safe =
    calls.every((call) => ignoresNull(call.name ?? '')) &&
    codeUnder(names, item).every(
      (inner) =>
        inner.kind === 'block' ||
        (inner.kind === 'if' && !inner.otherwise) ||
        (inner.kind === 'expr' && inner.expr.kind === 'call'),
    );
  const tested = (owner: Stmt): boolean =>
    stmt.kind === 'if' &&
    list.indexOf(owner) === list.indexOf(stmt) - 1 &&
    calls.every((call) => {
      const key = keyOf(names, call.args[0]);
      const condition = normalText(names, stmt.condition, expressionsIn(stmt.condition));
      return key !== null && (condition === `!${key}` || condition === `${key} == NULL`);
    });
  return (
    safe &&
    owners.every(
      (owner) =>
        !moved.includes(owner) || list.indexOf(owner) > list.indexOf(stmt) || tested(owner),
    )
  );
}
