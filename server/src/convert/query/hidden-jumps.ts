/**
 * Labels that more than a goto may lead to: a macro that is given one or names one in its body,
 * `&&label`, asm goto.
 */
import type { Expr, FileIr, FunctionIr, MacroIr } from '../../ir/types.ts';
import { behaviourOf } from '../../kernel/lookup.ts';
import { LAST_OF_OLD_MODEL } from '../../kernel/known-kernels.ts';
import { isQuery } from '../../kernel/touches.ts';
import type { Module } from '../../lifecycle/types.ts';
import { codeOf } from '../rewrite/layout.ts';
import {
  allExpressions,
  expressionsIn,
  statementsOf,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

const WORD = /[A-Za-z_]\w*/g;

/** The labels of a function that more than its gotos may lead to. */
export interface HiddenJumps {
  /** Labels that code of the module jumps to by something else than a goto. */
  readonly named: ReadonlySet<string>;
  /**
   * Those that may be: what the text mentions once more than the IR knows, and all where the
   * function calls a macro that nobody has seen.
   */
  readonly pinned: ReadonlySet<string>;
  /** The labels that evaluating an expression may jump to. */
  readonly from: (expr: Expr) => readonly string[];
}

const NONE: HiddenJumps = { named: new Set(), pinned: new Set(), from: () => [] };

/**
 * The labels of `fn`, a function of `file`, that may not be renamed, joined with another or
 * dropped, since not all that leads to them can be
 * rewritten along with it.
 */
export function hiddenJumps(module: Module, file: FileIr, fn: FunctionIr): HiddenJumps {
  const places = statementsOf(fn);
  const labels = new Set(places.flatMap(({ stmt }) => (stmt.kind === 'label' ? [stmt.name] : [])));
  if (labels.size === 0) return NONE;
  const macros = new Map(
    [file, ...module.headers]
      .flatMap((source) => source.macros)
      .map((macro) => [macro.name, macro]),
  );
  const words = wordsIn(codeOf(fn.text));
  const byMacro = new Map(
    [...new Set(words)].map((word) => [word, labelsOf(word, macros, labels)]),
  );
  const locals = new Set([
    ...fn.params.map((param) => param.name),
    ...places.flatMap(({ stmt }) => (stmt.kind === 'decl' ? [stmt.name] : [])),
  ]);
  const mentioned = places.flatMap(({ stmt }) =>
    stmt.kind === 'unknown' || stmt.kind === 'asm'
      ? stmt.names
      : allExpressions(stmt).flatMap(wordsOf),
  );
  const given = new Set(mentioned.filter((word) => labels.has(word) && !locals.has(word)));
  const named = new Set([...given, ...[...byMacro.values()].flat()]);
  const pinned = callsUnseenMacro(module, file, fn, macros)
    ? labels
    : new Set([...named, ...[...labels].filter((label) => isLost(label, words, places))]);
  const from = (expr: Expr): string[] => {
    const inside = expressionsIn(expr).flatMap(wordsOf);
    return [
      ...new Set(
        inside.flatMap((word) => [
          ...(byMacro.get(word) ?? []),
          ...(given.has(word) ? [word] : []),
        ]),
      ),
    ];
  };
  return { named, pinned, from };
}

/** The names in an expression itself, not in those inside it. */
function wordsOf(expr: Expr): readonly string[] {
  if (expr.kind === 'name') return [expr.name];
  return expr.kind === 'unknown' ? expr.names : [];
}

/** The text of the function mentions the label where the IR knows of none. */
function isLost(label: string, words: readonly string[], places: readonly Placed[]): boolean {
  const known = places.filter(
    ({ stmt }) =>
      (stmt.kind === 'label' && stmt.name === label) ||
      (stmt.kind === 'goto' && stmt.label === label),
  ).length;
  return words.filter((word) => word === label).length > known;
}

/**
 * The labels that a macro of the module names in its body, or in that of a macro that it uses; all
 * of them where it pastes their names together.
 */
function labelsOf(
  name: string,
  macros: ReadonlyMap<string, MacroIr>,
  labels: ReadonlySet<string>,
): readonly string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const pending = [name];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const macro = macros.get(next);
    if (!macro || seen.has(next)) continue;
    seen.add(next);
    const words = wordsIn(macro.bodyText);
    const pastes = words.includes('goto') && macro.bodyText.includes('##');
    for (const word of pastes ? labels : words) {
      if (labels.has(word)) found.add(word);
      else pending.push(word);
    }
  }
  return [...found];
}

/** Capitals say that it is a macro: one that neither the module defines nor the tables know. */
function callsUnseenMacro(
  module: Module,
  file: FileIr,
  fn: FunctionIr,
  macros: ReadonlyMap<string, MacroIr>,
): boolean {
  const isSeen = (name: string): boolean =>
    macros.has(name) ||
    isQuery(name) ||
    behaviourOf(name, LAST_OF_OLD_MODEL) !== undefined ||
    [file, ...module.headers].some((source) => namedFunctions(source, name).length > 0);
  const calls = statementsOf(fn).flatMap(({ stmt }) =>
    stmt.kind === 'expr' ? expressionsIn(stmt.expr) : [],
  );
  return calls.some(
    (expr) =>
      expr.kind === 'call' &&
      expr.name !== null &&
      /^[A-Z][A-Z0-9_]*$/.test(expr.name) &&
      !isSeen(expr.name),
  );
}

function wordsIn(code: string): string[] {
  return code.match(WORD) ?? [];
}
