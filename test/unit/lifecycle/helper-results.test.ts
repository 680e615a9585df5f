/**
 * What a helper takes when its ends differ in how they tell that it has: by the result that it was
 * given, or by one of its own.
 */
import { describe, expect, test } from 'vitest';
import { analyseText, factsOf } from '../../support/analyse.ts';
import { FOO, probe } from './support.ts';

const DRIVER = 'static struct foo_driver d = { .probe = probe };\n';
const CALL =
  '\tdev_set_drvdata(dev, foo);\n\tret = setup(foo);\n\tif (ret)\n\t\tgoto put;\n\tret = vfio_register_group_dev(&foo->vdev);\n\tif (ret)\n\t\tgoto put;\n\treturn 0;\nput:\n\tvfio_put_device(&foo->vdev);\n\treturn ret;\n';
/** Something that gives back has to be there: what nothing gives back is of no interest. */
const USER = (back: string): string =>
  `static void other(struct foo *foo)\n{\n\tint ret = setup(foo);\n\n\tif (!ret)\n\t\t${back};\n}\n`;

/** A helper by its statements after the call, and the names of what takes and gives back. */
const helper = (taking: string, rest: string): string =>
  `static int setup(struct foo *f)\n{\n\tint ret = ${taking};\n\n${rest}}\n`;

const OWN_PUT = 'static void link_put(struct foo *f)\n{\n\tf->up = false;\n}\n';
const WAYS = [
  ['an unknown function with an undo of the module', OWN_PUT, 'link_get(f)', 'link_put(foo)'],
  [
    'another, by the member',
    'static void queue_stop(struct list_head *q)\n{\n\tq->next = NULL;\n}\n',
    'queue_start(&f->node)',
    'queue_stop(&foo->node)',
  ],
] as const;
const ENDS = [
  ['its result', '\treturn ret;\n'],
  ['its result, or 0', '\tif (f->up)\n\t\treturn ret;\n\treturn 0;\n'],
  ['0, or its result', '\tif (f->up)\n\t\treturn 0;\n\treturn ret;\n'],
  ['its result, or a code of its own', '\tif (f->up)\n\t\treturn ret;\n\treturn -EINVAL;\n'],
  ['its result, or a number', '\tif (f->up)\n\t\treturn ret;\n\treturn 5;\n'],
] as const;

describe.each(WAYS)('%s', (_, own, taking, back) => {
  test.each(ENDS)('a helper that returns %s is analysed', (__, rest) => {
    const text =
      FOO +
      own +
      helper(taking, rest) +
      USER(back) +
      probe(
        CALL.replace('goto put;\n\treturn 0', `{\n\t\t${back};\n\t\tgoto put;\n\t}\n\treturn 0`),
      ) +
      DRIVER;
    expect(factsOf(text, '6.2').notAnalysed).toEqual([]);
    expect(
      analyseText(text, '6.2')
        .filter((one) => one.rule === 'leak-on-error-path')
        .map((one) => one.severity),
    ).toEqual([]);
  });

  test.each(ENDS.slice(0, 3))('what a helper that returns %s has taken is missed', (__, rest) => {
    const text =
      FOO +
      own +
      helper(taking, rest) +
      USER(back) +
      probe(CALL) +
      `static void undo(struct foo *foo)\n{\n\t${back};\n}\nstatic void remove(struct device *dev)\n{\n\tundo(dev_get_drvdata(dev));\n}\n` +
      DRIVER.replace(' };', ', .remove = remove };');
    expect(factsOf(text, '6.2').notAnalysed).toEqual([]);
    expect(analyseText(text, '6.2').map((one) => one.rule)).toContain('leak-on-error-path');
  });
});
