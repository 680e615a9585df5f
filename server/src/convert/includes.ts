import type { Edit, Span } from '../text/span.ts';
import { shiftSpans } from '../ir/lower/shift.ts';
import type { FileIr } from '../ir/types.ts';
import { codeOf, removalOf, type Removal } from './layout.ts';
import { partsOf, placeOf } from './several-files/merge.ts';

/**
 * Names that <linux/slab.h> declares, or that it brings along from the headers it includes (gfp.h, overflow.h, workqueue.h,
 * percpu-refcount.h, cleanup.h, hash.h). Only a file that uses none of them can do without the include.
 */
const FROM_SLAB = /\b(?:\w*alloc\w*|\w*free\w*|kmem_\w+|k(?:str|mem)n?dup\w*|kasprintf|kvasprintf|ksize|SLAB_\w+|ZERO_OR_NULL_PTR|ZERO_SIZE_PTR|ARCH_\w*MINALIGN|gfp_t|__?GFP_\w+|GFP_\w+|page_\w+|\w*_pages?|struct_size\w*|array_size|array3_size|flex_array_size|size_(?:add|mul|sub)|check_(?:add|sub|mul|shl)_overflow|\w*workqueue\w*|\w*_work\w*|work_struct|delayed_work|\w*_WORK\w*|percpu_ref\w*|DEFINE_(?:FREE|GUARD|CLASS)\w*|(?:scoped_)?guard|no_free_ptr|return_ptr|hash_(?:32|64|long|ptr)|GOLDEN_RATIO_\w+)\b/;

/** The includes of <linux/slab.h>, where the edits take out all that a document used of it. */
export function includeRemovals(file: FileIr, edits: readonly Edit[], removals: readonly Removal[]): Removal[] {
  return partsOf(file).flatMap((part) => {
    const isHere = ({ span }: { readonly span: Span }): boolean => placeOf(file, span.start).file === part.file;
    const own = removalsIn(part.file, shiftSpans(edits.filter(isHere), -part.start), shiftSpans(removals.filter(isHere), -part.start));
    return shiftSpans(own, part.start);
  });
}

function removalsIn(file: FileIr, edits: readonly Edit[], removals: readonly Removal[]): Removal[] {
  const include = file.includes.find((item) => !item.quoted && item.path === 'linux/slab.h' && item.conditions.length === 0);
  if (!include || edits.length + removals.length === 0) return [];
  if (FROM_SLAB.test(codeAfter(file, edits, removals)) || !FROM_SLAB.test(codeAfter(file, [], []))) return [];
  return [removalOf(file.text, [], { start: include.start, end: file.text.slice(0, include.end).trimEnd().length })];
}

/** The code of the document after the edits, without comments, strings and includes. */
function codeAfter(file: FileIr, edits: readonly Edit[], removals: readonly Removal[]): string {
  const changes = [...edits.map((edit) => ({ ...edit.span, text: edit.newText })), ...removals.map((removal) => ({ ...removal.span, text: '' }))].sort((a, b) => a.start - b.start);
  let code = '';
  let at = 0;
  for (const change of changes) {
    if (change.start < at) continue;
    // What the edits write uses only the new interface.
    code += `${file.text.slice(at, change.start)} ${change.text.replace(/\bvfio_\w+/g, '')} `;
    at = change.end;
  }
  code += file.text.slice(at);
  return codeOf(code).replace(/^[ \t]*#[ \t]*include[^\n]*/gm, ' ');
}
