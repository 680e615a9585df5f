import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../../server/src/engine/analyse.ts';
import { withEdits } from '../../../server/src/engine/prove.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { rowsOf } from '../../../server/src/engine/settings/wrappers.ts';
import { workDone } from '../../../server/src/budget/work.ts';
import type { ModuleInput } from '../../../server/src/engine/types.ts';
import { cleanDrivers, shapes } from '../../support/modules.ts';
import { readAnnotations } from '../../support/analyse.ts';
import { loadParser } from '../../support/parser.ts';
import { CORE_WRAPPERS, OVER_CORE } from '../../support/vendor-core.ts';
import { convertText, fixtureNames, headersOf, readFixture } from '../convert/support.ts';
import { kernel } from './support.ts';

const parser = await loadParser();

/** The documents of a module by name. */
type Files = Readonly<Record<string, string>>;

const DRIVERS: readonly Files[] = [
  { 'acme.c': OVER_CORE },
  ...[...cleanDrivers(), ...shapes()].map((one) => one.files),
];
const KERNELS = ['6.0', '6.1', '6.6'].map(kernel);
const WRAPPERS = [undefined, rowsOf(CORE_WRAPPERS).rows, rowsOf(CORE_WRAPPERS.slice(0, 1)).rows];

/**
 * A change of the kind that a key or a command makes. `at` and `to` choose places; all numbers are
 * taken modulo what there is.
 */
interface Change {
  readonly kind: keyof typeof CHANGES;
  readonly file: number;
  readonly at: number;
  readonly to: number;
}

type Of = (text: string, at: number, to: number) => string;
const matches = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    text: match[0],
  }));
const pick = <T>(list: readonly T[], at: number): T | undefined =>
  list[at % Math.max(1, list.length)];
const replaced = (text: string, { start, end }: { start: number; end: number }, by: string) =>
  text.slice(0, start) + by + text.slice(end);
const editing =
  (pattern: RegExp, edit: (found: string, to: number) => string): Of =>
  (text, at, to) => {
    const match = pick(matches(text, pattern), at);
    return match ? replaced(text, match, edit(match.text, to)) : text;
  };

const LINE = /^\t.*;\n/gm,
  DEFINITION = /^(?:static |int |struct |void )[^;{}]*\{\n(?:[^}].*\n|\n)*\}\n/gm;
const STATEMENTS = [
  '\tret = 0;\n',
  '\treturn 0;\n',
  '\treturn -EINVAL;\n',
  '\tkfree(p);\n',
  '\tvfio_put_device(vdev);\n',
  '\tif (ret)\n\t\tgoto err;\n',
  '#ifdef CONFIG_X\n',
  '#endif\n',
  '\tunseen(p);\n',
];

