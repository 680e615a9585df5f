/** Messages and fixes that must not add up to a double free. */
import { describe, expect, it } from 'vitest';
import { analyseText, applyFix } from '../../support/analyse.ts';
import type { Finding } from '../../../server/src/rules/types.ts';

/** A driver of ours with a member that `.release` may give back, and what stands behind the put. */
function driver(
  release: string,
  behind: string,
  failing = 'ret = -EBUSY;\n\t\tgoto err_put;',
): string {
  return `struct larch { struct vfio_device vdev; char *tag; struct workqueue_struct *queue; int id; };

static void larch_forget(struct larch *larch)
{
	kfree(larch->tag);
}

static void larch_release(struct vfio_device *vdev)
{
	struct larch *larch = container_of(vdev, struct larch, vdev);

	${release}
}

static const struct vfio_device_ops larch_ops = { .name = "larch", .release = larch_release };

static int larch_probe(struct mdev_device *mdev)
{
	struct larch *larch;
	int ret;

	larch = vfio_alloc_device(larch, vdev, &mdev->dev, &larch_ops);
	if (IS_ERR(larch))
		return PTR_ERR(larch);
	if (!larch_ready(mdev)) {
		${failing}
	}
	ret = vfio_register_emulated_iommu_dev(&larch->vdev);
	if (ret)
		goto err_put;
	dev_set_drvdata(&mdev->dev, larch);
	return 0;

err_put:
	vfio_put_device(&larch->vdev);
	${behind}
	return ret;
}

static struct mdev_driver larch_driver = { .probe = larch_probe };
`;
}

function find(code: string, rule: string, kernel = '6.2'): Finding[] {
  return analyseText(code, kernel).filter((one) => one.rule === rule);
}

describe('what .release gives back, done again behind the put', () => {
  it.each([
    ['the same call', 'kfree(larch->tag);', 'kfree(larch->tag);', 'kfree'],
    [
      'another member',
      'destroy_workqueue(larch->queue);',
      'destroy_workqueue(larch->queue);',
      'destroy_workqueue',
    ],
    ['a call of the same kind', 'larch_forget(larch);', 'kfree(larch->tag);', 'kfree'],
    ['in a helper', 'kfree(larch->tag);', 'larch_forget(larch);', 'kfree'],
  ])('is left to .release: %s', (_, release, behind, api) => {
    const code = driver(release, behind);
    const [found, ...more] = find(code, 'use-after-put');
    expect(more).toEqual([]);
    expect(found!.message).toContain(
      `is released again after the put: larch_release() calls ${api}()`,
    );
    expect(found!.fix?.safety).not.toBe('safe');
    // The call goes, or nothing does: in front of the put it would be a double free too.
    const after = found!.fix === null ? code : applyFix(code, found!.fix);
    const kept =
      found!.fix === null
        ? `vfio_put_device(&larch->vdev);\n\t${behind}`
        : 'vfio_put_device(&larch->vdev);\n\treturn';
    expect(after).toContain(kept);
  });

  it('keeps the put in front of it when another use is cured', () => {
    const found = find(
      driver('kfree(larch->tag);', 'larch->id = 0;\n\tkfree(larch->tag);'),
      'use-after-put',
    );
    expect(found.map(({ fix }) => fix?.title ?? null)).toEqual([
      null,
      'Delete kfree() (check that .release does it on every path)',
    ]);
  });

  it('is told from what .release does not touch, and from what it gives away otherwise', () => {
    const texts = (release: string, behind: string): string[] =>
      find(driver(release, behind), 'use-after-put').map(({ message }) => message);
    expect(texts('kfree(larch->tag);', 'destroy_workqueue(larch->queue);')).toEqual([
      expect.stringMatching(/; read it into a local variable before the put$/),
    ]);
    expect(texts('kfree(larch->tag);', 'larch_show(larch->tag);')).toEqual([
      expect.stringMatching(/; do this before the put$/),
    ]);
  });
});

describe('a missing put', () => {
  it.each([
    ['a member read', 'kfree(larch->tag);', 'larch_show(larch->id);'],
    ['a second free', 'kfree(larch->tag);', 'kfree(larch->tag);'],
    ['a second put', 'kfree(larch->tag);', 'vfio_put_device(&larch->vdev);'],
  ])('is not cured by a jump to a label with a mistake of its own: %s', (_, release, behind) => {
    const code = driver(release, behind, 'return -EBUSY;');
    const [found] = find(code, 'missing-put');
    expect(applyFix(code, found!.fix!)).toContain(
      '\t\tvfio_put_device(&larch->vdev);\n\t\treturn -EBUSY;',
    );
  });

  it('is cured by a jump to one without', () => {
    const code = driver('kfree(larch->tag);', '', 'return -EBUSY;');
    expect(applyFix(code, find(code, 'missing-put')[0]!.fix!)).toContain(
      'ret = -EBUSY;\n\t\tgoto err_put;',
    );
  });
});

describe('a free in the .release of 6.1', () => {
  const pci = (body: string): string => `struct alder { struct vfio_pci_core_device core; };
static void alder_release(struct vfio_device *vdev)
{
	struct alder *alder = container_of(vdev, struct alder, core.vdev);

	${body}
}
static const struct vfio_device_ops alder_ops = { .name = "alder", .init = vfio_pci_core_init_dev, .release = alder_release };
static int alder_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct alder *alder = vfio_alloc_device(alder, core.vdev, &pdev->dev, &alder_ops);

	return PTR_ERR_OR_ZERO(alder);
}
static struct pci_driver alder_driver = { .driver_managed_dma = true, .probe = alder_probe };
`;
  const rule = 'free-of-core-owned-memory';

  it('becomes the one call that frees what there is', () => {
    const plain = driver('kfree(larch);', '');
    const core = pci('kfree(alder);');
    const [ofPlain, ofCore] = [find(plain, rule, '6.1')[0]!, find(core, rule, '6.1')[0]!];
    expect(ofPlain.message).toMatch(/; call vfio_free_device\(\) last instead$/);
    expect(ofCore.message).toMatch(/; call vfio_pci_core_release_dev\(\) last instead$/);
    expect(applyFix(plain, ofPlain.fix!)).toContain('\tvfio_free_device(vdev);\n');
    expect(applyFix(core, ofCore.fix!)).toContain('\tvfio_pci_core_release_dev(vdev);\n');
  });

  it.each([
    [
      "behind the core's",
      pci('vfio_pci_core_release_dev(vdev);\n\tkfree(alder);'),
      'vfio_pci_core_release_dev',
    ],
    [
      "before the core's",
      pci('kfree(alder);\n\tvfio_pci_core_release_dev(vdev);'),
      'vfio_pci_core_release_dev',
    ],
    ['behind the free', driver('vfio_free_device(vdev);\n\tkfree(larch);', ''), 'vfio_free_device'],
    [
      'before the free',
      driver('kvfree(larch);\n\tvfio_free_device(vdev);', ''),
      'vfio_free_device',
    ],
  ])('goes where another call of the path frees the container: %s', (_, code, api) => {
    const found = analyseText(code, '6.1').filter(
      ({ site, rule: id }) =>
        id === rule || (id === 'use-after-put' && code.slice(site.start, site.end) === 'vdev'),
    );
    expect(found.map(({ message }) => message)).toEqual([
      expect.stringContaining(`, which ${api}() frees too; delete the call`),
    ]);
    expect(found[0]!.fix!.title).toMatch(/^Delete k/);
  });
});
