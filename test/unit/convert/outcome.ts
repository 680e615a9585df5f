import { createEngine } from '../../../server/src/engine/analyse.ts';
import { convert } from '../../../server/src/engine/convert.ts';
import { convertFolding } from '../../../server/src/engine/fold.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { withEdits } from '../../../server/src/engine/prove.ts';
import type { ModuleInput } from '../../../server/src/engine/types.ts';
import { parseVersion } from '../../../server/src/kernel/version.ts';
import { loadParser } from '../../support/parser.ts';

export type Style = 'minimal' | 'fold';

/** What a user of the conversion gets for a driver of one file. */
export type Outcome =
  | { readonly status: 'converted'; readonly text: string; readonly folded: boolean }
  | { readonly status: 'unchanged' }
  | {
      readonly status: 'refused';
      readonly reason: string;
      readonly code: string | null;
      readonly hasSite: boolean;
    };

const engine = createEngine(await loadParser(), kernelStages);
const PATH = '/driver/main.c';

/**
 * Converts with everything that the editor and the command line do, the proof included. Throws only
 * when the conversion does.
 */
export function outcomeOf(text: string, kernel: string, style: Style): Outcome {
  const input: ModuleInput = { file: PATH, sources: [{ path: PATH, text }], headers: [] };
  const target = {
    version: parseVersion(kernel)!,
    text: kernel,
    source: 'option',
    reason: 'from --kernel',
  } as const;
  const result = (style === 'fold' ? convertFolding : convert)(engine, input, target, undefined);
  if (result.status === 'refused')
    return {
      status: 'refused',
      reason: result.reason,
      code: result.code,
      hasSite: result.site !== null,
    };
  if (result.status === 'unchanged') return result;
  const after = withEdits(input, result.edits);
  if (!after) throw new Error("the edits are in each other's way");
  return { status: 'converted', text: after.sources[0]!.text, folded: result.folded !== undefined };
}
