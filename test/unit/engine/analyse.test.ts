import { describe, expect, it } from 'vitest';
import { MAX_FILE } from '../../../server/src/engine/analyse.ts';
import { fixAll } from '../../../server/src/engine/fix.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import type { Configuration } from '../../../server/src/engine/types.ts';
import { invalidSuppression } from '../../../server/src/rules/invalid-suppression.ts';
import { suppressionWithoutReason } from '../../../server/src/rules/suppression-without-reason.ts';
import type { Rule } from '../../../server/src/rules/types.ts';
import { unusedSuppression } from '../../../server/src/rules/unused-suppression.ts';
import { applyEdits } from '../../../server/src/text/edits.ts';
import { engineWith, kernel, single, textRule } from './support.ts';

const K61 = kernel('6.1');

describe('the engine', () => {
  it('looks only at files that mention VFIO', async () => {
    const engine = await engineWith([textRule('any', /bad/g)]);
    expect(engine.analyse(single('int bad;'), {}, K61)).toEqual({
      findings: [],
      notAnalysed: [],
      functions: 0,
    });
    expect(engine.analyse(single('/* vfio_device_ops */ int bad;'), {}, K61).findings).toHaveLength(
      1,
    );
  });

  it('looks only at modules that use the interface', async () => {
    const engine = await engineWith([textRule('any', /bad/g)], {
      analyseModule: () => {
        throw new Error('analysed');
      },
    });
    expect(engine.analyse(single('/* as vfio does */ int bad;'), {}, K61)).toEqual({
      findings: [],
      notAnalysed: [],
      functions: 0,
    });
    const input = {
      file: '/w/a.c',
      sources: [
        { path: '/w/a.c', text: '#include "vfio_x.h"' },
        { path: '/w/b.c', text: 'void f(void) { vfio_put_device(v); }' },
      ],
      headers: [],
    };
    expect(engine.analyse(input, {}, K61).notAnalysed[0]!.reason).toBe('internal error: analysed');
  });

  it('sorts findings and drops those that one rule repeats at one place', async () => {
    const rule = textRule('b', /bad\d/g);
    const engine = await engineWith([
      { ...rule, check: (context) => [...rule.check(context), ...rule.check(context)].reverse() },
      textRule('a', /bad2/g),
    ]);
    const { findings } = engine.analyse(single('/* vfio_device_ops */ int bad1, bad2;'), {}, K61);
    expect(findings.map((one) => `${one.rule} ${one.message}`)).toEqual([
      'b found bad1',
      'a found bad2',
      'b found bad2',
    ]);
  });

  it('keeps the more severe of two findings of one rule at one place', async () => {
    const rule = textRule('a', /bad/g);
    const engine = await engineWith([
      {
        ...rule,
        check: (context) =>
          rule.check(context).flatMap((one) => [
            { ...one, severity: 'hint' as const },
            { ...one, severity: 'error' as const },
          ]),
      },
    ]);
    expect(
      engine
        .analyse(single('int vfio_device_ops, bad;'), {}, K61)
        .findings.map((one) => one.severity),
    ).toEqual(['error']);
  });

  it('shows what is in the file, not what is in its siblings, and analyses the module once for both', async () => {
    let runs = 0;
    const engine = await engineWith([textRule('any', /bad/g)], {
      analyseModule: (...args) => {
        runs++;
        return kernelStages.analyseModule(...args);
      },
    });
    const sources = [
      { path: '/w/a.c', text: 'int vfio_device_ops, bad;' },
      { path: '/w/b.c', text: 'int bad, vfio_device_ops;' },
    ];
    for (const file of ['/w/a.c', '/w/b.c']) {
      expect(
        engine
          .analyse({ file, sources, headers: [] }, {}, K61)
          .findings.map((one) => one.site.path),
      ).toEqual([file]);
    }
    expect(runs).toBe(1);
    // An editor closes one file of a driver to show another, and comes back.
    engine.close('/w/a.c');
    engine.analyse({ file: '/w/b.c', sources, headers: [] }, {}, K61);
    engine.close('/w/b.c');
    engine.analyse({ file: '/w/a.c', sources, headers: [] }, {}, K61);
    expect(runs).toBe(1);
  });

  it('keeps the kernel range of a rule', async () => {
    const engine = await engineWith([{ ...textRule('new', /bad/g), kernels: { since: [6, 2] } }]);
    expect(engine.analyse(single('int vfio_device_ops, bad;'), {}, K61).findings).toHaveLength(0);
    expect(
      engine.analyse(single('int vfio_device_ops, bad;'), {}, kernel('6.2')).findings,
    ).toHaveLength(1);
  });

  it('takes severities from the settings, but raises nothing that a rule lowered', async () => {
    const engine = await engineWith([
      textRule('full', /bad/g),
      textRule('lowered', /bad/g, { severity: 'hint' }),
      textRule('off', /bad/g),
    ]);
    const { findings } = engine.analyse(
      single('int vfio_device_ops, bad;'),
      { rules: { full: 'error', lowered: 'error', off: 'off' } },
      K61,
    );
    expect(findings.map((one) => [one.rule, one.severity])).toEqual([
      ['full', 'error'],
      ['lowered', 'hint'],
    ]);
  });

  it('says when a rule fails, and runs the others', async () => {
    const engine = await engineWith([
      {
        ...textRule('broken', /bad/g),
        check: () => {
          throw new Error('no');
        },
      },
      textRule('works', /bad/g),
    ]);
    const { findings, notAnalysed } = engine.analyse(single('int vfio_device_ops, bad;'), {}, K61);
    expect(findings.map((one) => one.rule)).toEqual(['works']);
    expect(notAnalysed).toEqual([
      {
        path: '/w/a.c',
        function: '',
        reason: 'internal error in rule broken: no',
        isInternal: true,
      },
    ]);
  });

  it('says when the analysis fails', async () => {
    const engine = await engineWith([], {
      analyseModule: () => {
        throw new Error('no');
      },
    });
    expect(engine.analyse(single('int vfio_device_ops;'), {}, K61).notAnalysed).toEqual([
      { path: '/w/a.c', function: '', reason: 'internal error: no', isInternal: true },
    ]);
    expect(engine.facts(single('int vfio_device_ops;'), K61)).toBeUndefined();
  });

  it('says when a file is too large', async () => {
    const engine = await engineWith([]);
    const { notAnalysed } = engine.analyse(
      single(`int vfio_device_ops;${' '.repeat(MAX_FILE)}`),
      {},
      K61,
    );
    expect(notAnalysed[0]!.reason).toBe('the file is larger than 4 million characters');
  });

  it('lowers only what changed', async () => {
    const lowered: string[] = [];
    const engine = await engineWith([], {
      lowering: {
        ...kernelStages.lowering,
        lower: (path, ...rest) => {
          lowered.push(path);
          return kernelStages.lowering.lower(path, ...rest);
        },
      },
    });
    const header = { path: '/w/a.h', text: 'struct foo { int x; };' };
    for (const text of ['int vfio_device_ops;', 'int vfio_device_ops;', 'int vfio_device_ops, x;'])
      engine.analyse({ ...single(text), headers: [header] }, {}, K61);
    expect(lowered).toEqual(['/w/a.c', '/w/a.h', '/w/a.c']);
  });
});

