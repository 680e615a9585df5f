/**
 * What `check` asks of one file and what is answered: a function of the module's texts, the kernel
 * and the settings, and of nothing else, so that an answer can be kept.
 */
import type { Engine } from '../engine/analyse.ts';
import { withAllObstacles } from '../engine/convertibility.ts';
import { decidingPlaces } from '../engine/deciding-places.ts';
import { withProof } from '../engine/fix-proof.ts';
import { callsOfRows, type RowCall } from '../engine/wrapper-rows.ts';
import type { Wrapper } from '../engine/settings/schema.ts';
import type {
  Analysis,
  Configuration,
  ModuleInput,
  NotAnalysed,
  TargetKernel,
} from '../engine/types.ts';
import { unparsedIn } from '../engine/unparsed.ts';
import type { Finding } from '../rules/types.ts';

/** All that an answer rests on. */
export interface FileQuestion {
  readonly input: ModuleInput;
  readonly config: Configuration;
  readonly kernel: TargetKernel;
  /** The rows of each configuration file, which are held against the calls. */
  readonly rows: readonly (readonly Wrapper[])[];
  /** Whether it is told if a fix is safe: only then it is proved. */
  readonly provesFixes: boolean;
}

export interface FileAnswer {
  readonly findings: readonly ToldFinding[];
  readonly notAnalysed: readonly NotAnalysed[];
  readonly functions: number;
  /** For each list of rows, the calls in the file. */
  readonly rowCalls: readonly (readonly RowCall[])[];
}

/** A finding with all that is told beside it. */
export interface ToldFinding {
  readonly finding: Finding;
  /** How many of its related places are its own: the others tell why nothing is converted. */
  readonly ownRelated: number;
}

/** Answers a question. */
export function answerFile(engine: Engine, question: FileQuestion): FileAnswer {
  const analysis = analysisOf(engine, question);
  return answerOf(engine, question, analysis, analysis.findings);
}

/**
 * Answers a question with a part of the findings: what is told beside the others is not worked out.
 */
export async function answerInPart(
  engine: Engine,
  question: FileQuestion,
  among: (findings: readonly Finding[]) => Promise<readonly Finding[]>,
): Promise<FileAnswer> {
  const analysis = analysisOf(engine, question);
  return answerOf(engine, question, analysis, await among(analysis.findings));
}

function analysisOf(engine: Engine, { input, config, kernel }: FileQuestion): Analysis {
  return engine.analyse(input, config, kernel);
}

function answerOf(
  engine: Engine,
  question: FileQuestion,
  { notAnalysed, functions }: Analysis,
  findings: readonly Finding[],
): FileAnswer {
  const { input, rows } = question;
  return {
    findings: toldFindings(engine, question, findings),
    notAnalysed: [...notAnalysed, ...unparsedIn(engine, input)],
    functions,
    rowCalls: rows.map((wrappers) => callsOfRows(engine, input, wrappers)),
  };
}

function toldFindings(
  engine: Engine,
  { input, config, kernel, provesFixes }: FileQuestion,
  findings: readonly Finding[],
): readonly ToldFinding[] {
  if (findings.length === 0) return [];
  const document = engine.lowered(input);
  return withAllObstacles(engine, input, kernel, findings).map((one, i) => {
    const proved = provesFixes ? withProof(engine, input, config, kernel, one) : one;
    return {
      finding: document ? { ...proved, decidedBy: decidingPlaces(document, proved) } : proved,
      ownRelated: findings[i]!.related.length,
    };
  });
}

/** The finding as the analysis found it, with its own places alone. */
export function plainFinding({ finding, ownRelated }: ToldFinding): Finding {
  return { ...finding, related: finding.related.slice(0, ownRelated) };
}
