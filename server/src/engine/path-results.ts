/** Whether a function gives its callers the same kind of result after a fix. */
import { pointerTestOf, testsForError } from '../kernel/macros.ts';
import type { CallExpr, Expr, FunctionIr } from '../ir/types.ts';
import { calls } from '../ir/visit.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import { assignedName } from '../rules/device.ts';
import { walk } from '../rules/locate.ts';
import type { FunctionPath } from './function-paths.ts';

/** What a result tells a caller. */
type Kind = 'nothing' | 'zero' | 'error' | 'error pointer' | 'unknown';

/**
 * What to look at where a path returns something else than before; `isRevived` where its test could
 * not hold before the fix,
 * `added` the value of a call that the fix adds at the end of a path that owes nothing.
 */
export function doubtOfResult(
  facts: ModuleFacts,
  fn: FunctionIr,
  before: FunctionPath,
  after: FunctionPath,
  isRevived: boolean,
  added: string | null,
): string | null {
  const isPointer = fn.returnType.pointers > 0;
  const kind = kindOf(after, isPointer);
  if (isPointer && (isRevived || kind !== kindOf(before, isPointer)))
    return doubtOfCallers(facts, fn, kind);
  // Nobody has come this way before: it owes its callers a failure, whatever the text returned.
  if (isRevived)
    return isFailure(fn, kind)
      ? null
      : `check what ${fn.name}() returns when the test holds: it may be no error`;
  if (before.result === after.result) return null;
  // The result of a call that the fix adds: a way that succeeded may fail now, and must owe nothing
  // then.
  if (added !== null && after.result === added && kindOf(before, isPointer) === 'zero') return null;
  return kind !== 'unknown' && kind === kindOf(before, isPointer)
    ? null
    : `check what ${fn.name}() returns`;
}

/** What to look at where a fix adds a way out of a function: it must return as a failure. */
export function doubtOfNewResult(
  facts: ModuleFacts,
  fn: FunctionIr,
  path: FunctionPath,
): string | null {
  const kind = kindOf(path, fn.returnType.pointers > 0);
  if (fn.returnType.pointers > 0) return doubtOfCallers(facts, fn, kind);
  const isVoid = fn.returnType.name === 'void';
  return (isVoid && kind === 'nothing') || kind === 'error'
    ? null
    : `check what ${fn.name}() returns`;
}

/** Whether what a function that returns no pointer gives its callers tells them of a failure. */
function isFailure({ returnType: { name } }: FunctionIr, kind: Kind): boolean {
  if (name === 'void') return kind === 'nothing';
  return kind === 'error' || (name === 'bool' && kind === 'zero');
}

function kindOf({ result, decisions, events }: FunctionPath, isPointer: boolean): Kind {
  if (result === null) return 'nothing';
  if (/^(?:0|NULL|false)$/.test(result)) return 'zero';
  if (isErrorCode(result)) return 'error';
  if (/^ERR_PTR\(/.test(result)) return 'error pointer';
  // It returns the error code that it reports.
  const reported = events.find(({ name, value }) => name === 'dev_err_probe' && value === result);
  if (reported !== undefined && isErrorCode(reported.args[1] ?? '')) return 'error';
  const holds = (test: string): boolean => decisions.some((one) => one.test === test && one.holds);
  if (holds(`IS_ERR(${result})`)) return 'error pointer';
  // What a call answered, and was tested to be no 0.
  const isCode = !isPointer && /^PTR_ERR_OR_ZERO\(|#\d+$/.test(result) && holds(result);
  return isCode || holds(`(${result} < 0)`) ? 'error' : 'unknown';
}

function isErrorCode(value: string): boolean {
  return /^(?:-E[A-Z0-9]+|-[1-9]\d*)$/.test(value) || /^PTR_ERR\(/.test(value);
}

/** What to look at where not all callers of a function test for what it returns on failure. */
function doubtOfCallers(facts: ModuleFacts, fn: FunctionIr, kind: Kind): string | null {
  if (kind === 'unknown') return `check what ${fn.name}() returns`;
  const callers = callersOf(facts, fn.name);
  if (callers.length === 0) return `check the callers of ${fn.name}(): none is seen`;
  const unready = callers.find(({ caller, call }) => !testsFor(caller, call, kind));
  if (unready === undefined) return null;
  const returned = kind === 'zero' ? 'NULL' : 'an error pointer';
  return `check ${unready.caller.name}(): ${fn.name}() returns ${returned} to it`;
}

function callersOf(
  { module }: ModuleFacts,
  name: string,
): { readonly caller: FunctionIr; readonly call: CallExpr }[] {
  const functions = [...module.sources, ...module.headers].flatMap((file) => file.functions);
  return functions.flatMap((caller) =>
    calls(caller)
      .filter((call) => call.name === name)
      .map((call) => ({ caller, call })),
  );
}

function testsFor(caller: FunctionIr, call: CallExpr, kind: Kind): boolean {
  const name = assignedName(caller.body, call);
  if (name === null) return false;
  return [...walk(caller.body)].some((node) => {
    if (node.kind === 'call' && node.args[0]?.kind === 'name' && node.args[0].name === name) {
      return (
        pointerTestOf(node.name ?? '') === 'is-err-or-null' ||
        (kind !== 'zero' && testsForError(node.name ?? ''))
      );
    }
    return kind === 'zero' && isNullTest(node, name);
  });
}

function isNullTest(
  node: ReturnType<typeof walk> extends Generator<infer Node> ? Node : never,
  name: string,
): boolean {
  const isIt = (expr: Expr): boolean => expr.kind === 'name' && expr.name === name;
  if (node.kind === 'unary') return node.op === '!' && isIt(node.operand);
  if (node.kind === 'binary')
    return (node.op === '==' || node.op === '!=') && (isIt(node.left) || isIt(node.right));
  return node.kind === 'if' && isIt(node.condition);
}
