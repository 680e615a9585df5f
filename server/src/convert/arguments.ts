import type { Expr, FileIr } from '../ir/types.ts';
import { allExpressions, expressionsIn, statementsOf, uncast, type Placed } from './place.ts';
import { refuse, textOf } from './refuse.ts';
import { assignmentsOf, type CallSite } from './sites.ts';
import { scopeOf, type Scope } from './typing.ts';

const MAX_HOPS = 4;

/**
 * The device and ops arguments of an init call as expressions that hold where the allocation stands, which is before
 * the init. A local or a member that is set in between is replaced by what it is set to; what cannot be is refused.
 */
export function resolveArguments(file: FileIr, scope: Scope, site: CallSite, allocation: Placed, variable: string): { readonly dev: string; readonly ops: string } {
  const [, second, third] = site.call.args;
  if (!second || !third || site.call.args.length !== 3) {
    refuse('argument-not-available', `${site.call.name ?? 'the init'}() has not the three arguments that it takes in any kernel.`, file, site.call);
  }
  const place: Place = { file, scope, from: allocation.stmt.end, to: site.at.stmt.start, siblings: allocation.siblings, variable };
  const ops = settle(place, third, 'ops table', 0);
  if (site.call.name !== 'vfio_pci_core_init_device') return { dev: settle(place, second, 'device', 0), ops };
  return { dev: deviceOf(place, second), ops };
}

interface Place {
  readonly file: FileIr;
  readonly scope: Scope;
  /** End of the allocating statement. */
  readonly from: number;
  /** Start of the init. */
  readonly to: number;
  readonly siblings: Placed['siblings'];
  readonly variable: string;
}

/** `&pdev->dev` for a struct pci_dev. */
function deviceOf(place: Place, pdev: Expr): string {
  const inner = uncast(pdev);
  if (inner.kind === 'call' && inner.name === 'to_pci_dev' && inner.args[0]) return settle(place, inner.args[0], 'device', 0);
  const text = settle(place, pdev, 'device', 0);
  if (inner.kind === 'unary' && inner.op === '&') return `${text}.dev`;
  if (inner.kind === 'name' || inner.kind === 'member' || inner.kind === 'call' || inner.kind === 'index') return `&${text}->dev`;
  refuse('argument-not-available', `\`${textOf(place.file, pdev)}\` is too involved to take the device of; give it a local variable first.`, place.file, pdev);
}

/** The text of `expr` with everything replaced that is only set between the allocation and the init. */
function settle(place: Place, expr: Expr, what: string, hops: number): string {
  const { file } = place;
  if (hops > MAX_HOPS) refuse('argument-not-available', `The ${what} \`${textOf(file, expr)}\` cannot be traced to what is known before the allocation.`, file, expr);
  let text = '';
  let at = expr.start;
  for (const part of partsToReplace(place, expr)) {
    text += file.text.slice(at, part.expr.start);
    const value = part.value ?? refuse('argument-not-available', `The ${what} \`${plain(textOf(file, expr))}\` is only known after the allocation of \`${place.variable}\`, but vfio_alloc_device takes it. Set it up before the allocation, or pass what it is made from.`, file, expr);
    const settled = settle(place, value, what, hops + 1);
    text += needsParentheses(value) && part.expr !== expr ? `(${settled})` : settled;
    at = part.expr.end;
  }
  return plain(text + file.text.slice(at, expr.end));
}

/** Outermost parts of an expression that change between the allocation and the init, with the value they get, or null when it cannot be told. */
function partsToReplace(place: Place, expr: Expr): { readonly expr: Expr; readonly value: Expr | null }[] {
  const parts: { readonly expr: Expr; readonly value: Expr | null }[] = [];
  for (const inner of expressionsIn(expr)) {
    const covered = parts.some((part) => inner.start >= part.expr.start && inner.end <= part.expr.end);
    if (covered) continue;
    if (inner.kind === 'member') {
      const values = writtenBetween(place, (target) => target.kind === 'member' && sameText(place.file, target, inner));
      if (values.length > 0) parts.push({ expr: inner, value: values.length === 1 ? values[0]! : null });
    } else if (inner.kind === 'name' && inner.name === place.variable) {
      parts.push({ expr: inner, value: null });
    } else if (inner.kind === 'name' && place.scope.locals.has(inner.name)) {
      const values = writtenBetween(place, (target) => target.kind === 'name' && target.name === inner.name);
      const isParameter = place.scope.fn.params.some((param) => param.name === inner.name);
      const before = isParameter || assignmentsOf(place.scope.fn, inner.name).some((item) => item.at.stmt.end <= place.from);
      if (values.length > 0 || !before) parts.push({ expr: inner, value: values.length === 1 ? values[0]! : null });
    }
  }
  return parts;
}

