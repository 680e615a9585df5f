/**
 * An ops table lacks members that the core requires: those for iommufd, or one that another
 * member of the table needs.
 */
import { IOMMUFD_MEMBERS } from '../kernel/iommu-families.ts';
import type { Finding, Fix, Rule, RuleContext, Severity } from './types.ts';
import type { Span } from '../text/span.ts';
import type { KernelVersion } from '../kernel/types.ts';
import type { ModuleFacts, OpsTable, OperationObservation } from '../lifecycle/types.ts';
import { NEEDED_MEMBERS, type NeededMember } from '../kernel/needed-members.ts';
import { compareVersions, formatVersion } from '../kernel/version.ts';
import { documentAt, isSameSite, walk } from './locate.ts';
import { reachedFrom } from './call-graph.ts';
import { indexOf } from './members.ts';
import { listed, quoted, say } from './wording.ts';
import { familyFor } from './fixes/iommufd-family.ts';
import { addMembers } from './fixes/ops-table.ts';
import { opsTableIncompleteExamples } from './ops-table-incomplete.examples.ts';

const messages = {
  none: '{table} has no iommufd members: registration fails with CONFIG_IOMMUFD; add them',
  refused: '{table} lacks {missing}: registration fails in Linux {kernel}; add {them}',
  refusedWithConfig: '{table} lacks {missing}: registration fails with CONFIG_IOMMUFD; add {them}',
  notBound: '{table} lacks {missing}: an iommufd cannot bind its devices; add {them}',
  needed: '{table} has {because} but not {member}: {otherwise}',
} as const;

export const opsTableIncomplete: Rule = {
  id: 'ops-table-incomplete',
  severity: 'error',
  isAbsence: true,
  kernels: { since: [6, 2] },
  fixable: 'safe',
  docs: {
    what: 'An ops table lacks members that the core requires: those for iommufd, or one that another member of the table needs.',
    why: 'Registration warns and returns `-EINVAL` for a table without the iommufd members, so that probe never succeeds. In 6.2 and 6.3 it does so if `.bind_iommufd` is set without `.unbind_iommufd` or `.attach_ioas`. From 6.4 on, with `CONFIG_IOMMUFD`, it does so if any of the three is missing, and from 6.6 on also without `.detach_ioas`. Since 6.17 `vfio_pci_core_match()` calls `.match_token_uuid` without a NULL test: with only `.match` set, the kernel oopses when user space opens the device through its group. Since 6.19 the core answers VFIO_DEVICE_GET_REGION_INFO by `.get_region_info_caps`, and returns `-EINVAL` without it: `.ioctl` no longer sees the request.',
    instead:
      'Set all of the iommufd members, of one family: `vfio_iommufd_physical_…` for a device with an IOMMU group of its own, `vfio_iommufd_emulated_…` for an mdev and any other device that is registered with `vfio_register_emulated_iommu_dev()`. On the vfio-pci core set `.match_token_uuid` to `vfio_pci_core_match_token_uuid` and `.get_region_info_caps` to `vfio_pci_ioctl_get_region_info`.',
    knownProblems:
      'A table without any of the members works in a kernel without `CONFIG_IOMMUFD`, so it is only a hint. A table that is not const, or whose braces hold an `#if`, a macro or code that could not be read, may get the members there and is not reported.',
    references: [
      'v6.2 adds the members bind_iommufd, unbind_iommufd and attach_ioas',
      'v6.6 makes detach_ioas mandatory',
      'v6.17 fe24d5bc635e adds the detach_ioas that pds had been left without',
      'v6.19 drivers/vfio/pci/vfio_pci_core.c, vfio_pci_core_match(): calls match_token_uuid without a test',
      'v6.19 drivers/vfio/vfio_main.c, vfio_get_region_info(): returns -EINVAL without get_region_info_caps',
    ],
  },
  examples: opsTableIncompleteExamples,
  messages,
  check,
};

