/** Names that a driver has from a header, as far as an include may be left out for want of them. */

/**
 * Names that <linux/slab.h> declares, or that it brings along from the headers it includes (gfp.h,
 * overflow.h, workqueue.h, percpu-refcount.h, cleanup.h, hash.h). Only a file that uses none of them
 * can do without the include.
 */
const FROM_SLAB =
  /\b(?:\w*alloc\w*|\w*free\w*|kmem_\w+|k(?:str|mem)n?dup\w*|kasprintf|kvasprintf|ksize|SLAB_\w+|ZERO_OR_NULL_PTR|ZERO_SIZE_PTR|ARCH_\w*MINALIGN|gfp_t|__?GFP_\w+|GFP_\w+|page_\w+|\w*_pages?|struct_size\w*|array_size|array3_size|flex_array_size|size_(?:add|mul|sub)|check_(?:add|sub|mul|shl)_overflow|\w*workqueue\w*|\w*_work\w*|work_struct|delayed_work|\w*_WORK\w*|percpu_ref\w*|DEFINE_(?:FREE|GUARD|CLASS)\w*|(?:scoped_)?guard|no_free_ptr|return_ptr|hash_(?:32|64|long|ptr)|GOLDEN_RATIO_\w+)\b/;

/** Whether code may use something that it has from <linux/slab.h>. */
export function namesSomethingOfSlab(code: string): boolean {
  return FROM_SLAB.test(code);
}
