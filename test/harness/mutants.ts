/** A change to subject/new.c, and whether it is one that must be seen. */
export interface Mutant {
  readonly name: string;
  readonly replace: readonly (readonly [from: string, to: string])[];
  /** The compiler is to find it; whatever else is broken must show when it runs. */
  readonly tidy?: true;
}

const ALLOCATION_FAILED = '\tif (IS_ERR(p)) {\n\t\tret = PTR_ERR(p);\n\t\tgoto err_ports;\n\t}';
const REMOVE =
  '\tint ports = p->ports;\n\n\tvfio_unregister_group_dev(&p->vdev);\n\tvfio_put_device(&p->vdev);\n\tatomic_add(ports, &ports_left);';

/** What a converter gets wrong, and what a tired person does: each must be found. */
export const broken: readonly Mutant[] = [
  {
    name: 'a conditional failure becomes an unconditional one',
    replace: [['if (ret && p->strict)', 'if (ret)']],
  },
  {
    name: 'a condition swallows the failure',
    replace: [['if (ret && p->strict)', 'if (ret && !p->strict)']],
  },
  {
    name: '.init returns what a failure that does not count has left',
    replace: [
      ['\t\tgoto err_config;\n\t}\n\treturn 0;', '\t\tgoto err_config;\n\t}\n\treturn ret;'],
    ],
  },
  {
    name: 'an early return skips an undo done before the allocation',
    replace: [['\t\tret = PTR_ERR(p);\n\t\tgoto err_ports;', '\t\treturn PTR_ERR(p);']],
  },
  {
    name: 'a copy of a member is read after the put',
    replace: [
      [
        REMOVE,
        '\tvfio_unregister_group_dev(&p->vdev);\n\tvfio_put_device(&p->vdev);\n\tatomic_add(p->ports, &ports_left);',
      ],
    ],
  },
  {
    name: 'one ops table for both',
    replace: [['type->strict ? &strict_ops : &lax_ops', '&lax_ops']],
  },
  {
    name: 'the second ops table has no .release',
    replace: [
      [
        '.name = "strict",\n\t.init = subject_init_dev,\n\t.release = subject_release_dev,',
        '.name = "strict",\n\t.init = subject_init_dev,',
      ],
    ],
  },
  {
    name: 'the second ops table has no .init',
    replace: [['.name = "strict",\n\t.init = subject_init_dev,', '.name = "strict",']],
  },
  {
    name: 'ret is not set where the only assignment is gone',
    replace: [['\t\tret = PTR_ERR(p);\n\t\tgoto err_ports;', '\t\tgoto err_ports;']],
  },
  { name: 'NULL is what the allocation is tested for', replace: [['IS_ERR(p)', '!p']] },
  { name: 'another error than that of .init', replace: [['ret = PTR_ERR(p)', 'ret = -ENODEV']] },
  {
    name: 'an error pointer is put',
    replace: [[ALLOCATION_FAILED, ALLOCATION_FAILED.replace('goto err_ports', 'goto err_put')]],
  },
  {
    name: 'registration fails without a put',
    replace: [
      ['\t\tgoto err_put;', '\t\tgoto err_ports;'],
      ['err_put:\n\tvfio_put_device(&p->vdev);\n', ''],
    ],
  },
  {
    name: 'registration fails and is ignored',
    replace: [
      ['\tif (ret)\n\t\tgoto err_put;\n', ''],
      ['err_put:\n\tvfio_put_device(&p->vdev);\n', ''],
    ],
  },
  {
    name: 'registration fails and the device is unregistered',
    replace: [['err_put:\n', 'err_put:\n\tvfio_unregister_group_dev(&p->vdev);\n']],
  },
  {
    name: 'kfree stays under one of the labels',
    replace: [['err_put:\n\tvfio_put_device(&p->vdev);', 'err_put:\n\tkfree(p);']],
  },
  {
    name: 'put, and kfree as before',
    replace: [
      [
        '\tvfio_put_device(&p->vdev);\n\tatomic_add(ports',
        '\tvfio_put_device(&p->vdev);\n\tkfree(p);\n\tatomic_add(ports',
      ],
    ],
  },
  {
    name: 'remove puts twice',
    replace: [
      [
        '\tvfio_put_device(&p->vdev);\n\tatomic_add(ports',
        '\tvfio_put_device(&p->vdev);\n\tvfio_put_device(&p->vdev);\n\tatomic_add(ports',
      ],
    ],
  },
  {
    name: 'remove does not put',
    replace: [['\tvfio_put_device(&p->vdev);\n\tatomic_add(ports', '\tatomic_add(ports']],
  },
  {
    name: 'remove puts before it unregisters',
    replace: [
      [
        '\tvfio_unregister_group_dev(&p->vdev);\n\tvfio_put_device(&p->vdev);',
        '\tvfio_put_device(&p->vdev);\n\tvfio_unregister_group_dev(&p->vdev);',
      ],
    ],
  },
  {
    name: 'remove does not unregister',
    replace: [['\tvfio_unregister_group_dev(&p->vdev);\n', '']],
  },
  {
    name: 'the uninit stays',
    replace: [
      [
        '\tvfio_put_device(&p->vdev);\n\tatomic_add(ports',
        '\tvfio_uninit_group_dev(&p->vdev);\n\tvfio_put_device(&p->vdev);\n\tatomic_add(ports',
      ],
      [
        'struct subject_type {',
        'void vfio_uninit_group_dev(struct vfio_device *device);\n\nstruct subject_type {',
      ],
    ],
  },
  {
    name: 'remove does not give the ports back',
    replace: [['\tatomic_add(ports, &ports_left);\n', '']],
  },
  {
    name: 'remove and .release both give the ports back',
    replace: [
      [
        '\tkfree(p->config);\n\tvfio_free_device(vdev);',
        '\tkfree(p->config);\n\tatomic_add(p->ports, &ports_left);\n\tvfio_free_device(vdev);',
      ],
    ],
  },
  {
    name: 'probe does not give the ports back',
    replace: [['err_ports:\n\tatomic_add(type->ports, &ports_left);', 'err_ports:']],
  },
  {
    name: '.release frees what remove has freed',
    replace: [
      [
        '\tvfio_put_device(&p->vdev);\n\tatomic_add(ports',
        '\tkfree(p->config);\n\tvfio_put_device(&p->vdev);\n\tatomic_add(ports',
      ],
    ],
  },
  {
    name: '.release leaks what .init took',
    replace: [['\tkfree(p->config);\n\tvfio_free_device(vdev);', '\tvfio_free_device(vdev);']],
  },
  { name: '.release does not free the device', replace: [['\tvfio_free_device(vdev);\n', '']] },
  {
    name: '.release frees the device first',
    replace: [
      [
        '\tvfree(p->memory);\n\tkfree(p->config);\n\tvfio_free_device(vdev);',
        '\tvfio_free_device(vdev);\n\tvfree(p->memory);\n\tkfree(p->config);',
      ],
    ],
  },
  {
    name: '.release frees the device with kfree',
    replace: [['\tvfio_free_device(vdev);', '\tkfree(p);']],
  },
  {
    name: '.release undoes in another order',
    replace: [
      [
        '\tvfree(p->memory);\n\tkfree(p->config);\n\tvfio',
        '\tkfree(p->config);\n\tvfree(p->memory);\n\tvfio',
      ],
    ],
  },
  {
    name: '.release finds its device by the driver data',
    replace: [
      [
        '\tstruct subject *p = container_of(vdev, struct subject, vdev);\n\n\tvfree',
        '\tstruct subject *p = dev_get_drvdata(vdev->dev);\n\n\tvfree',
      ],
    ],
  },
  {
    name: '.init does not undo what it did before it fails',
    replace: [['err_config:\n\tkfree(p->config);\n\treturn ret;', 'err_config:\n\treturn ret;']],
  },
  {
    name: '.init frees the device when it fails',
    replace: [
      [
        'err_config:\n\tkfree(p->config);\n',
        'err_config:\n\tkfree(p->config);\n\tvfio_free_device(vdev);\n',
      ],
    ],
  },
  {
    name: '.init leaves out the lock',
    replace: [['\tmutex_init(&p->lock);\n\n\tp->config', '\tp->config']],
  },
  { name: 'the driver data is not set', replace: [['\tdev_set_drvdata(&mdev->dev, p);\n', '']] },
  {
    name: 'a label is left over',
    tidy: true,
    replace: [['err_put:\n', 'err_memory:\nerr_put:\n']],
  },
  {
    name: 'a variable is left over',
    tidy: true,
    replace: [
      ['\tint ports = p->ports;\n\n', '\tint ports = p->ports;\n\tvoid *memory = p->memory;\n\n'],
    ],
  },
  {
    name: 'an old call is left over',
    replace: [
      [
        '\tvfio_put_device(&p->vdev);\n\tatomic_add(ports',
        '\tvfio_uninit_group_dev(&p->vdev);\n\tvfio_put_device(&p->vdev);\n\tatomic_add(ports',
      ],
    ],
  },
  {
    name: 'the vfio_device is not the first member',
    replace: [
      [
        'struct subject {\n\tstruct vfio_device vdev;\n\tstruct mutex lock;',
        'struct subject {\n\tstruct mutex lock;\n\tstruct vfio_device vdev;',
      ],
    ],
  },
];

