/** The pages of docs/api, made from the tables. */
import type { ApiEntry } from './types.ts';
import {
  COMMIT_URL,
  errorText,
  headerText,
  rangeText,
  sourceText,
  titleOf,
} from './describe-entry.ts';
import { DMA_API } from './api-dma.ts';
import { FILES_API } from './api-files.ts';
import { HELPER_API } from './api-helpers.ts';
import { IOMMUFD_API } from './api-iommufd.ts';
import { MDEV_BUS_API } from './api-mdev-bus.ts';
import { OTHER_MEMBERS } from './api-members.ts';
import { OTHER_STRUCTS } from './api-other-structs.ts';
import { PCI_REGIONS_API } from './api-pci-regions.ts';
import { PLATFORM_OPS_API } from './api-platform-ops.ts';
import { MDEV_API } from './api-mdev.ts';
import { NEW_API } from './api-new.ts';
import { OLD_API } from './api-old.ts';
import { OPS_MEMBERS } from './api-ops.ts';
import { PCI_CORE_API } from './api-pci-core.ts';
import { PLATFORM_API } from './api-platform.ts';
import { REGISTER_API } from './api-register.ts';
import { STRUCTS } from './api-structs.ts';

interface Page {
  readonly file: string;
  readonly title: string;
  readonly intro: string;
  readonly entries: readonly ApiEntry[];
}

const PAGES: readonly Page[] = [
  {
    file: 'old-model.md',
    title: 'Old model',
    intro: 'Up to v6.0 the driver owns the memory of the device.',
    entries: OLD_API,
  },
  {
    file: 'new-model.md',
    title: 'New model',
    intro:
      'Since v6.1 the core owns the memory of the device, and a reference count decides when it is freed.',
    entries: NEW_API,
  },
  {
    file: 'registration.md',
    title: 'Registration',
    intro: 'Registration is the same in both models, and separate from the life of the object.',
    entries: REGISTER_API,
  },
  {
    file: 'pci-core.md',
    title: 'vfio-pci core',
    intro: 'Helpers for drivers of one kind of PCI device.',
    entries: [...PCI_CORE_API, ...PCI_REGIONS_API],
  },
  {
    file: 'platform.md',
    title: 'vfio-platform',
    intro:
      'Helpers that vfio-platform and vfio-amba share. Their header is private to drivers/vfio.',
    entries: [...PLATFORM_API, ...PLATFORM_OPS_API],
  },
  {
    file: 'mdev.md',
    title: 'Mediated devices',
    intro:
      'Helpers that a port of a mediated driver meets. They do not change the life of the vfio_device.',
    entries: [...MDEV_API, ...MDEV_BUS_API],
  },
  {
    file: 'memory.md',
    title: 'Memory of the user',
    intro: 'Pinning, copying and unmap notifications, for devices without an IOMMU.',
    entries: DMA_API,
  },
  {
    file: 'iommufd.md',
    title: 'iommufd',
    intro: 'Values of the iommufd members of an ops table.',
    entries: IOMMUFD_API,
  },
  {
    file: 'helpers.md',
    title: 'Helpers',
    intro: 'Helpers that the core offers to the callbacks of a driver.',
    entries: HELPER_API,
  },
  {
    file: 'files.md',
    title: 'Groups and files',
    intro: 'Functions for callers other than drivers, above all KVM.',
    entries: FILES_API,
  },
  {
    file: 'ops.md',
    title: 'Members of the ops tables',
    intro: 'The core calls these. `.release` has two meanings, and the kernel decides which.',
    entries: OPS_MEMBERS,
  },
  {
    file: 'members.md',
    title: 'Members of other structs',
    intro: 'Members that drivers set or read, other than those of the ops tables.',
    entries: OTHER_MEMBERS,
  },
  {
    file: 'structs.md',
    title: 'Structs',
    intro: 'The structs of the life cycle.',
    entries: [...STRUCTS, ...OTHER_STRUCTS],
  },
];

