import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { overlaps } from '../../../server/src/text/edits.ts';
import { analyseText } from '../../support/analyse.ts';
import { render, shapes } from './generate.ts';
import {
  codeOf,
  convertText,
  FIXTURES,
  fixtureNames,
  misunderstood,
  plan,
  readFixture,
} from './support.ts';

const KERNELS = [
  ['6.1', [6, 1]],
  ['6.2', [6, 2]],
  ['6.6', [6, 6]],
] as const;
const OLD_NAMES =
  /\b(?:vfio_init_group_dev|vfio_uninit_group_dev|vfio_pci_core_init_device|vfio_pci_core_uninit_device)\b/;
const kernels = fc.constantFrom(...KERNELS);
/** Many runs on a busy machine: no statement about speed. */
const SLOW = 120_000;

describe('a generated driver', () => {
  test(
    'is converted: parses, is clean, keeps no old call, and a second run changes nothing',
    () => {
      fc.assert(
        fc.property(shapes, kernels, (shape, [label, kernel]) => {
          const before = render(shape);
          const after = convertText('main.c', before, kernel).text;
          expect(codeOf(after)).not.toMatch(OLD_NAMES);
          expect(codeOf(after)).not.toMatch(/\bk(?:v)?free\(p\)/);
          expect((after.match(/vfio_put_device\(/g) ?? []).length).toBe(
            (codeOf(before).match(/\bkfree\(p\)/g) ?? []).length,
          );
          expect(misunderstood('main.c', after)).toBe(0);
          expect(plan('main.c', after, kernel).status).toBe('unchanged');
          const findings = analyseText(after, label).filter(
            (finding) => finding.severity === 'error' || finding.severity === 'warning',
          );
          expect(findings.map((finding) => `${finding.rule}: ${finding.message}`)).toEqual([]);
          expect(after.split('\r\n').length).toBe(
            shape.eol === '\r\n' ? after.split('\n').length : 1,
          );
        }),
        { numRuns: 150 },
      );
    },
    SLOW,
  );

  test(
    'keeps every line that has no part in the life cycle',
    () => {
      const involved =
        /driver_managed_dma|^\s*(?:\/\*|\*\/)$|\bp\b|gen_ops|ret|goto|err_|vfio|slab\.h|^\s*[{}]|^\s*$|gone|first of all|known from|one for each|open_device/;
      fc.assert(
        fc.property(shapes, (shape) => {
          const before = render(shape);
          const kept = (text: string): string[] =>
            text.split(/\r?\n/).filter((line) => !involved.test(line));
          expect(kept(convertText('main.c', before, [6, 6]).text)).toEqual(kept(before));
        }),
        { numRuns: 100 },
      );
    },
    SLOW,
  );
});

describe('damaged text', () => {
  const forms = readdirSync(`${FIXTURES}forms`)
    .filter((name) => name.endsWith('.c'))
    .map((name) => `forms/${name}`);
  const sources = [...fixtureNames(), ...forms, ...forms].map(readFixture);
  const damage = fc.record({
    source: fc.constantFrom(...sources),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 0, max: 60 }),
    insert: fc.constantFrom(
      '',
      '{',
      '}',
      '(',
      ');',
      '#if X\n',
      '#endif\n',
      '/*',
      '"',
      'goto',
      '\0',
      ';',
      'if (',
      'vfio_init_group_dev(',
      'kfree(p);',
      '= {',
      'vfio_add_group_dev(',
      '.release = ',
      'devm_',
      'else',
      'return;',
    ),
  });

  test(
    'is planned or refused, never thrown at, and edits never overlap',
    () => {
      fc.assert(
        fc.property(damage, kernels, ({ source, at, length, insert }, [, kernel]) => {
          const start = Math.floor(at * source.length);
          const text = source.slice(0, start) + insert + source.slice(start + length);
          if (plan('main.c', text, kernel).status !== 'planned') return;
          const { text: after, planned } = convertText('main.c', text, kernel);
          for (const file of planned.edits) expect(overlaps(file.edits)).toBe(false);
          expect(misunderstood('main.c', after)).toBeLessThanOrEqual(misunderstood('main.c', text));
        }),
        { numRuns: 300 },
      );
    },
    SLOW,
  );

  test.each([
    ['braces', '{'.repeat(20_000)],
    [
      'blocks',
      `int f(void) { ${'{'.repeat(5_000)} vfio_init_group_dev(&p->vdev, dev, &ops); ${'}'.repeat(5_000)} }`,
    ],
    ['NULs', '\0'.repeat(5_000)],
    [
      'branches',
      `int f(void) { struct p *p; p = kzalloc(sizeof(*p), GFP_KERNEL); if (!p) return 1; if (a) ${'{'.repeat(5_000)} vfio_init_group_dev(&p->vdev, dev, &ops); ${'}'.repeat(5_000)} else vfio_init_group_dev(&p->vdev, dev, &other); }`,
    ],
  ])('%s do not overflow the stack', (_, text) => {
    expect(['unchanged', 'refused']).toContain(plan('main.c', text, [6, 1]).status);
  });
});
