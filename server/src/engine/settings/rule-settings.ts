/**
 * How rules are to report, as people write it in files, in an editor and on the command line: the
 * same words everywhere.
 */
import { rules } from '../../rules/index.ts';
import type { Severity } from '../../rules/types.ts';
import { nearWords } from '../../text/near-words.ts';

/** The word that stands for every rule. What names one rule, or several, counts before it. */
export const ALL = 'all';

/** The severities as they may be written, with what each means. */
const WORDS = {
  error: 'error',
  warning: 'warning',
  information: 'information',
  hint: 'hint',
  off: 'off',
  info: 'information',
} as const satisfies Readonly<Record<string, Severity | 'off'>>;

export type SeverityWord = keyof typeof WORDS;

/** Every way to write a severity. */
export const SEVERITY_WORDS = Object.keys(WORDS) as readonly SeverityWord[];

/** What was understood, and one sentence for each thing that was not. */
export interface RuleSettings {
  readonly rules: Readonly<Record<string, Severity | 'off'>>;
  readonly problems: readonly string[];
}

const ids = rules.map((rule) => rule.id);

/**
 * The severity of each rule that `written` speaks of. A key is a rule, several with commas between
 * them, or `all`; the one that says less counts first.
 * @param at where it stands, such as `rules`.
 */
export function ruleSettings(
  written: Readonly<Record<string, SeverityWord>>,
  at: string,
): RuleSettings {
  const problems: string[] = [];
  const single = new Map<string, Severity | 'off'>();
  const listed = new Map<string, Severity | 'off'>();
  for (const [key, word] of Object.entries(written)) {
    const names = namesIn(key);
    for (const name of names) {
      const problem = ruleProblem(name, true);
      const severity = WORDS[word];
      const before = listed.get(name);
      if (problem !== undefined) problems.push(`${at}: ${problem}`);
      else if (names.length === 1) single.set(name, severity);
      else if (before !== undefined && before !== severity)
        problems.push(
          `${at}: two lists name ${name}, which is ${before} in the first and ${severity} in the second; the first counts`,
        );
      else listed.set(name, severity);
    }
  }
  const own = new Map([...listed, ...single]);
  const all = own.get(ALL);
  own.delete(ALL);
  const others = all === undefined ? [] : ids.map((id) => [id, all] as const);
  return { rules: Object.fromEntries([...others, ...own]), problems };
}

/** The names in a list with commas between them. */
export function namesIn(list: string): readonly string[] {
  return list.split(',').map((name) => name.trim());
}

/**
 * Why a word is not the name of a rule, with the one that it is near to; undefined where it is one.
 * @param allowsAll `all` is one too.
 */
export function ruleProblem(name: string, allowsAll: boolean): string | undefined {
  if (ids.includes(name) || (allowsAll && name === ALL)) return undefined;
  const [near] = nearWords(name, ids, 3);
  return `${JSON.stringify(name)} is not known${near === undefined ? '' : `; ${JSON.stringify(near)} is`}`;
}
