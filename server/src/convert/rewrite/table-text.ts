/** Adds members to an ops table in its own alignment. */
import type { Edit } from '../../text/span.ts';
import type { FileIr, InitializerEntry, InitializerExpr } from '../../ir/types.ts';
import { columnOf, commentsAbove, indentAt, lineStart, nextLine, widthOf } from './layout.ts';
import type { MemberPlan, TablePlan } from '../types.ts';
import { append } from '../../text/lists.ts';
import { afterBlanks } from '../../text/lexical.ts';

/**
 * The edits that give an ops table its members, in the table's own alignment, and put a generated
 * `.release` above it.
 */
export function tableEdits(file: FileIr, table: TablePlan, unit: string, eol: string): Edit[] {
  const { text } = file;
  const initializer = table.variable.init as InitializerExpr;
  const edits: Edit[] = [];
  if (table.releaseStub) {
    const start = lineStart(text, table.variable.start);
    const at = commentsAbove(text, file.comments, start)[0]?.start ?? start;
    const place = lineStart(text, at);
    const spaced = place === 0 || text.slice(lineStart(text, place - 1), place).trim() === '';
    edits.push({
      span: { start: place, end: place },
      newText: [
        ...(spaced ? [] : ['']),
        `static void ${table.releaseStub}(struct vfio_device *vdev)`,
        '{',
        `${unit}vfio_free_device(vdev);`,
        '}',
        '',
        '',
      ].join(eol),
    });
  }
  if (isOneLine(text, initializer))
    return [
      ...edits,
      ...(table.members.length > 0 ? [spread(text, initializer, table, unit, eol)] : []),
    ];
  const front = table.members.filter((member) => member.place === 'front');
  const back = table.members.filter((member) => member.place === 'back');
  if (front.length > 0) edits.push(insertFront(text, initializer, front, eol));
  if (back.length > 0) append(edits, insertBack(text, initializer, back, eol));
  return edits;
}

const WIDTH = 80;

/** `{ .a = x, .b = y }` without a comment. */
function isOneLine(text: string, initializer: InitializerExpr): boolean {
  const own = text.slice(initializer.start, initializer.end);
  return !own.includes('\n') && !own.includes('/*');
}

/** A table on one line keeps to it where it fits, else gets a line for each member. */
function spread(
  text: string,
  initializer: InitializerExpr,
  table: TablePlan,
  unit: string,
  eol: string,
): Edit {
  const own = initializer.entries.map((entry) => ({
    name: entry.designators[0],
    text: text.slice(entry.start, entry.end),
  }));
  const added = (place: MemberPlan['place']): { name: string; text: string }[] =>
    table.members
      .filter((member) => member.place === place)
      .map((member) => ({ name: member.name, text: `.${member.name} = ${member.value}` }));
  const head = own[0]?.name === 'name' ? 1 : 0;
  const members = [
    ...own.slice(0, head),
    ...added('front'),
    ...own.slice(head),
    ...added('back'),
  ].map((member) => member.text);
  const line = `{ ${members.join(', ')} }`;
  const fits = columnOf(text, initializer.start) + line.length + 1 <= WIDTH;
  return {
    span: initializer,
    newText: fits ? line : ['{', ...members.map((member) => `${unit}${member},`), '}'].join(eol),
  };
}

/**
 * After `.name`, where the kernel has them, else before the first member; `.release` after an
 * `.init` that is there, `.init` before a `.release`.
 */
