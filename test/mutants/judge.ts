/** Plants a defect and judges what is said of it. */
import type { FileIr } from '../../server/src/ir/types.ts';
import type { KernelVersion } from '../../server/src/kernel/types.ts';
import { analyseModule, createAnalysisCache } from '../../server/src/lifecycle/analyse.ts';
import { ruleById, runRules } from '../../server/src/rules/index.ts';
import type { Finding } from '../../server/src/rules/types.ts';
import type { SyntaxParser } from '../../server/src/syntax/node.ts';
import { applyEdits } from '../../server/src/text/edits.ts';
import { lowerAgain } from './subjects.ts';
import type { Defect, Operator, Subject } from './types.ts';

export interface Verdict {
  readonly subject: Subject;
  readonly defect: Defect;
  /**
   * `found`: by a right rule at a right place. `otherwise`: something else is new. `missed`:
   * nothing is.
   */
  readonly outcome: 'found' | 'otherwise' | 'missed' | 'equivalent';
  /** What was said, shortly. */
  readonly said: readonly string[];
  /** Found, but at less than the rule's own severity: something is not certain. */
  readonly isLowered: boolean;
  /** New errors of rules that have nothing to do with it. */
  readonly extra: readonly string[];
  /** Only some of these rules look at this kernel; the first is the one that it counts for. */
  readonly rule: string;
}

/** What is said of documents for a kernel. */
export type Analysis = (
  sources: readonly FileIr[],
  headers: readonly FileIr[],
  kernel: KernelVersion,
) => readonly Finding[];

/**
 * The rules of the project, over an analysis that keeps what it knows of a module: a defect changes
 * one function of it.
 */
function allRules(): Analysis {
  const cache = createAnalysisCache();
  return (sources, headers, kernel) =>
    runRules({ facts: analyseModule({ sources, headers }, kernel, cache), kernel });
}

function outcomeOf(right: readonly Finding[], fresh: readonly Finding[]): Verdict['outcome'] {
  if (right.length > 0) return 'found';
  return fresh.length > 0 ? 'otherwise' : 'missed';
}

/**
 * A judge over a parser, who remembers what is said of each driver as it is.
 * @param analysisOf makes the analysis of one driver and its mutants.
 */
export function createJudge(
  parser: SyntaxParser,
  analysisOf: () => Analysis = allRules,
): (operator: Operator, subject: Subject, defect: Defect) => Verdict {
  // Of the last driver only: they come one after the other, and each knows much.
  let last: { subject: Subject; analyse: Analysis; baseline: readonly Finding[] } | undefined;
  const ofSubject = (subject: Subject): NonNullable<typeof last> => {
    if (last?.subject !== subject) {
      const analyse = analysisOf();
      const baseline = analyse(subject.sources, subject.headers, subject.kernel);
      last = { subject, analyse, baseline };
    }
    return last;
  };

  return (operator, subject, defect) => {
    if (defect.equivalent !== undefined)
      return {
        subject,
        defect,
        outcome: 'equivalent',
        said: [defect.equivalent],
        isLowered: false,
        extra: [],
        rule: operator.rules[0]!,
      };
    const planted = (file: FileIr): FileIr =>
      file.path === defect.path && defect.edits.length > 0
        ? lowerAgain(parser, file, applyEdits(file.text, defect.edits))
        : file;
    const { analyse, baseline } = ofSubject(subject);
    const after = analyse(
      subject.sources.map(planted),
      subject.headers.map(planted),
      defect.kernel ?? subject.kernel,
    );
    const fresh = without(after, baseline);
    const right = fresh.filter(
      (one) => operator.rules.includes(one.rule) && isAtPlace(one, defect),
    );
    const allowed = new Set([...operator.rules, ...(operator.also ?? [])]);
    return {
      subject,
      defect,
      outcome: outcomeOf(right, fresh),
      said: fresh.map(shown),
      isLowered:
        right.length > 0 &&
        right.every(
          (one) => one.severity !== ruleById(one.rule)?.severity && one.severity !== 'error',
        ),
      extra: fresh.filter((one) => one.severity === 'error' && !allowed.has(one.rule)).map(shown),
      rule: right[0]?.rule ?? operator.rules[0]!,
    };
  };
}

function shown(one: Finding): string {
  return `${one.severity} in ${one.functionName ?? 'the file'}: ${one.message} [${one.rule}]`;
}

function isAtPlace({ functionName }: Finding, { functions }: Defect): boolean {
  return functions === null || (functionName !== null && functions.includes(functionName));
}

/**
 * The findings that are not in `before`, each of which stands for one at most. Places move with an
 * edit, so that they do not count.
 */
function without(after: readonly Finding[], before: readonly Finding[]): Finding[] {
  const left = new Map<string, number>();
  const key = (one: Finding): string =>
    `${one.rule}\n${one.severity}\n${one.functionName}\n${one.message}`;
  for (const one of before) left.set(key(one), (left.get(key(one)) ?? 0) + 1);
  return after.filter((one) => {
    const count = left.get(key(one)) ?? 0;
    if (count > 0) left.set(key(one), count - 1);
    return count === 0;
  });
}
