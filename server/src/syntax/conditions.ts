/** The arms of #if chains and their conditions. */
import type { Condition, MaskNote, SyntaxNode } from './node.ts';
import { withoutComments } from '../text/lexical.ts';

/** One arm of an #if chain: what it contains and which tests make the preprocessor choose it. */
export interface PreprocArm {
  /** Relative to the chain: the tests of the arms before it fail, its own holds. */
  readonly conditions: readonly Condition[];
  /** The nodes of the arm without the directives themselves. */
  readonly body: readonly SyntaxNode[];
}

const CHAIN_STARTS: ReadonlySet<string> = new Set(['preproc_if', 'preproc_ifdef']);
const CHAIN_ALTERNATIVES: ReadonlySet<string> = new Set([
  'preproc_elif',
  'preproc_elifdef',
  'preproc_else',
]);
const DIRECTIVES: ReadonlySet<string> = new Set([
  '#if',
  '#ifdef',
  '#ifndef',
  '#elif',
  '#elifdef',
  '#elifndef',
  '#else',
  '#endif',
]);

/** Whether a node type opens an #if chain (`preproc_if`, `preproc_ifdef`). */
export function isPreprocChain(type: string): boolean {
  return CHAIN_STARTS.has(type);
}

/**
 * Whether a node type is a later arm of an #if chain, which the grammar nests in the arm before it.
 */
export function isPreprocAlternative(type: string): boolean {
  return CHAIN_ALTERNATIVES.has(type);
}

/**
 * The arms of an #if chain in source order.
 * @param chain a `preproc_if` or `preproc_ifdef` node, at file scope, in a function, an initialiser
 * or a struct.
 * @param text the original text of the document.
 */
export function preprocArms(chain: SyntaxNode, text: string): PreprocArm[] {
  const arms: PreprocArm[] = [];
  const failed: Condition[] = [];
  for (let arm: SyntaxNode | undefined = chain; arm !== undefined;) {
    const parts: ArmParts<SyntaxNode> = splitArm(arm.children);
    const own = conditionOfArm(parts, text);
    arms.push({ conditions: own === null ? [...failed] : [...failed, own], body: parts.body });
    if (own !== null) failed.push(negate(own));
    arm = parts.alternative;
  }
  return arms;
}

/**
 * The conditions at an offset that come from directives inside an initialiser, which the mask
 * blanks so that every entry is seen.
 * They add to those of the #if chains of the tree.
 */
export function conditionsAt(notes: readonly MaskNote[], offset: number): Condition[] {
  // One entry a chain: the conditions of the arm that the offset is in so far.
  const chains: { failed: Condition[]; own: Condition | null }[] = [];
  for (const note of notes) {
    if (note.start >= offset) break;
    if (note.kind !== 'directive') continue;
    const [, word = '', rest = ''] = /^#\s*(\w+)([^]*)/.exec(note.text) ?? [];
    if (word.startsWith('if')) {
      chains.push({ failed: [], own: directiveCondition(word, rest) });
    } else if (word === 'endif') {
      chains.pop();
    } else if (word.startsWith('el')) {
      const chain = chains.at(-1);
      if (chain === undefined) continue;
      if (chain.own !== null) chain.failed.push(negate(chain.own));
      chain.own = word === 'else' ? null : directiveCondition(word, rest);
    }
  }
  return chains.flatMap(({ failed, own }) => (own === null ? failed : [...failed, own]));
}

function directiveCondition(word: string, test: string): Condition {
  if (word.endsWith('ndef')) return { test: clean(test), holds: false };
  return word.endsWith('def') ? { test: clean(test), holds: true } : normaliseCondition(test);
}

/** The parts of one arm, whatever the nodes are made of. */
export interface ArmParts<N> {
  readonly directive: string;
  readonly test: N | undefined;
  readonly body: readonly N[];
  readonly alternative: N | undefined;
}

interface NodeShape {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly field: string | undefined;
}

/** Sorts the children of an arm into its directive, its test, its content and the next arm. */
export function splitArm<N extends NodeShape>(children: readonly N[]): ArmParts<N> {
  let directive = '';
  let test: N | undefined;
  let alternative: N | undefined;
  const body: N[] = [];
  for (const child of children) {
    if (directive === '' && child.type.startsWith('#')) directive = directiveName(child.type);
    else if (test === undefined && (child.field === 'condition' || child.field === 'name'))
      test = child;
    else if (isPreprocAlternative(child.type)) alternative ??= child;
    else if (!isLayout(child.type)) body.push(child);
  }
  return { directive, test, body, alternative };
}

/** The test of one arm, normalised; null for #else and for a directive whose test is missing. */
export function conditionOfArm(parts: ArmParts<NodeShape>, text: string): Condition | null {
  if (parts.test === undefined) return null;
  return directiveCondition(parts.directive.slice(1), text.slice(parts.test.start, parts.test.end));
}

/**
 * Reduces the expression of an #if to a test and its outcome, so that the ways to write one test
 * compare equal:
 * `defined(X)`, `defined X` and #ifdef X give { X, true }; `!A` gives the opposite of A; blanks and
 * comments do not count.
 */
export function normaliseCondition(expression: string): Condition {
  let test = clean(expression);
  let holds = true;
  for (;;) {
    const defined = /^defined\s*(?:\(\s*(\w+)\s*\)|(\w+))$/.exec(test);
    if (defined) return { test: defined[1] ?? defined[2] ?? '', holds };
    if (isWrapped(test, 0)) test = test.slice(1, -1).trim();
    else if (test.startsWith('!') && isUnary(test)) {
      test = test.slice(1).trim();
      holds = !holds;
    } else return { test, holds };
  }
}

/** The same test with the other outcome. */
export function negate(condition: Condition): Condition {
  return { test: condition.test, holds: !condition.holds };
}

/** `# ifdef` may be written with blanks after the hash. */
function directiveName(token: string): string {
  return '#' + token.slice(1).trim();
}

/** Tokens of an arm that are neither its content nor its test. */
function isLayout(type: string): boolean {
  return (
    type === '\n' ||
    type === '\r\n' ||
    (type.startsWith('#') && DIRECTIVES.has(directiveName(type)))
  );
}

/** One line, without comments, single blanks. */
function clean(expression: string): string {
  return withoutComments(expression.replace(/\\\r?\n/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();
}

/** Whether the parenthesis at `open` closes at the very end of the text. */
function isWrapped(test: string, open: number): boolean {
  if (test[open] !== '(') return false;
  let depth = 0;
  for (let i = open; i < test.length; i++) {
    if (test[i] === '(') depth++;
    else if (test[i] === ')' && --depth === 0) return i === test.length - 1;
  }
  return false;
}

/** Whether a `!` at the start applies to the whole text: to a name, a call or a parenthesis. */
function isUnary(test: string): boolean {
  const operand = /^!\s*(!|\w+\s*|)/.exec(test);
  if (operand === null) return false;
  if (operand[1] === '!') return isUnary(test.slice(1).trim());
  if (/^defined\s+\w+$/.test(test.slice(1).trim())) return true;
  return operand[0].length === test.length || isWrapped(test, operand[0].length);
}
