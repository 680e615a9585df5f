/** Reads types and declarators. */
import type { SyntaxNode } from '../../syntax/node.ts';
import type { Span } from '../../text/span.ts';
import type { Param, TypeName } from '../types.ts';
import { field, noteAt, parts, spanOf, textOf, type Context } from './context.ts';

const KEYWORDS: Readonly<Record<string, 'struct' | 'union' | 'enum'>> = {
  struct_specifier: 'struct',
  union_specifier: 'union',
  enum_specifier: 'enum',
};
const BASIC_TYPE =
  /^(?:(?:const|volatile|unsigned|signed|long|short|int|char|void|float|double|bool|_Bool)\s*)+$/;

const TYPEOF = /^(?:__)?typeof(?:__|_unqual)?$/;

/** Whether a text is the name of a basic type (`unsigned long`). */
export function isBasicType(text: string): boolean {
  return BASIC_TYPE.test(text);
}

/** A type node, or a `type_descriptor` with its abstract declarator. */
export function lowerType(node: SyntaxNode, context: Context, pointers = 0, arrays = 0): TypeName {
  if (node.type === 'type_descriptor') {
    const inner = field(node, 'type');
    const declarator = field(node, 'declarator');
    const shape = declarator === undefined ? null : readDeclarator(declarator, context);
    const type = inner === undefined ? namelessType(node) : lowerType(inner, context);
    return { ...declaredType(type, shape), start: type.start, end: node.end };
  }
  const { start, end } = node;
  const keyword = KEYWORDS[node.type];
  if (keyword !== undefined) {
    const name = field(node, 'name');
    return {
      start,
      end,
      name: name === undefined ? '' : textOf(name, context),
      keyword,
      pointers,
      arrays,
    };
  }
  switch (node.type) {
    case 'type_identifier':
    case 'identifier': {
      const name = textOf(node, context);
      return {
        start,
        end,
        name: name.includes('typeof') && TYPEOF.test(name) ? '' : name,
        keyword: null,
        pointers,
        arrays,
      };
    }
    case 'primitive_type':
    case 'sized_type_specifier':
      return {
        start,
        end,
        name: /\b\w+$/.exec(textOf(node, context))?.[0] ?? '',
        keyword: null,
        pointers,
        arrays,
      };
    default:
      return { start, end, name: '', keyword: null, pointers, arrays };
  }
}

export function namelessType(span: Span): TypeName {
  return { start: span.start, end: span.end, name: '', keyword: null, pointers: 0, arrays: 0 };
}

/** What a declarator says, read from the outside to the name. */
export interface Declarator {
  readonly name: string;
  readonly nameSpan: Span;
  readonly pointers: number;
  readonly arrays: number;
  /** `object` is a variable; `function` declares a function; `callable` is a pointer to one. */
  readonly shape: 'object' | 'function' | 'callable';
  /** A pointer to a function is declared or returned, whose type has no name. */
  readonly nameless: boolean;
  /** The parameter list of the function, for the two shapes that have one. */
  readonly params: SyntaxNode | null;
}

/** Reads a declarator, abstract or not. Null when it holds no declarator at all. */
export function readDeclarator(declarator: SyntaxNode, context: Context): Declarator | null {
  let pointers = 0;
  let arrays = 0;
  let functions = 0;
  let params: SyntaxNode | null = null;
  let returned = 0;
  const result = (name: string, nameSpan: Span): Declarator => {
    if (functions === 0)
      return { name, nameSpan, pointers, arrays, shape: 'object', nameless: false, params: null };
    if (pointers + arrays > 0)
      return { name, nameSpan, pointers, arrays, shape: 'callable', nameless: true, params };
    return {
      name,
      nameSpan,
      pointers: returned,
      arrays: 0,
      shape: 'function',
      nameless: functions > 1,
      params,
    };
  };
  let node: SyntaxNode | undefined = declarator;
  while (node !== undefined) {
    switch (node.type) {
      case 'identifier':
      case 'field_identifier':
      case 'type_identifier':
      case 'primitive_type':
        return result(textOf(node, context), spanOf(node));
      case 'pointer_declarator':
      case 'abstract_pointer_declarator':
        pointers++;
        break;
      case 'array_declarator':
      case 'abstract_array_declarator':
        arrays++;
        break;
      case 'function_declarator':
      case 'abstract_function_declarator':
        functions++;
        returned = pointers;
        params = field(node, 'parameters') ?? null;
        pointers = 0;
        arrays = 0;
        break;
      case 'init_declarator':
      case 'parenthesized_declarator':
      case 'abstract_parenthesized_declarator':
      case 'attributed_declarator':
        break;
      default:
        return null;
    }
    const inner: SyntaxNode | undefined =
      field(node, 'declarator') ??
      parts(node).find(
        (part) => part.type.endsWith('declarator') || part.type.endsWith('identifier'),
      );
    if (inner === undefined) return result('', { start: node.end, end: node.end });
    node = inner;
  }
  return null;
}

/**
 * The type of what a declarator declares. A pointer to a function has no name for what it returns.
 */
export function declaredType(base: TypeName, declarator: Declarator | null): TypeName {
  if (declarator === null) return base;
  const { start, end } = base;
  if (declarator.nameless)
    return {
      start,
      end,
      name: '',
      keyword: null,
      pointers: declarator.pointers,
      arrays: declarator.arrays,
    };
  return {
    start,
    end,
    name: base.name,
    keyword: base.keyword,
    pointers: base.pointers + declarator.pointers,
    arrays: base.arrays + declarator.arrays,
  };
}

