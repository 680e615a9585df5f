/** Writes `.init` and `.release` as text. */
import type { Edit } from '../../text/span.ts';
import type { Expr, Stmt } from '../../ir/types.ts';
import { busView } from '../../kernel/casts.ts';
import { compareVersions } from '../../kernel/version.ts';
import { plain } from '../plan/arguments.ts';
import { codeOf, indentAt, removalOf, widthOf, type Removal } from '../rewrite/layout.ts';
import { allExpressions, mentionedBy, namesIn } from '../../lifecycle/module/statements.ts';
import { textOf } from '../refusal-error.ts';
import type { Names } from './bindings.ts';
import { checkAssignments } from './definite.ts';
import { errnoOf, exitsOf, isNeutral, isPut, ladderFrom, type Exit } from './exits.ts';
import { under } from './probe-shape.ts';
import { bracesOf, linesOf, removalEdits, removalsOf, textWith } from './lines.ts';
import { parameterName } from './names.ts';
import { isPlainResult, type Selection } from './choose-moves.ts';
import { isPrivate } from './put-sites.ts';
import { NothingToFold, type Frame } from './types.ts';
import { isNotTakenYet, owesNothing } from './undo.ts';
import { append } from '../../text/lists.ts';

const WIDTH = 80;

export interface Style {
  /** One level of indentation. */
  readonly unit: string;
  readonly eol: string;
}

/** A function as text, without the blank line behind it. */
export interface Callback {
  readonly text: string;
  /** Names of the file that it uses. */
  readonly uses: ReadonlySet<string>;
}

/** `static int foo_init_dev(struct vfio_device *vdev)` with the statements that move. */
export function initText(
  frame: Frame,
  names: Names,
  selection: Selection,
  name: string,
  beforeCore: ReadonlySet<string>,
  style: Style,
): Callback {
  const { unit, eol } = style;
  const { moved } = selection;
  const ladder = ladderOf(frame, names, moved);
  const parts = moved.map((stmt) => statementText(frame, names, moved, stmt));
  const result = resultVariable(frame, names);
  const at = frame.core ? placeOfCore(frame, names, moved, beforeCore) : -1;

  const read = new Set<string>(parts.flatMap((part) => part.names));
  for (const item of ladder.items) for (const used of namesUnder(item)) read.add(used);
  if (ladder.value) for (const used of namesIn(ladder.value)) read.add(used);
  if (frame.core) read.add(result);
  const needed = closure(names, read);
  const parameter = parameterName(new Set([...needed, ...read]));

  const body: string[] = [];
  const core = [
    `${unit}ret = vfio_pci_core_init_dev(${parameter});`.replace('ret', result),
    `${unit}if (${result})`,
    `${unit}${unit}return ${result};`,
  ];
  // Nothing follows it and nothing is owed: its result is the function's.
  const coreLast = at === moved.length;
  moved.forEach((stmt, index) => {
    if (index === at) append(body, [...(index > 0 ? [''] : []), ...core, '']);
    const previous = moved[index - 1];
    if (previous && index !== at && hasBlankBetween(frame, previous, stmt)) body.push('');
    body.push(parts[index]!.text.replace(/\r?\n$/, ''));
  });
  if (coreLast) body.push('', `${unit}return vfio_pci_core_init_dev(${parameter});`);
  else body.push('', `${unit}return 0;`);
  if (ladder.lines.length > 0) append(body, ['', ...ladder.lines]);

  const known =
    coreLast &&
    !parts.some((part) => part.names.includes(result)) &&
    ![...ladder.items].some((item) => namesUnder(item).includes(result));
  const declared = known ? new Set([...needed].filter((used) => used !== result)) : needed;
  const declarations = declarationsOf(frame, names, declared, parameter, moved, ladder, style);
  if (frame.core && !known && !names.of.has(result)) declarations.push(`${unit}int ${result};`);
  const text = [
    `static int ${name}(struct vfio_device *${parameter})`,
    '{',
    ...declarations,
    '',
    ...body,
    '}',
    '',
  ].join(eol);
  return { text, uses: usesOf(text) };
}