/**
 * From this release on the registration refuses a table with none of the members too, where the
 * kernel has iommufd.
 */
const MANDATORY: KernelVersion = [6, 4];

function check({ facts }: RuleContext): Finding[] {
  return facts.opsTables
    .filter(
      (table) =>
        table.readable &&
        table.style !== 'fd' &&
        table.variable.isConst &&
        table.variable.init?.kind === 'initializer' &&
        table.givenTo.some((use) => use.op === 'alloc' || use.op === 'init-device'),
    )
    .flatMap((table) => [...iommufdMembers(facts, table), ...neededMembers(facts, table)]);
}

/** What the registration asks for where the kernel has iommufd. */
function iommufdMembers(facts: ModuleFacts, table: OpsTable): Finding[] {
  const known = IOMMUFD_MEMBERS.filter((one) => compareVersions(facts.kernel, one.since) >= 0);
  const absent = known.filter((one) => !isSet(table, one.name));
  const severity = severityOf(
    facts.kernel,
    table,
    known.length,
    absent.map((one) => one.name),
  );
  if (severity === null) return [];
  // Members that are in some configurations only: those that are there at all say what is missing.
  if (!table.complete && absent.length === known.length) return [];
  const present = known.filter((one) => !absent.includes(one));
  return [
    {
      rule: opsTableIncomplete.id,
      severity,
      message: messageFor(
        facts.kernel,
        table.variable.name,
        absent.map((one) => one.name),
        present.map((one) => one.name),
      ),
      site: siteIn(table, table.variable.nameSpan),
      functionName: null,
      related: [
        ...present.slice(0, 1).flatMap((one) => memberSites(table, one.name)),
        ...registrations(facts, table)
          .slice(0, 2)
          .map((one) => ({ site: one.site, message: `${one.api}() refuses the table here` })),
      ],
      fix: fixFor(facts, table, absent),
    },
  ];
}

/** What another member of the table needs. */
function neededMembers(facts: ModuleFacts, table: OpsTable): Finding[] {
  if (!table.complete) return [];
  return NEEDED_MEMBERS.filter(
    ({ member, since, because }) =>
      compareVersions(facts.kernel, since) >= 0 &&
      !isSet(table, member) &&
      isReason(facts, table, because),
  ).map((needed): Finding => {
    const { member, because } = needed;
    return {
      rule: opsTableIncomplete.id,
      severity: needed.oopses ? 'error' : 'warning',
      message: say(messages.needed, {
        table: quoted(table.variable.name),
        because: `.${because.member}`,
        member: `.${member}`,
        otherwise: needed.otherwise,
      }),
      site: siteIn(table, table.members.get(because.member)!.span),
      functionName: null,
      related: [],
      fix: fixForNeeded(facts, table, needed),
    };
  });
}

/** Whether a member of the table is, or its function calls or handles, what needs another member. */
function isReason(
  facts: ModuleFacts,
  table: OpsTable,
  { member, helpers, request }: NeededMember['because'],
): boolean {
  const value = table.members.get(member)?.value;
  if (value === undefined) return false;
  const index = indexOf(facts.module, facts.kernel);
  const file = documentAt(facts.module, table.path);
  const [own] = file === null ? [] : index.functions(file, value);
  if (own === undefined) return helpers.includes(value);
  return reachedFrom(index, [own.item]).functions.some((fn) =>
    [...walk(fn.body)].some(
      (node) => node.kind === 'name' && (node.name === request || helpers.includes(node.name)),
    ),
  );
}

function fixForNeeded(facts: ModuleFacts, table: OpsTable, needed: NeededMember): Fix | null {
  const { member, because, helper } = needed;
  const text = documentAt(facts.module, table.path)?.text;
  // A member that is there and NULL would be set twice.
  if (text === undefined || table.members.has(member)) return null;
  if (table.members.get(because.member)?.value !== helper.besides) return null;
  const edit = addMembers(text, table, [{ member, value: helper.value }], because.member);
  if (edit === null) return null;
  const title = `Set .${member} to ${helper.value}()`;
  return { title, safety: 'safe', edits: [{ path: table.path, edits: [edit] }] };
}

