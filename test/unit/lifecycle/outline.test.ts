import { describe, expect, test } from 'vitest';
import type { SyntaxTree } from '../../../server/src/syntax/node.ts';
import { createLoweringCache, lowerFile } from '../../../server/src/ir/lower.ts';
import type { FunctionIr } from '../../../server/src/ir/types.ts';
import { parseVersion } from '../../../server/src/kernel/version.ts';
import { indexModule } from '../../../server/src/lifecycle/module/module.ts';
import {
  createOutlineCache,
  outlineOf,
  type OutlineCache,
} from '../../../server/src/lifecycle/module/outline.ts';
import type { Module } from '../../../server/src/lifecycle/types.ts';
import {
  createSurveyCache,
  surveyIn,
  surveyOf,
  type Survey,
} from '../../../server/src/lifecycle/survey.ts';
import { opsTables, rolesOf } from '../../../server/src/lifecycle/module/tables.ts';
import { driverTables } from '../../../server/src/lifecycle/module/driver-tables.ts';
import { MAIN } from '../../support/analyse.ts';
import { loadParser } from '../../support/parser.ts';

const parser = await loadParser();
const KERNEL = parseVersion('6.1')!;

const DRIVER = `#include <linux/vfio.h>
#define LIMIT 4
struct foo { struct vfio_device vdev; int stage; };
/* Ends what others begin. */
static int foo_end(struct foo *foo)
{
	if (foo_ready(foo))
		vfio_put_device(&foo->vdev);
	return 0;
}
static int foo_count = 1;
static int foo_ready(struct foo *foo)
{
	return foo->stage;
}
#ifdef HAVE_NOTES
static void foo_note(struct foo *foo)
{
	foo->stage = 1;
}
#endif
static void foo_remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);

	foo_end(foo);
}
static struct foo_driver driver = { .probe = foo_probe, .remove = foo_remove };
`;

/** The versions of a document as one after the other is typed. */
function versions(texts: readonly string[]): Module[] {
  return versionsOf(texts.map((text) => [text]));
}

/** The versions of a module of several sources. */
function versionsOf(modules: readonly (readonly string[])[]): Module[] {
  const caches = modules[0]!.map(() => createLoweringCache());
  return modules.map((texts) => {
    const sources = texts.map((text, i) => {
      const tree: SyntaxTree = parser.parse(text);
      try {
        return lowerFile(i === 0 ? MAIN : `${i}_${MAIN}`, tree, caches[i], parser);
      } finally {
        tree.dispose();
      }
    });
    return { sources, headers: [] };
  });
}

function edited(from: string, to: string): readonly [Module, Module] {
  expect(DRIVER).toContain(from);
  const [before, after] = versions([DRIVER, DRIVER.replace(from, to)]);
  return [before!, after!];
}

function outlines(modules: readonly Module[], cache: OutlineCache = createOutlineCache()) {
  return modules.map((module) => outlineOf(module, cache));
}

describe('the outline of a module', () => {
  test.each([
    ['a statement', 'return foo->stage;', 'foo->stage++;\n\treturn foo->stage;'],
    ['a call', 'return foo->stage;', 'return other(foo->stage);'],
    ['a comment in a body', 'return 0;', '/* done */ return 0;'],
    ['a format', 'return 0;', 'pr_info("#%d %#06llx");\n\treturn 0;'],
    ['a comment between functions', 'Ends what', 'Ends all\n * "what'],
    ['the type of a variable in a body', 'return 0;', 'enum foo_state state = 1;\n\treturn 0;'],
    ['what is not understood in a body', 'return 0;', 'foo bar;;) baz\n\treturn 0;'],
    ['an #if in a body', 'return 0;', '#ifdef BAR\n\tbar();\n#endif\n\treturn 0;'],
    [
      'an #if behind a comment in a body',
      'return 0;',
      '/* a */ #ifdef BAR\n\tbar();\n/* b */ #endif\n\treturn 0;',
    ],
    ['a body under a test', 'foo->stage = 1;', 'foo->stage = 2;'],
  ])('stays where an edit changes %s', (_, from, to) => {
    const [before, after] = outlines(edited(from, to));
    expect(after!.outline).toBe(before!.outline);
    expect(after!.macroPlaces).toBe(before!.macroPlaces);
  });

  test.each([
    ['a parameter', 'foo_ready(struct foo *foo)', 'foo_ready(struct foo *bar)'],
    ['the name of a function', 'int foo_ready(', 'int foo_steady('],
    ['a macro', 'LIMIT 4', 'LIMIT 5'],
    ['a member', 'int stage;', 'long stage;'],
    ['a variable', 'foo_count = 1', 'foo_count = 2'],
    ['a table', '.remove = foo_remove', '.remove = foo_end'],
    ['an include', '<linux/vfio.h>', '<linux/mdev.h>'],

    ['a string between functions', 'foo_count = 1', 'foo_count = 1; MODULE_INFO(foo, "/*1*/")'],
    ['a new function', 'static int foo_count', 'void bar(void)\n{\n}\nstatic int foo_count'],
    ['an enumerator in a body', 'return 0;', 'enum { FOO = 3 };\n\treturn 0;'],
    ['an enumerator of a name in a body', 'return 0;', 'enum foo { FOO = 3 } foo;\n\treturn 0;'],
    [
      'a call that tells what a test is',
      'return 0;',
      '#ifdef BAR\n\tvfio_put_device(foo);\n#endif\n\treturn 0;',
    ],
    ['a call under a test', 'foo->stage = 1;', 'vfio_put_device(&foo->vdev);'],
    ['a macro in a body', 'return 0;', '#define BAR 1\n\treturn 0;'],
    [
      'a comment that is left open',
      'return 0;\n}\nstatic int foo_c',
      'return 0;} /*\nstatic int foo_c',
    ],
  ])('is another one where an edit changes %s', (_, from, to) => {
    const [before, after] = outlines(edited(from, to));
    expect(after!.outline).not.toBe(before!.outline);
  });

  test('has the macros at other places where text in front of one of them is new', () => {
    const text = `${DRIVER}#define LAST 1\n`;
    const [before, after] = outlines(
      versions([text, text.replace('return 0;', 'bar();\n\treturn 0;')]),
    );
    expect(after!.outline).toBe(before!.outline);
    expect(after!.macroPlaces).not.toBe(before!.macroPlaces);
  });

  test('is another one with other wrappers', () => {
    const [module] = versions([DRIVER]);
    const [before, after] = outlines([module!, { ...module!, wrappers: new Map() }]);
    expect(after!.outline).not.toBe(before!.outline);
  });
});