const GENERATED =
  '<!-- Generated from the tables in server/src/kernel. Change those, not this page. -->';

/** The pages of docs/api, file name to Markdown. Pure: the same tables give the same text. */
export function renderApiDocs(): Map<string, string> {
  const files = new Map<string, string>([['README.md', renderIndex()]]);
  for (const page of PAGES) {
    const sections = page.entries.map(renderApiEntry);
    files.set(
      page.file,
      `${GENERATED}\n\n# ${page.title}\n\n${page.intro}\n\n${sections.join('\n\n')}\n`,
    );
  }
  return files;
}

function renderIndex(): string {
  const tables = PAGES.map((page) => {
    const rows = page.entries.map(
      (entry) =>
        `| [\`${titleOf(entry)}\`](${page.file}#${anchor(headingOf(entry))}) | ${rangeText(entry.kernels)} | ${entry.summary} |`,
    );
    return `## [${page.title}](${page.file})\n\n${page.intro}\n\n| name | kernels | |\n|---|---|---|\n${rows.join('\n')}`;
  });
  return `${GENERATED}\n\n# The VFIO device life-cycle interface\n\nWhat the analysis knows of each function, macro, member and struct. Hovers and \`vfio-lifecycle explain\` show the same facts for one kernel.\n\n${tables.join('\n\n')}\n`;
}

/** `Up to v5.12`, but `v5.13 – v6.0`: a version keeps its small letter. */
function sentence(range: string): string {
  return /^v\d/.test(range) ? range : range.charAt(0).toUpperCase() + range.slice(1);
}

/** A name with two lives has two headings. */
function headingOf(entry: ApiEntry): string {
  return entry.kind === 'member'
    ? `${titleOf(entry)} (${rangeText(entry.kernels)})`
    : titleOf(entry);
}

/**
 * The anchor that GitHub makes of a heading: lower case, punctuation dropped, spaces to hyphens.
 */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
}

/** The section of one entry: its whole history, as Markdown without a newline at the end. */
export function renderApiEntry(entry: ApiEntry): string {
  const parts = [`## ${headingOf(entry)}`, entry.summary];
  for (const signature of entry.signatures) {
    if (entry.signatures.length > 1) parts.push(`${sentence(rangeText(signature.kernels))}:`);
    parts.push(`\`\`\`c\n${signature.text}\n\`\`\``);
  }
  const contract = entry.contract.map(
    (line) => `- ${line.kernels ? `*${rangeText(line.kernels)}:* ` : ''}${line.text}`,
  );
  if (contract.length > 0) parts.push(contract.join('\n'));
  const facts: string[] = [];
  if (entry.ownership) facts.push(`- **Ownership:** ${entry.ownership}`);
  const results = new Map(
    entry.behaviours.map((behaviour) => [errorText(entry, behaviour), behaviour]),
  );
  for (const [text, behaviour] of results) {
    if (text)
      facts.push(
        `- **Result:** ${results.size > 1 ? `*${rangeText(behaviour.kernels)}:* ` : ''}${text}`,
      );
  }
  if (entry.behaviours.length === 0 && entry.errors) facts.push(`- **Result:** ${entry.errors}`);
  if (entry.context) facts.push(`- **Context:** ${entry.context}`);
  facts.push(`- **Kernels:** ${rangeText(entry.kernels)}`);
  if (entry.replacement) facts.push(`- **Later kernels:** use ${entry.replacement.text}`);
  facts.push(`- **Header:** ${headerText(entry.header)}`);
  for (const one of entry.sources ?? []) facts.push(`- **Source:** ${sourceText(one)}`);
  for (const commit of entry.commits)
    facts.push(`- [${commit.id}](${COMMIT_URL}${commit.id}) ${commit.text} (v${commit.kernel})`);
  parts.push(facts.join('\n'));
  return parts.join('\n\n');
}