const CHANGES = {
  letter: editing(/\b[a-z_]\w{2,}\b/g, (word) => `${word}x`),
  lessLetter: editing(/\b[a-z_]\w{3,}\b/g, (word) => word.slice(0, -1)),
  blankLines: (text, at) => {
    const match = pick(matches(text, /^\n/gm), at);
    return match ? replaced(text, match, '\n\n/* a note */\n\n') : `\n${text}`;
  },
  statement: editing(LINE, (line, to) => pick(STATEMENTS, to)! + line),
  lessLine: editing(LINE, () => ''),
  lineTwice: editing(LINE, (line) => line + line),
  macro: editing(/^#define .*\n/gm, (line, to) =>
    pick([line.replace(/\w(?=\W*\n)/, '$&1'), `${line}/* moved */\n`, ''], to)!,
  ),
  member: editing(/^\t\.\w+ *= *&?\w+,\n/gm, (line, to) =>
    pick(['', line.replace(/\w+(?=,)/, 'NULL'), line + line], to)!,
  ),
  field: editing(/^\t(?:struct|int|bool|u32)\b.*;\n/gm, (line, to) =>
    pick([`\tint more;\n${line}`, ''], to)!,
  ),
  linkage: editing(/^static (?=\w)/gm, () => ''),
  anotherConfig: editing(/\bCONFIG_\w+/g, (word) => `${word}_2`),
  // A definition moves, is doubled, or goes.
  definition(text, at, to) {
    const all = matches(text, DEFINITION),
      one = pick(all, at);
    if (!one) return text;
    const rest = to % 5 === 0 ? text : replaced(text, one, ''),
      places = matches(rest, DEFINITION),
      place = pick(places, to)?.start ?? rest.length;
    return to % 7 === 0 ? rest : replaced(rest, { start: place, end: place }, one.text);
  },
} satisfies Record<string, Of>;

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...(Object.keys(CHANGES) as Change['kind'][])),
  file: fc.nat(),
  at: fc.nat(),
  to: fc.nat(),
});
const step = fc.record({
  changes: fc.array(change, { minLength: 1, maxLength: 2 }),
  rename: fc.option(fc.nat(), { freq: 5, nil: null }),
  undo: fc.option(fc.nat(), { freq: 2, nil: null }),
  close: fc.option(fc.nat(), { freq: 2, nil: null }),
  asked: fc.nat(),
  target: fc.oneof(
    { weight: 4, arbitrary: fc.constant(2) },
    { weight: 1, arbitrary: fc.nat({ max: 2 }) },
  ),
  wrappers: fc.oneof(
    { weight: 4, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.nat({ max: 2 }) },
  ),
});

function applied(
  files: Files,
  { changes, rename }: { changes: readonly Change[]; rename: number | null },
): Files {
  const result = { ...files };
  for (const { kind, file, at, to } of changes) {
    const name = pick(Object.keys(files), file)!;
    result[name] = CHANGES[kind](result[name]!, at, to);
  }
  if (rename === null) return result;
  const word = pick(matches(Object.values(result).join('\n'), /\b[a-z]+_[a-z_]+\b/g), rename)?.text;
  if (word !== undefined)
    for (const name of Object.keys(result))
      result[name] = result[name]!.replaceAll(new RegExp(`\\b${word}\\b`, 'g'), `${word}_too`);
  return result;
}

function inputOf(files: Files, wrappers: ModuleInput['wrappers']): ModuleInput {
  const documents = Object.entries(files).map(([name, text]) => ({ path: `/w/${name}`, text }));
  const sources = documents.filter(({ path }) => path.endsWith('.c'));
  return {
    file: sources[0]!.path,
    sources,
    headers: documents.filter(({ path }) => !path.endsWith('.c')),
    wrappers,
  };
}

/**
 * All that an analysis brings, as data: functions by name and place, devices and resources by the
 * order in which they come.
 */
function everything(engine: Engine, input: ModuleInput, target: (typeof KERNELS)[number]): unknown {
  const { findings, notAnalysed } = engine.analyse(input, {}, target),
    facts = engine.facts(input, target);
  const numbers = new Map<string, number>();
  const plain = (key: string, value: unknown): unknown => {
    if (key === 'id')
      return (
        numbers.get(value as string) ??
        (numbers.set(value as string, numbers.size), numbers.size - 1)
      );
    return typeof value === 'object' && value !== null && 'body' in value && 'nameSpan' in value
      ? `${(value as { name?: string }).name} ${JSON.stringify(value.nameSpan)}`
      : value;
  };
  const shown = findings.map(({ rule, severity, message, site, related, fix }) => ({
    rule,
    severity,
    message,
    site,
    related,
    fix,
  }));
  return JSON.parse(
    JSON.stringify(
      {
        shown,
        notAnalysed,
        observations: facts?.observations,
        resources: facts?.resources,
        given: facts?.notAnalysed,
      },
      plain,
    ),
  );
}

function withoutPlaces(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, item: unknown) =>
      key === 'start' || key === 'end' || key === 'function' ? undefined : item,
    ),
  );
}

/** Edits that leave a function as it is and change what its paths do. */
const HEAD =
  '#include <linux/vfio.h>\n\nstruct foo {\n\tstruct vfio_device vdev;\n\tvoid *buf;\n};\n';
