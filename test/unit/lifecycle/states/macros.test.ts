/**
 * Macros of the module are a part of the code that uses them: one driver in two spellings, and the
 * states of both are the same, but for the words.
 */
import { describe, expect, test } from 'vitest';
import { DRIVER, FOO, probe, states } from '../support.ts';

/** The states of a probe function, without lines and what a person calls the device. */
function shape(macros: string, body: string): string {
  const text = states(`${FOO}${macros}\n${probe(body)}${DRIVER}`, 'probe');
  return text
    .split('\n')
    .map((line) => line.replace(/^\d+ /, '').replace(/^(\S+) [^:]*:/, '$1:'))
    .sort()
    .join('\n');
}

const PUT = 'vfio_put_device(&foo->vdev);';
const PLAIN = shape(
  '',
  `	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		goto err;
	return 0;
err:
	${PUT}
	return ret;
`,
);

/** A macro, and the body that uses it to do what the plain function does. */
const SPELLINGS: readonly (readonly [string, string, string])[] = [
  [
    'a comparison',
    '#define BROKEN(r) ((r) != 0)',
    `	ret = vfio_register_group_dev(&foo->vdev);
	if (BROKEN(ret))
		goto err;
	return 0;
err:
	${PUT}
	return ret;
`,
  ],
  [
    'a comparison with a comment, through another macro',
    '#define LESS(a, b) ((a) < (b))\n#define BROKEN(r) (LESS(r, /* no errno */ 0))',
    `	ret = vfio_register_group_dev(&foo->vdev);
	if (!BROKEN(ret))
		return 0;
	${PUT}
	return ret;
`,
  ],
  [
    'a test without arguments',
    '#define BROKEN (ret < 0)',
    `	ret = vfio_register_group_dev(&foo->vdev);
	if (BROKEN) {
		${PUT}
		return ret;
	}
	return 0;
`,
  ],
  [
    'a jump to a label that is given',
    '#define TRY(call, label) do { \\\n	ret = (call); \\\n	if (ret) /* away */ \\\n		goto label; \\\n} while (0)',
    `	TRY(vfio_register_group_dev(&foo->vdev), err);
	return 0;
err:
	${PUT}
	return ret;
`,
  ],
  [
    'a jump without arguments',
    '#define BAIL goto err',
    `	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		BAIL;
	return 0;
err:
	${PUT}
	return ret;
`,
  ],
  [
    'a return',
    '#define LEAVE(f, code) do { vfio_put_device(&(f)->vdev); return code; } while (0)',
    `	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		LEAVE(foo, ret);
	return 0;
`,
  ],
  [
    'a label and what follows it',
    '#define ERROR_PATH(f) err: vfio_put_device(&(f)->vdev); return ret',
    `	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		goto err;
	return 0;
	ERROR_PATH(foo);
`,
  ],
  [
    'an assignment to what is given',
    '#define REGISTER(result, f) (result) = vfio_register_group_dev(&(f)->vdev)',
    `	REGISTER(ret, foo);
	if (ret) {
		${PUT}
		return ret;
	}
	return 0;
`,
  ],
  [
    'a declaration',
    '#define REGISTERED(f) int code = vfio_register_group_dev(&(f)->vdev)',
    `	REGISTERED(foo);
	if (code) {
		${PUT}
		return code;
	}
	return 0;
`,
  ],
  [
    'a statement expression that tests',
    '#define traced(call) ({ int __r = (call); if (__r) pr_debug("%s: %d", #call, __r); __r; })',
    `	ret = traced(vfio_register_group_dev(&foo->vdev));
	if (ret) {
		${PUT}
		return ret;
	}
	return 0;
`,
  ],
  [
    'a statement expression with a variable of the name of one around it',
    '#define traced(call) ({ int ret = (call); if (ret) pr_debug("%d", ret); ret; })',
    `	int code;

	ret = 0;
	code = traced(vfio_register_group_dev(&foo->vdev));
	if (code) {
		${PUT}
		return code;
	}
	return ret;
`,
  ],
  [
    'a statement expression that returns',
    '#define TRY(call, f) ({ int __r = (call); if (__r < 0) { vfio_put_device(&(f)->vdev); return __r; } __r; })',
    `	ret = TRY(vfio_register_group_dev(&foo->vdev), foo);
	return ret;
`,
  ],
  [
    'a member that is given, and the rest of the arguments',
    '#define ON(f, member, call, ...) call(&(f)->member, ##__VA_ARGS__)',
    `	ret = ON(foo, vdev, vfio_register_group_dev);
	if (ret) {
		ON(foo, vdev, vfio_put_device);
		return ret;
	}
	return 0;
`,
  ],
  [
    'a pasted name',
    '#define vfio(what, f) vfio_##what(&(f)->vdev)',
    `	ret = vfio(register_group_dev, foo);
	if (ret) {
		vfio(put_device, foo);
		return ret;
	}
	return 0;
`,
  ],
  [
    'another name of a function',
    '#define foo_register vfio_register_group_dev\n#define foo_put vfio_put_device',
    `	ret = foo_register(&foo->vdev);
	if (ret) {
		foo_put(&foo->vdev);
		return ret;
	}
	return 0;
`,
  ],
];

