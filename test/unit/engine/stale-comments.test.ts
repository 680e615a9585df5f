/** What becomes of suppression comments whose findings a conversion takes away. */
import { describe, expect, it } from 'vitest';
import { convert } from '../../../server/src/engine/convert.ts';
import { convertFolding } from '../../../server/src/engine/fold.ts';
import { withEdits } from '../../../server/src/engine/prove.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { BAR_H, OLD } from '../../support/drivers.ts';
import { engineWith, kernel, single } from './support.ts';

const DRIVER = OLD.replace('#include "bar.h"\n', BAR_H);
const INIT = '\tvfio_init_group_dev(';

async function converted(text: string, style: 'minimal' | 'fold' = 'minimal'): Promise<string> {
  const engine = await engineWith(kernelStages.rules);
  const input = single(text);
  const result = (style === 'fold' ? convertFolding : convert)(
    engine,
    input,
    kernel('6.1'),
    undefined,
  );
  if (result.status !== 'converted') throw new Error(JSON.stringify(result));
  const after = withEdits(input, result.edits)!.sources[0]!.text;
  engine.dispose();
  return after;
}

/** The driver with a line in front of the init. */
function before(comment: string, driver = DRIVER): string {
  return driver.replace(INIT, `${comment}${INIT}`);
}

describe('a comment that allows what a conversion repairs', () => {
  it.each(['minimal', 'fold'] as const)('goes with its line: %s', async (style) => {
    const plain = await converted(DRIVER, style);
    expect(
      await converted(
        before('\t/* vfio-lifecycle: allow(removed-api): the tree has the old call still */\n'),
        style,
      ),
    ).toBe(plain);
    expect(
      await converted(before('\t// vfio-lifecycle: allow(removed-api): kept for now\n'), style),
    ).toBe(plain);
  });

  it('goes for a rule that looks at the old model only', async () => {
    const leaky = DRIVER.replace(
      '\tvfio_uninit_group_dev(&bar->vdev);\n\tkfree(bar);\n\treturn ret;',
      '\tkfree(bar);\n\treturn ret;',
    );
    expect(leaky).not.toBe(DRIVER);
    const comment =
      '/* vfio-lifecycle: allow(missing-uninit): the probe of this board never fails */\n';
    const result = await converted(
      leaky.replace('static int bar_probe', `${comment}static int bar_probe`),
    );
    expect(result).toBe(await converted(leaky));
  });

  it('loses the name of that rule where it has others', async () => {
    const result = await converted(
      before('\t/* vfio-lifecycle: allow(removed-api, missing-put): both are known */\n'),
    );
    expect(result).toContain('/* vfio-lifecycle: allow(missing-put): both are known */');
    const first = await converted(
      before('\t/* vfio-lifecycle: allow(double-put, removed-api): both are known */\n'),
    );
    expect(first).toContain('/* vfio-lifecycle: allow(double-put): both are known */');
  });

  it.each([
    [
      'it allowed nothing before',
      'static int bar_probe',
      '/* vfio-lifecycle: allow(double-put): never seen */\n',
    ],
    ['it gives no reason', INIT, '\t/* vfio-lifecycle: allow(removed-api) */\n'],
    [
      'it is to stay for another kernel',
      INIT,
      '\t/* vfio-lifecycle: allow(removed-api, unused-suppression): for 6.1 only */\n',
    ],
  ])('stays where %s', async (_, place, comment) => {
    expect(await converted(DRIVER.replace(place, `${comment}${place}`))).toContain(comment.trim());
  });
});
