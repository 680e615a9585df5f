/** Each note of a conversion has its place in the result. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../../server/src/engine/analyse.ts';
import { beginningOf, convert } from '../../../server/src/engine/convert.ts';
import { convertFolding } from '../../../server/src/engine/fold.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { withEdits } from '../../../server/src/engine/prove.ts';
import type { ModuleInput, TargetKernel } from '../../../server/src/engine/types.ts';
import { loadParser } from '../../support/parser.ts';
import { kernel } from './support.ts';

const engine = createEngine(await loadParser(), kernelStages);

/** The notes of a conversion, each with the line of the result that it stands at. */
function notesOf(
  name: string,
  style: 'minimal' | 'fold',
  target: TargetKernel,
): { readonly message: string; readonly line: string }[] {
  const url = new URL(`../../fixtures/convert/${name}`, import.meta.url);
  const input: ModuleInput = {
    file: name,
    sources: [{ path: name, text: readFileSync(url, 'utf8') }],
    headers: [],
  };
  const result = (style === 'fold' ? convertFolding : convert)(engine, input, target, undefined);
  if (result.status !== 'converted') throw new Error(result.status);
  const after = withEdits(input, result.edits)!.sources[0]!.text;
  return result.notes.map(({ text, message = text, site = beginningOf(result.edits) }) => {
    expect(site?.path).toBe(name);
    const line = after.slice(0, site!.start).split('\n').length - 1;
    return { message, line: after.split('\n')[line]!.trim() };
  });
}

describe.each([
  [
    'a pointer that is kept',
    'helper-creates.c',
    'minimal',
    /^struct kiln is now freed/,
    'list_add(&kiln->node, &kilns);',
  ],
  [
    'the same behind the text that a fold adds',
    'helper-creates.c',
    'fold',
    /^struct kiln is now freed/,
    'list_add(&kiln->node, &kilns);',
  ],
  [
    'a helper',
    'helper-creates.c',
    'minimal',
    /^kiln_create\(\) returns/,
    'static struct kiln *kiln_create(struct device *dev, u32 heat)',
  ],
  [
    'what the memory loses',
    'forms/memory-properties.c',
    'minimal',
    /^GFP_KERNEL_ACCOUNT is lost/,
    'churn = vfio_alloc_device(churn, vdev, &mdev->dev, &churn_ops);',
  ],
  [
    'what is given such memory',
    'forms/memory-properties.c',
    'minimal',
    /^virt_to_phys\(\) is given/,
    'churn->handle = virt_to_phys(&churn->ring[64]);',
  ],
  [
    'a struct',
    'several-files/member-in-one-file/wick.c',
    'minimal',
    /^`vdev` is now the first member of struct wick:/,
    'struct wick {',
  ],
  [
    'an ops table',
    'alias.c',
    'minimal',
    /^kiln_ops got/,
    'static const struct vfio_device_ops kiln_ops = {',
  ],
  [
    'what the target lacks',
    'fold/tag-like-variable.c',
    'minimal',
    /^mdev_get_type_group_id\(\) was removed/,
    'const struct drum *drum = &drums[mdev_get_type_group_id(mdev)];',
  ],
  [
    'a callback that the fold writes',
    'bare-goto.c',
    'fold',
    /^flask_release_dev\(\) now does/,
    'static void flask_release_dev(struct vfio_device *vdev)',
  ],
  [
    'what stays behind a fold',
    'device-set.c',
    'fold',
    /^`ret = crate_wire\(crate\);` stays/,
    'ret = crate_wire(crate);',
  ],
  [
    'what was removed',
    'forms/empty-release.c',
    'minimal',
    /^harbour_release_dev\(\) was removed/,
    'static int harbour_open(struct vfio_device *vdev)',
  ],
] as const)('%s: %s, %s', (_, name, style, message, line) => {
  test('the note stands at its line and names none', () => {
    const note = notesOf(name, style, kernel('6.6')).find((one) => message.test(one.message));
    expect(note).toMatchObject({ line });
    expect(note!.message).not.toMatch(/\bline \d/i);
  });
});
