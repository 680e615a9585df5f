import type { CallExpr, Expr, FileIr, FunctionIr } from '../ir/types.ts';
import type { Effect, EffectOp, KernelVersion } from '../kernel/types.ts';
import { behaviourOf } from '../kernel/general.ts';
import type { Module } from '../lifecycle/types.ts';
import { allExpressions, statementsOf, type Placed } from './place.ts';
import type { Container } from './types.ts';
import { scopeOf, typeOf, type Scope } from './typing.ts';

/** The newest kernel of the old model: what the functions of a driver that is to be converted mean. */
export const SOURCE_KERNEL: KernelVersion = [6, 0];

/** A call with an effect on an object, and where it stands. */
export interface CallSite {
  readonly scope: Scope;
  readonly fn: FunctionIr;
  readonly at: Placed;
  readonly call: CallExpr;
  /** The call is a statement of its own. */
  readonly whole: boolean;
  readonly op: EffectOp;
  /** The object: an argument, or for an allocation the call itself. */
  readonly target: Expr;
  /** For an allocation: the memory goes with its device (devm_). */
  readonly managed: boolean;
}

/** Every call of a file that has an effect of the kernel's tables, in source order. */
export function callSites(module: Module, file: FileIr): CallSite[] {
  const sites: CallSite[] = [];
  for (const fn of file.functions) {
    const scope = scopeOf(module, file, fn);
    for (const at of statementsOf(fn)) {
      for (const expr of allExpressions(at.stmt)) {
        if (expr.kind !== 'call' || expr.name === null || defines(file, expr.name)) continue;
        for (const effect of effectsOf(expr.name)) {
          const target = targetOf(effect, expr);
          if (!target) continue;
          const whole = at.stmt.kind === 'expr' && at.stmt.expr === expr;
          sites.push({ scope, fn, at, call: expr, whole, op: effect.op, target, managed: effect.op === 'allocate' && effect.managed === true });
        }
      }
    }
  }
  return sites;
}

/** A function that the file defines itself is not the kernel's function of that name. */
function defines(file: FileIr, name: string): boolean {
  return file.functions.some((fn) => fn.name === name) || file.macros.some((macro) => macro.name === name && macro.params !== null);
}

/** What a kernel function does to its objects in the kernels of the old model. */
export function effectsOf(name: string): readonly Effect[] {
  const behaviour = behaviourOf(name, SOURCE_KERNEL);
  return behaviour === undefined || behaviour === 'neutral' ? [] : behaviour.success;
}

function targetOf(effect: Effect, call: CallExpr): Expr | undefined {
  if (!('target' in effect)) return undefined;
  return effect.target === 'return' ? call : call.args[effect.target];
}

/**
 * How an expression names an object of the container: the index into `container.tags` of what it points to (0: the
 * container itself, the last: its vfio_device), or -1 when it does not, as far as types tell.
 */
export function levelOf(scope: Scope, container: Container, expr: Expr): number {
  const type = typeOf(scope, expr);
  return type?.pointers === 1 ? container.tags.indexOf(type.tag) : -1;
}
