import { describe, expect, it } from 'vitest';
import {
  conversionsAt,
  conversionTarget,
  convert,
  planOf,
} from '../../../server/src/engine/convert.ts';
import { convertFolding } from '../../../server/src/engine/fold.ts';
import { withEdits } from '../../../server/src/engine/prove.ts';
import type { Wrapper } from '../../../server/src/engine/settings/schema.ts';
import { rowsOf } from '../../../server/src/engine/settings/wrappers.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { BAR_H, CLEAN, OLD } from '../../support/drivers.ts';
import { engineWith, kernel, single, textRule } from './support.ts';

const DRIVER = OLD.replace('#include "bar.h"\n', BAR_H);
const K61 = kernel('6.1');

describe('the proof of a conversion', () => {
  it('is given by the rules of the project', async () => {
    const engine = await engineWith(kernelStages.rules);
    const input = single(DRIVER);
    expect(planOf(engine, input, K61, undefined)).toEqual({
      status: 'planned',
      probes: ['bar_probe'],
      allocates: true,
    });
    const result = convert(engine, input, K61, undefined);
    if (result.status !== 'converted') throw new Error(JSON.stringify(result));
    const after = withEdits(input, result.edits)!;
    expect(engine.analyse(after, {}, K61).findings).toEqual([]);
    expect(convert(engine, after, K61, undefined)).toEqual({ status: 'unchanged' });
  });

  const OVER_CORE = DRIVER.replace(
    'vfio_register_emulated_iommu_dev(&bar->vdev)',
    'tern_core_start(&bar->vdev)',
  );

  it.each<[what: string, text: string, ...rows: Wrapper[]]>([
    ['registers', OVER_CORE, { name: 'tern_core_start', does: 'register' }],
    [
      'registers in a set',
      OVER_CORE,
      { name: 'tern_core_start', does: ['assign-set', 'register'] },
    ],
    [
      'registers, and another unregisters by the parent',
      OVER_CORE.replace('vfio_unregister_group_dev(&bar->vdev)', 'tern_core_stop(mdev)'),
      { name: 'tern_core_start', does: 'register' },
      { name: 'tern_core_stop', does: 'unregister', through: 'drvdata' },
    ],
  ])('knows what a core of the settings %s', async (_, text, ...rows) => {
    const engine = await engineWith(kernelStages.rules);
    const input = { ...single(text), wrappers: rowsOf(rows).rows };
    const result = convert(engine, input, K61, undefined);
    if (result.status !== 'converted') throw new Error(JSON.stringify(result));
    const [after] = withEdits(input, result.edits)!.sources;
    expect(after!.text).toContain('vfio_alloc_device(bar, vdev, ');
    expect(after!.text).toContain('tern_core_start(&bar->vdev)');
    expect(convert(engine, single(text), K61, undefined).status).toBe('refused');
  });

  it('is not given where only a core of the settings could tell the iommufd members', async () => {
    const engine = await engineWith(kernelStages.rules);
    const wrappers = rowsOf([{ name: 'tern_core_start', does: 'register' }]).rows;
    const to = (text: string) =>
      convert(engine, { ...single(text), wrappers }, kernel('6.6'), undefined);
    // Its code is of the kernels that have no other interface for mdevs.
    const plain = OVER_CORE.replaceAll('mdev_device', 'pci_dev').replace(
      'mdev_driver',
      'pci_driver',
    );
    expect(to(plain)).toMatchObject({
      status: 'refused',
      code: 'table-incomplete',
      reason: expect.stringContaining('only a function of the settings registers its devices'),
    });
  });

  it('is not given where a core of the settings registers by the parent', async () => {
    const engine = await engineWith(kernelStages.rules);
    const text = OVER_CORE.replace('tern_core_start(&bar->vdev)', 'tern_core_start(mdev)');
    const wrappers = rowsOf([
      { name: 'tern_core_start', does: 'register', through: 'drvdata' },
    ]).rows;
    expect(convert(engine, { ...single(text), wrappers }, K61, undefined)).toMatchObject({
      status: 'refused',
      code: 'registered-elsewhere',
      reason: expect.stringContaining(
        'tern_core_start() registers the device, according to the settings',
      ),
    });
  });

  it('is not given where a core of the settings frees', async () => {
    const engine = await engineWith(kernelStages.rules);
    const text = OVER_CORE.replace(
      /vfio_unregister_group_dev\(&bar->vdev\);\n.*\n.*/,
      'tern_core_end(mdev);',
    );
    const wrappers = rowsOf([
      { name: 'tern_core_start', does: 'register' },
      { name: 'tern_core_end', does: ['unregister', 'uninit', 'free'], through: 'drvdata' },
    ]).rows;
    expect(convert(engine, { ...single(text), wrappers }, K61, undefined)).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('tern_core_end() of `mdev`'),
    });
  });

  it('fails when a rule finds an error in what was touched', async () => {
    const engine = await engineWith([textRule('doubt', /vfio_put_device/g, { severity: 'error' })]);
    expect(convert(engine, single(DRIVER), K61, undefined)).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('found vfio_put_device [doubt]'),
    });
  });

  it('passes over a defect that was there before, and says so', async () => {
    const engine = await engineWith([textRule('old', /dev_set_drvdata/g)]);
    const result = convert(engine, single(DRIVER), K61, undefined);
    if (result.status !== 'converted') throw new Error(JSON.stringify(result));
    const line = DRIVER.slice(0, DRIVER.indexOf('dev_set_drvdata')).split('\n').length;
    expect(result.notes).toContainEqual(
      expect.objectContaining({
        kind: 'finding',
        text: `It was there before, at line ${line}: found dev_set_drvdata [old].`,
        message: 'It was there before: found dev_set_drvdata [old].',
      }),
    );
  });

  it('counts: one more of a kind that was there before is new, and shown where it would stand', async () => {
    const engine = await engineWith([textRule('doubt', /vfio_put_device|dev_set_drvdata/g)]);
    const result = convert(engine, single(DRIVER), K61, undefined);
    if (result.status !== 'refused') throw new Error(JSON.stringify(result));
    expect(result.reason).toContain('[doubt]');
    expect(result.site).not.toBeNull();
  });

  it('fails when something new is found elsewhere', async () => {
    const engine = await engineWith([textRule('elsewhere', /return 7/g, { functionName: null })]);
    const input = single(`${DRIVER}static int other(void)\n{\n\treturn 7;\n}\n`);
    expect(convert(engine, input, K61, undefined).status).toBe('converted');
    const worse = await engineWith([
      {
        ...textRule('elsewhere', /return 7/g),
        check: (context) =>
          context.facts.module.sources[0]!.text.includes('vfio_alloc_device')
            ? textRule('elsewhere', /return 7/g).check(context)
            : [],
      },
    ]);
    expect(convert(worse, input, K61, undefined)).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('[elsewhere]'),
    });
  });

  it('does not ask for what the target lacks beside the life cycle', async () => {
    const engine = await engineWith([
      textRule('removed-api', /dev_set_drvdata/g, { severity: 'error' }),
    ]);
    expect(convert(engine, single(DRIVER), K61, undefined).status).toBe('converted');
  });

  it('takes a new hint for a fault too', async () => {
    const engine = await engineWith([textRule('hint', /vfio_put_device/g, { severity: 'hint' })]);
    expect(convert(engine, single(DRIVER), K61, undefined)).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('[hint]'),
    });
  });

  it('is not asked for where there is nothing to convert', async () => {
    const engine = await engineWith([]);
    for (const text of [CLEAN, '', 'int vfio;'])
      expect(convert(engine, single(text), K61, undefined)).toEqual({ status: 'unchanged' });
  });
});

