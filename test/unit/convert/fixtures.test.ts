import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { unifiedDiff } from '../../../server/src/text/diff.ts';
import { analyseText } from '../../support/analyse.ts';
import { outcomesText } from '../../support/patch.ts';
import {
  codeOf,
  convertedFixture,
  convertText,
  FIXTURES,
  fixtureNames,
  headersOf,
  misunderstood,
  plan,
  readFixture,
} from './support.ts';

const KERNELS = [
  ['6.1', [6, 1]],
  ['6.6', [6, 6]],
] as const;
const OLD_NAMES =
  /\b(?:vfio_init_group_dev|vfio_uninit_group_dev|vfio_pci_core_init_device|vfio_pci_core_uninit_device)\b/;
/** Beside each is what it becomes for each target, as a diff; `vitest -u` writes it. */
const converted = fixtureNames().filter((name) => !name.startsWith('refused-'));
const refused = fixtureNames().filter((name) => name.startsWith('refused-'));

describe.each(converted)('%s', (name) => {
  const before = readFixture(name);
  const headers = headersOf(before);
  const results = KERNELS.map(([label, kernel]) => ({
    label,
    kernel,
    after: convertText(name, before, kernel, headers).text,
  }));

  test('becomes what it should', async () => {
    const outcomes = results.map(({ label, after }) => ({
      label,
      shown: `converted\n${unifiedDiff(name, before, after)}`,
    }));
    await expect(outcomesText(outcomes)).toMatchFileSnapshot(
      FIXTURES + name.replace(/\.c$/, '.txt'),
    );
  });

  describe.each(results)('to $label', ({ label, kernel, after }) => {
    test('is what its diff makes of it', () => {
      expect(convertedFixture(name, label)).toBe(after);
    });

    test('parses as well as before and leaves no old name in the code', () => {
      expect(misunderstood(name, after)).toBeLessThanOrEqual(misunderstood(name, before));
      expect(codeOf(after)).not.toMatch(OLD_NAMES);
    });

    test('is clean', () => {
      const findings = analyseText({ 'main.c': after, ...headers }, label).filter(
        (finding) => finding.severity === 'error' || finding.severity === 'warning',
      );
      expect(findings.map((finding) => `${finding.rule}: ${finding.message}`)).toEqual([]);
    });

    test('has nothing left to convert', () => {
      expect(plan(name, after, kernel, headers).status).toBe('unchanged');
    });

    test('keeps the line endings', () => {
      const crlf = (text: string): number => text.split('\r\n').length - 1;
      const lf = (text: string): number => text.split('\n').length - 1;
      expect(crlf(after)).toBe(crlf(before) === lf(before) ? lf(after) : 0);
    });
  });
});

// `npx vitest run test/unit/convert/fixtures.test.ts -u` writes the reasons.
test.each(refused)('%s is refused with a reason and a place', async (name) => {
  const text = readFixture(name);
  for (const [, kernel] of KERNELS) {
    const result = plan(name, text, kernel, headersOf(text));
    // A driver of the 6.1 model is right for 6.1.
    if (
      result.status === 'unchanged' &&
      kernel[1] === 1 &&
      /\bvfio_(?:alloc|init)_device\b/.test(text)
    )
      continue;
    if (result.status !== 'refused') throw new Error(result.status);
    const { code, reason, site } = result.refusal;
    const line = site === null ? '-' : String(text.slice(0, site.start).split('\n').length);
    await expect(`${code}, line ${line}\n${reason}\n`).toMatchFileSnapshot(
      FIXTURES + name.replace(/\.c$/, '.txt'),
    );
  }
});

test('every expectation has its driver', () => {
  for (const name of readdirSync(FIXTURES).filter((one) => one.endsWith('.txt')))
    expect(fixtureNames()).toContain(name.replace(/\.txt$/, '.c'));
});