describe('the survey of a module', () => {
  function surveys(modules: readonly Module[], isNew = false) {
    const outlined = createOutlineCache(),
      kept = createSurveyCache();
    return modules.map((module) => {
      const cache = isNew ? createSurveyCache() : kept;
      const index = indexModule(module, KERNEL, outlineOf(module, outlined));
      const drivers = driverTables(index, KERNEL),
        ops = opsTables(index, KERNEL);
      const roles = rolesOf(index, drivers, ops, KERNEL);
      return surveyIn(index, surveyOf({ index, kernel: KERNEL, drivers, ops, roles }, cache));
    });
  }

  test('stays where an edit changes what a function does by itself', () => {
    const [before, after] = surveys(edited('return 0;', 'foo->stage++;\n\treturn 0;'));
    expect(after!.survey).toBe(before!.survey);
    expect(after!.groups.map(({ members }) => members.map(({ item }) => item.name))).toEqual([
      ['foo_ready'],
      ['foo_end'],
      ['foo_remove'],
    ]);
  });

  test('stays where an edit adds a call that means nothing to others', () => {
    const [before, after] = surveys(edited('foo->stage = 1;', 'foo->stage = foo_ready(foo);'));
    expect(after!.survey).toBe(before!.survey);
  });

  test.each([
    [
      'has the same answers where a function',
      'is called',
      'foo->stage = 1;',
      'foo_note(foo);',
      true,
    ],
    ['has others where a function', 'ends a device', 'foo->stage = 1;', 'foo_end(foo);', false],
    ['has others where a name', 'is called', 'foo_end(foo);', 'foo_end(foo);\n\tbar();', false],
  ])('%s %s', (_, __, from, to, isSame) => {
    const [before, after] = surveys(edited(from, to));
    expect(after!.survey).not.toBe(before!.survey);
    expect(after!.surveyAnswers === before!.surveyAnswers).toBe(isSame);
  });

  test('speaks of the functions of today', () => {
    const [, module] = edited('return foo->stage;', 'foo->stage++;\n\treturn foo->stage;');
    const [, after] = surveys(edited('return foo->stage;', 'foo->stage++;\n\treturn foo->stage;'));
    const explored = module.sources[0]!.functions.filter(({ name }) => name !== 'foo_note');
    const starts = explored.map(({ start }) => start);
    const members = after!.groups.flatMap((group) => group.members);
    expect(new Set(members.map(({ item }) => item.start))).toEqual(new Set(starts));
  });

  test.each([
    ['no longer ends a device', 'vfio_put_device(&foo->vdev);', ';'],
    ['calls another function', 'return foo->stage;', 'return foo_end(foo);'],
    ['calls a function no more', 'foo_end(foo);', ';'],
    ['hands its parameter on', 'foo->stage = 1;', 'other(foo);'],
    ['calls what nobody sees', 'return foo->stage;', 'return other(foo);'],
    ['has a loop and is no answer', 'return foo->stage;', 'while (foo->stage)\n\t\t;\n\treturn 1;'],
    ['asks no other', 'if (foo_ready(foo))', 'foo_ready(foo);\n\tif (1)'],
  ])('is another one where a function %s', (_, from, to) => {
    const [before, after] = surveys(edited(from, to));
    expect(after!.survey).not.toBe(before!.survey);
  });

  test('is another one where a function that is followed calls another name', () => {
    const [before, after] = surveys(edited('foo_end(foo);', 'foo_end(foo);\n\tbar();'));
    expect(after!.survey).not.toBe(before!.survey);
    expect(before!.called.has('bar')).toBe(false);
    expect(after!.called.has('bar')).toBe(true);
  });

  const DETACHES = DRIVER.replace('foo_end(foo);\n}\n', 'foo_end(foo);\n\tbar_detach(foo);\n}\n'),
    noting = (text: string, does: string) => text.replace('foo->stage = 1;', does);

  test.each([
    ['takes by its name what is given back', DETACHES, 'bar_attach(foo);', true],
    ['takes by its name what nobody gives back', DRIVER, 'bar_attach(foo);', false],
    ['gives back', DRIVER, 'kfree(foo->bar);', true],
    ['gives back through a pointer', DRIVER, 'foo->bar->put(foo);', true],
    ['counts', DRIVER, 'foo->stage++;', true],
    ['counts by a number', DRIVER, 'foo->stage += 2;', true],
    ['counts for itself', DRIVER, 'int i = 0;\n\n\ti++;', false],
    ['calls what it gives a macro', `#define DO(f, x) f(x)\n${DRIVER}`, 'DO(kfree, foo);', true],
    ['calls what a macro pastes', `#define DO(f, x) k##f(x)\n${DRIVER}`, 'DO(free, foo);', true],
    [
      'calls through what it gives a macro',
      `#define DO(x, f) x->f(x)\n${DRIVER}`,
      'DO(foo, put);',
      true,
    ],
    ['counts by a macro', `#define DO(x) (x)++\n${DRIVER}`, 'DO(foo->stage);', true],
    [
      'uses a macro that nobody can read',
      `#define DO(x) if (x) {\n${DRIVER}`,
      'DO(foo)\n\t}',
      true,
    ],
    [
      'uses a macro that only reads',
      `#define DO(x) (x)->stage\n${DRIVER}`,
      'foo->stage = DO(foo);',
      false,
    ],
  ])('says of a function that %s whether it is followed', (_, text, does, expected) => {
    const modules = versions([text, noting(text, does), text]);
    const note = modules[1]!.sources[0]!.functions.find(({ name }) => name === 'foo_note')!;
    const [, now] = surveys(modules);
    expect(now!.touching.has(note)).toBe(expected);
  });

  /** All that a survey says, with names in the place of functions. */
  function printed(survey: Survey, { sources, headers }: Module) {
    const functions = [...sources, ...headers].flatMap((file) => file.functions);
    const { relevance, owning, opens, exported, touching, uncalled, begins } = survey;
    const name = ({ item }: { readonly item: FunctionIr }) => `${item.name} ${item.start}`;
    return {
      functions: functions.map((fn) => [
        fn.name,
        fn.start,
        relevance.affects(fn),
        relevance.yieldsDevice(fn),
        relevance.testsPointer(fn),
        relevance.answers(fn),
        [...relevance.escaping(fn)],
        [owning, opens, exported, touching, uncalled, begins].map((some) => some.has(fn)),
      ]),
      called: [...survey.called].sort(),
      pairs: survey.pairs.map((pair) => pair.map(name)),
      groups: survey.groups.map(({ members, isRecursive }) => [members.map(name), isRecursive]),
      nodes: survey.nodes.map(({ name: of }) => of),
    };
  }

  const LIBRARY = `${DRIVER}
#define foo_last(foo) foo_end(foo)
#ifdef CONFIG_FOO
static int foo_take(struct foo_box *box)
{
	return foo_last(&box->foo);
}
#else
static int foo_take(struct foo_box *box)
{
	return 0;
}
#endif
struct foo_box { struct foo foo; struct foo_box *next; };
int foo_enable(struct foo_box *box)
{
	foo_note(&box->foo);
	return foo_take(box);
}
EXPORT_SYMBOL(foo_enable);
void foo_disable(struct foo_box *box)
{
	foo_take(box->next);
}
EXPORT_SYMBOL(foo_disable);
struct foo_bag { int count; };
static struct foo_bag *foo_find(struct device *dev)
{
	return dev_get_drvdata(dev);
}
`;

  test.each([
    ['a member', 'int stage;', 'long stage;'],
    ['a member that holds a device', 'struct foo foo;', 'struct other foo;'],
    ['a member that leads to one', 'struct foo_box *next;', 'struct foo_box next;'],
    ['whether a struct holds one', 'int count;', 'struct foo count;'],
    ['the tag of a struct', 'struct foo {', 'struct fooo {'],
    ['the tag of a holder', 'struct foo_box {', 'struct foo_bag {'],
    ['a parameter', 'foo_ready(struct foo *foo)', 'foo_ready(struct foo *bar)'],
    ['the type of a parameter', 'foo_note(struct foo *foo)', 'foo_note(struct other *foo)'],
    ['the order of parameters', 'foo_note(struct foo *foo)', 'foo_note(int a, struct foo *foo)'],
    ['the type of a function', 'static int foo_ready(', 'static void foo_ready('],
    ['the name of a function', 'int foo_ready(', 'int foo_steady('],
    ['who sees a function', 'static int foo_end(', 'int foo_end('],
    ['a macro', 'foo_last(foo) foo_end(foo)', 'foo_last(foo) foo_ready(foo)'],
    ['the name of a macro', 'define foo_last(', 'define foo_lest('],
    ['a table', '.remove = foo_remove', '.remove = foo_end'],
    ['the name of a table', 'foo_driver driver', 'foo_driver drivers'],
    ['what is exported', 'EXPORT_SYMBOL(foo_disable)', 'EXPORT_SYMBOL(foo_note)'],
    ['how it is exported', 'EXPORT_SYMBOL(foo_disable)', 'MODULE_ALIAS(foo_disable)'],
    ['a condition', '#ifdef CONFIG_FOO', '#ifdef CONFIG_BAR'],
    ['a condition of the release', '#ifdef CONFIG_FOO', '#if LINUX_VERSION_CODE < 0'],
    ['a variable', 'foo_count = 1', 'foo_count = 2'],
    ['a word that means nothing', 'static int foo_count', 'statc int foo_count'],
    ['the end of a function', 'return foo->stage;\n}', 'return foo->stage;\n'],
    ['the place of a macro', '#define LIMIT 4\n', ''],
    ['a call', 'foo_note(&box->foo);', 'foo_not(&box->foo);'],
  ])('is what a new one is where an edit changes %s', (_, from, to) => {
    expect(LIBRARY).toContain(from);
    const other = LIBRARY.replace(from, to),
      both = other.replace('return 0;', 'foo->stage++;\n\treturn 0;');
    const modules = versions([LIBRARY, other, both, LIBRARY, both]);
    const print = (all: readonly Survey[]) => all.map((one, i) => printed(one, modules[i]!));
    expect(print(surveys(modules))).toEqual(print(surveys(modules, true)));
  });

  const FOLLOWING = `static void foo_follow(struct foo *foo)
{
	foo_end(foo);
}
`;
  const ARMS = `#ifdef HAVE_FOO
static void foo_attach(struct foo *foo)
{
	vfio_put_device(&foo->vdev);
	vfio_uninit_group_dev(NULL);
}
static void foo_drop(struct foo *foo)
{
	foo_note(foo);
}
#else
static void foo_drop(struct foo *foo)
{
	foo_end(foo);
}
#endif
${FOLLOWING.replace('foo_end', 'foo_drop')}`;
  const ENDING = '#define foo_last(foo) foo_end(foo)\n',
    NOTING = '#define foo_last(foo) foo_note(foo)\n',
    USING = FOLLOWING.replace('foo_end', 'foo_last');

  // The functions and macros are the same ones with the same names, and mean other things.
  test.each<[what: string, before: readonly string[], after: readonly string[]]>([
    [
      'whether another source sees a function',
      [DRIVER.replace('static int foo_end(', 'int foo_end('), FOLLOWING],
      [DRIVER, FOLLOWING],
    ],
    [
      'which arm the kernel takes',
      [DRIVER + ARMS],
      [DRIVER + ARMS.replace('\tvfio_uninit_group_dev(NULL);\n', '')],
    ],
    [
      'which macros stand in front of a function',
      [DRIVER + ENDING + USING + NOTING],
      [DRIVER + ENDING + NOTING + USING],
    ],
  ])('is another one where an edit changes %s', (_, before, after) => {
    const modules = versionsOf([before, after, before]);
    const print = (all: readonly Survey[]) => all.map((one, i) => printed(one, modules[i]!));
    const [first, second, third] = print(surveys(modules));
    expect([first, second, third]).toEqual(print(surveys(modules, true)));
    const affects = (one: typeof first) =>
      one!.functions.map(([name, , does]) => [name, does] as const);
    expect(affects(second)).not.toEqual(affects(first));
  });

  test('is not made anew for the members of a struct', () => {
    const [before, after] = surveys(edited('int stage;', 'long stage;'));
    expect(after!.survey).not.toBe(before!.survey);
    expect(after!.called).toBe(before!.called);
  });
});
