/** The ops tables of a module and the roles that they and the driver tables give to functions. */
import { areSameConditions } from '../../ir/text-conditions.ts';
import type { Expr, FileIr, FunctionIr, InitializerExpr, VariableIr } from '../../ir/types.ts';
import type { EffectOp, KernelVersion } from '../../kernel/types.ts';
import { compareVersions } from '../../kernel/version.ts';
import { walkStmt } from '../../ir/visit.ts';
import { isExcluded, macrosOf, undecided } from './preprocessor.ts';
import { isReadable, referenced } from './driver-tables.ts';
import type { ModuleIndex } from './module.ts';
import { writtenTables } from './written-tables.ts';
import { kernelCallers, scanOf, type KernelCaller } from './function-scan.ts';
import { givenRoles } from './roles.ts';
import type { DriverTable, OpsTable, Role } from '../types.ts';

type TableMember = {
  readonly value: string;
  readonly span: { readonly start: number; readonly end: number };
  readonly conditions: InitializerExpr['entries'][number]['conditions'];
};

const OBJECT_LIFE_CYCLE: KernelVersion = [6, 1];
const OPEN_DEVICE: KernelVersion = [5, 15];

/** What gives a device its table. */
const MAKING: readonly EffectOp[] = ['alloc', 'init', 'init-device'];

