import type { Condition } from '../syntax/node.ts';
import type { KernelVersion } from '../kernel/types.ts';

/** What a preprocessor test is for one target kernel: `unknown` when it depends on anything but the kernel's version. */
export type Truth = 'true' | 'false' | 'unknown';

/**
 * Whether the target kernel's preprocessor leaves out code under these #if arms: one of the arms is decided by the
 * kernel's version alone, and the other way. Code that depends on anything else counts as kept.
 */
export function isExcluded(conditions: readonly Condition[], kernel: KernelVersion): boolean {
  return conditions.some((condition) => evaluateTest(condition.test, kernel) === (condition.holds ? 'false' : 'true'));
}

/** The arms that the kernel's version does not decide: the code may or may not be compiled. */
export function undecided(conditions: readonly Condition[], kernel: KernelVersion): Condition[] {
  return conditions.filter((condition) => evaluateTest(condition.test, kernel) === 'unknown');
}

/** Whether two pieces of code can never be compiled together: they are in opposite arms of one test. */
export function areAlternatives(a: readonly Condition[], b: readonly Condition[]): boolean {
  return a.some((one) => b.some((other) => one.test === other.test && one.holds !== other.holds));
}

/**
 * Evaluates the expression of an #if as far as the kernel's version decides it. A test that is not an expression of
 * LINUX_VERSION_CODE, KERNEL_VERSION, numbers and logic is `unknown` in that part.
 * @param kernel a release series: 6.1 stands for every 6.1.x, so a test on the third number is unknown.
 */
export function evaluateTest(test: string, kernel: KernelVersion): Truth {
  const tokens = test.match(/\w+|&&|\|\||[<>=!]=|[^\s]/g) ?? [];
  const parser: Parser = { tokens, position: 0, kernel, depth: 0 };
  const value = parseOr(parser);
  return parser.position === tokens.length ? value : 'unknown';
}

interface Parser {
  readonly tokens: readonly string[];
  position: number;
  readonly kernel: KernelVersion;
  depth: number;
}

/** The values that an operand can have, inclusive; null when nothing is known. */
type Interval = readonly [low: number, high: number] | null;

/** Deeper parentheses than any real test has are given up, so that no text can overflow the stack. */
const MAX_DEPTH = 50;

function parseOr(parser: Parser): Truth {
  let value = parseAnd(parser);
  while (accept(parser, '||')) {
    const right = parseAnd(parser);
    value = value === 'true' || right === 'true' ? 'true' : value === 'false' && right === 'false' ? 'false' : 'unknown';
  }
  return value;
}

function parseAnd(parser: Parser): Truth {
  let value = parseNot(parser);
  while (accept(parser, '&&')) {
    const right = parseNot(parser);
    value = value === 'false' || right === 'false' ? 'false' : value === 'true' && right === 'true' ? 'true' : 'unknown';
  }
  return value;
}

function parseNot(parser: Parser): Truth {
  let negations = 0;
  while (accept(parser, '!')) negations++;
  const value = parseComparison(parser);
  if (value === 'unknown' || negations % 2 === 0) return value;
  return value === 'true' ? 'false' : 'true';
}

function parseComparison(parser: Parser): Truth {
  if (parser.tokens[parser.position] === '(' && parser.depth < MAX_DEPTH) {
    parser.position++;
    parser.depth++;
    const inner = parseOr(parser);
    parser.depth--;
    return accept(parser, ')') ? inner : giveUp(parser);
  }
  const left = parseOperand(parser);
  const operator = comparison(parser);
  if (operator === null) return left === null ? 'unknown' : left[0] > 0 || left[1] < 0 ? 'true' : left[0] === 0 && left[1] === 0 ? 'false' : 'unknown';
  const right = parseOperand(parser);
  return left === null || right === null ? 'unknown' : compare(operator, left, right);
}

function comparison(parser: Parser): string | null {
  const token = parser.tokens[parser.position];
  if (token === undefined || !/^([<>]=?|[!=]=)$/.test(token)) return null;
  parser.position++;
  return token;
}

function parseOperand(parser: Parser): Interval {
  const token = parser.tokens[parser.position++];
  if (token === 'LINUX_VERSION_CODE') return [code(parser.kernel, 0), code(parser.kernel, 255)];
  if (token === 'KERNEL_VERSION') {
    const [open, major, , minor, , patch, close] = parser.tokens.slice(parser.position, parser.position + 7);
    if (open !== '(' || close !== ')') { giveUp(parser); return null; }
    parser.position += 7;
    const exact = code([Number(major), Number(minor)], Number(patch));
    return Number.isNaN(exact) ? null : [exact, exact];
  }
  if (token !== undefined && /^\d/.test(token)) {
    const value = Number(token.replace(/[uUlL]+$/, ''));
    return Number.isNaN(value) ? null : [value, value];
  }
  if (token === undefined || !/^\w/.test(token)) { giveUp(parser); return null; }
  // A macro of the configuration, with or without arguments: defined(X), IS_ENABLED(CONFIG_X), RHEL_RELEASE_VERSION(9, 2).
  if (parser.tokens[parser.position] === '(') {
    let depth = 0;
    do {
      const next = parser.tokens[parser.position++];
      if (next === undefined) break;
      if (next === '(') depth++;
      else if (next === ')') depth--;
    } while (depth > 0);
  } else if (token === 'defined') parser.position++;
  return null;
}

/** KERNEL_VERSION(a, b, c) as include/generated/uapi/linux/version.h defines it. */
function code([major, minor]: KernelVersion, patch: number): number {
  return (major << 16) + (minor << 8) + Math.min(patch, 255);
}

function compare(operator: string, left: NonNullable<Interval>, right: NonNullable<Interval>): Truth {
  const decide = (always: boolean, never: boolean): Truth => always ? 'true' : never ? 'false' : 'unknown';
  switch (operator) {
    case '<': return decide(left[1] < right[0], left[0] >= right[1]);
    case '<=': return decide(left[1] <= right[0], left[0] > right[1]);
    case '>': return decide(left[0] > right[1], left[1] <= right[0]);
    case '>=': return decide(left[0] >= right[1], left[1] < right[0]);
    case '==': return decide(left[0] === left[1] && left[0] === right[0] && left[0] === right[1], left[1] < right[0] || left[0] > right[1]);
    default: return decide(left[1] < right[0] || left[0] > right[1], left[0] === left[1] && left[0] === right[0] && left[0] === right[1]);
  }
}

function accept(parser: Parser, token: string): boolean {
  if (parser.tokens[parser.position] !== token) return false;
  parser.position++;
  return true;
}

/** Ends the parse: what follows cannot be given a meaning. */
function giveUp(parser: Parser): Truth {
  parser.position = parser.tokens.length + 1;
  return 'unknown';
}