function siteIn(table: OpsTable, { start, end }: Span): Finding['site'] {
  return { path: table.path, start, end };
}

function isSet(table: OpsTable, member: string): boolean {
  const value = table.members.get(member)?.value;
  return value !== undefined && value !== 'NULL' && value !== '0';
}

function memberSites(table: OpsTable, member: string): Finding['related'][number][] {
  const found = table.members.get(member);
  return found === undefined
    ? []
    : [
        {
          site: siteIn(table, found.span),
          message: `.${member} is set`,
        },
      ];
}

/** How certain it is that the registration fails; null when the table is right for the kernel. */
function severityOf(
  kernel: KernelVersion,
  table: OpsTable,
  known: number,
  absent: readonly string[],
): Severity | null {
  if (absent.length === 0) return null;
  const isMandatory = compareVersions(kernel, MANDATORY) >= 0;
  // Without CONFIG_IOMMUFD nobody asks for any of them.
  if (absent.length === known) return isMandatory ? 'hint' : null;
  if (isMandatory || isSet(table, 'bind_iommufd')) return 'error';
  return 'hint';
}

function messageFor(
  kernel: KernelVersion,
  name: string,
  absent: readonly string[],
  present: readonly string[],
): string {
  const table = quoted(name);
  if (present.length === 0) return say(messages.none, { table });
  const missing = list(absent);
  const them = absent.length === 1 ? 'it' : 'them';
  // From 6.4 on __vfio_register_dev() asks for them in such a configuration, before that in any.
  if (compareVersions(kernel, MANDATORY) >= 0)
    return say(messages.refusedWithConfig, { table, missing, them });
  return present.includes('bind_iommufd')
    ? say(messages.refused, { table, missing, kernel: formatVersion(kernel), them })
    : say(messages.notBound, { table, missing, them });
}

function list(members: readonly string[]): string {
  return listed(members.map((one) => `.${one}`));
}

/** The registrations of devices that were allocated with the table. */
function registrations(facts: ModuleFacts, table: OpsTable): OperationObservation[] {
  const found = new Map<number, OperationObservation>();
  for (const one of facts.observations) {
    if (one.kind !== 'operation' || one.op !== 'register') continue;
    if (table.givenTo.some((use) => isSameSite(use.site, one.device.origin)))
      found.set(one.site.start, one);
  }
  return [...found.values()];
}

function fixFor(
  facts: ModuleFacts,
  table: OpsTable,
  absent: readonly (typeof IOMMUFD_MEMBERS)[number][],
): Fix | null {
  const text = documentAt(facts.module, table.path)?.text;
  const wanted = familyFor(
    facts,
    table,
    registrations(facts, table),
    absent.map((one) => one.name),
  );
  // A member that is there and NULL would be set twice.
  if (text === undefined || wanted === null || absent.some((one) => table.members.has(one.name)))
    return null;
  const siblings = IOMMUFD_MEMBERS.filter((one) => table.members.has(one.name));
  const last = siblings.at(-1)?.name ?? [...table.members.keys()].at(-1);
  if (last === undefined) return null;
  const edit = addMembers(
    text,
    table,
    absent.map((one) => ({
      member: one.name,
      value: `vfio_iommufd_${wanted.family}_${one.suffix}`,
    })),
    last,
  );
  if (edit === null) return null;
  const title = `Add ${list(absent.map((one) => one.name))} of the ${wanted.family} family`;
  const edits = [{ path: table.path, edits: [edit] }];
  return wanted.isCertain
    ? { title, safety: 'safe', edits }
    : {
        title: `${title} (check how the device is registered and attached)`,
        safety: 'unsafe',
        edits,
      };
}
