import { describe, expect, it } from 'vitest';
import { convert, whyNothing } from '../../../server/src/engine/convert.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { OLD } from '../../support/drivers.ts';
import { engineWith, kernel, single } from './support.ts';

const engine = await engineWith(kernelStages.rules);
const NEW =
  'struct rivet { struct vfio_device vdev; };\nstatic const struct vfio_device_ops rivet_ops = { .name = "rivet" };\nstatic struct rivet *rivet_new(struct device *dev)\n{\n\treturn vfio_alloc_device(rivet, vdev, dev, &rivet_ops);\n}\n';

describe('a conversion that changes nothing says why', () => {
  it.each([
    [
      'the new model',
      NEW,
      'nothing to convert: rivet_new() already uses vfio_alloc_device() (line 5)',
      false,
    ],
    ['no VFIO', 'int rivet;\n', 'nothing to convert: it does not use VFIO', false],
    [
      'no device',
      'static const struct vfio_device_ops rivet_ops = { .name = "rivet" };\n',
      'nothing to convert: it neither allocates nor initialises a VFIO device',
      false,
    ],
    [
      'VFIO itself',
      'void vfio_init_group_dev(struct vfio_device *device)\n{\n}\n',
      'nothing to convert: it defines vfio_init_group_dev(), which makes it a part of VFIO itself and no driver',
      true,
    ],
    [
      'other kernels',
      `#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)\n${'void rivet_undo(struct vfio_device *vdev)\n{\n\tvfio_uninit_group_dev(vdev);\n}\n'}#endif\n`,
      'nothing to convert: vfio_uninit_group_dev() at line 4 is for other kernels than 6.1',
      false,
    ],
  ])('%s', (_, text, reason, isOld) => {
    expect(convert(engine, single(text), kernel('6.1'), undefined).status).toBe('unchanged');
    expect(whyNothing(engine, single(text), kernel('6.1'))).toEqual({ reason, isOld });
  });

  it.each([
    [
      'vfio_register_emulated_iommu_dev(&bar->vdev)',
      'vfio_register_emulated_iommu_dev(&bar->vdev, &mdev->dev)',
      'vfio_register_emulated_iommu_dev() with 2 arguments, which no release of Linux has: it takes 1',
    ],
    [
      'vfio_init_group_dev(&bar->vdev, ',
      'vfio_init_group_dev(',
      'vfio_init_group_dev() with 2 arguments, which no release of Linux has: it takes 3',
    ],
  ])('an interface of no release: %s', (good, bad, reason) => {
    expect(OLD).toContain(good);
    expect(
      convert(engine, single(OLD.replaceAll(good, bad)), kernel('6.1'), undefined),
    ).toMatchObject({
      status: 'refused',
      code: 'unknown-interface',
      reason: expect.stringContaining(reason),
    });
  });
});