/** `static void foo_release_dev(struct vfio_device *vdev)` with what every put undid. */
export function releaseText(
  frame: Frame,
  selection: Selection,
  name: string,
  style: Style,
): Callback {
  const { unit, eol } = style;
  const { undone } = selection;
  const first = undone[0]!;
  const { names } = first;
  const needed = closure(names, new Set(undone.flatMap((item) => namesUnder(item.stmt))));
  const parameter = parameterName(needed);
  const declarations = declarationsOf(frame, names, needed, parameter, [], null, style);
  const body: string[] = [];
  undone.forEach((item, index) => {
    const previous = undone[index - 1]?.stmt;
    if (previous && hasBlankBetween(frame, previous, item.stmt)) body.push('');
    const lines = linesOf(names.file, item.stmt);
    // The lines of an #if stand where they stand; those in its arms are as deep as the others.
    const depth =
      item.stmt.kind === 'preproc'
        ? (item.stmt.arms.flatMap((arm) => [...arm.body])[0] ?? item.stmt)
        : item.stmt;
    body.push(
      reindent(
        names.file.text.slice(lines.start, lines.end),
        indentAt(names.file.text, depth.start),
        unit,
      ).trimEnd(),
    );
  });
  if (frame.core) body.push(`${unit}vfio_pci_core_release_dev(${parameter});`);
  else if (compareVersions(frame.kernel, [6, 2]) < 0)
    body.push(`${unit}vfio_free_device(${parameter});`);
  const text = [
    `static void ${name}(struct vfio_device *${parameter})`,
    '{',
    ...declarations,
    '',
    ...body,
    '}',
    '',
  ].join(eol);
  return { text, uses: usesOf(text) };
}

function reindent(text: string, from: string, to: string): string {
  return from === to
    ? text
    : text.replace(/^[ \t]*(?=[^ \t\r\n])/gm, (indent) =>
        indent.startsWith(from) ? to + indent.slice(from.length) : indent,
      );
}

interface LadderText {
  readonly lines: readonly string[];
  /** Labels that are still jumped to. */
  readonly labels: ReadonlySet<string>;
  readonly items: readonly Stmt[];
  readonly value: Expr | null;
}

/**
 * The unwinding of the callback: what the probe's ladder does with the object, without the put and
 * what is not the object's.
 */
function ladderOf(frame: Frame, names: Names, moved: readonly Stmt[]): LadderText {
  const { file, fn, list } = frame;
  const labels = new Set<string>();
  let end: Exit['end'] = null;
  const items = new Set<Stmt>();
  for (const stmt of moved) {
    for (const exit of exitsOf(fn, stmt)) {
      if (exit.leave.kind !== 'goto' || !needsLadder(frame, names, moved, stmt, exit)) continue;
      if (end && end !== exit.end)
        throw new NothingToFold(`The error labels of ${fn.name}() lead to several returns.`, {
          path: file.path,
          start: exit.leave.start,
          end: exit.leave.end,
        });
      end = exit.end;
      labels.add(exit.leave.label);
      for (const item of unwinding(frame, names, moved, stmt, exit)) items.add(item);
    }
  }
  if (!end) return { lines: [], labels, items: [], value: null };
  const lines: string[] = [];
  for (const stmt of list) {
    if (stmt.kind === 'label' && labels.has(stmt.name))
      lines.push(`${indentAt(file.text, stmt.start)}${labelIn(frame, stmt.name)}:`);
    else if (items.has(stmt)) {
      const span = linesOf(file, stmt);
      lines.push(file.text.slice(span.start, span.end).replace(/\r?\n$/, ''));
    }
  }
  const value = errnoOf(frame, end);
  lines.push(
    `${indentAt(file.text, end.start)}${frame.returnsObject && value ? `return ${textOf(file, value)};` : textOf(file, end)}`,
  );
  return { lines, labels, items: [...items], value };
}

/**
 * The name of a label in a callback, where nothing is put: `err_put_vdev` would say the wrong
 * thing.
 */