describe('suppression comments', () => {
  const found = async (text: string) => {
    const engine = await engineWith([textRule('bad-thing', /bad(?:\d|\([^)]*\))/g)]);
    return engine
      .analyse(single(`/* vfio_device_ops */\n${text}`), {}, K61)
      .findings.map((one) => one.message);
  };

  it.each([
    [
      'on the line',
      'int bad1; /* vfio-lifecycle: allow(bad-thing): because */\nint bad2;',
      ['found bad2'],
    ],
    [
      'on the line before',
      '// vfio-lifecycle: allow(bad-thing): because\nint bad1;\nint bad2;',
      ['found bad2'],
    ],
    [
      'over several lines, before',
      '/* vfio-lifecycle: allow(bad-thing): because\n   of this */\nint bad1;',
      [],
    ],
    [
      'before the function',
      '/* vfio-lifecycle: allow(bad-thing): because */\n/** kernel-doc */\nstatic int f(void)\n{\n\tint x;\n\tint bad1;\n}\nint bad2;',
      ['found bad2'],
    ],
    ['for several rules', 'int bad1; /* vfio-lifecycle: allow(other, bad-thing): because */', []],
    ['for another rule', 'int bad1; /* vfio-lifecycle: allow(other): because */', ['found bad1']],
    ['without a reason', 'int bad1; /* vfio-lifecycle: allow(bad-thing) */', ['found bad1']],
    [
      'with an empty reason',
      'int bad1; /* vfio-lifecycle: allow(bad-thing): */ int x;',
      ['found bad1'],
    ],
    [
      'in a string',
      'char *s = "/* vfio-lifecycle: allow(bad-thing): because */"; int bad1;',
      ['found bad1'],
    ],
    [
      'at the end of the file',
      'int bad1;\n/* vfio-lifecycle: allow(bad-thing): because */',
      ['found bad1'],
    ],
    [
      'before another comment of its kind',
      '/* vfio-lifecycle: allow(bad-thing): because */\n\t// vfio-lifecycle: allow(other): because\nint bad1; int bad2;\nint bad3;',
      ['found bad3'],
    ],
    [
      'before a comment with code behind it',
      '/* vfio-lifecycle: allow(bad-thing): because */\n/* x */ int bad1;\nint bad2;',
      ['found bad2'],
    ],
    [
      'on the last line of what is found',
      'int bad(1,\n2); // vfio-lifecycle: allow(bad-thing): because',
      [],
    ],
    [
      'in CRLF',
      '/* vfio-lifecycle: allow(bad-thing): because */\r\nint bad1;\r\nint bad2;\r\n',
      ['found bad2'],
    ],
    [
      'not two lines before',
      '/* vfio-lifecycle: allow(bad-thing): because */\n\nint bad1;',
      ['found bad1'],
    ],
  ])('%s', async (_, text, expected) => expect(await found(text)).toEqual(expected));
});

