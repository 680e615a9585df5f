/** Declarations inside of functions, with the attributes that say what ends a variable. */
import type { MaskNote, SyntaxNode } from '../../syntax/node.ts';
import type { Span } from '../../text/span.ts';
import { cleanupIn, NO_CLEANUP } from '../attributes.ts';
import type { CallExpr, DeclStmt, Stmt } from '../types.ts';
import {
  field,
  hasNotes,
  isFlowWord,
  noteBefore,
  notesIn,
  parts,
  spanOf,
  takeInventory,
  textOf,
  type Context,
} from './context.ts';
import { readDeclared, readSpecifiers, type Declared } from './declarators.ts';
import { lowerExpr } from './expressions.ts';
import { unknownStmt } from './statements.ts';

/**
 * Lowers a declaration inside a function: one statement for each variable; prototypes and types
 * leave none.
 */
export function lowerDeclaration(node: SyntaxNode, out: Stmt[], context: Context): void {
  const specifiers = readSpecifiers(node, context);
  const typeText = specifiers.typeNode === undefined ? '' : textOf(specifiers.typeNode, context);
  const first = field(node, 'declarator');
  // `else foo();` and a call without its closing parenthesis both look like declarations to the
  // grammar.
  const call =
    first?.type === 'parenthesized_declarator'
      ? declaringCall(specifiers.typeNode, first, context)
      : null;
  if (call !== null && !isFlowWord(typeText)) {
    out.push({ kind: 'expr', start: node.start, end: node.end, expr: call });
    return;
  }
  if (isFlowWord(typeText) || first?.type === 'parenthesized_declarator') {
    out.push(unknownStmt([node], context));
    return;
  }
  if (specifiers.typeNode !== undefined && field(specifiers.typeNode, 'body') !== undefined)
    context.hoisted.push(specifiers.typeNode);
  const declared = readDeclared(node, specifiers.type, context);
  const lost = node.children.filter(
    (child) =>
      child.type === 'ERROR' &&
      !declared.some(({ span }) => span.start <= child.start && child.end <= span.end),
  );
  for (const error of lost) {
    // Names alone are attributes that the mask does not know.
    const { calls, hidesFlow } = takeInventory([error], context);
    if (calls.length > 0 || hidesFlow) out.push(unknownStmt([error], context));
  }
  for (const one of declared) {
    if (one.declarator.shape === 'function' || one.declarator.name === '') continue;
    out.push({
      kind: 'decl',
      start: one.span.start,
      end: one.span.end,
      name: one.declarator.name,
      nameSpan: one.declarator.nameSpan,
      type: one.type,
      isStatic: specifiers.isStatic,
      init: one.init === undefined ? null : lowerExpr(one.init, context),
      statement: spanOf(node),
      ...cleanupOf(one, declared, node, context),
    });
  }
}

/**
 * `static DEFINE_MUTEX(lock);`: a macro that declares something, which the parser takes for a type
 * and a name in parentheses.
 */
function declaringCall(
  type: SyntaxNode | undefined,
  list: SyntaxNode,
  context: Context,
): CallExpr | null {
  const inner = parts(list);
  if (
    type?.type !== 'type_identifier' ||
    inner.length !== 1 ||
    inner[0]!.type !== 'identifier' ||
    list.children.some((child) => child.missing)
  )
    return null;
  const name = textOf(type, context);
  return {
    kind: 'call',
    start: type.start,
    end: list.end,
    callee: { kind: 'name', start: type.start, end: type.end, name },
    name,
    args: [lowerExpr(inner[0]!, context)],
    argsSpan: spanOf(list),
  };
}

/**
 * What runs at the end of a variable's scope, by the attribute that the mask blanked: between the
 * end of the declarator before and the value of this one, or in front of the first declarator,
 * where it is of all.
 */
function cleanupOf(
  one: Declared,
  all: readonly Declared[],
  node: SyntaxNode,
  context: Context,
): Pick<DeclStmt, 'cleanup' | 'cleansAddress' | 'attributes'> {
  const before = notesBefore(node.start, context);
  // Nearly all variables have none.
  if (before.length === 0 && !hasNotes(node, context)) return NO_CLEANUP;
  const index = all.indexOf(one);
  const start = index === 0 ? node.start : all[index - 1]!.span.end;
  const end = one.init?.start ?? all[index + 1]?.span.start ?? node.end;
  const textsOf = (kind: AttributeNote): string[] =>
    [
      ...notesIn({ start, end }, kind, context),
      ...(index === 0 ? [] : notesIn(inFront(all[0]!, node), kind, context)),
    ].map((note) => textOf(note, context));
  const written = [
    ...textsOf('annotation'),
    ...before.filter(({ kind }) => kind === 'annotation').map((note) => textOf(note, context)),
  ];
  const macros = [
    ...textsOf('attribute-macro'),
    ...before.filter(({ kind }) => kind === 'attribute-macro').map((note) => textOf(note, context)),
  ];
  const cleanup = written.map(cleanupIn).find((one) => one !== null) ?? NO_CLEANUP;
  return macros.length > 0 ? { ...cleanup, attributes: macros } : cleanup;
}

type AttributeNote = 'annotation' | 'attribute-macro';

function inFront(first: Declared, { start }: SyntaxNode): Span {
  return { start, end: first.span.start };
}

/** The attributes right in front of a declaration: to the parser they are no part of it. */
function notesBefore(start: number, context: Context): MaskNote[] {
  const found: MaskNote[] = [];
  const nextTo = (at: number): MaskNote | undefined =>
    noteBefore(at, 'annotation', context) ?? noteBefore(at, 'attribute-macro', context);
  for (let note = nextTo(start); note !== undefined; note = nextTo(note.start)) found.push(note);
  return found;
}
