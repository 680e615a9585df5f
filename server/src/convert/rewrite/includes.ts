/** What of a document comes from <linux/slab.h>. */
import type { FileIr } from '../../ir/types.ts';
import { namesSomethingOfSlab } from '../../kernel/headers.ts';
import { codeOf } from './layout.ts';

/**
 * Whether the code of a document may use something that it has from <linux/slab.h>. The vfio core's
 * own functions have such names and do not count.
 */
export function usesSlab(file: FileIr): boolean {
  return namesSomethingOfSlab(
    codeOf(file.text)
      .replace(/^[ \t]*#[ \t]*include[^\n]*/gm, ' ')
      .replace(/\bvfio_\w+/g, ' '),
  );
}
