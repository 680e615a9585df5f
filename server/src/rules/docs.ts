import type { Example, Rule } from './types.ts';
import type { KernelRange, KernelVersion } from '../kernel/types.ts';
import { formatVersion } from '../kernel/version.ts';
import { rules } from './index.ts';

/** The folder of the rendered pages, relative to the project. */
export const DOCS_FOLDER = 'docs/rules';

/**
 * One Markdown page for each rule and an index page, rendered from the rules' own metadata and
 * examples.
 * @returns file name (`missing-put.md`, `README.md`) → content, in alphabetic order of the rules.
 */
export function renderRuleDocs(list: readonly Rule[] = rules): Map<string, string> {
  const pages = new Map<string, string>([['README.md', renderIndex(list)]]);
  for (const rule of list) pages.set(`${rule.id}.md`, renderRule(rule));
  return pages;
}

const FIXES: Readonly<Record<Rule['fixable'], string>> = {
  safe: 'safe',
  unsafe: 'to be looked at',
  none: 'none',
  conversion: 'the conversion',
};

function renderIndex(list: readonly Rule[]): string {
  return [
    '# Rules',
    '',
    'Each rule looks for one way to break the life cycle of a `struct vfio_device`. "Kernels" are the target kernels in which it looks.',
    '',
    '| rule | severity | kernels | fix | what is wrong |',
    '|---|---|---|---|---|',
    ...list.map(
      (rule) =>
        `| [${rule.id}](${rule.id}.md) | ${rule.severity} | ${rangeText(rule.kernels)} | ${FIXES[rule.fixable]} | ${rule.docs.what} |`,
    ),
    '',
  ].join('\n');
}

function renderRule(rule: Rule): string {
  const { docs, examples } = rule;
  return [
    `# ${rule.id}`,
    '',
    docs.what,
    '',
    `Severity: ${rule.severity} · Kernels: ${rangeText(rule.kernels)} · Fix: ${FIXES[rule.fixable]}`,
    '',
    section('Why', docs.why),
    section('Instead', docs.instead),
    '## Reported',
    '',
    ...examples.bad.map((example) => renderExample(example)),
    '## Not reported',
    '',
    ...examples.good.map((example) => renderExample(example)),
    section('Known problems', docs.knownProblems),
    '## References',
    '',
    ...docs.references.map((reference) => `* ${reference}`),
    '',
    `To silence one finding say why, in a comment on its line or on the line above: \`/* vfio-lifecycle: allow(${rule.id}): reason */\`.`,
    '',
  ].join('\n');
}

function section(title: string, text: string): string {
  return `## ${title}\n\n${text}\n`;
}

/** The target kernel of an example that names none. */
const DEFAULT_KERNEL = '6.1';

function renderExample(example: Example): string {
  const kernel = ` (Linux ${example.kernel ?? DEFAULT_KERNEL})`;
  const code = `### ${example.title}${kernel}\n\n${fence(example.code)}\n`;
  return example.fixed === undefined
    ? code
    : `${code}\nAfter the fix:\n\n${fence(example.fixed)}\n`;
}

function fence(code: string): string {
  return '```c\n' + code.replace(/^\n+/, '').trimEnd() + '\n```';
}

/** `6.1`, `≥ 6.1`, `5.13 – 6.0`, `all`. */
export function rangeText({ since, until }: KernelRange): string {
  if (until === undefined) return since === undefined ? 'all' : `≥ ${formatVersion(since)}`;
  const last = formatVersion(releaseBefore(until));
  if (since === undefined) return `≤ ${last}`;
  return formatVersion(since) === last ? last : `${formatVersion(since)} – ${last}`;
}

/** 6.0 comes after 5.19, 5.0 after 4.20. */
const LAST_MINOR: Readonly<Record<number, number>> = { 4: 20, 5: 19, 6: 19 };

function releaseBefore([major, minor]: KernelVersion): KernelVersion {
  return minor > 0 ? [major, minor - 1] : [major - 1, LAST_MINOR[major - 1] ?? 0];
}