function labelIn({ fn, member }: Frame, label: string): string {
  const device = member.slice(member.lastIndexOf('.') + 1);
  const says = new RegExp(`^(?:(\\w+)_)?put_${device}$`).exec(label);
  const other = `${says?.[1] ?? 'err'}_unwind`;
  return says && !new RegExp(`\\b${other}\\b`).test(fn.text) ? other : label;
}

function needsLadder(
  frame: Frame,
  names: Names,
  moved: readonly Stmt[],
  stmt: Stmt,
  exit: Exit,
): boolean {
  return unwinding(frame, names, moved, stmt, exit).length > 0;
}

/**
 * What a way out of a statement that moves undoes of the object on its ladder, but for what has not
 * been taken by then.
 */
function unwinding(
  frame: Frame,
  names: Names,
  moved: readonly Stmt[],
  stmt: Stmt,
  exit: Exit,
): Stmt[] {
  return exit.ladder.filter(
    (item) => isPrivate(names, item) && !isNotTakenYet(frame, names, moved, stmt, item),
  );
}

/**
 * The text of a statement that moves: its ways out lead to the callback's own unwinding, or return
 * at once.
 */
function statementText(
  frame: Frame,
  names: Names,
  moved: readonly Stmt[],
  stmt: Stmt,
): { readonly text: string; readonly names: string[] } {
  const { file, fn } = frame;
  const gone = new Set<Stmt>();
  const removals: Removal[] = [];
  const edits: Edit[] = [];
  const drop = (inner: Stmt): void => {
    gone.add(inner);
    append(removals, removalsOf(file, inner));
  };
  for (const exit of exitsOf(fn, stmt)) {
    for (const item of exit.body) {
      if (gone.has(item)) continue;
      if (
        isPrivate(names, item)
          ? isNotTakenYet(frame, names, moved, stmt, item)
          : (isPut(names, item) || !isNeutral(names, item)) && item.kind === 'expr'
      )
        drop(item);
    }
    const leave = exit.leave;
    const value = errnoOf(frame, exit.end);
    if (leave.kind === 'return' && frame.returnsObject && value && leave.value)
      edits.push({ span: leave.value, newText: textOf(file, value) });
    if (leave.kind === 'return') continue;
    if (needsLadder(frame, names, moved, stmt, exit)) {
      if (labelIn(frame, leave.label) !== leave.label)
        edits.push({ span: leave.labelSpan, newText: labelIn(frame, leave.label) });
      continue;
    }
    if (!isPlainResult(value))
      throw new NothingToFold(
        `The value that ${fn.name}() returns after \`${leave.label}\` is too complex for .init.`,
        { path: file.path, start: leave.start, end: leave.end },
      );
    const before = exit.body[exit.body.length - 1];
    const set =
      before?.kind === 'expr' &&
      before.expr.kind === 'assign' &&
      before.expr.op === '=' &&
      before.expr.target.kind === 'name' &&
      value.kind === 'name' &&
      before.expr.target.name === value.name
        ? before
        : null;
    const removal = set && removalOf(file.text, file.comments, set);
    if (
      set &&
      removal &&
      set.expr.kind === 'assign' &&
      removal.inside.length === 0 &&
      isDirectlyBefore(frame, set, leave)
    ) {
      edits.push({ span: leave, newText: `return ${textOf(file, set.expr.value)};` });
      // The comment above it is about leaving, which stays.
      gone.add(set);
      removals.push(removal);
      continue;
    }
    const binding = value.kind === 'name' ? names.of.get(value.name) : undefined;
    const initial =
      binding?.kind === 'scratch' &&
      binding.initial &&
      value.kind === 'name' &&
      !isSetBefore(frame, value.name, leave.start)
        ? binding.initial
        : null;
    edits.push({ span: leave, newText: `return ${textOf(file, initial ?? value)};` });
  }
  const braces = bracesOf(file, stmt, gone, removals);
  const all = [
    ...edits.filter(
      (edit) =>
        !removals.some(
          (removal) => edit.span.start >= removal.span.start && edit.span.end <= removal.span.end,
        ),
    ),
    ...braces.edits,
    ...removalEdits(file, [...removals, ...braces.removals]),
  ];
  const lines = linesOf(file, stmt);
  const left = under(stmt)
    .filter((inner) => !isUnderGone(inner, gone))
    .flatMap(allExpressions);
  const used = left.flatMap((expr) => (expr.kind === 'name' ? [expr.name] : []));
  // What replaces a goto is read too.
  for (const edit of edits)
    append(
      used,
      (edit.newText.match(/[A-Za-z_]\w*/g) ?? []).filter((word) => names.of.has(word)),
    );
  return { text: textWith(file, lines, all), names: used };
}

