/**
 * Drivers that the rule async-work-outlives-object reports, and drivers that it stays silent on.
 */
import type { Rule } from './types.ts';
import { DRIVER } from './examples.ts';

const foo = (members: string, functions: string, release: string): string => `struct foo {
	struct vfio_device vdev;
${members}	u64 ticks;
};

${functions}
static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	foo->ticks = 0;
${release}}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
`;

const probe = (setUp: string): string => `
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

${setUp}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
`;

const remove = (stop: string, mark = ''): string => `
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
${stop}	vfio_put_device(&foo->vdev);
${mark}}
`;

const MARK = '//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^ async-work-outlives-object\n';

const WORK = '	struct work_struct work;\n';
const POLL = `static void foo_poll(struct work_struct *work)
{
	struct foo *foo = container_of(work, struct foo, work);

	foo->ticks++;
}

static void foo_kick(struct foo *foo)
{
	schedule_work(&foo->work);
}
`;

const TIMER = '	struct timer_list timer;\n';
const TICK = `static void foo_tick(struct timer_list *t)
{
	struct foo *foo = from_timer(foo, t, timer);

	foo->ticks++;
	mod_timer(&foo->timer, jiffies + HZ);
}
`;

const NOTIFIER = '	struct notifier_block nb;\n';

const WORK_STARTS = '	INIT_WORK(&foo->work, foo_poll);\n	foo_kick(foo);';
const OPEN = `
static int foo_open(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	foo_kick(foo);
	return 0;
}
`;

const TICKING = '	struct delayed_work tick;\n';
const TICK_WORK = `static void foo_tick(struct work_struct *work)
{
	struct foo *foo = container_of(to_delayed_work(work), struct foo, tick);

	foo->ticks++;
	schedule_delayed_work(&foo->tick, HZ);
}
`;
const TICKING_STARTS =
  '	INIT_DELAYED_WORK(&foo->tick, foo_tick);\n	schedule_delayed_work(&foo->tick, HZ);';

const THREAD = '	struct task_struct *task;\n';
const RUN = `static int foo_run(void *data)
{
	struct foo *foo = data;

	while (!kthread_should_stop()) {
		foo->ticks++;
		msleep(100);
	}
	return 0;
}
`;
const THREAD_STARTS = `	foo->task = kthread_run(foo_run, foo, "foo");
	if (IS_ERR(foo->task)) {
		ret = PTR_ERR(foo->task);
		vfio_put_device(&foo->vdev);
		return ret;
	}`;

const HANDLER = `static irqreturn_t foo_isr(int irq, void *data)
{
	struct foo *foo = data;

	foo->ticks++;
	return IRQ_HANDLED;
}
`;
const MANAGED_INTERRUPT = `	ret = devm_request_irq(&mdev->dev, foo_irq, foo_isr, 0, "foo", foo);
	if (ret) {
		vfio_put_device(&foo->vdev);
		return ret;
	}`;