describe('what is wrong with suppression comments', () => {
  const NOTICES = [invalidSuppression, suppressionWithoutReason, unusedSuppression];
  const bad = textRule('bad-thing', /bad\d/g);
  const broken: Rule = {
    ...bad,
    id: 'broken',
    check: () => {
      throw new Error('oh');
    },
  };
  const later: Rule = { ...bad, id: 'later', kernels: { since: [6, 2] } };
  const found = async (
    text: string,
    config: Configuration = {},
    notAnalysed: readonly string[] = [],
  ) => {
    const engine = await engineWith([bad, broken, later, ...NOTICES], {
      *analyseModule(module, version, cache) {
        const facts = yield* kernelStages.analyseModule(module, version, cache);
        return {
          ...facts,
          notAnalysed: notAnalysed.map((name) => ({
            path: '/w/a.c',
            function: name,
            reason: 'too many paths',
          })),
        };
      },
    });
    const all = `/* vfio_device_ops */\n${text}`;
    return engine
      .analyse(single(all), config, K61)
      .findings.map(
        ({ rule, severity, site }) => `${severity} ${rule}: ${all.slice(site.start, site.end)}`,
      );
  };

  it.each([
    ['nothing, when it is used', 'int bad1; // vfio-lifecycle: allow(bad-thing): because', []],
    [
      'it is not used',
      'int x; // vfio-lifecycle: allow(bad-thing): because',
      ['hint unused-suppression: // vfio-lifecycle: allow(bad-thing): because'],
    ],
    [
      'one rule is unknown, one is used',
      'int bad1; // vfio-lifecycle: allow(bad-thing, dab-thing): because',
      ['warning invalid-suppression: dab-thing'],
    ],
    ['a rule that is for other kernels', 'int x; // vfio-lifecycle: allow(later): because', []],
    ['a rule that could not run', 'int x; // vfio-lifecycle: allow(broken): because', []],
    [
      'of two that say the same the second',
      '/* vfio-lifecycle: allow(bad-thing): because */\nint bad1; // vfio-lifecycle: allow(bad-thing): because',
      [],
    ],
    [
      'no reason and no rule',
      '// vfio-lifecycle: allow(dab-thing)',
      [
        'warning suppression-without-reason: // vfio-lifecycle: allow(dab-thing)',
        'warning invalid-suppression: dab-thing',
      ],
    ],
    [
      'it is in code for other kernels',
      '#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 0, 0)\nint x; // vfio-lifecycle: allow(bad-thing): because\n#endif',
      [],
    ],
    [
      'it is before code for other kernels',
      '#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 0, 0)\n// vfio-lifecycle: allow(bad-thing): because\nint x;\n#endif',
      [],
    ],
    [
      'it allows itself',
      'int x; // vfio-lifecycle: allow(bad-thing, unused-suppression): because',
      [],
    ],
  ])('%s', async (_, text, expected) => expect(await found(text)).toEqual(expected));

  it('has severities of its own, or is off', async () => {
    const text =
      'int x; // vfio-lifecycle: allow(bad-thing): because\nint y; // vfio-lifecycle: allow(bad-thing)';
    expect(
      await found(text, {
        rules: { 'unused-suppression': 'error', 'suppression-without-reason': 'off' },
      }),
    ).toEqual(['error unused-suppression: // vfio-lifecycle: allow(bad-thing): because']);
    expect(await found(text, { rules: { 'bad-thing': 'off' } })).toEqual([
      'warning suppression-without-reason: // vfio-lifecycle: allow(bad-thing)',
    ]);
  });

  it('is not called unused where the function was not analysed', async () => {
    const text =
      '// vfio-lifecycle: allow(bad-thing): because\nint f(void)\n{\n}\nint g(void)\n{\n\tint x; // vfio-lifecycle: allow(bad-thing): because\n}\n';
    expect(await found(text)).toHaveLength(2);
    expect(await found(text, {}, ['g'])).toHaveLength(1);
    expect(await found(text, {}, ['f', 'g'])).toEqual([]);
  });

  it('an unused comment is taken out, with its line when it is alone there', async () => {
    const engine = await engineWith([bad, ...NOTICES]);
    for (const [before, after] of [
      ['int x; /* vfio-lifecycle: allow(bad-thing): because */\nint y;', 'int x;\nint y;'],
      ['\t// vfio-lifecycle: allow(bad-thing): because\nint y;', 'int y;'],
    ] as const) {
      const input = single(`int vfio_device_ops;\n${before}`);
      expect(fixAll(engine, input, {}, K61, { unsafe: false }).edits).toEqual([]);
      const { edits } = fixAll(engine, input, {}, K61, { unsafe: true });
      expect(applyEdits(input.sources[0]!.text, edits[0]!.edits)).toBe(
        `int vfio_device_ops;\n${after}`,
      );
    }
  });
});
