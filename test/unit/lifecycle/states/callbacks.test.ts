import { describe, expect, test } from 'vitest';
import { FOO, probe, states } from '../support.ts';

describe('callbacks of the core', () => {
  test('.init begins with memory and without a reference', () => {
    expect(
      states(
        FOO.replace('.name', '.init = init, .name') +
          `static int init(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);
	vfio_put_device(&foo->vdev);
	return -EIO;
}
` +
          probe(`	return -EIO;
`),
        'init',
      ),
    ).toMatchInlineSnapshot(`
  "
  4 put &foo->vdev: new live -> new dropped freed
  5 leaves failure, stored: new dropped freed
  "
`);
  });
  test('.release begins after the last put', () => {
    expect(
      states(
        FOO.replace('.name', '.release = release, .name') +
          `static void release(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);
	vfio_free_device(&foo->vdev);
}
` +
          probe(`	return -EIO;
`),
        'release',
        '6.1',
      ),
    ).toMatchInlineSnapshot(`
  "
  4 free-device &foo->vdev: new dropped live -> new dropped freed
  5 leaves void, stored: new dropped freed
  "
`);
  });
  test('.release of vfio-pci frees in 6.1', () => {
    expect(
      states(
        FOO.replace('.name', '.release = release, .name') +
          `static void release(struct vfio_device *vdev)
{
	vfio_pci_core_release_dev(vdev);
}
` +
          probe(`	return -EIO;
`),
        'release',
        '6.1',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 core-release vdev: new dropped live -> new dropped freed
  4 leaves void, stored: new dropped freed
  "
`);
  });
  test('and not in 6.2', () => {
    expect(
      states(
        FOO.replace('.name', '.release = release, .name') +
          `static void release(struct vfio_device *vdev)
{
	vfio_pci_core_release_dev(vdev);
}
` +
          probe(`	return -EIO;
`),
        'release',
        '6.2',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 core-release vdev: new dropped live -> new dropped live
  4 leaves void, stored: new dropped live
  "
`);
  });
});