function insertFront(
  text: string,
  initializer: InitializerExpr,
  members: readonly MemberPlan[],
  eol: string,
): Edit {
  const plain = initializer.entries.filter((entry) => entry.conditions.length === 0);
  const memberOf = (name: string): InitializerEntry | undefined =>
    plain.find((entry) => entry.designators[0] === name);
  const adds = (name: string): boolean => members.some((member) => member.name === name);
  // In the order of their life: .init stands in front of .release.
  const name =
    (adds('release') && !adds('init') ? memberOf('init') : undefined) ?? memberOf('name');
  const release = adds('init') ? memberOf('release') : undefined;
  const separator = separatorOf(text, plain);
  if (name && !(release && release.start < name.start)) {
    const comma = commaAfter(text, name.end);
    const end = comma ?? name.end;
    // eslint-disable-next-line no-restricted-syntax -- looks once, and at 400 characters
    const endsLine = /^[ \t\r]*(?:\/\*[^\n]*\*\/[ \t\r]*)?\n/.test(text.slice(end, end + 400));
    if (ownLine(text, name) && endsLine) {
      const at = comma === null ? name.end : nextLine(text, comma);
      const lines = members.map(
        (member) =>
          `${indentAt(text, name.start)}.${member.name}${separator(member.name)}${member.value},${eol}`,
      );
      // A last member without its comma gets one, and the line that ends the table stays where it
      // is.
      if (comma === null)
        return {
          span: { start: name.end, end: name.end },
          newText: `,${eol}${lines.join('').slice(0, -eol.length - 1)}`,
        };
      return { span: { start: at, end: at }, newText: lines.join('') };
    }
    const inline = members.map((member) => ` .${member.name} = ${member.value}`).join(',');
    return comma === null
      ? { span: { start: name.end, end: name.end }, newText: `,${inline}` }
      : { span: { start: comma, end: comma }, newText: `${inline},` };
  }
  const first = release ?? plain[0]!;
  if (!ownLine(text, first))
    return {
      span: { start: first.start, end: first.start },
      newText: members.map((member) => `.${member.name} = ${member.value}, `).join(''),
    };
  const at = lineStart(text, first.start);
  return {
    span: { start: at, end: at },
    newText: members
      .map(
        (member) =>
          `${indentAt(text, first.start)}.${member.name}${separator(member.name)}${member.value},${eol}`,
      )
      .join(''),
  };
}

/** After the last member that stands in no #if arm. */
function insertBack(
  text: string,
  initializer: InitializerExpr,
  members: readonly MemberPlan[],
  eol: string,
): Edit[] {
  const plain = initializer.entries.filter((entry) => entry.conditions.length === 0);
  const last = plain[plain.length - 1]!;
  const separator = separatorOf(text, plain);
  const comma = commaAfter(text, last.end);
  if (!ownLine(text, last)) {
    const inline = members.map((member) => ` .${member.name} = ${member.value}`).join(',');
    return [
      comma === null
        ? { span: { start: last.end, end: last.end }, newText: `,${inline}` }
        : { span: { start: comma, end: comma }, newText: `${inline},` },
    ];
  }
  const lines = members
    .map(
      (member) =>
        `${indentAt(text, last.start)}.${member.name}${separator(member.name)}${member.value},${eol}`,
    )
    .join('');
  if (comma !== null) {
    const at = nextLine(text, comma);
    return [{ span: { start: at, end: at }, newText: lines }];
  }
  const at = nextLine(text, last.end);
  return [
    { span: { start: last.end, end: last.end }, newText: ',' },
    { span: { start: at, end: at }, newText: `${lines.slice(0, -eol.length - 1)}${eol}` },
  ];
}

function ownLine(text: string, entry: InitializerEntry): boolean {
  return text.slice(lineStart(text, entry.start), entry.start).trim() === '';
}

/** The offset after the comma that follows an entry, or null when none does. */
function commaAfter(text: string, end: number): number | null {
  const at = afterBlanks(text, end);
  return text[at] === ',' ? at + 1 : null;
}

/**
 * What stands between a member's name and its value: padded to the column of `=` where the table
 * aligns it, else as its neighbours have it.
 */
function separatorOf(text: string, entries: readonly InitializerEntry[]): (name: string) => string {
  const shapes = entries
    .filter((entry) => ownLine(text, entry))
    .flatMap((entry) => {
      const match = /^\.\w+([ \t]*)=([ \t]*)/.exec(text.slice(entry.start, entry.value.start));
      return match
        ? [
            {
              entry,
              pad: match[1]!,
              after: match[2]!,
              column: columnOf(text, entry.start + match[0].indexOf('=')),
            },
          ]
        : [];
    });
  const counts = new Map<number, number>();
  for (const shape of shapes) counts.set(shape.column, (counts.get(shape.column) ?? 0) + 1);
  const [column, count] = [...counts].sort((left, right) => right[1] - left[1])[0] ?? [0, 0];
  const padded = shapes.filter(
    (shape) => shape.column === column && shape.pad.length > 0 && shape.pad !== ' ',
  );
  const after = shapes[0]?.after ?? ' ';
  if (padded.length === 0 || count * 2 <= shapes.length) {
    const pad = shapes[0]?.pad === '' ? '' : ' ';
    return () => `${pad}=${after}`;
  }
  const tabs = padded.some((shape) => shape.pad.includes('\t'));
  const start = columnOf(text, padded[0]!.entry.start);
  return (name) => {
    let pad = '';
    const from = start + 1 + name.length;
    while (widthOf(pad, from) < column) pad += tabs ? '\t' : ' ';
    return `${pad === '' || widthOf(pad, from) > column ? ' ' : pad}=${after}`;
  };
}
