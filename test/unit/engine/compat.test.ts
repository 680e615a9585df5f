import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Engine } from '../../../server/src/engine/analyse.ts';
import { convertCompat } from '../../../server/src/engine/compat/convert.ts';
import { unitsOf } from '../../../server/src/engine/compat/units.ts';
import type { Conversion, ModuleInput } from '../../../server/src/engine/types.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { applyEdits } from '../../../server/src/text/edits.ts';
import { OLD } from '../../support/drivers.ts';
import { loadParser } from '../../support/parser.ts';
import { engineWith, single } from './support.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await engineWith(rules);
});
afterAll(() => engine.dispose());

const DRIVER = OLD.replace('#include "bar.h"', 'struct bar {\n\tstruct vfio_device vdev;\n};');

/** The text with arms, or why there is none. */
function converted(text: string, guard?: string): string {
  return textOf(text, convertCompat(engine, single(text), undefined, { guard }));
}

function textOf(text: string, result: Conversion): string {
  if (result.status === 'refused') return result.reason;
  return result.status === 'converted' ? applyEdits(text, result.edits[0]!.edits) : text;
}

/** The lines of #if with what they are around. */
function armsIn(text: string): string {
  const kept: string[] = [];
  let depth = 0;
  for (const line of text.split('\n')) {
    if (/^#if/.test(line)) depth++;
    if (depth > 0) kept.push(line.trim());
    if (/^#endif/.test(line)) depth--;
  }
  return kept.filter((line) => line !== '').join('\n');
}

const SINCE_61 = 'LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)';
const escaped = (text: string): string => text.replace(/[()]/g, '\\$&');

describe('one source for old and new kernels', () => {
  it('has whole statements in arms', () => {
    const arms = armsIn(converted(DRIVER));
    expect(arms).toContain(
      [
        `#if ${SINCE_61}`,
        'bar = vfio_alloc_device(bar, vdev, &mdev->dev, &bar_ops);',
        'if (IS_ERR(bar))',
        'return PTR_ERR(bar);',
        '#else',
        'bar = kzalloc(sizeof(*bar), GFP_KERNEL);',
        'if (!bar)',
        'return -ENOMEM;',
        'vfio_init_group_dev(&bar->vdev, &mdev->dev, &bar_ops);',
        '#endif',
        `#if ${SINCE_61}`,
        'vfio_put_device(&bar->vdev);',
        '#else',
        'vfio_uninit_group_dev(&bar->vdev);',
        'kfree(bar);',
        '#endif',
      ].join('\n'),
    );
    expect(arms.match(/^vfio_put_device/gm)).toHaveLength(2);
  });

  it('has .release for 6.1 alone, and the members of later kernels for these', () => {
    const arms = armsIn(converted(DRIVER));
    const [, release] = new RegExp(
      `^#if ${escaped(SINCE_61)} && LINUX_VERSION_CODE < KERNEL_VERSION\\(6, 2, 0\\)\n\\.release = (\\w+),\n#endif$`,
      'm',
    ).exec(arms)!;
    expect(arms).toContain(`static void ${release}(struct vfio_device *vdev)`);
    expect(arms).toContain(
      [
        '#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)',
        '.bind_iommufd = vfio_iommufd_emulated_bind,',
        '.unbind_iommufd = vfio_iommufd_emulated_unbind,',
        '.attach_ioas = vfio_iommufd_emulated_attach_ioas,',
        '#endif',
        '#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)',
        '.detach_ioas = vfio_iommufd_emulated_detach_ioas,',
        '#endif',
      ].join('\n'),
    );
  });

  it('tests the macro of the tree, and the version for what later kernels changed', () => {
    const arms = armsIn(converted(DRIVER, 'HAVE_VFIO_ALLOC_DEVICE'));
    expect(arms).not.toContain(SINCE_61);
    expect(arms).toContain('#ifdef HAVE_VFIO_ALLOC_DEVICE\nvfio_put_device(&bar->vdev);\n#else\n');
    expect(arms).toContain(
      '#if defined(HAVE_VFIO_ALLOC_DEVICE) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)\n.release',
    );
  });

  it('includes the header of LINUX_VERSION_CODE once, in the order of the others', () => {
    const includes = (text: string): string[] => text.match(/^#include.*$/gm) ?? [];
    expect(includes(converted(DRIVER))).toEqual([
      '#include <linux/version.h>',
      '#include <linux/vfio.h>',
    ]);
    const there = DRIVER.replace(
      '#include <linux/vfio.h>',
      '#include <linux/vfio.h>\n#include <linux/version.h>',
    );
    expect(includes(converted(there))).toHaveLength(2);
  });

  it.each(['', '#include <linux/version.h>\n'])(
    'includes that header before an arm around another one (%j after it)',
    (after) => {
      const text = converted(
        DRIVER.replace(
          '#include <linux/vfio.h>',
          `#include <linux/module.h>\n#include <linux/slab.h>\n#include <linux/vfio.h>\n${after}`,
        ),
      );
      expect(text).toContain(
        '#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)\n#include <linux/slab.h>',
      );
      expect(text.indexOf('#include <linux/version.h>')).toBeGreaterThan(-1);
      expect(text.indexOf('#include <linux/version.h>')).toBeLessThan(text.indexOf('#if'));
    },
  );

  it.each([undefined, 'HAVE_VFIO_ALLOC_DEVICE'])(
    'is not changed by a second conversion (guard %s)',
    (guard) => {
      const once = converted(DRIVER, guard);
      expect(once).toContain('#if');
      expect(convertCompat(engine, single(once), undefined, { guard })).toEqual({
        status: 'unchanged',
      });
    },
  );

  describe('over a header', () => {
    const header = { path: '/w/vfio-compat.h', name: 'vfio-compat.h' };
    const over = (text: string, guard?: string): Conversion =>
      convertCompat(engine, single(text), undefined, { guard, header });

    it('has one form of its functions, and arms for tables alone', () => {
      const result = over(DRIVER);
      const text = textOf(DRIVER, result);
      expect(text).toContain('#include "vfio-compat.h"\n');
      expect(text).not.toContain('#else');
      expect(text).not.toContain('vfio_init_group_dev');
      expect(armsIn(text)).not.toContain('vfio_put_device');
      expect(result).toMatchObject({ created: { path: header.path } });
      expect(text.length).toBeLessThan(converted(DRIVER).length);
    });

    it('tests the macro of the tree in the header too', () => {
      const result = over(DRIVER, 'HAVE_VFIO_ALLOC_DEVICE');
      expect(result.status === 'converted' && result.created!.text).toContain(
        '\n#ifndef HAVE_VFIO_ALLOC_DEVICE\n',
      );
    });

    it('is not used where a struct has to change, which the header cannot', () => {
      const text = DRIVER.replace(
        'struct vfio_device vdev;',
        'int users;\n\tstruct vfio_device vdev;',
      );
      const result = over(text);
      expect(armsIn(textOf(text, result))).toContain('#else');
      expect(result).not.toHaveProperty('created');
      expect(result).toMatchObject({
        notes: expect.arrayContaining([
          expect.objectContaining({ text: expect.stringMatching(/^vfio-compat\.h is not used: /) }),
        ]),
      });
    });

    it('is not changed by a second conversion', () => {
      const result = over(DRIVER);
      const once = single(textOf(DRIVER, result));
      const headers = result.status === 'converted' ? [result.created!] : [];
      expect(convertCompat(engine, { ...once, headers }, undefined, { header })).toEqual({
        status: 'unchanged',
      });
    });
  });

  it('says why a driver cannot be converted', () => {
    const text = DRIVER.replace('struct vfio_device vdev', 'int first;\n\tstruct vfio_device vdev')
      .replace('struct bar {', 'static int *user;\nstruct bar {')
      .replace('return 0;\n\nerr', 'user = &bar->first;\n\treturn sizeof(struct bar) > 8;\n\nerr');
    const result = convertCompat(engine, single(text), undefined);
    const minimal = textOf(text, result);
    if (result.status === 'refused') expect(minimal.length).toBeGreaterThan(20);
    else expect(armsIn(minimal)).toContain('#endif');
  });

  it('changes nothing where there is nothing to convert', () => {
    const input: ModuleInput = single('#include <linux/vfio.h>\nint vfio;\n');
    expect(convertCompat(engine, input, undefined)).toEqual({ status: 'unchanged' });
  });
});

describe('the units of a text', () => {
  const TEXT = `struct s {
	int a;
	int b;
};

static const struct t x = {
	.a = 1,
	.b = f(1,
	       2),
};

int f(int x)
{
	int ret;

	ret = g(x,
		1);
	if (ret) {
		a();
		goto out;
	} else {
		b();
	}
	switch (x) {
	case 1:
		c();
		break;
	}
#ifdef A
	d();
#else
	e();
#endif
out:
	return ret;
}
`;
  const lineOf = (part: string): number => TEXT.slice(0, TEXT.indexOf(part)).split('\n').length - 1;

  test.each<[string, string, string, number]>([
    ['a member', 'int b;', 'int b;', 1],
    ['an entry of two lines', '2),', '.b =', 2],
    ['a call of two lines', '1);\n\tif', 'ret = g', 2],
    ['a statement of a block', 'goto out', 'goto out', 1],
    ['a head with its whole statement', 'if (ret) {', 'if (ret) {', 6],
    ['a statement after a case', 'c();', 'c();', 1],
    ['a statement in an arm', 'e();', 'e();', 1],
    ['a label', 'out:', 'out:', 1],
    ['a statement after a label', 'return ret', 'return ret', 1],
    ['an arm that is cut, with its chain', '#else', '#ifdef A', 5],
  ])('%s', async (_name, part, from, count) => {
    const tree = (await loadParser()).parse(TEXT);
    try {
      const start = lineOf(part);
      expect(unitsOf(tree).whole({ start, end: start + 1 })).toEqual({
        start: lineOf(from),
        end: lineOf(from) + count,
      });
    } finally {
      tree.dispose();
    }
  });
});
