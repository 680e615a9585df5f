/** Gives a helper more parameters, with its prototypes and calls. */
import { columnsOf, lineEnding, lineWidth } from '../../text/style.ts';
import type { CallExpr, FileIr, Param } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { columnOf, indentAt, lineStart } from '../rewrite/layout.ts';
import { prototypesOf, type Helper, type HelperCall } from './helpers.ts';
import type { Rewriting } from './rewriting.ts';

/** A parameter that a helper gets, and what its callers hand over. */
export interface Addition {
  /** `struct device *dev` */
  readonly declaration: string;
  readonly argument: string;
}

/** Gives a helper more parameters at the end: in its definition, its prototypes and its calls. */
export function addParameters(
  module: Module,
  out: Rewriting,
  helper: Helper,
  calls: readonly HelperCall[],
  additions: readonly Addition[],
): void {
  if (additions.length === 0) return;
  const declarations = additions.map((one) => one.declaration);
  for (const { file, item } of [
    { file: helper.file, item: helper.fn },
    ...prototypesOf(module, helper),
  ]) {
    const open = file.text.indexOf('(', item.nameSpan.end);
    appendTo(out, file, open, lastParameter(file, item.params, open), declarations);
  }
  for (const {
    scope: { file },
    call,
  } of calls)
    appendTo(
      out,
      file,
      call.argsSpan.start,
      lastArgument(call),
      additions.map((one) => one.argument),
    );
}

/** The end of the last parameter, or null when there is none: `()` or `(void)`. */
function lastParameter(file: FileIr, params: readonly Param[], open: number): number | null {
  const last = params[params.length - 1];
  if (last) return last.end;
  return /^\(\s*(?:void\s*)?\)/.test(file.text.slice(open)) ? null : file.text.indexOf(')', open);
}

function lastArgument(call: CallExpr): number | null {
  return call.args[call.args.length - 1]?.end ?? null;
}

function appendTo(
  out: Rewriting,
  file: FileIr,
  open: number,
  last: number | null,
  items: readonly string[],
): void {
  const { text } = file;
  if (last === null) {
    out.edit(file, 'signature', {
      span: { start: open + 1, end: text.indexOf(')', open) },
      newText: items.join(', '),
    });
    return;
  }
  const width = lineWidth(text);
  // As the lines below the first are; else under the first item.
  const wrapped = lineStart(text, last) > open ? indentAt(text, last) : null;
  const under = columnOf(text, open + 1);
  const tabs = !text.slice(lineStart(text, last), last).startsWith(' ');
  const blanks =
    wrapped ??
    (tabs ? '\t'.repeat(Math.floor(under / 8)) + ' '.repeat(under % 8) : ' '.repeat(under));
  const column = columnsOf(blanks);
  let at = columnOf(text, last);
  let newText = '';
  items.forEach((item, index) => {
    const room = index === items.length - 1 ? 2 : 1;
    if (at + 2 + item.length + room > width) {
      newText += `,${lineEnding(text)}${blanks}${item}`;
      at = column + item.length;
    } else {
      newText += `, ${item}`;
      at += 2 + item.length;
    }
  });
  out.edit(file, 'signature', { span: { start: last, end: last }, newText });
}
