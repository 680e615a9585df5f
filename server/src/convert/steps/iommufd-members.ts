/** The step that adds the iommufd members to a driver of the new model. */
import { isIommufdMember } from '../../kernel/name-forms.ts';
import type { FileIr, InitializerExpr, VariableIr } from '../../ir/types.ts';
import { familyRegisteredBy, type IommuFamily } from '../../kernel/iommu-families.ts';
import { compareVersions, formatVersion } from '../../kernel/version.ts';
import { indentUnit, lineEnding } from '../../text/style.ts';
import { rootOf } from '../plan/allocation.ts';
import { tablesOf } from '../plan/arguments.ts';
import { allExpressions, statementsOf } from '../../lifecycle/module/statements.ts';
import { refuse } from '../refusal-error.ts';
import { callSites, type CallSite } from '../query/call-sites.ts';
import { iommufdMembers } from '../plan/tables.ts';
import { tableEdits } from '../rewrite/table-text.ts';
import type { Module } from '../../lifecycle/types.ts';
import { typeOf } from '../../lifecycle/module/types-of.ts';
import type { Step } from './types.ts';

/**
 * Adds the iommufd members that the registration of the target requires to the ops tables of a
 * driver that is of the new model already.
 */
export const addIommufdMembers: Step = ({ input, file, functionName }) => {
  const { module, kernel } = input;
  if (compareVersions(kernel, [6, 2]) < 0 || functionName !== undefined) return null;
  const calls = new Set(module.sources.flatMap(callNames));
  if (
    !calls.has('vfio_alloc_device') ||
    calls.has('vfio_init_group_dev') ||
    calls.has('vfio_pci_core_init_device')
  )
    return null;
  const tables = file.variables.flatMap((variable) => {
    if (
      variable.type.name !== 'vfio_device_ops' ||
      variable.init?.kind !== 'initializer' ||
      variable.isExtern
    )
      return [];
    const { init } = variable;
    // Members may hide in what was not understood.
    if (
      !init.complete ||
      init.entries.some((entry) => entry.designators.length === 0) ||
      init.entries.every((entry) => entry.conditions.length > 0)
    )
      return [];
    const has = (name: string): boolean =>
      init.entries.some((entry) => entry.designators[0] === name);
    if (iommufdMembers(kernel, has, 'physical').length === 0) return [];
    return [
      {
        variable,
        members: iommufdMembers(kernel, has, familyOf(module, file, variable.name, init)),
      },
    ];
  });
  if (tables.length === 0) return null;
  for (const { variable } of tables) refuseOwnMembers(file, variable);
  const eol = lineEnding(file.text);
  return {
    edits: [
      {
        path: file.path,
        edits: tables.flatMap(({ variable, members }) =>
          tableEdits(
            file,
            { file, variable, members, releaseStub: null },
            indentUnit(file.text),
            eol,
          ).map((edit) => ({ ...edit, kind: 'ops-table' as const })),
        ),
      },
    ],
    notes: tables.map(({ variable, members }) => ({
      text: `${variable.name} got the iommufd members that registration requires in ${formatVersion(kernel)}: ${members.map((member) => `.${member.name}`).join(', ')}.`,
      site: { path: file.path, ...variable.nameSpan },
    })),
    touched: tables.map(({ variable }) => variable.name),
  };
};

function callNames(file: FileIr): string[] {
  return file.functions.flatMap((fn) =>
    statementsOf(fn).flatMap(({ stmt }) =>
      allExpressions(stmt).flatMap((expr) =>
        expr.kind === 'call' && expr.name !== null ? [expr.name] : [],
      ),
    ),
  );
}

/**
 * By the members that the table has, else by how the devices that are allocated with it are
 * registered, or all of the module where that cannot be told.
 */
function familyOf(module: Module, file: FileIr, table: string, init: InitializerExpr): IommuFamily {
  const written = new Set(
    init.entries.flatMap(
      (entry) =>
        /\bvfio_iommufd_(physical|emulated)_/.exec(file.text.slice(entry.start, entry.end))?.[1] ??
        [],
    ),
  );
  if (written.size === 1) return [...written][0] as IommuFamily;
  const sites = module.sources.flatMap((source) => callSites(module, source));
  const tags = new Set(
    sites.flatMap((site) => {
      const [tag, , , ops] = site.call.args;
      return site.op === 'alloc' &&
        tag?.kind === 'name' &&
        ops &&
        tablesOf(site.scope, ops)?.includes(table)
        ? [tag.name]
        : [];
    }),
  );
  const registers = sites.filter((site) => site.op === 'register');
  const own = registers.filter((site) => tags.has(tagOf(site) ?? ''));
  const families = new Set(
    (own.length > 0 ? own : registers).flatMap((site) => familyRegisteredBy(site.call.name) ?? []),
  );
  if (families.size === 1) return [...families][0]!;
  refuse(
    'table-incomplete',
    `It is not known which iommufd members \`${table}\` needs: no registration of its devices was found, or both with and without an IOMMU of their own. Add them by hand, \`vfio_iommufd_physical_…\` or \`vfio_iommufd_emulated_…\`.`,
    file,
    init,
  );
}

/** The struct that the registered device is in. */
function tagOf(site: CallSite): string | undefined {
  const root = rootOf(site.scope, site.target);
  return root ? typeOf(site.scope, root)?.tag : undefined;
}

/** A driver with iommufd functions of its own knows best what belongs to them. */
function refuseOwnMembers(file: FileIr, variable: VariableIr): void {
  for (const entry of (variable.init as InitializerExpr).entries) {
    const [name = ''] = entry.designators;
    if (
      !isIommufdMember(name) ||
      /\bvfio_iommufd_(?:physical|emulated)_/.test(file.text.slice(entry.start, entry.end))
    )
      continue;
    refuse(
      'table-incomplete',
      `\`${variable.name}\` has a \`.${name}\` of the driver's own, and the target wants others beside it that match. Add them by hand.`,
      file,
      entry,
    );
  }
}