/** What is assigned, between the allocation and the init, to a target that `matches`; an assignment that is not always made counts as two. */
function writtenBetween(place: Place, matches: (target: Expr) => boolean): Expr[] {
  const values: Expr[] = [];
  for (const at of statementsOf(place.scope.fn)) {
    if (at.stmt.start < place.from || at.stmt.start >= place.to) continue;
    const straight = at.siblings === place.siblings;
    if (at.stmt.kind === 'decl' && at.stmt.init && matches({ kind: 'name', name: at.stmt.name, start: at.stmt.nameSpan.start, end: at.stmt.nameSpan.end })) values.push(at.stmt.init);
    for (const expr of at.stmt.kind === 'expr' ? expressionsIn(at.stmt.expr) : []) {
      if (expr.kind !== 'assign' || !matches(expr.target)) continue;
      values.push(expr.value);
      if (!straight || expr.op !== '=' || at.stmt.kind !== 'expr' || at.stmt.expr !== expr) values.push(expr.value);
    }
  }
  return values;
}

function needsParentheses(expr: Expr): boolean {
  return !(expr.kind === 'name' || expr.kind === 'member' || expr.kind === 'call' || expr.kind === 'index');
}

function sameText(file: FileIr, left: Expr, right: Expr): boolean {
  return plain(textOf(file, left)).replace(/\s/g, '') === plain(textOf(file, right)).replace(/\s/g, '');
}

/** One line, without comments. */
export function plain(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, ' ').replace(/\s+/g, ' ').replace(/\( /g, '(').replace(/ ([),])/g, '$1').trim();
}

/** The tables that an ops argument can be: `&foo_ops`, or a local that is set to such. Null when that cannot be told. */
export function tablesOf(scope: Scope, ops: Expr, hops = 0): readonly string[] | null {
  const inner = uncast(ops);
  if (hops > MAX_HOPS) return null;
  if (inner.kind === 'unary' && inner.op === '&') {
    const table = uncast(inner.operand);
    return table.kind === 'name' ? [table.name] : null;
  }
  if (inner.kind === 'conditional') {
    const then = tablesOf(scope, inner.then ?? inner.condition, hops + 1);
    const otherwise = tablesOf(scope, inner.otherwise, hops + 1);
    return then && otherwise && [...then, ...otherwise];
  }
  if (inner.kind !== 'name' || !scope.locals.has(inner.name)) return null;
  const position = scope.fn.params.findIndex((param) => param.name === inner.name);
  if (position >= 0) return assignmentsOf(scope.fn, inner.name).length > 0 ? null : tablesGiven(scope, position, hops + 1);
  const values = assignmentsOf(scope.fn, inner.name).map((item) => tablesOf(scope, item.value, hops + 1));
  return values.length > 0 && values.every((value) => value !== null) ? [...new Set(values.flat())] : null;
}

/** The tables that the callers of a function hand over: all of them must be in its document, which may be a module's documents merged. */
function tablesGiven(scope: Scope, position: number, hops: number): readonly string[] | null {
  const { module, file, fn } = scope;
  const found: string[] = [];
  for (const caller of file.functions) {
    if (!caller.text.includes(fn.name)) continue;
    const inside = scopeOf(module, file, caller);
    for (const expr of statementsOf(caller).flatMap(({ stmt }) => allExpressions(stmt))) {
      if (expr.kind !== 'call' || expr.name !== fn.name) continue;
      const given = expr.args[position] && tablesOf(inside, expr.args[position], hops);
      if (!given) return null;
      found.push(...given);
    }
  }
  return found.length > 0 ? [...new Set(found)] : null;
}
