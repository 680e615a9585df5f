/**
 * A macro that the configuration decides, and one that cannot be read: what holds in each
 * configuration is found, and nothing is certain that such a macro may have changed.
 */
import { describe, expect, test } from 'vitest';
import { analyseText } from '../../../support/analyse.ts';
import { DRIVER, FOO, probe } from '../support.ts';

const REMOVE =
  'static void remove(struct device *dev)\n{\n\tstruct foo *foo = dev_get_drvdata(dev);\n\n\tvfio_unregister_group_dev(&foo->vdev);\n\tvfio_put_device(&foo->vdev);\n}\n';

/** What is said of a probe function that goes on with `body`, hints too. */
function found(macros: string, body: string, kernel = '6.2'): string[] {
  const text = `${FOO}${macros}\n${probe(`\tdev_set_drvdata(dev, foo);\n${body}`)}${REMOVE}${DRIVER}`;
  return analyseText(text, kernel)
    .filter((one) => one.rule !== 'ops-table-incomplete')
    .map((one) => `${one.severity} ${one.rule}`);
}

const REGISTER = '\tret = vfio_register_group_dev(&foo->vdev);\n';
const PUT = '\t\tvfio_put_device(&foo->vdev);\n';
const LEAVE = `\tif (ret) {\n${PUT}\t\treturn ret;\n\t}\n\treturn 0;\n`;
const TWO = (first: string, second: string): string =>
  `#ifdef CONFIG_FOO_TRACE\n#define ${first}\n#else\n#define ${second}\n#endif`;

/** Macros, the body that uses them, and what is said of it. */
const ARMS: readonly (readonly [string, string, string, readonly string[]])[] = [
  [
    'both arms test alike',
    TWO('FAILED(r) (trace(r), (r) != 0)', 'FAILED(r) ((r) < 0)'),
    `${REGISTER}\tif (FAILED(ret)) {\n${PUT}\t\treturn ret;\n\t}\n\treturn 0;\n`,
    [],
  ],
  [
    'the second arm is the other way round',
    TWO('FAILED(r) ((r) != 0)', 'FAILED(r) ((r) == 0)'),
    `${REGISTER}\tif (FAILED(ret)) {\n${PUT}\t\treturn ret;\n\t}\n\treturn 0;\n`,
    ['error put-while-registered', 'error missing-put'],
  ],
  [
    'one arm registers and the other does not',
    TWO('START(f) vfio_register_group_dev(&(f)->vdev)', 'START(f) (-ENODEV)'),
    `\tret = START(foo);\n${LEAVE}`,
    [],
  ],
  [
    'one arm forgets the put',
    TWO(
      'STOP(f) do { vfio_put_device(&(f)->vdev); return -EIO; } while (0)',
      'STOP(f) do { return -EIO; } while (0)',
    ),
    `${REGISTER}\tif (ret)\n\t\tSTOP(foo);\n\treturn 0;\n`,
    ['error missing-put'],
  ],
  [
    'one arm jumps and the other does nothing',
    TWO('CHECK(r, label) do { if (r) goto label; } while (0)', 'CHECK(r, label)'),
    `${REGISTER}\tCHECK(ret, err);\n${LEAVE.replace('\treturn 0;\n', '\treturn 0;\nerr:\n\tvfio_put_device(&foo->vdev);\n\treturn ret;\n')}`,
    [],
  ],
  [
    'a name for one function or the other',
    `static int other(struct vfio_device *vdev)\n{\n\treturn vfio_register_group_dev(vdev);\n}\n${TWO('START vfio_register_group_dev', 'START other')}`,
    `\tret = START(&foo->vdev);\n${LEAVE}`,
    [],
  ],
  [
    'a function in one arm',
    '#ifdef CONFIG_FOO_TRACE\nstatic int start(struct foo *f)\n{\n\treturn vfio_register_group_dev(&f->vdev);\n}\n#else\n#define start(f) vfio_register_group_dev(&(f)->vdev)\n#endif',
    `\tret = start(foo);\n${LEAVE}`,
    [],
  ],
  [
    'a function in one arm that forgets the put, and a macro in the other that does not',
    '#ifdef CONFIG_FOO_TRACE\nstatic void stop(struct foo *f)\n{\n\tpr_err("%p\\n", f->buf);\n}\n#else\n#define stop(f) vfio_put_device(&(f)->vdev)\n#endif',
    `${REGISTER}\tif (ret) {\n\t\tstop(foo);\n\t\treturn ret;\n\t}\n\treturn 0;\n`,
    ['error missing-put'],
  ],
  [
    'the kernel decides',
    '#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)\n#define FAILED(r) ((r) != 0)\n#else\n#define FAILED(r) ((r) == 0)\n#endif',
    `${REGISTER}\tif (FAILED(ret)) {\n${PUT}\t\treturn ret;\n\t}\n\treturn 0;\n`,
    [],
  ],
  [
    'defined again',
    '#define FAILED(r) ((r) == 0)\n#undef FAILED\n#define FAILED(r) ((r) != 0)',
    `${REGISTER}\tif (FAILED(ret)) {\n${PUT}\t\treturn ret;\n\t}\n\treturn 0;\n`,
    [],
  ],
  [
    'both arms log, with a name for the rest of the arguments',
    TWO(
      'say(fmt, args...) pr_info("foo: " fmt, ##args)',
      'say(fmt, args...) do { if (0) pr_info(fmt, ##args); } while (0)',
    ),
    `\tsay("probe %p\\n", foo);\n${REGISTER}${LEAVE}`,
    [],
  ],
];

