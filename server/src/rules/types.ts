/** The types of rules, findings and fixes. */
import type { FileEdits, Span } from '../text/span.ts';
import type { KernelRange, KernelVersion } from '../kernel/types.ts';
import type { ModuleFacts, Site } from '../lifecycle/types.ts';
import type { Messages } from './wording.ts';

export type Severity = 'error' | 'warning' | 'information' | 'hint';

/** What a rule reports. Spans are offsets into the document `site.path`. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly site: Site;
  /** The function it is in, if any. */
  readonly functionName: string | null;
  /** The other end and the path, oldest first. */
  readonly related: readonly { readonly site: Site; readonly message: string }[];
  readonly fix: Fix | null;
  /** Offer the conversion here. */
  readonly convertible?: boolean;
  readonly tags?: readonly ('deprecated' | 'unnecessary')[];
  /** The last goto on the path that is told. */
  readonly jump?: Site;
  /**
   * Where what is owed was taken, for a rule that names all that a place owes in one finding: a
   * place that owes one thing more is worse than before.
   */
  readonly owed?: readonly Site[];
  /** See decidingPlaces(); filled in for reports that remember findings. */
  readonly decidedBy?: readonly Span[];
}

export interface Fix {
  readonly title: string;
  readonly safety: 'safe' | 'unsafe';
  readonly edits: readonly FileEdits[];
}

export interface RuleContext {
  readonly facts: ModuleFacts;
  readonly kernel: KernelVersion;
}

/** A piece of C that is documentation, test and hover at once. */
export interface Example {
  readonly title: string;
  /** Target kernel, `6.1` by default. */
  readonly kernel?: string;
  /**
   * C with caret lines below the flagged text: `// ^^^^ rule-id` or `// ^^^^ rule-id hint`. A piece
   * without carets must stay silent.
   * Caret lines are taken out before the analysis.
   */
  readonly code: string;
  /** The code after the rule's fix, without caret lines. */
  readonly fixed?: string;
}

export interface RuleDocs {
  /** What is wrong, in one sentence. */
  readonly what: string;
  /** Why it matters: the contract and what happens at run time. */
  readonly why: string;
  /** What to do instead. */
  readonly instead: string;
  /** When it is known to be silent or wrong. */
  readonly knownProblems: string;
  readonly references: readonly string[];
}

export interface Rule {
  readonly id: string;
  /** The severity when the facts are certain. */
  readonly severity: Severity;
  /**
   * It reports that something is missing, a call or the rest of a name or of a list of arguments,
   * which may only not be typed yet: an editor waits with it until nobody types.
   */
  readonly isAbsence?: true;
  /** Target kernels in which the rule looks. */
  readonly kernels: KernelRange;
  readonly fixable: 'safe' | 'unsafe' | 'none' | 'conversion';
  readonly docs: RuleDocs;
  readonly examples: { readonly bad: readonly Example[]; readonly good: readonly Example[] };
  /** All that it may say, as templates for say(). */
  readonly messages: Messages;
  readonly check: (context: RuleContext) => Finding[];
}
