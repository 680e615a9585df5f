/** Names that a module does not use yet. */
import type { FunctionIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { documentsOf } from '../locate.ts';

/**
 * Every identifier in a piece of C, comments and strings included: enough to know that a name is
 * free.
 */
function identifiersIn(text: string): Set<string> {
  return new Set(text.match(/[A-Za-z_]\w*/g) ?? []);
}

/** A name that the module does not use yet: the wish itself, else with a number behind it. */
export function freeName(module: Module, wish: string): string {
  const taken = new Set(documentsOf(module).flatMap((file) => [...identifiersIn(file.text)]));
  let name = wish;
  for (let i = 2; taken.has(name); i++) name = `${wish}${i}`;
  return name;
}

/** Whether the function uses a name for anything but a member (`p->wq`). */
export function isNameTaken(fn: FunctionIr, name: string): boolean {
  return new RegExp(`(?<!\\.|->)\\b${name}\\b`).test(fn.text);
}
