/** The ops tables of a device, which it may share with others. */
import type { FileIr, FunctionIr } from '../../ir/types.ts';
import type { IommuFamily } from '../../kernel/iommu-families.ts';
import { placeOf } from '../modules/merge.ts';
import type { CallSite } from '../query/call-sites.ts';
import { elementsOf } from '../query/table-elements.ts';
import { refuse, textOf } from '../refusal-error.ts';
import type { ConversionInput, TablePlan } from '../types.ts';
import { plain, tablesOf } from './arguments.ts';
import { findTable, planTable } from './tables.ts';

interface OfDevice {
  readonly family: IommuFamily | 'unknown';
  readonly core: boolean;
  /** The function that allocates. */
  readonly fn: FunctionIr;
}

/** What each table needs that the init call of a device may be given. */
export function tablesOfSite(
  { kernel, callbacks }: ConversionInput,
  file: FileIr,
  site: CallSite,
  { family, core, fn }: OfDevice,
): TablePlan[] {
  const ops = site.call.args[2];
  // The search for the allocation has refused a call without it.
  if (!ops) return [];
  const names = tablesOf(site.scope, ops);
  if (!names)
    refuse(
      'table-chosen-late',
      `It is not known which ops table \`${plain(textOf(file, ops))}\` is. Pass \`&table\`, or a local that is only set to addresses of tables before the allocation.`,
      file,
      ops,
    );
  return names.flatMap((name) => {
    const table = findTable(file, name, ops);
    // A table of another document may serve the probes of several drivers: what is added there is
    // not named after one of them.
    const own = placeOf(file, table.start).file === placeOf(file, fn.start).file;
    const needs = {
      kernel,
      family,
      core,
      functionName: own ? fn.name : null,
      callbacks: callbacks?.get(name),
    };
    return elementsOf(file, table).map((element) => planTable(file, element, needs));
  });
}

/** Two devices may share a table; then both must need the same of it. */
export function mergeTable(file: FileIr, tables: Map<string, TablePlan>, table: TablePlan): void {
  const element = `${table.variable.name} ${table.variable.init?.start ?? 0}`;
  const known = tables.get(element);
  if (!known) {
    tables.set(element, table);
    return;
  }
  const key = (plan: TablePlan): string =>
    plan.members
      .filter((item) => item.value !== plan.releaseStub)
      .map((item) => item.value)
      .join();
  if (key(known) !== key(table))
    refuse(
      'table-incomplete',
      `\`${table.variable.name}\` serves devices that need different members. Give each its own table.`,
      file,
      table.variable.nameSpan,
    );
}

/**
 * Tables of one source share a generated `.release` of the same name: it stands above the first of
 * them.
 */
export function withOneStub(file: FileIr, tables: readonly TablePlan[]): TablePlan[] {
  const first = new Map<string, TablePlan>();
  const keyOf = (table: TablePlan): string =>
    `${placeOf(file, table.variable.start).file.path}\n${table.releaseStub ?? ''}`;
  for (const table of [...tables].sort((left, right) => left.variable.start - right.variable.start))
    if (!first.has(keyOf(table))) first.set(keyOf(table), table);
  return tables.map((table) =>
    table.releaseStub === null || first.get(keyOf(table)) === table
      ? table
      : { ...table, releaseStub: null },
  );
}