function isUnderGone(stmt: Stmt, gone: ReadonlySet<Stmt>): boolean {
  return [...gone].some((other) => stmt.start >= other.start && stmt.end <= other.end);
}

/** Only what goes stands between the two. */
function isDirectlyBefore(frame: Frame, set: Stmt, leave: Stmt): boolean {
  return frame.file.text.slice(set.end, leave.start).trim() === '';
}

/** The variable is given a value somewhere between the allocation and an offset. */
function isSetBefore(frame: Frame, name: string, offset: number): boolean {
  return frame.list.slice(frame.check + 1).some((stmt) =>
    under(stmt)
      .flatMap(allExpressions)
      .some(
        (expr) =>
          expr.start < offset &&
          ((expr.kind === 'assign' && expr.target.kind === 'name' && expr.target.name === name) ||
            (expr.kind === 'unary' &&
              expr.op === '&' &&
              expr.operand.kind === 'name' &&
              expr.operand.name === name)),
      ),
  );
}

/**
 * The index among the moved statements that the call of vfio_pci_core_init_dev() goes in front of:
 * where the core was initialised before, as long as nothing is owed there.
 */
function placeOfCore(
  frame: Frame,
  names: Names,
  moved: readonly Stmt[],
  beforeCore: ReadonlySet<string>,
): number {
  let count = 0;
  while (count < moved.length && beforeCore.has(plain(textOf(frame.file, moved[count]!)))) count++;
  const free = moved
    .slice(0, count)
    .every((stmt) => exitsOf(frame.fn, stmt).length === 0 && owesNothing(names, stmt));
  return free ? count : 0;
}

/** The variable that takes the register's result. */
function resultVariable(frame: Frame, names: Names): string {
  for (const expr of under(frame.list[frame.register]!).flatMap(allExpressions)) {
    if (
      expr.kind === 'assign' &&
      expr.target.kind === 'name' &&
      names.of.get(expr.target.name)?.kind === 'scratch'
    )
      return expr.target.name;
  }
  return 'ret';
}

function namesUnder(stmt: Stmt): string[] {
  return under(stmt)
    .flatMap(allExpressions)
    .flatMap((expr) => mentionedBy(expr));
}

/** The locals that a text needs, and those that these are made of. */
function closure(names: Names, read: ReadonlySet<string>): Set<string> {
  const needed = new Set<string>();
  const pending = [...read];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const binding = names.of.get(name);
    if (!binding || needed.has(name)) continue;
    needed.add(name);
    if (binding.kind === 'derived') append(pending, namesIn(binding.value));
  }
  return needed;
}

const ORDER = { object: 0, bus: 1, device: 2, derived: 3, scratch: 4, foreign: 5 } as const;

