/** What can be put in at a caret of a driver. Nothing is analysed for it. */
import type { Module } from '../../lifecycle/types.ts';
import { ruleIds } from '../explain.ts';
import { tailOf } from '../word-at.ts';
import type { TargetKernel } from '../types.ts';
import { allocationArguments } from './allocation-arguments.ts';
import { codePlaceAt } from './code-place.ts';
import { opsMembers } from './ops-members.ts';
import { snippetsAt } from './snippets.ts';
import type { Completion } from './types.ts';

/** A suppression whose list of rules is open, up to the caret. */
const OPEN_LIST = /vfio-lifecycle\s*:\s*allow\s*\(([\w\s,*-]*)$/;

/**
 * The completions at `offset` (a UTF-16 offset in `text`). Total.
 * @param module the lowered module, which is asked for only where it is needed.
 */
export function completionsAt(
  text: string,
  offset: number,
  kernel: TargetKernel,
  module: () => Module | undefined,
): Completion[] {
  const rules = rulesAt(text, offset);
  if (rules !== undefined) return rules;
  const place = codePlaceAt(text, offset);
  if (place === undefined) return [];
  const members = opsMembers(text, offset, place, kernel.version);
  if (members.length > 0) return members;
  if (place.bracket === undefined) return snippetsAt(text, offset, place, kernel);
  const known = /\bvfio_alloc_device\s*$/.test(place.bracket.before) ? module() : undefined;
  return known === undefined ? [] : allocationArguments(known, offset, place);
}

/** The rules that a suppression does not name yet; undefined where the caret is in none. */
function rulesAt(text: string, offset: number): Completion[] | undefined {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  const list = OPEN_LIST.exec(line)?.[1];
  if (list === undefined) return undefined;
  const typed = tailOf(list, /[\w-]/);
  const named = new Set(list.split(',').map((one) => one.trim()));
  return ruleIds()
    .filter((id) => !named.has(id))
    .map((id) => ({
      label: id,
      kind: 'rule',
      detail: 'rule',
      insert: id,
      span: { start: offset - typed.length, end: offset },
    }));
}
