/** What the lowering of one item carries along. */
import type { Condition, MaskNote, SyntaxNode } from '../../syntax/node.ts';
import { copyString, sharedName } from '../../text/copy.ts';
import { toKeep } from '../../text/lists.ts';
import type { Span } from '../../text/span.ts';
import type { UnknownExpr } from '../types.ts';

/**
 * Statements and expressions nested deeper than this become unknown nodes: whoever recurses over
 * the IR may rely on it.
 */
export const MAX_DEPTH = 300;

/** What the lowering of one top-level item carries along. */
export interface Context {
  /** The text of the document that offsets count in. */
  readonly text: string;
  /**
   * A copy of the item's text, which starts at offset `base`: a slice of the document would keep
   * the whole document alive.
   */
  readonly own: string;
  readonly base: number;
  readonly notes: readonly MaskNote[];
  depth: number;
  /** Something was met that may hide control flow. */
  opaque: boolean;
  /**
   * The closing brace of the function is missing, so that what follows it in the file is inside.
   */
  unclosed: boolean;
  /** Definitions met inside functions and structs that belong to the file. */
  readonly hoisted: SyntaxNode[];
}

/** A context for one stretch of a document. */
export function createContext(text: string, stretch: Span, notes: readonly MaskNote[]): Context {
  return {
    text,
    own: copyString(text.slice(stretch.start, stretch.end)),
    base: stretch.start,
    notes,
    depth: 0,
    opaque: false,
    unclosed: false,
    hoisted: [],
  };
}

/** The same conditions in strings of their own. */
export function copyConditions(conditions: readonly Condition[]): readonly Condition[] {
  return toKeep(conditions.map(({ test, holds }) => ({ test: copyString(test), holds })));
}

/** The original text of a node. */
export function textOf(span: Span, context: Context): string {
  return sharedName(context.own.slice(span.start - context.base, span.end - context.base));
}

/** Whether a node starts a line, where kernel style has nothing but file scope and labels. */
export function isInFirstColumn(node: SyntaxNode, context: Context): boolean {
  return node.start === 0 || context.text[node.start - 1] === '\n';
}

export function spanOf(node: Span): Span {
  return { start: node.start, end: node.end };
}

/** The child that fills a field of the grammar; comments never do. */
export function field(node: SyntaxNode, name: string): SyntaxNode | undefined {
  // No closure: this is asked a hundred thousand times of a tree of drivers.
  const { children } = node;
  for (let i = 0; i < children.length; i++) {
    const child = children[i]!;
    if (child.field === name && child.type !== 'comment') return child;
  }
  return undefined;
}

/** The named children without comments. */
export function parts(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  const { children } = node;
  for (let i = 0; i < children.length; i++) {
    const child = children[i]!;
    if (child.named && child.type !== 'comment') found.push(child);
  }
  return found;
}

export function hasErrorChild(node: SyntaxNode): boolean {
  const { children } = node;
  for (let i = 0; i < children.length; i++) if (children[i]!.type === 'ERROR') return true;
  return false;
}