const TABLES =
  'static const struct vfio_device_ops foo_ops = { .name = "foo", .release = foo_release };\nstatic struct foo_driver foo_driver = { .probe = foo_probe, .remove = foo_remove };\n';
const RELEASE = 'static void foo_release(struct vfio_device *vdev)\n{\n}\n';
const PUT = '\tvfio_put_device(&foo->vdev);\n',
  UNREGISTER = '\tvfio_unregister_group_dev(&foo->vdev);\n';
const probe = (body: string) =>
  `static int foo_probe(struct device *dev)\n{\n\tstruct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);\n\tint ret;\n\n\tif (IS_ERR(foo))\n\t\treturn PTR_ERR(foo);\n\tdev_set_drvdata(dev, foo);\n${body}\treturn 0;\n}\n`;
const remove = (body: string) =>
  `static void foo_remove(struct device *dev)\n{\n\tstruct foo *foo = dev_get_drvdata(dev);\n\n${body}}\n`;
const helper = (name: string, body: string) =>
  `static void ${name}(struct foo *foo)\n{\n${body}}\n`;
const driver = (before: string, inProbe: string, inRemove = UNREGISTER + PUT) =>
  HEAD + before + probe(inProbe) + remove(inRemove) + RELEASE + TABLES;

const CORE_INSIDE = driver('', `\tstruct foo_core *core = foo;\n\tvfio_put_device(&core->vdev);\n`)
  .replace('\tstruct vfio_device vdev;\n', '\tstruct foo_core core;\n')
  .replace('struct foo {', 'struct foo_core {\n\tstruct vfio_device vdev;\n};\n\nstruct foo {')
  .replace('(foo, vdev,', '(foo, core.vdev,')
  .replaceAll('&foo->vdev', '&foo->core.vdev');
/** So many that not all ways through them are told apart. */
const OPTIONS = Array.from(
  { length: 12 },
  (_, i) => `#ifdef CONFIG_FOO_${i}\n\tfoo->buf = foo_option(${i});\n#endif\n`,
).join('');

const DEFER = `#define FOO_DEFER(d, f, p) devm_add_action_or_reset(d, f, p)\nstatic void foo_act(void *data)\n{\n\tstruct foo *foo = data;\n\n${PUT}}\n`;
const taking = (what: string) =>
  `static int foo_low(struct device *dev)\n{\n\treturn ${what};\n}\n\nstatic int foo_up(struct device *dev)\n{\n\treturn foo_low(dev);\n}\n`;
const TAKE = '\tret = foo_up(dev);\n\tif (ret)\n\t\treturn ret;\n',
  UNDO = `\tpci_disable_device(dev);\n\tpci_release_regions(dev);\n${UNREGISTER}${PUT}`;
const REGISTER = `\tfoo->buf = kzalloc(8, GFP_KERNEL);\n\tret = vfio_register_group_dev(&foo->vdev);\n\tif (ret) {\n${PUT}\t\treturn ret;\n\t}\n`;
/** In 6.1 the core's release frees the memory. */
const CORE_RELEASE = driver('', '').replace(
  RELEASE,
  'static void foo_release(struct vfio_device *vdev)\n{\n\tvfio_pci_core_release_dev(vdev);\n}\n',
);

