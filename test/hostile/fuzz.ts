/**
 * Random edits over the correct drivers, as a person makes them and as nobody does. After each the engine that has seen all edits is held against
 * one that has seen only the result: what they find must be the same, once the edited tree was settled as the server settles it.
 */
import { join } from 'node:path';
import { createEngine, type Engine } from '../../server/src/engine/analyse.ts';
import type { Analysis, ModuleInput, TargetKernel } from '../../server/src/engine/types.ts';
import { driversIn } from '../support/modules.ts';
import { loadParser } from '../support/parser.ts';
import { nextEdit, randomNumbers } from '../../scripts/lib/random-edits.mjs';

/** Edits of one driver before the next is taken, as between two openings of a file. */
const EDITS_OF_ONE = 50;
const target: TargetKernel = { version: [6, 6], text: '6.6', source: 'option', reason: '' };

/** What nobody types. */
const NOISE = ['/*', '*/', '"', '\\', '{', '}', '(', ')', '#if 0\n', '#else\n', '#endif\n', '\ud800', '\0', '\r', '/* vfio-lifecycle: allow(', ';', 'vfio_put_device('];

/**
 * @param root the project's folder
 * @returns how many edits gave the same, and how many did not
 */
export async function run(edits: number, seed: number, root: string): Promise<{ passed: number; failed: number; skipped: number }> {
  const parser = await loadParser();
  const random = randomNumbers(seed);
  const drivers = driversIn(join(root, 'test/fixtures/drivers/clean'));
  const edited = createEngine(parser);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  while (counts.passed + counts.failed < edits) {
    const driver = drivers[Math.floor(random() * drivers.length)]!;
    const rest = edits - counts.passed - counts.failed;
    const drift = driven(driver.files, Math.min(rest, EDITS_OF_ONE), random, edited, () => createEngine(parser));
    counts.passed += drift.same;
    if (drift.problem === null) continue;
    counts.failed++;
    console.log(`FAILED ${driver.name}: ${drift.problem}`);
  }
  edited.dispose();
  return counts;
}

interface Drift { readonly same: number; readonly problem: string | null }

/** Edits one driver so often; ends with the first edit after which the engines differ. */
function driven(files: Readonly<Record<string, string>>, edits: number, random: () => number, edited: Engine, create: () => Engine): Drift {
  const texts = { ...files };
  const names = Object.keys(texts);
  let last: { offset: number; text: string; removed: string } | undefined;
  let at = '';
  for (let i = 0; i < edits; i++) {
    if (last === undefined || random() < 0.2) {
      at = names[Math.floor(random() * names.length)]!;
      last = undefined;
    }
    const text = texts[at]!;
    const edit = random() < 0.2 ? noise(text, random) : nextEdit(text, random, last);
    last = { offset: edit.offset, text: edit.text, removed: text.slice(edit.offset, edit.offset + edit.length) };
    texts[at] = text.slice(0, edit.offset) + edit.text + text.slice(edit.offset + edit.length);
    const input = inputOf(texts);
    edited.analyse(input, {}, target);
    for (const { path } of [...input.sources, ...input.headers]) edited.settle(path);
    const fresh = create();
    const [kept, wanted] = [edited, fresh].map((engine) => shown(engine.analyse(input, {}, target)));
    fresh.dispose();
    if (kept !== wanted) return { same: i, problem: `after edit ${i + 1} of ${at} (${JSON.stringify(edit)}):\nkept  ${kept}\nfresh ${wanted}` };
    if (wanted!.includes('internal error')) return { same: i, problem: `after edit ${i + 1} of ${at} (${JSON.stringify(edit)}): ${wanted}` };
  }
  for (const name of names) edited.forget(`/w/${name}`);
  return { same: edits, problem: null };
}

function noise(text: string, random: () => number): { offset: number; length: number; text: string } {
  const offset = Math.floor(random() * (text.length + 1));
  const length = random() < 0.5 ? 0 : Math.min(text.length - offset, Math.floor(random() * 60));
  return { offset, length, text: NOISE[Math.floor(random() * NOISE.length)]! };
}

function inputOf(texts: Readonly<Record<string, string>>): ModuleInput {
  const documents = Object.entries(texts).map(([name, text]) => ({ path: `/w/${name}`, text }));
  const sources = documents.filter(({ path }) => path.endsWith('.c'));
  return { file: sources[0]!.path, sources, headers: documents.filter(({ path }) => !path.endsWith('.c')) };
}

function shown({ findings, notAnalysed }: Analysis): string {
  return JSON.stringify([findings.map(({ rule, severity, message, site, related }) => ({ rule, severity, message, site, related })), notAnalysed]);
}
