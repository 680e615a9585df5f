/** What is said of one entry of the tables for one kernel. */
import type {
  ApiEntry,
  Behaviour,
  ErrorConvention,
  KernelRange,
  KernelVersion,
  Source,
} from './types.ts';
import {
  formatVersion,
  inRange,
  isOnlyBackported,
  nearest,
  sideOf,
  uncertainBackport,
} from './version.ts';

/** Where a commit of Linus' tree can be read. */
export const COMMIT_URL = 'https://git.kernel.org/linus/';

/** What is said of one entry for one kernel. Texts are Markdown sentences. */
export interface ApiCard {
  readonly title: string;
  /**
   * C, possibly of several lines; that of the nearest kernel when this one does not have the entry.
   */
  readonly signature: string;
  readonly summary: string;
  /** Set when this kernel does not have it: why, and what to use. */
  readonly absent?: string;
  readonly contract: readonly string[];
  readonly context?: string;
  readonly ownership?: string;
  readonly errors?: string;
  readonly kernels: string;
  readonly sources: readonly string[];
  readonly header: string;
  readonly commits: readonly {
    readonly id: string;
    readonly text: string;
    readonly kernel: string;
  }[];
}

/** The last release before each one whose minor number starts again. */
const BEFORE_MAJOR: Readonly<Record<number, string>> = {
  4: '3.19',
  5: '4.20',
  6: '5.19',
  7: '6.19',
};

/** The last release of a range that ends before `until`. */
function lastBefore(until: KernelVersion): string {
  const [major, minor] = until;
  return minor > 0
    ? formatVersion([major, minor - 1])
    : (BEFORE_MAJOR[major] ?? `the last one before ${formatVersion(until)}`);
}

/**
 * `since v6.1`, `v5.15 – v6.0`, `v6.1 only`, `up to v5.12`, `all kernels`; with the long-term series
 * that took it: `since v5.13, in v5.10 since v5.10.137`.
 */
export function rangeText(range: KernelRange): string {
  const late = (range.backports ?? []).map(backportText);
  return [...(isOnlyBackported(range) ? [] : [releasesText(range)]), ...late].join(', ');
}

function backportText(release: KernelVersion): string {
  const [major, minor, sublevel] = release;
  return sublevel === undefined
    ? `in later releases of v${major}.${minor}`
    : `in v${major}.${minor} since v${formatVersion(release)}`;
}

function releasesText(range: KernelRange): string {
  const last = range.until && lastBefore(range.until);
  const first = range.since && formatVersion(range.since);
  if (first && last) return first === last ? `v${first} only` : `v${first} – v${last}`;
  if (first) return `since v${first}`;
  return last ? `up to v${last}` : 'all kernels';
}

const ERROR_TEXT: Readonly<Record<ErrorConvention, string | undefined>> = {
  void: undefined,
  errno: 'Returns 0, or a negative errno.',
  'err-ptr':
    'Returns a pointer, or an ERR_PTR; never NULL. Test it with `IS_ERR()` and return `PTR_ERR()`.',
  'null-ptr': 'Returns a pointer, or NULL.',
  value: undefined,
};

/** The error convention in words: the entry's own, else what its behaviour in this kernel says. */
export function errorText(entry: ApiEntry, behaviour: Behaviour | undefined): string | undefined {
  if (entry.errors) return entry.errors;
  if (behaviour?.cannotFail) return 'Always returns 0.';
  return behaviour && ERROR_TEXT[behaviour.errors];
}

/** `.release` of struct vfio_device_ops, `struct vfio_device`, `vfio_put_device()`. */
export function titleOf({ kind, owner, name }: ApiEntry): string {
  switch (kind) {
    case 'member':
      return `${owner}.${name}`;
    case 'struct':
    case 'enum':
      return `${kind} ${name}`;
    case 'constant':
    case 'variable':
      return name;
    default:
      return `${name}()`;
  }
}

/** The header that declares the entry in a kernel; in another one, that of the nearest. */
export function headerIn(entry: ApiEntry, kernel: KernelVersion): string {
  return nearest(kernel, entry.signatures)?.header ?? entry.header;
}

/** `<linux/vfio.h>` for a public header, the path for a private one. */
export function headerText(header: string): string {
  return header.startsWith('drivers/') ? `\`${header}\` (private)` : `\`<${header}>\``;
}

/** `v6.12 drivers/vfio/vfio_main.c, vfio_register_group_dev` */
export function sourceText({ kernel, file, shows }: Source): string {
  return `v${kernel} \`${file}\`, \`${shows}\``;
}

function absence(entry: ApiEntry, kernel: KernelVersion): string | undefined {
  const side = sideOf(kernel, entry.kernels);
  if (side === 0) return undefined;
  const target = `v${formatVersion(kernel)}`;
  if (side === 1) {
    const late = uncertainBackport(kernel, entry.kernels);
    return late
      ? `Perhaps not in ${target}: added in v${formatVersion(entry.kernels.since!)}, and ${backportText(late)}.`
      : `Not yet in ${target}: added in v${formatVersion(entry.kernels.since!)}.`;
  }
  const instead = entry.replacement ? ` Use ${entry.replacement.text}.` : '';
  const removed = `v${formatVersion(entry.kernels.until!)}`;
  return `${removed === target ? 'Removed' : `Not in ${target}: removed`} in ${removed}.${instead}`;
}

/** What is known of the entry in `kernel`. */
export function apiCard(entry: ApiEntry, kernel: KernelVersion): ApiCard {
  // A kernel without the entry shows the one that is nearest: a reader of old code wants to know
  // what it meant.
  const shown = sideOf(kernel, entry.kernels) === 0 ? kernel : edgeOf(entry.kernels, kernel);
  const removed = entry.kernels.until ? `, removed in v${formatVersion(entry.kernels.until)}` : '';
  // Said once: a kernel without the entry says it in `absent`.
  const instead =
    removed && entry.replacement && shown === kernel ? `; use ${entry.replacement.text}` : '';
  return {
    title: titleOf(entry),
    signature: nearest(shown, entry.signatures)!.text,
    summary: entry.summary,
    absent: absence(entry, kernel),
    contract: entry.contract
      .filter((line) => !line.kernels || inRange(shown, line.kernels))
      .map((line) => line.text),
    context: entry.context,
    ownership: entry.ownership,
    sources: (entry.sources ?? []).map(sourceText),
    errors: errorText(entry, nearest(shown, entry.behaviours)),
    kernels: `${rangeText(entry.kernels)}${removed}${instead}`,
    header: headerText(headerIn(entry, shown)),
    commits: entry.commits,
  };
}

/** The release in the range that is nearest to a kernel outside it. */
function edgeOf(range: KernelRange, kernel: KernelVersion): KernelVersion {
  if (sideOf(kernel, range) === 1) return range.since!;
  const [major, minor] = lastBefore(range.until!).split('.').map(Number);
  return [major ?? 0, minor ?? 0];
}
