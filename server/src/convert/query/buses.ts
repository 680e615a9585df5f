/**
 * Which bus a device is on, as the drivers of a module show it: told by the device that probe is
 * given, and not by how it is registered.
 */
import type { FileIr, FunctionIr, InitializerExpr, VariableIr } from '../../ir/types.ts';
import { BUS_DRIVERS, isOfMediated, type BusDriver } from '../../kernel/bus-drivers.ts';
import type { Module } from '../../lifecycle/types.ts';
import { allExpressions, statementsOf } from '../../lifecycle/module/statements.ts';
import { callbackOf } from '../plan/target-changes.ts';
import { resolveType } from '../../lifecycle/module/types-of.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

/** A table of driver callbacks, and the probe function in it. */
export interface DriverUse {
  readonly file: FileIr;
  readonly variable: VariableIr;
  readonly init: InitializerExpr;
  readonly bus: BusDriver;
  readonly probe: FunctionIr;
}

/** The driver tables in the sources of a module whose probe function is one of them too. */
export function driversOf(module: Module): DriverUse[] {
  return module.sources.flatMap((file) =>
    file.variables.flatMap((variable) => {
      const bus = BUS_DRIVERS.find(({ tag }) => tag === variable.type.name);
      if (!bus || variable.init?.kind !== 'initializer') return [];
      const { init } = variable;
      const entry = init.entries.find(
        ({ designators }) => designators.length === 1 && designators[0] === bus.probe,
      );
      const probe =
        entry &&
        (callbackOf(file, entry) ??
          elsewhere(module, file, entry.value.kind === 'name' ? entry.value.name : ''));
      return probe ? [{ file, variable, init, bus, probe }] : [];
    }),
  );
}

/** The function of another source that a table names. */
function elsewhere(module: Module, file: FileIr, name: string): FunctionIr | null {
  const found = module.sources
    .filter((other) => other !== file)
    .flatMap((other) => namedFunctions(other, name).filter((fn) => !fn.isStatic));
  return found.length === 1 ? found[0]! : null;
}

/** `seeds`, and all functions of the module that lead to one of them by calls. */
export function callersOf(module: Module, seeds: readonly FunctionIr[]): ReadonlySet<FunctionIr> {
  const all = module.sources.flatMap((file) => file.functions);
  const found = new Set(seeds);
  for (let size = -1; size < found.size;) {
    size = found.size;
    const names = new Set([...found].map(({ name }) => name));
    for (const fn of all)
      if (!found.has(fn) && calledIn(fn).some((name) => names.has(name))) found.add(fn);
  }
  return found;
}

const known = new WeakMap<FunctionIr, readonly string[]>();

/** The names of the functions that one calls. */
function calledIn(fn: FunctionIr): readonly string[] {
  let names = known.get(fn);
  if (!names) {
    names = statementsOf(fn).flatMap(({ stmt }) =>
      allExpressions(stmt).flatMap((expr) =>
        expr.kind === 'call' && expr.name !== null ? [expr.name] : [],
      ),
    );
    known.set(fn, names);
  }
  return names;
}

/**
 * Whether the functions that make, register or take down a device work on mediated ones: `yes`
 * where one of them, or of those that lead to them,
 * has a `struct mdev_device`, calls a function for one or is the probe of an mdev driver; `both`
 * where the probe of another bus leads to them too.
 */
export function isMediated(module: Module, seeds: readonly FunctionIr[]): 'yes' | 'no' | 'both' {
  const reaching = callersOf(module, seeds);
  const drivers = driversOf(module).filter(({ probe }) => reaching.has(probe));
  const shown = module.sources.some((file) =>
    file.functions.some((fn) => reaching.has(fn) && worksOnMediated(module, file, fn)),
  );
  if (!shown && !drivers.some(({ bus }) => bus.mediated)) return 'no';
  return drivers.some(({ bus }) => !bus.mediated) ? 'both' : 'yes';
}

function worksOnMediated(module: Module, file: FileIr, fn: FunctionIr): boolean {
  const locals = statementsOf(fn).flatMap(({ stmt }) => (stmt.kind === 'decl' ? [stmt.type] : []));
  return (
    [...fn.params.map(({ type }) => type), ...locals].some(
      (type) => resolveType(module, file, type)?.tag === 'mdev_device',
    ) || calledIn(fn).some(isOfMediated)
  );
}
