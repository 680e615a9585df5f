/** Lowers expressions. */
import type { SyntaxNode } from '../../syntax/node.ts';
import type { Span } from '../../text/span.ts';
import type {
  CallExpr,
  Expr,
  MemberExpr,
  NumberExpr,
  SizeofExpr,
  TypeExpr,
  TypeName,
  UnaryExpr,
} from '../types.ts';
import {
  field,
  hasErrorChild,
  isFlowWord,
  MAX_DEPTH,
  noteBefore,
  noteOver,
  parts,
  spanOf,
  textOf,
  unknownExpr,
  type Context,
} from './context.ts';
import { isBasicType, lowerType } from './declarators.ts';
import { lowerInitializer } from './initializers.ts';
import { lowerSequence } from './statements.ts';

const UNARY: ReadonlySet<string> = new Set(['&', '*', '!', '-', '~', '+']);

/** Lowers one expression node. Parentheses are dropped; the expression keeps its own span. */
export function lowerExpr(node: SyntaxNode, context: Context): Expr {
  if (context.depth >= MAX_DEPTH) {
    context.opaque = true;
    return unknownExpr([node], node, context);
  }
  context.depth++;
  const expr = lowerKind(node, context);
  context.depth--;
  return expr;
}

function lowerKind(node: SyntaxNode, context: Context): Expr {
  const { start, end } = node;
  switch (node.type) {
    case 'identifier':
    case 'field_identifier':
    case 'type_identifier':
    case 'primitive_type':
    case 'null':
      return lowerName(node, context);
    case 'number_literal':
    case 'char_literal':
    case 'true':
    case 'false':
      return lowerNumber(node, context);
    case 'string_literal':
    case 'concatenated_string':
      return { kind: 'string', start, end, text: textOf(node, context) };
    case 'call_expression':
      return lowerCall(node, context);
    case 'offsetof_expression':
      return lowerOffsetof(node, context);
    case 'initializer_list':
      return lowerInitializer(node, context);
    case 'compound_statement':
      // A block as a macro argument.
      return {
        kind: 'statement-expression',
        start,
        end,
        body: lowerSequence(node.children, context),
      };
    case 'sizeof_expression':
      return lowerSizeof(node, context);
    case 'cast_expression':
    case 'compound_literal_expression': {
      const type = field(node, 'type');
      return type === undefined
        ? unknownExpr([node], node, context)
        : {
            kind: 'cast',
            start,
            end,
            type: lowerType(type, context),
            operand: childOf(node, 'value', context),
          };
    }
    default:
      return hasErrorChild(node)
        ? unknownExpr([node], node, context)
        : lowerOperation(node, context);
  }
}

/** A part of an expression; an unknown one where it is missing. */
function childOf(node: SyntaxNode, name: string, context: Context): Expr {
  const found = field(node, name);
  return found === undefined
    ? unknownExpr([], { start: node.end, end: node.end }, context)
    : lowerExpr(found, context);
}

/** An expression of an operator and its operands. */
function lowerOperation(node: SyntaxNode, context: Context): Expr {
  const { start, end } = node;
  switch (node.type) {
    case 'parenthesized_expression':
    case 'extension_expression': {
      const inner = parts(node);
      return inner.length === 1
        ? lowerExpr(inner[0]!, context)
        : unknownExpr([node], node, context);
    }
    case 'field_expression': {
      const name = field(node, 'field');
      if (name === undefined || name.missing) return unknownExpr([node], node, context);
      return {
        kind: 'member',
        start,
        end,
        base: childOf(node, 'argument', context),
        arrow: operatorOf(node) === '->',
        field: textOf(name, context),
        fieldSpan: spanOf(name),
      };
    }
    case 'subscript_expression':
      return {
        kind: 'index',
        start,
        end,
        base: childOf(node, 'argument', context),
        index: childOf(node, 'index', context),
      };
    case 'pointer_expression':
    case 'unary_expression': {
      const op = operatorOf(node);
      return UNARY.has(op)
        ? {
            kind: 'unary',
            start,
            end,
            op: op as UnaryExpr['op'],
            operand: childOf(node, 'argument', context),
          }
        : unknownExpr([node], node, context);
    }
    case 'update_expression': {
      const argument = field(node, 'argument');
      const op = operatorOf(node) === '--' ? '--' : '++';
      return {
        kind: 'update',
        start,
        end,
        op,
        prefix: (argument?.start ?? 0) > node.start,
        operand: childOf(node, 'argument', context),
      };
    }
    case 'binary_expression':
      return {
        kind: 'binary',
        start,
        end,
        op: operatorOf(node),
        left: childOf(node, 'left', context),
        right: childOf(node, 'right', context),
      };
    case 'assignment_expression':
      return {
        kind: 'assign',
        start,
        end,
        op: operatorOf(node),
        target: childOf(node, 'left', context),
        value: childOf(node, 'right', context),
      };
    case 'conditional_expression':
      return {
        kind: 'conditional',
        start,
        end,
        condition: childOf(node, 'condition', context),
        then:
          field(node, 'consequence') === undefined ? null : childOf(node, 'consequence', context),
        otherwise: childOf(node, 'alternative', context),
      };
    case 'comma_expression':
      return {
        kind: 'comma',
        start,
        end,
        items: commaItems(node).map((item) => lowerExpr(item, context)),
      };
    default:
      return unknownExpr([node], node, context);
  }
}

