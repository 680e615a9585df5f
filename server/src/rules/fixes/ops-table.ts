/** Adds members to an ops table. */
import type { Edit } from '../../text/span.ts';
import type { InitializerEntry } from '../../ir/types.ts';
import type { OpsTable } from '../../lifecycle/types.ts';
import {
  columnAfter,
  endWithComment,
  indentationAt,
  lineStart,
  newlineOf,
  startsLine,
} from './text.ts';

/**
 * Adds a designated member to an ops table, in the order of the life cycle (`.name`, `.init`,
 * `.release`) or before the first member, in
 * the table's own alignment.
 * @returns null when the table is empty, not written member by member, or has code of several
 * members in one line.
 */
export function addMember(
  text: string,
  table: OpsTable,
  member: string,
  value: string,
): Edit | null {
  return addMembersInOrder(text, table, [{ member, value }]);
}

/** As addMember(), for members that follow each other in that order. */
export function addMembersInOrder(
  text: string,
  table: OpsTable,
  added: readonly AddedMember[],
): Edit | null {
  const [first] = added;
  if (first === undefined) return null;
  const before = LIFE_CYCLE.slice(0, LIFE_CYCLE.indexOf(first.member)).reverse();
  return addMembers(
    text,
    table,
    added,
    before.find((one) => table.members.get(one)?.conditions.length === 0) ?? 'name',
  );
}

/** A designator and what it is set to. */
export interface AddedMember {
  readonly member: string;
  readonly value: string;
}

/** Tables begin with these members, in this order. */
const LIFE_CYCLE: readonly string[] = ['name', 'init', 'release'];

/**
 * Adds designated members to an ops table, as one edit, behind the member `after` or before the
 * first one.
 * @returns null as addMember(), and where `after` is under an #if.
 */
export function addMembers(
  text: string,
  table: OpsTable,
  wanted: readonly AddedMember[],
  after: string,
): Edit | null {
  const init = table.variable.init;
  if (init?.kind !== 'initializer') return null;
  const single = init.entries.filter((entry) => entry.designators.length === 1);
  const entries = single.filter((entry) => entry.conditions.length === 0);
  const previous = entries.find((entry) => entry.designators[0] === after);
  // What follows a member under #if may belong under it too.
  if (previous === undefined && single.some((entry) => entry.designators[0] === after)) return null;
  const neighbour = previous ?? entries[0];
  if (neighbour === undefined || !startsLine(text, neighbour.start)) return null;
  const lines = wanted.map(
    ({ member, value }) =>
      indentationAt(text, neighbour.start) +
      `.${member}` +
      paddingLike(text, neighbour, member) +
      value +
      ',',
  );
  const newline = newlineOf(text);
  if (previous === undefined) {
    const at = lineStart(text, neighbour.start);
    return { span: { start: at, end: at }, newText: lines.map((line) => line + newline).join('') };
  }
  const comma = /^\s*,/.exec(text.slice(previous.end));
  const added = lines.map((line) => newline + line).join('');
  // The comment behind the neighbour stays in its line.
  const end = endWithComment(text, previous.end + (comma?.[0].length ?? 0));
  if (comma !== null) return { span: { start: end, end }, newText: added };
  return {
    span: { start: previous.end, end },
    newText: `,${text.slice(previous.end, end)}${added}`,
  };
}

/** ` = `, or the blanks or tabs that put the `=` under the neighbour's. */
function paddingLike(text: string, neighbour: InitializerEntry, member: string): string {
  const written = /^\.\s*\w+([ \t]*)=([ \t]*)/.exec(
    text.slice(neighbour.start, neighbour.value.start),
  );
  if (written === null || (written[1]!.length <= 1 && !written[1]!.includes('\t'))) return ' = ';
  const margin = columnAfter(0, indentationAt(text, neighbour.start));
  const target = columnAfter(margin, `.${neighbour.designators[0]}${written[1]}`);
  let column = columnAfter(margin, `.${member}`);
  let padding = '';
  if (column >= target) padding = ' ';
  else if (written[1]!.includes('\t'))
    for (; column < target; column = columnAfter(column, '\t')) padding += '\t';
  else padding = ' '.repeat(target - column);
  return `${padding}=${written[2] === '' ? ' ' : written[2]}`;
}