function declarationsOf(
  frame: Frame,
  names: Names,
  needed: ReadonlySet<string>,
  parameter: string,
  moved: readonly Stmt[],
  ladder: LadderText | null,
  { unit, eol }: Style,
): string[] {
  const place = (name: string): number => {
    const binding = names.of.get(name)!;
    return binding.kind === 'derived' || binding.kind === 'scratch' ? binding.decl.start : 0;
  };
  const ordered = [...needed]
    .filter((name) => names.of.has(name))
    .sort(
      (left, right) =>
        ORDER[names.of.get(left)!.kind] - ORDER[names.of.get(right)!.kind] ||
        place(left) - place(right),
    );
  return ordered.flatMap((name): string[] => {
    const binding = names.of.get(name)!;
    switch (binding.kind) {
      case 'object':
        return [
          declaration(
            unit,
            `struct ${frame.tag} *${name}`,
            `container_of(${parameter}, struct ${frame.tag}, ${frame.member})`,
            eol,
          ),
        ];
      case 'bus':
        return [
          declaration(
            unit,
            `struct ${binding.tag} *${name}`,
            `${busView(binding.tag)!}(${parameter}->dev)`,
            eol,
          ),
        ];
      case 'device':
        return [declaration(unit, `struct device *${name}`, `${parameter}->dev`, eol)];
      case 'derived': {
        const { decl, value } = binding;
        const alone = names.file.text.slice(decl.statement.start, decl.statement.end);
        if (decl.init === value && !/,/.test(alone.slice(decl.end - decl.statement.start))) {
          const prefix = names.file.text.slice(decl.statement.start, decl.start);
          if (!prefix.includes(',')) return [`${unit}${alone}`];
        }
        return [
          declaration(
            unit,
            `${typePrefix(names, decl)}${names.file.text.slice(decl.start, decl.nameSpan.end)}`,
            textOf(names.file, value),
            eol,
          ),
        ];
      }
      case 'scratch': {
        const { decl, initial } = binding;
        const array = names.file.text.slice(
          decl.nameSpan.end,
          decl.init ? decl.nameSpan.end : decl.end,
        );
        const head = `${typePrefix(names, decl)}${names.file.text.slice(decl.start, decl.nameSpan.end)}${array}`;
        return [
          initial && readsEarly(frame, moved, ladder, name)
            ? `${unit}${head} = ${textOf(names.file, initial)};`
            : `${unit}${head};`,
        ];
      }
      case 'foreign':
        return [];
    }
  });
}

/**
 * What stands in front of the first declarator of a declaration: `const struct foo `, `unsigned int
 * `.
 */
function typePrefix(
  names: Names,
  decl: {
    readonly statement: { readonly start: number };
    readonly start: number;
    readonly type: { readonly end: number };
  },
): string {
  const { text } = names.file;
  const upTo = text.slice(decl.statement.start, decl.start);
  const first = upTo.search(/,/);
  // Behind a comma only the type itself is shared.
  const own = first < 0 ? upTo : text.slice(decl.statement.start, decl.type.end);
  let end = own.trimEnd().length;
  while (end > 0 && own[end - 1] === '*') end--;
  return `${own.slice(0, end).trimEnd()} `;
}

/**
 * The initial value is read: kept gotos lead to a return of it, or a statement reads it before it
 * is set.
 */
function readsEarly(
  frame: Frame,
  moved: readonly Stmt[],
  ladder: LadderText | null,
  name: string,
): boolean {
  const { early } = checkAssignments(frame.fn, moved, new Set([name]), new Set(), (label) => {
    if (!ladder?.labels.has(label)) return [];
    const { end } = ladderFrom(frame.fn, label);
    return [...ladder.items.flatMap(namesUnder), ...(end?.value ? namesIn(end.value) : [])];
  });
  return early.has(name);
}

function declaration(unit: string, left: string, right: string, eol: string): string {
  const line = `${unit}${left} = ${right};`;
  if (widthOf(line, 0) <= WIDTH) return line;
  return `${unit}${left} =${eol}${unit}${unit}${right};`;
}

function hasBlankBetween(frame: Frame, first: Stmt, second: Stmt): boolean {
  return (
    /\n[ \t]*\r?\n/.test(frame.file.text.slice(first.end, linesOf(frame.file, second).start + 1)) ||
    /\n[ \t]*\r?\n[ \t]*$/.test(frame.file.text.slice(first.end, second.start))
  );
}

/** The identifiers of the document that a generated text mentions. */
function usesOf(text: string): Set<string> {
  return new Set(codeOf(text).match(/[A-Za-z_]\w*/g) ?? []);
}
