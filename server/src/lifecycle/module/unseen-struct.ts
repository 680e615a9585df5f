/**
 * What the code tells of a struct whose definition is not seen: which of its members are devices.
 */
import type { CallExpr, Expr, FunctionIr, TypeName } from '../../ir/types.ts';
import { originalOf } from '../../ir/lower.ts';
import { measured, spendAgain } from '../../budget/work.ts';
import type { Module } from '../types.ts';
import { scanOf } from './function-scan.ts';
import { localsOf } from './locals.ts';
import { allExpressions, statementsOf } from './statements.ts';

/** Structs of the kernel's headers that are, or hold, a vfio_device. */
const DEVICES: ReadonlySet<string> = new Set(['vfio_device', 'vfio_pci_core_device']);

/**
 * What the first parameter of these points to; the compiler checks the type of what they are given.
 */
const TAKERS: ReadonlyMap<string, string> = new Map([
  ['vfio_init_group_dev', 'vfio_device'],
  ['vfio_uninit_group_dev', 'vfio_device'],
  ['vfio_register_group_dev', 'vfio_device'],
  ['vfio_register_emulated_iommu_dev', 'vfio_device'],
  ['vfio_unregister_group_dev', 'vfio_device'],
  ['vfio_put_device', 'vfio_device'],
  ['vfio_pci_core_init_device', 'vfio_pci_core_device'],
  ['vfio_pci_core_uninit_device', 'vfio_pci_core_device'],
  ['vfio_pci_core_register_device', 'vfio_pci_core_device'],
  ['vfio_pci_core_unregister_device', 'vfio_pci_core_device'],
]);

type Members = ReadonlyMap<string, string>;
const NONE: Members = new Map();
const known = new WeakMap<Module, ReadonlyMap<string, Members>>();

/**
 * The members of `struct tag` that the module uses as devices, by name, each with its struct. Empty
 * where the struct is defined in the
 * module: then its definition is what counts.
 */
export function deviceMembersOf(module: Module, tag: string): Members {
  return unseenStructs(module).get(tag) ?? NONE;
}

/** Whether an object of the module has a struct that is defined in a header which is not seen. */
export function hasUnseenStruct(module: Module): boolean {
  return unseenStructs(module).size > 0;
}

function unseenStructs(module: Module): ReadonlyMap<string, Members> {
  const found = known.get(module) ?? membersIn(module);
  known.set(module, found);
  return found;
}

function membersIn(module: Module): ReadonlyMap<string, Members> {
  const defined = new Set(
    [...module.sources, ...module.headers].flatMap((file) =>
      file.structs.map((struct) => struct.name),
    ),
  );
  const found = new Map<string, Map<string, string>>();
  const contradicted = new Set<string>();
  for (const file of module.sources) {
    for (const fn of file.functions) {
      for (const { tag, member, device } of usesIn(fn)) {
        if (defined.has(tag)) continue;
        const members = found.get(tag) ?? new Map<string, string>();
        if ((members.get(member) ?? device) !== device) contradicted.add(tag);
        found.set(tag, members.set(member, device));
      }
    }
  }
  for (const tag of contradicted) found.delete(tag);
  return found;
}

/** `member` of `struct tag` is a `struct device`. */
interface Use {
  readonly tag: string;
  readonly member: string;
  readonly device: string;
}

/** By the function as it was lowered, with what it cost to find them. */
const uses = new WeakMap<FunctionIr, { readonly value: readonly Use[]; readonly spent: number }>();

function usesIn(fn: FunctionIr): readonly Use[] {
  const root = originalOf(fn);
  let found = uses.get(root);
  if (found) spendAgain(found.spent);
  else uses.set(root, (found = measured(() => findUses(root))));
  return found.value;
}

function findUses(fn: FunctionIr): readonly Use[] {
  if (!namesDevice(fn)) return NO_USES;
  const locals = localsOf(fn);
  return statementsOf(fn).flatMap(({ stmt }) => {
    const set =
      stmt.kind === 'decl' && stmt.init ? handedOn(locals, stmt.init, deviceOf(stmt.type)) : null;
    return [
      ...(set ? [set] : []),
      ...allExpressions(stmt).flatMap((expr) => useIn(locals, expr) ?? []),
    ];
  });
}

const NO_USES: readonly Use[] = [];

/** Nearly all functions neither have a variable that points to a device nor call a taker. */
function namesDevice(fn: FunctionIr): boolean {
  const { decls, names } = scanOf(fn);
  return (
    [...fn.params, ...decls].some(({ type }) => deviceOf(type) !== null) ||
    names.called.some((name) => TAKERS.has(name))
  );
}

type Locals = ReadonlyMap<string, TypeName | null>;

function useIn(locals: Locals, expr: Expr): Use | null {
  if (expr.kind === 'assign')
    return expr.target.kind === 'name'
      ? handedOn(locals, expr.value, deviceOf(locals.get(expr.target.name)))
      : null;
  if (expr.kind !== 'call' || expr.name === null) return null;
  if (expr.name === 'container_of') return viewed(locals, expr);
  return handedOn(locals, expr.args[0], TAKERS.get(expr.name) ?? null);
}

/** The struct of a device that a type is a pointer to. */
function deviceOf(type: TypeName | null | undefined): string | null {
  return type?.keyword === 'struct' &&
    type.pointers === 1 &&
    type.arrays === 0 &&
    DEVICES.has(type.name)
    ? type.name
    : null;
}

/** `&p->member` where a pointer to a device is wanted. */
function handedOn(locals: Locals, given: Expr | undefined, device: string | null): Use | null {
  if (
    device === null ||
    given?.kind !== 'unary' ||
    given.op !== '&' ||
    given.operand.kind !== 'member' ||
    !given.operand.arrow
  )
    return null;
  const { base, field } = given.operand;
  const type = base.kind === 'name' ? locals.get(base.name) : null;
  const isObject =
    type?.keyword === 'struct' &&
    type.pointers === 1 &&
    type.arrays === 0 &&
    !DEVICES.has(type.name);
  return isObject ? { tag: type.name, member: field, device } : null;
}

/** `container_of(v, struct foo, member)`: the member has the type that `v` points to. */
function viewed(locals: Locals, { args: [pointer, type, member] }: CallExpr): Use | null {
  const device = pointer?.kind === 'name' ? deviceOf(locals.get(pointer.name)) : null;
  if (
    device === null ||
    type?.kind !== 'type' ||
    type.type.keyword !== 'struct' ||
    member?.kind !== 'name'
  )
    return null;
  return DEVICES.has(type.type.name) ? null : { tag: type.type.name, member: member.name, device };
}
