/** Lowers statements. */
import type { SyntaxNode } from '../../syntax/node.ts';
import { isPreprocChain } from '../../syntax/conditions.ts';
import type { Span } from '../../text/span.ts';
import type {
  BlockStmt,
  CallExpr,
  CaseStmt,
  Expr,
  IfStmt,
  LoopStmt,
  Stmt,
  SwitchStmt,
  UnknownStmt,
} from '../types.ts';
import {
  field,
  hasErrorChild,
  isInFirstColumn,
  MAX_DEPTH,
  noteAt,
  parts,
  spanOf,
  takeInventory,
  takeTextInventory,
  textOf,
  unknownExpr,
  type Context,
} from './context.ts';
import { lowerDeclaration } from './declarations.ts';
import { lowerExpr, numberValue } from './expressions.ts';
import { lowerBlockMacro, lowerLoopMacro, macroCall } from './blockmacros.ts';
import { lowerPreprocChain } from './preproc.ts';
import { append } from '../../text/lists.ts';

/** Calls that declare a scope-bound resource: `guard(mutex)(&lock);`, `CLASS(fd, f)(fd);`. */
const GUARDS: ReadonlySet<string> = new Set(['guard', 'CLASS']);
const STATEMENT =
  /_statement$|^declaration$|^type_definition$|^function_definition$|^preproc_(?!directive|arg|params|defined)/;
const DIRECTIVE_LOST = /^#\s*(?:if|ifdef|ifndef|elif|elifdef|elifndef|else|endif)\b/;

/**
 * Lowers a list of siblings (the inside of a block, of a case, of an #if arm); tokens and comments
 * among them are skipped.
 */
export function lowerSequence(nodes: readonly SyntaxNode[], context: Context): Stmt[] {
  const out: Stmt[] = [];
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!;
    if (node.named && node.type !== 'comment') lowerInto(node, out, context);
  }
  return out;
}

/** A statement as the body of another one: one statement, or a block of what it lowers to. */
export function lowerSingle(
  node: SyntaxNode | undefined,
  parent: SyntaxNode,
  context: Context,
): Stmt {
  if (node === undefined) return { kind: 'block', start: parent.end, end: parent.end, body: [] };
  const body: Stmt[] = [];
  lowerInto(node, body, context);
  const only = body[0];
  return body.length === 1 && only !== undefined
    ? only
    : { kind: 'block', start: node.start, end: node.end, body };
}

/** The body of a function or statement expression. */
export function lowerBlock(node: SyntaxNode, context: Context): BlockStmt {
  if (isUnclosed(node)) context.opaque = true;
  const body = lowerSequence(node.children, context);
  append(body, guessedEnd(node, context));
  return { kind: 'block', start: node.start, end: node.end, body: body.slice() };
}

/**
 * A block that only its indentation closes ends with a statement that is not understood: it changes
 * nothing for the analysis, and no edit is made in a function that has one.
 */
function guessedEnd({ end }: SyntaxNode, context: Context): UnknownStmt[] {
  if (noteAt(end - 1, 'open-block', context) === undefined) return [];
  return [
    { kind: 'unknown', start: end - 1, end, names: [], calls: [], opaque: false, hides: 'end' },
  ];
}

/** Whether the parser had to add the closing brace of a block. */
export function isUnclosed(block: SyntaxNode): boolean {
  const { children } = block;
  for (let i = 0; i < children.length; i++)
    if (children[i]!.missing && children[i]!.type === '}') return true;
  return false;
}

function lowerInto(node: SyntaxNode, out: Stmt[], context: Context): void {
  if (context.depth >= MAX_DEPTH) {
    context.opaque = true;
    out.push(unknownStmt([node], context, true));
    return;
  }
  context.depth++;
  lowerKind(node, out, context);
  context.depth--;
}

/**
 * Lowers the labels of a statement, which nest to the right: `a: b: c: statement`. Case labels do
 * not, their statements are children.
 * @returns the statement; null where there is none.
 */
