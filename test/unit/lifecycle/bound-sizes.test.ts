/**
 * The bounds of an exploration, each from both sides: what a driver needs is told apart, and what
 * nobody writes ends.
 */
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../server/src/rules/types.ts';
import { analyseText, factsOf } from '../../support/analyse.ts';
import { FOO, probe } from './support.ts';

const DRIVER = 'static struct foo_driver d = { .probe = probe, .remove = remove };\n';

const many = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n') + '\n';

/** A driver by its helpers, the body of its probe, and what its remove frees. */
function driver(helpers: string, body: string, frees = ''): string {
  return `${FOO}${helpers}${probe(body)}static void remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);

	vfio_unregister_group_dev(&foo->vdev);
${frees}	vfio_put_device(&foo->vdev);
}
${DRIVER}`;
}

function findings(text: string): Finding[] {
  expect(factsOf(text, '6.2').notAnalysed).toEqual([]);
  return analyseText(text, '6.2')
    .filter((one) => one.severity === 'error' || one.severity === 'warning')
    .filter((one) => one.rule !== 'ops-table-incomplete');
}
const found = (text: string): string[] => findings(text).map((one) => one.rule);
const messages = (text: string): string[] => findings(text).map((one) => one.message);

const REGISTER = '\tdev_set_drvdata(dev, foo);\n\tret = vfio_register_group_dev(&foo->vdev);\n';
const PUT = '\tvfio_put_device(&foo->vdev);\n';

/** Buffers, one in each arm; all but the last are freed where the registration fails. */
function arms(count: number): string {
  const chain = many(
    count,
    (i) => `\t${i === 0 ? 'if' : 'else if'} (dev->m${i})\n\t\tfoo->b${i} = kzalloc(8, GFP_KERNEL);`,
  );
  const freed = many(count - 1, (i) => `\t\tkfree(foo->b${i});`);
  return `${chain}${REGISTER}\tif (ret) {\n${freed}\t${PUT}\t\treturn ret;\n\t}\n\treturn 0;\n`;
}
const freesOf = (count: number): string => many(count, (i) => `\tkfree(foo->b${i});`);

/** Flags that decide together: one is asked where the put is, the other where the function ends. */
function flags(count: number): string {
  const set = many(
    count,
    (i) => `\tif (dev->m${i}) {\n\t\terr${i} = -EIO;\n\t\tundo${i} = 1;\n\t}`,
  );
  const declared = many(count, (i) => `\tint err${i} = 0, undo${i} = 0;`);
  const undone = `\tif (${Array.from({ length: count }, (_, i) => `undo${i}`).join(' || ')})\n\t${PUT}`;
  const ended = many(count, (i) => `\tif (err${i})\n\t\treturn err${i};`);
  return `${declared}${set}${undone}${ended}${REGISTER}\tif (ret)\n\t${PUT}\treturn ret;\n`;
}

/** Gives back what a driver may have taken of its device of the bus. */
const DISABLES =
  '\tpci_disable_device(foo->pdev);\n\tpci_release_regions(foo->pdev);\n\tpci_disable_sriov(foo->pdev);\n';
const ALL_MISSED =
  'pci_enable_device(), pci_request_regions() and pci_enable_sriov() are not undone on this error path';

/** A probe that calls a helper, and undoes nothing of it where the registration fails. */
const calling = (call: string): string =>
  `\tret = ${call};\n\tif (ret) {\n\t${PUT}\t\treturn ret;\n\t}\n${REGISTER}\tif (ret)\n\t${PUT}\treturn ret;\n`;

describe('states that are told apart', () => {
  test('by what they hold: one of three things is taken, and all three are missed', () => {
    const arms = `\tret = 0;
	switch (dev->n) {
	case 0:
		ret = pci_enable_device(foo->pdev);
		break;
	case 1:
		ret = pci_request_regions(foo->pdev, "foo");
		break;
	case 2:
		ret = pci_enable_sriov(foo->pdev, 1);
		break;
	}
	if (ret) {
	${PUT}		return ret;
	}
`;
    const body = `${arms}${REGISTER}\tif (ret)\n\t${PUT}\treturn ret;\n`;
    expect(messages(driver('', body, DISABLES))).toEqual([ALL_MISSED]);
  });

  test('by what they hold: the last of six buffers is missed', () => {
    expect(found(driver('', arms(6), freesOf(6)))).toEqual(['leak-on-error-path']);
  });

  test('by what they hold: twelve buffers of which each may be there end nothing', () => {
    const taken = many(12, (i) => `\tif (dev->m${i})\n\t\tfoo->b${i} = kzalloc(8, GFP_KERNEL);`);
    const body = `\tfoo->buf = kzalloc(8, GFP_KERNEL);\n\tif (!foo->buf) {\n\t${PUT}\t\treturn -ENOMEM;\n\t}\n${taken}${REGISTER}\tif (ret) {\n${many(12, (i) => `\t\tkfree(foo->b${i});`)}\t${PUT}\t\treturn ret;\n\t}\n\treturn 0;\n`;
    expect(found(driver('', body, `${freesOf(12)}\tkfree(foo->buf);\n`))).toEqual([
      'leak-on-error-path',
    ]);
  });

  test('in a large function: three pairs of flags are', () => {
    const rest = many(300, (i) => `\tif (a${i})\n\t\tx(${i});`);
    expect(found(driver('', rest + flags(3)))).toEqual([]);
  });

  test('by four pairs of flags: a correct driver is one', () => {
    expect(found(driver('', flags(4)))).toEqual([]);
  });

  test('by twelve pairs of flags: the work has an end', () => {
    const facts = factsOf(driver('', flags(12)), '6.2');
    expect(facts.notAnalysed).toEqual([]);
    expect(facts.work.most).toBeLessThan(1_000_000);
  });
});

