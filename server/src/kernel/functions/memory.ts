/** Memory: who gives it, and who takes it back. */
import { reads, type FunctionRows, type Resource } from './row.ts';
import {
  ALLOCATES,
  ALLOCATES_MANAGED,
  ALLOCATES_OR_ERR,
  REALLOCATES_MANAGED,
  GIVES_POINTER,
  GIVES_POINTER_OR_ERR,
  GIVES_VALUE,
  frees,
  reallocates,
} from './behaviours.ts';
import { words } from '../behaviour-builders.ts';

const SLAB_MEMORY: Resource = {
  undo: words('kfree kfree_sensitive kvfree kfree_rcu'),
  taken: 'return',
  given: 0,
};

const CONSTANT_STRING: Resource = {
  undo: words('kfree_const'),
  taken: 'return',
  given: 0,
};

const KV_MEMORY: Resource = {
  undo: words('kvfree kvfree_sensitive kvfree_rcu'),
  taken: 'return',
  given: 0,
};

const V_MEMORY: Resource = {
  undo: words('vfree vfree_atomic kvfree'),
  taken: 'return',
  given: 0,
};

const CACHE_OBJECT: Resource = {
  undo: words('kmem_cache_free kfree'),
  taken: 'return',
  given: 1,
  givenAs: new Map([['kfree', 0]]),
};

const POOL_ELEMENT: Resource = {
  undo: words('mempool_free'),
  taken: 'return',
  given: 0,
};

const CACHE: Resource = {
  undo: words('kmem_cache_destroy'),
  taken: 'return',
  given: 0,
};

const PAGE: Resource = {
  undo: words('__free_page __free_pages'),
  taken: 'return',
  given: 0,
};

const PAGE_ADDRESS: Resource = {
  undo: words('free_page free_pages'),
  taken: 'return',
  given: 0,
};

const BITMAP: Resource = {
  undo: words('bitmap_free'),
  taken: 'return',
  given: 0,
};

const PERCPU_MEMORY: Resource = {
  undo: words('free_percpu'),
  taken: 'return',
  given: 0,
};

const DMA_MEMORY: Resource = {
  undo: words('dma_free_coherent dma_free_attrs'),
  taken: 'return',
  given: 2,
};

const DMA_POOL: Resource = {
  undo: words('dma_pool_destroy'),
  taken: 'return',
  given: 0,
};

const DMA_POOL_BLOCK: Resource = {
  undo: words('dma_pool_free'),
  taken: 'return',
  given: 1,
};

const IO_MAPPING: Resource = {
  undo: words('iounmap'),
  taken: 'return',
  given: 0,
};

const MEMORY_MAPPING: Resource = {
  undo: words('memunmap'),
  taken: 'return',
  given: 0,
};

const BAR_MAPPING: Resource = {
  undo: words('pci_iounmap iounmap'),
  taken: 'return',
  given: 1,
  givenAs: new Map([['iounmap', 0]]),
};

const WHOLE_BAR_MAPPING: Resource = {
  undo: words('iounmap pci_iounmap'),
  taken: 'return',
  given: 0,
  givenAs: new Map([['pci_iounmap', 1]]),
};

const WORKQUEUE: Resource = {
  undo: words('destroy_workqueue'),
  taken: 'return',
  given: 0,
};

const KFIFO: Resource = {
  undo: words('kfifo_free'),
  taken: 0,
  given: 0,
  isContent: true,
};

const KOBJECT: Resource = {
  undo: words('kobject_put'),
  taken: 'return',
  given: 0,
};

