import { describe, expect, it } from 'vitest';
import type { Behaviour, KernelVersion } from '../../../server/src/kernel/types.ts';
import { API_FUNCTIONS } from '../../../server/src/kernel/lifecycle-api.ts';
import {
  behaviourOf,
  isNoReturn,
  isNullTestMacro,
  isSilent,
  isView,
  retainsArgument,
  testedArgument,
} from '../../../server/src/kernel/lookup.ts';
import { MEMORY } from '../../../server/src/kernel/functions/memory.ts';
import { SUBJECTS } from '../../../server/src/kernel/functions/table.ts';
import { FAMILIES, guessedTouch } from '../../../server/src/kernel/heuristics.ts';
import { RESOURCE_PAIRS, givenBackBy, takenBy } from '../../../server/src/kernel/resource-pairs.ts';
import { parseVersion } from '../../../server/src/kernel/version.ts';
import { GENERAL_FUNCTIONS } from '../../support/general-functions.ts';

const K61: KernelVersion = [6, 1];

/** The effects of a call in one line: `assign-set 0, register 0 | fails: assign-set 0`. */
function effects(name: string, kernel: KernelVersion): string {
  const behaviour = behaviourOf(name, kernel);
  if (behaviour === undefined) return 'unknown';
  if (behaviour === 'neutral') return 'neutral';
  const list = (items: Behaviour['success']) =>
    items
      .map((effect) =>
        [
          effect.op,
          'target' in effect ? effect.target : '',
          'frees' in effect && effect.frees ? 'frees' : '',
        ]
          .filter((part) => part !== '')
          .join(' '),
      )
      .join(', ');
  const failure = behaviour.failure?.length ? ` | fails: ${list(behaviour.failure)}` : '';
  return `${behaviour.errors}${behaviour.cannotFail ? '!' : ''}: ${list(behaviour.success)}${failure}`;
}

describe('effects by kernel', () => {
  it.each([
    ['vfio_init_group_dev', '5.15', 'void: init 0'],
    ['vfio_init_group_dev', '6.1', 'void: init 0'], // removed, but old code is read before it is converted
    ['vfio_alloc_device', '6.1', 'err-ptr: alloc return'],
    ['vfio_alloc_device', '5.15', 'err-ptr: alloc return'],
    ['vfio_register_group_dev', '5.14', 'errno: register 0'],
    ['vfio_register_group_dev', '5.15', 'errno: assign-set 0, register 0 | fails: assign-set 0'],
    [
      'vfio_register_emulated_iommu_dev',
      '6.6',
      'errno: assign-set 0, register 0 | fails: assign-set 0',
    ],
    [
      'vfio_pci_core_register_device',
      '6.1',
      'errno: assign-set 0, register 0 | fails: assign-set 0',
    ],
    ['vfio_unregister_group_dev', '6.1', 'void: unregister 0'],
    ['vfio_put_device', '6.1', 'void: put 0'],
    ['vfio_device_put', '5.15', 'void: put-registration 0'],
    ['vfio_free_device', '6.6', 'void: free-device 0'],
    ['vfio_init_device', '6.1', 'errno: init-device 0'],
    ['vfio_pci_core_init_device', '6.0', 'void: init 0'],
    ['vfio_pci_core_uninit_device', '6.0', 'void: uninit 0'],
    ['vfio_pci_core_init_dev', '6.1', 'errno!: core-init 0'],
    ['vfio_pci_core_init_dev', '6.19', 'errno: core-init 0'],
    ['vfio_pci_core_release_dev', '6.1', 'void: core-release 0 frees'],
    ['vfio_pci_core_release_dev', '6.2', 'void: core-release 0'],
    ['vfio_platform_probe_common', '5.14', 'errno: init 0, register 0'],
    ['vfio_platform_probe_common', '6.0', 'errno: init 0, assign-set 0, register 0'],
    ['vfio_platform_remove_common', '5.14', 'void: unregister 0'],
    ['vfio_platform_remove_common', '6.0', 'void: unregister 0, uninit 0'],
    ['vfio_platform_init_common', '6.1', 'errno: '],
    ['kzalloc', '6.1', 'null-ptr: allocate return'],
    ['kfree', '6.1', 'void: free 0'],
    ['devm_kfree', '6.1', 'void: free 1'],
    ['kmem_cache_free', '6.1', 'void: free 1'],
    ['devm_krealloc', '6.1', 'null-ptr: free 1, allocate return'],
    ['dev_set_drvdata', '6.1', 'void: set-drvdata 0'],
    ['mdev_get_drvdata', '5.15', 'value: get-drvdata 0'],
    ['devm_add_action_or_reset', '6.1', 'errno: defer'],
    ['get_device', '6.1', 'value: get 0'],
    ['ioremap', '6.1', 'null-ptr: '],
    // Neutral, by name and by prefix.
    ['mutex_init', '6.1', 'neutral'],
    ['list_add_tail', '6.1', 'neutral'],
    ['pm_runtime_enable', '6.1', 'neutral'],
    ['dev_err', '6.1', 'neutral'],
    ['dev_err_ratelimited', '6.1', 'neutral'],
    ['ap_driver_register', '6.1', 'neutral'],
    ['devm_request_irq', '6.1', 'neutral'],
    ['wait_event_interruptible', '6.1', 'neutral'],
    ['IS_ERR', '6.1', 'neutral'],
    ['to_pci_dev', '6.1', 'neutral'],
    ['vfio_pin_pages', '6.1', 'neutral'],
    // What may free the object stays unknown, whatever it begins like.
    ['kref_put', '6.1', 'unknown'],
    ['kobject_put', '6.1', 'unknown'],
    ['device_unregister', '6.1', 'unknown'],
    ['devm_release_action', '6.1', 'unknown'],
    ['devm_remove_action', '6.1', 'unknown'],
    ['call_rcu', '6.1', 'unknown'],
    ['klist_del', '6.1', 'unknown'],
    ['platform_device_unregister', '6.1', 'unknown'],
    // A driver's own names.
    ['device_teardown', '6.1', 'unknown'],
    ['write_state', '6.1', 'unknown'],
    ['foo_release', '6.1', 'unknown'],
    ['release', '6.1', 'unknown'],
    ['mutex', '6.1', 'unknown'],
    ['', '6.1', 'unknown'],
    ['_', '6.1', 'unknown'],
    ['__proto__', '6.1', 'unknown'],
    ['constructor', '6.1', 'unknown'],
  ])('%s in %s', (name, kernel, expected) =>
    expect(effects(name, parseVersion(kernel)!)).toBe(expected),
  );
});