/** `return` as a macro argument reaches us as a name. */
function lowerName(node: SyntaxNode, context: Context): Expr {
  const name = textOf(node, context);
  return node.missing || isFlowWord(name)
    ? unknownExpr([node], node, context)
    : { kind: 'name', start: node.start, end: node.end, name };
}

/** The nodes that commas separate; the grammar nests them to the right. */
export function commaItems(node: SyntaxNode): SyntaxNode[] {
  const items: SyntaxNode[] = [];
  let rest: SyntaxNode | undefined = node;
  while (rest?.type === 'comma_expression' && !hasErrorChild(rest)) {
    const left = field(rest, 'left');
    if (left !== undefined) items.push(left);
    rest = field(rest, 'right');
  }
  if (rest !== undefined) items.push(rest);
  return items;
}

/** A token without a name is of a type that is its text. */
function operatorOf(node: SyntaxNode): string {
  const token = field(node, 'operator') ?? node.children.find((child) => !child.named);
  return token === undefined || token.missing ? '' : token.type;
}

function lowerNumber(node: SyntaxNode, context: Context): NumberExpr {
  const text = textOf(node, context);
  return { kind: 'number', start: node.start, end: node.end, value: numberValue(text), text };
}

/**
 * The value of an integer or plain character constant, `true` or `false`; null for anything else.
 */
export function numberValue(text: string): number | null {
  if (text === 'true') return 1;
  if (text === 'false') return 0;
  const character = /^'([^\\'])'$/.exec(text);
  if (character) return character[1]!.charCodeAt(0);
  const digits = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)[uUlL]*$/.exec(text)?.[1];
  if (digits === undefined) return null;
  const value = /^0[0-7]+$/.test(digits) ? parseInt(digits, 8) : Number(digits);
  return Number.isSafeInteger(value) ? value : null;
}

function lowerCall(node: SyntaxNode, context: Context): Expr {
  const callee = field(node, 'function');
  const list = field(node, 'arguments');
  if (callee === undefined || list === undefined) return unknownExpr([node], node, context);
  const args = lowerArguments(list, context);
  const lowered = lowerExpr(callee, context);
  if (
    callee.type === 'parenthesized_expression' &&
    lowered.kind === 'name' &&
    args.length === 1 &&
    looksLikeType(lowered.name)
  ) {
    // `(u32)(x)`: the grammar cannot know that the name is a type.
    const type: TypeName = {
      start: lowered.start,
      end: lowered.end,
      name: lowered.name,
      keyword: null,
      pointers: 0,
      arrays: 0,
    };
    return { kind: 'cast', start: node.start, end: node.end, type, operand: args[0]! };
  }
  return {
    kind: 'call',
    start: node.start,
    end: node.end,
    callee: lowered,
    name: lowered.kind === 'name' ? lowered.name : null,
    args,
    argsSpan: spanOf(list),
  } satisfies CallExpr;
}

/** A name that kernel style gives to types only. */
function looksLikeType(name: string): boolean {
  return /^(?:__)?[us](?:8|16|32|64)$|^__[lb]e(?:16|32|64)$|_t$/.test(name) || isBasicType(name);
}

/**
 * The arguments of a list in parentheses. An argument that the parser could not read becomes a type
 * or an unknown expression.
 */
export function lowerArguments(list: SyntaxNode, context: Context): Expr[] {
  const { children } = list;
  const args: Expr[] = [];
  let group: SyntaxNode[] = [];
  for (let i = 0; i < children.length; i++) {
    const child = children[i]!;
    if (child.type === ',') {
      args.push(lowerGroup(group, list, args.length, context));
      group = [];
    } else if (child.type !== 'comment' && child.type !== '(' && child.type !== ')') {
      // A list that is made with its only node takes no more room than that.
      if (group.length === 0) group = [child];
      else group.push(child);
    }
  }
  if (args.length === 0 && group.length === 0) return [];
  args.push(lowerGroup(group, list, args.length, context));
  return args.slice();
}

/** The argument of an index, between two commas of a list. */
function lowerGroup(
  group: readonly SyntaxNode[],
  list: SyntaxNode,
  index: number,
  context: Context,
): Expr {
  const first = group[0];
  if (first === undefined) {
    const at = list.children[index]?.end ?? list.start;
    return unknownExpr([], { start: at, end: at }, context);
  }
  if (group.length === 1 && first.type !== 'ERROR') return lowerArgument(first, context);
  const span = { start: first.start, end: group.at(-1)!.end };
  return typeFromText(span, context) ?? unknownExpr(group, span, context);
}

