import { describe, expect, it } from 'vitest';
import { convert } from '../../../server/src/engine/convert.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { engineWith, kernel, single } from './support.ts';

const engine = await engineWith(kernelStages.rules);

/**
 * A driver that converts, with more members in its table, statements in its open callback, and
 * definitions.
 */
function driver({
  members = '',
  calls = '',
  more = '',
}: {
  members?: string;
  calls?: string;
  more?: string;
}): string {
  return `#include <linux/slab.h>
#include <linux/vfio.h>

struct kiln {
	struct vfio_device vdev;
	struct eventfd_ctx *bell;
	struct device *dev;
};

static struct file *kiln_set_state(struct vfio_device *vdev, enum vfio_device_mig_state next)
{
	return ERR_PTR(-EINVAL);
}

static int kiln_open(struct vfio_device *vdev)
{
	struct kiln *kiln = container_of(vdev, struct kiln, vdev);
	u64 gfn = 0;
	unsigned long pfn;

	${calls}
	return kiln->bell ? (int)(gfn + pfn) : 0;
}

static const struct vfio_device_ops kiln_ops = {
	.name = "kiln",
	.open_device = kiln_open,
	${members}
};

int kiln_create(struct device *dev)
{
	struct kiln *kiln;
	int ret;

	kiln = kzalloc(sizeof(*kiln), GFP_KERNEL);
	if (!kiln)
		return -ENOMEM;
	vfio_init_group_dev(&kiln->vdev, dev, &kiln_ops);
	dev_set_drvdata(dev, kiln);
	ret = vfio_register_emulated_iommu_dev(&kiln->vdev);
	if (ret) {
		vfio_uninit_group_dev(&kiln->vdev);
		kfree(kiln);
	}
	return ret;
}

void kiln_destroy(struct device *dev)
{
	struct kiln *kiln = dev_get_drvdata(dev);

	vfio_unregister_group_dev(&kiln->vdev);
	vfio_uninit_group_dev(&kiln->vdev);
	kfree(kiln);
}
${more}`;
}

/** The notes on what the target does not know, each with the line that it names as text. */
function notesFor(text: string, target: string): { note: string; line: string }[] {
  const result = convert(engine, single(text), kernel(target), undefined);
  if (result.status !== 'converted') throw new Error(JSON.stringify(result));
  return result.notes
    .filter(({ kind }) => kind === 'target')
    .map(({ text: note }) => ({
      note,
      line: text.split('\n')[Number(/^Lines? (\d+)/.exec(note)![1]) - 1]!.trim(),
    }));
}

describe('what the target kernel does not know', () => {
  it.each([
    [
      '6.4',
      'class_create(THIS_MODULE, "kiln");',
      'class_create() takes other arguments since Linux 6.4: pass the name alone.',
    ],
    [
      '6.8',
      'eventfd_signal(kiln->bell, 1);',
      'eventfd_signal() takes other arguments since Linux 6.8: pass the context alone.',
    ],
    [
      '6.1',
      'vfio_pin_pages(vdev, &gfn, 1, 0, &pfn);',
      'vfio_pin_pages() takes other arguments since Linux 6.0: pass the first IOVA, and an array of `struct page *`.',
    ],
    [
      '6.1',
      'vfio_unpin_pages(kiln->dev, &gfn, 1);',
      'vfio_unpin_pages() takes other arguments since Linux 5.19: pass the vfio_device.',
    ],
    [
      '6.1',
      'vfio_register_notifier(kiln->dev, 0, &pfn, NULL);',
      'vfio_register_notifier() was removed in Linux 6.0: use `.dma_unmap` of the ops table, and `kvm` of the vfio_device.',
    ],
    [
      '6.1',
      'mdev_parent_dev(NULL);',
      'mdev_parent_dev() was removed in Linux 6.1: use `mdev->type->parent->dev`.',
    ],
    ['6.8', 'strlcpy(NULL, "kiln", 4);', 'strlcpy() was removed in Linux 6.8: use strscpy().'],
  ])('%s: %s', (target, calls, sentence) => {
    const notes = notesFor(driver({ calls }), target);
    expect(notes.map(({ note }) => note.replace(/^Line \d+: /, ''))).toContain(sentence);
    expect(notes.map(({ line }) => line)).toEqual(notes.map(() => calls));
  });

  it.each([
    ['6.1', 'class_create(THIS_MODULE, "kiln");'],
    ['6.8', 'class_create("kiln");'],
    ['6.8', 'eventfd_signal(kiln->bell);'],
    ['6.8', 'vfio_pin_pages(vdev, gfn, 1, 0, NULL);'],
  ])('says nothing of what it knows: %s: %s', (target, calls) =>
    expect(notesFor(driver({ calls }), target)).toEqual([]),
  );

  it('says nothing of what its preprocessor leaves out, and of functions of the driver', () => {
    const calls =
      '#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)\n\tclass_create(THIS_MODULE, "kiln");\n#endif';
    expect(notesFor(driver({ calls }), '6.6')).toEqual([]);
    expect(
      notesFor(
        driver({
          calls: 'strlcpy(NULL, NULL, 1);',
          more: 'static inline void strlcpy(char *to, const char *from, int size)\n{\n}\n',
        }),
        '6.8',
      ),
    ).toEqual([]);
  });

  it.each([
    [
      'static struct mdev_driver kiln_driver = {\n\t.supported_type_groups = kiln_groups,\n};\n',
      '`.supported_type_groups` of struct mdev_driver was removed in Linux 6.1: give the types to mdev_register_parent().',
    ],
    [
      'static const struct mdev_parent_ops kiln_parent = {\n\t.owner = THIS_MODULE,\n};\n',
      'struct mdev_parent_ops was removed in Linux 5.19: use a `struct mdev_driver` with `.probe` and `.remove`.',
    ],
    [
      'static MDEV_TYPE_ATTR_RO(available_instances);\n',
      'MDEV_TYPE_ATTR_RO() was removed in Linux 6.1: use `.device_api`, `.get_available` and `.show_description` of the mdev_driver.',
    ],
    [
      'static int kiln_probe(struct device *dev)\n{\n\treturn kiln_create(dev);\n}\n\nstatic struct mdev_driver kiln_driver = {\n\t.probe = kiln_probe,\n};\n',
      '`.probe` of struct mdev_driver takes a `struct mdev_device *` since Linux 5.13.',
    ],
    [
      'static int kiln_leave(struct fsl_mc_device *dev)\n{\n\treturn dev ? 0 : -EINVAL;\n}\n\nstatic struct fsl_mc_driver kiln_driver = {\n\t.remove = kiln_leave,\n};\n',
      '`.remove` of struct fsl_mc_driver returns void since Linux 6.5.',
    ],
  ])('in tables: %j', (more, sentence) => {
    expect(
      notesFor(driver({ more }), '6.6').map(({ note }) => note.replace(/^Line \d+: /, '')),
    ).toContain(sentence);
  });

  it('names each line once, and members of the ops table as the rule does', () => {
    const notes = notesFor(
      driver({ calls: 'strlcpy(NULL, NULL, 1);\n\tstrlcpy(NULL, NULL, 2);' }),
      '6.8',
    );
    expect(notes.map(({ note }) => note)).toEqual([
      'Lines 21 and 22: strlcpy() was removed in Linux 6.8: use strscpy().',
    ]);
  });
});

