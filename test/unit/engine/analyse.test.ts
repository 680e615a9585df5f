import { describe, expect, it } from 'vitest';
import { MAX_FILE } from '../../../server/src/engine/analyse.ts';
import { kernelStages } from '../../../server/src/engine/stages.ts';
import { engineWith, kernel, single, textRule } from './support.ts';

const K61 = kernel('6.1');

describe('the engine', () => {
  it('looks only at files that mention VFIO', async () => {
    const engine = await engineWith([textRule('any', /bad/g)]);
    expect(engine.analyse(single('int bad;'), {}, K61)).toEqual({ findings: [], notAnalysed: [], functions: 0 });
    expect(engine.analyse(single('/* vfio_device_ops */ int bad;'), {}, K61).findings).toHaveLength(1);
  });

  it('looks only at modules that use the interface', async () => {
    const engine = await engineWith([textRule('any', /bad/g)], { analyseModule: () => { throw new Error('analysed'); } });
    expect(engine.analyse(single('/* as vfio does */ int bad;'), {}, K61)).toEqual({ findings: [], notAnalysed: [], functions: 0 });
    const input = { file: '/w/a.c', sources: [{ path: '/w/a.c', text: '#include "vfio_x.h"' }, { path: '/w/b.c', text: 'void f(void) { vfio_put_device(v); }' }], headers: [] };
    expect(engine.analyse(input, {}, K61).notAnalysed[0]!.reason).toBe('internal error: analysed');
  });

  it('sorts findings and drops those that one rule repeats at one place', async () => {
    const rule = textRule('b', /bad\d/g);
    const engine = await engineWith([{ ...rule, check: (context) => [...rule.check(context), ...rule.check(context)].reverse() }, textRule('a', /bad2/g)]);
    const { findings } = engine.analyse(single('/* vfio_device_ops */ int bad1, bad2;'), {}, K61);
    expect(findings.map((one) => `${one.rule} ${one.message}`)).toEqual(['b found bad1', 'a found bad2', 'b found bad2']);
  });

  it('keeps the more severe of two findings of one rule at one place', async () => {
    const rule = textRule('a', /bad/g);
    const engine = await engineWith([{ ...rule, check: (context) => rule.check(context).flatMap((one) => [{ ...one, severity: 'hint' as const }, { ...one, severity: 'error' as const }]) }]);
    expect(engine.analyse(single('int vfio_device_ops, bad;'), {}, K61).findings.map((one) => one.severity)).toEqual(['error']);
  });

  it('shows what is in the file, not what is in its siblings, and analyses the module once for both', async () => {
    let runs = 0;
    const engine = await engineWith([textRule('any', /bad/g)], { analyseModule: (...args) => { runs++; return kernelStages.analyseModule(...args); } });
    const sources = [{ path: '/w/a.c', text: 'int vfio_device_ops, bad;' }, { path: '/w/b.c', text: 'int bad, vfio_device_ops;' }];
    for (const file of ['/w/a.c', '/w/b.c']) {
      expect(engine.analyse({ file, sources, headers: [] }, {}, K61).findings.map((one) => one.site.path)).toEqual([file]);
    }
    expect(runs).toBe(1);
  });

  it('keeps the kernel range of a rule', async () => {
    const engine = await engineWith([{ ...textRule('new', /bad/g), kernels: { since: [6, 2] } }]);
    expect(engine.analyse(single('int vfio_device_ops, bad;'), {}, K61).findings).toHaveLength(0);
    expect(engine.analyse(single('int vfio_device_ops, bad;'), {}, kernel('6.2')).findings).toHaveLength(1);
  });

  it('takes severities from the settings, but raises nothing that a rule lowered', async () => {
    const engine = await engineWith([textRule('full', /bad/g), textRule('lowered', /bad/g, { severity: 'hint' }), textRule('off', /bad/g)]);
    const { findings } = engine.analyse(single('int vfio_device_ops, bad;'), { rules: { full: 'error', lowered: 'error', off: 'off' } }, K61);
    expect(findings.map((one) => [one.rule, one.severity])).toEqual([['full', 'error'], ['lowered', 'hint']]);
  });

  it('says when a rule fails, and runs the others', async () => {
    const engine = await engineWith([{ ...textRule('broken', /bad/g), check: () => { throw new Error('no'); } }, textRule('works', /bad/g)]);
    const { findings, notAnalysed } = engine.analyse(single('int vfio_device_ops, bad;'), {}, K61);
    expect(findings.map((one) => one.rule)).toEqual(['works']);
    expect(notAnalysed).toEqual([{ path: '/w/a.c', function: '', reason: 'internal error in rule broken: no' }]);
  });

  it('says when the analysis fails', async () => {
    const engine = await engineWith([], { analyseModule: () => { throw new Error('no'); } });
    expect(engine.analyse(single('int vfio_device_ops;'), {}, K61).notAnalysed).toEqual([{ path: '/w/a.c', function: '', reason: 'internal error: no' }]);
    expect(engine.facts(single('int vfio_device_ops;'), K61)).toBeUndefined();
  });

  it('says when a file is too large', async () => {
    const engine = await engineWith([]);
    const { notAnalysed } = engine.analyse(single(`int vfio_device_ops;${' '.repeat(MAX_FILE)}`), {}, K61);
    expect(notAnalysed[0]!.reason).toBe('the file is larger than 4 million characters');
  });

  it('lowers only what changed', async () => {
    const lowered: string[] = [];
    const engine = await engineWith([], { lowering: { ...kernelStages.lowering, lower: (path, ...rest) => { lowered.push(path); return kernelStages.lowering.lower(path, ...rest); } } });
    const header = { path: '/w/a.h', text: 'struct foo { int x; };' };
    for (const text of ['int vfio_device_ops;', 'int vfio_device_ops;', 'int vfio_device_ops, x;']) engine.analyse({ ...single(text), headers: [header] }, {}, K61);
    expect(lowered).toEqual(['/w/a.c', '/w/a.h', '/w/a.c']);
  });
});