describe('the proof of a fold', () => {
  const FOLDABLE = DRIVER.replace(
    '\tret = vfio_register',
    '\tmutex_init(&bar->lock);\n\tret = vfio_register',
  );

  it('is the same, and what fails it leaves the minimal style, with the problem and its line in the note', async () => {
    const input = single(FOLDABLE);
    const minimal = convert(await engineWith([]), input, K61, undefined);
    const found = convertFolding(await engineWith([]), input, K61, undefined);
    expect(found).toMatchObject({ status: 'converted', folded: [{ init: 'bar_init_dev' }] });
    const engine = await engineWith([textRule('doubt', /container_of/g)]);
    const result = convertFolding(engine, input, K61, undefined);
    if (
      result.status !== 'converted' ||
      found.status !== 'converted' ||
      minimal.status !== 'converted'
    )
      throw new Error(JSON.stringify(result));
    const folded = withEdits(input, found.edits)!.sources[0]!.text;
    const line = folded.slice(0, folded.indexOf('container_of')).split('\n').length;
    expect(withEdits(input, result.edits)).toEqual(withEdits(input, minimal.edits));
    expect(result.folded).toBeUndefined();
    expect(result.notes).toContainEqual(
      expect.objectContaining({
        kind: 'style',
        text: `bar_probe() was not folded: the converted text would have a new finding: found container_of [doubt] (line ${line} of the result).`,
      }),
    );
  });
});

describe('the target of a conversion', () => {
  it('is the first kernel that can take it, or the target itself', () => {
    expect(conversionTarget(kernel('5.15'))).toMatchObject({ text: '6.1', version: [6, 1] });
    expect(conversionTarget(kernel('6.6'))).toEqual(kernel('6.6'));
  });
});

describe('where a conversion is offered', () => {
  it('is where a device of the old model is at work', async () => {
    const engine = await engineWith(kernelStages.rules);
    const input = single(`${DRIVER}static int other(void)\n{\n\treturn 7;\n}\n`);
    const text = input.sources[0]!.text;
    const target = kernel('6.0');
    const facts = engine.facts(input, target)!;
    const { findings } = engine.analyse(input, {}, target);
    const at = (place: string) =>
      conversionsAt(
        facts,
        '/w/a.c',
        { start: text.indexOf(place), end: text.indexOf(place) },
        findings,
      ).map((one) => one.functionName ?? '(file)');
    expect(at('vfio_init_group_dev')).toEqual(['bar_probe']);
    expect(at('kzalloc')).toEqual(['bar_probe']);
    expect(at('dev_get_drvdata')).toEqual(['bar_remove']);
    expect(at('.name = "bar"')).toEqual(['(file)']);
    expect(at('return 7')).toEqual([]);
    expect(at('int users')).toEqual([]);
    expect(
      conversionsAt(facts, '/w/a.c', { start: 0, end: text.length }, findings)
        .map((one) => one.functionName)
        .sort(),
    ).toEqual(['bar_probe', 'bar_remove']);
  });
});