describe('a macro of the module', () => {
  test.each(SPELLINGS)('%s', (_, macros, body) => {
    expect(shape(macros, body)).toBe(PLAIN);
  });

  test('the plain function is followed', () => {
    expect(PLAIN).toContain('register: new held live -> new held registered live');
  });

  test('two calls of one macro are two values', () => {
    const macro = '#define BOTH(a, b, f) do { a = foo_first(f); b = foo_second(f); } while (0)';
    const body = `	int first, second;

	BOTH(first, second, foo->buf);
	if (first)
		goto err;
	if (second)
		return 0;
err:
	${PUT}
	return -EIO;
`;
    expect(shape(macro, body)).toContain('leaves: new held live');
  });

  describe('a macro that only names one that is a statement', () => {
    const CHECK = '#define CHECK(r) do { if (r) return r; } while (0)';
    const JUMP = '#define BAIL do { if (ret) return ret; } while (0)';
    const body = (check: string): string =>
      `\tret = vfio_register_group_dev(&foo->vdev);\n\t${check};\n\treturn 0;\n`;
    const direct = shape(CHECK, body('CHECK(ret)'));

    test('returns as that one does', () => {
      expect(direct).toContain('leaves: new held register-failed live');
      expect(shape(`${CHECK}\n#define OTHER CHECK`, body('OTHER(ret)'))).toBe(direct);
      expect(shape(`${JUMP}\n#define OTHER BAIL`, body('OTHER'))).toBe(direct);
    });

    test('through another name, and by another name in each arm of an #if', () => {
      const chain = `${CHECK}\n#define OTHER CHECK\n#define ANOTHER OTHER`;
      expect(shape(chain, body('ANOTHER(ret)'))).toBe(direct);
      const arms = `${CHECK}\n#define SAME(r) CHECK(r)\n#ifdef CONFIG_FOO\n#define OTHER CHECK\n#else\n#define OTHER SAME\n#endif`;
      expect(shape(`${CHECK}\n#define SAME(r) CHECK(r)`, body('SAME(ret)'))).toBe(direct);
      expect(shape(arms, body('OTHER(ret)'))).not.toContain('?');
    });

    test('and a name of itself ends', () => {
      const circle = '#define OTHER ANOTHER\n#define ANOTHER OTHER';
      expect(shape(circle, body('OTHER(ret)'))).toContain('leaves');
    });
  });

  test('macros that double what they bring are given up, and said to be', () => {
    const bomb = Array.from(
      { length: 30 },
      (_, i) => `#define D${i + 1}(x) (D${i}(x) + D${i}(x))`,
    ).join('\n');
    expect(shape(`#define D0(x) ((x) + 1)\n${bomb}`, '	ret = D30(1);\n	return ret;\n')).toContain(
      'leaves',
    );
  });
});
