import { describe, expect, test } from 'vitest';
import { convertText, plan } from './support.ts';

/**
 * A driver whose probe has a gap between the allocation and the init; `before` stands above the
 * probe.
 */
function driver(parts: {
  readonly above?: string;
  readonly locals?: string;
  readonly gap?: string;
  readonly dev?: string;
  readonly ops?: string;
  readonly behind?: string;
}): string {
  const lines = (text = ''): string =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `\t${line}\n`)
      .join('');
  return `#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/vfio.h>

struct ferry_route {
	struct device *dev;
	int kind;
	const struct vfio_device_ops *ops;
};

struct ferry {
	struct vfio_device vdev;
	struct ferry_route route;
	const struct vfio_device_ops *ops;
	struct device *parent;
	struct mutex lock;
	struct list_head link;
	int seats;
};

static const struct vfio_device_ops ferry_ops = {
	.name = "ferry",
};

static const struct vfio_device_ops ferry_slow_ops = {
	.name = "ferry-slow",
};

static int ferry_kind;
static struct device *ferry_parent;

${parts.above ?? ''}
static int ferry_probe(struct platform_device *pdev)
{
	struct ferry *ferry;
${lines(parts.locals)}	int ret;

	ferry = kzalloc(sizeof(*ferry), GFP_KERNEL);
	if (!ferry)
		return -ENOMEM;
${lines(parts.gap)}	vfio_init_group_dev(&ferry->vdev, ${parts.dev ?? '&pdev->dev'}, ${parts.ops ?? '&ferry_ops'});
${lines(parts.behind)}	platform_set_drvdata(pdev, ferry);
	ret = vfio_register_group_dev(&ferry->vdev);
	if (ret) {
		vfio_uninit_group_dev(&ferry->vdev);
		kfree(ferry);
	}
	return ret;
}

static int ferry_remove(struct platform_device *pdev)
{
	struct ferry *ferry = platform_get_drvdata(pdev);

	vfio_unregister_group_dev(&ferry->vdev);
	vfio_uninit_group_dev(&ferry->vdev);
	kfree(ferry);
	return 0;
}
`;
}

type Parts = Parameters<typeof driver>[0];

const FINDS = `static void ferry_find(struct ferry_route *route, struct platform_device *pdev)
{
	route->dev = pdev->dev.parent;
	route->kind = 2;
}
`;
const FINDS_GLOBAL = `static void ferry_look(struct platform_device *pdev)
{
	ferry_kind = pdev->id;
	ferry_parent = pdev->dev.parent;
}

static void ferry_look_around(struct platform_device *pdev)
{
	ferry_look(pdev);
}
`;
const LOCK = `static DEFINE_MUTEX(ferry_lock);
static int ferries;
`;
const COUNTS = 'mutex_lock(&ferry_lock);\nferries++;\nmutex_unlock(&ferry_lock);';
const STORES = `static struct ferry *ferry_last;

static void ferry_keep(struct ferry *ferry)
{
	struct ferry *one = ferry;

	ferry_last = one;
}
`;
const NEEDS = `#define FERRY_NEED(pointer) \\
	do { \\
		if (!(pointer)) { \\
			kfree(ferry); \\
			return -ENODEV; \\
		} \\
	} while (0)
`;
const ASKS = `static int ferry_ask(struct platform_device *pdev, int *kind)
{
	*kind = pdev->id;
	return device_add(&pdev->dev);
}
`;

