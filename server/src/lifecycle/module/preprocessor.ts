/** What #if tests mean for a target kernel and a configuration. */
import type { Condition } from '../../syntax/node.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import type { FileIr, MacroIr } from '../../ir/types.ts';
import type { Module } from '../types.ts';
import { withoutComments } from '../../text/lexical.ts';
import { kconfigTruth, truthInBuild } from './build-macros.ts';
import { featureTruth } from './feature-tests.ts';

/**
 * What a preprocessor test is for one target kernel: `unknown` when it depends on anything but the
 * kernel's version.
 */
export type Truth = 'true' | 'false' | 'unknown';

/** What is known of a macro in a test: whether it is defined, and what it is worth in an #if. */
export interface MacroTruth {
  readonly defined: Truth;
  readonly value: Truth;
  /** The number that it stands for, where that is known and not 0. */
  readonly number?: number;
}

/**
 * The macros of a driver that stand for a test of the kernel's version; undefined for a name that
 * somebody else decides.
 */
export type Macros = (name: string) => MacroTruth | undefined;

/**
 * Whether the target kernel's preprocessor leaves out code under these #if arms: one of the arms is
 * decided by the
 * kernel's version alone, and the other way. Code that depends on anything else counts as kept.
 */
export function isExcluded(
  conditions: readonly Condition[],
  kernel: KernelVersion,
  macros?: Macros,
): boolean {
  return conditions.some(
    (condition) =>
      evaluateTest(condition.test, kernel, macros) === (condition.holds ? 'false' : 'true'),
  );
}

/** The arms that the kernel's version does not decide: the code may or may not be compiled. */
export function undecided(
  conditions: readonly Condition[],
  kernel: KernelVersion,
  macros?: Macros,
): Condition[] {
  return conditions.filter(
    (condition) => evaluateTest(condition.test, kernel, macros) === 'unknown',
  );
}

/**
 * Whether two pieces of code can never be compiled together: they are in opposite arms of one test.
 */
export function areAlternatives(left: readonly Condition[], right: readonly Condition[]): boolean {
  return left.some((one) =>
    right.some((other) => one.test === other.test && one.holds !== other.holds),
  );
}

/**
 * Evaluates the expression of an #if as far as the kernel's version decides it. A test that is not
 * an expression of
 * LINUX_VERSION_CODE, KERNEL_VERSION, numbers and logic is `unknown` in that part.
 * @param kernel a release series: 6.1 stands for every 6.1.x, so a test on the third number is
 * unknown.
 */
export function evaluateTest(test: string, kernel: KernelVersion, macros?: Macros): Truth {
  const tokens = tokensOf(test);
  const parser: Parser = { tokens, position: 0, kernel, macros, depth: 0 };
  const value = parseOr(parser);
  return parser.position === tokens.length ? value : 'unknown';
}

/** Those of the tests that were asked about last: each key asks about the same ones. */
const tokenised = new Map<string, readonly string[]>();
const MAX_TOKENISED = 2_000;

/** The tokens of a test; the same ones while it is among those that are kept. */
export function tokensOf(test: string): readonly string[] {
  let tokens = tokenised.get(test);
  if (tokens === undefined) {
    if (tokenised.size >= MAX_TOKENISED) tokenised.clear();
    tokenised.set(test, (tokens = test.match(/\w+|&&|\|\||[<>=!]=|[^\s]/g) ?? []));
  }
  return tokens;
}

interface Parser {
  readonly tokens: readonly string[];
  position: number;
  readonly kernel: KernelVersion;
  readonly macros: Macros | undefined;
  depth: number;
}

/** The values that an operand can have, inclusive; null when nothing is known. */
type Interval = readonly [low: number, high: number] | null;

/**
 * Deeper parentheses than any real test has are given up, so that no text can overflow the stack.
 */
const MAX_DEPTH = 50;

