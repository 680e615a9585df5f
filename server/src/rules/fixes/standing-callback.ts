/** Finds a callback that stands ready in a driver and that its ops table does not name. */
import type { CallExpr, FileIr, FunctionIr } from '../../ir/types.ts';
import { calls } from '../../ir/visit.ts';
import type { ModuleFacts, OpsTable } from '../../lifecycle/types.ts';
import type { Edit } from '../../text/span.ts';
import { functionsIn, isReferenced, walk } from '../locate.ts';
import type { Fix } from '../types.ts';
import { addMember } from './ops-table.ts';
import { addFunctionBefore } from './text.ts';

/**
 * The function that stands ready, and what makes the table name it: no fix where the table cannot
 * be read, or where several stand ready.
 */
export interface Standing {
  readonly function: FunctionIr | null;
  readonly fix: Fix | null;
}

/**
 * Looks in the table's file for a function that nothing names and that does what the callback must
 * do.
 * @param ends the functions of the kernel one of which the callback must call with its device.
 */
export function standingCallback(
  facts: ModuleFacts,
  file: FileIr,
  table: OpsTable,
  member: 'init' | 'release',
  ends: readonly string[],
): Standing {
  const ready = file.functions.filter(
    (fn) => isCallback(fn, member, ends) && !isReferenced(facts.module, fn),
  );
  const [fn] = ready;
  if (fn === undefined) return { function: null, fix: null };
  const named =
    ready.length > 1 || fn.conditions.length > 0 || mayLeaveBefore(fn, ends)
      ? null
      : addMember(file.text, table, member, fn.name);
  if (named === null) return { function: fn, fix: null };
  const isKnown =
    fn.start < table.variable.start ||
    file.prototypes.some((one) => one.name === fn.name && one.start < table.variable.start);
  const edits: Edit[] = isKnown
    ? [named]
    : [
        addFunctionBefore(
          file.text,
          table.variable,
          `${file.text.slice(fn.start, fn.body.start).trim()};`,
        ),
        named,
      ];
  const isSafe = !undoesWithOthers(facts, fn);
  const title = `Add .${member} = ${fn.name}`;
  return {
    function: fn,
    fix: {
      title: isSafe ? title : `${title} (check that nobody undoes the same)`,
      safety: isSafe ? 'safe' : 'unsafe',
      edits: [{ path: file.path, edits }],
    },
  };
}

function isCallback(fn: FunctionIr, member: 'init' | 'release', ends: readonly string[]): boolean {
  const [device] = fn.params;
  if (
    !fn.isStatic ||
    fn.params.length !== 1 ||
    device?.type.name !== 'vfio_device' ||
    device.type.pointers !== 1
  )
    return false;
  const isRight =
    fn.returnType.pointers === 0 && fn.returnType.name === (member === 'init' ? 'int' : 'void');
  return (
    isRight &&
    calls(fn).some(
      (call) =>
        ends.includes(call.name ?? '') &&
        call.args[0]?.kind === 'name' &&
        call.args[0].name === device.name,
    )
  );
}

/**
 * Whether a path may end the function without the call that it must make: the call is not its last
 * statement, or something leaves before it.
 */
function mayLeaveBefore(fn: FunctionIr, ends: readonly string[]): boolean {
  const last = fn.body.body.at(-1);
  const returned = last?.kind === 'return' ? last.value : null;
  const value = last?.kind === 'expr' ? last.expr : returned;
  const isLast = value?.kind === 'call' && ends.includes(value.name ?? '');
  return (
    !isLast ||
    (fn.returnType.name === 'void' &&
      [...walk(fn.body)].some(({ kind }) => kind === 'return' || kind === 'goto'))
  );
}

/**
 * Whether a function that runs today makes the same call for the same member: then the callback
 * would make it a second time.
 */
function undoesWithOthers(facts: ModuleFacts, fn: FunctionIr): boolean {
  const own = new Set(calls(fn).flatMap(undoOf));
  return functionsIn(facts, 'probe', 'remove', 'action', 'module', 'helper').some(
    (other) =>
      other !== fn &&
      calls(other)
        .flatMap(undoOf)
        .some((one) => own.has(one)),
  );
}

/** A call by its name and the last member of what it is given: `kfree table`. */
function undoOf(call: CallExpr): string[] {
  const members = call.args.flatMap((arg) => {
    const inner = arg.kind === 'unary' ? arg.operand : arg;
    return inner.kind === 'member' ? [inner.field] : [];
  });
  return call.name === null ? [] : members.map((field) => `${call.name} ${field}`);
}
