import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build } from './build.ts';
import { compare, type Verdict } from './compare.ts';
import { findHeaders, whyNot } from '../../scripts/lib/headers.mjs';
import { broken, equivalent, mutate, type Mutant } from './mutants.ts';
import { run, type Run } from './run.ts';

const subject = (name: string): string =>
  fileURLToPath(new URL(`./subject/${name}.c`, import.meta.url));
const reason = whyNot('6.1');
const named = (mutants: readonly Mutant[]): [string, Mutant][] =>
  mutants.map((mutant) => [mutant.name, mutant]);

describe.skipIf(reason !== undefined)(
  `the harness${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-harness-'));
    const headers = findHeaders('6.1')!;
    const converted = readFileSync(subject('new'), 'utf8');
    let original: Run[];

    beforeAll(async () => {
      original = await run(
        await build(
          { sources: [subject('old')], oldModel: true, tidy: true },
          headers,
          path.join(folder, 'old'),
        ),
      );
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    /** A mutant that the compiler or the headers refuse is found as well. */
    async function judge(mutant: Mutant): Promise<Verdict> {
      const own = path.join(folder, mutant.name.replace(/\W+/g, '-'));
      const program = await build(
        {
          sources: [write(own, mutate(converted, mutant))],
          oldModel: false,
          tidy: mutant.tidy ?? false,
        },
        headers,
        own,
      ).catch((error: Error) => error);
      if (program instanceof Error)
        return {
          problems: [
            `it does not compile: ${/-Werror=([\w-]+)/.exec(program.message)?.[1] ?? 'error'}`,
          ],
          forgiven: [],
          compared: 0,
        };
      return compare(original, await run(program));
    }

    function write(own: string, text: string): string {
      writeFileSync(`${own}.c`, text);
      return `${own}.c`;
    }

    test('has nothing to say of the original', () => {
      expect(compare(original, original).problems).toEqual([]);
      expect(original.flatMap((one) => one.bugs)).toEqual([]);
      expect(original.length).toBeGreaterThan(15);
    });

    test.concurrent.for(named(equivalent))('passes: %s', async ([, mutant], { expect }) => {
      expect((await judge(mutant)).problems).toEqual([]);
    });

    test.concurrent.for(named(broken))('catches: %s', async ([, mutant], { expect }) => {
      const { problems } = await judge(mutant);
      expect(problems).not.toEqual([]);
      expect(problems[0]).toMatchSnapshot();
    });
  },
);
