/** The step that moves the vfio_device to the front of its struct. */
import { LAYOUT_QUESTIONS } from '../../kernel/casts.ts';
import type { Edit } from '../../text/span.ts';
import { lineEnding } from '../../text/style.ts';
import type { Expr, FieldIr, FileIr, StructIr } from '../../ir/types.ts';
import { compareVersions } from '../../kernel/version.ts';
import type { Module } from '../../lifecycle/types.ts';
import { rootOf } from '../plan/allocation.ts';
import { embedsDevice } from '../plan/container.ts';
import { indentAt, lineStart, nextLine, removalOf } from '../rewrite/layout.ts';
import { allExpressions, statementsOf } from '../../lifecycle/module/statements.ts';
import { proveOrderUnseen } from '../plan/member-order/prove-order.ts';
import { lineIn, refuse } from '../refusal-error.ts';
import { initsConcerning } from '../modules/concerned.ts';
import {
  findStruct,
  memberPath,
  resolveType,
  scopeOf,
  typeOf,
  type Scope,
} from '../../lifecycle/module/types-of.ts';
import type { Step, StepResult } from './types.ts';
import { COMMENT, withoutComments } from '../../text/lexical.ts';

/**
 * Moves the member that holds the vfio_device to the front of its struct, where vfio_alloc_device
 * wants it. Refuses where the module
 * lays down or relies on the order of the members: an initialiser by position, an offset, a cast
 * between structs.
 */
export const firstMember: Step = (step) => {
  if (compareVersions(step.input.kernel, [6, 1]) < 0) return null;
  const { module } = step.input;
  for (const site of initsConcerning(step)) {
    const root = rootOf(site.scope, site.target);
    const tag = root && typeOf(site.scope, root)?.tag;
    const found = tag
      ? misplaced(module, site.scope.file, tag, memberPath(site.target).path)
      : null;
    if (found) return move(module, found);
  }
  return null;
};

interface Misplaced {
  readonly file: FileIr;
  readonly struct: StructIr;
  readonly field: FieldIr;
}

/**
 * The outermost struct on the way to the device in which the next member of the path is not the
 * first.
 */
function misplaced(
  module: Module,
  file: FileIr,
  tag: string,
  path: readonly string[],
): Misplaced | null {
  let current = tag;
  let from = file;
  for (const name of path) {
    const definition = findStruct(module, from, current);
    const field = definition?.struct.fields.find((item) => item.name === name);
    if (!definition || !field) return null;
    if (definition.struct.fields[0] !== field) {
      // With two devices in it, which of them is the object's is for a person to say.
      const holders = definition.struct.fields.filter((item) => {
        const type = resolveType(module, definition.file, item.type);
        return type?.pointers === 0 && embedsDevice(module, definition.file, type.tag);
      });
      return holders.length === 1
        ? { file: definition.file, struct: definition.struct, field }
        : null;
    }
    const type = resolveType(module, definition.file, field.type);
    if (!type || type.pointers > 0) return null;
    current = type.tag;
    from = definition.file;
  }
  return null;
}

function move(module: Module, { file, struct, field }: Misplaced): StepResult {
  proveMovable(module, { file, struct, field });
  const { text } = file;
  const eol = lineEnding(text);
  const removal = removalOf(text, file.comments, field.statement);
  // A comment above the member goes along when it is about this member alone.
  const alone = text.slice(removal.span.end, nextLine(text, removal.span.end)).trim();
  const above =
    removal.wholeLines && (alone === '' || alone.startsWith('}') || alone.startsWith('/*'))
      ? removal.above
      : [];
  const start = above[0] ? lineStart(text, above[0].start) : removal.span.start;
  const opening = struct.bodySpan.start + 1;
  const edits: Edit[] = [];
  if (removal.wholeLines && text.slice(opening, nextLine(text, opening)).trim() === '') {
    const place = nextLine(text, opening);
    edits.push({
      span: { start: place, end: place },
      newText: `${text.slice(start, removal.span.end).trimEnd()}${eol}`,
    });
  } else {
    const first = struct.fields[0]!.statement.start;
    const indent = indentAt(text, first);
    edits.push({
      span: { start: first, end: first },
      newText: `${text.slice(field.statement.start, field.statement.end)}${lineStart(text, first) + indent.length === first ? `${eol}${indent}` : ' '}`,
    });
  }
  edits.push({ span: withBlankLine(text, { start, end: removal.span.end }), newText: '' });
  const told = (where: string): string =>
    `\`${field.name}\` is now the first member of struct ${struct.name}${where}: its layout changes for everything that uses it.`;
  return {
    edits: [
      { path: file.path, edits: edits.map((edit) => ({ ...edit, kind: 'layout' as const })) },
    ],
    notes: [
      {
        text: told(` (line ${lineIn(file, struct.start)})`),
        message: told(''),
        site: { path: file.path, start: struct.start, end: struct.start },
      },
    ],
    touched: [],
  };
}

/** A blank line that would meet another one, or close the struct, goes with the member. */
function withBlankLine(
  text: string,
  span: { readonly start: number; readonly end: number },
): { start: number; end: number } {
  const above = text.slice(lineStart(text, span.start - 1), span.start).trim();
  const below = text.slice(span.end, nextLine(text, span.end)).trim();
  if (above === '' && below.startsWith('}'))
    return { start: lineStart(text, span.start - 1), end: span.end };
  return {
    start: span.start,
    end: above === '' && below === '' ? nextLine(text, span.end) : span.end,
  };
}

