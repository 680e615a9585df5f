/**
 * A macro that cannot be written out where it is used: what the code around it has to reckon with,
 * by the words of its text.
 */
import { COMMENT_OR_LITERAL } from '../text/lexical.ts';
import type { Names } from '../text/words.ts';
import type { CodeNode, Expr, Stmt, UnknownExpr } from './types.ts';

/** What the text of a macro may do beside what its calls do. */
export interface MacroText {
  /** The identifiers in it, and those of them that look like the callee of a call. */
  readonly names: readonly string[];
  readonly calls: readonly string[];
  /** The labels that it jumps to by name. */
  readonly jumpsTo: readonly string[];
  readonly mayReturn: boolean;
  /** It has a jump of any kind, or sets something: nothing after it is certain. */
  readonly isOpaque: boolean;
}

const WORDS = /[A-Za-z_]\w*/g;
const JUMP = /\b(?:goto|return|break|continue)\b/;
const SETS = /(?<![=!<>])=(?!=)|<<=|>>=|\+\+|--|##/;

export function readMacroText(text: string): MacroText {
  const code = text.replace(COMMENT_OR_LITERAL, ' ');
  return {
    names: [...new Set(code.match(WORDS))],
    calls: calledIn(code),
    jumpsTo: [...code.matchAll(/\bgoto\s+(\w+)/g)].map((match) => match[1]!),
    mayReturn: /\breturn\b/.test(code),
    isOpaque: JUMP.test(code) || SETS.test(code),
  };
}

/** The words that a parenthesis follows. */
function calledIn(code: string): string[] {
  const called = new Set<string>();
  for (const { 0: word, index } of code.matchAll(WORDS))
    if (
      code
        .slice(index + word.length)
        .trimStart()
        .startsWith('(')
    )
      called.add(word);
  return [...called];
}

/** A use of a macro: its arguments, and the function around it. */
export interface BarrierUse {
  readonly args: readonly Expr[];
  readonly locals: Names;
  readonly labels: ReadonlySet<string>;
  /** The place of one more node. */
  readonly placed: () => CodeNode;
}

/**
 * What stands in the place of such a macro: it may read and set the variables that it names, jump
 * to the labels that it is given or names, and return where its text does.
 * @returns nothing when it touches none of the function's own.
 */
export function barrierOf(texts: readonly MacroText[], use: BarrierUse): readonly Stmt[] {
  const given = use.args.flatMap((arg) => (arg.kind === 'name' ? [arg.name] : []));
  const named = texts.flatMap((text) => text.names);
  const names = [...new Set([...given, ...named])].filter((name) => use.locals.has(name));
  const jumpsTo = [...given, ...texts.flatMap((text) => text.jumpsTo)].filter(
    (name) => use.labels.has(name) && !use.locals.has(name),
  );
  const isOpaque = texts.some((text) => text.isOpaque) || jumpsTo.length > 0;
  if (!isOpaque && !named.some((name) => use.locals.has(name))) return [];
  const calls = [...new Set(texts.flatMap((text) => text.calls))];
  return [
    {
      kind: 'unknown',
      ...use.placed(),
      names,
      calls,
      opaque: isOpaque,
      ...(isOpaque && { mayWrite: true as const }),
    },
    ...[...new Set(jumpsTo)].map((label) => perhaps(gotoOf(label, use), use)),
    ...(texts.some((text) => text.mayReturn)
      ? [perhaps({ kind: 'return', ...use.placed(), value: unknownValue(use) }, use)]
      : []),
  ];
}

function gotoOf(label: string, { placed }: BarrierUse): Stmt {
  const at = placed();
  return { kind: 'goto', ...at, label, labelSpan: { start: at.start, end: at.end } };
}

/** A statement that may run or not. */
function perhaps(then: Stmt, use: BarrierUse): Stmt {
  const condition = unknownValue(use);
  const conditionSpan = { start: condition.start, end: condition.end };
  return { kind: 'if', ...use.placed(), condition, conditionSpan, then, otherwise: null };
}

function unknownValue({ placed }: BarrierUse): UnknownExpr {
  return { kind: 'unknown', ...placed(), names: [], calls: [] };
}
