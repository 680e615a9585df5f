import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { convertExamples, copyExamples, examples } from '../../scripts/lib/examples.mjs';
import { findHeaders, whyNot } from '../../scripts/lib/headers.mjs';
import { BEFORE_6_1, build, type Driver } from './build.ts';
import { bugsOf, compare } from './compare.ts';
import { run, type Run } from './run.ts';

const KERNELS = ['6.1', '6.12'];
/** The styles with one result for each kernel. */
const STYLES = ['minimal', 'fold'] as const;
/** The forms of the one result for all kernels, with their options. */
const FORMS = [
  ['arms of #if', []],
  ['a header', ['--compat-header', 'vfio-compat.h']],
] as const;
const modules = examples.map(({ name, sources }) => [name, sources] as const);
const folder = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-examples-'));
const noHeaders = whyNot('6.1');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(noHeaders !== undefined)(
  `examples/conversion${noHeaders === undefined ? '' : ` (${noHeaders})`}`,
  () => {
    const originals = new Map<string, Run[]>();
    let number = 0;

    /** Expects a driver to do what the original of its name does, at each failure point. */
    async function expectTheSame(
      { expect }: TestContext,
      name: string,
      driver: Driver,
      kernel: string,
    ): Promise<void> {
      const program = await build(
        driver,
        findHeaders(kernel)!,
        path.join(folder, 'built', `${number++}-${name}`),
      );
      const verdict = compare(originals.get(name)!, await run(program));
      expect(verdict.problems).toEqual([]);
      expect(verdict.forgiven).toEqual([]);
      expect(verdict.compared).toBe(originals.get(name)!.length);
    }

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
            let refused: ReadonlyMap<string, string | undefined>;
            beforeAll(() => {
              copyExamples(copy);
              refused = convertExamples(copy, kernel, style);
            });

            test.concurrent.for(modules)(
              '%s does what it did',
              async ([name, sources], context) => {
                const paths = sources.map((source) => path.join(copy, source));
                context.expect(refused.get(name)).toBeUndefined();
                await expectTheSame(
                  context,
                  name,
                  { sources: paths, oldModel: false, tidy: true },
                  kernel,
                );
              },
            );
          },
        );
      }
    }

    for (const [form, options] of FORMS) {
      describe(`converted for all kernels, ${form}`, () => {
        const copy = path.join(folder, form);
        const kernels = KERNELS.filter((kernel) => whyNot(kernel) === undefined);
        let refused: ReadonlyMap<string, string | undefined>;
        beforeAll(() => {
          copyExamples(copy);
          refused = convertExamples(copy, '', 'compat', options);
        });

        test.concurrent.for(modules)('%s does what it did', async ([name, sources], context) => {
          const paths = sources.map((source) => path.join(copy, source));
          context.expect(refused.get(name)).toBeUndefined();
          const driver = { sources: paths, oldModel: false, tidy: true };
          for (const kernel of kernels) await expectTheSame(context, name, driver, kernel);
          const before = { ...driver, oldModel: true, headers: BEFORE_6_1 };
          await expectTheSame(context, name, before, '6.1');
        });
      });
    }
  },
);
