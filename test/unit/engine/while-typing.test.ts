import { expect, test } from 'vitest';
import { createEngine } from '../../../server/src/engine/analyse.ts';
import { chooseFindings, type Shown } from '../../../server/src/engine/while-typing.ts';
import { CLEAN, LEAKY } from '../../support/drivers.ts';
import { cleanDrivers } from '../../support/modules.ts';
import { loadParser } from '../../support/parser.ts';
import { kernel, single } from './support.ts';
import numbers from './while-typing.json' with { type: 'json' };

const parser = await loadParser();
const CLOSERS: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']', '"': '"' };

/**
 * The texts of a document while one stretch of it is typed key by key, as an editor shows them: a
 * bracket closes itself, a line begins where the one before did.
 */
function* keys(before: string, typed: string, after: string): Generator<string> {
  const open: { readonly closer: string; inLine: boolean; readonly indentation: string }[] = [];
  for (let at = 0; at < typed.length; at++) {
    const char = typed[at]!;
    const top = open.at(-1);
    // Over what stands there already.
    if (top?.closer === char) open.pop();
    else if (CLOSERS[char] !== undefined && !isInText(typed, at, char)) {
      const line = typed.slice(typed.lastIndexOf('\n', at) + 1, at);
      open.push({ closer: CLOSERS[char], inLine: true, indentation: /^\s*/.exec(line)![0] });
    } else if (char === '\n' && top?.closer === '}' && typed[at - 1] === '{') top.inLine = false;
    // The blanks of a new line come with it.
    if (char === '\t' && typed[at + 1] === '\t') continue;
    const rest = open
      .map(({ closer, inLine, indentation }) => (inLine ? closer : `\n${indentation}${closer}`))
      .reverse()
      .join('');
    yield before + typed.slice(0, at + 1) + rest + after;
  }
}

/** A quote inside of a character or of a string closes nothing. */
function isInText(typed: string, at: number, char: string): boolean {
  return char === '"' && typed[at - 1] === '\\';
}

interface Count {
  /** How often the problems of the document changed. */
  readonly changes: number;
  /** After how many keys an error or a warning was there that the whole text does not have. */
  readonly wrong: number;
}

/** Types the body of a function of a driver anew and looks at the problems after each key. */
function retype(text: string, fn: string, version: string): Count {
  const engine = createEngine(parser);
  const target = kernel(version);
  const start = text.indexOf('{\n', text.search(new RegExp(`\\b${fn}\\(.*\\)\\n\\{`))) + 2;
  const end = text.indexOf('\n}\n', start);
  let shown: Shown | null = null;
  const problemsOf = (typed: string, isQuiet: boolean): readonly string[] => {
    const input = single(typed);
    const { findings } = engine.analyse(input, {}, target);
    const file = engine.lowered(input)!;
    const choice = chooseFindings(file, findings, shown, isQuiet);
    shown = choice.shown;
    return choice.findings
      .filter(({ severity }) => severity === 'error' || severity === 'warning')
      .map(({ rule, functionName }) => `${rule} in ${functionName}`);
  };
  const known = problemsOf(text, true);
  let before = known.join();
  let changes = 0;
  let wrong = 0;
  for (const typed of keys(text.slice(0, start), text.slice(start, end), text.slice(end))) {
    const problems = problemsOf(typed, false);
    if (problems.some((problem) => !known.includes(problem))) wrong++;
    if (problems.join() !== before) changes++;
    before = problems.join();
  }
  engine.dispose();
  return { changes, wrong };
}

function clean(name: string): string {
  return cleanDrivers().find((driver) => driver.name === `${name}.c`)!.files[`${name}.c`]!;
}

const RETYPED: Readonly<Record<string, readonly [text: string, fn: string, kernel: string]>> = {
  'the probe of a correct driver': [CLEAN, 'foo_probe', '6.1'],
  'the remove of a correct driver': [CLEAN, 'foo_remove', '6.1'],
  'the probe of a driver that leaks there': [LEAKY, 'foo_probe', '6.1'],
  'the remove of a driver whose probe leaks': [LEAKY, 'foo_remove', '6.1'],
  'a probe with a ladder of labels': [clean('init-ladder'), 'vat_probe', '6.1'],
  'a probe with managed actions': [clean('devm-actions'), 'dock_probe', '6.12'],
};

// The numbers may fall, and never rise.
test.each(Object.entries(RETYPED))('%s, typed key by key', (name, [text, fn, version]) => {
  const allowed = (numbers as Readonly<Record<string, Count>>)[name]!;
  const { changes, wrong } = retype(text, fn, version);
  expect({ changes, wrong }).toEqual(allowed);
});

test('what was never understood does not hold back what is found elsewhere', () => {
  const engine = createEngine(parser);
  const target = kernel('6.1');
  const odd = `${CLEAN}\nstatic void odd(void)\n{\n\tif a) { @ goto } else\n}\n`;
  const choose = (text: string, before: Shown | null) => {
    const input = single(text);
    const { findings } = engine.analyse(input, {}, target);
    return chooseFindings(engine.lowered(input)!, findings, before, true);
  };
  const first = choose(odd, null);
  expect(engine.lowered(single(odd))!.functions.find(({ name }) => name === 'odd')?.opaque).toBe(
    true,
  );
  const next = choose(odd.replace('\t\tvfio_put_device(&foo->vdev);\n', ''), first.shown);
  expect(next.findings.map(({ rule }) => rule)).toContain('missing-put');
  engine.dispose();
});
