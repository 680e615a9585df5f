/** Lowers macros that take a statement: loops and guards. */
import type { MaskNote, SyntaxNode } from '../../syntax/node.ts';
import type { CallExpr, Expr, Stmt } from '../types.ts';
import {
  field,
  hasErrorChild,
  noteBefore,
  noteOver,
  parts,
  spanOf,
  textOf,
  unknownExpr,
  type Context,
} from './context.ts';
import { commaItems, lowerArgument, lowerExpr } from './expressions.ts';
import { lowerSingle } from './statements.ts';

/** Macros that run the following statement exactly once, holding something meanwhile. */
const SCOPE = /^scoped_|guard$/;
const JUMP = /^(?:return|goto|break|continue)$/;

/** A loop macro, which the parser saw as `while`. */
export function lowerLoopMacro(node: SyntaxNode, context: Context): Stmt {
  const args = argumentNodes(node, context).map((item) => lowerArgument(item, context));
  return {
    kind: 'loop',
    start: node.start,
    end: node.end,
    form: 'macro',
    macro: macroName(node, context),
    args,
    init: [],
    condition: null,
    step: null,
    body: lowerSingle(field(node, 'body'), node, context),
  };
}

/**
 * A macro in front of a statement, which the parser saw as `if`: a guard, or a macro of the
 * driver's own. That one is taken as a loop,
 * since a loop may run any number of times and so covers whatever such a macro does.
 */
export function lowerBlockMacro(node: SyntaxNode, context: Context): Stmt {
  const macro = macroName(node, context);
  const items = argumentNodes(node, context);
  const body = lowerSingle(field(node, 'consequence'), node, context);
  const jumpAt = items.findIndex((item) => jumpNote(item, context) !== undefined);
  const args = items
    .filter((_, index) => index !== jumpAt)
    .map((item) => lowerArgument(item, context));
  if (!SCOPE.test(macro)) {
    // A jump among the arguments of an unknown macro may run or not.
    if (jumpAt >= 0) context.opaque = true;
    return {
      kind: 'loop',
      start: node.start,
      end: node.end,
      form: 'macro',
      macro,
      args,
      init: [],
      condition: null,
      step: null,
      body,
    };
  }
  // The label of scoped_user_read_access(p, label) is a plain argument.
  if (macro.startsWith('scoped_user')) context.opaque = true;
  const guard: Stmt = { kind: 'guard', start: node.start, end: node.end, macro, args, body };
  if (jumpAt < 0) return guard;
  // scoped_cond_guard(mutex_intr, return -EINTR, &lock) { … }: either the jump or the guarded
  // statement.
  const name = { start: node.start, end: node.start + macro.length };
  return {
    kind: 'if',
    start: node.start,
    end: node.end,
    condition: unknownExpr([], name, context),
    conditionSpan: name,
    then: jumpStmt(items[jumpAt]!, context),
    otherwise: guard,
  };
}

/** The macro with its arguments as a call. */
export function macroCall(node: SyntaxNode, context: Context): CallExpr {
  const name = macroName(node, context);
  const list = field(node, 'condition') ?? node;
  const callee: Expr = { kind: 'name', start: node.start, end: node.start + name.length, name };
  const args = argumentNodes(node, context).map((item) => lowerArgument(item, context));
  return {
    kind: 'call',
    start: node.start,
    end: list.end,
    callee,
    name,
    args,
    argsSpan: spanOf(list),
  };
}

/** The word in the original text that the parser saw as `while` or `if`. */
function macroName(node: SyntaxNode, context: Context): string {
  return /^\w+/.exec(textOf(node, context))?.[0] ?? '';
}

/** The arguments of a masked macro, which the parser saw as a condition. */
function argumentNodes(node: SyntaxNode, context: Context): SyntaxNode[] {
  const found = field(node, 'condition');
  if (found === undefined) return [];
  const inner = parts(found);
  if (hasErrorChild(found)) unknownExpr(inner, found, context);
  return inner.flatMap(commaItems);
}

/**
 * The note of a jump that is an argument: in front of its operand, or over the word when there is
 * none.
 */
function jumpNote(item: SyntaxNode, context: Context): MaskNote | undefined {
  const note =
    noteBefore(item.start, 'block-macro', context) ?? noteOver(item, 'block-macro', context);
  return note !== undefined && JUMP.test(note.text) ? note : undefined;
}

function jumpStmt(item: SyntaxNode, context: Context): Stmt {
  const note = jumpNote(item, context)!;
  const span = { start: note.start, end: item.end };
  const operand = note.end <= item.start;
  switch (note.text) {
    case 'goto':
      return {
        kind: 'goto',
        start: span.start,
        end: span.end,
        label: textOf(item, context),
        labelSpan: spanOf(item),
      };
    case 'break':
    case 'continue':
      return { kind: note.text, start: span.start, end: span.end };
    default:
      return {
        kind: 'return',
        start: span.start,
        end: span.end,
        value: operand ? lowerExpr(item, context) : null,
      };
  }
}