const ELSEWHERE: readonly (readonly [what: string, before: string, after: string])[] = [
  [
    'the definition of a called function',
    driver('', '\tfoo_drop(foo);\n'),
    driver(helper('foo_drop', PUT), '\tfoo_drop(foo);\n'),
  ],
  [
    'the callee of a called function',
    driver(
      helper('foo_low', UNREGISTER) + helper('foo_drop', '\tfoo_low(foo);\n'),
      '\tfoo_drop(foo);\n',
    ),
    driver(helper('foo_low', PUT) + helper('foo_drop', '\tfoo_low(foo);\n'), '\tfoo_drop(foo);\n'),
  ],
  [
    'the definition of a macro',
    driver('', '\tFOO_DROP(foo);\n'),
    driver('#define FOO_DROP(p) vfio_put_device(&(p)->vdev)\n', '\tFOO_DROP(foo);\n'),
  ],
  [
    'the body of a macro',
    driver('#define FOO_DROP(p) vfio_put_device(&(p)->vdev)\n', '\tFOO_DROP(foo);\n'),
    driver('#define FOO_DROP(p) vfio_unregister_group_dev(&(p)->vdev)\n', '\tFOO_DROP(foo);\n'),
  ],
  [
    'which function is handed to a macro',
    driver(DEFER, '\tFOO_DEFER(dev, foo_other, foo);\n'),
    driver(DEFER, '\tFOO_DEFER(dev, foo_act, foo);\n'),
  ],
  [
    'a variable into a macro',
    driver('', '\tvfio_put_device(&the_foo->vdev);\n'),
    driver('#define the_foo foo\n', '\tvfio_put_device(&the_foo->vdev);\n'),
  ],
  [
    'a variable in a macro into a macro',
    driver('#define FOO_DROP() vfio_put_device(&the_foo->vdev)\n', '\tFOO_DROP();\n'),
    driver(
      '#define FOO_DROP() vfio_put_device(&the_foo->vdev)\n#define the_foo foo\n',
      '\tFOO_DROP();\n',
    ),
  ],
  [
    'a name with a meaning of its own into a macro',
    driver('', '\tif (IS_ERR_OR_NULL(foo))\n\t\treturn -ENOMEM;\n'),
    driver(
      '#define IS_ERR_OR_NULL foo_test\n',
      '\tif (IS_ERR_OR_NULL(foo))\n\t\treturn -ENOMEM;\n',
    ),
  ],
  [
    'the value of a constant',
    driver('#define FOO_ON 0\n', `\tif (FOO_ON)\n\t${PUT}`),
    driver('#define FOO_ON 1\n', `\tif (FOO_ON)\n\t${PUT}`),
  ],
  [
    'the type of a variable',
    driver('static struct foo *the_foo;\n', '\tif (!the_foo)\n\t\treturn -EBUSY;\n'),
    driver('static struct foo the_foo[2];\n', '\tif (!the_foo)\n\t\treturn -EBUSY;\n'),
  ],
  [
    'a version that a macro stands for',
    driver(
      '#define FOO_NEW (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0))\n',
      `#if FOO_NEW\n${PUT}#endif\n`,
    ),
    driver(
      '#define FOO_NEW (LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0))\n',
      `#if FOO_NEW\n${PUT}#endif\n`,
    ),
  ],
  [
    'the calls that undo',
    driver(
      '',
      '\tfoo_start_queue(foo->buf);\n\tret = vfio_register_group_dev(&foo->vdev);\n\tif (ret)\n\t\treturn ret;\n',
      `\tfoo_stop_queue(foo->buf);\n${UNREGISTER}${PUT}`,
    ),
    driver(
      '',
      '\tfoo_start_queue(foo->buf);\n\tret = vfio_register_group_dev(&foo->vdev);\n\tif (ret)\n\t\treturn ret;\n',
    ),
  ],
  [
    'a taking further down',
    driver(taking('pci_enable_device(dev)'), TAKE, UNDO),
    driver(taking('pci_request_regions(dev, "foo")'), TAKE, UNDO),
  ],
  [
    'the body of .release',
    driver('', '\tfoo->buf = kzalloc(8, GFP_KERNEL);\n'),
    driver('', '\tfoo->buf = kzalloc(8, GFP_KERNEL);\n').replace(
      RELEASE,
      'static void foo_release(struct vfio_device *vdev)\n{\n\tstruct foo *foo = container_of(vdev, struct foo, vdev);\n\n\tkfree(foo->buf);\n}\n',
    ),
  ],
  [
    'the other tables',
    driver('', REGISTER, `${UNREGISTER}\tkfree(foo->buf);\n${PUT}`),
    driver(
      'static const struct vfio_device_ops other_ops = { .name = "other", .release = unseen_release };\n',
      REGISTER,
      `${UNREGISTER}\tkfree(foo->buf);\n${PUT}`,
    ),
  ],
  [
    'a member of the table',
    driver('', `\tfoo->buf = kzalloc(8, GFP_KERNEL);\n${PUT}`),
    driver('', `\tfoo->buf = kzalloc(8, GFP_KERNEL);\n${PUT}`).replace(
      ', .release = foo_release',
      ', .release = unseen_release',
    ),
  ],
  [
    'the members of a struct',
    CORE_INSIDE,
    CORE_INSIDE.replace('struct foo_core core;', 'struct foo_core *core;'),
  ],
  [
    'how often a test of the configuration stands in the file',
    driver('', OPTIONS),
    driver('#ifdef CONFIG_FOO_3\nstatic int foo_three;\n#endif\n', OPTIONS),
  ],
  [
    'the callers',
    driver(
      helper(
        'foo_begin',
        '\tfoo->buf = kzalloc(8, GFP_KERNEL);\n\tvfio_register_group_dev(&foo->vdev);\n',
      ),
      '\tif (!foo->buf)\n\t\tfoo_start(foo);\n',
      `\tkfree(foo->buf);\n${UNREGISTER}${PUT}`,
    ),
    driver(
      helper(
        'foo_begin',
        '\tfoo->buf = kzalloc(8, GFP_KERNEL);\n\tvfio_register_group_dev(&foo->vdev);\n',
      ),
      '\tif (!foo->buf)\n\t\tfoo_begin(foo);\n',
      `\tkfree(foo->buf);\n${UNREGISTER}${PUT}`,
    ),
  ],
  [
    'the ends of probe',
    driver('', ''),
    driver('', '\tret = vfio_register_group_dev(&foo->vdev);\n\tif (ret)\n\t\treturn ret;\n'),
  ],
];

