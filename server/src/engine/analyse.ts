/**
 * The engine's entry: analyses one file with what belongs to it. Pure: texts in, facts and findings
 * out. It remembers the last
 * results, so that an edit costs what it changed.
 */
import { createPlans, type Plans } from './plans.ts';
import type { FileIr } from '../ir/types.ts';
import type { KernelVersion } from '../kernel/types.ts';
import { formatVersion, inRange } from '../kernel/version.ts';
import type { Module, ModuleFacts } from '../lifecycle/types.ts';
import { withoutSuppressed } from '../rules/suppressions.ts';
import type { Finding, Rule, Severity } from '../rules/types.ts';
import { RANK } from './compare-findings.ts';
import type { SyntaxParser } from '../syntax/node.ts';
import { atOnce, isBudgetSpent, spendAgain, withinBudget, type Steps } from '../budget/work.ts';
import { createDocuments, type Documents } from './documents.ts';
import { createKeptModules } from './modules.ts';
import { KERNEL_API, kernelStages, type Stages } from './pipeline.ts';
import type {
  Analysis,
  Configuration,
  ModuleInput,
  NotAnalysed,
  SourceDocument,
  TargetKernel,
} from './types.ts';
import { append, isSameList } from '../text/lists.ts';
import { compareText } from '../text/words.ts';

export interface Engine {
  /**
   * The findings in `input.file`, sorted, each rule at most once a place. Never throws: what fails
   * is in `notAnalysed`.
   */
  analyse(input: ModuleInput, config: Configuration, kernel: TargetKernel): Analysis;
  /**
   * The same in steps, for a host that has others to answer. Between two steps nothing else may be
   * asked of the engine; the rest may be left undone.
   */
  analyseInSteps(input: ModuleInput, config: Configuration, kernel: TargetKernel): Steps<Analysis>;
  /**
   * The facts of the whole module; undefined when it mentions no VFIO or could not be analysed.
   * Never throws.
   */
  facts(input: ModuleInput, kernel: TargetKernel): ModuleFacts | undefined;
  /** The lowered module, without an analysis; undefined as for `facts`. */
  module(input: ModuleInput): Module | undefined;
  /** Whether a document of the module was parsed, and without an error. Never throws. */
  isClean(input: ModuleInput, path: string): boolean;
  /** The IR of the file itself, whatever it is about. Never throws. */
  lowered(input: ModuleInput): FileIr | undefined;
  /**
   * See Documents.settle: to be called for an edited document when the host is idle. True asks for
   * a new analysis.
   */
  settle(path: string): boolean;
  /**
   * A document was closed. What is known of its module stays while another document of it is open,
   * and that of the last modules that were closed stays too.
   */
  close(path: string): void;
  /** Frees all that is kept of a document and of the modules that read it. */
  forget(path: string): void;
  /**
   * Another engine of the same making with a store of its own, for texts that are nobody's
   * documents: what they have in common with those of this one is neither read nor explored again.
   * The caller disposes it.
   */
  sibling(): Engine;
  /**
   * The sibling in which changed texts are proved: the same one each time, so that it meets the
   * next change with most of it done. Freed with the engine.
   */
  prover(): Engine;
  dispose(): void;
  readonly rules: readonly Rule[];
  readonly parser: SyntaxParser;
  /** The plans of conversions that were made for the texts it knows. */
  readonly plans: Plans;
}

/**
 * No settings: one object, because results are remembered for the very settings they were made
 * with.
 */
export const NO_SETTINGS: Configuration = {};

/**
 * The work that one rule may do for one module: the most that one does for a driver of Linux 6.0 is
 * a tenth of it.
 */
const RULE_BUDGET = 500_000;

/**
 * UTF-16 code units. The largest C file of a kernel driver that mentions VFIO has a twentieth of
 * this.
 */
export const MAX_FILE = 4_000_000;

/** Is this file worth a parse? The same question as the hosts' filters ask of bytes. */
export function mentionsVfio(text: string): boolean {
  return text.includes('vfio');
}

/** The rules that look at a file with these settings and this kernel. */
export function rulesFor(
  rules: readonly Rule[],
  config: Configuration,
  kernel: KernelVersion,
): readonly Rule[] {
  return rules.filter((rule) => config.rules?.[rule.id] !== 'off' && inRange(kernel, rule.kernels));
}

/**
 * The names without one of which a module has no life cycle to analyse: it neither calls the
 * interface nor has a table for it. Users of
 * `struct vfio_device` such as the IOMMU drivers are no more than that, and a driver may speak of
 * VFIO in a comment only.
 */
const INTERFACE = new RegExp(
  `\\b(?:vfio_device_ops|${KERNEL_API.filter(
    (one) => one.kind === 'function' || one.kind === 'macro',
  )
    .map((one) => one.name)
    .join('|')})\\b`,
);

/**
 * Asks that of a module. With every key it is asked again, and nearly always one of the other
 * documents has answered it before.
 */
