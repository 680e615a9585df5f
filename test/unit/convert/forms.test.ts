import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../../server/src/engine/analyse.ts';
import { convert } from '../../../server/src/engine/convert.ts';
import { withEdits } from '../../../server/src/engine/prove.ts';
import type { ModuleInput, TargetKernel } from '../../../server/src/engine/types.ts';
import { parseVersion } from '../../../server/src/kernel/version.ts';
import { unifiedDiff } from '../../../server/src/text/diff.ts';
import { loadParser } from '../../support/parser.ts';
import { outcomesText } from '../../support/patch.ts';
import {
  convertedFixture,
  fixtureNames,
  headersOf,
  misunderstood,
  readFixture,
} from './support.ts';

/**
 * Drivers of every source model and form, each with what becomes of it for each target; `npx vitest
 * run test/unit/convert -u` writes that.
 */
const FOLDER = fileURLToPath(new URL('../../fixtures/convert/forms/', import.meta.url));
const TARGETS = ['6.1', '6.2', '6.4', '6.6'];
const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.c'))
  .sort();
const engine = createEngine(await loadParser());

function kernel(text: string): TargetKernel {
  return { version: parseVersion(text)!, text, source: 'option', reason: 'from --kernel' };
}

function inputOf(name: string): ModuleInput {
  const text = readFileSync(FOLDER + name, 'utf8');
  const headers = [...text.matchAll(/^#include "(.+)"/gm)].map(([, header]) => ({
    path: header!,
    text: readFileSync(FOLDER + header!, 'utf8'),
  }));
  return { file: name, sources: [{ path: name, text }], headers };
}

/** What a person reads of one outcome, and what is left of the driver. */
function outcomeOf(
  input: ModuleInput,
  target: TargetKernel,
): { readonly shown: string; readonly after: ModuleInput | null } {
  const result = convert(engine, input, target, undefined);
  const own = input.sources[0]!.text;
  switch (result.status) {
    case 'unchanged':
      return { shown: 'unchanged\n', after: null };
    case 'refused':
      return {
        shown: `refused, line ${result.site ? own.slice(0, result.site.start).split('\n').length : '-'}: ${result.reason}\n`,
        after: null,
      };
    case 'converted': {
      const after = withEdits(input, result.edits)!;
      const diffs = [...input.sources, ...input.headers].map((one, index) =>
        unifiedDiff(one.path, one.text, [...after.sources, ...after.headers][index]!.text),
      );
      return {
        shown: `converted\n${result.notes.map((note) => `note: ${note.text}\n`).join('')}${diffs.join('')}`,
        after,
      };
    }
  }
}

describe.each(names)('%s', (name) => {
  const input = inputOf(name);
  const outcomes = TARGETS.map((label) => ({ label, ...outcomeOf(input, kernel(label)) }));

  test('becomes what it should', async () => {
    await expect(outcomesText(outcomes)).toMatchFileSnapshot(FOLDER + name.replace(/\.c$/, '.txt'));
  });

  test('is clean for the target, parses as well as before, and stays as it is for the same target', () => {
    for (const { label, after } of outcomes) {
      if (!after) continue;
      expect(misunderstood(name, after.sources[0]!.text)).toBeLessThanOrEqual(
        misunderstood(name, input.sources[0]!.text),
      );
      const found = engine
        .analyse(after, {}, kernel(label))
        .findings.filter((one) => one.severity === 'error' || one.severity === 'warning');
      expect(found.map((one) => `${label}: ${one.rule}: ${one.message}`)).toEqual([]);
      expect(convert(engine, after, kernel(label), undefined)).toEqual({ status: 'unchanged' });
    }
  });
});

test('every expectation has its driver', () => {
  for (const name of readdirSync(FOLDER).filter((one) => one.endsWith('.txt')))
    expect(names).toContain(name.replace(/\.txt$/, '.c'));
});

describe('by way of 6.1', () => {
  const old = fixtureNames().filter((name) => !name.startsWith('refused-'));
  test.each(old)('%s comes to the same for 6.6', (name) => {
    const headers = headersOf(readFixture(name));
    const input = {
      file: name,
      sources: [{ path: name, text: convertedFixture(name, '6.1') }],
      headers: Object.entries(headers).map(([path, text]) => ({ path, text })),
    };
    const result = convert(engine, input, kernel('6.6'), undefined);
    if (result.status !== 'converted') throw new Error(JSON.stringify(result));
    // The `.release` that comes and goes again may leave a blank line.
    const code = (text: string): string => text.replace(/^\s*\n/gm, '');
    expect(code(withEdits(input, result.edits)!.sources[0]!.text)).toBe(
      code(convertedFixture(name, '6.6')),
    );
  });
});
