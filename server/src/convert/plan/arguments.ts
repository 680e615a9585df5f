/** Resolves the device and the ops table of an init where the allocation is. */
import type { Span } from '../../text/span.ts';
import type { Expr, FileIr, Stmt } from '../../ir/types.ts';
import { addressedBy } from '../../ir/assigned.ts';
import { placeText } from '../../lifecycle/footprint/order.ts';
import { gapBetween, type Gap } from './gap.ts';
import { isConstantName } from '../../lifecycle/footprint/lvalues.ts';
import { isMacro } from '../../lifecycle/footprint/macros.ts';
import {
  allExpressions,
  expressionsIn,
  namesIn,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { lineOf, refuse, textOf } from '../refusal-error.ts';
import { assignmentsOf, type CallSite } from '../query/call-sites.ts';
import { isNull } from '../query/expressions.ts';
import {
  findStruct,
  memberPath,
  scopeOf,
  typeOf,
  type Scope,
} from '../../lifecycle/module/types-of.ts';
import { append } from '../../text/lists.ts';
import { withoutComments } from '../../text/lexical.ts';

const MAX_HOPS = 4;

export interface ResolvedArguments {
  readonly dev: string;
  readonly ops: string;
  /**
   * Statements between the allocation and the init that have to stand before the allocation, in
   * their order.
   */
  readonly before: readonly Placed[];
}

/**
 * The device and ops arguments of an init call as expressions that hold where the allocation
 * stands, which is before
 * the init. A local or a member that is set in between is replaced by what it is set to; what sets
 * it otherwise moves up
 * where that is proved to make no difference. What cannot be is refused.
 */
export function resolveArguments(
  file: FileIr,
  scope: Scope,
  site: CallSite,
  allocation: Placed,
  variable: string,
): ResolvedArguments {
  const [, second, third] = site.call.args;
  if (!second || !third || site.call.args.length !== 3) {
    refuse(
      'argument-not-available',
      `${site.call.name ?? 'the init'}() does not take these arguments in any kernel.`,
      file,
      site.call,
    );
  }
  const gap = gapBetween(scope, allocation, site.at.index, variable);
  const place: Place = {
    file,
    scope,
    from: allocation.stmt.end,
    to: site.at.index,
    last: site.at.index,
    gap,
    variable,
  };
  const ops = settle(place, third, 'ops table', 0);
  const dev =
    site.call.name === 'vfio_pci_core_init_device'
      ? deviceOf(place, second)
      : settle(place, second, 'device', 0);
  return { dev, ops, before: gap.raised() };
}

interface Place {
  readonly file: FileIr;
  readonly scope: Scope;
  /** End of the allocating statement. */
  readonly from: number;
  /**
   * Index, in the block of the allocation, of the statement that evaluates what is to be settled.
   */
  readonly to: number;
  /** That of the init: a test in front of it is one of what it is given. */
  readonly last: number;
  readonly gap: Gap;
  readonly variable: string;
}

/** `&pdev->dev` for a struct pci_dev. */
function deviceOf(place: Place, pdev: Expr): string {
  const inner = uncast(pdev);
  if (inner.kind === 'call' && inner.name === 'to_pci_dev' && inner.args[0])
    return settle(place, inner.args[0], 'device', 0);
  const text = settle(place, pdev, 'device', 0);
  if (inner.kind === 'unary' && inner.op === '&') return `${text}.dev`;
  if (
    inner.kind === 'name' ||
    inner.kind === 'member' ||
    inner.kind === 'call' ||
    inner.kind === 'index'
  )
    return `&${text}->dev`;
  refuse(
    'argument-not-available',
    `\`${textOf(place.file, pdev)}\` is too complex to take the device from; first assign it to a local variable.`,
    place.file,
    pdev,
  );
}

/**
 * The text of `expr` with everything replaced that is only set between the allocation and where it
 * is evaluated.
 */
function settle(place: Place, expr: Expr, what: string, hops: number): string {
  const { file } = place;
  if (hops > MAX_HOPS)
    refuse(
      'argument-not-available',
      `The ${what} \`${textOf(file, expr)}\` cannot be traced to values that are known before the allocation.`,
      file,
      expr,
    );
  const setting = place.gap.settingOf(uncast(expr), place.to);
  const guard = place.gap.guardOf(expr, place.last, setting?.kind === 'value');
  if (guard)
    refuse(
      'argument-not-available',
      `Line ${lineOf(file, guard.start)} tests what the ${what} \`${plain(textOf(file, expr))}\` is made of, and returns, but vfio_alloc_device takes it before that. Move the test before the allocation.`,
      file,
      guard,
    );
  const parts = partsToReplace(place, expr, what);
  let text = '';
  let at = expr.start;
  for (const part of parts) {
    text += file.text.slice(at, part.expr.start);
    const settled = settle({ ...place, to: part.at }, part.value, what, hops + 1);
    text += needsParentheses(part.value) && part.expr !== expr ? `(${settled})` : settled;
    at = part.expr.end;
  }
  return plain(text + file.text.slice(at, expr.end));
}

/**
 * A part of an expression, the value that it gets after the allocation, and the statement that
 * gives it.
 */
interface Replaced {
  readonly expr: Expr;
  readonly value: Expr;
  /** Its index in the block of the allocation. */
  readonly at: number;
}

/**
 * Outermost parts of an expression that are set between the allocation and where it is evaluated.
 */
function partsToReplace(place: Place, expr: Expr, what: string): Replaced[] {
  const parts: Replaced[] = [];
  const { file, scope } = place;
  const late = (why: string, at: Span): never =>
    refuse(
      'argument-not-available',
      `The ${what} \`${plain(textOf(file, expr))}\` ${why} Compute it before the allocation, or pass the values that it is made from.`,
      file,
      at,
    );
  for (const { inner, read } of evaluated(scope, expr)) {
    const covered = parts.some(
      (part) => inner.start >= part.expr.start && inner.end <= part.expr.end,
    );
    if (covered) continue;
    const given = inner.kind === 'call' ? inner.args.map(uncast) : [inner];
    if (given.some((one) => one.kind === 'name' && one.name === place.variable))
      late(
        `is only known after the allocation of \`${place.variable}\`, but vfio_alloc_device takes it.`,
        expr,
      );
    const setting = read ? place.gap.settingOf(inner, place.to) : null;
    if (setting?.kind === 'value')
      parts.push({ expr: inner, value: setting.value, at: setting.at });
    else if (setting?.kind === 'changed') {
      const { place: set, at } = setting.by;
      const changed =
        set.kind === 'everything' || set.kind === 'locals'
          ? `what it is made from`
          : placeText(set);
      const by = plain(textOf(file, at)).slice(0, 60);
      const where = `\`${by}\`` === changed ? '' : `, \`${by}\`,`;
      late(
        `is not known before the allocation: line ${lineOf(file, at.start)}${where} sets ${changed} or may do so, but vfio_alloc_device takes it.`,
        at,
      );
    } else if (
      inner.kind === 'name' &&
      scope.locals.has(inner.name) &&
      !isSetBefore(place, inner.name)
    ) {
      late(
        `is only known after the allocation of \`${place.variable}\`, but vfio_alloc_device takes it.`,
        expr,
      );
    } else if ((inner.kind === 'call' || inner.kind === 'name') && !place.gap.onlyLooks(inner)) {
      if (what === 'ops table')
        refuse(
          'table-chosen-late',
          `It is not known which ops table \`${plain(textOf(file, expr))}\` is. Pass \`&table\`, or a local that is only set to addresses of tables before the allocation.`,
          file,
          expr,
        );
      late(
        `comes from \`${plain(textOf(file, inner))}\`, which may have side effects, and would be called twice or too early.`,
        inner,
      );
    }
  }
  return parts;
}

/** The local has a value where the allocation stands. */
function isSetBefore({ scope, from, gap }: Place, name: string): boolean {
  return (
    scope.fn.params.some((param) => param.name === name) ||
    gap.raisedSets(name) ||
    statementsOf(scope.fn).some(({ stmt }) => stmt.start < from && setsLocal(stmt, name))
  );
}

function setsLocal(stmt: Stmt, name: string): boolean {
  if (stmt.kind === 'decl')
    return stmt.name === name && (stmt.init !== null || stmt.type.arrays > 0);
  return allExpressions(stmt).some((expr) => {
    const changed = expr.kind === 'assign' ? expr.target : addressedBy(expr);
    const target = changed && uncast(changed);
    return (
      target !== null &&
      memberPath(target).root.kind === 'name' &&
      namesIn(memberPath(target).root)[0] === name
    );
  });
}

/**
 * The parts of an expression that are evaluated, outer before inner, and which of them are read:
 * not what only an address is taken of.
 */
function evaluated(scope: Scope, root: Expr): { readonly inner: Expr; readonly read: boolean }[] {
  const unread = new Set<Expr>();
  const found: { readonly inner: Expr; readonly read: boolean }[] = [];
  const unevaluated: Expr[] = [];
  for (const inner of expressionsIn(root)) {
    if (unevaluated.some((one) => inner.start >= one.start && inner.end <= one.end)) continue;
    if (inner.kind === 'sizeof') unevaluated.push(inner);
    if (inner.kind === 'unary' && inner.op === '&')
      for (const part of objectOf(inner.operand)) unread.add(part);
    const isFunction =
      inner.kind === 'name' && isConstantName(scope, inner.name) && !isMacro(scope, inner);
    found.push({ inner, read: !unread.has(inner) && !isFunction });
  }
  return found;
}

/**
 * `a.b.c`, `a.b` and `a`; `p->a.b` and `p->a`, but not `p`: what the address of the first is not
 * read for.
 */
function objectOf(expr: Expr): Expr[] {
  const parts: Expr[] = [];
  let inner = expr;
  for (;;) {
    parts.push(inner);
    if (inner.kind === 'cast') inner = inner.operand;
    else if (
      (inner.kind === 'member' && !inner.arrow) ||
      (inner.kind === 'index' && inner.base.kind === 'member' && !inner.base.arrow)
    )
      inner = inner.base;
    else return parts;
  }
}

function needsParentheses(expr: Expr): boolean {
  return !(
    expr.kind === 'name' ||
    expr.kind === 'member' ||
    expr.kind === 'call' ||
    expr.kind === 'index'
  );
}

/** One line, without comments. */
export function plain(text: string): string {
  return withoutComments(text)
    .replace(/\s+/g, ' ')
    .replace(/\( /g, '(')
    .replace(/ ([),])/g, '$1')
    .trim();
}

/**
 * The tables that an ops argument can be: `&foo_ops`, an element of an array of tables, or a local,
 * a parameter or a member that is set to
 * nothing else. Null when that cannot be told.
 */
export function tablesOf(scope: Scope, ops: Expr, hops = 0): readonly string[] | null {
  const inner = uncast(ops);
  if (hops > MAX_HOPS) return null;
  if (inner.kind === 'unary' && inner.op === '&') {
    const table = uncast(inner.operand);
    const array = table.kind === 'index' ? uncast(table.base) : table;
    return array.kind === 'name' && !scope.locals.has(array.name) ? [array.name] : null;
  }
  if (inner.kind === 'conditional') {
    const then = tablesOf(scope, inner.then ?? inner.condition, hops + 1);
    const otherwise = tablesOf(scope, inner.otherwise, hops + 1);
    return then && otherwise && [...then, ...otherwise];
  }
  if (inner.kind === 'binary' && inner.op === '+') return arrayOfTables(scope, inner.left);
  if (inner.kind === 'index') return pointersIn(scope, inner.base, hops + 1);
  if (inner.kind === 'member') return tablesInMember(scope, inner, hops + 1);
  if (inner.kind !== 'name') return null;
  if (!scope.locals.has(inner.name)) return arrayOfTables(scope, inner);
  const position = scope.fn.params.findIndex((param) => param.name === inner.name);
  if (position >= 0)
    return assignmentsOf(scope.fn, inner.name).length > 0
      ? null
      : tablesGiven(scope, position, hops + 1);
  return allTables(
    assignmentsOf(scope.fn, inner.name).map((item) => tablesOf(scope, item.value, hops + 1)),
  );
}

function allTables(values: readonly (readonly string[] | null)[]): readonly string[] | null {
  return values.length > 0 && values.every((value) => value !== null)
    ? [...new Set(values.flat())]
    : null;
}

/** An array of tables by its own name, which is its first element. */
function arrayOfTables(scope: Scope, expr: Expr): readonly string[] | null {
  const inner = uncast(expr);
  const variable =
    inner.kind === 'name' && !scope.locals.has(inner.name)
      ? scope.file.variables.find((item) => item.name === inner.name)
      : undefined;
  return variable &&
    variable.type.name === 'vfio_device_ops' &&
    variable.type.pointers === 0 &&
    variable.type.arrays === 1
    ? [variable.name]
    : null;
}

/** The tables that an array of pointers of the file holds, which nothing changes. */
function pointersIn(scope: Scope, base: Expr, hops: number): readonly string[] | null {
  const inner = uncast(base);
  const variable =
    inner.kind === 'name' && !scope.locals.has(inner.name)
      ? scope.file.variables.find((item) => item.name === inner.name)
      : undefined;
  if (
    !variable ||
    variable.init?.kind !== 'initializer' ||
    !variable.init.complete ||
    variable.type.pointers !== 1
  )
    return null;
  const changed = scope.file.functions.some((fn) =>
    statementsOf(fn).some(({ stmt }) =>
      allExpressions(stmt).some(
        (expr) => expr.kind === 'assign' && namesIn(expr.target)[0] === variable.name,
      ),
    ),
  );
  const values = variable.init.entries
    .filter(({ value }) => !isNull(value))
    .map(({ value }) => tablesOf(scope, value, hops + 1));
  return changed ? null : allTables(values);
}

/**
 * The tables that a member of a struct is set to, wherever in the module it is: by assignment, or
 * in a variable that is defined with its values.
 */
function tablesInMember(
  scope: Scope,
  member: Expr & { kind: 'member' },
  hops: number,
): readonly string[] | null {
  const tag = typeOf(scope, member.base)?.tag;
  if (tag === undefined || !findStruct(scope.module, scope.file, tag)) return null;
  const values: (readonly string[] | null)[] = [];
  for (const file of scope.module.sources) {
    for (const variable of file.variables)
      if (variable.type.name === tag && variable.init)
        append(values, initialTables({ ...scope, file }, variable.init, member.field, hops));
    for (const fn of file.functions) {
      if (!fn.text.includes(member.field)) continue;
      const inside = scopeOf(scope.module, file, fn);
      for (const { stmt } of statementsOf(fn)) {
        if (stmt.kind === 'decl' && stmt.type.name === tag && stmt.init?.kind === 'initializer')
          append(values, initialTables(inside, stmt.init, member.field, hops));
        for (const expr of allExpressions(stmt)) {
          const target = expr.kind === 'assign' ? uncast(expr.target) : null;
          if (expr.kind !== 'assign' || target?.kind !== 'member' || target.field !== member.field)
            continue;
          const owner = typeOf(inside, target.base)?.tag;
          if (owner === tag || owner === undefined)
            values.push(owner === tag ? tablesOf(inside, expr.value, hops) : null);
        }
      }
    }
  }
  return allTables(values);
}

/**
 * What a variable is defined with for a member, in each of its elements. A member that is not named
 * may be it.
 */
function initialTables(
  scope: Scope,
  init: Expr,
  field: string,
  hops: number,
): (readonly string[] | null)[] {
  if (init.kind !== 'initializer') return [null];
  return init.entries.flatMap((entry): (readonly string[] | null)[] => {
    const [first] = entry.designators;
    if (first === field) return [tablesOf(scope, entry.value, hops)];
    if (entry.value.kind === 'initializer' && (first === undefined || first === '[]'))
      return initialTables(scope, entry.value, field, hops);
    return first === undefined && !isNull(entry.value) && entry.value.kind !== 'number'
      ? [null]
      : [];
  });
}

/**
 * The tables that the callers of a function hand over: all of them must be in its document, which
 * may be a module's documents merged.
 */
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
      append(found, given);
    }
  }
  return found.length > 0 ? [...new Set(found)] : null;
}