describe('an argument of the init that something behind the allocation sets', () => {
  test.each<[what: string, parts: Parts]>([
    [
      'a member of a local, by a helper that does more',
      {
        above: FINDS.replace('route->kind = 2;', 'route->kind = ferry_kind++;'),
        locals: 'struct ferry_route route = {};',
        gap: 'ferry_find(&route, pdev);',
        dev: 'route.dev',
      },
    ],
    [
      'the same through a pointer to the object',
      {
        above: FINDS,
        locals: 'struct ferry_route *route;',
        gap: 'route = &ferry->route;\nferry_find(route, pdev);',
        dev: 'ferry->route.dev',
      },
    ],
    [
      'a variable of the file, two calls deep',
      { above: FINDS_GLOBAL, gap: 'ferry_look_around(pdev);', dev: 'ferry_parent' },
    ],
    [
      'a variable of the file in a condition',
      {
        above: FINDS_GLOBAL,
        gap: 'ferry_look(pdev);',
        ops: 'ferry_kind ? &ferry_ops : &ferry_slow_ops',
      },
    ],
    [
      'a variable of the file by code that is not seen',
      { gap: 'ferry_elsewhere(pdev);', dev: 'ferry_parent' },
    ],
    [
      'an out parameter of a call that does more',
      {
        above: ASKS,
        locals: 'int kind = 0;',
        gap: 'ret = ferry_ask(pdev, &kind);\nif (ret) {\nkfree(ferry);\nreturn ret;\n}',
        ops: 'kind ? &ferry_ops : &ferry_slow_ops',
      },
    ],
    [
      'a call in the argument of a message',
      {
        above: FINDS.replace('static void', 'static int').replace(
          'route->kind = 2;',
          'return ferry_kind++;',
        ),
        locals: 'struct ferry_route route = {};',
        gap: 'dev_info(&pdev->dev, "%d\\n", ferry_find(&route, pdev));',
        dev: 'route.dev',
      },
    ],
    [
      'a macro that is not understood',
      {
        above: '#define PICK() do { if (ferry) kind = 3; } while (0)\n',
        locals: 'int kind = 0;',
        gap: 'PICK();',
        ops: 'kind ? &ferry_ops : &ferry_slow_ops',
      },
    ],
    [
      'a macro that sets the member again',
      {
        above: '#define FERRY_ROUTE(f, d) do { (f)->parent = (d); } while (0)\n',
        gap: 'ferry->parent = &pdev->dev;\nFERRY_ROUTE(ferry, pdev->dev.parent);',
        dev: 'ferry->parent',
      },
    ],
    [
      'a macro that sets the member from a variable of its own that has its name',
      {
        above:
          '#define FERRY_RESET(f) do { struct device *parent = NULL; (f)->parent = parent; } while (0)\n',
        locals: 'struct device *parent = &pdev->dev;',
        gap: 'ferry->parent = parent;\nFERRY_RESET(ferry);',
        dev: 'ferry->parent',
      },
    ],
    [
      'code that is not seen, after a helper has stored the object',
      {
        above: `${STORES}${LOCK}`,
        gap: `ferry->parent = &pdev->dev;\nferry_keep(ferry);\n${COUNTS}`,
        dev: 'ferry->parent',
      },
    ],
    [
      'code that is not seen, after a part of the object was put on a list',
      {
        above: `static LIST_HEAD(ferry_links);\n${LOCK}`,
        gap: `ferry->parent = &pdev->dev;\nlist_add(&ferry->link, &ferry_links);\n${COUNTS}`,
        dev: 'ferry->parent',
      },
    ],
    [
      'code that is not seen, which has another pointer to the object',
      {
        above: LOCK,
        locals: 'struct ferry *same;',
        gap: 'ferry->parent = &pdev->dev;\nsame = ferry;\nmutex_lock(&ferry_lock);\nferry_elsewhere(same);\nmutex_unlock(&ferry_lock);',
        dev: 'ferry->parent',
      },
    ],
    [
      'bytes behind a pointer that is made from the object',
      {
        locals: 'unsigned long *word;',
        gap: 'ferry->parent = &pdev->dev;\nword = (unsigned long *)&ferry->parent;\n*word = 0;',
        dev: 'ferry->parent',
      },
    ],
    [
      'an assignment in a condition',
      {
        locals: 'struct device *dev = &pdev->dev;',
        gap: 'if ((dev = ferry_parent))\nferry->seats = 1;',
        dev: 'dev',
      },
    ],
    [
      'a pointer to the variable',
      {
        locals: 'int kind = 0;\nint *at = &kind;',
        gap: '*at = 4;\nferry->seats = kind;',
        ops: 'kind ? &ferry_ops : &ferry_slow_ops',
      },
    ],
    [
      'a callback',
      {
        above:
          'static int ferry_visit(struct device *dev, void *data)\n{\n	ferry_parent = dev;\n	return 0;\n}\n',
        gap: 'device_for_each_child(&pdev->dev, NULL, ferry_visit);',
        dev: 'ferry_parent',
      },
    ],
    [
      'a loop',
      {
        locals: 'int kind = 0;',
        gap: 'while (ferry->seats < 4)\nkind = ferry->seats++;',
        ops: 'kind ? &ferry_ops : &ferry_slow_ops',
      },
    ],
    [
      'a statement expression',
      {
        locals: 'int kind = 0;',
        gap: 'ferry->seats = ({ kind = 3; kind; });',
        ops: 'kind ? &ferry_ops : &ferry_slow_ops',
      },
    ],
    [
      'a copy over the rest of the object',
      {
        gap: 'ferry->parent = &pdev->dev;\nmemcpy(&ferry->route, ferry_parent, sizeof(*ferry) - offsetof(struct ferry, route));',
        dev: 'ferry->parent',
      },
    ],
    [
      'a value that was handed on before it changed',
      {
        locals: 'struct device *dev, *other = &pdev->dev;',
        gap: 'dev = other;\nother = ferry_elsewhere(pdev);\nferry->parent = other;',
        dev: 'other',
      },
    ],
  ])('%s', (_what, parts) => {
    const result = plan('ferry.c', driver(parts), [6, 1]);
    if (result.status !== 'refused')
      throw new Error(convertText('ferry.c', driver(parts), [6, 1]).text);
    expect(result.refusal.code).toBe('argument-not-available');
    expect(result.refusal.reason).toMatch(/[Ll]ine \d+|known after|side effects/);
  });
});

