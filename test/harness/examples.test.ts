import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { convertInPlace, copyExamples, examples } from '../../scripts/lib/examples.mjs';
import { findHeaders, whyNot } from '../../scripts/lib/headers.mjs';
import { build } from './build.ts';
import { bugsOf, compare } from './compare.ts';
import { run, type Run } from './run.ts';

const KERNELS = ['6.1', '6.12'];
const STYLES = ['minimal', 'fold', 'compat'] as const;
const folder = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-examples-'));
const noHeaders = whyNot('6.1');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(noHeaders !== undefined)(
  `examples/conversion${noHeaders === undefined ? '' : ` (${noHeaders})`}`,
  () => {
    const originals = new Map<string, Run[]>();

    beforeAll(async () => {
      copyExamples(path.join(folder, 'before'));
      for (const { name, sources } of examples) {
        const program = await build(
          {
            sources: sources.map((source) => path.join(folder, 'before', source)),
            oldModel: true,
            tidy: true,
          },
          findHeaders('6.1')!,
          path.join(folder, 'before', name),
        );
        originals.set(name, await run(program));
      }
    });

    test.each(examples)('$name is right before its conversion', ({ name }) => {
      expect(bugsOf(originals.get(name)!)).toEqual([]);
    });

    for (const kernel of KERNELS) {
      const reason = whyNot(kernel);
      for (const style of STYLES) {
        describe.skipIf(reason !== undefined)(
          `converted for ${kernel}, ${style}${reason === undefined ? '' : ` (${reason})`}`,
          () => {
            const copy = path.join(folder, `${kernel}-${style}`);
            beforeAll(() => copyExamples(copy));

            test.concurrent.for(examples.map(({ name, sources }) => [name, sources] as const))(
              '%s does what it did',
              async ([name, sources], { expect }) => {
                const paths = sources.map((source) => path.join(copy, source));
                expect(convertInPlace(paths, kernel, style)).toBeUndefined();
                const program = await build(
                  { sources: paths, oldModel: false, tidy: true },
                  findHeaders(kernel)!,
                  path.join(copy, name),
                );
                const verdict = compare(originals.get(name)!, await run(program));
                expect(verdict.problems).toEqual([]);
                expect(verdict.forgiven).toEqual([]);
                expect(verdict.compared).toBe(originals.get(name)!.length);
              },
            );
          },
        );
      }
    }
  },
);
