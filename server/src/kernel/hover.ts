/** The entries of the tables as hovers. */
import type { ApiEntry, KernelVersion } from './types.ts';
import { renderApiEntry } from './api-docs.ts';
import { apiCard, COMMIT_URL, rangeText, titleOf, type ApiCard } from './describe-entry.ts';
import {
  API_ENTRIES,
  apiEntry,
  apiMemberHistory,
  apiMembersNamed,
  apiStruct,
} from './lifecycle-api.ts';
import { formatVersion, inRange, nearest } from './version.ts';

/**
 * The hover of an entry for `kernel`: Markdown, with the signature in a C block first and then the
 * contract. Where it is declared and defined, the page of the entry says.
 */
export function renderApiHover(entry: ApiEntry, kernel: KernelVersion): string {
  return rendered(entry, kernel, (card) => ({
    summary: `**Contract**: ${card.summary}`,
    facts: contractLines(card, entry),
  }));
}

/** The entry as the command line has it: with where it is declared and defined. */
function renderApiExplanation(entry: ApiEntry, kernel: KernelVersion): string {
  return rendered(entry, kernel, (card) => ({
    summary: card.summary,
    facts: [...contractLines(card, entry), ...sourceLines(card)],
  }));
}

/** What differs between the two. */
interface Told {
  readonly summary: string;
  readonly facts: readonly FactLine[];
}

function rendered(entry: ApiEntry, kernel: KernelVersion, tell: (card: ApiCard) => Told): string {
  const card = apiCard(entry, kernel);
  const { summary, facts } = tell(card);
  const parts = [`\`\`\`c\n${card.signature}\n\`\`\``];
  if (card.absent) parts.push(`**${card.absent}**`);
  parts.push(summary);
  if (card.contract.length > 0) parts.push(card.contract.map((line) => `- ${line}`).join('\n'));
  parts.push(facts.map(([label, text]) => `**${label}:** ${text}`).join('  \n'));
  if (card.commits.length > 0) {
    parts.push(
      card.commits
        .map(
          (commit) =>
            `[${commit.id}](${COMMIT_URL}${commit.id}) ${commit.text} (v${commit.kernel})`,
        )
        .join('  \n'),
    );
  }
  return parts.join('\n\n');
}

/**
 * What the command line says of a name, as Markdown that ends with a newline: with a kernel what
 * holds there, without one the whole history.
 * See findEntries() for the names; undefined for any other.
 */
export function explainApi(name: string, kernel?: KernelVersion): string | undefined {
  const entries = findEntries(name);
  if (entries.length === 0) return undefined;
  const sections = kernel
    ? entries
        .filter((entry) => entry === nearest(kernel, livesOf(entry, entries)))
        .map(
          (entry) =>
            `## ${titleOf(entry)} in v${formatVersion(kernel)}\n\n${renderApiExplanation(entry, kernel)}`,
        )
    : entries.map(renderApiEntry);
  return `${sections.join('\n\n')}\n`;
}

/** Of several entries those of one name: the others are members of other structs. */
function livesOf(entry: ApiEntry, entries: readonly ApiEntry[]): readonly ApiEntry[] {
  return entries.filter((one) => titleOf(one) === titleOf(entry));
}

/**
 * The entries that a person means by `name`: a function or macro (with or without `()`), a struct
 * tag (with or without `struct`), or a member
 * (`vfio_device_ops.release`, `.release`). A member with two lives has two; an unknown name has
 * none.
 */
export function findEntries(name: string): readonly ApiEntry[] {
  const text = name
    .trim()
    .replace(/\(\s*\)$/, '')
    .replace(/^struct\s+/, '');
  const dot = text.lastIndexOf('.');
  if (dot < 0) return [apiEntry(text) ?? apiStruct(text)].filter((entry) => entry !== undefined);
  const member = text.slice(dot + 1);
  if (dot > 0) return apiMemberHistory(text.slice(0, dot), member);
  // The ops table of the device is what a person means first.
  const found = apiMemberHistory('vfio_device_ops', member);
  return found.length > 0 ? found : apiMembersNamed(member);
}

/**
 * The names of the members of an ops table that a kernel has, in the order of the tables; none for
 * any other struct.
 */
export function membersOf(owner: string, kernel: KernelVersion): readonly string[] {
  const own = API_ENTRIES.filter(
    (entry) => entry.owner === owner && inRange(kernel, entry.kernels),
  );
  return [...new Set(own.map((entry) => entry.name))];
}

type FactLine = readonly [label: string, text: string];

function contractLines(card: ApiCard, entry: ApiEntry): FactLine[] {
  const lines: FactLine[] = [];
  if (card.ownership)
    lines.push([
      entry.kind === 'function' || entry.kind === 'macro' ? 'After the call' : 'Ownership',
      card.ownership,
    ]);
  if (card.errors) lines.push(['Result', card.errors]);
  if (card.context) lines.push(['Context', card.context]);
  lines.push(['Kernels', card.kernels]);
  for (const other of entry.kind === 'member' ? apiMemberHistory(entry.owner!, entry.name) : []) {
    if (other !== entry)
      lines.push(['Another meaning', `${rangeText(other.kernels)}: ${other.summary}`]);
  }
  return lines;
}

function sourceLines({ header, sources }: ApiCard): FactLine[] {
  return [
    ['Header', header],
    ...(sources.length > 0 ? [['Source', sources.join('; ')] as const] : []),
  ];
}
