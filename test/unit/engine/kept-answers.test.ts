/** What rules keep from one version of a document to the next says nothing wrong of the next. */
import { expect, test } from 'vitest';
import { createEngine, NO_SETTINGS, type Engine } from '../../../server/src/engine/analyse.ts';
import { closeLeaks } from '../../../server/src/rules/close-leaks.ts';
import { initCallbackContract } from '../../../server/src/rules/init-callback-contract.ts';
import { keptByParts } from '../../../server/src/rules/kept-answers.ts';
import { loadParser } from '../../support/parser.ts';
import { kernel, single } from './support.ts';

const parser = await loadParser();

/** Whether an engine that has seen other versions says of each text what a new one says. */
function expectSameAsNew(engine: Engine, texts: readonly string[], version: string): void {
  for (const text of texts) {
    const fresh = createEngine(parser);
    const asked = [single(text), NO_SETTINGS, kernel(version)] as const;
    expect(engine.analyse(...asked).findings, text).toEqual(fresh.analyse(...asked).findings);
    fresh.dispose();
  }
}

test('an answer is kept while its parts are the same', () => {
  const ask = keptByParts<object, number>();
  let asked = 0;
  const answer = (about: object, ...parts: unknown[]) => ask(about, parts, () => ++asked);
  const one = {};
  expect([answer(one, 'a', 1), answer(one, 'a', 1), answer(one, 'a', 2)]).toEqual([1, 1, 2]);
  expect([answer({}, 'a', 2), answer(one, 'a', 2), answer(one, 'a')]).toEqual([3, 2, 4]);
});

test('what a callback keeps is seen to be looked at by whichever function comes to do it', () => {
  const engine = createEngine(parser);
  const { code, kernel: version } = closeLeaks.examples.bad.find((one) =>
    one.code.includes('foo->trigger'),
  )!;
  const withHelper = (body: string): string =>
    code
      .replace('static void foo_close', `static void foo_tell(struct foo *foo) { ${body} }\n$&`)
      .replace(/(foo_close\(.*\)\n{\n.*\n)/, '$1\tfoo_tell(foo);\n');
  const silent = withHelper('pr_info("closed");'),
    telling = withHelper('show(foo->trigger);');
  expectSameAsNew(engine, [silent, telling, silent, telling], version ?? '6.12');
  const findings = (text: string) =>
    engine.analyse(single(text), NO_SETTINGS, kernel(version ?? '6.12')).findings;
  expect(findings(silent).map(({ rule }) => rule)).toContain('close-leaks');
  expect(findings(telling).map(({ rule }) => rule)).not.toContain('close-leaks');
  engine.dispose();
});

test('what is given the device is not seen until the module has it', () => {
  const engine = createEngine(parser);
  const { code, kernel: version } = closeLeaks.examples.bad.find((one) =>
    one.code.includes('foo->trigger'),
  )!;
  const unseen = code.replace(
    /(foo_close\(.*\)\n{\n.*\n)/,
    '$1\tfoo_ping();\n\tfoo_free_all(foo);\n',
  );
  const seen = `${unseen}static void foo_free_all(struct foo *foo) { pr_info("closed"); }\n`;
  expectSameAsNew(engine, [unseen, seen, unseen, seen], version ?? '6.12');
  const isFound = (text: string): boolean =>
    engine
      .analyse(single(text), NO_SETTINGS, kernel(version ?? '6.12'))
      .findings.some(({ rule }) => rule === closeLeaks.id);
  expect([unseen, seen].map(isFound)).toEqual([false, true]);
  engine.dispose();
});

test('a member is set for as long as one function is left that sets it', () => {
  const engine = createEngine(parser);
  const { code, kernel: version } = initCallbackContract.examples.bad[0]!;
  const setting = (first: string, second: string): string =>
    `${code}
static void foo_begin(struct foo *foo, struct device *parent) { ${first} }
static void foo_go_on(struct foo *foo, struct device *parent) { ${second} }
`;
  const SET = 'foo->parent = parent;',
    LOOK = 'show(parent);';
  const texts = [setting(SET, SET), setting(LOOK, SET), setting(LOOK, LOOK), setting(SET, LOOK)];
  expectSameAsNew(engine, texts, version ?? '6.2');
  const isFound = (text: string): boolean =>
    engine
      .analyse(single(text), NO_SETTINGS, kernel(version ?? '6.2'))
      .findings.some(({ rule }) => rule === initCallbackContract.id);
  expect(texts.map(isFound)).toEqual([false, false, true, false]);
  engine.dispose();
});