describe('suppression comments', () => {
  const found = async (text: string) => {
    const engine = await engineWith([textRule('bad-thing', /bad\d/g)]);
    return engine.analyse(single(`/* vfio_device_ops */\n${text}`), {}, K61).findings.map((one) => one.message);
  };

  it.each([
    ['on the line', 'int bad1; /* vfio-lifecycle: allow(bad-thing): because */\nint bad2;', ['found bad2']],
    ['on the line before', '// vfio-lifecycle: allow(bad-thing): because\nint bad1;\nint bad2;', ['found bad2']],
    ['over several lines, before', '/* vfio-lifecycle: allow(bad-thing): because\n   of this */\nint bad1;', []],
    ['before the function', '/* vfio-lifecycle: allow(bad-thing): because */\n/** kernel-doc */\nstatic int f(void)\n{\n\tint x;\n\tint bad1;\n}\nint bad2;', ['found bad2']],
    ['for several rules', 'int bad1; /* vfio-lifecycle: allow(other, bad-thing): because */', []],
    ['for another rule', 'int bad1; /* vfio-lifecycle: allow(other): because */', ['found bad1']],
    ['without a reason', 'int bad1; /* vfio-lifecycle: allow(bad-thing) */', ['found bad1']],
    ['with an empty reason', 'int bad1; /* vfio-lifecycle: allow(bad-thing): */ int x;', ['found bad1']],
    ['in a string', 'char *s = "/* vfio-lifecycle: allow(bad-thing): because */"; int bad1;', ['found bad1']],
    ['at the end of the file', 'int bad1;\n/* vfio-lifecycle: allow(bad-thing): because */', ['found bad1']],
    ['not two lines before', '/* vfio-lifecycle: allow(bad-thing): because */\n\nint bad1;', ['found bad1']],
  ])('%s', async (_, text, expected) => expect(await found(text)).toEqual(expected));
});