/** Refuses what a change of the order could break. */
function proveMovable(module: Module, { file, struct, field }: Misplaced): void {
  const name = `\`struct ${struct.name}\``;
  const ask = (
    why: string,
    where: FileIr,
    span: { readonly start: number; readonly end: number },
  ): never =>
    refuse(
      'member-not-first',
      `${name} keeps \`${field.name}\` at line ${lineIn(file, field.statement.start)}, not as its first member, where vfio_alloc_device needs it; and it cannot be moved there: ${why}, line ${lineIn(where, span.start)}. Move it by hand and check that place.`,
      where,
      span,
    );
  if (field.unplaced || field.conditions.length > 0 || field.type.arrays > 0)
    ask('it is conditional, or part of another member', file, field.statement);
  if (struct.conditions.length > 0) ask('the struct is defined under an #if', file, struct);
  if (
    struct.fields.some(
      (other) => other !== field && other.statement.start === field.statement.start,
    )
  )
    ask('it is declared together with another member', file, field.statement);
  const tail = /^[^;]*/.exec(file.text.slice(struct.bodySpan.end))![0];
  if (
    /__packed|__attribute__|randomize_layout|aligned/.test(
      tail + /^.*?\{/s.exec(file.text.slice(struct.start, struct.bodySpan.start + 1))![0],
    )
  )
    ask('the struct has attributes that fix its layout', file, struct);
  const before = withoutComments(
    file.text.slice(struct.bodySpan.start + 1, field.statement.start),
    '',
  );
  if (/^[ \t]*#[ \t]*(?:if|el|end)/m.test(before))
    ask('members before it are conditional', file, field.statement);
  for (const document of [...module.sources, ...module.headers])
    proveDocument(module, document, struct, ask);
  proveOrderUnseen(module, file, struct, ask);
}

type Ask = (
  why: string,
  where: FileIr,
  span: { readonly start: number; readonly end: number },
) => never;

const LAYOUT = new RegExp(String.raw`\b(?:${LAYOUT_QUESTIONS.join('|')})\s*\(`);

/**
 * Where a statement asks for the layout of something and then names the struct. Each statement is
 * looked at once, so that the time stays linear.
 */
function layoutUse(
  code: string,
  struct: RegExp,
): { readonly start: number; readonly end: number } | null {
  let start = 0;
  for (const statement of code.split(';')) {
    const asked = LAYOUT.exec(statement);
    const behind = asked && struct.exec(statement.slice(asked.index + asked[0].length));
    if (behind)
      return {
        start: start + asked.index,
        end: start + asked.index + asked[0].length + behind.index + behind[0].length,
      };
    start += statement.length + 1;
  }
  return null;
}

function proveDocument(module: Module, document: FileIr, struct: StructIr, ask: Ask): void {
  if (
    !new RegExp(`\\b${struct.name}\\b`).test(document.text) &&
    ![...document.typedefs.values()].some((type) => type.name === struct.name)
  ) {
    // Without its name a document can still hold a pointer to it, but no initialiser, offset or
    // cast.
    return;
  }
  const code = document.text.replace(COMMENT, (comment) => comment.replace(/[^\n]/g, ' '));
  const names = [
    `struct\\s+${struct.name}`,
    ...[...document.typedefs]
      .filter(([, type]) => type.name === struct.name)
      .map(([alias]) => alias),
  ].join('|');
  const offset = layoutUse(code, new RegExp(`\\b(?:${names})\\b`));
  if (offset) ask('an offset or an assertion depends on the order', document, offset);
  const macro = document.macros.find(
    (item) =>
      new RegExp(`\\(\\s*(?:${names})\\s*\\*\\s*\\)`).test(item.bodyText) &&
      !/drvdata/.test(item.bodyText),
  );
  if (macro) ask('a macro casts to it', document, macro);
  for (const variable of document.variables) {
    if (
      resolveType(module, document, variable.type)?.tag === struct.name &&
      variable.type.pointers === 0 &&
      byPosition(variable.init)
    )
      ask('an initialiser gives its members by position', document, variable);
  }
  for (const fn of document.functions) {
    if (!new RegExp(`\\b(?:${struct.name}|${struct.fields[0]!.name})\\b`).test(fn.text)) continue;
    const scope = scopeOf(module, document, fn);
    for (const { stmt } of statementsOf(fn)) {
      if (
        stmt.kind === 'decl' &&
        resolveType(module, document, stmt.type)?.tag === struct.name &&
        stmt.type.pointers === 0 &&
        byPosition(stmt.init)
      )
        ask('an initialiser gives its members by position', document, stmt);
      for (const expr of allExpressions(stmt)) proveExpression(scope, expr, struct, ask);
    }
  }
}

function byPosition(init: Expr | null): boolean {
  if (init?.kind !== 'initializer') return false;
  const zero =
    init.entries.length === 1 &&
    init.entries[0]!.value.kind === 'number' &&
    init.entries[0]!.value.value === 0;
  return !zero && init.entries.some((entry) => entry.designators.length === 0);
}

/** A compound literal, and an offset in a struct that `typeof` names. */
function proveExpression(scope: Scope, expr: Expr, struct: StructIr, ask: Ask): void {
  if (
    expr.kind === 'call' &&
    /^offsetof(?:end)?$/.test(expr.name ?? '') &&
    expr.args[0]?.kind !== 'type'
  )
    ask('an offset or an assertion depends on the order', scope.file, expr);
  if (expr.kind !== 'cast' || expr.operand.kind !== 'initializer') return;
  if (
    resolveType(scope.module, scope.file, expr.type)?.tag === struct.name &&
    byPosition(expr.operand)
  )
    ask('an initialiser gives its members by position', scope.file, expr);
}
