import type { Expr, FileIr, FunctionIr, InitializerExpr, VariableIr } from '../ir/types.ts';
import type { EffectOp, KernelVersion } from '../kernel/types.ts';
import { compareVersions } from '../kernel/version.ts';
import { walkStmt } from '../ir/visit.ts';
import { isComplete, isReadable, referenced } from './driver-tables.ts';
import type { ModuleIndex } from './module.ts';
import { kernelCallers, scanOf, type KernelCaller } from './scan.ts';
import type { DriverTable, OpsTable, Role } from './types.ts';

type TableMember = {
  readonly value: string;
  readonly span: { readonly start: number; readonly end: number };
  readonly conditions: InitializerExpr['entries'][number]['conditions'];
};

const OBJECT_LIFE_CYCLE: KernelVersion = [6, 1];
const OPEN_DEVICE: KernelVersion = [5, 15];

/** vfio_device_ops tables of the module, with the calls that were given them. */
export function opsTables(index: ModuleIndex, kernel: KernelVersion): OpsTable[] {
  const uses = kernelCallers(index, kernel).flatMap((caller) => tableUses(index, caller));
  return tables(index).flatMap(({ file, variable, init }) => {
    if (variable.type.name !== 'vfio_device_ops') return [];
    const members = membersOf(file, init);
    const givenTo = uses
      .filter((u) => u.table === variable)
      .map(({ site, op, api, args, function: fn }) => ({ site, op, api, args, function: fn }));
    return [
      {
        path: file.path,
        variable,
        members,
        complete: isComplete(init),
        readable: isReadable(init),
        style: styleOf(members, kernel),
        givenTo,
      },
    ];
  });
}

/**
 * What the driver uses each function for. A function in no table that others call, or that nothing
 * names, is a helper.
 */
export function rolesOf(
  index: ModuleIndex,
  drivers: readonly DriverTable[],
  ops: readonly OpsTable[],
  kernel: KernelVersion,
): Map<FunctionIr, Role> {
  const roles = new Map<FunctionIr, Role>();
  const set = (path: string, name: string | null | undefined, role: Role) => {
    const file = fileOf(index, path);
    if (file && name)
      for (const d of index.functions(file, name)) if (!roles.has(d.item)) roles.set(d.item, role);
  };
  for (const d of drivers) {
    set(d.path, d.probe, 'probe');
    set(d.path, d.remove, 'remove');
  }
  for (const o of ops) {
    const object = o.style !== 'fd' && compareVersions(kernel, OBJECT_LIFE_CYCLE) >= 0;
    if (object) {
      set(o.path, o.members.get('init')?.value, 'init');
      set(o.path, o.members.get('release')?.value, 'release');
    }
    for (const [, m] of o.members) set(o.path, m.value, 'callback');
  }
  for (const file of [...index.module.sources, ...index.module.headers]) {
    if (file.functions.length)
      for (const m of file.fileMacros)
        if (m.name === 'module_init' || m.name === 'module_exit')
          set(file.path, m.args[0], 'module');
  }
  for (const { file, list } of kernelCallers(index, kernel)) {
    for (const { call, effects } of list) {
      for (const effect of effects)
        if (effect.op === 'defer') {
          const a = call.args[effect.callback];
          set(file.path, a ? referenced(a) : null, 'action');
        }
    }
  }
  for (const { item } of index.allFunctions) if (!roles.has(item)) roles.set(item, 'helper');
  return roles;
}

function fileOf(index: ModuleIndex, path: string): FileIr | undefined {
  return [...index.module.sources, ...index.module.headers].find((f) => f.path === path);
}

function tables(
  index: ModuleIndex,
): { file: FileIr; variable: VariableIr; init: InitializerExpr }[] {
  return [...index.module.sources, ...index.module.headers].flatMap((file) =>
    file.variables.flatMap((variable) =>
      variable.init?.kind === 'initializer' ? [{ file, variable, init: variable.init }] : [],
    ),
  );
}

function membersOf(file: FileIr, init: InitializerExpr): Map<string, TableMember> {
  const members = new Map<string, TableMember>();
  for (const e of init.entries) {
    const name = e.designators[0];
    // `.release = NULL` is what a table without it holds.
    if (
      e.designators.length === 1 &&
      name &&
      file.text.slice(e.value.start, e.value.end) !== 'NULL'
    )
      members.set(name, {
        value: referenced(e.value) ?? file.text.slice(e.value.start, e.value.end),
        span: { start: e.start, end: e.end },
        conditions: e.conditions,
      });
  }
  return members;
}

