import type { ApiEntry, KernelVersion } from './types.ts';
import { apiCard, rangeText, titleOf, type ApiCard } from './card.ts';
import { apiEntry, apiMember, apiMemberHistory, apiStruct } from './lifecycle-api.ts';
import { formatVersion } from './version.ts';

const COMMIT_URL = 'https://git.kernel.org/linus/';

/** The hover of an entry for `kernel`: Markdown, with the signature in a C block first. */
export function renderApiHover(entry: ApiEntry, kernel: KernelVersion): string {
  const card = apiCard(entry, kernel);
  const parts = [`\`\`\`c\n${card.signature}\n\`\`\``];
  if (card.absent) parts.push(`**${card.absent}**`);
  parts.push(card.summary);
  if (card.contract.length > 0) parts.push(card.contract.map((line) => `- ${line}`).join('\n'));
  const facts = factLines(card, entry).map(([label, text]) => `**${label}:** ${text}`);
  parts.push(facts.join('  \n'));
  if (card.commits.length > 0) {
    parts.push(card.commits.map((commit) => `[${commit.id}](${COMMIT_URL}${commit.id}) ${commit.text} (v${commit.kernel})`).join('  \n'));
  }
  return parts.join('\n\n');
}

/**
 * The same in plain text, for the command line. `name` is a function, a macro, a struct tag (with or without `struct`), or a member:
 * `vfio_device_ops.release` or `.release`. Returns undefined when it is none of them. Ends with a newline.
 */
export function explainApi(name: string, kernel: KernelVersion): string | undefined {
  const entry = findEntry(name, kernel);
  if (!entry) return undefined;
  const card = apiCard(entry, kernel);
  const lines = [`${titleOf(entry)}, target v${formatVersion(kernel)}`, '', ...card.signature.split('\n').map((line) => `    ${line}`), ''];
  if (card.absent) lines.push(card.absent, '');
  lines.push(card.summary);
  for (const line of card.contract) lines.push(`  - ${line}`);
  lines.push('');
  for (const [label, text] of factLines(card, entry)) lines.push(`${label}: ${text}`);
  for (const commit of card.commits) lines.push(`${commit.id}  ${commit.text} (v${commit.kernel})`);
  return `${lines.join('\n').replaceAll('`', '')}\n`;
}

/** The entry that a person means by `name`; see explainApi(). */
export function findEntry(name: string, kernel: KernelVersion): ApiEntry | undefined {
  const text = name.trim().replace(/\(\s*\)$/, '');
  const dot = text.lastIndexOf('.');
  if (dot >= 0) {
    const member = text.slice(dot + 1);
    const owner = text.slice(0, dot).replace(/^struct\s+/, '');
    return owner ? apiMember(owner, member, kernel) : apiMember('vfio_device_ops', member, kernel) ?? apiMember('vfio_migration_ops', member, kernel);
  }
  return apiEntry(text) ?? apiStruct(text.replace(/^struct\s+/, ''));
}

function factLines(card: ApiCard, entry: ApiEntry): [label: string, text: string][] {
  const lines: [string, string][] = [];
  if (card.ownership) lines.push([entry.kind === 'function' || entry.kind === 'macro' ? 'After the call' : 'Ownership', card.ownership]);
  if (card.errors) lines.push(['Result', card.errors]);
  lines.push(['Kernels', card.kernels]);
  for (const other of entry.kind === 'member' ? apiMemberHistory(entry.owner!, entry.name) : []) {
    if (other !== entry) lines.push(['Another meaning', `${rangeText(other.kernels)}: ${other.summary}`]);
  }
  lines.push(['Header', card.header]);
  return lines;
}
