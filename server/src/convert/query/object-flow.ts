/**
 * Follows one object through a function, over its control-flow graph: where it can be at each call,
 * use and exit. Of conditions it knows only whether the object is there.
 */
import { buildCfg, successors, type Block, type Cfg, type Instr } from '../../flow/cfg.ts';
import { solve } from '../../flow/dataflow.ts';
import type { CallExpr, Expr, FunctionIr, ReturnStmt, Stmt } from '../../ir/types.ts';
import { subExprs } from '../../ir/visit.ts';
import { loopCursors } from '../../kernel/loop-macros.ts';
import {
  allExpressions,
  namesIn,
  ownExpressions,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { spend } from '../../budget/work.ts';
import { comparedToNull, isNull, nullTested, plainTest } from './expressions.ts';

/**
 * Where the object of a function can be, as a set of bits: paths that meet keep what each of them
 * knew.
 */
export const State = {
  /** Not there: before the allocation, or set to NULL. */
  none: 1,
  /** The allocation failed: NULL now, an error pointer once converted. */
  failed: 2,
  live: 4,
  /** Uninitialised, not yet freed. */
  undone: 8,
  freed: 16,
} as const;
export type States = number;

/** What a call does to the object that is followed. */
export type CallMeaning =
  | { readonly op: 'allocate' | 'free' | 'uninit' }
  /** `nullSafe`: given NULL it does nothing. */
  | { readonly op: 'helper'; readonly result: States; readonly nullSafe: boolean }
  /** Hands the object out to a variable that has no value yet, or leaves that as it is. */
  | { readonly op: 'hand-out' };

export interface FlowInput {
  readonly fn: FunctionIr;
  readonly entry: States;
  /** The variables that hold the object. */
  readonly holders: ReadonlySet<string>;
  /** The test of the allocation: the only one that the conversion rewrites. */
  readonly check: Stmt | null;
  /** The converted test makes the variable NULL where the allocation failed. */
  readonly resets?: boolean | undefined;
  /** The `goto` of the failing branch that becomes a return. */
  readonly returns?: Stmt | undefined;
  /**
   * Tests of the result of a function that hands out the object through an argument: there is none
   * where they hold, and one where they do not.
   */
  readonly handed?: ReadonlySet<Stmt> | undefined;
  readonly meaning: (call: CallExpr) => CallMeaning | null;
  /** The labels that evaluating an expression may jump to, by a macro. */
  readonly jumps: (expr: Expr) => readonly string[];
}

export interface ObjectFlow {
  /** The states before each call with a meaning. */
  readonly calls: ReadonlyMap<CallExpr, States>;
  /** Mentions of a holder, with the states there. */
  readonly uses: ReadonlyMap<Expr, States>;
  readonly exits: readonly { readonly stmt: ReturnStmt | null; readonly states: States }[];
  /** False when the function has control flow that cannot be followed: nothing is then proved. */
  readonly complete: boolean;
}

/** The states of the two sides of a condition. */
interface Split {
  readonly yes: States;
  readonly no: States;
}

/** A loop macro that points a variable of the object at another one in every turn. */
interface CursorLoop {
  readonly head: number;
  readonly exit: number;
}

type CursorInstr = Instr & { readonly kind: 'cursor' };

/** Follows the object through a function until the states at the blocks no longer change. */
export function flowOf(input: FlowInput): ObjectFlow {
  const cfg = buildCfg(input.fn);
  const flow = new Flow(input, cfg);
  return flow.recorded(flow.solved());
}

class Flow {
  private readonly input: FlowInput;
  private readonly cfg: Cfg;
  /** The tests of the allocation, and of a result that hands the object out. */
  private readonly own: ReadonlySet<Expr>;
  private readonly handed: ReadonlySet<Expr>;
  private readonly loops: readonly CursorLoop[];
  /** Arguments of loop macros that are what the loop sets, and no use of it. */
  private readonly cursors: ReadonlySet<Expr>;
  private readonly calls: ReadonlySet<CallExpr>;
  /** The states that macros bring to the blocks of labels. */
  private readonly jumped = new Map<number, States>();
  private hasJumped = false;
  private record: { calls: Map<CallExpr, States>; uses: Map<Expr, States> } | null = null;
  private isComplete = true;

  constructor(input: FlowInput, cfg: Cfg) {
    this.input = input;
    this.cfg = cfg;
    const all = statementsOf(input.fn).map(({ stmt }) => stmt);
    const tests = all.flatMap((stmt) => (stmt.kind === 'if' ? [stmt] : []));
    this.own = new Set(
      tests
        .filter((stmt) => stmt.start === input.check?.start)
        .map((stmt) => bareTest(stmt.condition)),
    );
    this.handed = new Set(
      tests
        .filter((stmt) => input.handed?.has(stmt) === true)
        .map((stmt) => bareTest(stmt.condition)),
    );
    const cursors = cfg.blocks.flatMap((block) =>
      block.instrs.filter((instr): instr is CursorInstr => instr.kind === 'cursor'),
    );
    this.cursors = new Set(cursors.flatMap((instr) => cursorsOf(instr, input.fn)));
    this.loops = cursors
      .filter((instr) => this.setsHolder(instr))
      .map(({ exit }) => ({ head: headOf(cfg, exit), exit }));
    this.calls = new Set(
      all.flatMap(allExpressions).filter((expr): expr is CallExpr => expr.kind === 'call'),
    );
  }

  /** The states at the entry of each block. */
  solved(): readonly States[] {
    for (;;) {
      this.hasJumped = false;
      const states = solve<States>(
        this.cfg,
        {
          bottom: 0,
          join: (left, right) => left | right,
          equal: (left, right) => left === right,
          transfer: (id, value) => this.through(this.cfg.blocks[id]!, value),
          along: (id, way, value) => this.along(this.cfg.blocks[id]!, way, value),
        },
        'forward',
        this.input.entry,
      );
      // What a macro jumps to may be a block that was looked at before.
      if (!this.hasJumped) return states;
    }
  }

  /** What there is to say of each place, once the states are known. */
  recorded(states: readonly States[]): ObjectFlow {
    const calls = new Map<CallExpr, States>();
    const uses = new Map<Expr, States>();
    const exits = new Map<ReturnStmt | null, States>();
    this.record = { calls, uses };
    for (const block of this.cfg.blocks) {
      const out = this.through(block, states[block.id]!);
      const { terminator } = block;
      if (terminator.kind === 'branch') this.condition(terminator.condition, out);
      if (terminator.kind !== 'return' || out === 0) continue;
      const site = terminator.site as Partial<Stmt>;
      const stmt = site.kind === 'return' ? (site as ReturnStmt) : null;
      exits.set(stmt, (exits.get(stmt) ?? 0) | out);
    }
    return {
      calls,
      uses,
      exits: [...exits].map(([stmt, at]) => ({ stmt, states: at })),
      complete: this.isComplete,
    };
  }

  private through(block: Block, entry: States): States {
    let states = entry | (this.jumped.get(block.id) ?? 0);
    for (const instr of block.instrs) states = this.instr(instr, states);
    return block.terminator.kind === 'switch' ? this.value(block.terminator.value, states) : states;
  }

  private along(block: Block, way: number, out: States): States {
    const { terminator } = block;
    const to = successors(block)[way]!;
    const states = terminator.kind === 'branch' ? this.branch(terminator.condition, out, way) : out;
    // In the next turn and after its loop the cursor is no object that this one has freed.
    const isPast = this.loops.some(
      ({ head, exit }) => (to === head && block.id > head) || (to === exit && block.id !== head),
    );
    return isPast ? states & ~State.freed & ~State.undone : states;
  }

  private branch(condition: Expr, out: States, way: number): States {
    const split = this.condition(condition, out);
    return way === 0 ? split.yes : split.no;
  }

  private instr(instr: Instr, entry: States): States {
    spend(1);
    switch (instr.kind) {
      case 'expr':
        return this.cursors.has(instr.expr) ? entry : this.value(instr.expr, entry);
      case 'decl': {
        const { init, name } = instr.decl;
        if (!init) return entry;
        const states = this.value(init, entry);
        return this.input.holders.has(name) ? this.assigned(init, states) : states;
      }
      case 'result':
        return instr.value ? this.value(instr.value, entry) : entry;
      case 'guard':
        return instr.isEntry
          ? instr.stmt.args.reduce((states, arg) => this.value(arg, states), entry)
          : entry;
      case 'cursor':
        return entry !== 0 && this.setsHolder(instr) ? State.live : entry;
      case 'goto':
        return instr.stmt.start === this.input.returns?.start ? 0 : entry;
      case 'unknown':
        if (entry !== 0 && (instr.stmt.kind === 'asm' ? instr.stmt.isGoto : instr.stmt.opaque))
          this.isComplete = false;
        return entry;
      default:
        return entry;
    }
  }

  private setsHolder(instr: CursorInstr): boolean {
    return cursorsOf(instr, this.input.fn).some((arg) => this.input.holders.has(arg.name));
  }

  /**
   * Evaluates a condition. The test that the conversion rewrites is the only one that still tells
   * NULL from an object.
   */
  private condition(expr: Expr, entry: States): Split {
    const isOwn = this.own.has(bareTest(expr));
    const tested = this.test(expr, entry, isOwn);
    return this.handed.has(bareTest(expr))
      ? { yes: tested.yes && State.none, no: tested.no && State.live }
      : tested;
  }

  private test(expr: Expr, entry: States, own: boolean): Split {
    spend(1);
    const inner = plainTest(expr);
    if (inner.kind === 'unary' && inner.op === '!') {
      const split = this.test(inner.operand, entry, own);
      return { yes: split.no, no: split.yes };
    }
    if (inner.kind === 'binary' && (inner.op === '&&' || inner.op === '||')) {
      const left = this.test(inner.left, entry, false);
      const right = this.test(inner.right, inner.op === '&&' ? left.yes : left.no, false);
      return inner.op === '&&'
        ? { yes: right.yes, no: left.no | right.no }
        : { yes: left.yes | right.yes, no: right.no };
    }
    if (inner.kind === 'binary' && (inner.op === '==' || inner.op === '!=')) {
      const compared = comparedToNull(inner.left, inner.right);
      const other = compared && plainTest(compared);
      if (other && this.isHolder(other)) {
        const split = this.presence(other, entry, own);
        return inner.op === '!=' ? split : { yes: split.no, no: split.yes };
      }
    }
    if (this.isHolder(inner)) return this.presence(inner, entry, own);
    const asked = nullTested(inner);
    const missing = asked && plainTest(asked);
    if (missing && this.isHolder(missing)) return this.absence(inner, missing, entry, own);
    const states = this.value(inner, entry);
    return { yes: states, no: states };
  }

  private presence(expr: Expr, entry: States, own: boolean): Split {
    if (!own) this.noteUse(expr, entry);
    const gone = own ? State.none | State.failed : State.none;
    const no = entry & (State.none | State.failed);
    return {
      yes: entry & ~gone,
      no: own && this.input.resets === true && no !== 0 ? State.none : no,
    };
  }

  /**
   * A test that holds where there is no object. IS_ERR_OR_NULL() also knows the error pointer of
   * the converted allocation.
   */
  private absence(test: Expr, holder: Expr, entry: States, own: boolean): Split {
    if (own || test.kind !== 'call' || test.name !== 'IS_ERR_OR_NULL') {
      const split = this.presence(holder, entry, own);
      return { yes: split.no, no: split.yes };
    }
    const none = State.none | State.failed;
    return { yes: entry & none, no: entry & ~none };
  }

  private isHolder(expr: Expr): expr is Expr & { kind: 'name' } {
    return expr.kind === 'name' && this.input.holders.has(expr.name);
  }

  /**
   * Evaluates an expression for its effects, inner before outer. Iterative over the parts; order
   * inside one expression is that of the source.
   */
  private value(root: Expr, entry: States): States {
    let states = entry;
    const pending: { readonly expr: Expr; readonly done: boolean }[] = [
      { expr: root, done: false },
    ];
    for (let item = pending.pop(); item; item = pending.pop()) {
      const { expr } = item;
      if (item.done) states = this.effect(expr, states);
      else {
        pending.push({ expr, done: true });
        const parts = partsOf(expr);
        for (let index = parts.length - 1; index >= 0; index--)
          pending.push({ expr: parts[index]!, done: false });
      }
    }
    for (const label of this.input.jumps(root))
      for (const block of this.cfg.labels.get(label) ?? []) this.jump(block, states);
    return states;
  }

  private jump(block: number, states: States): void {
    const known = this.jumped.get(block) ?? 0;
    if ((known | states) === known) return;
    this.jumped.set(block, known | states);
    this.hasJumped = true;
  }

  private effect(expr: Expr, entry: States): States {
    if (expr.kind === 'name' && this.input.holders.has(expr.name)) {
      this.noteUse(expr, entry);
      return entry;
    }
    if (expr.kind === 'assign' && expr.op === '=') {
      const target = uncast(expr.target);
      return this.isHolder(target) ? this.assigned(expr.value, entry) : entry;
    }
    if (expr.kind !== 'call') return entry;
    const call = this.original(expr);
    const meaning = this.input.meaning(call);
    if (!meaning) return entry;
    this.noteCall(
      call,
      meaning.op === 'hand-out' || (meaning.op === 'helper' && meaning.nullSafe)
        ? entry & ~State.none
        : entry,
    );
    const present = State.live | State.undone;
    switch (meaning.op) {
      case 'allocate':
        return entry;
      // A path on which it was not handed out must not look at the variable: what looks says that
      // it was.
      case 'hand-out':
        return entry & State.none ? State.live | (entry & ~State.none) : entry;
      case 'free':
        return entry === 0 ? 0 : State.freed;
      case 'uninit':
        return (entry & State.live ? State.undone : 0) | (entry & ~State.live);
      case 'helper':
        return (
          (entry & present ? meaning.result : 0) |
          (entry & ~present) |
          (entry & State.undone && meaning.result & State.live ? State.undone : 0)
        );
    }
  }

  private assigned(value: Expr, entry: States): States {
    if (entry === 0) return 0;
    const source = uncast(value);
    if (source.kind === 'call' && this.input.meaning(this.original(source))?.op === 'allocate')
      return State.live | State.failed;
    if (isNull(source)) return State.none;
    // An alias of the object (`v = &p->vdev`) changes nothing; anything else is another object, one
    // that exists.
    return namesIn(value).some((name) => this.input.holders.has(name)) ? entry : State.live;
  }

  /**
   * The call as the function has it: what is around a statement expression that became control flow
   * is a copy in the graph.
   */
  private original(call: CallExpr): CallExpr {
    if (this.calls.has(call)) return call;
    const same = [...this.calls].filter(
      (one) => one.start === call.start && one.end === call.end && one.name === call.name,
    );
    if (same.length !== 1) this.isComplete = false;
    return same[0] ?? call;
  }

  private noteUse(expr: Expr, states: States): void {
    if (this.record && states !== 0)
      this.record.uses.set(expr, (this.record.uses.get(expr) ?? 0) | states);
  }

  private noteCall(call: CallExpr, states: States): void {
    if (this.record && states !== 0)
      this.record.calls.set(call, (this.record.calls.get(call) ?? 0) | states);
  }
}

/** The condition without the negations at its top, which the graph has as the order of its ways. */
function bareTest(condition: Expr): Expr {
  let inner = condition;
  while (inner.kind === 'unary' && inner.op === '!') inner = inner.operand;
  return inner;
}

/** The block that a loop macro begins each turn in: it leads to the body and to the exit. */
function headOf(cfg: Cfg, exit: number): number {
  const head = cfg.blocks.find(
    ({ terminator }) =>
      terminator.kind === 'choice' && terminator.to.length === 2 && terminator.to[1] === exit,
  );
  return head?.id ?? -1;
}

/**
 * The variables that a loop macro sets. Of a macro that nobody knows, those that the function does
 * not mention behind the loop: what it does
 * mention there is what the loop was given, as `foo` in `for_each_port_of(foo, i)`.
 */
function cursorsOf(instr: CursorInstr, fn: FunctionIr): (Expr & { readonly kind: 'name' })[] {
  const known = loopCursors(instr.macro);
  const after = known ? new Set<string>() : namesBehind(fn, instr.site.end);
  return instr.args.filter(
    (arg, index): arg is Expr & { readonly kind: 'name' } =>
      arg.kind === 'name' && (known ? known.includes(index) : !after.has(arg.name)),
  );
}

function namesBehind(fn: FunctionIr, offset: number): Set<string> {
  return new Set(
    statementsOf(fn).flatMap(({ stmt }) =>
      stmt.start >= offset ? ownExpressions(stmt).flatMap(namesIn) : [],
    ),
  );
}

/**
 * The parts that are evaluated before an expression takes effect. The target of a plain assignment
 * is no use of its variable.
 */
function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'assign':
      return expr.op === '=' && expr.target.kind === 'name' ? [expr.value] : subExprs(expr);
    case 'call':
      return expr.name === null ? subExprs(expr) : expr.args;
    case 'sizeof':
      return [];
    case 'statement-expression':
      return expr.body.flatMap(ownExpressions);
    default:
      return subExprs(expr);
  }
}
