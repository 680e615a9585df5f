/** The differences of texts as a patch, for a client that shows conversions and saves them. */
import { unifiedDiff } from '../text/diff.ts';

/** The request: PatchRequest in, `{ patch }` out. */
export const PATCH_REQUEST = 'vfioLifecycle/patch';

/** The texts of files before and after; a path is relative, with `/`. */
export interface PatchRequest {
  readonly files: readonly {
    readonly path: string;
    readonly before: string;
    readonly after: string;
  }[];
}

/** A patch that `git apply` takes; empty where nothing differs. */
export function patchOf(request: PatchRequest | null): { readonly patch: string } {
  const files = request?.files ?? [];
  return { patch: files.map((one) => unifiedDiff(one.path, one.before, one.after)).join('') };
}