/** The parameters of a function; `(void)` and `...` give none. */
export function lowerParams(list: SyntaxNode | null, context: Context): Param[] {
  const params: Param[] = [];
  for (const node of list === null ? [] : parts(list)) {
    if (node.type === 'identifier')
      params.push({
        start: node.start,
        end: node.end,
        name: textOf(node, context),
        type: namelessType(node),
      });
    if (node.type !== 'parameter_declaration') continue;
    const typeNode = field(node, 'type');
    const declaratorNode = field(node, 'declarator');
    const type = typeNode === undefined ? namelessType(node) : lowerType(typeNode, context);
    const declarator =
      declaratorNode === undefined ? null : readDeclarator(declaratorNode, context);
    if (declarator === null && type.name === 'void') continue;
    params.push({
      start: node.start,
      end: node.end,
      name: declarator?.name ?? '',
      type: declaredType(type, declarator),
    });
  }
  return params;
}

/** One declared name of a declaration with the node of its initialiser. */
export interface Declared {
  /** From the declarator to the end of its initialiser. */
  readonly span: Span;
  readonly declarator: Declarator;
  readonly type: TypeName;
  readonly init: SyntaxNode | undefined;
}

/** What comes before the first declarator: `static const struct foo`. */
export interface Specifiers {
  readonly type: TypeName;
  readonly typeNode: SyntaxNode | undefined;
  readonly isStatic: boolean;
  readonly isInline: boolean;
  readonly isConst: boolean;
  readonly isExtern: boolean;
}

const INLINE = /\binline\b|\b__(?:always_)?inline(?:__)?\b/;

/**
 * The specifiers of a declaration or function definition. Most have few of them: a word is sought
 * before a pattern is.
 */
export function readSpecifiers(node: SyntaxNode, context: Context): Specifiers {
  const typeNode = field(node, 'type');
  const first = field(node, 'declarator');
  const bodyStart = typeNode === undefined ? undefined : field(typeNode, 'body')?.start;
  const before = textOf({ start: node.start, end: bodyStart ?? first?.start ?? node.end }, context);
  const base =
    typeNode === undefined
      ? namelessType({ start: node.start, end: node.start })
      : lowerType(typeNode, context);
  const masked = noteAt(node.start, 'field-macro', context);
  return {
    // `DECLARE_BITMAP(name, bits);`: the parser sees an `int`, the type is what the macro says.
    type:
      masked === undefined
        ? repairedType(node, typeNode, base, context)
        : { ...base, name: /\b(\w+)\s*\(/.exec(textOf(masked, context))?.[1] ?? '' },
    typeNode,
    isStatic: before.includes('static') && /\bstatic\b/.test(before),
    isInline: before.includes('inline') && INLINE.test(before),
    isConst: before.includes('const') && /\bconst\b/.test(before),
    isExtern: before.includes('extern') && /\bextern\b/.test(before),
  };
}

/**
 * `STATIC int f(void)`: the parser takes the unknown macro for the type and the type for an error.
 */
function repairedType(
  node: SyntaxNode,
  typeNode: SyntaxNode | undefined,
  base: TypeName,
  context: Context,
): TypeName {
  if (typeNode?.type !== 'type_identifier') return base;
  const next = node.children[node.children.indexOf(typeNode) + 1];
  if (next?.type !== 'ERROR') return base;
  const text = textOf(next, context);
  const tagged = /^(struct|union|enum)\s+(\w+)$/.exec(text);
  if (tagged)
    return {
      start: next.start,
      end: next.end,
      name: tagged[2]!,
      keyword: tagged[1] as 'struct',
      pointers: 0,
      arrays: 0,
    };
  return isBasicType(text)
    ? {
        start: next.start,
        end: next.end,
        name: /\b\w+$/.exec(text)?.[0] ?? '',
        keyword: null,
        pointers: 0,
        arrays: 0,
      }
    : base;
}

/** The declarators of a declaration in source order. */
export function readDeclared(node: SyntaxNode, base: TypeName, context: Context): Declared[] {
  const result: Declared[] = [];
  node.children.forEach((child, index) => {
    if (child.field !== 'declarator' || child.type === 'comment') return;
    const init = child.type === 'init_declarator' ? field(child, 'value') : undefined;
    const displaced = displacedDeclarator(child, node.children[index - 1], context);
    const declarator = readDeclarator(displaced ?? child, context);
    if (declarator === null) return;
    result.push({
      span: { start: (displaced ?? child).start, end: child.end },
      declarator,
      type: declaredType(base, declarator),
      init,
    });
  });
  return result;
}

/**
 * `struct foo name __attr_macro = …`: the parser takes the unknown macro for the name and the name
 * for an error. True only
 * when the would-be name looks like a macro, since `int __init name` gives the same shape with a
 * real name.
 */
function displacedDeclarator(
  declarator: SyntaxNode,
  before: SyntaxNode | undefined,
  context: Context,
): SyntaxNode | null {
  if (before?.type !== 'ERROR') return null;
  const candidates = parts(before);
  const candidate = candidates[0];
  if (
    candidates.length !== 1 ||
    candidate === undefined ||
    !/identifier$|declarator$/.test(candidate.type)
  )
    return null;
  const name = readDeclarator(declarator, context)?.name ?? '';
  const own = readDeclarator(candidate, context)?.name ?? '';
  const isMacro = (word: string): boolean =>
    word.startsWith('__') || /^[A-Z][A-Z0-9_]*$/.test(word);
  return isMacro(name) && own !== '' && !isMacro(own) ? candidate : null;
}