function lowerLabels(outer: SyntaxNode, out: Stmt[], context: Context): SyntaxNode | null {
  let node = outer;
  while (node.type === 'labeled_statement' || node.type === 'attributed_statement') {
    const label = field(node, 'label');
    if (label !== undefined) {
      const colon = node.children.find((child) => child.type === ':');
      out.push({
        kind: 'label',
        start: node.start,
        end: colon?.end ?? label.end,
        name: textOf(label, context),
        nameSpan: spanOf(label),
      });
    }
    const inner = parts(node).at(-1);
    if (inner === undefined || inner === label) return null;
    node = inner;
  }
  return node;
}

function lowerKind(outer: SyntaxNode, out: Stmt[], context: Context): void {
  const node = lowerLabels(outer, out, context);
  if (node === null) return;
  const { start, end } = node;
  switch (node.type) {
    case 'compound_statement':
      out.push(lowerBlock(node, context));
      return;
    case 'expression_statement':
      lowerExpressionNode(node, out, context);
      return;
    case 'declaration':
      if (context.unclosed && isInFirstColumn(node, context)) context.hoisted.push(node);
      else lowerDeclaration(node, out, context);
      return;
    case 'if_statement':
      out.push(lowerIf(node, context));
      return;
    case 'while_statement':
      out.push(
        noteAt(node.start, 'loop-macro', context) === undefined
          ? loopStmt(node, 'while', context)
          : lowerLoopMacro(node, context),
      );
      return;
    case 'do_statement':
      out.push(loopStmt(node, 'do', context));
      return;
    case 'for_statement':
      out.push(loopStmt(node, 'for', context));
      return;
    case 'switch_statement':
      out.push({
        kind: 'switch',
        start,
        end,
        value: condition(node, context).expr,
        body: lowerSingle(field(node, 'body'), node, context),
      } satisfies SwitchStmt);
      return;
    case 'case_statement':
      lowerCase(node, out, context);
      return;
    case 'goto_statement':
      out.push(lowerGoto(node, context));
      return;
    case 'break_statement':
    case 'continue_statement':
      out.push({ kind: node.type === 'break_statement' ? 'break' : 'continue', start, end });
      return;
    case 'return_statement':
      out.push(lowerReturn(node, context));
      return;
    case 'ERROR':
      lowerError(node, out, context);
      return;
  }
  lowerOther(node, out, context);
}

/** What a file has outside of functions, and what the grammar has no statement for. */
function lowerOther(node: SyntaxNode, out: Stmt[], context: Context): void {
  const { end } = node;
  switch (node.type) {
    case 'function_definition':
      lowerNestedFunction(node, out, context);
      return;
    case 'preproc_def':
    case 'preproc_function_def':
      context.hoisted.push(node);
      return;
    case 'struct_specifier':
    case 'union_specifier':
      context.hoisted.push(node);
      // The name that it declares is not typed yet.
      if (!/^\s*;/.test(context.own.slice(end - context.base, end - context.base + 40)))
        out.push(unknownStmt([node], context, false, true));
      return;
    case 'type_definition':
      if (context.unclosed && isInFirstColumn(node, context)) context.hoisted.push(node);
      return;
    case 'enum_specifier':
    case 'attribute_declaration':
      return;
    case 'preproc_include':
      out.push(unknownStmt([node], context, true));
      return;
    case 'preproc_call':
      // #undef and #pragma do nothing here; half an #if chain means that the parser did not see the
      // other half as one.
      if (DIRECTIVE_LOST.test(textOf(node, context))) out.push(unknownStmt([node], context, true));
      return;
  }
  if (isPreprocChain(node.type)) append(out, lowerPreprocChain(node, context));
  else if (
    node.type.endsWith('_statement') ||
    node.type.endsWith('_clause') ||
    node.type.startsWith('preproc_')
  )
    out.push(unknownStmt([node], context, true));
  else lowerExprStatement(node, node, out, context);
}

