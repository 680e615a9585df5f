/**
 * Callbacks of driver structs that returned an int and return nothing in the target: what they
 * returned was logged at most.
 */
import type { Expr, FileIr, FunctionIr, ReturnStmt } from '../../ir/types.ts';
import { INTERFACE_CHANGES, type ChangedForm } from '../../kernel/interface-changes.ts';
import { compareVersions, formatVersion } from '../../kernel/version.ts';
import { codeOf } from '../rewrite/layout.ts';
import { statementsOf, uncast, type Placed } from '../../lifecycle/module/statements.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { rewriting, type Rewriting } from '../modules/rewriting.ts';
import { callbackOf } from '../plan/target-changes.ts';
import { ownsLines } from './drop.ts';
import type { Step } from './types.ts';

type VoidForm = ChangedForm & { readonly kind: 'returns-void' };

/**
 * Makes such a callback return void where it only returns 0 or an error number and nothing else
 * calls it. Others keep their form, and the notes on
 * the target name them.
 */
export const returnNothing: Step = (step) => {
  const {
    input: { kernel },
    file,
  } = step;
  const rows = INTERFACE_CHANGES.flatMap(({ form, since }) =>
    form.kind === 'returns-void' && compareVersions(kernel, since) >= 0 ? [{ form, since }] : [],
  );
  const found = rows.flatMap(({ form, since }) =>
    callbacksIn(file, form).map((fn) => ({ form, since, fn })),
  );
  if (found.length === 0 || initsConcerning(step).length === 0) return null;
  const out = rewriting();
  const changed = found.filter(({ fn }) => rewrite(out, file, fn));
  if (changed.length === 0) return null;
  return {
    edits: out.done(),
    notes: changed.map(({ form, since, fn }) => ({
      text: `${fn.name}() now returns void, as \`.${form.name}\` of struct ${form.owner} does since ${formatVersion(since)}.`,
      site: { path: file.path, ...fn.nameSpan },
    })),
    touched: changed.map(({ fn }) => fn.name),
  };
};

/**
 * The functions with a result that tables of the file name there; one for several tables only once.
 */
function callbacksIn(file: FileIr, form: VoidForm): FunctionIr[] {
  const entries = file.variables.flatMap((variable) =>
    variable.type.name === form.owner && variable.init?.kind === 'initializer'
      ? variable.init.entries
      : [],
  );
  const functions = entries
    .filter(({ designators }) => designators.length === 1 && designators[0] === form.name)
    .flatMap((entry) => callbackOf(file, entry) ?? []);
  return [...new Set(functions)].filter(
    ({ returnType }) => returnType.name !== 'void' || returnType.pointers > 0,
  );
}

function rewrite(out: Rewriting, file: FileIr, fn: FunctionIr): boolean {
  const returns = statementsOf(fn).filter(
    (at): at is Placed & { readonly stmt: ReturnStmt } => at.stmt.kind === 'return',
  );
  if (!fn.isStatic || fn.opaque || fn.returnType.pointers > 0 || !isOnlyInTables(file, fn))
    return false;
  if (
    !returns.every(
      ({ stmt, conditional }) => stmt.value !== null && isStatus(stmt.value) && !conditional,
    )
  )
    return false;
  const prototypes = file.prototypes.filter(({ name }) => name === fn.name);
  for (const { returnType } of [fn, ...prototypes])
    out.edit(file, 'signature', { span: returnType, newText: 'void' });
  for (const at of returns) {
    if (isEnd(file, at)) out.remove(file, at.stmt);
    else out.edit(file, 'signature', { span: at.stmt, newText: 'return;' });
  }
  return true;
}

/** 0, or `-EBUSY` and its like. */
function isStatus(expr: Expr): boolean {
  const value = uncast(expr);
  if (value.kind === 'number') return value.value === 0;
  return (
    value.kind === 'unary' &&
    value.op === '-' &&
    value.operand.kind === 'name' &&
    /^E[A-Z0-9]+$/.test(value.operand.name)
  );
}

/** Nothing but the tables and declarations of the file names the function. */
function isOnlyInTables(file: FileIr, fn: FunctionIr): boolean {
  const mentioned = codeOf(file.text).match(new RegExp(`\\b${fn.name}\\b`, 'g'))?.length ?? 0;
  const entries = file.variables
    .flatMap(({ init }) => (init?.kind === 'initializer' ? init.entries : []))
    .filter((entry) => callbackOf(file, entry) === fn);
  return (
    mentioned === 1 + entries.length + file.prototypes.filter(({ name }) => name === fn.name).length
  );
}

/** The last statement of the function, on lines of its own, with no label that it alone follows. */
function isEnd(file: FileIr, { stmt, siblings, index, parent }: Placed): boolean {
  const before = siblings[index - 1];
  return (
    parent === null &&
    index === siblings.length - 1 &&
    before !== undefined &&
    before.kind !== 'label' &&
    before.kind !== 'case' &&
    ownsLines(file.text, stmt)
  );
}
