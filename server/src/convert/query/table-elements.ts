/** The ops tables of an array of them, each as a table of its own. */
import type { FileIr, VariableIr } from '../../ir/types.ts';
import { refuse } from '../refusal-error.ts';

/**
 * The table itself, or for an array of tables each element under the name of the array. Refuses an
 * array that is not written out.
 */
export function elementsOf(file: FileIr, table: VariableIr): readonly VariableIr[] {
  if (table.type.arrays === 0 || table.init?.kind !== 'initializer') return [table];
  const { entries, complete } = table.init;
  const other = entries.find(
    (entry) =>
      entry.value.kind !== 'initializer' ||
      entry.conditions.length > 0 ||
      entry.designators.length > 1 ||
      (entry.designators[0] ?? '[]') !== '[]',
  );
  if (other || !complete || entries.length === 0 || table.type.arrays > 1) {
    refuse(
      'table-incomplete',
      `\`${table.name}\` is an array of ops tables whose elements are not all written out as \`[KIND] = { … }\`, so not each can get the members that the target wants.`,
      file,
      other ?? table.nameSpan,
    );
  }
  return entries.map((entry) => ({ ...table, init: entry.value }));
}