function interfaceTest(): (input: ModuleInput) => boolean {
  const known = new Map<string, { readonly text: string; readonly uses: boolean }>();
  const uses = ({ path, text }: SourceDocument): boolean => {
    let answer = known.get(path);
    if (answer?.text !== text) {
      known.set(path, (answer = { text, uses: mentionsVfio(text) && INTERFACE.test(text) }));
      if (known.size > MAX_ANSWERS) known.delete(known.keys().next().value!);
    }
    return answer.uses;
  };
  return ({ sources, headers, wrappers }) => {
    const documents = [...sources, ...headers],
      names = [...(wrappers?.keys() ?? [])];
    const isKnown = ({ path, text }: SourceDocument): boolean => {
      const answer = known.get(path);
      return answer !== undefined && answer.uses && answer.text === text;
    };
    return (
      documents.some(isKnown) ||
      documents.some(uses) ||
      documents.some(({ text }) => names.some((name) => text.includes(name)))
    );
  };
}

const MAX_ANSWERS = 200;

interface ModuleResult {
  readonly files: readonly FileIr[];
  readonly kernel: string;
  readonly facts: ModuleFacts;
  findings?: {
    readonly config: Configuration;
    readonly list: readonly Finding[];
    readonly failed: readonly NotAnalysed[];
  };
}

interface ModuleEntry {
  readonly cache: unknown;
  /**
   * The last result for each of the few kernels that are asked about in turn (target, conversion).
   */
  results: ModuleResult[];
}

/**
 * Makes an engine over `parser`, which stays the caller's. `stages` is for tests of the engine
 * itself, `documents` and `original`, which has what is kept of a module, for engines of the same
 * making.
 */
export function createEngine(
  parser: SyntaxParser,
  stages: Stages = kernelStages,
  documents: Documents = createDocuments(parser, stages.lowering),
  original: (input: ModuleInput) => unknown = () => undefined,
): Engine {
  const modules = createKeptModules<ModuleEntry>();
  const usesInterface = interfaceTest();
  const ruleIds = new Set(stages.rules.map((rule) => rule.id));
  const sibling = (): Engine =>
    createEngine(parser, stages, documents.fork(), (input) => modules.find(input)?.cache);
  let prover: Engine | undefined;
  const plans = createPlans();

  function* lowerModule(input: ModuleInput): Steps<Module> {
    const sources: FileIr[] = [];
    const headers: FileIr[] = [];
    for (const [list, into] of [
      [input.sources, sources],
      [input.headers, headers],
    ] as const) {
      for (const one of list) {
        if (into === headers && one.text.length > MAX_FILE) continue;
        into.push(documents.lowered(one.path, one.text, one.path === input.file));
        yield;
      }
    }
    return { sources, headers, wrappers: input.wrappers, build: input.build };
  }

  function* result(input: ModuleInput, kernel: TargetKernel): Steps<ModuleResult> {
    const module = yield* lowerModule(input);
    const files = [...module.sources, ...module.headers];
    const entry = modules.keptFor(input, () => newEntry(input));
    const known = entry.results.find(
      (one) =>
        one.kernel === kernel.text &&
        one.facts.module.wrappers === input.wrappers &&
        one.facts.module.build === input.build &&
        isSameList(one.files, files),
    );
    // What is known costs an answer what it would cost in a new engine.
    if (known) {
      spendAgain(known.facts.work.spent);
      return known;
    }
    const facts = yield* stages.analyseModule(module, kernel.version, entry.cache);
    spendAgain(facts.work.spent);
    const fresh: ModuleResult = { files, kernel: kernel.text, facts };
    // Results for other texts of the same module are of no more use.
    entry.results = [
      fresh,
      ...entry.results.filter((one) => one.kernel !== kernel.text && isSameList(one.files, files)),
    ].slice(0, 3);
    return fresh;
  }

  function newEntry(input: ModuleInput): ModuleEntry {
    const begun = original(input);
    const cache = begun === undefined ? stages.createCache() : stages.forkCache(begun);
    return { cache, results: [] };
  }

  let looking: { config: Configuration; kernel: KernelVersion; list: readonly Rule[] } | undefined;

  /** Those of the last question: with every key it is the same one. */
  function lookingRules(config: Configuration, kernel: KernelVersion): readonly Rule[] {
    if (looking?.config !== config || looking.kernel !== kernel)
      looking = { config, kernel, list: rulesFor(stages.rules, config, kernel) };
    return looking.list;
  }

  function* findingsOf(
    module: ModuleResult,
    config: Configuration,
  ): Steps<NonNullable<ModuleResult['findings']>> {
    const known = module.findings;
    if (known && known.config === config) return known;
    const found: Finding[] = [];
    const failed: NotAnalysed[] = [];
    const looked = new Map<string, Rule>();
    const { facts } = module;
    for (const rule of lookingRules(config, facts.kernel)) {
      try {
        const done = withinBudget(RULE_BUDGET, () => rule.check({ facts, kernel: facts.kernel }));
        if (done.isSpent)
          failed.push({ path: '', function: '', reason: `too much work for the rule ${rule.id}` });
        else {
          append(found, done.value);
          looked.set(rule.id, rule);
        }
      } catch (error) {
        // One broken rule must not silence the others; it is said, because a silent one would look
        // like a clean file.
        failed.push({
          path: '',
          function: '',
          reason: `internal error in rule ${rule.id}: ${message(error)}`,
          isInternal: true,
        });
      }
      yield;
    }
    const left = withoutSuppressed(found, {
      facts,
      known: ruleIds,
      looked: new Set(looked.keys()),
      kernel: formatVersion(facts.kernel),
    });
    const list = left.map((finding) => {
      const severity = config.rules?.[finding.rule];
      const rule = looked.get(finding.rule);
      return rule && severity && severity !== 'off'
        ? withSeverity(finding, rule, severity)
        : finding;
    });
    return (module.findings = { config, list: unique(list), failed });
  }

  function isWorthwhile(input: ModuleInput): boolean {
    const text = textOf(input);
    return mentionsVfio(text) && text.length <= MAX_FILE && usesInterface(input);
  }

  function* analyseInSteps(
    input: ModuleInput,
    config: Configuration,
    kernel: TargetKernel,
  ): Steps<Analysis> {
    const text = textOf(input);
    if (!mentionsVfio(text)) return { findings: [], notAnalysed: [], functions: 0 };
    if (text.length > MAX_FILE)
      return failure(
        input.file,
        `the file is larger than ${MAX_FILE / 1_000_000} million characters`,
      );
    if (!usesInterface(input)) return { findings: [], notAnalysed: [], functions: 0 };
    try {
      const module = yield* result(input, kernel);
      const { list, failed } = yield* findingsOf(module, config);
      const functions = module.files.find((one) => one.path === input.file)?.functions.length ?? 0;
      return {
        findings: list.filter((one) => one.site.path === input.file),
        notAnalysed: [
          ...module.facts.notAnalysed.filter((one) => one.path === input.file),
          ...failed.map((one) => ({ ...one, path: input.file })),
        ],
        functions,
      };
    } catch (error) {
      if (isBudgetSpent(error)) throw error;
      return failure(input.file, `internal error: ${message(error)}`, true);
    }
  }

  return {
    rules: stages.rules,
    parser,
    plans,

    analyse: (input, config, kernel) => atOnce(analyseInSteps(input, config, kernel)),
    analyseInSteps,

    facts(input, kernel) {
      return isWorthwhile(input)
        ? orUndefined(() => atOnce(result(input, kernel)).facts)
        : undefined;
    },

    module(input) {
      return isWorthwhile(input) ? orUndefined(() => atOnce(lowerModule(input))) : undefined;
    },

    isClean(input, path) {
      const text = textAt(input, path);
      if (text.length > MAX_FILE) return false;
      return orUndefined(() => documents.isClean(path, text, path === input.file)) ?? false;
    },

    lowered(input) {
      const text = textOf(input);
      return text.length > MAX_FILE
        ? undefined
        : orUndefined(() => documents.lowered(input.file, text, true));
    },

    settle: (path) => orUndefined(() => documents.settle(path)) ?? false,

    forget(path) {
      prover?.forget(path);
      plans.forget(path);
      documents.forget(path);
      modules.forget(path);
    },

    close(path) {
      prover?.forget(path);
      plans.forget(path);
      documents.close(path);
      for (const unused of modules.close(path)) documents.forget(unused);
    },

    sibling,

    prover: () => (prover ??= sibling()),

    dispose() {
      prover?.dispose();
      modules.clear();
      documents.dispose();
    },
  };
}

