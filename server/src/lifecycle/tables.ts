import type { Expr, FileIr, FunctionIr, InitializerExpr, VariableIr } from '../ir/types.ts';
import type { EffectOp, KernelVersion } from '../kernel/types.ts';
import { compareVersions } from '../kernel/version.ts';
import type { ModuleIndex } from './module.ts';
import { kernelCalls, scanOf } from './scan.ts';
import type { DriverTable, OpsTable, Role } from './types.ts';

type TableMember = { readonly value: string; readonly span: { readonly start: number; readonly end: number }; readonly conditions: InitializerExpr['entries'][number]['conditions'] };

/** Pairs of members that begin and end a device's life in a driver table, by the table's type; `null` is any other struct. */
const DRIVER_PAIRS: readonly { readonly type: RegExp; readonly probe: string; readonly remove: readonly string[] }[] = [
  { type: /_driver$/, probe: 'probe', remove: ['remove', 'remove_new'] },
  { type: /^mdev_parent_ops$/, probe: 'create', remove: ['remove'] },
  { type: /^component_ops$/, probe: 'bind', remove: ['unbind'] },
  { type: /^subsys_interface$|^class_interface$/, probe: 'add_dev', remove: ['remove_dev'] },
];

const OBJECT_LIFE_CYCLE: KernelVersion = [6, 1];
const OPEN_DEVICE: KernelVersion = [5, 15];

/** Driver tables of the module's sources: where probe and remove meet. */
export function driverTables(index: ModuleIndex): DriverTable[] {
  return tables(index).flatMap(({ file, variable, init }) => {
    const pair = DRIVER_PAIRS.find((p) => p.type.test(variable.type.name));
    if (!pair) return [];
    const members = membersOf(file, init);
    const name = (keys: readonly string[]) => keys.map((k) => members.get(k)?.value).find((v) => v !== undefined && v !== 'NULL') ?? null;
    const probe = name([pair.probe]), remove = name(pair.remove);
    return probe || remove ? [{ path: file.path, variable, probe, remove, complete: isComplete(init) }] : [];
  });
}

/** vfio_device_ops tables of the module, with the calls that were given them. */
export function opsTables(index: ModuleIndex, kernel: KernelVersion): OpsTable[] {
  const uses = index.allFunctions.flatMap(({ file, item }) => tableUses(index, file, item, kernel));
  return tables(index).flatMap(({ file, variable, init }) => {
    if (variable.type.name !== 'vfio_device_ops') return [];
    const members = membersOf(file, init);
    const givenTo = uses.filter((u) => u.table === variable).map(({ site, op, api, function: fn }) => ({ site, op, api, function: fn }));
    return [{ path: file.path, variable, members, complete: isComplete(init), style: styleOf(members, kernel), givenTo }];
  });
}

/** What the driver uses each function for. A function in no table that others call, or that nothing names, is a helper. */
export function rolesOf(index: ModuleIndex, drivers: readonly DriverTable[], ops: readonly OpsTable[], kernel: KernelVersion): Map<FunctionIr, Role> {
  const roles = new Map<FunctionIr, Role>();
  const set = (path: string, name: string | null | undefined, role: Role) => {
    const file = fileOf(index, path);
    if (file && name) for (const d of index.functions(file, name)) if (!roles.has(d.item)) roles.set(d.item, role);
  };
  for (const d of drivers) { set(d.path, d.probe, 'probe'); set(d.path, d.remove, 'remove'); }
  for (const o of ops) {
    const object = o.style !== 'fd' && compareVersions(kernel, OBJECT_LIFE_CYCLE) >= 0;
    if (object) { set(o.path, o.members.get('init')?.value, 'init'); set(o.path, o.members.get('release')?.value, 'release'); }
    for (const [, m] of o.members) set(o.path, m.value, 'callback');
  }
  for (const { file, item } of index.allFunctions) {
    for (const { call, effects } of kernelCalls(item, kernel, index.module.wrappers).list) {
      for (const effect of effects) if (effect.op === 'defer') { const a = call.args[effect.callback]; set(file.path, a ? referenced(a) : null, 'action'); }
    }
    for (const m of file.fileMacros) if (m.name === 'module_init' || m.name === 'module_exit') set(file.path, m.args[0], 'module');
  }
  for (const { item } of index.allFunctions) if (!roles.has(item)) roles.set(item, 'helper');
  return roles;
}

