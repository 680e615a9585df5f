/** The fold style: what a minimal conversion leaves in probe and remove moves into `.init` and `.release`, as far as that can be proved. */
import { composePlanned, type DocumentEdits, type Note } from '../convert/index.ts';
import { foldDevice, textsBeforeCore, type FoldResult, type Moved } from '../convert/fold/index.ts';
import type { Module, Site } from '../lifecycle/types.ts';
import type { Engine } from './analyse.ts';
import { convert, prove, unprovedEdits } from './convert.ts';
import { withEdits } from './prove.ts';
import type { Conversion, ModuleInput, TargetKernel } from './types.ts';

/** Whether there is anything to fold: without the proof. Never throws. */
export type FoldOffer = { readonly status: 'planned' } | { readonly status: 'nothing'; readonly reason: string };

export function foldOfferOf(engine: Engine, input: ModuleInput, target: TargetKernel, functionName: string | undefined): FoldOffer {
  const scratch = engine.sibling();
  try {
    const before = engine.module(input);
    const edits = unprovedEdits(engine, scratch, input, target, functionName);
    const after = edits && withEdits(input, edits);
    const module = after && scratch.module(after);
    if (!before || !module) return { status: 'nothing', reason: 'There is no conversion to fold.' };
    const results = probesOf(before, module).map((probe) => foldProbe(before, module, target, probe));
    if (results.some((result) => result.status === 'folded')) return { status: 'planned' };
    const first = results[0];
    return { status: 'nothing', reason: first?.status === 'nothing' ? first.reason : 'The conversion allocates no device anew.' };
  } catch (error) {
    return { status: 'nothing', reason: `internal error: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    scratch.dispose();
  }
}

/**
 * Converts like `convert` and folds each probe that it converted. What cannot be folded, or whose fold fails the proof, stays as the minimal
 * conversion has it, and a note says why. Never throws.
 */
export function convertFolding(engine: Engine, input: ModuleInput, target: TargetKernel, functionName: string | undefined): Conversion {
  const minimal = convert(engine, input, target, functionName);
  if (minimal.status !== 'converted') return minimal;
  const scratch = engine.sibling();
  try {
    const before = engine.module(input);
    let edits: readonly DocumentEdits[] = minimal.edits.map((one) => ({ path: one.path, edits: one.edits.map((edit) => ({ ...edit, kind: edit.kind ?? 'tidy' })) }));
    let after = withEdits(input, edits);
    let module = after && scratch.module(after);
    if (!before || !after || !module) return minimal;
    let notes: readonly Note[] = minimal.notes;
    const folded: Moved[] = [];
    for (const probe of probesOf(before, module)) {
      const result = foldProbe(before, module, target, probe);
      if (result.status === 'nothing') {
        notes = [...notes, notFolded(`Nothing was folded: ${result.reason}`)];
        continue;
      }
      const next = withEdits(after, [{ path: probe.path, edits: result.edits }]);
      const proof = prove(engine, scratch, input, next, target, functionName);
      const nextModule = next && proof.status === 'proved' ? scratch.module(next) : undefined;
      if (!next || !nextModule) {
        const why = proof.status === 'failed' ? `${proof.problem}${next && proof.site ? ` (line ${lineIn(next, proof.site)} of the result)` : ''}` : 'the result cannot be read again';
        notes = [...notes, notFolded(`${probe.name}() was not folded: ${why}.`)];
        continue;
      }
      edits = composePlanned(edits, [{ path: probe.path, edits: result.edits.map((edit) => ({ ...edit, kind: 'fold' })) }]);
      after = next;
      module = nextModule;
      folded.push(result.moved);
      // The release that was added to give the memory back does more by now.
      notes = [...notes.filter((note) => note.kind !== 'release' || note.name !== result.moved.release), ...result.notes];
    }
    return { status: 'converted', edits, notes, ...(folded.length > 0 && { folded }) };
  } catch (error) {
    return { ...minimal, notes: [...minimal.notes, notFolded(`Nothing was folded: internal error: ${error instanceof Error ? error.message : String(error)}`)] };
  } finally {
    scratch.dispose();
  }
}

function notFolded(text: string): Note {
  return { kind: 'style', text };
}

/** The one-based line of a place. */
function lineIn(input: ModuleInput, site: Site): number {
  const text = [...input.sources, ...input.headers].find((one) => one.path === site.path)?.text ?? '';
  return text.slice(0, site.start).split('\n').length;
}

interface Probe { readonly path: string; readonly name: string }

/** The functions that allocate by vfio_alloc_device() since the conversion. */
function probesOf(before: Module, after: Module): Probe[] {
  const allocates = (text: string): boolean => /\bvfio_alloc_device\s*\(/.test(text);
  return after.sources.flatMap((file) => {
    const old = before.sources.find((source) => source.path === file.path);
    return file.functions.filter((fn) => allocates(fn.text) && !old?.functions.some((one) => one.name === fn.name && allocates(one.text))).map((fn) => ({ path: file.path, name: fn.name }));
  });
}

function foldProbe(before: Module, module: Module, target: TargetKernel, { path, name }: Probe): FoldResult {
  const old = before.sources.find((source) => source.path === path);
  return foldDevice({ module, kernel: target.version, path, functionName: name, beforeCore: old ? textsBeforeCore(old, name) : new Set() });
}
