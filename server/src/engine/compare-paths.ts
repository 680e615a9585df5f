/** Compares a module path by path before and after a fix. */
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { FileEdits } from '../text/span.ts';

export function comparePaths(_before: ModuleFacts, _after: ModuleFacts, _edits: readonly FileEdits[]): string | null {
  return null;
}