/** Drivers with a macro that is another one behind its use, which an edit above moves. */
const BEFORE_AND_BEHIND: readonly (readonly [what: string, text: string])[] = [
  [
    'a function that has moved',
    driver(DEFER, '')
      .replace('\treturn 0;\n}\n', '\treturn FOO_DEFER(dev, foo_act, foo);\n}\n')
      .replace(
        'static void foo_remove',
        '#undef FOO_DEFER\n#define FOO_DEFER(d, f, p) foo_trace(d, f, p)\nstatic void foo_remove',
      ),
  ],
  [
    'a macro that has moved',
    `${driver(
      '#define FOO_PUT(p) vfio_put_device(&(p)->vdev)\n#define FOO_END(p) do { FOO_PUT(p); } while (0)\n',
      '\tret = vfio_register_group_dev(&foo->vdev);\n\tif (ret) {\n\t\tFOO_END(foo);\n\t\treturn ret;\n\t}\n',
      `${UNREGISTER}\tFOO_END(foo);\n`,
    )}#undef FOO_PUT\n#define FOO_PUT(p) foo_trace(p)\n`,
  ],
];

describe('what is kept of the last version of a module', () => {
  it.each(BEFORE_AND_BEHIND)('has what a macro stood for in front of %s', async (_, text) => {
    const parser = await loadParser();
    const engines = [createEngine(parser), createEngine(parser)] as const;
    const [edited, fresh] = engines;
    const given = (engine: Engine, of: string) =>
      everything(engine, inputOf({ 'a.c': of }, undefined), KERNELS[2]!);
    given(edited, `/* ${'x'.repeat(2000)} */\n${text}`);
    expect(given(edited, text)).toEqual(given(fresh, text));
    for (const engine of engines) engine.dispose();
  });

  it.each(ELSEWHERE)('is not kept over a change of %s', async (_, before, after) => {
    const parser = await loadParser(),
      target = KERNELS[2]!;
    const edited = createEngine(parser),
      fresh = createEngine(parser);
    const given = (engine: Engine, text: string) =>
      everything(engine, inputOf({ 'a.c': text }, undefined), target);
    const first = given(edited, before),
      second = given(edited, after),
      third = given(edited, before);
    // More than offsets: else the edit would show nothing.
    expect(withoutPlaces(second)).not.toEqual(withoutPlaces(first));
    expect(second).toEqual(given(fresh, after));
    expect(third).toEqual(first);
    fresh.dispose();
    edited.dispose();
  });

  it('is not that a module does not use the interface', async () => {
    const engine = createEngine(await loadParser()),
      input = (text: string) => inputOf({ 'a.c': text }, undefined);
    expect(engine.facts(input('/* vfio */\n'), KERNELS[2]!)).toBeUndefined();
    expect(engine.facts(input(driver('', '')), KERNELS[2]!)).toBeDefined();
    expect(engine.facts(input('/* vfio */\n'), KERNELS[2]!)).toBeUndefined();
    engine.dispose();
  });

  it('is not what another kernel does, or other wrappers', async () => {
    const parser = await loadParser(),
      edited = createEngine(parser),
      fresh = createEngine(parser);
    const input = (text: string, wrappers: number) => inputOf({ 'a.c': text }, WRAPPERS[wrappers]);
    const asked = [
      [OVER_CORE, 0, 2],
      [OVER_CORE, 1, 2],
      [OVER_CORE, 2, 2],
      [CORE_RELEASE, 0, 2],
      [CORE_RELEASE, 0, 1],
      [CORE_RELEASE, 0, 2],
    ] as const;
    const results = asked.map(([text, wrappers, target]) => {
      fresh.forget('/w/a.c');
      const sibling = edited.sibling(),
        inSibling = everything(sibling, input(text, wrappers), KERNELS[target]!);
      sibling.dispose();
      const given = everything(edited, input(text, wrappers), KERNELS[target]!);
      expect(given).toEqual(everything(fresh, input(text, wrappers), KERNELS[target]!));
      expect(inSibling).toEqual(given);
      return JSON.stringify(given);
    });
    expect(new Set(results).size).toBe(5);
    fresh.dispose();
    edited.dispose();
  });

  /** The work of a driver and of it again with another helper, which the driver calls. */
  async function costs(helpers: readonly string[]): Promise<number[]> {
    const engine = createEngine(await loadParser());
    const options = Array.from(
      { length: 30 },
      (_, i) => `\tif (foo_option(dev, ${i}))\n\t\tfoo->options |= ${i};\n`,
    ).join('');
    const spent = helpers.map((helper) => {
      const before = workDone();
      engine.analyse(inputOf({ 'a.c': driver(helper, options) }, undefined), {}, KERNELS[2]!);
      return workDone() - before;
    });
    engine.dispose();
    return spent;
  }

  it('costs nothing again where a function that a driver calls does for it what it did', async () => {
    const option = (word: string) =>
      `static int foo_option(struct device *dev, int i)\n{\n\tpr_info("${word}");\n\treturn i;\n}\n`;
    const [first, second] = await costs([option('one'), option('other')]);
    expect(second).toBeLessThan(first! / 3);
  });

  it('costs nothing again where a function has changed that no device comes to', async () => {
    const other = (word: string) => `static void foo_hello(void)\n{\n\tpr_info("${word}");\n}\n`;
    const [first, second] = await costs([other('one'), other('other')]);
    expect(second).toBeLessThan(first! / 3);
  });

  it('costs nothing again where it does to devices what it did', async () => {
    const option = (word: string) =>
      `static int foo_option(struct device *dev, int i)\n{\n\tstruct foo *foo = dev_get_drvdata(dev);\n\n` +
      `\tpr_info("${word}");\n\tvfio_unregister_group_dev(&foo->vdev);\n\treturn i;\n}\n`;
    const [first, second, third] = await costs([option('one'), option('ones'), option('twos')]);
    expect(second).toBeLessThan(first! / 3);
    expect(third).toBeLessThan(first! / 3);
  });

  it('makes no difference where an analysis was left undone', async () => {
    const parser = await loadParser();
    const text = driver('', `\tpr_info("one");\n${PUT}`),
      changed = text.replace('one', 'another'),
      input = inputOf({ 'a.c': `\n${text}` }, undefined),
      target = KERNELS[2]!;
    const fresh = createEngine(parser),
      wanted = everything(fresh, input, target);
    fresh.dispose();
    for (let steps = 1; steps < 16; steps++) {
      const edited = createEngine(parser);
      edited.analyse(inputOf({ 'a.c': text }, undefined), {}, target);
      const left = edited.analyseInSteps(inputOf({ 'a.c': changed }, undefined), {}, target);
      for (let i = 0; i < steps; i++) left.next();
      expect(everything(edited, input, target)).toEqual(wanted);
      edited.dispose();
    }
  });

  it('makes no difference to what is found in the next', async () => {
    const parser = await loadParser();
    fc.assert(
      fc.property(
        fc.constantFrom(...DRIVERS),
        fc.array(step, { minLength: 1, maxLength: 6 }),
        (driver, steps) => {
          const edited = createEngine(parser);
          let files = driver;
          const before = [files];
          edited.analyse(inputOf(files, WRAPPERS[1]), {}, KERNELS[2]!);
          for (const one of steps) {
            files = one.undo === null ? applied(files, one) : pick(before, one.undo)!;
            before.push(files);
            const module = inputOf(files, WRAPPERS[one.wrappers]),
              input = { ...module, file: pick(module.sources, one.asked)!.path },
              target = KERNELS[one.target]!;
            const documents = [...input.sources, ...input.headers];
            const sibling = edited.sibling();
            sibling.analyse(input, {}, target);
            for (const { path } of documents) sibling.settle(path);
            const inSibling = everything(sibling, input, target);
            sibling.dispose();
            edited.analyse(input, {}, target);
            if (one.close !== null) edited.close(pick(documents, one.close)!.path);
            for (const { path } of documents) edited.settle(path);
            const fresh = createEngine(parser);
            const wanted = everything(fresh, input, target);
            expect(inSibling).toEqual(wanted);
            expect(everything(edited, input, target)).toEqual(wanted);
            fresh.dispose();
          }
          edited.dispose();
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** Texts of one file, of which the second is an edit of the first. */
interface Edited {
  readonly title: string;
  readonly before: ModuleInput;
  readonly after: ModuleInput;
  readonly target: (typeof KERNELS)[number];
}

function conversions(): Edited[] {
  return fixtureNames()
    .filter((name) => !name.startsWith('refused-'))
    .map((name) => {
      const text = readFixture(name),
        headers = headersOf(text);
      const { text: converted } = convertText(name, text, [6, 1], headers);
      const before = inputOf({ ...headers, [name]: text }, undefined),
        after = inputOf({ ...headers, [name]: converted }, undefined);
      return { title: name, before, after, target: KERNELS[1]! };
    });
}

function fixes(): Edited[] {
  return rules.flatMap((rule) =>
    rule.examples.bad.flatMap((example): Edited[] => {
      const before = inputOf({ 'a.c': readAnnotations(example.code).code }, undefined),
        target = kernel(example.kernel ?? '6.1');
      const engine = createEngine(parser);
      const { findings } = engine.analyse(before, {}, target);
      engine.dispose();
      return findings.flatMap(({ fix }): Edited[] => {
        const after = fix === null ? undefined : withEdits(before, fix.edits);
        return after ? [{ title: `${rule.id}: ${example.title}`, before, after, target }] : [];
      });
    }),
  );
}

describe('what an engine begins with that has what another one keeps', () => {
  it.each([...conversions(), ...fixes()])(
    'makes no difference to $title',
    ({ before, after, target }) => {
      const engine = createEngine(parser),
        fresh = createEngine(parser);
      const first = everything(engine, before, target),
        facts = engine.facts(before, target);
      const spent = (of: Engine): number => of.facts(after, target)?.work.spent ?? 0;
      const sibling = engine.sibling();
      expect(everything(sibling, after, target)).toEqual(everything(fresh, after, target));
      // What was not done again counts as if it were.
      expect(spent(sibling)).toBe(spent(fresh));
      expect(everything(sibling, before, target)).toEqual(first);
      // The other one has noticed nothing.
      expect(engine.facts(before, target)).toBe(facts);
      expect(everything(engine, after, target)).toEqual(everything(fresh, after, target));
      expect(everything(engine, before, target)).toEqual(first);
      for (const one of [sibling, engine, fresh]) one.dispose();
    },
  );

  it.each(ELSEWHERE)('is not what holds before a change of %s', (_, before, after) => {
    const engine = createEngine(parser),
      fresh = createEngine(parser),
      target = KERNELS[2]!;
    const given = (of: Engine, text: string) =>
      everything(of, inputOf({ 'a.c': text }, undefined), target);
    const first = given(engine, before);
    const sibling = engine.sibling();
    expect(given(sibling, after)).toEqual(given(fresh, after));
    expect(given(engine, before)).toEqual(first);
    expect(given(sibling, before)).toEqual(first);
    for (const one of [sibling, engine, fresh]) one.dispose();
  });

  it('stays as it was then, whatever becomes of the other', () => {
    const engine = createEngine(parser),
      target = KERNELS[2]!;
    const input = (text: string) => inputOf({ 'a.c': text }, undefined);
    const texts = ['', PUT, UNREGISTER + PUT].map((body) =>
      driver(helper('foo_drop', body), '\tfoo_drop(foo);\n'),
    );
    engine.analyse(input(texts[0]!), {}, target);
    const sibling = engine.sibling();
    sibling.analyse(input(texts[1]!), {}, target);
    engine.analyse(input(texts[2]!), {}, target);
    for (const text of [...texts, ...texts].reverse()) {
      const fresh = createEngine(parser),
        wanted = everything(fresh, input(text), target);
      expect(everything(sibling, input(text), target)).toEqual(wanted);
      expect(everything(engine, input(text), target)).toEqual(wanted);
      fresh.dispose();
    }
    sibling.dispose();
    engine.dispose();
  });

  it('is not what was left undone', () => {
    const text = driver('', `\tpr_info("one");\n${PUT}`),
      target = KERNELS[2]!,
      input = (of: string) => inputOf({ 'a.c': of }, undefined);
    const fresh = createEngine(parser),
      wanted = everything(fresh, input(`\n${text}`), target);
    fresh.dispose();
    for (let steps = 1; steps < 16; steps++) {
      const engine = createEngine(parser);
      engine.analyse(input(text), {}, target);
      const left = engine.analyseInSteps(input(text.replace('one', 'another')), {}, target);
      for (let i = 0; i < steps; i++) left.next();
      const sibling = engine.sibling();
      expect(everything(sibling, input(`\n${text}`), target)).toEqual(wanted);
      sibling.dispose();
      engine.dispose();
    }
  });

  it('costs only what is different', () => {
    const options = Array.from(
      { length: 30 },
      (_, i) => `\tif (foo_option(dev, ${i}))\n\t\tfoo->options |= ${i};\n`,
    ).join('');
    const text = (word: string) =>
      inputOf(
        { 'a.c': driver(helper('foo_hello', `\tpr_info("${word}");\n`), options) },
        undefined,
      );
    const cost = (engine: Engine, word: string): number => {
      const before = workDone();
      engine.analyse(text(word), {}, KERNELS[2]!);
      return workDone() - before;
    };
    const engine = createEngine(parser),
      first = cost(engine, 'one');
    const sibling = engine.sibling();
    expect(cost(sibling, 'other')).toBeLessThan(first / 3);
    sibling.dispose();
    engine.dispose();
  });
});
