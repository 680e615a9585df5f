/** Devices in arrays and lists: the element of one turn of a loop is an object. */
import { describe, expect, test } from 'vitest';
import { analyseText } from '../../support/analyse.ts';

const HEAD = `struct port { struct vfio_device vdev; struct list_head node; u32 id; };
struct set { struct port *all[4]; struct list_head list; int nr; };
static const struct vfio_device_ops port_ops = { .name = "port" };
`;
const DRIVER =
  'static struct platform_driver port_driver = { .probe = port_probe, .remove = port_remove };\n';

/** A probe that fills the array, and unwinds by `unwind` where a step fails. */
function probe(unwind: string): string {
  return `static int port_probe(struct platform_device *pdev)
{
	struct set *set = devm_kzalloc(&pdev->dev, sizeof(*set), GFP_KERNEL);
	int i, ret;

	if (!set)
		return -ENOMEM;
	for (i = 0; i < 4; i++) {
		struct port *port = vfio_alloc_device(port, vdev, &pdev->dev, &port_ops);

		if (IS_ERR(port)) {
			ret = PTR_ERR(port);
			goto unwind;
		}
		ret = vfio_register_group_dev(&port->vdev);
		if (ret) {
			vfio_put_device(&port->vdev);
			goto unwind;
		}
		set->all[i] = port;
	}
	platform_set_drvdata(pdev, set);
	return 0;

unwind:
	${unwind}
	return ret;
}
`;
}

const UNREGISTER = 'vfio_unregister_group_dev(&set->all[i]->vdev);';
const PUT = 'vfio_put_device(&set->all[i]->vdev);';
const UNWIND = `while (--i >= 0) { ${UNREGISTER} ${PUT} }`;

function remove(body: string): string {
  return `static void port_remove(struct platform_device *pdev)
{
	struct set *set = platform_get_drvdata(pdev);
	struct port *port, *tmp;
	int i;

	${body}
}
`;
}

/** The rules and levels of what is found in a driver whose remove has this body. */
function found(body: string, unwind = UNWIND): string[] {
  const code = `${HEAD}${probe(unwind)}${remove(body)}${DRIVER}`;
  return [...new Set(analyseText(code, '6.2').map(({ rule, severity }) => `${severity} ${rule}`))]
    .filter((one) => !/wrong-register|managed-dma/.test(one))
    .sort();
}

const each = (body: string): string => `for (i = 0; i < 4; i++) { ${body} }`;
const listed = (body: string): string =>
  `list_for_each_entry_safe(port, tmp, &set->list, node) { ${body} }`;
const LIST_UNREGISTER = 'vfio_unregister_group_dev(&port->vdev);';
const LIST_PUT = 'vfio_put_device(&port->vdev);';

describe('a loop that ends devices', () => {
  test.each([
    ['in the right order', each(`${UNREGISTER} ${PUT}`)],
    ['that may be missing', each(`if (!set->all[i]) continue; ${UNREGISTER} ${PUT}`)],
    ['in two loops', each(UNREGISTER) + each(PUT)],
    [
      'in two loops over as many as there are',
      each(UNREGISTER).replace('4', 'set->nr') + each(PUT).replace('4', 'set->nr'),
    ],
    ['from the last to the first', `for (i = 3; i >= 0; i--) { ${UNREGISTER} ${PUT} }`],
    ['in a list', listed(`list_del(&port->node); ${LIST_UNREGISTER} ${LIST_PUT}`)],
    ['in a list, in two loops', listed(LIST_UNREGISTER) + listed(LIST_PUT)],
    [
      'through a variable',
      each(
        `port = set->all[i]; ${'vfio_unregister_group_dev(&port->vdev); vfio_put_device(&port->vdev);'}`,
      ),
    ],
    ['by unseen code', each(`${UNREGISTER} port_drop(set->all[i]);`)],
    [
      'of which it puts one that it has found',
      listed('if (port->id == 7) { vfio_put_device(&port->vdev); break; }') +
        each(`${UNREGISTER} ${PUT}`),
    ],
  ])('%s is silent', (_, body) => {
    expect(found(body)).toEqual([]);
  });

  test.each([
    ['puts first', each(`${PUT} ${UNREGISTER}`), 'error put-while-registered'],
    ['frees', each(`${UNREGISTER} kfree(set->all[i]);`), 'error free-of-core-owned-memory'],
    ['never puts', each(UNREGISTER), 'warning missing-put'],
    [
      'never puts those of a list',
      listed(`list_del(&port->node); ${LIST_UNREGISTER}`),
      'warning missing-put',
    ],
    [
      'uses behind the put',
      each(`${UNREGISTER} ${PUT} set->all[i]->id = 0;`),
      'error use-after-put',
    ],
    ['puts twice', each(`${UNREGISTER} ${PUT} ${PUT}`), 'error double-put'],
  ])('that %s is wrong', (_, body, rule) => {
    expect(found(body)).toContain(rule);
  });

  test('of a failing probe owes the put of each', () => {
    expect(found(each(`${UNREGISTER} ${PUT}`), `while (--i >= 0) ${UNREGISTER}`)).toEqual([
      'warning missing-put',
    ]);
  });
});
