/**
 * Random edits over the correct drivers. After each the engine that has seen all edits is held
 * against one that has seen only the result: what
 * they find must be the same, once the edited tree was settled as the server settles it.
 */
import { join } from 'node:path';
import { createEngine, type Engine } from '../../server/src/engine/analyse.ts';
import type { Analysis, ModuleInput, TargetKernel } from '../../server/src/engine/types.ts';
import { driversIn } from '../support/modules.ts';
import { loadParser } from '../support/parser.ts';
import { EDITS_OF_ONE, randomEdits, randomNumbers } from './edits.ts';

export { runServer } from './fuzz-server.ts';

const target: TargetKernel = { version: [6, 6], text: '6.6', source: 'option', reason: '' };

/**
 * @param root the project's folder
 * @returns how many edits gave the same, and how many did not
 */
export async function run(
  edits: number,
  seed: number,
  root: string,
): Promise<{ passed: number; failed: number; skipped: number }> {
  const parser = await loadParser();
  const random = randomNumbers(seed);
  const drivers = driversIn(join(root, 'test/fixtures/drivers/clean'));
  const edited = createEngine(parser);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  while (counts.passed + counts.failed < edits) {
    const driver = drivers[Math.floor(random() * drivers.length)]!;
    const rest = edits - counts.passed - counts.failed;
    const drift = driven(driver.files, Math.min(rest, EDITS_OF_ONE), random, edited, () =>
      createEngine(parser),
    );
    counts.passed += drift.same;
    if (drift.problem === null) continue;
    counts.failed++;
    console.log(`FAILED ${driver.name}: ${drift.problem}`);
  }
  edited.dispose();
  return counts;
}

interface Drift {
  readonly same: number;
  readonly problem: string | null;
}

/** Edits one driver so often; ends with the first edit after which the engines differ. */
function driven(
  files: Readonly<Record<string, string>>,
  edits: number,
  random: () => number,
  edited: Engine,
  create: () => Engine,
): Drift {
  let same = 0;
  for (const { texts, name, edit } of randomEdits(files, edits, random)) {
    const input = inputOf(texts);
    edited.analyse(input, {}, target);
    for (const { path } of [...input.sources, ...input.headers]) edited.settle(path);
    const fresh = create();
    const [kept, wanted] = [edited, fresh].map((engine) =>
      shown(engine.analyse(input, {}, target)),
    );
    fresh.dispose();
    const place = `after edit ${same + 1} of ${name} (${JSON.stringify(edit)})`;
    if (kept !== wanted) return { same, problem: `${place}:\nkept  ${kept}\nfresh ${wanted}` };
    if (wanted!.includes('internal error')) return { same, problem: `${place}: ${wanted}` };
    same++;
  }
  for (const name of Object.keys(files)) edited.forget(`/w/${name}`);
  return { same, problem: null };
}

function inputOf(texts: Readonly<Record<string, string>>): ModuleInput {
  const documents = Object.entries(texts).map(([name, text]) => ({ path: `/w/${name}`, text }));
  const sources = documents.filter(({ path }) => path.endsWith('.c'));
  return {
    file: sources[0]!.path,
    sources,
    headers: documents.filter(({ path }) => !path.endsWith('.c')),
  };
}

function shown({ findings, notAnalysed }: Analysis): string {
  return JSON.stringify([
    findings.map(({ rule, severity, message, site, related }) => ({
      rule,
      severity,
      message,
      site,
      related,
    })),
    notAnalysed,
  ]);
}
