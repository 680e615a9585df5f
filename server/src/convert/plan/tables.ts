/** What an ops table lacks for the target kernel. */
import type { Expr, FileIr, InitializerExpr, VariableIr } from '../../ir/types.ts';
import { IOMMUFD_MEMBERS, type IommuFamily } from '../../kernel/iommu-families.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import { compareVersions } from '../../kernel/version.ts';
import { freshName, prefixOf } from '../query/names.ts';
import { lineOf, refuse } from '../refusal-error.ts';
import type { Callbacks, MemberPlan, TablePlan } from '../types.ts';
import { append } from '../../text/lists.ts';

export interface TableNeeds {
  readonly kernel: KernelVersion;
  /** Unknown where a vendor's core registers. */
  readonly family: IommuFamily | 'unknown';
  /** Initialised through vfio_pci_core. */
  readonly core: boolean;
  /**
   * The function that initialises; the generated function is named after it, or without it after
   * the table.
   */
  readonly functionName: string | null;
  /** Those of a library that initialises the device. */
  readonly callbacks?: Callbacks | undefined;
}

/** The table of that name, which this file must define with a complete initialiser. */
export function findTable(file: FileIr, name: string, at: Expr): VariableIr {
  const definitions = file.variables.filter(
    (item) => item.name === name && item.init?.kind === 'initializer',
  );
  if (definitions.length > 1) {
    refuse(
      'conditional-code',
      `\`${name}\` is defined ${definitions.length} times, in different #if arms: they are different programs. Convert by hand.`,
      file,
      definitions[1]!.nameSpan,
    );
  }
  const table = definitions[0];
  if (!table)
    refuse(
      'table-elsewhere',
      `The ops table \`${name}\` is not defined in this file, and it needs other members for the target kernel. Move it here, or convert both files by hand.`,
      file,
      at,
    );
  return table;
}

/**
 * What is said of a member that means something else in the target. `.open` and the `.release` of a
 * file descriptor ended with 5.14.
 */
const OLD_MEMBERS = {
  open: '`.open` runs for each file descriptor of the device, and no kernel since 5.15 has it. Make it `.open_device` first, which runs for the first file descriptor only.',
  release:
    '`.release` runs for each file descriptor up to 5.14; in the target it runs at the last put of the device. Make it `.close_device` first, which runs for the last file descriptor only.',
  init: '`.init` belongs to the new model; finish that conversion by hand.',
} as const;

/**
 * What the table lacks for the target. Refuses a table of a kernel whose members of the same name
 * mean something else.
 */
export function planTable(file: FileIr, table: VariableIr, needs: TableNeeds): TablePlan {
  const initializer = table.init as InitializerExpr;
  const { entries } = initializer;
  const unnamed = entries.find((entry) => entry.designators.length === 0);
  if (unnamed)
    refuse(
      'table-incomplete',
      `\`${table.name}\` gives its members by position. Name them (\`.open_device = …\`) first.`,
      file,
      unnamed,
    );
  const has = (name: string): boolean =>
    entries.some((entry) => entry.designators[0] === name) || hidden(file, initializer, name);
  for (const name of ['open', 'release', 'init'] as const) {
    const entry = entries.find((item) => item.designators[0] === name);
    if (!entry && !has(name)) continue;
    const line = lineOf(file, (entry ?? initializer).start);
    refuse(
      'table-of-old-kernel',
      `\`${table.name}\`, line ${line}: ${OLD_MEMBERS[name]}`,
      file,
      entry ?? initializer,
    );
  }
  const members: MemberPlan[] = [];
  let releaseStub: string | null = null;
  if (needs.core) {
    members.push(
      { name: 'init', value: 'vfio_pci_core_init_dev', place: 'front' },
      { name: 'release', value: 'vfio_pci_core_release_dev', place: 'front' },
    );
  }
  if (needs.callbacks) members.push({ name: 'init', value: needs.callbacks.init, place: 'front' });
  if (needs.callbacks?.release)
    members.push({ name: 'release', value: needs.callbacks.release, place: 'front' });
  if (!needs.core && !needs.callbacks?.release && compareVersions(needs.kernel, [6, 2]) < 0) {
    // 6.1 calls .release without a NULL test, and leaves the free to it.
    releaseStub = stubName(file, table, needs.functionName);
    members.push({ name: 'release', value: releaseStub, place: 'front' });
  }
  if (needs.family !== 'unknown') append(members, iommufdMembers(needs.kernel, has, needs.family));
  else if (iommufdMembers(needs.kernel, has, 'physical').length > 0)
    refuse(
      'table-incomplete',
      `It is not known which iommufd members \`${table.name}\` needs: only a function of the settings registers its devices. Add them by hand, \`vfio_iommufd_physical_…\` or \`vfio_iommufd_emulated_…\`.`,
      file,
      initializer,
    );
  if (members.length > 0 && !entries.some((entry) => entry.conditions.length === 0)) {
    refuse(
      'table-incomplete',
      `\`${table.name}\` has no member outside of #if arms to add others to. Convert by hand.`,
      file,
      table.nameSpan,
    );
  }
  return { file, variable: table, members, releaseStub };
}

/**
 * The iommufd members that a table lacks for a kernel. From 6.4 on registering requires them; in
 * 6.2 and 6.3 only on the siblings of what
 * is there.
 */
export function iommufdMembers(
  kernel: KernelVersion,
  has: (name: string) => boolean,
  family: IommuFamily,
): MemberPlan[] {
  if (compareVersions(kernel, [6, 4]) < 0 && !IOMMUFD_MEMBERS.some((member) => has(member.name)))
    return [];
  return IOMMUFD_MEMBERS.filter(
    (member) => compareVersions(kernel, member.since) >= 0 && !has(member.name),
  ).map((member) => ({
    name: member.name,
    value: `vfio_iommufd_${family}_${member.suffix}`,
    place: 'back',
  }));
}

/** A member that stands where the parser lost it (#if inside the braces). */
function hidden(file: FileIr, initializer: InitializerExpr, name: string): boolean {
  if (initializer.complete) return false;
  return new RegExp(`\\.\\s*${name}\\s*=`).test(
    file.text.slice(initializer.start, initializer.end),
  );
}

/**
 * A name for the generated `.release`: after the function that initialises (`foo_probe` gives
 * `foo_release_dev`), else after the table.
 */
function stubName(file: FileIr, table: VariableIr, functionName: string | null): string {
  const byTable = /^(.+?)(?:_vfio)?(?:_dev|_device)?_ops$/.exec(table.name);
  return freshName(
    file,
    (functionName !== null ? prefixOf(functionName) : null) ??
      byTable?.[1] ??
      functionName ??
      table.name,
    ['release_dev', 'vfio_release_dev', 'vfio_device_release'],
  );
}
