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

/**
 * Answers a question.
 * @param among those of the findings that are to be told.
 */
export async function answerFile(
  engine: Engine,
  question: FileQuestion,
  among: (analysis: Analysis) => Promise<readonly Finding[]> = ({ findings }) =>
    Promise.resolve(findings),
): Promise<FileAnswer> {
  const { input, config, kernel, rows } = question;
  const analysis = engine.analyse(input, config, kernel);
  const findings = await among(analysis);
  return {
    findings: toldFindings(engine, question, findings),
    notAnalysed: [...analysis.notAnalysed, ...unparsedIn(engine, input)],
    functions: analysis.functions,
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