describe('a macro with several definitions', () => {
  test.each(ARMS)('%s', (_, macros, body, expected) => {
    expect(found(macros, body)).toEqual(expected);
  });
});

/** A macro that the parser cannot read, a body that is wrong for it, and the same without it. */
const UNREAD = '{ { } ';
const BARRIERS: readonly (readonly [string, string, string])[] = [
  [
    'sets a local variable',
    `#define PROBE_MORE() ${UNREAD} ret = 0`,
    `${REGISTER}\tPROBE_MORE();\n\treturn ret;\n`,
  ],
  [
    'jumps to a label that it is given',
    `#define PROBE_MORE(where) ${UNREAD} where`,
    `${REGISTER}\tPROBE_MORE(out);\n\treturn ret;\nout:\n\tvfio_put_device(&foo->vdev);\n\treturn ret;\n`,
  ],
  [
    'returns',
    `#define PROBE_MORE() ${UNREAD} vfio_put_device(&foo->vdev); return ret;`,
    `${REGISTER}\tPROBE_MORE();\n\treturn ret;\n`,
  ],
  [
    'puts what it is given',
    `#define PROBE_MORE(f) ${UNREAD} vfio_put_device(&(f)->vdev)`,
    `${REGISTER}\tif (ret)\n\t\tPROBE_MORE(foo);\n\treturn ret;\n`,
  ],
  [
    'names a local variable through another macro',
    `#define ret_of_probe ret\n#define PROBE_MORE() ${UNREAD} ret_of_probe = 0`,
    `${REGISTER}\tPROBE_MORE();\n\treturn ret;\n`,
  ],
  [
    'sets a local variable where its value is used',
    `#define PROBE_MORE() ${UNREAD} (ret = 0)`,
    `${REGISTER}\tif (PROBE_MORE())\n\t\treturn ret;\n\treturn ret;\n`,
  ],
];

describe('a macro that cannot be read', () => {
  test.each(BARRIERS)('%s: nothing after it is certain', (_, macros, body) => {
    const said = found(macros, body);
    expect(said.filter((one) => !one.startsWith('hint'))).toEqual([]);
  });

  test('what its jump leads to is looked at', () => {
    const body = `${REGISTER}\tif (ret) {\n${PUT}\t\treturn ret;\n\t}\n\tPROBE_MORE(out);\n\treturn 0;\nout:\n\treturn -EIO;\n`;
    expect(found(`#define PROBE_MORE(where) ${UNREAD} where`, body)).toEqual(['hint missing-put']);
    expect(found('', body.replace('\tPROBE_MORE(out);\n', ''))).toEqual([]);
  });

  test('one that has nothing of the function changes nothing', () => {
    const body = `\tPROBE_MORE();\n${REGISTER}\treturn ret;\n`;
    expect(found(`#define PROBE_MORE() ${UNREAD} other()`, body)).toEqual(['error missing-put']);
  });
});
