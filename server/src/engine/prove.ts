/**
 * What fixes and conversions have to show before anyone sees them: the changed module is parsed and
 * analysed again.
 */
import type { Finding } from '../rules/types.ts';
import type { SyntaxParser } from '../syntax/node.ts';
import { applyEdits, overlaps } from '../text/edits.ts';
import type { FileEdits } from '../text/span.ts';
import type { Engine } from './analyse.ts';
import { errorsIn } from './documents.ts';
import type {
  Configuration,
  ModuleInput,
  NotAnalysed,
  SourceDocument,
  TargetKernel,
} from './types.ts';

/**
 * The module with edits applied; undefined when an edit is for a document outside it or two edits
 * are in each other's way.
 */
export function withEdits(
  input: ModuleInput,
  files: readonly FileEdits[],
): ModuleInput | undefined {
  const byPath = new Map<string, FileEdits['edits'][number][]>();
  for (const { path, edits } of files) byPath.set(path, [...(byPath.get(path) ?? []), ...edits]);
  const known = new Set([...input.sources, ...input.headers].map((one) => one.path));
  for (const [path, edits] of byPath) if (!known.has(path) || overlaps(edits)) return undefined;
  const changed = (one: SourceDocument): SourceDocument => {
    const edits = byPath.get(one.path);
    return edits ? { path: one.path, text: applyEdits(one.text, edits) } : one;
  };
  return { ...input, sources: input.sources.map(changed), headers: input.headers.map(changed) };
}

/** The findings in all sources of the module. */
export function allFindings(
  engine: Engine,
  input: ModuleInput,
  config: Configuration,
  kernel: TargetKernel,
): readonly Finding[] {
  return input.sources.flatMap(
    ({ path }) => engine.analyse({ ...input, file: path }, config, kernel).findings,
  );
}

/** What was not analysed in all sources of the module. */
export function notAnalysed(
  engine: Engine,
  input: ModuleInput,
  config: Configuration,
  kernel: TargetKernel,
): readonly NotAnalysed[] {
  return input.sources.flatMap(
    ({ path }) => engine.analyse({ ...input, file: path }, config, kernel).notAnalysed,
  );
}

/**
 * Has no document of `after` more items with a syntax error than in `before`? Both have the same
 * documents.
 * @param prover the engine that analyses `after`.
 */
export function parsesAsWell(prover: Engine, before: ModuleInput, after: ModuleInput): boolean {
  const { parser } = prover;
  const old = [...before.sources, ...before.headers];
  return [...after.sources, ...after.headers].every(
    (one, i) =>
      one.text === old[i]!.text ||
      prover.isClean(after, one.path) ||
      parsedErrors(parser, one.text) <= parsedErrors(parser, old[i]!.text),
  );
}

function parsedErrors(parser: SyntaxParser, text: string): number {
  const tree = parser.parse(text);
  try {
    return errorsIn(tree);
  } finally {
    tree.dispose();
  }
}

/**
 * How often each rule reports in each function, or whatever else the key tells apart: what stays
 * the same when lines move.
 */
export function countFindings(
  findings: readonly Finding[],
  key: (finding: Finding) => string = keyOf,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const finding of findings) counts.set(key(finding), (counts.get(key(finding)) ?? 0) + 1);
  return counts;
}

/** The key that countFindings counts under. */
export function keyOf(finding: Finding): string {
  return `${finding.site.path}\n${finding.functionName ?? ''}\n${finding.rule}`;
}
