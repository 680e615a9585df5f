import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../server/src/engine/analyse.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { readAnnotations } from '../../support/analyse.ts';
import { loadParser } from '../../support/parser.ts';
import { kernel, single } from './support.ts';

const parser = await loadParser();
const fixtures = resolve(import.meta.dirname, '../../fixtures');

/** What an edit above the code moves: the functions are the same, at other offsets. */
const ABOVE = '/* A line above all. */\n';

type Driver = readonly [name: string, kernel: string, text: string];

/** The drivers of a folder, with the kernel that their first lines name. */
function driversIn(folder: string): Driver[] {
  return readdirSync(join(fixtures, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.c'))
    .flatMap((name): Driver[] => {
      const text = readFileSync(join(fixtures, folder, name), 'utf8');
      const target = /kernel: ([\d.]+)/.exec(text)?.[1];
      return target === undefined ? [] : [[`${folder}/${name}`, target, text]];
    });
}

const examples = rules.flatMap(({ id, examples: { bad, good } }) =>
  [...bad, ...good].map((one): Driver => [
    `${id}: ${one.title}`,
    one.kernel ?? '6.1',
    readAnnotations(one.code).code,
  ]),
);

function found(engine: Engine, text: string, target: string): unknown {
  const { findings } = engine.analyse(single(text), {}, kernel(target));
  return findings.map(({ rule, severity, message, site, related, fix }) => ({
    rule,
    severity,
    message,
    site,
    related,
    fix,
  }));
}

test.each([...driversIn('rules'), ...driversIn('history'), ...examples])(
  'an edit above moves what is found and changes nothing of it: %s',
  (_, target, text) => {
    const edited = createEngine(parser);
    found(edited, text, target);
    const fresh = createEngine(parser);
    expect(found(edited, ABOVE + text, target)).toEqual(found(fresh, ABOVE + text, target));
    edited.dispose();
    fresh.dispose();
  },
);