test.each<[what: string, parts: Parts]>([
  [
    'a pointer that may be NULL',
    { gap: 'if (!ferry_parent) {\nkfree(ferry);\nreturn -ENODEV;\n}', dev: 'ferry_parent' },
  ],
  [
    'a pointer that a macro tests',
    { above: NEEDS, gap: 'FERRY_NEED(ferry_parent);', dev: 'ferry_parent' },
  ],
  [
    'an index that may be out of range',
    {
      above: 'static const struct vfio_device_ops ferry_all[] = {\n	{\n		.name = "a",\n	},\n};\n',
      locals: 'int kind = pdev->id;',
      gap: 'if (kind > 0) {\nkfree(ferry);\nreturn -EINVAL;\n}',
      ops: '&ferry_all[kind]',
    },
  ],
])('what a test before the init protects is not taken over the test: %s', (_what, parts) => {
  const result = plan('ferry.c', driver(parts), [6, 1]);
  if (result.status !== 'refused') throw new Error(result.status);
  expect(result.refusal.reason).toMatch(/Line \d+ tests what/);
});

describe('what is proved to be the same before the allocation', () => {
  test.each<[what: string, parts: Parts, result: RegExp]>([
    [
      'a helper that fills a local moves up',
      {
        above: FINDS,
        locals: 'struct ferry_route route = {};',
        gap: 'ferry_find(&route, pdev);\nferry->seats = route.kind;',
        dev: 'route.dev',
      },
      /\n\tferry_find\(&route, pdev\);\n\tferry = vfio_alloc_device\(ferry, vdev, route\.dev, &ferry_ops\);[^]*\n\tferry->seats = route\.kind;/,
    ],
    [
      'an if that chooses moves up',
      {
        locals: 'const struct vfio_device_ops *ops;',
        gap: 'mutex_init(&ferry->lock);\nif (pdev->id)\n	ops = &ferry_ops;\nelse\n	ops = &ferry_slow_ops;',
        ops: 'ops',
      },
      /\n\tif \(pdev->id\)\n\t\tops = &ferry_ops;\n\telse\n\t\tops = &ferry_slow_ops;\n\tferry = vfio_alloc_device\(ferry, vdev, &pdev->dev, ops\);/,
    ],
    [
      'a default and an if move up together',
      {
        locals: 'const struct vfio_device_ops *ops;',
        gap: 'ops = &ferry_ops;\nferry->seats = 3;\nif (pdev->id)\n	ops = &ferry_slow_ops;',
        ops: 'ops',
      },
      /\n\tops = &ferry_ops;\n\tif \(pdev->id\)\n\t\tops = &ferry_slow_ops;\n\tferry = vfio_alloc_device\([^]*\n\tferry->seats = 3;/,
    ],
    [
      'a switch moves up',
      {
        locals: 'const struct vfio_device_ops *ops;',
        gap: 'switch (pdev->id) {\ncase 0:\n	ops = &ferry_ops;\n	break;\ndefault:\n	ops = &ferry_slow_ops;\n	break;\n}',
        ops: 'ops',
      },
      /\tbreak;\n\t\}\n\tferry = vfio_alloc_device\(ferry, vdev, &pdev->dev, ops\);/,
    ],
    [
      'a member that was set just before',
      {
        gap: 'ferry->ops = &ferry_slow_ops;\nferry->parent = &pdev->dev;',
        dev: 'ferry->parent',
        ops: 'ferry->ops',
      },
      /vfio_alloc_device\(ferry, vdev, &pdev->dev,\s+&ferry_slow_ops\);/,
    ],
    [
      'the last of two assignments',
      {
        locals: 'struct device *dev;',
        gap: 'dev = ferry_parent;\nferry->parent = dev;\ndev = &pdev->dev;',
        dev: 'dev',
      },
      /vfio_alloc_device\(ferry, vdev, &pdev->dev, &ferry_ops\)/,
    ],
    [
      'a member that macros work beside',
      {
        above:
          '#define FERRY_SET_UP(f) do { mutex_init(&(f)->lock); (f)->seats = 4; } while (0)\n#define for_each_seat(f, i) for ((i) = 0; (i) < (f)->seats; (i)++)\n',
        locals: 'int i;',
        gap: 'ferry->parent = &pdev->dev;\nFERRY_SET_UP(ferry);\nfor_each_seat(ferry, i)\n	ferry->route.kind += i;',
        dev: 'ferry->parent',
      },
      /vfio_alloc_device\(ferry, vdev, &pdev->dev, &ferry_ops\);[^]*\n\tFERRY_SET_UP\(ferry\);\n\tfor_each_seat\(ferry, i\)/,
    ],
    [
      'a local that a macro sets',
      {
        above: '#define FERRY_DEV(d, p) do { (d) = &(p)->dev; } while (0)\n',
        locals: 'struct device *dev;',
        gap: 'FERRY_DEV(dev, pdev);',
        dev: 'dev',
      },
      /\n\tFERRY_DEV\(dev, pdev\);\n\tferry = vfio_alloc_device\(ferry, vdev, dev, &ferry_ops\);/,
    ],
    [
      'a member of an object that nobody else can reach yet, beside a lock',
      {
        above: LOCK,
        gap: `ferry->parent = &pdev->dev;\n${COUNTS}`,
        dev: 'ferry->parent',
      },
      /vfio_alloc_device\(ferry, vdev, &pdev->dev, &ferry_ops\);[^]*\n\tferries\+\+;/,
    ],
    [
      'a member beside a text that is made in an array',
      {
        locals: 'char name[8];',
        gap: 'ferry->parent = &pdev->dev;\nsnprintf(name, sizeof(name), "%d", pdev->id);',
        dev: 'ferry->parent',
      },
      /vfio_alloc_device\(ferry, vdev, &pdev->dev, &ferry_ops\);[^]*\n\tsnprintf\(/,
    ],
    [
      'an array of tables',
      {
        above:
          'static const struct vfio_device_ops ferry_all[] = {\n	{\n		.name = "a",\n	},\n	{\n		.name = "b",\n	},\n};\n',
        locals: 'int kind = pdev->id & 1;',
        gap: 'ferry->seats = kind;',
        ops: '&ferry_all[kind]',
      },
      /\.name = "a",\n\t\t\.release = ferry_release_dev,\n\t\},\n\t\{\n\t\t\.name = "b",\n\t\t\.release = ferry_release_dev,\n[^]*&ferry_all\[kind\]/,
    ],
    [
      'an array of pointers to tables',
      {
        above:
          'static const struct vfio_device_ops *const ferry_kinds[] = { &ferry_ops, &ferry_slow_ops };\n',
        gap: 'ferry->seats = 1;',
        ops: 'ferry_kinds[pdev->id & 1]',
      },
      /"ferry",\n\t\.release = [^]*"ferry-slow",\n\t\.release = [^]*ferry_kinds\[pdev->id & 1\]\);/,
    ],
    [
      'a table in a description',
      {
        above:
          'static const struct ferry_route ferry_routes[] = {\n	{ .kind = 1, .ops = &ferry_ops },\n	{ .kind = 2, .ops = &ferry_slow_ops },\n};\n',
        locals: 'const struct ferry_route *route = &ferry_routes[pdev->id & 1];',
        gap: 'ferry->seats = route->kind;',
        ops: 'route->ops',
      },
      /"ferry",\n\t\.release = [^]*"ferry-slow",\n\t\.release = [^]*vfio_alloc_device\(ferry, vdev, &pdev->dev, route->ops\);/,
    ],
    [
      'work on the object in between',
      {
        above:
          'static void ferry_set_up(struct ferry *ferry)\n{\n	ferry->seats = 4;\n	ferry->route.kind = 2;\n}\n',
        gap: 'ferry_set_up(ferry);\nferry_elsewhere(ferry);\ndev_dbg(&pdev->dev, "%d\\n", ferry->seats);',
      },
      /vfio_alloc_device\(ferry, vdev, &pdev->dev, &ferry_ops\)/,
    ],
  ])('%s', (_what, parts, result) => {
    expect(convertText('ferry.c', driver(parts), [6, 1]).text).toMatch(result);
  });
});
