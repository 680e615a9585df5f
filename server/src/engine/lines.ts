/** Lines of a module's documents, as people and compilers count them. */
import { lineNumber } from '../text/position.ts';
import type { ModuleInput } from './types.ts';

/**
 * The one-based line of an offset in the document `path`; 1 where the module has none of that name.
 */
export function lineIn({ sources, headers }: ModuleInput, path: string, offset: number): number {
  const document = [...sources, ...headers].find((one) => one.path === path);
  return lineNumber(document?.text ?? '', offset);
}