/** An expression with its semicolon. */
function lowerExpressionNode(node: SyntaxNode, out: Stmt[], context: Context): void {
  const { start, end } = node;
  const inner = parts(node);
  const first = inner[0];
  if (first !== undefined && noteAt(end - 1, 'label', context) !== undefined)
    out.push({
      kind: 'label',
      start,
      end,
      name: textOf(first, context),
      nameSpan: spanOf(first),
    });
  else if (first?.type === 'gnu_asm_expression') lowerExprStatement(first, node, out, context);
  else if (inner.length > 1 || first?.type === 'ERROR') out.push(unknownStmt([node], context));
  else if (first !== undefined) lowerExprStatement(first, node, out, context);
  else lowerEmpty(node, out, context);
}

function lowerGoto(node: SyntaxNode, context: Context): Stmt {
  const { start, end } = node;
  const label = field(node, 'label');
  return label === undefined || hasErrorChild(node)
    ? unknownStmt([node], context, true)
    : { kind: 'goto', start, end, label: textOf(label, context), labelSpan: spanOf(label) };
}

function lowerReturn(node: SyntaxNode, context: Context): Stmt {
  const { start, end } = node;
  const value = parts(node);
  const only = value[0];
  return {
    kind: 'return',
    start,
    end,
    value: only === undefined ? null : lowerReturned(only, value, context),
  };
}

/** What a return statement returns: more than one thing is of no known form. */
function lowerReturned(first: SyntaxNode, all: readonly SyntaxNode[], context: Context): Expr {
  if (all.length === 1) return lowerExpr(first, context);
  return unknownExpr(all, { start: first.start, end: all.at(-1)!.end }, context);
}

/** A statement that was not understood. */
export function unknownStmt(
  nodes: readonly SyntaxNode[],
  context: Context,
  opaque = false,
  isUnfinished = false,
): Stmt {
  const { names, calls, hidesFlow } = takeInventory(nodes, context);
  if (opaque || hidesFlow) context.opaque = true;
  return {
    kind: 'unknown',
    start: nodes[0]!.start,
    end: nodes.at(-1)!.end,
    names,
    calls,
    opaque: opaque || hidesFlow,
    ...((calls.length > 0 || isUnfinished) && { hides: 'call' as const }),
  };
}

/** Whether the semicolon of a statement is in the text, and not only what the parser was shown. */
function isEnded(node: SyntaxNode, context: Context): boolean {
  return textOf(node, context).endsWith(';');
}

/** An empty statement does nothing, unless it stands for one that is being typed. */
function lowerEmpty(node: SyntaxNode, out: Stmt[], context: Context): void {
  const note = noteAt(node.start, 'unfinished', context);
  if (note === undefined) return;
  const text = textOf(note, context);
  const head = UNFINISHED_HEAD.exec(text);
  if (head !== null) {
    // Nothing that it would control is typed yet.
    const { calls } = takeTextInventory(text.slice(head[0].length));
    const { start, end } = node;
    out.push({ kind: 'unknown', start, end, names: [], calls, opaque: false, hides: 'test' });
    return;
  }
  const { names, calls, hidesFlow } = takeTextInventory(text);
  if (hidesFlow) context.opaque = true;
  if (names.length > 0 || hidesFlow)
    out.push({
      kind: 'unknown',
      start: node.start,
      end: node.end,
      names,
      calls,
      opaque: hidesFlow,
      ...(MAY_BECOME_CALL.test(text) && { hides: 'call' }),
    });
}

/** The head of an if, a loop or a switch, of whose body nothing is there. */
const UNFINISHED_HEAD = /^(?:else\s+)?(?:if|for|while|switch)\b/;

/**
 * A call, a word that may become the name of one, or a declaration of what a later call names. A
 * member that is being assigned is none of these.
 */
