/**
 * `.open_device` stores the address of a member in an object that is not the device's: where it
 * fails later, the object still leads to the device.
 */
import type { AssignExpr, Expr, FunctionIr, Stmt } from '../ir/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { ModuleFacts, Site } from '../lifecycle/types.ts';
import { declaredType, isNull, walk } from './locate.ts';
import { reachedFrom } from './members.ts';
import type { OpenAndClose } from './open-and-close.ts';

/** One such store, with the reset that the close makes. */
export interface ForeignHook {
  /** The open, or what it calls. */
  readonly fn: FunctionIr;
  readonly store: AssignExpr;
  /** The place where the open fails. */
  readonly failure: Site;
  readonly reset: { readonly by: FunctionIr; readonly site: Site };
}

/** The stores of opens that fail later and do not take them back, although the close does. */
export function foreignHooks(
  facts: ModuleFacts,
  index: ModuleIndex,
  pairs: readonly OpenAndClose[],
): ForeignHook[] {
  const containers = new Set(facts.observations.flatMap((one) => one.device.container ?? []));
  return pairs.flatMap(({ open, closing }) => {
    const opening = [...reachedFrom(index, [open]).keys()];
    return opening.flatMap((fn) =>
      storesOf(fn, containers).flatMap((store): ForeignHook[] => {
        const name = endOf(store.target);
        const path = index.fileOf(fn)?.path;
        const failing = failureAfter(fn, store);
        const isTakenBack = opening.some((one) => resetsOf(one, name).length > 0);
        const reset = resetIn(index, closing, name);
        if (path === undefined || failing === null || isTakenBack || reset === null) return [];
        return [{ fn, store, failure: { path, start: failing.start, end: failing.end }, reset }];
      }),
    );
  });
}

/** Where one of some functions sets the place to NULL. */
function resetIn(
  index: ModuleIndex,
  functions: readonly FunctionIr[],
  name: string,
): ForeignHook['reset'] | null {
  for (const by of functions) {
    const path = index.fileOf(by)?.path;
    const [reset] = resetsOf(by, name);
    if (path !== undefined && reset !== undefined)
      return { by, site: { path, start: reset.start, end: reset.end } };
  }
  return null;
}

/** `vdev->kvm->arch.hook = &p->hook`: the address of what is in a container, in another object. */
function storesOf(fn: FunctionIr, containers: ReadonlySet<string>): AssignExpr[] {
  return [...walk(fn.body)].flatMap((node) => {
    if (node.kind !== 'assign' || node.op !== '=' || node.target.kind !== 'member') return [];
    const { value } = node;
    const kept = value.kind === 'unary' && value.op === '&' ? value.operand : null;
    const holder = kept?.kind === 'member' ? structAt(fn, kept) : null;
    return holder !== null && containers.has(holder) && isForeign(fn, node.target, containers)
      ? [node]
      : [];
  });
}

/** The struct of the variable that an expression begins with. */
function structAt(fn: FunctionIr, expr: Expr): string | null {
  let base = expr;
  while (base.kind === 'member') base = base.base;
  return base.kind === 'name' ? (declaredType(fn, base.name)?.name ?? null) : null;
}

const OF_DEVICE = /^vfio_(?:pci_core_)?device$/;

/** Whether a pointer in the device, or a variable of another type, leads to the place. */
function isForeign(fn: FunctionIr, target: Expr, containers: ReadonlySet<string>): boolean {
  let arrows = 0;
  for (let expr = target; expr.kind === 'member'; expr = expr.base) arrows += expr.arrow ? 1 : 0;
  const holder = structAt(fn, target);
  if (holder === null || arrows === 0) return false;
  return arrows > 1 || (!containers.has(holder) && !OF_DEVICE.test(holder));
}

/** The last two members of a path: what another function, which comes to the object elsewise, names too. */
function endOf(target: Expr): string {
  const fields: string[] = [];
  for (let expr = target; expr.kind === 'member'; expr = expr.base) fields.unshift(expr.field);
  return fields.slice(-2).join('.');
}

function resetsOf(fn: FunctionIr, name: string): AssignExpr[] {
  return [...walk(fn.body)].flatMap((node) =>
    node.kind === 'assign' &&
    node.op === '=' &&
    node.target.kind === 'member' &&
    isNull(node.value) &&
    endOf(node.target) === name
      ? [node]
      : [],
  );
}

/** A return of an error, or a jump, that a condition after the store leads to. */
function failureAfter(fn: FunctionIr, store: AssignExpr): Stmt | null {
  for (const node of walk(fn.body)) {
    if (node.kind !== 'if' || node.start < store.end) continue;
    const last = node.then.kind === 'block' ? node.then.body.at(-1) : node.then;
    if (last?.kind === 'goto') return last;
    if (last?.kind === 'return' && last.value !== null && !isNull(last.value)) return last;
  }
  return null;
}
