/** Drivers that the rule release-uses-parent-state reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, PROBE, REMOVE } from './examples.ts';

const CONTAINER = `struct foo {
	struct vfio_device vdev;
	struct workqueue_struct *wq;
	void *config;
};
`;

function release(body: string): string {
  return `
static void foo_release_dev(struct vfio_device *vdev)
{
${body}}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
`;
}

const FREES = REMOVE.replace(
  '\tvfio_put_device',
  '\tdestroy_workqueue(foo->wq);\n\tvfio_put_device',
);
const BY_CONTAINER = '\tstruct foo *foo = container_of(vdev, struct foo, vdev);\n\n';

export const releaseUsesParentStateExamples: Rule['examples'] = {
  bad: [
    {
      title: '.release clears the drvdata of the parent device',
      kernel: '6.2',
      code: `struct foo {
	struct vfio_device vdev;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	dev_set_drvdata(vdev->dev, NULL);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ release-uses-parent-state
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'The drvdata of the parent',
      kernel: '6.2',
      code: `${CONTAINER}${release(`	struct foo *foo = dev_get_drvdata(vdev->dev);
//                        ^^^^^^^^^^^^^^^^^^^^^^^^^^ release-uses-parent-state

	kfree(foo->config);
`)}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'A work queue that remove has destroyed',
      kernel: '6.2',
      code: `${CONTAINER}${release(`${BY_CONTAINER}	flush_workqueue(foo->wq);
//                      ^^^^^^^ release-uses-parent-state
	kfree(foo->config);
`)}${PROBE}${FREES}${DRIVER}`,
    },
    {
      title: 'In a helper, by the view of a bus',
      kernel: '6.2',
      code: `${CONTAINER}
static void foo_destroy(struct vfio_device *vdev)
{
	struct foo *foo = pci_get_drvdata(to_pci_dev(vdev->dev));
//                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ release-uses-parent-state

	kfree(foo->config);
}
${release('\tfoo_destroy(vdev);\n')}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'Freed twice',
      kernel: '6.2',
      code: `${CONTAINER}${release(`${BY_CONTAINER}	kfree(foo->config);
//            ^^^^^^^^^^^ release-uses-parent-state
`)}${PROBE}${REMOVE.replace('\tvfio_put_device', '\tkfree(foo->config);\n\tvfio_put_device')}${DRIVER}`,
    },
  ],
  good: [
    {
      title: 'container_of()',
      kernel: '6.2',
      code: `${CONTAINER}${release(`${BY_CONTAINER}	kfree(foo->config);\n`)}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'Remove and .release each free their own',
      kernel: '6.2',
      code: `${CONTAINER}${release(`${BY_CONTAINER}	kfree(foo->config);\n`)}${PROBE}${FREES}${DRIVER}`,
    },
    {
      title: 'Remove sets it to NULL',
      kernel: '6.2',
      code: `${CONTAINER}${release(`${BY_CONTAINER}	kfree(foo->config);\n`)}${PROBE}${REMOVE.replace('\tvfio_put_device', '\tkfree(foo->config);\n\tfoo->config = NULL;\n\tvfio_put_device')}${DRIVER}`,
    },
    {
      title: 'The parent device itself',
      kernel: '6.2',
      code: `${CONTAINER}${release(`${BY_CONTAINER}	dev_dbg(vdev->dev, "gone\\n");
	kfree(foo->config);
`)}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'A helper of both that remove calls for another reason',
      kernel: '6.2',
      code: `${CONTAINER}
static void foo_free_config(struct foo *foo)
{
	kfree(foo->config);
	foo->config = NULL;
}
${release('\tfoo_free_config(container_of(vdev, struct foo, vdev));\n')}${PROBE}${REMOVE.replace('\tvfio_put_device', '\tfoo_free_config(foo);\n\tvfio_put_device')}${DRIVER}`,
    },
  ],
};
