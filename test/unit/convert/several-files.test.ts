import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../server/src/engine/analyse.ts';
import { convert } from '../../../server/src/engine/convert.ts';
import { joinLinked } from '../../../server/src/engine/project/join.ts';
import { createModuleLoader } from '../../../server/src/engine/project/load.ts';
import { allFindings, withEdits } from '../../../server/src/engine/prove.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import type { FileSystem, ModuleInput, TargetKernel } from '../../../server/src/engine/types.ts';
import { parseVersion } from '../../../server/src/kernel/version.ts';
import { unifiedDiff } from '../../../server/src/text/diff.ts';
import { loadParser } from '../../support/parser.ts';

/** One folder for each module: its documents, and what becomes of them as a patch or a refusal. */
const FIXTURES = fileURLToPath(new URL('../../fixtures/convert/several-files/', import.meta.url));
const KERNELS = ['6.1', '6.6'] as const;
const OLD_NAMES =
  /\b(?:vfio_init_group_dev|vfio_uninit_group_dev|vfio_pci_core_init_device|vfio_pci_core_uninit_device)\b/;
const engine: Engine = createEngine(await loadParser(), kernelStages);
const all = readdirSync(FIXTURES).sort();
const converted = all.filter((name) => !name.startsWith('refused-'));
const refused = all.filter((name) => name.startsWith('refused-'));

function kernel(text: string): TargetKernel {
  return { version: parseVersion(text)!, text, source: 'option', reason: '' };
}

const disk: FileSystem = {
  readFile: async (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  readDirectory: async (path) => readdirSync(path),
};

/**
 * The module of a file, joined with the others of the folder that it is linked with, as on the
 * command line.
 */
async function load(name: string, file: string): Promise<ModuleInput> {
  const inputs = await Promise.all(
    sourcesIn(name).map((source) => {
      const path = `${FIXTURES}${name}/${source}`;
      return createModuleLoader(disk).load(path, readFileSync(path, 'utf8'), {
        root: `${FIXTURES}${name}`,
      });
    }),
  );
  return joinLinked(inputs).find((input) => input.file.endsWith(`/${file}`))!;
}

function sourcesIn(name: string): string[] {
  return readdirSync(FIXTURES + name)
    .filter((file) => file.endsWith('.c'))
    .sort();
}

/** The patch from one state of a module to another. */
function patch(name: string, before: ModuleInput, after: ModuleInput): string {
  const documents = (input: ModuleInput) => [...input.sources, ...input.headers];
  const was = new Map(documents(before).map((one) => [one.path, one.text]));
  return documents(after)
    .map((one) =>
      unifiedDiff(one.path.slice(`${FIXTURES}${name}/`.length), was.get(one.path), one.text),
    )
    .filter((text) => text !== '')
    .sort()
    .join('');
}

/** The kernels that a module can be converted for: the first alone, where its folder says so. */
function kernelsOf(name: string): readonly string[] {
  return name.startsWith('for-6.1-') ? ['6.1'] : KERNELS;
}

describe.each(converted)('%s', (name) => {
  test.each(kernelsOf(name))(
    'becomes the expected patch for %s, from whichever of its sources it is asked for',
    async (label) => {
      const patches = new Map<string, string[]>();
      for (const file of sourcesIn(name)) {
        const input = await load(name, file);
        const result = convert(engine, input, kernel(label), undefined);
        if (result.status === 'refused') throw new Error(`${file}: ${result.reason}`);
        if (result.status === 'unchanged') continue;
        const after = withEdits(input, result.edits)!;
        const text = `${result.notes
          .map((note) => note.text)
          .sort()
          .map((note) => `${note}\n`)
          .join('')}\n${patch(name, input, after)}`;
        patches.set(text, [...(patches.get(text) ?? []), file]);

        expect(
          after.sources.map((one) => one.text.replace(/\/\*[\s\S]*?\*\//g, '')).join(''),
        ).not.toMatch(OLD_NAMES);
        const loud = allFindings(engine, after, {}, kernel(label)).filter(
          (one) => one.severity === 'error' || one.severity === 'warning',
        );
        expect(loud.map((one) => `${one.rule}: ${one.message}`)).toEqual([]);
        for (const again of sourcesIn(name)) {
          expect(
            convert(
              engine,
              { ...after, file: `${FIXTURES}${name}/${again}` },
              kernel(label),
              undefined,
            ).status,
          ).toBe('unchanged');
        }
      }
      expect([...patches.values()]).toHaveLength(1);
      await expect([...patches.keys()][0]).toMatchFileSnapshot(
        `${FIXTURES}${name}/to-${label}.patch`,
      );
    },
  );
});

test.each(refused)('%s with a reason and a place', async (name) => {
  const lines: string[] = [];
  for (const file of sourcesIn(name)) {
    const input = await load(name, file);
    const result = convert(engine, input, kernel('6.1'), undefined);
    if (result.status === 'converted') throw new Error(`${file} was converted`);
    if (result.status === 'unchanged') continue;
    const text =
      [...input.sources, ...input.headers].find((one) => one.path === result.site?.path)?.text ??
      '';
    lines.push(
      `${file}: ${result.site?.path.slice(`${FIXTURES}${name}/`.length) ?? '-'}, line ${text.slice(0, result.site?.start ?? 0).split('\n').length}`,
      result.reason,
    );
  }
  expect(lines).not.toEqual([]);
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`${FIXTURES}${name}/refused.txt`);
});

/**
 * Lines that change what is proved, or break the text; each is tried in place of a line of a
 * driver.
 */
const LINES = [
  '',
  '}',
  '{',
  '#if 1',
  '#endif',
  '\tgoto out;',
  '\treturn NULL;',
  '\tkfree(dock);',
  '\tvfio_uninit_group_dev(&pier->vdev);',
  'EXPORT_SYMBOL(pier_probe_common);',
  '/*',
  'static int ret;',
];

test("damaged modules are converted, refused or left, and edits stay within the documents and out of each other's way", async () => {
  const inputs = await Promise.all(
    converted.flatMap((name) => sourcesIn(name).map((file) => load(name, file))),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...inputs),
      fc.nat(),
      fc.nat(),
      fc.constantFrom(...LINES),
      (input, which, line, text) => {
        const documents = [...input.sources, ...input.headers];
        const path = documents[which % documents.length]!.path;
        const damage = <T extends { readonly path: string; readonly text: string }>(one: T): T => {
          if (one.path !== path) return one;
          const lines = one.text.split('\n');
          lines[line % lines.length] = text;
          return { ...one, text: lines.join('\n') };
        };
        const damaged = {
          ...input,
          sources: input.sources.map(damage),
          headers: input.headers.map(damage),
        };
        const result = convert(engine, damaged, kernel('6.1'), undefined);
        if (result.status === 'refused') expect(result.reason).not.toContain('internal error');
        if (result.status === 'converted') expect(withEdits(damaged, result.edits)).toBeDefined();
      },
    ),
    { numRuns: 60 },
  );
}, 120_000);