export const MEMORY: FunctionRows = {
  kmalloc: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kzalloc: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kcalloc: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kmalloc_array: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kmalloc_node: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kzalloc_node: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kcalloc_node: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kmalloc_array_node: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kmalloc_obj: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kzalloc_obj: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kmalloc_objs: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kzalloc_objs: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kmalloc_flex: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kzalloc_flex: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kvmalloc: { behaviours: ALLOCATES, takes: KV_MEMORY },
  kvzalloc: { behaviours: ALLOCATES, takes: KV_MEMORY },
  kvcalloc: { behaviours: ALLOCATES, takes: KV_MEMORY },
  kvmalloc_array: { behaviours: ALLOCATES, takes: KV_MEMORY },
  kvmalloc_node: { behaviours: ALLOCATES, takes: KV_MEMORY },
  kvzalloc_node: { behaviours: ALLOCATES, takes: KV_MEMORY },
  kvzalloc_obj: { behaviours: ALLOCATES, takes: KV_MEMORY },
  kvmalloc_obj: { behaviours: ALLOCATES, takes: KV_MEMORY },
  vmalloc: { behaviours: ALLOCATES, takes: V_MEMORY },
  vzalloc: { behaviours: ALLOCATES, takes: V_MEMORY },
  vmalloc_node: { behaviours: ALLOCATES, takes: V_MEMORY },
  vzalloc_node: { behaviours: ALLOCATES, takes: V_MEMORY },
  vmalloc_user: { behaviours: ALLOCATES, takes: V_MEMORY },
  vmalloc_32: { behaviours: ALLOCATES, takes: V_MEMORY },
  vmalloc_32_user: { behaviours: ALLOCATES, takes: V_MEMORY },
  vmalloc_huge: { behaviours: ALLOCATES, takes: V_MEMORY },
  __vmalloc: { behaviours: ALLOCATES, takes: V_MEMORY },
  vcalloc: { behaviours: ALLOCATES, takes: V_MEMORY },
  vmalloc_array: { behaviours: ALLOCATES, takes: V_MEMORY },
  kmemdup: { behaviours: ALLOCATES, takes: SLAB_MEMORY, bytes: [reads(0, 1)], sleeps: 'by-flags' },
  kvmemdup: { behaviours: ALLOCATES, takes: KV_MEMORY, bytes: [reads(0, 1)] },
  kmemdup_nul: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kmemdup_array: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kstrdup: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kstrdup_const: { behaviours: ALLOCATES, takes: CONSTANT_STRING, sleeps: 'by-flags' },
  kstrndup: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kasprintf: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kvasprintf: { behaviours: ALLOCATES, takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kmem_cache_alloc: { behaviours: ALLOCATES, takes: CACHE_OBJECT, sleeps: 'by-flags' },
  kmem_cache_zalloc: { behaviours: ALLOCATES, takes: CACHE_OBJECT, sleeps: 'by-flags' },
  kmem_cache_alloc_node: { behaviours: ALLOCATES, takes: CACHE_OBJECT, sleeps: 'by-flags' },
  mempool_alloc: { behaviours: ALLOCATES, takes: POOL_ELEMENT, sleeps: 'by-flags' },
  devm_kmalloc: { touches: 'kernel', behaviours: ALLOCATES_MANAGED, sleeps: 'by-flags' },
  devm_kzalloc: { touches: 'kernel', behaviours: ALLOCATES_MANAGED, sleeps: 'by-flags' },
  devm_kcalloc: { touches: 'kernel', behaviours: ALLOCATES_MANAGED, sleeps: 'by-flags' },
  devm_kmalloc_array: { touches: 'kernel', behaviours: ALLOCATES_MANAGED, sleeps: 'by-flags' },
  devm_kmemdup: {
    touches: 'kernel',
    behaviours: ALLOCATES_MANAGED,
    bytes: [reads(1, 2)],
    sleeps: 'by-flags',
  },
  devm_kmemdup_array: { touches: 'kernel', behaviours: ALLOCATES_MANAGED, sleeps: 'by-flags' },
  devm_kstrdup: { touches: 'kernel', behaviours: ALLOCATES_MANAGED, sleeps: 'by-flags' },
  devm_kasprintf: { touches: 'kernel', behaviours: ALLOCATES_MANAGED, sleeps: 'by-flags' },
  devm_kvasprintf: { touches: 'kernel', behaviours: ALLOCATES_MANAGED, sleeps: 'by-flags' },
  drmm_kmalloc: { touches: 'kernel', behaviours: ALLOCATES_MANAGED, sleeps: 'by-flags' },
  drmm_kzalloc: { touches: 'kernel', behaviours: ALLOCATES_MANAGED, sleeps: 'by-flags' },
  drmm_kcalloc: { touches: 'kernel', behaviours: ALLOCATES_MANAGED, sleeps: 'by-flags' },
  krealloc: { behaviours: reallocates(0), takes: SLAB_MEMORY, sleeps: 'by-flags' },
  krealloc_array: { behaviours: reallocates(0), takes: SLAB_MEMORY, sleeps: 'by-flags' },
  kvrealloc: { behaviours: reallocates(0), takes: KV_MEMORY },
  devm_krealloc: { touches: 'kernel', behaviours: REALLOCATES_MANAGED, sleeps: 'by-flags' },
  memdup_user: { behaviours: ALLOCATES_OR_ERR, takes: SLAB_MEMORY },
  vmemdup_user: { behaviours: ALLOCATES_OR_ERR, takes: KV_MEMORY },
  memdup_user_nul: { behaviours: ALLOCATES_OR_ERR, takes: SLAB_MEMORY },
  memdup_array_user: { behaviours: ALLOCATES_OR_ERR, takes: SLAB_MEMORY },
  vmemdup_array_user: { behaviours: ALLOCATES_OR_ERR, takes: KV_MEMORY },
  strndup_user: { behaviours: ALLOCATES_OR_ERR, takes: SLAB_MEMORY },
  kfree: { behaviours: frees(0), ignoresNull: true, sleeps: 'never' },
  kfree_const: { behaviours: frees(0), ignoresNull: true, sleeps: 'never' },
  kfree_sensitive: { behaviours: frees(0), wipes: true, ignoresNull: true, sleeps: 'never' },
  kzfree: { behaviours: frees(0), wipes: true, ignoresNull: true, sleeps: 'never' },
  kvfree: { behaviours: frees(0), ignoresNull: true },
  kvfree_sensitive: { behaviours: frees(0), wipes: true },
  vfree: { behaviours: frees(0), ignoresNull: true },
  vfree_atomic: { behaviours: frees(0), sleeps: 'never' },
  kfree_rcu: { behaviours: frees(0), afterReaders: true, sleeps: 'never' },
  kvfree_rcu: { behaviours: frees(0), afterReaders: true, sleeps: 'never' },
  kfree_rcu_mightsleep: { behaviours: frees(0), afterReaders: true },
  kvfree_rcu_mightsleep: { behaviours: frees(0), afterReaders: true },
  kmem_cache_free: { behaviours: frees(1), sleeps: 'never' },
  mempool_free: { behaviours: frees(0), sleeps: 'never' },
  devm_kfree: { touches: 'kernel', behaviours: frees(1), sleeps: 'never' },
  drmm_kfree: { touches: 'kernel', behaviours: frees(1) },
  free_page: { behaviours: frees(0), sleeps: 'never' },
  free_pages: { behaviours: frees(0), sleeps: 'never' },
  alloc_page: { behaviours: GIVES_POINTER, takes: PAGE, sleeps: 'by-flags' },
  alloc_pages: { behaviours: GIVES_POINTER, takes: PAGE, sleeps: 'by-flags' },
  alloc_pages_node: { behaviours: GIVES_POINTER, takes: PAGE, sleeps: 'by-flags' },
  dma_alloc_coherent: {
    touches: 'kernel',
    behaviours: GIVES_POINTER,
    takes: DMA_MEMORY,
    sleeps: 'by-flags',
  },
  dmam_alloc_coherent: { touches: 'kernel', behaviours: GIVES_POINTER },
  dma_alloc_attrs: {
    touches: 'kernel',
    behaviours: GIVES_POINTER,
    takes: DMA_MEMORY,
    sleeps: 'by-flags',
  },
  dma_pool_alloc: {
    touches: 'kernel',
    behaviours: GIVES_POINTER,
    takes: DMA_POOL_BLOCK,
    sleeps: 'by-flags',
  },
  dma_pool_zalloc: {
    touches: 'kernel',
    behaviours: GIVES_POINTER,
    takes: DMA_POOL_BLOCK,
    sleeps: 'by-flags',
  },
  dma_pool_create: { touches: 'kernel', behaviours: GIVES_POINTER, takes: DMA_POOL },
  ioremap: { behaviours: GIVES_POINTER, takes: IO_MAPPING },
  ioremap_wc: { behaviours: GIVES_POINTER, takes: IO_MAPPING },
  ioremap_cache: { behaviours: GIVES_POINTER, takes: IO_MAPPING },
  memremap: { behaviours: GIVES_POINTER, takes: MEMORY_MAPPING },
  pci_iomap: { touches: 'kernel', behaviours: GIVES_POINTER, takes: BAR_MAPPING },
  pci_iomap_range: { touches: 'kernel', behaviours: GIVES_POINTER, takes: BAR_MAPPING },
  pci_ioremap_bar: { touches: 'kernel', behaviours: GIVES_POINTER, takes: WHOLE_BAR_MAPPING },
  devm_ioremap: { touches: 'kernel', behaviours: GIVES_POINTER },
  alloc_workqueue: { behaviours: GIVES_POINTER, takes: WORKQUEUE },
  alloc_ordered_workqueue: { behaviours: GIVES_POINTER, takes: WORKQUEUE },
  create_singlethread_workqueue: { behaviours: GIVES_POINTER, takes: WORKQUEUE },
  kmem_cache_create: { behaviours: GIVES_POINTER, takes: CACHE },
  bitmap_zalloc: {
    touches: 'arguments',
    behaviours: GIVES_POINTER,
    takes: BITMAP,
    sleeps: 'by-flags',
  },
  bitmap_alloc: {
    touches: 'arguments',
    behaviours: GIVES_POINTER,
    takes: BITMAP,
    sleeps: 'by-flags',
  },
  alloc_percpu: { behaviours: GIVES_POINTER, takes: PERCPU_MEMORY },
  kobject_create_and_add: { behaviours: GIVES_POINTER, takes: KOBJECT },
  kset_create_and_add: { behaviours: GIVES_POINTER },
  devm_memremap: { touches: 'kernel', behaviours: GIVES_POINTER_OR_ERR },
  __get_free_page: { behaviours: GIVES_VALUE, takes: PAGE_ADDRESS, sleeps: 'by-flags' },
  __get_free_pages: { behaviours: GIVES_VALUE, takes: PAGE_ADDRESS, sleeps: 'by-flags' },
  get_zeroed_page: { behaviours: GIVES_VALUE, takes: PAGE_ADDRESS, sleeps: 'by-flags' },
  ksize: { needs: { slab: 0 } },
  kfifo_alloc: { touches: 'arguments', takes: KFIFO, sleeps: 'by-flags' },
  kfifo_free: { touches: 'arguments' },
};
