/**
 * What an analysis costs, counted: with twice the input twice the work, and never more than the
 * budgets. No test here looks at a clock.
 */
import { describe, expect, test } from 'vitest';
import { createAnalysisCache, analyseModule } from '../../../server/src/lifecycle/analyse.ts';
import type { ModuleFacts } from '../../../server/src/lifecycle/types.ts';
import { loweredSources } from '../../support/analyse.ts';
import { FOO, probe } from './support.ts';

const many = (count: number, line: (i: number) => string, between = '\n'): string =>
  Array.from({ length: count }, (_, i) => line(i)).join(between);

const REGISTERS =
  'static int up(struct foo *f, int n)\n{\n\tint ret;\n\n\tif (n == 1)\n\t\treturn -EINVAL;\n\tret = vfio_register_group_dev(&f->vdev);\n\tif (ret)\n\t\treturn ret;\n' +
  '\tif (n == 2) {\n\t\tvfio_unregister_group_dev(&f->vdev);\n\t\treturn -EBUSY;\n\t}\n\treturn more(n);\n}\n';
const TAKES =
  'static int take(struct foo *f, int n)\n{\n\tif (f->up)\n\t\treturn -EBUSY;\n\tf->buf = kzalloc(n, GFP_KERNEL);\n\tif (!f->buf)\n\t\treturn -ENOMEM;\n\treturn n > 4 ? more(n) : 0;\n}\n';
const END = '\n\treturn vfio_register_group_dev(&foo->vdev);\n';

/**
 * Input of a size. Each multiplied its states once, or may: in a row of statements, in an
 * expression, over calls, over functions.
 */
const KINDS: Readonly<Record<string, (size: number) => string>> = {
  'devices in a row': (count) =>
    probe(many(count, () => '\tb[i] = vfio_alloc_device(foo, vdev, dev, &foo_ops);') + END),
  'devices in places of their own': (count) =>
    probe(many(count, (i) => `\tb[${i}] = vfio_alloc_device(foo, vdev, dev, &foo_ops);`) + END),
  'devices in members': (count) =>
    probe(many(count, (i) => `\tdev->m${i} = vfio_alloc_device(foo, vdev, dev, &foo_ops);`) + END),
  'an initialiser of helper calls': (count) =>
    REGISTERS + probe(`\tint all[] = { ${many(count, (i) => `up(foo, i + ${i})`, ', ')} };${END}`),
  'a designated initialiser of helper calls': (count) =>
    REGISTERS +
    probe(
      `\tstruct set all = { ${many(count, (i) => `.m${i} = up(foo, i + ${i})`, ', ')} };${END}`,
    ),
  'arguments that are helper calls': (count) =>
    REGISTERS + probe(`\tmore(${many(count, (i) => `up(foo, i + ${i})`, ', ')});${END}`),
  'a sum of helper calls': (count) =>
    REGISTERS + probe(`\tret = ${many(count, (i) => `up(foo, i + ${i})`, ' + ')};${END}`),
  'a condition of helper calls': (count) =>
    REGISTERS +
    probe(`\tif (${many(count, (i) => `up(foo, i + ${i})`, ' || ')})\n\t\treturn -EIO;${END}`),
  'the truth of helper calls as a value': (count) =>
    REGISTERS + probe(`\tret = ${many(count, (i) => `up(foo, i + ${i})`, ' && ')};${END}`),
  'helper calls with commas': (count) =>
    REGISTERS + probe(`\tret = (${many(count, (i) => `up(foo, i + ${i})`, ', ')});${END}`),
  'a statement expression': (count) =>
    REGISTERS +
    probe(`\tret = ({ ${many(count, (i) => `x = up(foo, i + ${i});`, ' ')} x; });${END}`),
  'helper calls in helper calls': (count) =>
    REGISTERS + probe(`\tret = ${'up(foo, '.repeat(count)}1${')'.repeat(count)};${END}`),
  'comparisons of comparisons': (count) =>
    probe(`\tret = ${'('.repeat(count)}x${many(count, (i) => ` > ${i})`, '')};${END}`),
  'choices in a row': (count) =>
    probe(many(count, (i) => `\tx = y > ${i} ? more(${i}) : foo->up == ${i} ? 3 : 4;`) + END),
  'tests in a row': (count) =>
    probe(many(count, (i) => `\tif (foo->up == ${i})\n\t\tret = more(${i});`) + END),
  'variables that are tested later': (count) =>
    probe(
      many(count, (i) => `\tint v${i} = more(${i});`) +
        many(count, (i) => `\tif (v${i})\n\t\tfoo->up++;`) +
        END,
    ),
  'helpers that may fail': (count) =>
    TAKES +
    probe(
      many(count, (i) => `\tret = take(foo, ${i});\n\tif (ret)\n\t\tgoto out;`) +
        END +
        'out:\n\tvfio_put_device(&foo->vdev);\n\treturn ret;\n',
    ),
  'options of the configuration': (count) =>
    probe(many(count, (i) => `#ifdef CONFIG_A${i}\n\tfoo->up = ${i};\n#endif`) + END),
  'loops in a row': (count) =>
    REGISTERS +
    probe(
      many(
        count,
        (i) => `\twhile (more(${i})) {\n\t\tret = up(foo, ${i});\n\t\tif (ret)\n\t\t\tbreak;\n\t}`,
      ) + END,
    ),
  'gotos over one another': (count) =>
    probe(many(count, (i) => `l${i}:\n\tif (more(${i}))\n\t\tgoto l${(i * 7) % count};`) + END),
  'actions that are left behind': (count) =>
    many(
      count,
      (i) =>
        `static void act${i}(void *data)\n{\n\tstruct foo *f = data;\n\n\tif (f->up == ${i})\n\t\tvfio_put_device(&f->vdev);\n\tkfree(f->buf);\n}\n`,
      '',
    ) +
    probe(
      many(
        count,
        (i) => `\tret = devm_add_action_or_reset(dev, act${i}, foo);\n\tif (ret)\n\t\treturn ret;`,
      ) + END,
    ),
  'macros of macros': (count) =>
    many(
      Math.min(count, 14),
      (i) =>
        `#define M${i}(x) do { ${i === 0 ? 'if (x) goto out;' : `M${i - 1}(x); M${i - 1}(x);`} } while (0)\n`,
      '',
    ) + probe(`\tM${Math.min(count, 14) - 1}(more(1));${END}out:\n\treturn -EIO;\n`),
  'a case for each number': (count) =>
    probe(
      `\tswitch (x) {\n${many(count, (i) => `\tcase ${i}:\n\t\tret = more(${i});\n\t\tbreak;`)}\n\t}${END}`,
    ),
};

