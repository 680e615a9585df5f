import { describe, expect, it } from 'vitest';
import type { Rule } from '../../../server/src/rules/types.ts';
import { fixAll } from '../../../server/src/engine/fix.ts';
import { withEdits } from '../../../server/src/engine/prove.ts';
import { engineWith, kernel, single, textRule } from './support.ts';

async function fixed(rules: readonly Rule[], text: string, unsafe = false): Promise<string> {
  const engine = await engineWith(rules);
  const input = single(text);
  const { edits } = fixAll(engine, input, {}, kernel('6.1'), { unsafe });
  const after = withEdits(input, edits);
  expect(after).toBeDefined();
  return after!.sources[0]!.text;
}

describe('fixing all', () => {
  it('applies every safe fix', async () => {
    expect(
      await fixed(
        [textRule('a', /bad/g, { replacement: 'good' })],
        'int vfio_device_ops, bad, x, bad;',
      ),
    ).toBe('int vfio_device_ops, good, x, good;');
  });

  it('leaves unsafe fixes unless they are asked for', async () => {
    const rules = [textRule('a', /bad/g, { replacement: 'good', safety: 'unsafe' })];
    expect(await fixed(rules, 'int vfio_device_ops, bad;')).toBe('int vfio_device_ops, bad;');
    expect(await fixed(rules, 'int vfio_device_ops, bad;', true)).toBe(
      'int vfio_device_ops, good;',
    );
  });

  it('applies no fix where unseen code may do it already, asked for or not', async () => {
    const rules = [
      textRule('missing-put', /bad/g, { replacement: 'good', safety: 'unsafe', severity: 'hint' }),
      textRule('unused-suppression', /odd/g, {
        replacement: 'even',
        safety: 'unsafe',
        severity: 'hint',
      }),
    ];
    expect(await fixed(rules, 'int vfio_device_ops, bad, odd;', true)).toBe(
      'int vfio_device_ops, bad, even;',
    );
  });

  it('applies no fix, asked for or not, that makes another finding worse', async () => {
    const quiet = textRule('b', /odd/g);
    const louder: Rule = {
      ...quiet,
      check: (context) =>
        quiet.check(context).map((finding) => {
          const isWorse = context.facts.module.sources[0]!.text.includes('good');
          return { ...finding, severity: isWorse ? 'error' : 'hint' };
        }),
    };
    for (const safety of ['safe', 'unsafe'] as const) {
      const rules = [textRule('a', /bad/g, { replacement: 'good', safety }), louder];
      expect(await fixed(rules, 'int vfio_device_ops, bad, odd;', true)).toBe(
        'int vfio_device_ops, bad, odd;',
      );
    }
  });

  it("takes fixes that are in each other's way one after the other, as one set of edits of the first text", async () => {
    const rules = [
      textRule('a', /ab/g, { replacement: 'xb' }),
      textRule('b', /bc/g, { replacement: 'by' }),
    ];
    expect(await fixed(rules, 'int vfio_device_ops, abc; int abc2;')).toBe(
      'int vfio_device_ops, xby; int xby2;',
    );
  });

  it("takes one of two fixes that are in each other's way", async () => {
    const rules = [
      textRule('a', /bad bad/g, { replacement: 'first' }),
      textRule('b', /bad;/g, { replacement: 'second;' }),
    ];
    expect(await fixed(rules, '/* vfio_device_ops */ int bad bad;')).toBe(
      '/* vfio_device_ops */ int first;',
    );
  });

  it('drops a fix that does not remove its finding', async () => {
    expect(
      await fixed(
        [textRule('a', /bad\w*/g, { replacement: 'badbad' })],
        'int vfio_device_ops, bad;',
      ),
    ).toBe('int vfio_device_ops, bad;');
  });

  it('drops a fix that brings another finding, and keeps the others', async () => {
    const rules = [
      textRule('a', /bad/g, { replacement: 'worse' }),
      textRule('b', /worse/g),
      textRule('c', /odd/g, { replacement: 'even' }),
    ];
    expect(await fixed(rules, 'int vfio_device_ops, bad, odd;')).toBe(
      'int vfio_device_ops, bad, even;',
    );
  });

  it('drops a fix after which the text parses worse', async () => {
    expect(
      await fixed([textRule('a', /bad/g, { replacement: '((' })], 'int vfio_device_ops = bad;'),
    ).toBe('int vfio_device_ops = bad;');
  });

  it('leaves what is allowed by a comment', async () => {
    const text = 'int vfio_device_ops, bad; /* vfio-lifecycle: allow(a): because */';
    expect(await fixed([textRule('a', /bad/g, { replacement: 'good' })], text)).toBe(text);
  });

  it('ends when a fix feeds itself', async () => {
    // Each fix removes its finding by count, and the next round finds one again elsewhere: the
    // bound ends it.
    let turn = 0;
    const rule = textRule('a', /bad/g, { replacement: 'good' });
    const endless: Rule = {
      ...rule,
      check: (context) => (turn++ % 3 === 2 ? [] : rule.check(context)),
    };
    expect(await fixed([endless], 'int vfio_device_ops, bad, bad;')).toContain('vfio');
  });

  it('refuses an edit of a document outside the module', async () => {
    const rule = textRule('a', /bad/g, {
      fix: {
        title: '',
        safety: 'safe',
        edits: [{ path: '/elsewhere.h', edits: [{ span: { start: 0, end: 0 }, newText: 'x' }] }],
      },
    });
    expect(await fixed([rule], 'int vfio_device_ops, bad;')).toBe('int vfio_device_ops, bad;');
  });
});