/**
 * `.release` beside `.open` is the callback of closing a file, of 5.14 and before; the object's
 * came with 6.1.
 */
function styleOf(
  members: ReadonlyMap<string, TableMember>,
  kernel: KernelVersion,
): OpsTable['style'] {
  if (members.has('open_device') || members.has('init') || members.has('bind_iommufd'))
    return 'object';
  if (members.has('open')) return 'fd';
  return compareVersions(kernel, OPEN_DEVICE) < 0 ? 'fd' : 'object';
}

/**
 * Calls that give an ops table to a device: `&table`, a local pointer that was set to one, what a
 * function of the module returns, a parameter.
 */
function tableUses(index: ModuleIndex, { file, item: fn, list, delta }: KernelCaller) {
  const uses: {
    table: VariableIr;
    site: { path: string; start: number; end: number };
    op: EffectOp;
    api: string;
    args: readonly Expr[];
    function: FunctionIr;
  }[] = [];
  const making = list.flatMap(({ call, name, effects }) =>
    effects.flatMap((x) =>
      x.op === 'alloc' || x.op === 'init' || x.op === 'init-device'
        ? [{ call, name, op: x.op }]
        : [],
    ),
  );
  for (const { call, name: api, op } of making) {
    const tables = new Set(call.args.flatMap((a) => tablesIn(index, file, fn, a, 0)));
    for (const table of tables)
      uses.push({
        table,
        site: { path: file.path, start: call.start + delta, end: call.end + delta },
        op,
        api,
        args: call.args,
        function: fn,
      });
  }
  return uses;
}

/** A getter of a getter, a helper of a helper: nobody goes further. */
const MAX_TABLE_DEPTH = 4;

/** The ops tables that an expression of a function may stand for. */
function tablesIn(
  index: ModuleIndex,
  file: FileIr,
  fn: FunctionIr,
  e: Expr,
  depth: number,
): VariableIr[] {
  if (depth > MAX_TABLE_DEPTH) return [];
  if (e.kind === 'conditional')
    return [
      ...(e.then ? tablesIn(index, file, fn, e.then, depth + 1) : []),
      ...tablesIn(index, file, fn, e.otherwise, depth + 1),
    ];
  if (e.kind === 'call' && e.name !== null)
    return index
      .functions(file, e.name)
      .flatMap((d) =>
        returnedBy(d.item).flatMap((x) => tablesIn(index, d.file, d.item, x, depth + 1)),
      );
  const name = referenced(e);
  if (name === null) return [];
  const position = fn.params.findIndex((p) => p.name === name);
  if (position >= 0)
    return argumentsAt(index, fn, position).flatMap((x) =>
      tablesIn(index, x.file, x.fn, x.e, depth + 1),
    );
  const scan = scanOf(fn);
  const values = [
    ...scan.decls.flatMap((d) => (d.name === name && d.init ? [d.init] : [])),
    ...scan.assigns.flatMap((x) =>
      x.target.kind === 'name' && x.target.name === name ? [x.value] : [],
    ),
  ];
  if (scan.decls.some((d) => d.name === name))
    return values.flatMap((x) => tablesIn(index, file, fn, x, depth + 1));
  const v = index.variable(file, name);
  return v?.item.type.name === 'vfio_device_ops' ? [v.item] : [];
}

function returnedBy(fn: FunctionIr): Expr[] {
  const values: Expr[] = [];
  walkStmt(fn.body, (x) => {
    if (x.kind === 'return' && x.value) values.push(x.value);
  });
  return values;
}

/** What the functions of the module pass to a parameter of one of them. */
function argumentsAt(
  index: ModuleIndex,
  fn: FunctionIr,
  position: number,
): { file: FileIr; fn: FunctionIr; e: Expr }[] {
  const callers = index.allFunctions.filter((d) => scanOf(d.item).names.called.includes(fn.name));
  return callers.flatMap((d) =>
    scanOf(d.item).calls.flatMap((call) => {
      const e = call.args[position];
      return call.name === fn.name &&
        e &&
        index.functions(d.file, fn.name).some((x) => x.item === fn)
        ? [{ file: d.file, fn: d.item, e }]
        : [];
    }),
  );
}