/** The truth of `left || right`. */
function eitherOf(left: Truth, right: Truth): Truth {
  return decide(left === 'true' || right === 'true', left === 'false' && right === 'false');
}

/** The truth of `left && right`. */
function bothOf(left: Truth, right: Truth): Truth {
  return decide(left === 'true' && right === 'true', left === 'false' || right === 'false');
}

/** What holds always is true, what holds never is false. */
function decide(always: boolean, never: boolean): Truth {
  if (always) return 'true';
  return never ? 'false' : 'unknown';
}

function parseOr(parser: Parser): Truth {
  let value = parseAnd(parser);
  while (accept(parser, '||')) {
    const right = parseAnd(parser);
    value = eitherOf(value, right);
  }
  return value;
}

function parseAnd(parser: Parser): Truth {
  let value = parseNot(parser);
  while (accept(parser, '&&')) {
    const right = parseNot(parser);
    value = bothOf(value, right);
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
  if (operator === null)
    return left === null
      ? 'unknown'
      : decide(left[0] > 0 || left[1] < 0, left[0] === 0 && left[1] === 0);
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
    const [open, major, , minor, , patch, close] = parser.tokens.slice(
      parser.position,
      parser.position + 7,
    );
    if (open !== '(' || close !== ')') {
      giveUp(parser);
      return null;
    }
    parser.position += 7;
    const exact = code([Number(major), Number(minor)], Number(patch));
    return Number.isNaN(exact) ? null : [exact, exact];
  }
  if (token !== undefined && /^\d/.test(token)) {
    const value = Number(/^([^uUlL]+)[uUlL]*$/.exec(token)?.[1]);
    return Number.isNaN(value) ? null : [value, value];
  }
  if (token === undefined || !/^\w/.test(token)) {
    giveUp(parser);
    return null;
  }
  const macro = token === 'defined' ? undefined : parser.macros?.(token);
  if (macro?.number !== undefined) return [macro.number, macro.number];
  const truth = token === 'defined' ? definedHere(parser) : (optionHere(parser) ?? macro?.value);
  if (truth === 'true') return [1, 1];
  if (truth === 'false') return [0, 0];
  // A macro of the configuration, with or without arguments: defined(X), IS_ENABLED(CONFIG_X),
  // RHEL_RELEASE_VERSION(9, 2).
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

/**
 * Reads `defined X` and `defined(X)` where the answer is known, and leaves the position alone where
 * it is not.
 */
function definedHere(parser: Parser): Truth {
  const isWrapped = parser.tokens[parser.position] === '(';
  const name = parser.tokens[parser.position + (isWrapped ? 1 : 0)];
  const truth = name === undefined ? 'unknown' : (parser.macros?.(name)?.defined ?? 'unknown');
  if (truth === 'unknown' || (isWrapped && parser.tokens[parser.position + 2] !== ')'))
    return 'unknown';
  parser.position += isWrapped ? 3 : 1;
  return truth;
}

/**
 * Reads `(CONFIG_X)` after the name of a test of include/linux/kconfig.h where the configuration is
 * known, and leaves the position alone where it is not.
 */
function optionHere(parser: Parser): Truth | undefined {
  const { tokens, position, macros } = parser;
  const [open, option, close] = tokens.slice(position, position + 3);
  if (macros === undefined || open !== '(' || option === undefined || close !== ')')
    return undefined;
  const truth = kconfigTruth(tokens[position - 1]!, option, macros);
  if (truth === undefined || truth === 'unknown') return undefined;
  parser.position += 3;
  return truth;
}

const known = new WeakMap<Module, { readonly kernel: KernelVersion; readonly macros: Macros }>();

/**
 * The macros of a module as far as the target kernel's version decides them: `#define NEW
 * (LINUX_VERSION_CODE >= …)`, and what is
 * defined in an arm of such a test only; what the build defines, where that is known; and what the
 * arms of a feature test tell. Any other macro
 * that the build system may define is not among them.
 */
export function macrosOf(module: Module, kernel: KernelVersion): Macros {
  const before = known.get(module);
  if (before?.kernel === kernel) return before.macros;
  const files = [...module.sources, ...module.headers];
  const results = new Map<string, MacroTruth | undefined>();
  let depth = 0;
  const truthOfOwn = (own: readonly MacroIr[], name: string): MacroTruth | undefined =>
    own.length > 0
      ? truthOf(own, kernel, macros)
      : truthOfFeature(
          featureTruth(module, name, kernel, (conditions) =>
            isExcluded(conditions, kernel, macros),
          ),
        );
  const macros: Macros = (name) => {
    if (results.has(name) || depth >= MAX_DEPTH) return results.get(name);
    results.set(name, undefined); // A macro that leads back to itself decides nothing.
    depth++;
    const own = files.flatMap((file) =>
      macrosNamed(file, name).filter(({ params }) => params === null),
    );
    const built = truthInBuild(module.build, name);
    const isBuilt = built !== undefined && (own.length === 0 || built.defined === 'true');
    const truth = isBuilt ? built : truthOfOwn(own, name);
    depth--;
    results.set(name, truth);
    return truth;
  };
  known.set(module, { kernel, macros });
  return macros;
}

const macrosIn = new WeakMap<FileIr, ReadonlyMap<string, readonly MacroIr[]>>();

/** The macros of a name in a document, in their order. */
export function macrosNamed(file: FileIr, name: string): readonly MacroIr[] {
  let known = macrosIn.get(file);
  if (!known) {
    const byName = new Map<string, MacroIr[]>();
    for (const macro of file.macros) {
      const same = byName.get(macro.name);
      if (same) same.push(macro);
      else byName.set(macro.name, [macro]);
    }
    macrosIn.set(file, (known = byName));
  }
  return known.get(name) ?? [];
}

function truthOfFeature(holds: boolean | null): MacroTruth | undefined {
  if (holds === null) return undefined;
  const truth = holds ? 'true' : 'false';
  return { defined: truth, value: truth };
}

function truthOf(
  definitions: readonly MacroIr[],
  kernel: KernelVersion,
  macros: Macros,
): MacroTruth | undefined {
  const kept = definitions.filter((one) => !isExcluded(one.conditions, kernel, macros));
  if (kept.length === 0) return { defined: 'false', value: 'false' };
  if (kept.some((one) => undecided(one.conditions, kernel, macros).length > 0)) return undefined;
  const values = new Set(
    kept.map(({ bodyText }) => {
      const body = withoutComments(bodyText).trim();
      return body === '' ? 'true' : evaluateTest(body, kernel, macros);
    }),
  );
  const [value] = values;
  return { defined: 'true', value: values.size === 1 && value !== undefined ? value : 'unknown' };
}

/** KERNEL_VERSION(a, b, c) as include/generated/uapi/linux/version.h defines it. */
function code([major, minor]: KernelVersion, patch: number): number {
  return (major << 16) + (minor << 8) + Math.min(patch, 255);
}

function compare(
  operator: string,
  left: NonNullable<Interval>,
  right: NonNullable<Interval>,
): Truth {
  switch (operator) {
    case '<':
      return decide(left[1] < right[0], left[0] >= right[1]);
    case '<=':
      return decide(left[1] <= right[0], left[0] > right[1]);
    case '>':
      return decide(left[0] > right[1], left[1] <= right[0]);
    case '>=':
      return decide(left[0] >= right[1], left[1] < right[0]);
    case '==':
      return decide(
        left[0] === left[1] && left[0] === right[0] && left[0] === right[1],
        left[1] < right[0] || left[0] > right[1],
      );
    default:
      return decide(
        left[1] < right[0] || left[0] > right[1],
        left[0] === left[1] && left[0] === right[0] && left[0] === right[1],
      );
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