/** A part of the real ones, so that what is too much is so soon. */
const SMALL = { function: 300_000, module: 1_000_000 };

const module = (text: string) => ({ sources: loweredSources(FOO + text), headers: [] });
const analyse = (text: string, cache = createAnalysisCache()): ModuleFacts =>
  analyseModule(module(text), [6, 2], cache, SMALL);

describe('what multiplies', () => {
  test.each(Object.entries(KINDS))(
    '%s: never more than the budget, and what is given up is said',
    (_, make) => {
      for (const size of [4, 40]) {
        const { work, notAnalysed } = analyse(make(size));
        // The last step may be the one that is too much: it is no larger than a state.
        expect(work.most).toBeLessThan(SMALL.function * 1.01);
        if (size === 4) expect(notAnalysed).toEqual([]);
        if (work.most >= SMALL.function)
          expect(notAnalysed.map((one) => one.reason)).toContain('too much work');
      }
    },
  );
});

/** What a driver may have many of: twice of it is twice the work. */
const LINEAR: Readonly<Record<string, (size: number) => string>> = {
  functions: (count) =>
    many(
      count,
      (i) =>
        `static int f${i}(struct foo *f)\n{\n\tint ret = vfio_register_group_dev(&f->vdev);\n\n\tif (ret)\n\t\tvfio_put_device(&f->vdev);\n\treturn ret;\n}\n`,
      '',
    ) + probe(END),
  'callers of one helper': (count) =>
    REGISTERS +
    many(count, (i) => `static int f${i}(struct foo *f)\n{\n\treturn up(f, ${i});\n}\n`, '') +
    probe(END),
  'a chain of helpers': (count) =>
    many(
      count,
      (i) =>
        i === 0
          ? 'static int f0(struct foo *f)\n{\n\treturn vfio_register_group_dev(&f->vdev);\n}\n'
          : `static int f${i}(struct foo *f)\n{\n\treturn f${i - 1}(f);\n}\n`,
      '',
    ) + probe(END),
  'plain statements': (count) => probe(many(count, (i) => `\tmore(${i});`) + END),
  'nested blocks': (count) => probe('{'.repeat(count) + 'more(1);' + '}'.repeat(count) + END),
  'a long sum': (count) => probe(`\tret = ${many(count, (i) => `x${i}`, ' + ')};${END}`),
  'a large array': (count) => probe(`\tint all[] = { ${many(count, String, ', ')} };${END}`),
};

describe('what is linear', () => {
  test.each(Object.entries(LINEAR))('%s', (_, make) => {
    const [one, two] = [analyse(make(100)).work.spent, analyse(make(200)).work.spent];
    expect(two).toBeLessThan(one * 2.2);
  });
});

describe('what is kept of a version', () => {
  test('is there for two kernels that are asked about in turn, and for no third', () => {
    const cache = createAnalysisCache();
    const one = module(probe(END));
    const kept = (minor: number) => {
      analyseModule(one, [6, minor], cache, SMALL);
      return cache.memories.get(`6.${minor}`);
    };
    const first = kept(2);
    expect(first).toBeDefined();
    kept(3);
    expect(kept(2)).toBe(first);
    kept(4);
    expect([...cache.memories.keys()]).toEqual(['6.2', '6.4']);
  });

  test('counts as if it were new', () => {
    const cache = createAnalysisCache();
    const first = analyse(REGISTERS + probe(END), cache).work;
    expect(analyse(REGISTERS + probe(END), cache).work).toEqual(first);
  });

  test('is also that a function was given up', () => {
    const cache = createAnalysisCache();
    const one = module(KINDS['devices in a row']!(40));
    const first = analyseModule(one, [6, 2], cache, SMALL);
    expect(first.notAnalysed.map((given) => `${given.function}: ${given.reason}`)).toEqual([
      'probe: too much work',
    ]);
    const store = [...cache.memories.values()][0]!.store;
    const known = [...one.sources[0]!.functions].map((fn) => store.explored.get(fn)?.length);
    const second = analyseModule(one, [6, 2], cache, SMALL);
    expect(second.notAnalysed).toEqual(first.notAnalysed);
    expect([...one.sources[0]!.functions].map((fn) => store.explored.get(fn)?.length)).toEqual(
      known,
    );
  });
});

test('a module of many such functions has a budget of its own', () => {
  const one = (i: number) => KINDS['devices in a row']!(40).replace('probe(', `probe${i}(`);
  const { work, notAnalysed } = analyse(many(8, one));
  expect(work.spent).toBeLessThan(SMALL.module + SMALL.function * 1.01);
  expect(new Set(notAnalysed.map((given) => given.reason))).toEqual(
    new Set(['too much work', 'too much work for the functions before it']),
  );
  expect(notAnalysed).toHaveLength(8);
});
