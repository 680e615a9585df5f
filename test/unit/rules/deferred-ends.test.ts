/**
 * Who may make the last put of a device: what is armed and never started makes none, and what may
 * be started is not counted on.
 */
import { describe, expect, test } from 'vitest';
import { analyseText } from '../../support/analyse.ts';

interface Parts {
  readonly member: string;
  readonly arm: string;
  readonly remove: string;
  readonly more?: string;
}

/** A mediated device whose put stands in a handler. */
function driver({ member, arm, remove, more = '' }: Parts): string {
  return `struct kiln { struct vfio_device vdev; ${member} };
static const struct vfio_device_ops kiln_ops = { .name = "kiln" };
static void kiln_cool(struct work_struct *work)
{
	struct kiln *kiln = container_of(work, struct kiln, cool);

	vfio_put_device(&kiln->vdev);
}
${more}
static int kiln_probe(struct mdev_device *mdev)
{
	struct kiln *kiln;
	int ret;

	kiln = vfio_alloc_device(kiln, vdev, &mdev->dev, &kiln_ops);
	if (IS_ERR(kiln))
		return PTR_ERR(kiln);

	${arm}
	dev_set_drvdata(&mdev->dev, kiln);
	ret = vfio_register_emulated_iommu_dev(&kiln->vdev);
	if (ret)
		vfio_put_device(&kiln->vdev);
	return ret;
}
static void kiln_remove(struct mdev_device *mdev)
{
	struct kiln *kiln = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&kiln->vdev);
	${remove}
}
static struct mdev_driver kiln_driver = { .probe = kiln_probe, .remove = kiln_remove };
`;
}

const WORK = { member: 'struct work_struct cool;', arm: 'INIT_WORK(&kiln->cool, kiln_cool);' };
const DELAYED = {
  member: 'struct delayed_work cool;',
  arm: 'INIT_DELAYED_WORK(&kiln->cool, kiln_cool);',
};

describe('a handler that puts the device', () => {
  test.each<[string, Parts, string]>([
    ['is never queued', { ...WORK, remove: '' }, 'error'],
    [
      'is never queued and cancelled',
      { ...WORK, remove: 'cancel_work_sync(&kiln->cool);' },
      'error',
    ],
    ['is delayed and never queued', { ...DELAYED, remove: '' }, 'error'],
    ['is queued here', { ...WORK, remove: 'schedule_work(&kiln->cool);' }, 'none'],
    [
      'is queued after a delay',
      { ...DELAYED, remove: 'schedule_delayed_work(&kiln->cool, HZ);' },
      'none',
    ],
    [
      'is queued elsewhere',
      {
        ...WORK,
        remove: '',
        more: 'void kiln_kick(struct kiln *kiln) { queue_work(kiln_wq, &kiln->cool); }',
      },
      'hint',
    ],
    [
      'is given to code that is not seen',
      { ...WORK, arm: `${WORK.arm} kiln_hw_arm(&kiln->cool);`, remove: '' },
      'hint',
    ],
    [
      'is armed by code that is not seen',
      { ...WORK, arm: 'kiln_hw_arm(&kiln->cool, kiln_cool);', remove: '' },
      'hint',
    ],
    [
      'is kept by its address',
      { ...WORK, arm: `${WORK.arm} kiln_hw->idle = &kiln->cool;`, remove: '' },
      'hint',
    ],
    [
      'is kept in a table',
      { ...WORK, remove: '', more: 'static const work_func_t kiln_steps[] = { kiln_cool };' },
      'hint',
    ],
    [
      'is armed through a pointer',
      {
        ...WORK,
        arm: 'struct work_struct *work = &kiln->cool; INIT_WORK(work, kiln_cool);',
        remove: '',
      },
      'hint',
    ],
  ])('%s', (_, parts, expected) => {
    const found = analyseText(driver(parts), '6.2').filter(({ rule }) => rule === 'missing-put');
    expect(found.map(({ severity }) => severity)).toEqual(expected === 'none' ? [] : [expected]);
  });
});

describe('an action of devres that is not seen', () => {
  test.each([
    ['may put the device', 'kiln_gone'],
    ['may be any function', 'kiln_table[0].gone'],
  ])('%s', (_, action) => {
    const code = driver({ ...WORK, arm: '', remove: 'vfio_put_device(&kiln->vdev);' })
      .replace(
        'dev_set_drvdata(',
        `ret = devm_add_action_or_reset(&mdev->dev, ${action}, kiln);
	if (ret)
		return ret;
	dev_set_drvdata(`,
      )
      .replace('if (ret)\n\t\tvfio_put_device(&kiln->vdev);\n', '');
    const found = analyseText(`void kiln_gone(void *data);\n${code}`, '6.2').filter(
      ({ rule }) => rule === 'missing-put',
    );
    expect(found.filter(({ severity }) => severity !== 'hint')).toEqual([]);
  });
});
