/** A pointer that is given to a function: of the module, by its parameter, or of the kernel, by its row. */
import type { CallExpr, Expr, FunctionIr } from '../../../ir/types.ts';
import { isLog } from '../../../kernel/heuristics.ts';
import { LAST_OF_OLD_MODEL } from '../../../kernel/known-kernels.ts';
import { behaviourOf, retainsArgument, testedArgument } from '../../../kernel/lookup.ts';
import { isValueOrTest } from '../../../kernel/macros.ts';
import { byteRangesOf, takesCookie } from '../../../kernel/memory-uses.ts';
import { isQuery } from '../../../kernel/touches.ts';
import { designators } from '../../../lifecycle/module/statements.ts';
import { resolveType, typeOf } from '../../../lifecycle/module/types-of.ts';
import { effectsOf } from '../../query/call-sites.ts';
import { denyFound, isOfKind, isPlain, remember, type Found } from './pointers.ts';

/** The function of the module that a call is of. */
export function calleeOf({ search, scope }: Found, { name }: CallExpr): FunctionIr | undefined {
  if (name === null) return undefined;
  return [scope.file, ...search.module.sources, ...search.module.headers]
    .flatMap((file) => file.functions)
    .find((fn) => fn.name === name);
}

/** Judges a pointer that a function of the module is given. */
export function judgeParameter(found: Found, callee: FunctionIr, index: number): void {
  const { search, scope, kind } = found;
  const param = callee.params[index];
  // The rest of a function with any number of arguments.
  if (!param) return denyFound(found, `is passed to ${callee.name}() without a type`);
  const type = resolveType(search.module, scope.file, param.type);
  if (isOfKind(search, kind, type)) return;
  const isNamedAlike =
    kind === 'first' && type === null && param.type.name === search.first.type.name;
  if (isPlain(param.type) || isNamedAlike)
    return remember(search, callee, param.name, kind === 'drvdata' ? 'object' : kind);
  denyFound(found, `is passed to ${callee.name}() as another type`);
}

/** Judges a pointer that a function is given of which the module has no more than a prototype. */
export function judgeUnseenArgument(found: Found, call: CallExpr, index: number): void {
  const { search, scope, kind } = found;
  const { module } = search;
  const { name } = call;
  const declared = [scope.file, ...module.sources, ...module.headers]
    .flatMap((file) => file.prototypes)
    .find((one) => one.name === name)?.params[index];
  if (!declared) return judgeKernelArgument(found, call, index);
  if (isOfKind(search, kind, resolveType(module, scope.file, declared.type))) return;
  denyFound(found, `goes to ${name ?? 'a function'}(), which was not found`);
}

function judgeKernelArgument(found: Found, call: CallExpr, index: number): void {
  const { search, scope, expr, kind } = found;
  const { name } = call;
  if (name === null) {
    if (kind === 'first') return denyFound(found, 'goes through a function pointer');
    search.handedOut.at = true;
    return;
  }
  if (onlyLooks(name) || designators(call).length > 0) return;
  if (effectsOf(name).some((effect) => effect.op === 'free' && effect.target === index)) {
    if (kind === 'first') denyFound(found, 'is freed as the object');
    return;
  }
  const range = byteRangesOf(name).find((one) => one.pointer === index);
  if (range) {
    const size = range.size === null ? undefined : call.args[range.size];
    if (size && isSizeOf(found, size)) return;
    return search.deny(`${name}() works on the bytes of the object`, scope.file, expr);
  }
  if (isCookie(name, index)) {
    if (kind === 'first') return denyFound(found, 'is passed on as the object');
    search.handedOut.at = true;
    return;
  }
  if (kind === 'first') return judgeFirst(found, name);
  if (kind === 'drvdata') return;
  if (retainsArgument(name)) {
    search.handedOut.at = true;
    return;
  }
  denyFound(found, `goes to ${name}(), which may change its bytes`);
}

/** The address of the first member, to a function that does nothing of what is judged before. */
function judgeFirst(found: Found, name: string): void {
  const { search } = found;
  const known = behaviourOf(name, LAST_OF_OLD_MODEL) !== undefined || retainsArgument(name);
  // Who does not know the struct can only hand the address back, and that is seen.
  if (known || (!search.shared && search.first.tag === null)) return;
  denyFound(found, `goes to ${name}(), which was not found`);
}

function onlyLooks(name: string): boolean {
  return isLog(name) || isValueOrTest(name) || testedArgument(name) !== undefined || isQuery(name);
}

/** The address is kept as it is, and handed back. */
function isCookie(name: string, index: number): boolean {
  return (
    takesCookie(name) ||
    effectsOf(name).some(
      (effect) => (effect.op === 'set-drvdata' && effect.value === index) || effect.op === 'defer',
    )
  );
}

/** The whole object, or the whole of the first member. */
function isSizeOf({ search, scope, kind }: Found, size: Expr): boolean {
  if (size.kind !== 'sizeof') return false;
  const operandType = size.operand ? typeOf(scope, size.operand) : null;
  const type = size.type ? resolveType(search.module, scope.file, size.type) : operandType;
  if (type !== null)
    return (
      type.pointers === 0 && type.tag === (kind === 'first' ? search.first.tag : search.struct.name)
    );
  return (
    kind === 'first' && size.operand?.kind === 'member' && size.operand.field === search.first.name
  );
}
