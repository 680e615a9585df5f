/**
 * `.open_device` stores the address of a member in an object that is not the device's: where it
 * fails later, the object still leads to the device.
 */
import { originalOf } from '../ir/lower.ts';
import type { AssignExpr, Expr, FunctionIr, MemberExpr, Stmt } from '../ir/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleFacts, Site } from '../lifecycle/types.ts';
import { keptByFunction } from './function-traits.ts';
import { declaredType, isNull, spanOfToday, walk } from './locate.ts';
import { reachedFrom } from './call-graph.ts';
import type { OpenAndClose } from './open-and-close.ts';
import { written } from './wording.ts';
import type { Span } from '../text/span.ts';

/** One such store, with the reset that the close makes. */
export interface ForeignHook {
  /** The open, or what it calls. */
  readonly fn: FunctionIr;
  readonly store: Span;
  /** The place that is set, as it is written. */
  readonly place: string;
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
    const opening = reachedFrom(index, [open]).functions;
    return opening.flatMap((fn) =>
      storesOf(fn, containers).flatMap((store): ForeignHook[] => {
        const name = endOf(store.target);
        const file = index.fileOf(fn);
        // Hardly any close does: the rest is asked of few.
        const reset = resetIn(index, closing, name);
        if (reset === null || opening.some((one) => resetsOf(one).has(name))) return [];
        const failing = failureAfter(fn, store);
        if (file === undefined || failing === null) return [];
        const failure = { path: file.path, ...spanOfToday(fn, failing) };
        const place = written(file.text, spanOfToday(fn, store.target));
        return [{ fn, store: spanOfToday(fn, store), place, failure, reset }];
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
    const reset = resetsOf(by).get(name);
    if (path !== undefined && reset !== undefined)
      return { by, site: { path, ...spanOfToday(by, reset) } };
  }
  return null;
}

/** `vdev->kvm->arch.hook = &p->hook`: the address of what is in a container, in another object. */
function storesOf(fn: FunctionIr, containers: ReadonlySet<string>): readonly AssignExpr[] {
  return addressStores(fn).filter((one) => {
    const holder = structAt(fn, storedMember(one)!);
    return holder !== null && containers.has(holder) && isForeign(fn, one.target, containers);
  });
}

/** The stores of addresses of members in members, by a function as it was lowered. */
const addressStores = keptByFunction((root) =>
  scanOf(root).memberAssigns.filter((one) => storedMember(one) !== null),
);

/** The member whose address is stored in another one. */
function storedMember({ op, target, value }: AssignExpr): MemberExpr | null {
  const isStore = op === '=' && target.kind === 'member';
  const kept = isStore && value.kind === 'unary' && value.op === '&' ? value.operand : null;
  return kept?.kind === 'member' ? kept : null;
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

/** The first store of NULL to each place, by the end of its path, in a function as it was lowered. */
const resetsOf = keptByFunction((root): ReadonlyMap<string, AssignExpr> => {
  const resets = new Map<string, AssignExpr>();
  for (const one of scanOf(root).memberAssigns) {
    const name = endOf(one.target);
    if (isNull(one.value) && !resets.has(name)) resets.set(name, one);
  }
  return resets;
});

/** A return of an error, or a jump, that a condition after the store leads to. */
function failureAfter(fn: FunctionIr, store: AssignExpr): Stmt | null {
  for (const node of walk(originalOf(fn).body)) {
    if (node.kind !== 'if' || node.start < store.end) continue;
    const last = node.then.kind === 'block' ? node.then.body.at(-1) : node.then;
    if (last?.kind === 'goto') return last;
    if (last?.kind === 'return' && last.value !== null && !isNull(last.value)) return last;
  }
  return null;
}