const MAY_BECOME_CALL = /^\w+$|\(|^(?:struct|union|enum|const|static)\b/;

function lowerExprStatement(
  node: SyntaxNode,
  statement: SyntaxNode,
  out: Stmt[],
  context: Context,
): void {
  const { start, end } = statement;
  if (node.type === 'gnu_asm_expression') {
    const isGoto = node.children.some(
      (child) => child.type === 'gnu_asm_qualifier' && textOf(child, context) === 'goto',
    );
    out.push({ kind: 'asm', start, end, names: takeInventory([node], context).names, isGoto });
    return;
  }
  const expr = lowerExpr(node, context);
  const isUnfinished = expr.kind === 'name' && !isEnded(statement, context);
  if (expr.kind === 'unknown' || isUnfinished)
    out.push(unknownStmt([statement], context, false, isUnfinished));
  else if (expr.kind !== 'call') out.push({ kind: 'expr', start, end, expr });
  else if (expr.callee.kind === 'call' && GUARDS.has(expr.callee.name ?? ''))
    out.push(lowerScoped(expr, expr.callee, { start, end }));
  else if (expr.name === 'return_ptr' && expr.args.length === 1) {
    const name = 'no_free_ptr';
    const value: CallExpr = { ...expr, name, callee: { ...expr.callee, kind: 'name', name } };
    out.push({ kind: 'return', start, end, value });
  } else out.push({ kind: 'expr', start, end, expr });
}

/**
 * `guard(mutex)(&lock);`, or `CLASS(foo, name)(args);`, which declares a variable that its class
 * makes and ends (include/linux/cleanup.h).
 */
function lowerScoped(call: CallExpr, scope: CallExpr, { start, end }: Span): Stmt {
  const [kind, variable] = scope.args;
  if (scope.name !== 'CLASS' || kind?.kind !== 'name' || variable?.kind !== 'name') {
    const args = [...scope.args, ...call.args];
    return { kind: 'guard', start, end, macro: scope.name!, args, body: null };
  }
  const name = `class_${kind.name}_constructor`;
  return {
    kind: 'decl',
    start: variable.start,
    end,
    name: variable.name,
    nameSpan: { start: variable.start, end: variable.end },
    type: { name: '', keyword: null, pointers: 0, arrays: 0, start, end: variable.start },
    isStatic: false,
    init: { ...call, name, callee: { kind: 'name', name, start, end: kind.end } },
    statement: { start, end },
    cleanup: `class_${kind.name}`,
    cleansAddress: false,
  };
}

/** The condition in parentheses of an if, while, do or switch. */
function condition(node: SyntaxNode, context: Context): { expr: Expr; start: number; end: number } {
  const found = field(node, 'condition');
  if (found === undefined)
    return {
      expr: unknownExpr([], { start: node.start, end: node.start }, context),
      start: node.start,
      end: node.start,
    };
  return { expr: lowerExpr(found, context), start: found.start, end: found.end };
}

function lowerIf(node: SyntaxNode, context: Context): Stmt {
  const clause = field(node, 'alternative');
  const isMacro = noteAt(node.start, 'block-macro', context) !== undefined;
  if (isMacro && clause === undefined) return lowerBlockMacro(node, context);
  const tested = condition(node, context);
  const expr = isMacro ? macroCall(node, context) : tested.expr;
  const thenStmt = lowerSingle(field(node, 'consequence'), node, context);
  if (clause !== undefined && parts(clause).length !== 1) context.opaque = true;
  noteStrayParts(node, context);
  const otherwise =
    clause === undefined ? null : lowerSingle(parts(clause).at(-1), clause, context);
  return {
    kind: 'if',
    start: node.start,
    end: node.end,
    condition: expr,
    conditionSpan: { start: tested.start, end: tested.end },
    then: thenStmt,
    otherwise,
  } satisfies IfStmt;
}

/** An ERROR between the parts of a statement may be the `else` of a branch that is gone. */
function noteStrayParts(node: SyntaxNode, context: Context): void {
  if (!hasErrorChild(node)) return;
  const stray = node.children.filter((child) => child.type === 'ERROR');
  if (takeInventory(stray, context).hidesFlow) context.opaque = true;
}

function loopStmt(node: SyntaxNode, form: 'while' | 'do' | 'for', context: Context): LoopStmt {
  const init: Stmt[] = [];
  let step: Expr | null = null;
  let test: Expr | null = null;
  if (form === 'for') {
    const initializer = field(node, 'initializer');
    if (initializer?.type === 'declaration') lowerDeclaration(initializer, init, context);
    else if (initializer !== undefined)
      init.push({
        kind: 'expr',
        start: initializer.start,
        end: initializer.end,
        expr: lowerExpr(initializer, context),
      });
    const update = field(node, 'update');
    const found = field(node, 'condition');
    test = found === undefined ? null : lowerExpr(found, context);
    step = update === undefined ? null : lowerExpr(update, context);
  } else test = condition(node, context).expr;
  noteStrayParts(node, context);
  return {
    kind: 'loop',
    start: node.start,
    end: node.end,
    form,
    macro: null,
    args: [],
    init,
    condition: test,
    step,
    body: lowerSingle(field(node, 'body'), node, context),
  };
}

function lowerCase(node: SyntaxNode, out: Stmt[], context: Context): void {
  const colonIndex = node.children.findIndex((child) => child.type === ':');
  const label = colonIndex < 0 ? node.children : node.children.slice(0, colonIndex + 1);
  const value = label.find((child) => child.field === 'value');
  const error = label.find((child) => child.type === 'ERROR');
  const end = colonIndex < 0 ? node.end : node.children[colonIndex]!.end;
  out.push({
    kind: 'case',
    start: node.start,
    end,
    value: value === undefined ? null : lowerExpr(value, context),
    valueEnd: rangeEnd(value, error, end, context),
  } satisfies CaseStmt);
  if (colonIndex >= 0)
    for (const statement of lowerSequence(node.children.slice(colonIndex + 1), context))
      out.push(statement);
}

/**
 * The B of `case A ... B:`, which the parser reports as an error or does not see at all because it
 * is masked.
 */
function rangeEnd(
  value: SyntaxNode | undefined,
  error: SyntaxNode | undefined,
  end: number,
  context: Context,
): Expr | null {
  if (value === undefined) return null;
  const last = error === undefined ? undefined : parts(error).at(-1);
  if (last !== undefined) return lowerExpr(last, context);
  const rest = textOf({ start: value.end, end: end - 1 }, context);
  const match = /^\s*\.\.\.\s*/.exec(rest);
  if (match === null) return null;
  const text = rest.slice(match[0].length).trimEnd();
  const start = value.end + match[0].length;
  const span = { start, end: start + text.length };
  if (/^[A-Za-z_]\w*$/.test(text))
    return { kind: 'name', start: span.start, end: span.end, name: text };
  if (/^\w+$|^'.*'$/.test(text))
    return { kind: 'number', start: span.start, end: span.end, value: numberValue(text), text };
  return {
    kind: 'unknown',
    start: span.start,
    end: span.end,
    names: text.match(/[A-Za-z_]\w*/g) ?? [],
    calls: [],
  };
}

/**
 * A function definition inside a function: the brace of the outer one is missing. In the first
 * column it is an item of its own.
 */
function lowerNestedFunction(node: SyntaxNode, out: Stmt[], context: Context): void {
  if (isInFirstColumn(node, context)) context.opaque = true;
  else out.push(unknownStmt([node], context, true));
}

/** Statements inside an ERROR are still statements; what is between them is not understood. */
function lowerError(node: SyntaxNode, out: Stmt[], context: Context): void {
  const children = node.children.filter(
    (child) => child.type !== 'comment' && child.type !== 'attribute_specifier',
  );
  const structured = children.some((child) => STATEMENT.test(child.type));
  let loose: SyntaxNode[] = [];
  const flush = (): void => {
    if (loose.length === 0) return;
    const { names, hidesFlow } = takeInventory(loose, context);
    if (names.length > 0 || hidesFlow) out.push(unknownStmt(loose, context, structured));
    loose = [];
  };
  if (node.children.length === 0) loose.push(node);
  for (const child of children) {
    if (STATEMENT.test(child.type)) {
      flush();
      lowerInto(child, out, context);
    } else loose.push(child);
  }
  flush();
  if (structured) context.opaque = true;
}