/** vfio_device_ops tables of the module, with the calls that were given them. */
export function opsTables(index: ModuleIndex, kernel: KernelVersion): OpsTable[] {
  const uses = kernelCallers(index, kernel, MAKING).flatMap((caller) => tableUses(index, caller));
  const macros = macrosOf(index.module, kernel);
  return writtenTables(index).flatMap((table) => {
    const { file, variable, isByMacro } = table;
    if (variable.type.name !== 'vfio_device_ops') return [];
    const { init } = table;
    // A table is what the target kernel compiles of it.
    const entries = init.entries.filter((one) => !isExcluded(one.conditions, kernel, macros));
    const isOpen = entries.some((one) => undecided(one.conditions, kernel, macros).length > 0);
    const members = membersOf(file, entries);
    const givenTo = uses
      .filter((use) => use.table === variable)
      .map(({ site, op, api, args, function: fn }) => ({ site, op, api, args, function: fn }));
    return [
      {
        path: file.path,
        variable,
        members,
        complete: isReadable(init) && !isOpen,
        readable: isReadable(init) && !isByMacro,
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
): ReadonlyMap<FunctionIr, Role> {
  const roles = new Map<number, Role>();
  const files = [...index.module.sources, ...index.module.headers];
  const set = (path: string, name: string | null | undefined, role: Role) => {
    const file = name ? files.find((one) => one.path === path) : undefined;
    if (file && name)
      for (const definition of index.functions(file, name)) {
        const position = index.positionOf(definition.item)!;
        if (!roles.has(position)) roles.set(position, role);
      }
  };
  for (const driver of drivers) {
    set(driver.path, driver.probe, 'probe');
    set(driver.path, driver.remove, 'remove');
  }
  for (const table of ops) {
    const object = table.style !== 'fd' && compareVersions(kernel, OBJECT_LIFE_CYCLE) >= 0;
    if (object) {
      set(table.path, table.members.get('init')?.value, 'init');
      set(table.path, table.members.get('release')?.value, 'release');
    }
    for (const [, member] of table.members) set(table.path, member.value, 'callback');
  }
  for (const file of files) {
    if (file.functions.length)
      for (const fileMacro of file.fileMacros)
        if (fileMacro.name === 'module_init' || fileMacro.name === 'module_exit')
          set(file.path, fileMacro.args[0], 'module');
  }
  for (const { file, list } of kernelCallers(index, kernel, ['defer'])) {
    for (const { call, effects } of list) {
      for (const effect of effects)
        if (effect.op === 'defer') {
          const expr = call.args[effect.callback];
          set(file.path, expr ? referenced(expr) : null, 'action');
        }
    }
  }
  return givenRoles(index, roles);
}

function membersOf(file: FileIr, entries: InitializerExpr['entries']): Map<string, TableMember> {
  const members = new Map<string, TableMember>();
  for (const entry of entries) {
    const name = entry.designators[0];
    // `.release = NULL` is what a table without it holds.
    if (entry.designators.length === 1 && name && textOf(file, entry.value) !== 'NULL')
      members.set(name, {
        value: referenced(entry.value) ?? textOf(file, entry.value),
        span: { start: entry.start, end: entry.end },
        conditions: entry.conditions,
      });
  }
  if (isOfFile(members.get('open'), members.get('release'))) members.delete('release');
  return members;
}

function textOf(file: FileIr, value: Expr): string {
  return value.kind === 'name' ? value.name : file.text.slice(value.start, value.end);
}

/**
 * `.release` in an arm of its own with `.open`: there it is the callback of closing a file, whatever
 * the other arms have.
 */
function isOfFile(open: TableMember | undefined, release: TableMember | undefined): boolean {
  return (
    open !== undefined &&
    release !== undefined &&
    open.conditions.length > 0 &&
    areSameConditions(open.conditions, release.conditions)
  );
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
    effects.flatMap((effect) =>
      MAKING.includes(effect.op) ? [{ call, name, op: effect.op }] : [],
    ),
  );
  for (const { call, name: api, op } of making) {
    const tables = new Set(call.args.flatMap((expr) => tablesIn(index, file, fn, expr, 0)));
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
  expr: Expr,
  depth: number,
): VariableIr[] {
  if (depth > MAX_TABLE_DEPTH) return [];
  if (expr.kind === 'conditional')
    return [
      ...(expr.then ? tablesIn(index, file, fn, expr.then, depth + 1) : []),
      ...tablesIn(index, file, fn, expr.otherwise, depth + 1),
    ];
  if (expr.kind === 'call' && expr.name !== null)
    return index
      .functions(file, expr.name)
      .flatMap((definition) =>
        returnedBy(definition.item).flatMap((operand) =>
          tablesIn(index, definition.file, definition.item, operand, depth + 1),
        ),
      );
  const name = referenced(expr);
  if (name === null) return [];
  const position = fn.params.findIndex((param) => param.name === name);
  if (position >= 0)
    return argumentsAt(index, fn, position).flatMap((argument) =>
      tablesIn(index, argument.file, argument.fn, argument.expr, depth + 1),
    );
  const scan = scanOf(fn);
  const values = [
    ...scan.decls.flatMap((decl) => (decl.name === name && decl.init ? [decl.init] : [])),
    ...scan.assigns.flatMap((assignment) =>
      assignment.target.kind === 'name' && assignment.target.name === name
        ? [assignment.value]
        : [],
    ),
  ];
  if (scan.decls.some((decl) => decl.name === name))
    return values.flatMap((operand) => tablesIn(index, file, fn, operand, depth + 1));
  const variable = index.variable(file, name)?.item ?? declaredByMacro(index, file, name);
  return variable?.type.name === 'vfio_device_ops' ? [variable] : [];
}

function declaredByMacro(index: ModuleIndex, file: FileIr, name: string): VariableIr | null {
  const found = writtenTables(index).filter(
    (table) =>
      table.isByMacro &&
      table.variable.name === name &&
      (table.file === file || !table.variable.isStatic),
  );
  return found.length === 1 ? found[0]!.variable : null;
}

function returnedBy(fn: FunctionIr): Expr[] {
  const values: Expr[] = [];
  walkStmt(fn.body, (stmt) => {
    if (stmt.kind === 'return' && stmt.value) values.push(stmt.value);
  });
  return values;
}

/** What the functions of the module pass to a parameter of one of them. */
function argumentsAt(
  index: ModuleIndex,
  fn: FunctionIr,
  position: number,
): { file: FileIr; fn: FunctionIr; expr: Expr }[] {
  const callers = index.allFunctions.filter((definition) =>
    scanOf(definition.item).names.called.includes(fn.name),
  );
  return callers.flatMap((definition) =>
    scanOf(definition.item).calls.flatMap((call) => {
      const expr = call.args[position];
      return call.name === fn.name &&
        expr &&
        index.functions(definition.file, fn.name).some((target) => target.item === fn)
        ? [{ file: definition.file, fn: definition.item, expr }]
        : [];
    }),
  );
}
