/** Finds statements in the IR of a subject, without any of the analysis that is on trial. */
import type {
  CallExpr,
  Expr,
  FileIr,
  FunctionIr,
  IfStmt,
  Stmt,
  StructIr,
  VariableIr,
} from '../../server/src/ir/types.ts';
import { exprText, stmtExprs, subStmts, walkExpr, walkExprs } from '../../server/src/ir/visit.ts';
import { API_FUNCTIONS } from '../../server/src/kernel/lifecycle-api.ts';
import { isExcluded, macrosOf } from '../../server/src/lifecycle/module/preprocessor.ts';
import type { Condition } from '../../server/src/syntax/node.ts';
import type { Edit, Span } from '../../server/src/text/span.ts';
import type { Subject } from './types.ts';

/** A statement with what stands around it. */
export interface Place {
  readonly file: FileIr;
  readonly fn: FunctionIr;
  readonly stmt: Stmt;
  /** The statements of the same list, and the position in it. */
  readonly list: readonly Stmt[];
  readonly index: number;
  /** The kernel's version leaves the #if arm out. */
  readonly isDead: boolean;
}

/**
 * A function that the tables know by name is the interface itself, not a use of it: a kernel's own
 * core is no subject.
 */
const INTERFACE = new Set(API_FUNCTIONS.map((one) => one.name));

const known = new WeakMap<Subject, readonly Place[]>();

/** All statements of a subject, in the order of the text. */
export function placesOf(subject: Subject): readonly Place[] {
  const found = known.get(subject);
  if (found) return found;
  const macros = macrosOf({ sources: subject.sources, headers: subject.headers }, subject.kernel);
  const excluded = (conditions: readonly Condition[]): boolean =>
    isExcluded(conditions, subject.kernel, macros);
  const places: Place[] = [];
  for (const file of [...subject.sources, ...subject.headers]) {
    if (!file.text.includes('vfio')) continue;
    for (const fn of file.functions) {
      if (INTERFACE.has(fn.name)) continue;
      const visit = (list: readonly Stmt[], isDead: boolean): void => {
        for (const [index, stmt] of list.entries()) {
          places.push({ file, fn, stmt, list, index, isDead });
          if (stmt.kind === 'block') visit(stmt.body, isDead);
          else if (stmt.kind === 'preproc')
            for (const arm of stmt.arms) visit(arm.body, isDead || excluded(arm.conditions));
          else for (const inner of subStmts(stmt)) visit([inner], isDead);
        }
      };
      visit(fn.body.body, excluded(fn.conditions));
    }
  }
  known.set(subject, places);
  return places;
}

/** The statements that are one call of one of these functions. */
export function callsOf(
  subject: Subject,
  names: readonly string[],
): { readonly place: Place; readonly call: CallExpr }[] {
  return placesOf(subject).flatMap((place) => {
    const call = callOf(place.stmt);
    return call?.name != null && names.includes(call.name) ? [{ place, call }] : [];
  });
}

/** The call that a statement consists of. */
export function callOf(stmt: Stmt | undefined): CallExpr | null {
  return stmt?.kind === 'expr' && stmt.expr.kind === 'call' ? stmt.expr : null;
}

/** `x = f(…);` or `int x = f(…);`: what is assigned to, as written, and the call. */
export interface Assigned {
  readonly place: Place;
  readonly target: string;
  readonly call: CallExpr;
  readonly isDeclaration: boolean;
}

export function assignedCalls(subject: Subject, names: readonly string[]): Assigned[] {
  return placesOf(subject).flatMap((place): Assigned[] => {
    const { stmt, file } = place;
    const assigned =
      stmt.kind === 'expr' && stmt.expr.kind === 'assign' && stmt.expr.op === '='
        ? stmt.expr.value
        : null;
    const value = stmt.kind === 'decl' ? stmt.init : assigned;
    if (value?.kind !== 'call' || value.name === null || !names.includes(value.name)) return [];
    if (stmt.kind === 'decl')
      return [{ place, target: stmt.name, call: value, isDeclaration: true }];
    if (stmt.kind !== 'expr' || stmt.expr.kind !== 'assign') return [];
    return [
      { place, target: exprText(file.text, stmt.expr.target), call: value, isDeclaration: false },
    ];
  });
}

