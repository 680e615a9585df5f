/** The step from callbacks for each file descriptor to those for each device. */
import { locksForSure } from '../../kernel/locks.ts';
import { isLog, soundsAtomic, soundsLikeView } from '../../kernel/heuristics.ts';
import { claimsState, countsModuleUsers } from '../../kernel/touches.ts';
import type {
  Expr,
  FileIr,
  FunctionIr,
  InitializerEntry,
  IfStmt,
  InitializerExpr,
  Stmt,
  VariableIr,
} from '../../ir/types.ts';
import { changedBy } from '../../ir/assigned.ts';
import type { Edit } from '../../text/span.ts';
import { leaves } from '../plan/null-test.ts';
import { tablesOf } from '../plan/arguments.ts';
import { columnOf, widthOf } from '../rewrite/layout.ts';
import {
  allExpressions,
  expressionsIn,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { refuse, textOf } from '../refusal-error.ts';
import { initsConcerning } from '../modules/concerned.ts';
import type { Step } from './types.ts';

const NAMES: ReadonlyMap<string, string> = new Map([
  ['open', 'open_device'],
  ['release', 'close_device'],
]);

/**
 * Calls that may stand beside a count: locks, and the references to the module that the core takes
 * by itself since 5.15.
 */
function isHarmless(name: string): boolean {
  return locksForSure(name) || countsModuleUsers(name) || soundsLikeView(name) || isLog(name);
}

/**
 * Up to 5.14 `.open` and `.release` run for every file descriptor of a device; `.open_device` and
 * `.close_device` (2fd585f4ed9d) run for the
 * first and the last only. Renamed where that makes no difference: callbacks that do nothing, or
 * that count and act at the first and the
 * last themselves. Others are given the device alone, so that what they did again for a second file
 * descriptor they did to the same device:
 * they are renamed with a note, unless `.open` refuses a second one, which no callback is asked
 * about any more. Tables whose callbacks cannot be
 * seen are left for planTable to refuse. Throws RefusedError.
 */
export const renameFdCallbacks: Step = (step) => {
  const { file } = step;
  const sites = initsConcerning(step);
  const names = new Set(
    sites.flatMap((site) =>
      site.call.args[2] ? (tablesOf(site.scope, site.call.args[2]) ?? []) : [],
    ),
  );
  const renamed: {
    readonly table: VariableIr;
    readonly note: string;
    readonly edits: readonly Edit[];
  }[] = [];
  for (const variable of file.variables) {
    if (!names.has(variable.name) || variable.init?.kind !== 'initializer') continue;
    const found = callbacksOf(variable.init);
    if (
      found.length === 0 ||
      variable.init.entries.some((entry) =>
        ['open_device', 'close_device', 'init'].includes(entry.designators[0] ?? ''),
      )
    )
      continue;
    const open = functionOf(
      file,
      found.find((entry) => entry.designators[0] === 'open'),
    );
    const release = functionOf(
      file,
      found.find((entry) => entry.designators[0] === 'release'),
    );
    if (open === undefined || release === undefined) continue;
    const refusing = isSame(open, release) ? null : refusalOfSecond(open, release);
    if (open && refusing) {
      refuse(
        'table-of-old-kernel',
        `${open.name}() refuses a second file descriptor of the device, but \`.open_device\` runs for the first open only. Make \`.open\` of \`${variable.name}\` \`.open_device\`, and \`.release\` \`.close_device\` if that is right.`,
        file,
        refusing,
      );
    }
    renamed.push({
      table: variable,
      note: noteOn(variable.name, open, release),
      edits: found.map((entry) => renameOf(file, entry)),
    });
  }
  if (renamed.length === 0) return null;
  return {
    edits: [
      {
        path: file.path,
        edits: renamed.flatMap(({ edits }) =>
          edits.map((edit) => ({ ...edit, kind: 'ops-table' as const })),
        ),
      },
    ],
    notes: renamed.map(({ table, note }) => ({
      text: note,
      site: { path: file.path, ...table.nameSpan },
    })),
    touched: renamed.map(({ table }) => table.name),
  };
};

function noteOn(table: string, open: FunctionIr | null, release: FunctionIr | null): string {
  const renamed = `\`.open\` and \`.release\` of ${table} are now \`.open_device\` and \`.close_device\`, which run for the first and the last file descriptor only`;
  if (isSame(open, release)) return `${renamed}; their work is the same either way.`;
  const working = [open, release].flatMap((fn) => (fn && !isIdle(fn) ? [`${fn.name}()`] : []));
  return `${renamed}; ${working.join(' and ')} did some work for each of them: check that once for the device is right.`;
}

/**
 * Where `.open` leaves, by an `if` of its own, where something is set that it or `.release` sets:
 * `if (p->users) return -EBUSY;`.
 */
function refusalOfSecond(open: FunctionIr | null, release: FunctionIr | null): Stmt | null {
  const all = [open, release].flatMap((fn) =>
    fn ? statementsOf(fn).flatMap(({ stmt }) => allExpressions(stmt)) : [],
  );
  const changed = new Set(
    all.flatMap((expr) => {
      const target = changedBy(expr);
      const given = expr.kind === 'call' && soundsAtomic(expr.name ?? '') ? expr.args : [];
      return (target ? [target] : given).flatMap((one) =>
        expressionsIn(one)
          .flatMap((inner) => (inner.kind === 'member' ? [inner.field] : []))
          .slice(0, 1),
      );
    }),
  );
  const refusing =
    open === null
      ? undefined
      : statementsOf(open).find(
          ({ stmt }) =>
            stmt.kind === 'if' &&
            (leaves(stmt.then) || setsError(stmt.then)) &&
            expressionsIn(stmt.condition).some(
              (expr) =>
                (expr.kind === 'member' && changed.has(expr.field)) ||
                (expr.kind === 'call' && claimsState(expr.name ?? '')),
            ),
        );
  return refusing?.stmt ?? null;
}

/** `ret = -EBUSY;` */
function setsError(branch: Stmt): boolean {
  const stmts = branch.kind === 'block' ? branch.body : [branch];
  return stmts.some((stmt) => {
    const value =
      stmt.kind === 'expr' && stmt.expr.kind === 'assign' ? uncast(stmt.expr.value) : null;
    return (
      value?.kind === 'unary' &&
      value.op === '-' &&
      value.operand.kind === 'name' &&
      /^E[A-Z]+$/.test(value.operand.name)
    );
  });
}

function callbacksOf(init: InitializerExpr): InitializerEntry[] {
  return init.entries.filter(
    (entry) => NAMES.has(entry.designators[0] ?? '') && entry.conditions.length === 0,
  );
}

/**
 * The function of a callback in this file; null when the table has no such member, undefined when
 * it is not to be seen.
 */
function functionOf(
  file: FileIr,
  entry: InitializerEntry | undefined,
): FunctionIr | null | undefined {
  if (!entry) return null;
  const value = uncast(entry.value);
  const inner = value.kind === 'unary' && value.op === '&' ? value.operand : value;
  const found = file.functions.filter((fn) => inner.kind === 'name' && fn.name === inner.name);
  return found.length === 1 && !found[0]!.opaque ? found[0] : undefined;
}

/** Running once for all file descriptors is the same as running for each. */
function isSame(open: FunctionIr | null, release: FunctionIr | null): boolean {
  if ((!open || isIdle(open)) && (!release || isIdle(release))) return true;
  if (!open || !release) return false;
  const counted = guarded(open, 'first');
  return counted !== null && counted === guarded(release, 'last');
}

/** Does nothing but take or give a reference to the module. */
function isIdle(fn: FunctionIr): boolean {
  return statementsOf(fn).every(
    ({ stmt }) =>
      (['expr', 'decl', 'return', 'if', 'block'] as const).some((kind) => kind === stmt.kind) &&
      allExpressions(stmt).every(
        (expr) =>
          expr.kind !== 'assign' &&
          expr.kind !== 'update' &&
          expr.kind !== 'unknown' &&
          expr.kind !== 'statement-expression' &&
          (expr.kind !== 'call' || isHarmless(expr.name ?? '')),
      ),
  );
}

/**
 * The member that a callback counts by, when all that it does stands in an `if` that asks whether
 * this is the first or the last: `if (!p->users)`
 * before `p->users++`, or `if (!(--p->users))`.
 */
function guarded(fn: FunctionIr, which: 'first' | 'last'): string | null {
  const places = statementsOf(fn);
  const updates = places
    .flatMap(({ stmt }) => allExpressions(stmt))
    .flatMap((expr) =>
      expr.kind === 'update' && uncast(expr.operand).kind === 'member' ? [expr] : [],
    );
  const [update] = updates;
  if (updates.length !== 1 || !update || update.op !== (which === 'first' ? '++' : '--'))
    return null;
  const counter = uncast(update.operand) as Expr & { kind: 'member' };
  const isCounter = (expr: Expr): boolean => {
    const inner = uncast(expr);
    return inner.kind === 'member' && inner.field === counter.field;
  };
  const tests = places.flatMap(({ stmt }) =>
    stmt.kind === 'if' && asks(stmt, isCounter) ? [stmt] : [],
  );
  const [test] = tests;
  if (tests.length !== 1 || !test || test.otherwise) return null;
  const inside = (stmt: Stmt): boolean =>
    stmt.start >= test.then.start && stmt.end <= test.then.end;
  // The count is changed on the way out of the first open, and before the last is asked for.
  if (which === 'first' ? update.start < test.end : update.start > test.then.start) return null;
  const clean = places.every(
    ({ stmt }) =>
      inside(stmt) ||
      stmt === test ||
      ((['expr', 'decl', 'return', 'if', 'block', 'label', 'goto'] as const).some(
        (kind) => kind === stmt.kind,
      ) &&
        allExpressions(stmt).every(
          (expr) =>
            expr === update ||
            (expr.kind !== 'update' &&
              expr.kind !== 'unknown' &&
              expr.kind !== 'statement-expression' &&
              (expr.kind !== 'assign' || uncast(expr.target).kind === 'name') &&
              (expr.kind !== 'call' || isHarmless(expr.name ?? ''))),
        )),
  );
  return clean ? counter.field : null;
}

/** `!p->users`, `p->users == 0`, `!(--p->users)`, `--p->users == 0`. */
function asks(stmt: IfStmt, isCounter: (expr: Expr) => boolean): boolean {
  const test = uncast(stmt.condition);
  const isZeroTest =
    test.kind === 'binary' &&
    test.op === '==' &&
    expressionsIn(test.right).every((expr) => expr.kind === 'number' && expr.value === 0);
  const compared = isZeroTest ? uncast(test.left) : null;
  const value = test.kind === 'unary' && test.op === '!' ? uncast(test.operand) : compared;
  return (
    value !== null &&
    (isCounter(value) || (value.kind === 'update' && value.prefix && isCounter(value.operand)))
  );
}

/** The member's other name, with the blanks behind it so that the value stays where it is. */
function renameOf(file: FileIr, entry: InitializerEntry): Edit {
  const { text } = file;
  const old = entry.designators[0] ?? '';
  const name = NAMES.get(old)!;
  const match = /^\.\s*\w+([ \t]*)/.exec(textOf(file, entry))!;
  const pad = match[1]!;
  const span = { start: entry.start, end: entry.start + match[0].length };
  const start = columnOf(text, entry.start) + 1 + name.length;
  const wanted = columnOf(text, span.end);
  if (pad.length <= 1 && !pad.includes('\t')) return { span, newText: `.${name}${pad}` };
  let blanks = '';
  while (widthOf(blanks, start) < wanted) blanks += pad.includes('\t') ? '\t' : ' ';
  return { span, newText: `.${name}${blanks === '' ? ' ' : blanks}` };
}