describe('the tables', () => {
  const rows = SUBJECTS.flatMap((subject) => Object.entries(subject));
  const names = rows.map(([name]) => name);

  it('say one thing about a name', () => {
    const known = API_FUNCTIONS.map((row) => row.name);
    expect(known.filter((name, at) => known.indexOf(name) !== at)).toEqual([]);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    // What has an effect is not harmless, and an effect of the life cycle is told once.
    for (const [name, row] of rows) {
      const hasEffect = known.includes(name) || row.behaviours !== undefined;
      expect(hasEffect && row.given !== undefined, name).toBe(false);
      expect(known.includes(name) && row.behaviours !== undefined, name).toBe(false);
    }
  });

  it('guess by prefixes that end at an underscore, unless a row says otherwise', () => {
    for (const family of FAMILIES) {
      expect(family.reason).toMatch(/^[A-Z].*\.$/);
      for (const prefix of family.prefixes ?? []) expect(prefix).toMatch(/^[A-Za-z_]\w*_$/);
      for (const suffix of family.suffixes ?? []) expect(suffix).toMatch(/^_\w+$/);
    }
    for (const [name, row] of rows)
      if (row.given === 'unknown') expect(guessedTouch(name), name).toBeDefined();
  });

  it('do not take a life-cycle name for a neutral one', () => {
    for (const name of [...API_FUNCTIONS.map(({ name }) => name), ...GENERAL_FUNCTIONS])
      expect(behaviourOf(name, K61), name).not.toBe('neutral');
  });

  it('know how each allocation is undone', () => {
    for (const [name, row] of Object.entries(MEMORY)) {
      const effect = row.behaviours?.[0]!.success.find((one) => one.op === 'allocate');
      if (!effect || ('managed' in effect && effect.managed)) continue;
      const pair = takenBy(name);
      expect(pair, name).toBeDefined();
      const freed = behaviourOf(pair!.undo[0]!, K61);
      expect(
        freed !== 'neutral' &&
          freed?.success.some((one) => one.op === 'free' && one.target === pair!.given),
        name,
      ).toBe(true);
    }
    // They may drop the last reference of an object of the driver core, and its release function
    // may do anything.
    const unknown = [
      'device_unregister',
      'device_destroy',
      'platform_device_unregister',
      'kobject_put',
    ];
    for (const pair of RESOURCE_PAIRS) {
      for (const name of [...pair.take, ...pair.undo])
        expect(behaviourOf(name, K61) === undefined, name).toBe(unknown.includes(name));
      for (const name of pair.undo) expect(givenBackBy(name)).toContain(pair);
    }
    const takers = RESOURCE_PAIRS.flatMap((pair) => pair.take);
    expect(takers.filter((name, at) => takers.indexOf(name) !== at)).toEqual([]);
  });
});

describe('macros and views', () => {
  it.each([
    ['likely', 0, true, false, false],
    ['WARN_ON', 0, false, false, false],
    ['READ_ONCE', 0, true, false, false],
    ['dev_err_probe', 1, false, false, false],
    ['drm_WARN_ON', 1, false, false, false],
    ['__builtin_expect', 0, true, false, false],
    ['IS_ERR', undefined, false, false, false],
    ['panic', undefined, false, true, false],
    ['BUG', undefined, false, true, false],
    ['BUG_ON', undefined, false, false, false],
    ['to_pci_dev', undefined, false, false, true],
    ['mdev_dev', undefined, false, false, true],
    ['toString', undefined, false, false, false],
  ] as const)('%s', (name, tested, silent, noReturn, view) => {
    expect([testedArgument(name), isSilent(name), isNoReturn(name), isView(name)]).toEqual([
      tested,
      silent,
      noReturn,
      view,
    ]);
  });

  it('knows the tests that hold for NULL', () => {
    expect(['IS_ERR_OR_NULL', 'ZERO_OR_NULL_PTR', 'IS_ERR', 'likely'].map(isNullTestMacro)).toEqual(
      [true, true, false, false],
    );
  });

  it.each(
    `rcu_assign_pointer WRITE_ONCE smp_store_release xchg cmpxchg xa_store_bh xa_alloc_irq mtree_store_range hlist_add_tail_rcu list_replace
    rb_add_cached debugfs_create_file_unsafe kthread_create_on_node irq_set_handler_data irq_set_chip_data pci_request_irq
    acpi_install_notify_handler vfio_virqfd_enable kvm_page_track_register_notifier iommufd_access_create`.split(
      /\s+/,
    ),
  )('%s() keeps the pointer', (name) => {
    expect(retainsArgument(name)).toBe(true);
    expect(behaviourOf(name, [6, 12])).toBe('neutral');
  });

  it('knows who keeps a pointer', () => {
    expect([
      retainsArgument('list_add'),
      retainsArgument('list_del'),
      retainsArgument('request_irq'),
      retainsArgument('free_irq'),
    ]).toEqual([true, false, true, false]);
  });
});