/** The index of the first note that starts at or after an offset. */
function firstNote(notes: readonly MaskNote[], offset: number): number {
  let low = 0;
  let high = notes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (notes[middle]!.start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The note of a kind that starts exactly at an offset. */
export function noteAt(
  offset: number,
  kind: MaskNote['kind'],
  context: Context,
): MaskNote | undefined {
  for (let i = firstNote(context.notes, offset); context.notes[i]?.start === offset; i++) {
    if (context.notes[i]!.kind === kind) return context.notes[i];
  }
  return undefined;
}

/** Whether a note starts inside a span. */
export function hasNotes(span: Span, { notes }: Context): boolean {
  const first = notes[firstNote(notes, span.start)];
  return first !== undefined && first.start < span.end;
}

/** The notes of a kind that start inside a span. */
export function notesIn(span: Span, kind: MaskNote['kind'], context: Context): MaskNote[] {
  const found: MaskNote[] = [];
  for (
    let i = firstNote(context.notes, span.start);
    i < context.notes.length && context.notes[i]!.start < span.end;
    i++
  ) {
    if (context.notes[i]!.kind === kind) found.push(context.notes[i]!);
  }
  return found;
}

/** The note of a kind that covers a span. */
export function noteOver(
  span: Span,
  kind: MaskNote['kind'],
  context: Context,
): MaskNote | undefined {
  for (
    let i = firstNote(context.notes, span.start + 1) - 1;
    i >= 0 && context.notes[i]!.end >= span.end;
    i--
  ) {
    if (context.notes[i]!.kind === kind) return context.notes[i];
  }
  return undefined;
}

/** The note of a kind that ends before an offset with nothing but blanks between. */
export function noteBefore(
  offset: number,
  kind: MaskNote['kind'],
  context: Context,
): MaskNote | undefined {
  const note = context.notes[firstNote(context.notes, offset) - 1];
  return note?.kind === kind &&
    note.end <= offset &&
    context.text.slice(note.end, offset).trim() === ''
    ? note
    : undefined;
}

const FLOW_WORDS: ReadonlySet<string> = new Set([
  'if',
  'else',
  'return',
  'goto',
  'break',
  'continue',
  'case',
  'default',
  'while',
  'for',
  'do',
  'switch',
  '{',
  '}',
]);
const NAME_NODES: ReadonlySet<string> = new Set([
  'identifier',
  'field_identifier',
  'type_identifier',
  'statement_identifier',
]);

/** Whether a word decides control flow, so that it cannot be the name of anything. */
export function isFlowWord(word: string): boolean {
  return FLOW_WORDS.has(word);
}

/** What a stretch that was not understood mentions. */
export interface Inventory {
  readonly names: readonly string[];
  /** Names that an opening parenthesis follows. */
  readonly calls: readonly string[];
  /** A keyword of control flow, a brace or a directive is inside. */
  readonly hidesFlow: boolean;
}

/** Lists what nodes mention. Iterative, because it is called on what was too deep to lower. */
export function takeInventory(nodes: readonly SyntaxNode[], context: Context): Inventory {
  const names: string[] = [];
  const calls: string[] = [];
  let hidesFlow = false;
  const add = (name: string, end: number): void => {
    if (FLOW_WORDS.has(name)) {
      hidesFlow = true;
      return;
    }
    names.push(name);
    if (/^\s*\(/.test(context.own.slice(end - context.base, end - context.base + 40)))
      calls.push(name);
  };
  const stack = [...nodes].reverse();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.missing) continue;
    if (NAME_NODES.has(node.type)) {
      const name = textOf(node, context);
      // The default of _Generic is a type to the grammar.
      if (node.type !== 'type_identifier' || name !== 'default') add(name, node.end);
    } else if (node.type === 'ERROR' && node.children.length === 0) {
      // A leaf without structure: what the parser skipped, or what lies below the depth that the
      // tree shows.
      for (const match of textOf(node, context).matchAll(/[A-Za-z_]\w*|[{}#]/g)) {
        if (/^[{}#]$/.test(match[0])) hidesFlow = true;
        else add(match[0], node.start + match.index + match[0].length);
      }
    } else if (
      FLOW_WORDS.has(node.type) ||
      node.type.startsWith('#') ||
      node.type === 'preproc_directive'
    )
      hidesFlow = true;
    const list = node.type === 'initializer_list';
    for (let i = node.children.length - 1; i >= 0; i--) {
      const child = node.children[i]!;
      // The braces of an initialiser are no block.
      if (!(list && (child.type === '{' || child.type === '}'))) stack.push(child);
    }
  }
  return { names, calls, hidesFlow };
}

/** The same of a text that the parser did not see. */
export function takeTextInventory(text: string): Inventory {
  const names: string[] = [];
  const calls: string[] = [];
  let hidesFlow = false;
  for (const [, name = '', open, brace] of text.matchAll(/([A-Za-z_]\w*)(\s*\()?|([{}])/g)) {
    if (brace !== undefined || FLOW_WORDS.has(name)) hidesFlow = true;
    else {
      names.push(name);
      if (open !== undefined) calls.push(name);
    }
  }
  return { names, calls, hidesFlow };
}

/** An expression that was not understood; notes in the context when it may hide control flow. */
export function unknownExpr(
  nodes: readonly SyntaxNode[],
  span: Span,
  context: Context,
): UnknownExpr {
  const { names, calls, hidesFlow } = takeInventory(nodes, context);
  if (hidesFlow) context.opaque = true;
  return { kind: 'unknown', start: span.start, end: span.end, names, calls };
}