describe('callbacks and members of driver structs', () => {
  const LEAVE = (body: string, more = ''): string =>
    driver({
      more: `static int kiln_leave(struct platform_device *pdev)\n{\n\tkiln_destroy(&pdev->dev);\n${body}}\n${more}\nstatic struct platform_driver kiln_driver = {\n\t.remove = kiln_leave,\n};\n`,
    });
  const textFor = (text: string, target: string): string => {
    const result = convert(engine, single(text), kernel(target), undefined);
    if (result.status !== 'converted') throw new Error(JSON.stringify(result));
    return (
      result.edits.flatMap(({ edits }) => edits.map(({ newText }) => newText)).join('\n') +
      result.notes.map((note) => note.text).join('\n')
    );
  };

  it.each([['\treturn 0;\n'], ['\tif (!pdev->name)\n\t\treturn -EINVAL;\n\n\treturn 0;\n']])(
    'remove returns nothing from 6.11 on: %j',
    (body) => {
      expect(textFor(LEAVE(body), '6.12')).toContain(
        'kiln_leave() now returns void, as `.remove` of struct platform_driver does since 6.11.',
      );
      expect(textFor(LEAVE(body), '6.6')).not.toContain('void');
    },
  );

  it.each([
    ['\treturn pdev->id;\n', ''],
    [
      '\treturn 0;\n',
      'int kiln_stop(struct platform_device *pdev)\n{\n\treturn kiln_leave(pdev);\n}\n',
    ],
  ])('unless it returns more, or something calls it: %j %j', (body, more) => {
    expect(textFor(LEAVE(body, more), '6.12')).toMatch(
      /Line \d+: `\.remove` of struct platform_driver returns void since Linux 6\.11\./,
    );
  });

  const PHYSICAL = (probe: string, more = ''): string =>
    driver({
      more: `${more}static int kiln_probe(struct pci_dev *pdev, const struct pci_device_id *id)\n{\n\t${probe}\n}\n\nstatic struct pci_driver kiln_driver = {\n\t.probe = kiln_probe,\n};\n`,
    }).replace('vfio_register_emulated_iommu_dev', 'vfio_register_group_dev');

  it('DMA is left to the driver whose own device is handed out', () => {
    expect(textFor(PHYSICAL('return kiln_create(&pdev->dev);'), '6.1')).toContain(
      '.driver_managed_dma = true',
    );
  });
  it.each([
    [
      'return kiln_create(pdev->dev.parent);',
      '',
      'it could not be shown that the initialised device is the struct pci_dev that probe gets',
    ],
    [
      'return kiln_create(&pdev->dev);',
      'static void *kiln_ring(struct device *dev, dma_addr_t *at)\n{\n\treturn dma_alloc_coherent(dev, 64, at, GFP_KERNEL);\n}\n\n',
      'kiln_ring() calls dma_alloc_coherent()',
    ],
  ])('and otherwise a note says why not: %j %j', (probe, more, why) => {
    const said = textFor(PHYSICAL(probe, more), '6.1');
    expect(said).not.toContain('.driver_managed_dma = true');
    expect(said).toContain(why);
  });
  it('says nothing of devices without an IOMMU', () => {
    expect(
      textFor(
        PHYSICAL('return kiln_create(&pdev->dev);').replace(
          'vfio_register_group_dev',
          'vfio_register_emulated_iommu_dev',
        ),
        '6.1',
      ),
    ).not.toContain('managed_dma');
  });
});