/** The name in `name` or `&name`, through casts. */
export function referenced(e: Expr): string | null {
  if (e.kind === 'name') return e.name;
  if (e.kind === 'cast') return referenced(e.operand);
  return e.kind === 'unary' && e.op === '&' ? referenced(e.operand) : null;
}

function fileOf(index: ModuleIndex, path: string): FileIr | undefined {
  return [...index.module.sources, ...index.module.headers].find((f) => f.path === path);
}

function tables(index: ModuleIndex): { file: FileIr; variable: VariableIr; init: InitializerExpr }[] {
  return [...index.module.sources, ...index.module.headers].flatMap((file) =>
    file.variables.flatMap((variable) => (variable.init?.kind === 'initializer' ? [{ file, variable, init: variable.init }] : [])));
}

/** Neither an #if nor a macro that stands for members (`FOO_COMMON_OPS,`) may hide one. */
function isComplete(init: InitializerExpr): boolean {
  return init.complete && init.entries.every((e) => e.conditions.length === 0 && e.designators.length > 0);
}

function membersOf(file: FileIr, init: InitializerExpr): Map<string, TableMember> {
  const members = new Map<string, TableMember>();
  for (const e of init.entries) {
    const name = e.designators[0];
    if (e.designators.length === 1 && name) members.set(name, { value: referenced(e.value) ?? file.text.slice(e.value.start, e.value.end), span: { start: e.start, end: e.end }, conditions: e.conditions });
  }
  return members;
}

/** `.release` beside `.open` is the callback of closing a file, of 5.14 and before; the object's came with 6.1. */
function styleOf(members: ReadonlyMap<string, TableMember>, kernel: KernelVersion): OpsTable['style'] {
  if (members.has('open_device') || members.has('init') || members.has('bind_iommufd')) return 'object';
  if (members.has('open')) return 'fd';
  return compareVersions(kernel, OPEN_DEVICE) < 0 ? 'fd' : 'object';
}

/** Calls that give an ops table to a device: `&table`, or a local pointer that was set to one. */
function tableUses(index: ModuleIndex, file: FileIr, fn: FunctionIr, kernel: KernelVersion) {
  const uses: { table: VariableIr; site: { path: string; start: number; end: number }; op: EffectOp; api: string; function: FunctionIr }[] = [];
  const pointers = new Map<string, string[]>();
  const note = (name: string, value: Expr | null) => {
    if (!value) return;
    for (const v of value.kind === 'conditional' ? [value.then, value.otherwise] : [value]) { const r = v && referenced(v); if (r) pointers.set(name, [...(pointers.get(name) ?? []), r]); }
  };
  const calls = kernelCalls(fn, kernel, index.module.wrappers);
  const making = calls.list.flatMap(({ call, name, effects }) => effects.flatMap((x) => (x.op === 'alloc' || x.op === 'init' || x.op === 'init-device' ? [{ call, name, op: x.op }] : [])));
  if (!making.length) return uses;
  for (const d of scanOf(fn).decls) note(d.name, d.init);
  for (const a of scanOf(fn).assigns) if (a.target.kind === 'name') note(a.target.name, a.value);
  for (const { call, name: api, op } of making) {
    for (const a of call.args) for (const name of namesOf(a, pointers)) {
      const v = index.variable(file, name);
      if (v?.item.type.name === 'vfio_device_ops') uses.push({ table: v.item, site: { path: file.path, start: call.start + calls.delta, end: call.end + calls.delta }, op, api, function: fn });
    }
  }
  return uses;
}

function namesOf(e: Expr, pointers: ReadonlyMap<string, readonly string[]>): readonly string[] {
  if (e.kind === 'conditional') return [...(e.then ? namesOf(e.then, pointers) : []), ...namesOf(e.otherwise, pointers)];
  const name = referenced(e);
  return name === null ? [] : [name, ...(pointers.get(name) ?? [])];
}