describe('a helper', () => {
  test('of eighty ways: it ends', () => {
    const cases = many(79, (i) => `\tcase ${i + 1}:\n\t\treturn -${i + 1};`);
    const helper = `static int step(struct foo *f, int code)\n{\n\tswitch (code) {\n${cases}\t}\n\tvfio_put_device(&f->vdev);\n\treturn 0;\n}\n`;
    const facts = factsOf(driver(helper, '\treturn step(foo, 3);\n'), '6.2');
    expect(facts.notAnalysed).toEqual([]);
  });

  test('that fails in two ways, with something and without: both are followed', () => {
    const setup = `static int setup(struct foo *f, int n)
{
	f->b0 = kzalloc(8, GFP_KERNEL);
	if (!f->b0)
		return -ENOMEM;
	if (n == 1)
		return -EIO;
	if (n == 2) {
		kfree(f->b0);
		return -EINVAL;
	}
	return 0;
}
`;
    const body = `\tret = setup(foo, dev->n);\n\tif (ret) {\n\t${PUT}\t\treturn ret;\n\t}\n${REGISTER}\tif (ret) {\n\t\tkfree(foo->b0);\n\t${PUT}\t}\n\treturn ret;\n`;
    expect(found(driver(setup, body, freesOf(1)))).toEqual(['leak-on-error-path']);
  });
});

describe('a helper that', () => {
  test('succeeds with something and without: what it may have taken is owed', () => {
    const setup = `static int setup(struct foo *f, int n)
{
	if (!n)
		return 0;
	f->b0 = kzalloc(8, GFP_KERNEL);
	if (!f->b0)
		return -ENOMEM;
	return 0;
}
`;
    const body = `\tret = setup(foo, dev->n);\n\tif (ret) {\n\t${PUT}\t\treturn ret;\n\t}\n${REGISTER}\tif (ret)\n\t${PUT}\treturn ret;\n`;
    expect(found(driver(setup, body, freesOf(1)))).toEqual(['leak-on-error-path']);
  });

  test('succeeds with one of three things and without: each is owed', () => {
    const setup = `static int setup(struct foo *f, int n)
{
	switch (n) {
	case 0:
		return 0;
	case 1:
		return pci_enable_device(f->pdev);
	case 2:
		return pci_request_regions(f->pdev, "foo");
	default:
		return pci_enable_sriov(f->pdev, 1);
	}
}
`;
    const text = driver(setup, calling('setup(foo, dev->n)'), DISABLES);
    expect(messages(text)).toEqual([ALL_MISSED]);
  });

  test('calls one that calls one, none of which sees the device: what it takes is owed', () => {
    const chain = many(9, (i) => {
      const taken = i === 0 ? 'pci_enable_device(pdev)' : `h${i - 1}(pdev)`;
      return `static int h${i}(struct pci_dev *pdev)\n{\n\treturn ${taken};\n}`;
    });
    const text = driver(chain, calling('h8(foo->pdev)'), '\tpci_disable_device(foo->pdev);\n');
    expect(found(text)).toEqual(['leak-on-error-path']);
  });

  test('answers with ten statements is followed', () => {
    const notes = many(8, (i) => `\tif (n == ${i})\n\t\tpr_info("${i}");`);
    const failed = `static bool failed(int code, int n)\n{\n${notes}\treturn code < 0;\n}\n`;
    const body = `${REGISTER}\tif (failed(ret, 1)) {\n\t${PUT}\t\treturn ret;\n\t}\n\treturn 0;\n`;
    expect(found(driver(failed, body))).toEqual([]);
  });
});

describe('what a path holds', () => {
  /** So many buffers, of which the last is not freed where the registration fails. */
  function buffers(count: number): string {
    const taken = many(
      count,
      (i) => `\tfoo->b${i} = kzalloc(8, GFP_KERNEL);\n\tif (!foo->b${i})\n\t\tgoto e${i};`,
    );
    const labels = many(count, (i) => {
      const at = count - 1 - i;
      return `e${at}:${at > 0 ? `\n\tkfree(foo->b${at - 1});` : ''}`;
    });
    return `\tret = -ENOMEM;\n${taken}${REGISTER}\tif (ret)\n\t\tgoto e${count - 1};\n\treturn 0;\n${labels}${PUT}\treturn ret;\n`;
  }

  test('the sixteenth of sixteen things is missed', () => {
    expect(found(driver('', buffers(16), freesOf(16)))).toEqual(['leak-on-error-path']);
  });

  test('of thirty things the last is not looked at, and nothing wrong is said', () => {
    expect(found(driver('', buffers(30), freesOf(30)))).toEqual([]);
  });
});

