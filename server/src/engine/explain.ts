/** What is known of a rule, a refusal or a name, as Markdown. */
import { REFUSALS } from '../convert/refusals.ts';
import { rangeText } from '../kernel/describe-entry.ts';
import type { ApiEntry } from '../kernel/types.ts';
import { explainApi as explainEntry, findEntries, membersOf } from '../kernel/hover.ts';
import { renderRuleDocs } from '../rules/docs.ts';
import { ruleById } from '../rules/index.ts';
import { nearWords } from '../text/near-words.ts';
import { KERNEL_API, kernelStages } from './pipeline.ts';
import type { TargetKernel } from './types.ts';

/**
 * All that is known of a rule (its page) or of a kind of refusal, which no kernel changes, as
 * Markdown; undefined for any other name.
 */
export function explainKind(name: string): string | undefined {
  return rulePage(name) ?? refusalText(name);
}

/**
 * What holds of a name of the kernel's interface in a kernel, as Markdown, with its members where
 * it is an ops table; undefined for any other name.
 */
export function explainName(name: string, { version, text }: TargetKernel): string | undefined {
  const dotted = name.replace('->', '.');
  // A member is also meant by its bare name, where nothing else is called so.
  const meant = [dotted, `.${dotted}`].find((one) => findEntries(one).length > 0);
  const explained = meant && explainEntry(meant, version);
  if (meant === undefined || explained === undefined) return undefined;
  const members = findEntries(meant).flatMap((entry) =>
    entry.kind === 'struct' ? membersOf(entry.name, version) : [],
  );
  if (members.length === 0) return explained;
  return `${explained}\n**Members in Linux ${text}:** ${members.map((member) => `\`.${member}\``).join(', ')}\n`;
}

/** Why a driver is not converted, and what to do about it, as Markdown. */
function refusalText(code: string): string | undefined {
  if (!Object.hasOwn(REFUSALS, code)) return undefined;
  const { what, instead } = REFUSALS[code as keyof typeof REFUSALS];
  return `# ${code}\n\nWhy a driver is not converted: ${what}\n\nWhat to do: ${instead}\n`;
}

/** The page of a rule, as Markdown; undefined for any other name. */
export function rulePage(id: string): string | undefined {
  const rule = ruleById(id);
  return rule ? renderRuleDocs([rule]).get(`${rule.id}.md`) : undefined;
}

/** The ids of the rules, sorted. */
export function ruleIds(): readonly string[] {
  return kernelStages.rules.map((rule) => rule.id).sort();
}

/**
 * The names that somebody may have meant who wrote one that explain() does not know: near ones,
 * else those that it is a part of.
 */
export function proposedNames(name: string): readonly string[] {
  const known = explainableNames();
  const wanted = name
    .trim()
    .replace(/^struct\s+/, '')
    .replace(/\(\s*\)$/, '')
    .toLowerCase();
  const near = nearWords(wanted, known, 3);
  const holding =
    wanted.length < 3
      ? []
      : known
          .filter((one) => one.toLowerCase().includes(wanted))
          .sort((left, right) => left.length - right.length);
  return (near.length > 0 ? near : holding).slice(0, MAX_PROPOSALS);
}

const MAX_PROPOSALS = 3;

/**
 * Every name that explain() knows: rules, kinds of refusals, functions, macros, structs and the
 * like, members with a dot before them, and with their struct where it is no ops table of the
 * device.
 */
export function explainableNames(): readonly string[] {
  return [
    ...new Set([
      ...ruleIds(),
      ...Object.keys(REFUSALS),
      ...KERNEL_API.flatMap((entry) =>
        entry.kind === 'member'
          ? [`.${entry.name}`, ...(entry.owner === 'vfio_device_ops' ? [] : [memberName(entry)])]
          : [entry.name],
      ),
    ]),
  ].sort();
}

function memberName({ owner, name }: ApiEntry): string {
  return `${owner}.${name}`;
}

/** Every name once, with what it is in a few words: for `explain --list`. */
export function explainableList(): readonly { readonly name: string; readonly what: string }[] {
  const lives = new Map<string, ApiEntry[]>();
  for (const entry of KERNEL_API) {
    const name = entry.kind === 'member' ? memberName(entry) : entry.name;
    lives.set(name, [...(lives.get(name) ?? []), entry]);
  }
  return [
    ...ruleIds().map((name) => ({ name, what: 'rule' })),
    ...Object.keys(REFUSALS).map((name) => ({ name, what: 'kind of refusal' })),
    ...[...lives].map(([name, entries]) => ({
      name,
      what: `${entries[0]!.kind}, ${entries.map(({ kernels }) => rangeText(kernels)).join('; ')}`,
    })),
  ].sort((left, right) => (left.name < right.name ? -1 : 1));
}