/**
 * The `if` behind a place that tests a result by name alone, and the branch that is taken on
 * failure; null where it is written otherwise.
 */
export function testOfResult(
  { list, index, file }: Place,
  target: string,
): { readonly test: IfStmt; readonly failing: Stmt | null } | null {
  const test = list[index + 1];
  if (test?.kind !== 'if') return null;
  const text = exprText(file.text, test.condition)
    .replace(/\s+/g, '')
    .replace(/^(?:un)?likely\((.*)\)$/, '$1');
  if ([target, `${target}<0`, `${target}!=0`].includes(text)) return { test, failing: test.then };
  if ([`!${target}`, `${target}==0`].includes(text)) return { test, failing: test.otherwise };
  return null;
}

/** The first `if` behind a place in its list that asks IS_ERR() of a pointer and nothing else. */
export function errorTest(
  { list, index, file }: Place,
  target: string,
): { readonly test: IfStmt; readonly call: CallExpr } | null {
  for (const test of list.slice(index + 1, index + 3)) {
    if (test.kind !== 'if') continue;
    const inner =
      test.condition.kind === 'call' && /^(?:un)?likely$/.test(test.condition.name ?? '')
        ? test.condition.args[0]
        : test.condition;
    if (
      inner?.kind === 'call' &&
      inner.name === 'IS_ERR' &&
      inner.args.length === 1 &&
      exprText(file.text, inner.args[0]!) === target
    )
      return { test, call: inner };
  }
  return null;
}

/** The variable that an expression begins with: `p` of `&p->core.vdev`. */
export function baseName(expr: Expr | undefined): string | null {
  for (let operand = expr; operand;) {
    if (operand.kind === 'name') return operand.name;
    if (operand.kind === 'member' || operand.kind === 'index') operand = operand.base;
    else if (operand.kind === 'unary' || operand.kind === 'cast') operand = operand.operand;
    else return null;
  }
  return null;
}

export function files({ sources, headers }: Subject): readonly FileIr[] {
  return [...sources, ...headers];
}

/** The definition of a struct that has a name only once in the subject. */
export function structOf(
  subject: Subject,
  tag: string,
): { readonly file: FileIr; readonly struct: StructIr } | null {
  const found = files(subject).flatMap((file) =>
    file.structs.filter((one) => one.name === tag).map((struct) => ({ file, struct })),
  );
  return found.length === 1 ? found[0]! : null;
}

/** One entry of a table of a type. */
export interface Entry {
  readonly file: FileIr;
  readonly table: VariableIr;
  readonly member: string;
  readonly value: string;
  readonly span: Span;
  readonly isDead: boolean;
}

/** The entries of the tables whose type's name matches. */
export function entriesOf(subject: Subject, type: RegExp): Entry[] {
  const macros = macrosOf({ sources: subject.sources, headers: subject.headers }, subject.kernel);
  return files(subject).flatMap((file) =>
    file.variables.flatMap((table) =>
      table.init?.kind !== 'initializer' || !type.test(table.type.name)
        ? []
        : table.init.entries
            .filter((entry) => entry.designators.length === 1)
            .map((entry) => ({
              file,
              table,
              member: entry.designators[0]!,
              value: exprText(file.text, entry.value).replace(/^&/, ''),
              span: entry,
              isDead: isExcluded(
                [...table.conditions, ...entry.conditions],
                subject.kernel,
                macros,
              ),
            })),
    ),
  );
}

/** The definition of a function of the subject. */
export function functionOf(
  subject: Subject,
  name: string,
): { readonly file: FileIr; readonly fn: FunctionIr } | null {
  for (const file of files(subject))
    for (const fn of file.functions) if (fn.name === name) return { file, fn };
  return null;
}

/** The functions that tables of a type have at a member. */
export function membersOf(
  subject: Subject,
  type: RegExp,
  member: RegExp,
): { readonly file: FileIr; readonly fn: FunctionIr }[] {
  const names = new Set(
    entriesOf(subject, type)
      .filter((one) => !one.isDead && member.test(one.member))
      .map((one) => one.value),
  );
  return [...names]
    .flatMap((name) => functionOf(subject, name) ?? [])
    .filter(({ fn }) => !INTERFACE.has(fn.name));
}