/** What is as good: none of these may be reported. */
export const equivalent: readonly Mutant[] = [
  { name: 'as it is', replace: [] },
  {
    name: 'the put is in a helper',
    replace: [
      [
        'static int subject_probe(',
        'static void subject_put(struct subject *p)\n{\n\tvfio_put_device(&p->vdev);\n}\n\nstatic int subject_probe(',
      ],
      ['\tvfio_put_device(&p->vdev);\n\tatomic_add(ports', '\tsubject_put(p);\n\tatomic_add(ports'],
      ['err_put:\n\tvfio_put_device(&p->vdev);', 'err_put:\n\tsubject_put(p);'],
    ],
  },
  {
    name: 'remove undoes what .release undid, before the put',
    replace: [
      [
        '\tvfree(p->memory);\n\tkfree(p->config);\n\tvfio_free_device(vdev);',
        '\tvfio_free_device(vdev);',
      ],
      [
        'static void subject_release_dev(struct vfio_device *vdev)\n{\n\tstruct subject *p = container_of(vdev, struct subject, vdev);\n\n',
        'static void subject_release_dev(struct vfio_device *vdev)\n{\n',
      ],
      [
        '\tvfio_put_device(&p->vdev);\n\tatomic_add(ports',
        '\tvfree(p->memory);\n\tkfree(p->config);\n\tvfio_put_device(&p->vdev);\n\tatomic_add(ports',
      ],
      ['err_put:\n', 'err_put:\n\tvfree(p->memory);\n\tkfree(p->config);\n'],
    ],
  },
  {
    name: 'the driver data is set before the registration',
    replace: [
      ['\tdev_set_drvdata(&mdev->dev, p);\n', ''],
      [
        '\tret = vfio_register_emulated_iommu_dev',
        '\tdev_set_drvdata(&mdev->dev, p);\n\tret = vfio_register_emulated_iommu_dev',
      ],
    ],
  },
];

/** The text with a mutant's changes; throws when a text to replace is not there exactly once. */
export function mutate(text: string, mutant: Mutant): string {
  return mutant.replace.reduce((result, [from, to]) => {
    if (result.split(from).length !== 2)
      throw new Error(`${mutant.name}: not exactly once: ${from}`);
    return result.replace(from, () => to);
  }, text);
}
