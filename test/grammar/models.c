// SYNTAX TEST "source.c" "life-cycle functions by model"

    vfio_init_group_dev(&foo->vdev, dev, &foo_ops);
//  ^^^^^^^^^^^^^^^^^^^ support.function.vfio.old.c
//                     ^ - support.function
    vfio_uninit_group_dev(&foo->vdev);
//  ^^^^^^^^^^^^^^^^^^^^^ support.function.vfio.old.c
    foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
//  ^^^ - support.function
//        ^^^^^^^^^^^^^^^^^ support.function.vfio.new.c
    vfio_put_device (&foo->vdev);
//  ^^^^^^^^^^^^^^^ support.function.vfio.new.c
    vfio_device_put(&foo->vdev);
//  ^^^^^^^^^^^^^^^ support.function.vfio.old.c
    ret = vfio_register_group_dev(&foo->vdev);
//        ^^^^^^^^^^^^^^^^^^^^^^^ support.function.vfio.registration.c
    if (vfio_register_emulated_iommu_dev(&foo->vdev))
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ support.function.vfio.registration.c
    vfio_pci_core_init_device(vdev, pdev, &foo_ops);
//  ^^^^^^^^^^^^^^^^^^^^^^^^^ support.function.vfio.core.old.c
    .init = vfio_pci_core_init_dev,
//          ^^^^^^^^^^^^^^^^^^^^^^ support.function.vfio.core.new.c
    .release = vfio_pci_core_release_dev,
//             ^^^^^^^^^^^^^^^^^^^^^^^^^ support.function.vfio.core.new.c
    ret = vfio_pci_core_register_device(vdev);
//        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ support.function.vfio.core.c

static const struct vfio_device_ops foo_ops = {
//                  ^^^^^^^^^^^^^^^ support.type.vfio.c
//           ^^^^^^ storage.type.c
    struct vfio_device vdev;
//         ^^^^^^^^^^^ support.type.vfio.c

    my_vfio_put_device(foo);
//  ^^^^^^^^^^^^^^^^^^ - support.function
    vfio_put_device_later(foo);
//  ^^^^^^^^^^^^^^^^^^^^^ - support.function
    kfree(foo);
//  ^^^^^ - support.function
    vfio_device = foo;
//  ^^^^^^^^^^^ - support.type
    struct vfio_device_state *state;
//         ^^^^^^^^^^^^^^^^^ - support.type
