import type { GeneralFunction } from './types.ts';
import { ALWAYS, returnsPointer, returnsValue, returnsVoid } from './rows.ts';

const allocate = (name: string): GeneralFunction => ({
  name,
  behaviours: [returnsPointer(ALWAYS, { op: 'allocate', target: 'return' })],
});
const manage = (name: string): GeneralFunction => ({
  name,
  behaviours: [returnsPointer(ALWAYS, { op: 'allocate', target: 'return', managed: true })],
});
const free = (name: string, target: number): GeneralFunction => ({
  name,
  behaviours: [returnsVoid(ALWAYS, { op: 'free', target })],
});
/** The old block is gone when the call succeeds, and untouched when it fails. */
const reallocate = (name: string, target: number, managed?: boolean): GeneralFunction => ({
  name,
  behaviours: [
    returnsPointer(ALWAYS, { op: 'free', target }, { op: 'allocate', target: 'return', managed }),
  ],
});

/** Allocators of memory that a driver can keep its container in. All return NULL on failure. */
const ALLOCATORS = [
  'kmalloc',
  'kzalloc',
  'kcalloc',
  'kmalloc_array',
  'kmalloc_node',
  'kzalloc_node',
  'kcalloc_node',
  'kmalloc_array_node',
  'kmalloc_obj',
  'kzalloc_obj',
  'kmalloc_objs',
  'kzalloc_objs',
  'kmalloc_flex',
  'kzalloc_flex',
  'kvmalloc',
  'kvzalloc',
  'kvcalloc',
  'kvmalloc_array',
  'kvmalloc_node',
  'kvzalloc_node',
  'kvzalloc_obj',
  'kvmalloc_obj',
  'vmalloc',
  'vzalloc',
  'vmalloc_node',
  'vzalloc_node',
  'vmalloc_user',
  'vmalloc_32',
  'vmalloc_32_user',
  'vmalloc_huge',
  '__vmalloc',
  'vcalloc',
  'vmalloc_array',
  'kmemdup',
  'kvmemdup',
  'kmemdup_nul',
  'kmemdup_array',
  'kstrdup',
  'kstrdup_const',
  'kstrndup',
  'kasprintf',
  'kvasprintf',
  'kmem_cache_alloc',
  'kmem_cache_zalloc',
  'kmem_cache_alloc_node',
  'mempool_alloc',
];

const MANAGED_ALLOCATORS = [
  'devm_kmalloc',
  'devm_kzalloc',
  'devm_kcalloc',
  'devm_kmalloc_array',
  'devm_kmemdup',
  'devm_kmemdup_array',
  'devm_kstrdup',
  'devm_kasprintf',
  'devm_kvasprintf',
  'drmm_kmalloc',
  'drmm_kzalloc',
  'drmm_kcalloc',
];

/** Memory: who gives it and who takes it back. The position is that of the block. */
export const MEMORY_FUNCTIONS: readonly GeneralFunction[] = [
  ...ALLOCATORS.map(allocate),
  ...MANAGED_ALLOCATORS.map(manage),
  reallocate('krealloc', 0),
  reallocate('krealloc_array', 0),
  reallocate('kvrealloc', 0),
  reallocate('devm_krealloc', 1, true),
  // memdup_user() and its like tell failure by ERR_PTR, unlike all the others.
  ...[
    'memdup_user',
    'vmemdup_user',
    'memdup_user_nul',
    'memdup_array_user',
    'vmemdup_array_user',
    'strndup_user',
  ].map((name): GeneralFunction => ({
    name,
    behaviours: [
      { kernels: ALWAYS, errors: 'err-ptr', success: [{ op: 'allocate', target: 'return' }] },
    ],
  })),
  free('kfree', 0),
  free('kfree_const', 0),
  free('kfree_sensitive', 0),
  free('kzfree', 0),
  free('kvfree', 0),
  free('kvfree_sensitive', 0),
  free('vfree', 0),
  free('vfree_atomic', 0),
  free('kfree_rcu', 0),
  free('kvfree_rcu', 0),
  free('kfree_rcu_mightsleep', 0),
  free('kvfree_rcu_mightsleep', 0),
  free('kmem_cache_free', 1),
  free('mempool_free', 0),
  free('devm_kfree', 1),
  free('drmm_kfree', 1),
  free('free_page', 0),
  free('free_pages', 0),
  // The pages of these are described by a struct page, or belong to the DMA layer: no container
  // lives there.
  ...[
    'alloc_page',
    'alloc_pages',
    'alloc_pages_node',
    'dma_alloc_coherent',
    'dmam_alloc_coherent',
    'dma_alloc_attrs',
    'dma_pool_alloc',
    'dma_pool_zalloc',
    'dma_pool_create',
    'ioremap',
    'ioremap_wc',
    'ioremap_cache',
    'memremap',
    'pci_iomap',
    'pci_iomap_range',
    'pci_ioremap_bar',
    'devm_ioremap',
    'alloc_workqueue',
    'alloc_ordered_workqueue',
    'create_singlethread_workqueue',
    'kmem_cache_create',
    'bitmap_zalloc',
    'bitmap_alloc',
    'alloc_percpu',
    'kobject_create_and_add',
    'kset_create_and_add',
  ].map((name): GeneralFunction => ({ name, behaviours: [returnsPointer(ALWAYS)] })),
  {
    // It tells failure by ERR_PTR (v6.12 kernel/iomem.c), unlike memremap().
    name: 'devm_memremap',
    behaviours: [{ kernels: ALWAYS, errors: 'err-ptr', success: [] }],
  },
  ...['__get_free_page', '__get_free_pages', 'get_zeroed_page'].map((name): GeneralFunction => ({
    name,
    behaviours: [returnsValue(ALWAYS)],
  })),
];
