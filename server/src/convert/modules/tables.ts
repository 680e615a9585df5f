/** Finds ops tables across files, and makes one known where it is used. */
import { lineEnding } from '../../text/style.ts';
import type { Expr, FileIr, FunctionIr, VariableIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { commentsAbove, lineStart, nextLine } from '../rewrite/layout.ts';
import { expressionsIn } from '../../lifecycle/module/statements.ts';
import { refuse } from '../refusal-error.ts';
import { baseName, includedBy } from '../../lifecycle/module/types-of.ts';
import { exportsOf, prototypesOf, type Helper } from './helpers.ts';
import type { Rewriting } from './rewriting.ts';

/** The ops tables that an expression of `file` names. */
export function tablesIn(file: FileIr, expr: Expr): string[] {
  return expressionsIn(expr).flatMap((inner) =>
    inner.kind === 'name' &&
    file.variables.some((item) => item.name === inner.name && item.type.name === 'vfio_device_ops')
      ? [inner.name]
      : [],
  );
}

/**
 * Whether a table is declared in a document before `offset`, or in a header that the document
 * includes.
 */
export function isDeclaredAt(module: Module, file: FileIr, name: string, offset: number): boolean {
  if (file.variables.some((item) => item.name === name && item.start < offset)) return true;
  return headersOf(module, file).some((header) =>
    header.variables.some((item) => item.name === name),
  );
}

/** An ops table that a helper gives to the devices of its callers. */
export interface GivenTable {
  readonly name: string;
  /** The document that declares it for the helper. */
  readonly from: FileIr;
  readonly helper: Helper;
  /** Where the helper names it. */
  readonly at: Expr;
}

/**
 * Makes a table known to the function `user` of `file`: by a declaration above it in the same
 * document, else by an `extern` in the header that
 * declares the helper, the table no longer static and exported as the helper is. Refuses when there
 * is no such header, or the name is taken.
 */
export function declareTable(
  module: Module,
  out: Rewriting,
  { name, from, helper, at }: GivenTable,
  file: FileIr,
  user: FunctionIr,
): void {
  if (isDeclaredAt(module, file, name, user.start)) return;
  const definition = from.variables.find((item) => item.name === name && item.init !== null);
  if (file === from) {
    const eol = lineEnding(file.text);
    const start = lineStart(file.text, user.start);
    const place = lineStart(
      file.text,
      commentsAbove(file.text, file.comments, start)[0]?.start ?? start,
    );
    out.edit(file, 'ops-table', {
      span: { start: place, end: place },
      newText: `${definition?.isStatic === false ? 'extern' : 'static'} const struct vfio_device_ops ${name};${eol}${eol}`,
    });
    return;
  }
  const prototype = prototypesOf(module, helper).find(
    (item) =>
      headersOf(module, file).includes(item.file) && headersOf(module, from).includes(item.file),
  );
  if (!definition || !prototype) {
    refuse(
      'table-elsewhere',
      `${user.name}() in ${baseName(file.path)} must name the ops table \`${name}\` of ${baseName(from.path)}, and there is no header that both include and that declares ${helper.fn.name}(). Declare \`extern const struct vfio_device_ops ${name};\` in a header that both include.`,
      from,
      at,
    );
  }
  const taken = [...module.sources, ...module.headers].find(
    (other) =>
      other !== from && [...other.variables, ...other.functions].some((item) => item.name === name),
  );
  if (taken)
    refuse(
      'same-name',
      `The ops table \`${name}\` of ${baseName(from.path)} must be visible in ${baseName(file.path)}, but ${baseName(taken.path)} already uses that name. Rename one of them.`,
      from,
      at,
    );
  // Several drivers of one library need it, and one of them is enough to make it known.
  const header = prototype.file;
  const declaration = `extern const struct vfio_device_ops ${name};`;
  if (out.edits(header).some((edit) => edit.newText.startsWith(declaration))) return;
  const place = nextLine(header.text, prototype.item.end);
  out.edit(header, 'signature', {
    span: { start: place, end: place },
    newText: `${declaration}${lineEnding(header.text)}`,
  });
  for (const one of from.variables.filter((item) => item.name === name)) {
    const span = staticSpan(from, one);
    if (span) out.edit(from, 'signature', { span, newText: '' });
  }
  const exported = exportsOf(module, helper)[0];
  if (!exported) return;
  const end = nextLine(from.text, definition.end);
  const like = exported.file.text
    .slice(exported.item.start, exported.item.end)
    .trimEnd()
    .replace(/;?$/, ';')
    .replace(helper.fn.name, name);
  out.edit(from, 'signature', {
    span: { start: end, end },
    newText: `${like}${lineEnding(from.text)}`,
  });
}

/** `static ` in front of a declaration. */
function staticSpan(file: FileIr, variable: VariableIr): { start: number; end: number } | null {
  const head = file.text.slice(variable.start, variable.nameSpan.start);
  const match = /\bstatic\b\s*/.exec(head);
  return match
    ? { start: variable.start + match.index, end: variable.start + match.index + match[0].length }
    : null;
}

/** The headers of a module that a document includes, directly or through others. */
export function headersOf(module: Module, file: FileIr): readonly FileIr[] {
  const found = new Set<FileIr>();
  const pending: FileIr[] = [file];
  for (let next = pending.pop(); next; next = pending.pop()) {
    for (const header of includedBy(module, next)) {
      if (found.has(header)) continue;
      found.add(header);
      pending.push(header);
    }
  }
  return [...found];
}
