/** A guard() is a use of its lock where it is taken and where its scope is left. */
import { describe, expect, test } from 'vitest';
import { analyseText } from '../../support/analyse.ts';

/** The rules that speak of a `.remove` with this body. */
function found(remove: string): string[] {
  const code = `struct vole { struct vfio_device vdev; struct mutex lock; spinlock_t ring; };
static DEFINE_MUTEX(vole_table);
static const struct vfio_device_ops vole_ops = { .name = "vole" };
static int vole_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vole *vole = vfio_alloc_device(vole, vdev, &pdev->dev, &vole_ops);
	int ret;

	if (IS_ERR(vole))
		return PTR_ERR(vole);
	pci_set_drvdata(pdev, vole);
	ret = vfio_register_group_dev(&vole->vdev);
	if (ret)
		vfio_put_device(&vole->vdev);
	return ret;
}
static void vole_remove(struct pci_dev *pdev)
{
	struct vole *vole = pci_get_drvdata(pdev);

	${remove}
}
static struct pci_driver vole_driver = { .driver_managed_dma = true, .probe = vole_probe, .remove = vole_remove };
`;
  return [...new Set(analyseText(code, '6.2').map(({ rule }) => rule))];
}

const UNREGISTER = 'vfio_unregister_group_dev(&vole->vdev);';
const PUT = 'vfio_put_device(&vole->vdev);';

describe('the last put', () => {
  test.each([
    ['in front of a guard of the object', `${UNREGISTER} ${PUT} guard(mutex)(&vole->lock);`],
    [
      'in front of a block that holds its lock',
      `${UNREGISTER} ${PUT} scoped_guard(spinlock_irqsave, &vole->ring) pr_info("x");`,
    ],
    ['under a guard of the object', `guard(mutex)(&vole->lock); ${UNREGISTER} ${PUT}`],
    ['in a block that holds its lock', `scoped_guard(mutex, &vole->lock) { ${UNREGISTER} ${PUT} }`],
  ])('%s is followed by a use', (_, remove) => {
    expect(found(remove)).toEqual(['use-after-put']);
  });

  test.each([
    ['under a guard of something else', `guard(mutex)(&vole_table); ${UNREGISTER} ${PUT}`],
    [
      'behind a block that held its lock',
      `scoped_guard(mutex, &vole->lock) { ${UNREGISTER} } ${PUT}`,
    ],
    ['behind the scope of a guard', `{ guard(mutex)(&vole->lock); ${UNREGISTER} } ${PUT}`],
    ['under the guard of RCU', `guard(rcu)(); ${UNREGISTER} ${PUT}`],
  ])('%s is right', (_, remove) => {
    expect(found(remove)).toEqual([]);
  });
});