/**
 * A function and all that mention it, through others and through macros: a defect in a helper is
 * rightly reported where it is used.
 */
export function usersOf(subject: Subject, name: string): string[] {
  const found = new Set([name]);
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const file of files(subject)) {
      for (const macro of file.macros)
        if ([...found].some((one) => macro.bodyText.includes(one))) found.add(macro.name);
      for (const fn of file.functions)
        if (!found.has(fn.name) && mentions(fn.body, (word) => found.has(word))) found.add(fn.name);
    }
  }
  return [...found];
}

/** Whether a name in a statement passes a test. */
export function mentions(stmt: Stmt, test: (name: string) => boolean): boolean {
  let found = false;
  walkExprs(stmt, (expr) => {
    if (expr.kind === 'name' ? test(expr.name) : expr.kind === 'unknown' && expr.names.some(test))
      found = true;
  });
  return found;
}

/** Whether a statement or one inside it names a member of this name. */
export function namesMember(stmt: Stmt, field: string): boolean {
  let found = false;
  walkExprs(stmt, (expr) => {
    if (expr.kind === 'member' && expr.field === field) found = true;
  });
  return found;
}

/** Whether a callback of an ops table that runs while the device is open names a member. */
export function isUsedByCallbacks(subject: Subject, field: string): boolean {
  return callbacksOf(subject).some(({ fn }) => namesMember(fn.body, field));
}

/** The callbacks of ops tables that run while the device is registered. */
export function callbacksOf(
  subject: Subject,
): { readonly file: FileIr; readonly fn: FunctionIr }[] {
  return membersOf(
    subject,
    /^vfio_device_ops$/,
    /^(?:open|open_device|close_device|read|write|ioctl|mmap|request)$/,
  );
}

/** The text of what a span covers. */
export function textOf(file: FileIr, span: Span): string {
  return file.text.slice(span.start, span.end);
}

/** The whole statement, also of a declarator. */
export function statementSpan(stmt: Stmt): Span {
  return stmt.kind === 'decl' ? stmt.statement : stmt;
}

/**
 * Takes a statement away. What is left is an empty block, so that a label or an `if` in front of it
 * keeps its meaning.
 */
export function drop(stmt: Stmt): Edit {
  return { span: span(statementSpan(stmt)), newText: '{ }' };
}

export function replace(where: Span, newText: string): Edit {
  return { span: span(where), newText };
}

/**
 * Writes a statement behind another one; a statement that stands alone in a branch becomes a block.
 */
export function insertAfter({ stmt, list, file }: Place, text: string): Edit[] {
  return list.length === 1
    ? [replace(stmt, `{ ${textOf(file, stmt)} ${text} }`)]
    : [replace({ start: stmt.end, end: stmt.end }, ` ${text}`)];
}

/** Writes a statement in front of another one. */
export function insertBefore({ stmt, list, file }: Place, text: string): Edit[] {
  const { start } = statementSpan(stmt);
  return list.length === 1
    ? [replace(stmt, `{ ${text} ${textOf(file, stmt)} }`)]
    : [replace({ start, end: start }, `${text}\n`)];
}

/** Writes a statement at the beginning of a branch. */
export function insertInto(file: FileIr, branch: Stmt, text: string): Edit {
  if (branch.kind === 'block')
    return replace({ start: branch.start + 1, end: branch.start + 1 }, ` ${text} `);
  return replace(branch, `{ ${text} ${textOf(file, branch)} }`);
}

/** Takes an entry of a table away, with its comma. */
export function dropEntry(entry: Entry): Edit {
  const comma = /^\s*,/.exec(entry.file.text.slice(entry.span.end))?.[0].length ?? 0;
  return { span: { start: entry.span.start, end: entry.span.end + comma }, newText: '' };
}

/** Every call in a statement itself, not in the statements inside it. */
export function callsIn(stmt: Stmt): CallExpr[] {
  const found: CallExpr[] = [];
  for (const expr of stmtExprs(stmt))
    walkExpr(expr, (inner) => {
      if (inner.kind === 'call') found.push(inner);
    });
  return found;
}

function span({ start, end }: Span): Span {
  return { start, end };
}
