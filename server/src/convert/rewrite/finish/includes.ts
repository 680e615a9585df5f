/**
 * The include of <linux/slab.h> goes with the last use of it: what a document uses itself, or a
 * header of the module that it includes.
 */
import type { Edit } from '../../../text/span.ts';
import type { FileIr } from '../../../ir/types.ts';
import type { Module } from '../../../lifecycle/types.ts';
import { joinRemovals, removalOf } from '../layout.ts';
import { usesSlab } from '../includes.ts';
import { headersOf } from '../../modules/tables.ts';
import { baseName, includedBy } from '../../../lifecycle/module/types-of.ts';
import { hasUnseenStruct } from '../../../lifecycle/module/unseen-struct.ts';
import type { Pass } from './change.ts';

export const unneededIncludes: Pass = ({ module, before, after }): Edit[] => {
  // What includes a header may need what that includes.
  if (!module.sources.includes(after) || !usesSlab(before) || usesSlab(after)) return [];
  const include = after.includes.find(
    (item) => !item.quoted && item.path === 'linux/slab.h' && item.conditions.length === 0,
  );
  const headers = headersBehind(module, after);
  if (!include || !headers || headers.some(usesSlab)) return [];
  const removal = removalOf(after.text, after.comments, {
    start: include.start,
    end: after.text.slice(0, include.end).trimEnd().length,
  });
  // A comment on the line says what it is for, or that it has to stay.
  return removal.wholeLines && removal.inside.length === 0
    ? joinRemovals(after.text, [removal]).map((span) => ({ span, newText: '' }))
    : [];
};

/**
 * The headers of the module that a document includes, directly or through others; null when there
 * are ones of the driver that cannot be seen.
 */
function headersBehind(module: Module, file: FileIr): readonly FileIr[] | null {
  const headers = headersOf(module, file);
  if (hasUnseenStruct(module)) return null;
  return [file, ...headers].some((one) => includesUnseen(module, one)) ? null : headers;
}

function includesUnseen(module: Module, file: FileIr): boolean {
  const seen = new Set(includedBy(module, file).map(({ path }) => baseName(path)));
  return file.includes.some((item) => item.quoted && !seen.has(baseName(item.path)));
}