export const asyncWorkOutlivesObjectExamples: Rule['examples'] = {
  bad: [
    {
      title: 'Work that nobody cancels',
      kernel: '6.2',
      code: `${foo(WORK, POLL, '')}${probe(`	INIT_WORK(&foo->work, foo_poll);
	foo_kick(foo);`)}${remove('', MARK)}${DRIVER}`,
    },
    {
      title: 'Work that nobody cancels before the free',
      kernel: '6.0',
      code: `struct foo {
	struct vfio_device vdev;
${WORK}	u64 ticks;
};

${POLL}
static const struct vfio_device_ops foo_ops = {
	.name = "foo",
};

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev

	INIT_WORK(&foo->work, foo_poll);
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		vfio_uninit_group_dev(&foo->vdev);
		kfree(foo);
		return ret;
	}
	foo_kick(foo);
	return 0;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_uninit_group_dev(&foo->vdev);
	kfree(foo);
//      ^^^^^^^^^^ async-work-outlives-object
}
${DRIVER}`,
    },
    {
      title: 'A timer that starts itself again',
      kernel: '6.2',
      code: `${foo(TIMER, TICK, '')}${probe(`	timer_setup(&foo->timer, foo_tick, 0);
	mod_timer(&foo->timer, jiffies + HZ);`)}${remove('', MARK)}${DRIVER}`,
    },
    {
      title: 'A notifier that stays registered',
      kernel: '6.2',
      code: `${foo(NOTIFIER, '', '')}${probe(`	ret = register_reboot_notifier(&foo->nb);
	if (ret) {
		vfio_put_device(&foo->vdev);
		return ret;
	}`)}${remove('', MARK)}${DRIVER}`,
    },
    {
      title: 'Cancelled where probe fails only',
      kernel: '6.2',
      code: `${foo(WORK, POLL, '')}${probe(`	INIT_WORK(&foo->work, foo_poll);
	foo_kick(foo);
	if (!mdev->dev.parent) {
		cancel_work_sync(&foo->work);
		vfio_put_device(&foo->vdev);
		return -ENODEV;
	}`)}${remove('', MARK)}${DRIVER}`,
    },
    {
      title: 'A stop that does not wait',
      kernel: '6.2',
      code: `${foo(WORK, POLL, '')}${probe(WORK_STARTS)}${remove('	cancel_work(&foo->work);\n', MARK)}${DRIVER}`,
    },
    {
      title: 'A flush of a timer that starts itself again',
      kernel: '6.2',
      code: `${foo(TICKING, TICK_WORK, '')}${probe(TICKING_STARTS)}${remove('	flush_delayed_work(&foo->tick);\n', MARK)}${DRIVER}`,
    },
    {
      title: 'Cancelled before the unregister, and queued by a callback',
      kernel: '6.2',
      code: `${foo(WORK, `${POLL}${OPEN}`, '').replace('.release =', '.open_device = foo_open,\n	.release =')}${probe(WORK_STARTS)}${remove('', MARK).replace('	vfio_unreg', '	cancel_work_sync(&foo->work);\n	vfio_unreg')}${DRIVER}`,
    },
    {
      title: 'A thread that nobody stops',
      kernel: '6.2',
      code: `${foo(THREAD, RUN, '')}${probe(THREAD_STARTS)}${remove('', MARK)}${DRIVER}`,
    },
    {
      title: 'A managed interrupt is freed after the memory',
      kernel: '6.2',
      code: `${foo('', HANDLER, '')}${probe(MANAGED_INTERRUPT)}${remove('', MARK)}${DRIVER}`,
    },
    {
      title: 'An interrupt of a PCI function that stays requested',
      kernel: '6.2',
      code: `${foo('', HANDLER, '')}${probe(`	ret = pci_request_irq(foo_parent(mdev), 0, foo_isr, NULL, foo, "foo");
	if (ret) {
		vfio_put_device(&foo->vdev);
		return ret;
	}`)}${remove('', MARK)}${DRIVER}`,
    },
  ],
  good: [
    {
      title: 'A stop whose result says whether to wait',
      kernel: '6.2',
      code: `${foo(WORK, POLL, '')}${probe(WORK_STARTS)}${remove('	if (!cancel_work(&foo->work))\n		foo_wait_idle();\n')}${DRIVER}`,
    },
    {
      title: 'Cancelled before the unregister, and callbacks are told',
      kernel: '6.2',
      code: `${foo(`${WORK}	bool going;\n`, `${POLL}${OPEN.replace('	foo_kick(foo);', '	if (!foo->going)\n		foo_kick(foo);').replace('foo_kick(foo);', 'schedule_work(&foo->work);')}`, '').replace('.release =', '.open_device = foo_open,\n	.release =')}${probe(WORK_STARTS)}${remove('').replace('	vfio_unreg', '	foo->going = true;\n	cancel_work_sync(&foo->work);\n	vfio_unreg')}${DRIVER}`,
    },
    {
      title: 'Cancelled before the unregister, after a helper has told the callbacks',
      kernel: '6.2',
      code: `${foo(
        `${WORK}	bool going;\n`,
        `${POLL.replace('	schedule_work(', '	if (!foo->going)\n		schedule_work(')}${OPEN}
static void foo_quiesce(struct foo *foo)
{
	foo->going = true;
}
`,
        '',
      ).replace(
        '.release =',
        '.open_device = foo_open,\n	.release =',
      )}${probe(WORK_STARTS)}${remove('').replace('	vfio_unreg', '	foo_quiesce(foo);\n	cancel_work_sync(&foo->work);\n	vfio_unreg')}${DRIVER}`,
    },
    {
      title: 'Disabled for good before the unregister',
      kernel: '6.2',
      code: `${foo(WORK, `${POLL}${OPEN}`, '').replace('.release =', '.open_device = foo_open,\n	.release =')}${probe(WORK_STARTS)}${remove('').replace('	vfio_unreg', '	disable_work_sync(&foo->work);\n	vfio_unreg')}${DRIVER}`,
    },
    {
      title: 'A thread that is told to stop',
      kernel: '6.2',
      code: `${foo(THREAD, RUN, '')}${probe(THREAD_STARTS).replace(/if \(ret\)\n\t\t(?=vfio_put)(.*)\n\treturn/, 'if (ret) {\n\t\tkthread_stop(foo->task);\n\t\t$1\n\t}\n\treturn')}${remove('	kthread_stop(foo->task);\n')}${DRIVER}`,
    },
    {
      title: 'A thread that ends when its work is done',
      kernel: '6.2',
      code: `${foo(THREAD, RUN.replace('while (!kthread_should_stop())', 'while (foo->ticks < 10)'), '')}${probe(THREAD_STARTS)}${remove('')}${DRIVER}`,
    },
    {
      title: 'A managed interrupt that is freed by hand',
      kernel: '6.2',
      code: `${foo('', HANDLER, '')}${probe(MANAGED_INTERRUPT)}${remove('	devm_free_irq(&mdev->dev, foo_irq, foo);\n')}${DRIVER}`,
    },
    {
      title: 'Cancelled in remove',
      kernel: '6.2',
      code: `${foo(WORK, POLL, '')}${probe('	INIT_WORK(&foo->work, foo_poll);\n	foo_kick(foo);')}${remove('	cancel_work_sync(&foo->work);\n')}${DRIVER}`,
    },
    {
      title: 'Stopped in .release',
      kernel: '6.2',
      code: `${foo(TIMER, TICK, '	del_timer_sync(&foo->timer);\n')}${probe('	timer_setup(&foo->timer, foo_tick, 0);\n	mod_timer(&foo->timer, jiffies + HZ);')}${remove('')}${DRIVER}`,
    },
    {
      title: 'A work queue of its own is destroyed',
      kernel: '6.2',
      code: `${foo('	struct work_struct work;\n	struct workqueue_struct *wq;\n', POLL.replace('schedule_work(', 'queue_work(foo->wq, '), '	destroy_workqueue(foo->wq);\n')}${probe('	INIT_WORK(&foo->work, foo_poll);\n	foo_kick(foo);')}${remove('')}${DRIVER}`,
    },
    {
      title: 'The work holds a reference of its own',
      kernel: '6.2',
      code: `${foo(WORK, POLL.replace('	foo->ticks++;', '	foo->ticks++;\n	put_device(&foo->vdev.device);').replace('	schedule_work(&foo->work);', '	get_device(&foo->vdev.device);\n	schedule_work(&foo->work);'), '')}${probe('	INIT_WORK(&foo->work, foo_poll);')}${remove('')}${DRIVER}`,
    },
    {
      title: 'The core of a vendor ends it',
      kernel: '6.2',
      code: `${foo(TIMER, TICK, '	vendor_shutdown(foo);\n')}${probe('	timer_setup(&foo->timer, foo_tick, 0);\n	mod_timer(&foo->timer, jiffies + HZ);')}${remove('')}${DRIVER}`,
    },
    {
      title: 'Work that is never queued',
      kernel: '6.2',
      code: `${foo(WORK, POLL.replace('	schedule_work(&foo->work);', '	foo->ticks = 1;'), '')}${probe('	INIT_WORK(&foo->work, foo_poll);\n	foo_kick(foo);')}${remove('')}${DRIVER}`,
    },
    {
      title: 'Work of another object',
      kernel: '6.2',
      code: `struct pool {
	struct work_struct work;
};

${foo(
  '	struct pool *pool;\n',
  `static void pool_run(struct work_struct *work)
{
}

static void foo_start(struct foo *foo)
{
	INIT_WORK(&foo->pool->work, pool_run);
	schedule_work(&foo->pool->work);
}
`,
  '',
)}${probe('	foo_start(foo);')}${remove('')}${DRIVER}`,
    },
  ],
};