function textOf(input: ModuleInput): string {
  return textAt(input, input.file);
}

function textAt({ sources, headers }: ModuleInput, path: string): string {
  return [...sources, ...headers].find((one) => one.path === path)?.text ?? '';
}

/**
 * What a host asks beside the analysis: where it fails there is no answer. The analysis itself says
 * why. Throws where the budget of the question is spent.
 */
function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isBudgetSpent(error)) throw error;
    return undefined;
  }
}

function failure(path: string, reason: string, isInternal = false): Analysis {
  return {
    findings: [],
    notAnalysed: [{ path, function: '', reason, ...(isInternal && { isInternal: true as const }) }],
    functions: 0,
  };
}

function message(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
}

/**
 * The severity that the user wants for a rule. A finding that the rule itself lowered for want of
 * certainty is never raised above that.
 */
function withSeverity(finding: Finding, rule: Rule, wanted: Severity): Finding {
  const severity =
    finding.severity === rule.severity || RANK[wanted] > RANK[finding.severity]
      ? wanted
      : finding.severity;
  return severity === finding.severity ? finding : { ...finding, severity };
}

/** Sorted by place, then by rule; the most severe of those that one rule reports at one place. */
function unique(findings: readonly Finding[]): readonly Finding[] {
  const sorted = [...findings].sort(
    (left, right) =>
      compareText(left.site.path, right.site.path) ||
      left.site.start - right.site.start ||
      left.site.end - right.site.end ||
      compareText(left.rule, right.rule) ||
      RANK[left.severity] - RANK[right.severity],
  );
  return sorted.filter((one, i) => {
    const before = sorted[i - 1];
    return (
      !before ||
      before.rule !== one.rule ||
      before.site.path !== one.site.path ||
      before.site.start !== one.site.start ||
      before.site.end !== one.site.end
    );
  });
}
