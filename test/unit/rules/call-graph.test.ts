/** Who calls whom by name, from one version of a document to the next. */
import { describe, expect, test } from 'vitest';
import { createLoweringCache, lowerFile } from '../../../server/src/ir/lower.ts';
import { parseVersion } from '../../../server/src/kernel/version.ts';
import { indexModule, type ModuleIndex } from '../../../server/src/lifecycle/module/module.ts';
import { createOutlineCache, outlineOf } from '../../../server/src/lifecycle/module/outline.ts';
import { leadingTo, namesOfFunctions, reachedFrom } from '../../../server/src/rules/call-graph.ts';
import { callersOfNames } from '../../../server/src/rules/function-traits.ts';
import { loadParser } from '../../support/parser.ts';

const parser = await loadParser();
const kernel = parseVersion('6.1')!;

/** A document that is edited: each text is lowered with what is kept of the one before. */
function document(): (text: string) => ModuleIndex {
  const cache = createLoweringCache(),
    outlines = createOutlineCache();
  return (text) => {
    const tree = parser.parse(text);
    try {
      const file = lowerFile('kiln.c', tree, cache, parser);
      const module = { sources: [file], headers: [] };
      return indexModule(module, kernel, outlineOf(module, outlines));
    } finally {
      tree.dispose();
    }
  };
}

const KILN = `static void kiln_off(void) { unseen(); }
static void kiln_cool(void) { kiln_off(); }
static void kiln_stop(void) { kiln_cool(); }
static void kiln_glow(void) { unseen(); }
`;

function named(index: ModuleIndex, name: string) {
  return index.allFunctions.find(({ item }) => item.name === name)!.item;
}

function reached(index: ModuleIndex, name: string): string[] {
  return reachedFrom(index, [named(index, name)]).functions.map((fn) => fn.name);
}

function leading(index: ModuleIndex, name: string): string[] {
  return [...leadingTo(index, new Set([named(index, name)]))].map((fn) => fn.name);
}

describe('a call graph by name', () => {
  test('leads there and back', () => {
    const index = document()(KILN);
    expect(reached(index, 'kiln_stop')).toEqual(['kiln_stop', 'kiln_cool', 'kiln_off']);
    expect(leading(index, 'kiln_off')).toEqual(['kiln_off', 'kiln_cool', 'kiln_stop']);
    expect(leading(index, 'kiln_glow')).toEqual(['kiln_glow']);
  });

  test('keeps the names while functions only move', () => {
    const edit = document();
    const before = namesOfFunctions(edit(KILN).module);
    const moved = edit(`/* hot */\n${KILN}`);
    expect(namesOfFunctions(moved.module)).toBe(before);
    expect(reached(moved, 'kiln_stop')).toEqual(['kiln_stop', 'kiln_cool', 'kiln_off']);
  });

  test('sees a call that comes in a body, whichever version is asked', () => {
    const edit = document();
    const before = edit(KILN);
    expect(reached(before, 'kiln_stop')).toEqual(['kiln_stop', 'kiln_cool', 'kiln_off']);
    const more = edit(KILN.replace('unseen();', 'kiln_glow(); more();'));
    expect(more.outline).toBe(before.outline);
    expect(reached(more, 'kiln_stop')).toContain('kiln_glow');
    expect(reached(before, 'kiln_cool')).toEqual(['kiln_cool', 'kiln_off']);
    expect(reached(more, 'kiln_cool')).toEqual(['kiln_cool', 'kiln_off', 'kiln_glow']);
  });

  test('finds the callers of a name, in order, as they come and go', () => {
    const edit = document();
    const callers = (text: string, name: string) =>
      [...callersOfNames(edit(text), [name])].map((fn) => fn.name);
    expect(callers(KILN, 'unseen')).toEqual(['kiln_off', 'kiln_glow']);
    const less = KILN.replace('unseen();', 'seen();');
    expect(callers(less, 'unseen')).toEqual(['kiln_glow']);
    expect(callers(less, 'seen')).toEqual(['kiln_off']);
    expect(callers(KILN, 'seen')).toEqual([]);
    expect(callers(KILN, 'unseen')).toEqual(['kiln_off', 'kiln_glow']);
  });

  test('sees a function that comes to be one of the module, and one that goes', () => {
    const edit = document();
    expect(reached(edit(KILN), 'kiln_glow')).toEqual(['kiln_glow']);
    const more = edit(`${KILN}static void unseen(void) { }\n`);
    expect(reached(more, 'kiln_glow')).toEqual(['kiln_glow', 'unseen']);
    expect(leading(more, 'unseen')).toEqual(expect.arrayContaining(['kiln_glow', 'kiln_stop']));
    const less = edit(KILN.replace('kiln_off(void)', 'kiln_out(void)'));
    expect(reached(less, 'kiln_stop')).toEqual(['kiln_stop', 'kiln_cool']);
  });
});