/** One macro or function argument: an expression, or a type. */
export function lowerArgument(node: SyntaxNode, context: Context): Expr {
  const type = typeArgument(node, context);
  if (type !== null) return type;
  if (noteBefore(node.start, 'block-macro', context) === undefined) return lowerExpr(node, context);
  // `return -EINTR` as an argument, of which the parser sees the operand: the macro decides whether
  // it runs.
  context.opaque = true;
  return unknownExpr([node], node, context);
}

function typeArgument(node: SyntaxNode, context: Context): TypeExpr | null {
  if (node.type === 'type_descriptor')
    return { kind: 'type', start: node.start, end: node.end, type: lowerType(node, context) };
  if (
    node.type !== 'identifier' &&
    node.type !== 'type_identifier' &&
    node.type !== 'primitive_type'
  )
    return null;
  const masked = noteOver(node, 'type-keyword', context);
  if (masked !== undefined) return typeFromText(masked, context);
  return isBasicType(textOf(node, context))
    ? { kind: 'type', start: node.start, end: node.end, type: lowerType(node, context) }
    : null;
}

/**
 * `struct foo *`, `unsigned long` or `foo_t *` as an argument, which the grammar has no rule for.
 */
function typeFromText(span: Span, context: Context): TypeExpr | null {
  const [, written, stars] = /^(\w[\w\s]*)((?:\*[*\s]*)?)$/.exec(textOf(span, context)) ?? [];
  if (written === undefined || stars === undefined) return null;
  const words = written.trimEnd().split(/\s+/);
  while (words.length > 1 && (words[0] === 'const' || words[0] === 'volatile')) words.shift();
  const keyword =
    words.length === 2 && /^(?:struct|union|enum)$/.test(words[0]!) ? words[0] : undefined;
  if (keyword === undefined && stars === '' && !isBasicType(words.join(' '))) return null;
  const name = words.at(-1)!;
  const pointers = stars.replace(/[^*]/g, '').length;
  return {
    kind: 'type',
    start: span.start,
    end: span.end,
    type: {
      start: span.start,
      end: span.end,
      name,
      keyword: (keyword ?? null) as TypeName['keyword'],
      pointers,
      arrays: 0,
    },
  };
}

/**
 * `sizeof(x)` has a type when the text says so (a keyword, a basic type), else an operand: the
 * grammar cannot tell.
 */
function lowerSizeof(node: SyntaxNode, context: Context): Expr {
  const type = field(node, 'type');
  const { start, end } = node;
  if (type !== undefined)
    return {
      kind: 'sizeof',
      start,
      end,
      type: lowerType(type, context),
      operand: null,
    } satisfies SizeofExpr;
  let value = field(node, 'value');
  while (
    value?.type === 'parenthesized_expression' &&
    parts(value).length === 1 &&
    !hasErrorChild(value)
  )
    value = parts(value)[0];
  if (value === undefined) return unknownExpr([node], node, context);
  const named = typeArgument(value, context);
  return named === null
    ? { kind: 'sizeof', start, end, type: null, operand: lowerExpr(value, context) }
    : { kind: 'sizeof', start, end, type: named.type, operand: null };
}

/**
 * offsetof has a rule of its own in the grammar; here it is a call like container_of: (type,
 * member).
 */
function lowerOffsetof(node: SyntaxNode, context: Context): Expr {
  const type = field(node, 'type');
  const open = node.children.find((child) => child.type === '(');
  const comma = node.children.find((child) => child.type === ',');
  const close = node.children.findLast((child) => child.type === ')');
  if (type === undefined || open === undefined || comma === undefined || close === undefined)
    return unknownExpr([node], node, context);
  const callee = {
    kind: 'name' as const,
    start: node.start,
    end: node.start + 'offsetof'.length,
    name: 'offsetof',
  };
  const inside = node.children.filter(
    (child) => child.start >= comma.end && child.end <= close.start && child.type !== 'comment',
  );
  const lowered = lowerType(type, context);
  const span = { start: inside[0]?.start ?? comma.end, end: inside.at(-1)?.end ?? comma.end };
  return {
    kind: 'call',
    start: node.start,
    end: node.end,
    callee,
    name: 'offsetof',
    args: [
      { kind: 'type', start: lowered.start, end: lowered.end, type: lowered },
      memberPath(span, context) ?? unknownExpr(inside, span, context),
    ],
    argsSpan: { start: open.start, end: close.end },
  };
}

/** `a.b.c` as nested member expressions. */
function memberPath(span: Span, context: Context): Expr | null {
  const text = textOf(span, context);
  if (!/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/.test(text)) return null;
  let expr: Expr | null = null;
  let offset = span.start;
  for (const name of text.split('.').slice(0, MAX_DEPTH)) {
    const end = offset + name.length;
    const own = { start: offset, end };
    expr =
      expr === null
        ? { kind: 'name', start: own.start, end: own.end, name }
        : ({
            kind: 'member',
            start: span.start,
            end,
            base: expr,
            arrow: false,
            field: name,
            fieldSpan: own,
          } satisfies MemberExpr);
    offset = end + 1;
  }
  return expr;
}
