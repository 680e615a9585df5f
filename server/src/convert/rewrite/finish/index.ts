/**
 * The last of a conversion: what was generated is brought into the style of its document, whatever
 * step or style has written it.
 */
import type { Module } from '../../../lifecycle/types.ts';
import { composePlanned, type DocumentEdits } from '../compose.ts';
import type { Relower } from '../../plan/prepare.ts';
import { blankLines } from './blank-lines.ts';
import { changeOf, type Pass } from './change.ts';
import { stackedComments } from './comments.ts';
import { continuations } from './continuations.ts';
import { unneededIncludes } from './includes.ts';
import { danglingBodies } from './indentation.ts';
import { bareLabels } from './labels.ts';
import { loneStatements } from './lone-statements.ts';
import { longLines } from './long-lines.ts';
import { returningLabels } from './returning-labels.ts';
import { unusedLabels } from './unused-labels.ts';
import { braceStyle, callSpacing, headStyle } from './spelling.ts';

/** In this order: what takes lines out before what arranges those that are left. */
const PASSES: readonly Pass[] = [
  returningLabels,
  unusedLabels,
  loneStatements,
  unneededIncludes,
  bareLabels,
  blankLines,
  braceStyle,
  headStyle,
  danglingBodies,
  callSpacing,
  stackedComments,
  continuations,
  longLines,
];

export interface Finished {
  /** On the documents as they were given, like those of the conversion. */
  readonly edits: readonly DocumentEdits[];
  /** What was added to them, one after the other, each on the result of the one before it. */
  readonly steps: readonly (readonly DocumentEdits[])[];
}

/**
 * The edits of a conversion with those that its result wants for the style of the documents; what
 * the edits do not touch stays as it is.
 * @param before the module that `edits` are made on
 * @param relower lowers that module with edits made
 */
export function finishConversion(
  before: Module,
  edits: readonly DocumentEdits[],
  relower: Relower,
): Finished {
  let done = edits;
  const steps: (readonly DocumentEdits[])[] = [];
  let module = edits.length > 0 ? relower(edits) : undefined;
  for (const pass of PASSES) {
    if (!module) break;
    const more = passOver(before, module, done, pass);
    if (more.length === 0) continue;
    const next = composePlanned(done, more);
    const relowered = relower(next);
    if (!relowered) continue;
    steps.push(more);
    done = next;
    module = relowered;
  }
  return { edits: done, steps };
}

function passOver(
  before: Module,
  module: Module,
  edits: readonly DocumentEdits[],
  pass: Pass,
): DocumentEdits[] {
  const documents = [...before.sources, ...before.headers];
  return [...module.sources, ...module.headers].flatMap((after) => {
    const old = documents.find((file) => file.path === after.path);
    const own = edits.filter((item) => item.path === after.path).flatMap((item) => item.edits);
    if (!old || own.length === 0) return [];
    const made = pass(changeOf(module, old, after, own));
    return made.length > 0
      ? [{ path: after.path, edits: made.map((edit) => ({ ...edit, kind: 'tidy' as const })) }]
      : [];
  });
}
