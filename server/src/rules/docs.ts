/** The pages of the rules in docs/rules, made from the rules' own metadata and examples. */
import type { Example, Rule } from './types.ts';
import type { KernelRange, KernelVersion } from '../kernel/types.ts';
import { formatVersion } from '../kernel/version.ts';
import { unifiedDiff } from '../text/diff.ts';
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
  unsafe: 'needs a look',
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
  const [shown] = examples.bad;
  return [
    `# ${rule.id}`,
    '',
    `Severity: ${rule.severity} · Fix: ${FIXES[rule.fixable]} · [All rules](README.md)`,
    '',
    section('What it does', docs.what),
    section('Why it matters', docs.why),
    ...(shown === undefined ? [] : ['## Example', '', renderExample(shown)]),
    ...titles('Also reported', examples.bad.slice(1)),
    ...titles('Not reported', examples.good),
    section('What to do', docs.instead),
    section('What it cannot see', docs.knownProblems),
    section('Kernels', kernelsText(rule.kernels)),
    '## References',
    '',
    ...docs.references.map((reference) => `* ${reference}`),
    '',
    '## Silencing one finding',
    '',
    `Write the reason on its line or on the line above: \`/* vfio-lifecycle: allow(${rule.id}): reason */\`.`,
    '',
  ].join('\n');
}

function section(title: string, text: string): string {
  return `## ${title}\n\n${text}\n`;
}

function titles(heading: string, examples: readonly Example[]): string[] {
  return examples.length === 0
    ? []
    : [`${heading}:`, '', ...examples.map(({ title }) => `* ${title}`), ''];
}

function kernelsText(kernels: KernelRange): string {
  const range = rangeText(kernels);
  return range === 'all' ? 'All that the tables know: Linux 5.10 to 7.1.' : `Linux ${range}.`;
}

/** The target kernel of an example that names none. */
const DEFAULT_KERNEL = '6.1';

/** A line of carets in an example: `// ^^^^ rule-id`. */
const CARETS = /^\s*\/\/\s*\^+\s+[a-z-]+/;

/** What is flagged, and the fix as a diff; whole drivers are in the tests. */
function renderExample({ title, kernel, code, fixed }: Example): string {
  const lines = code.replace(/^\n+/, '').trimEnd().split('\n');
  const parts = [
    `${title} (Linux ${kernel ?? DEFAULT_KERNEL}):`,
    '',
    fence('c', excerpt(lines)),
    '',
  ];
  if (fixed === undefined) return parts.join('\n');
  const before = lines.filter((line) => !CARETS.test(line)).join('\n');
  const after = fixed.replace(/^\n+/, '').trimEnd();
  const hunks = unifiedDiff('driver.c', `${before}\n`, `${after}\n`).split('\n').slice(2);
  return [...parts, 'The fix:', '', fence('diff', hunks), ''].join('\n');
}

/** Lines around what is flagged that an excerpt shows. */
const ABOVE = 12;
const BELOW = 6;

/** The flagged lines with those of their function around them, and the line that it begins with. */
function excerpt(lines: readonly string[]): string[] {
  const shown = new Set<number>();
  for (const [at, line] of lines.entries()) {
    if (!CARETS.test(line)) continue;
    const [from, to] = blockAround(lines, at);
    shown.add(from);
    for (let i = Math.max(from, at - ABOVE); i <= Math.min(to, at + BELOW); i++) shown.add(i);
  }
  const order = [...shown].sort((left, right) => left - right);
  return order.flatMap((at, i) => {
    const isGap = i > 0 && order[i - 1] !== at - 1;
    return isGap ? [isTopLevel(lines[at]!) ? '' : '\t…', lines[at]!] : [lines[at]!];
  });
}

/** The first and the last line of the function or table that a line is in. */
function blockAround(lines: readonly string[], at: number): readonly [number, number] {
  let from = at;
  while (from > 0 && !(isTopLevel(lines[from]!) && !/^[}/]/.test(lines[from]!))) from--;
  let to = at;
  while (to + 1 < lines.length && !lines[to]!.startsWith('}')) to++;
  return [from, to];
}

function isTopLevel(line: string): boolean {
  return /^[^\s/*{#]/.test(line) && !/^\w+:$/.test(line);
}

function fence(language: string, lines: readonly string[]): string {
  const last = lines.findLastIndex((line) => line !== '');
  return ['```' + language, ...lines.slice(0, last + 1), '```'].join('\n');
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
