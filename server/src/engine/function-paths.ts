/**
 * Writes a function down as its paths: what each does between entry and exit, in order, and what it
 * decided on the way.
 */
import { buildCfg, successors, type Block, type Cfg, type Instr } from '../flow/cfg.ts';
import type { DeclStmt, Expr, FunctionIr } from '../ir/types.ts';
import { isExcluded, macrosOf } from '../lifecycle/module/preprocessor.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { Condition } from '../syntax/node.ts';
import type { Span } from '../text/span.ts';
import { createEvaluator, type Evaluator } from './path-values.ts';
import { append } from '../text/lists.ts';
import { spend } from '../budget/work.ts';

/** One thing that others can see a path do. */
export interface PathEvent extends Span {
  /**
   * `call`: of a function or a macro; `store`: to memory; `unknown`: code that was not understood.
   */
  readonly kind: 'call' | 'store' | 'unknown';
  /** The callee's name; null for a call through a pointer and for all else. */
  readonly name: string | null;
  /** What it does, the locals in it replaced by their values: equal texts do the same. */
  readonly text: string;
  /** The values of the arguments. */
  readonly args: readonly string[];
  /** The value that the call gives, or the place that is stored to. */
  readonly value: string;
  /** Inside of an expression that may leave it out: `a && b()`. */
  readonly maybe: boolean;
}

/** A branch that a path took. */
export interface Decision extends Span {
  /** The value that was tested. */
  readonly test: string;
  readonly holds: boolean;
  /** How many things the path had done by then. */
  readonly at: number;
}

export interface FunctionPath {
  readonly events: readonly PathEvent[];
  readonly decisions: readonly Decision[];
  /** The return statement, or the closing brace. */
  readonly exit: Span;
  /** The value that is returned; null for none. */
  readonly result: string | null;
  /** What memory was last given on the path, by the text of the place. */
  readonly memory: ReadonlyMap<string, string>;
  /** What stands on the path and is not understood; null where all of it is. */
  readonly obstacle: string | null;
}

/** The paths of a function, or why there is no list of them. */
export type Paths = { readonly paths: readonly FunctionPath[] } | { readonly reason: string };

const MAX_PATHS = 600;
const MAX_STEPS = 30_000;

/** A path on its way. */
interface Walk {
  readonly block: Block;
  readonly evaluator: Evaluator;
  readonly visits: ReadonlyMap<number, number>;
}

/**
 * The paths of a function, each loop run at most once. Tests that the path has decided already, by
 * a constant or by the same test of a
 * value that cannot have changed, are not decided again.
 * @param fn the function with the macros written out that leave it.
 */
export function pathsOf(facts: ModuleFacts, fn: FunctionIr): Paths {
  if (fn.opaque) return { reason: `not all of ${fn.name}() is understood` };
  const cfg = buildCfg(fn);
  const locals = localsOf(fn);
  const paths: FunctionPath[] = [];
  const waiting: Walk[] = [
    { block: cfg.blocks[0]!, evaluator: createEvaluator(facts, locals), visits: new Map() },
  ];
  for (let steps = 0; waiting.length > 0; steps++) {
    if (steps > MAX_STEPS || paths.length > MAX_PATHS)
      return { reason: `${fn.name}() has too many paths to compare them` };
    const walk = waiting.pop()!;
    spend(1 + walk.block.instrs.length);
    const next = walkBlock(facts, walk, cfg, paths);
    append(waiting, next.reverse());
  }
  return { paths };
}

/** Names and types of parameters and local variables; arrays and structs stand for themselves. */
function localsOf(fn: FunctionIr): ReadonlySet<string> {
  const names = new Set(fn.params.map(({ name }) => name));
  const blocks = buildCfg(fn).blocks;
  for (const { instrs } of blocks)
    for (const one of instrs)
      if (one.kind === 'decl' && isPlain(one.decl)) names.add(one.decl.name);
  return names;
}

function isPlain({ type, isStatic }: DeclStmt): boolean {
  return (
    !isStatic &&
    type.arrays === 0 &&
    (type.pointers > 0 || type.keyword === null || type.keyword === 'enum')
  );
}

/** Runs one block and returns the walks that go on; a path that ends is added to the list. */
function walkBlock(
  facts: ModuleFacts,
  { block, evaluator, visits }: Walk,
  cfg: Cfg,
  paths: FunctionPath[],
): Walk[] {
  for (const instr of block.instrs) {
    if (!runInstr(facts, evaluator, instr)) return [];
    if (evaluator.hasEnded()) return [];
  }
  const end = block.terminator;
  const goOn = (id: number, own: Evaluator): Walk[] => {
    const count = (visits.get(id) ?? 0) + 1;
    return count > 2
      ? []
      : [{ block: cfg.blocks[id]!, evaluator: own, visits: new Map(visits).set(id, count) }];
  };
  switch (end.kind) {
    case 'return':
      paths.push(evaluator.finish(end.site));
      return [];
    case 'jump':
      return goOn(end.to, evaluator);
    case 'choice':
      return successors(block).flatMap((id) => goOn(id, evaluator.fork()));
    case 'branch': {
      const other = evaluator.fork();
      const yes = evaluator.decide(end.condition, true) ? goOn(end.then, evaluator) : [];
      return [...yes, ...(other.decide(end.condition, false) ? goOn(end.otherwise, other) : [])];
    }
    case 'switch': {
      const value = evaluator.evaluate(end.value);
      const label = (from: Expr | null): string =>
        from === null ? 'default' : evaluator.fork().evaluate(from);
      const ways = [
        ...end.cases.map(({ from, block: id }) => ({ from, id })),
        { from: null, id: end.otherwise },
      ];
      return ways.flatMap(({ from, id }) => {
        const own = evaluator.fork();
        own.note(`${value} is ${label(from)}`, true, from ?? end.value);
        return goOn(id, own);
      });
    }
  }
}

/**
 * False where the target kernel leaves the code out, or another arm of the same test was taken
 * before.
 */
function runInstr(facts: ModuleFacts, evaluator: Evaluator, instr: Instr): boolean {
  switch (instr.kind) {
    case 'expr':
      evaluator.evaluate(instr.expr);
      return true;
    case 'decl':
      evaluator.declare(instr.decl);
      return true;
    case 'result':
      evaluator.giveBack(instr.value);
      return true;
    case 'cleanup':
      evaluator.cleanUp(instr.decl);
      return true;
    case 'guard':
      evaluator.guard(instr.stmt, instr.isEntry);
      return true;
    case 'cursor':
      evaluator.forget(instr.args);
      return true;
    case 'config':
      return instr.conditions.every((one) => assume(facts, evaluator, one));
    case 'unknown':
      evaluator.stumble(instr.stmt);
      return true;
    case 'goto':
      return true;
  }
}

function assume(facts: ModuleFacts, evaluator: Evaluator, condition: Condition): boolean {
  if (isExcluded([condition], facts.kernel, macrosOf(facts.module, facts.kernel))) return false;
  return evaluator.assumeConfig(condition.test, condition.holds);
}