describe('objects', () => {
  test('six members away are told apart', () => {
    const path = 'dev->a->b->c->d->e->f';
    const body = `\tif (${path}) {\n\t${PUT}\t\treturn -EIO;\n\t}\n${REGISTER}\tif (ret)\n\t${PUT}\tif (${path})\n\t${PUT}\treturn ret;\n`;
    expect(found(driver('', body))).toEqual([]);
  });

  test('a hundred members away are one, and a walk ends', () => {
    const body = `\tstruct foo *p = dev->first;\n\n\twhile (p)\n\t\tp = ${'p->next->'.repeat(1)}next;\n${REGISTER}\tif (ret)\n\t${PUT}\treturn ret;\n`;
    expect(found(driver('', body))).toEqual([]);
    const far = `\tif (dev${'->next'.repeat(100)})\n\t\tx();\n${REGISTER}\tif (ret)\n\t${PUT}\treturn ret;\n`;
    expect(found(driver('', far))).toEqual([]);
  });

  test('a sum of four is one value wherever it stands', () => {
    const sum = 'dev->a + dev->b * 2 - dev->c';
    const body = `\tif (${sum} > 4) {\n\t${PUT}\t\treturn -EIO;\n\t}\n\tif (${sum} > 4)\n\t${PUT}${REGISTER}\tif (ret)\n\t${PUT}\treturn ret;\n`;
    expect(found(driver('', body))).toEqual([]);
  });
});

describe('macros', () => {
  const nested = (depth: number): string =>
    `#define M0(r) ((r) != 0)\n${many(depth, (i) => `#define M${i + 1}(r) M${i}(r)`)}`;
  const body = (depth: number): string =>
    `${REGISTER}\tif (M${depth}(ret)) {\n\t${PUT}\t\treturn ret;\n\t}\n\treturn 0;\n`;

  test('thirty deep are written out', () => {
    expect(found(driver(nested(30), body(30)))).toEqual([]);
  });

  const leaving = '#define M0(r) do { if (r) return r; } while (0)\n';

  test('thirty deep leave the function', () => {
    const macros = leaving + many(30, (i) => `#define M${i + 1}(r) do { M${i}(r); } while (0)`);
    expect(
      found(driver(macros, `${REGISTER}\tM30(ret);\n\tif (ret)\n\t${PUT}\treturn ret;\n`)),
    ).toEqual(['missing-put']);
  });

  test('of a hundred uses the last is written out', () => {
    const uses = many(99, (i) => `\tfoo->b${i} = MAX_OF(${i}, 4);`);
    const macros = `${leaving}#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))\n`;
    expect(found(driver(macros, `${uses}${REGISTER}\tM0(ret);\n\treturn 0;\n`))).toEqual([
      'missing-put',
    ]);
  });

  test('a thousand deep end', () => {
    expect(factsOf(driver(nested(1_000), body(1_000)), '6.2').notAnalysed).toEqual([]);
  });
});

describe('recursion', () => {
  test('that settles in two rounds is followed', () => {
    const helper = `static void drop(struct foo *f, int n)\n{\n\tif (n > 0) {\n\t\tdrop(f, n - 1);\n\t\treturn;\n\t}\n\tvfio_put_device(&f->vdev);\n}\n`;
    expect(found(driver(helper, '\tdrop(foo, 3);\n\treturn -EIO;\n'))).toEqual([]);
    expect(found(driver(helper, `\tdrop(foo, 3);\n${PUT}\treturn -EIO;\n`))).toEqual([
      'double-put',
    ]);
  });
});

describe('a function without a reachable end', () => {
  const lost = (body: string) => {
    const helper = `static int spin(struct foo *foo)\n{\n${body}}\n`;
    const text = driver(helper, '\tvfio_put_device(&foo->vdev);\n\treturn spin(foo);\n');
    return factsOf(text, '6.2').notAnalysed.map((one) => one.function);
  };
  const PUTS = '\tvfio_put_device(&foo->vdev);\n';

  test('that can end is said not to be analysed', () => {
    const loop = '\tint code = 1;\n\n\twhile (code == 1)\n\t\tcode = 1;\n\treturn code;\n';
    expect(lost(PUTS + loop)).toEqual(['spin']);
  });

  test('that never ends, or crashes on purpose, is nothing odd', () => {
    expect(lost(PUTS + '\tfor (;;)\n\t\tx();\n')).toEqual([]);
    expect(lost(PUTS + '\tpanic("no");\n\treturn 0;\n')).toEqual([]);
    expect(lost(PUTS + '\tBUG();\n\treturn 0;\n')).toEqual([]);
  });
});
