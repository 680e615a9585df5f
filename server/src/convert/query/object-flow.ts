import type { CallExpr, Expr, FunctionIr, LoopStmt, ReturnStmt, Stmt } from '../../ir/types.ts';
import { loopCursors } from '../../kernel/loop-macros.ts';
import { isNullTestMacro, testedArgument } from '../../kernel/macros.ts';
import { namesIn, ownExpressions, statementsOf, uncast } from '../../lifecycle/statements.ts';
import { spend } from '../../budget/work.ts';

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

/**
 * What a call does to the object that the walk follows. `keep` is what it maps a live object to.
 */
export type CallMeaning =
  | { readonly op: 'allocate' | 'free' | 'uninit' }
  /** `nullSafe`: given NULL it does nothing. */
  | { readonly op: 'helper'; readonly result: States; readonly nullSafe: boolean }
  /** Hands the object out to a variable that has no value yet, or leaves that as it is. */
  | { readonly op: 'hand-out' };

export interface WalkInput {
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

export interface WalkOutput {
  /** The states before each call with a meaning. */
  readonly calls: ReadonlyMap<CallExpr, States>;
  /** Mentions of a holder, with the states there. */
  readonly uses: ReadonlyMap<Expr, States>;
  readonly exits: readonly { readonly stmt: ReturnStmt | null; readonly states: States }[];
  /**
   * False when the function nests too deep or has control flow that cannot be followed: nothing is
   * then proved.
   */
  readonly complete: boolean;
}

const MAX_DEPTH = 150;
const MAX_ROUNDS = 40;

/**
 * Follows the object through a function: a forward walk over the statements, repeated until the
 * states at the labels no
 * longer change. It knows one object, and of conditions only whether the object is there.
 */
export function walk(input: WalkInput): WalkOutput {
  const walker = new Walker(input);
  return walker.run();
}

/** The states that leave the two sides of a condition. */
interface Split {
  yes: States;
  no: States;
}

class Walker {
  private readonly input: WalkInput;
  private readonly calls = new Map<CallExpr, States>();
  private readonly uses = new Map<Expr, States>();
  private readonly exits = new Map<Stmt | null, States>();
  private readonly labels = new Map<string, States>();
  /** States that leave the innermost loop or switch by break, and that go round by continue. */
  private readonly breaks: States[] = [];
  private readonly continues: States[] = [];
  private changed = false;
  private complete = true;

  constructor(input: WalkInput) {
    this.input = input;
  }

  run(): WalkOutput {
    let rounds = 0;
    do {
      this.changed = false;
      const end = this.list(this.input.fn.body.body, this.input.entry, 0);
      if (end !== 0) this.leave(null, end);
      rounds++;
    } while (this.changed && rounds < MAX_ROUNDS);
    const exits = [...this.exits].map(([stmt, states]) => ({
      stmt: stmt as ReturnStmt | null,
      states,
    }));
    return { calls: this.calls, uses: this.uses, exits, complete: this.complete && !this.changed };
  }

  private list(stmts: readonly Stmt[], entry: States, depth: number): States {
    let states = entry;
    for (const stmt of stmts) states = this.statement(stmt, states, depth);
    return states;
  }

  private statement(stmt: Stmt, entry: States, depth: number): States {
    spend(1);
    if (depth > MAX_DEPTH) {
      this.complete = false;
      return entry;
    }
    switch (stmt.kind) {
      case 'label':
        return entry | (this.labels.get(stmt.name) ?? 0);
      case 'goto':
        if (stmt.start === this.input.returns?.start) return 0;
        this.reach(stmt.label, entry);
        return 0;
      case 'return': {
        const states = stmt.value ? this.value(stmt.value, entry) : entry;
        if (states !== 0) this.leave(stmt, states);
        return 0;
      }
      case 'break':
        return this.jump(this.breaks, entry);
      case 'continue':
        return this.jump(this.continues, entry);
      case 'block':
        return this.list(stmt.body, entry, depth + 1);
      case 'if': {
        const tested = this.condition(
          stmt.condition,
          entry,
          stmt.start === this.input.check?.start,
        );
        const split =
          this.input.handed?.has(stmt) === true
            ? { yes: tested.yes && State.none, no: tested.no && State.live }
            : tested;
        const then = this.statement(stmt.then, split.yes, depth + 1);
        return (
          then | (stmt.otherwise ? this.statement(stmt.otherwise, split.no, depth + 1) : split.no)
        );
      }
      case 'loop':
        return this.loop(stmt, entry, depth);
      case 'switch': {
        const states = this.value(stmt.value, entry);
        this.breaks.push(0);
        // Any case may be entered, or none: the cases read the state of the head from here.
        this.heads.push(states);
        const end = this.statement(stmt.body, 0, depth + 1);
        this.heads.pop();
        return states | end | this.breaks.pop()!;
      }
      case 'case':
        return entry | (this.heads[this.heads.length - 1] ?? 0);
      case 'guard': {
        let states = entry;
        for (const arg of stmt.args) states = this.value(arg, states);
        return stmt.body ? this.statement(stmt.body, states, depth + 1) : states;
      }
      case 'preproc':
        return stmt.arms.reduce((states, arm) => states | this.list(arm.body, entry, depth + 1), 0);
      case 'decl': {
        let states = stmt.init ? this.value(stmt.init, entry) : entry;
        if (stmt.init && this.input.holders.has(stmt.name))
          states = this.assigned(stmt.init, states);
        return states;
      }
      case 'unknown':
        if (stmt.opaque && entry !== 0) this.complete = false;
        return entry;
      case 'asm':
        if (stmt.isGoto && entry !== 0) this.complete = false;
        return entry;
      default: {
        let states = entry;
        for (const expr of ownExpressions(stmt)) states = this.value(expr, states);
        return states;
      }
    }
  }

  /** A label is reached with these states. */
  private reach(label: string, states: States): void {
    const known = this.labels.get(label) ?? 0;
    if ((known | states) === known) return;
    this.labels.set(label, known | states);
    this.changed = true;
  }

  private readonly heads: States[] = [];

  private loop(stmt: Stmt & { kind: 'loop' }, entry: States, depth: number): States {
    let states = entry;
    for (const init of stmt.init) states = this.statement(init, states, depth + 1);
    // A loop macro points its variable at another object in every round.
    const cursor = cursorsOf(stmt, this.input.fn).some((name) => this.input.holders.has(name));
    let around = states;
    let out = 0;
    for (let round = 0; round < 6; round++) {
      const head: States = cursor ? State.live : around;
      const split: Split =
        stmt.condition && stmt.form !== 'do'
          ? this.condition(stmt.condition, head, false)
          : { yes: head, no: head };
      this.breaks.push(0);
      this.continues.push(0);
      let end = this.statement(stmt.body, stmt.form === 'do' ? head : split.yes, depth + 1);
      end |= this.continues.pop()!;
      out |= this.breaks.pop()!;
      if (stmt.step) end = this.value(stmt.step, end);
      if (stmt.form === 'do' && stmt.condition) {
        const again = this.condition(stmt.condition, end, false);
        out |= again.no;
        end = again.yes;
      } else {
        out |= cursor ? states | end : split.no;
      }
      if ((around | end) === around) break;
      around |= end;
    }
    // After its loop the cursor of a loop macro is no object; what the path knew before still holds
    // for the others.
    return cursor ? states | (out & ~State.freed & ~State.undone) : out;
  }

  private jump(targets: States[], entry: States): States {
    if (targets.length > 0) targets[targets.length - 1]! |= entry;
    return 0;
  }

  private leave(stmt: Stmt | null, states: States): void {
    this.exits.set(stmt, (this.exits.get(stmt) ?? 0) | states);
  }

  /**
   * Evaluates a condition; `own` is the test that the conversion rewrites, the only one that still
   * tells NULL from an object.
   */
  private condition(expr: Expr, entry: States, own: boolean): Split {
    spend(1);
    const inner = plainTest(expr);
    if (inner.kind === 'unary' && inner.op === '!') {
      const split = this.condition(inner.operand, entry, own);
      return { yes: split.no, no: split.yes };
    }
    if (inner.kind === 'binary' && (inner.op === '&&' || inner.op === '||')) {
      const left = this.condition(inner.left, entry, false);
      const right = this.condition(inner.right, inner.op === '&&' ? left.yes : left.no, false);
      return inner.op === '&&'
        ? { yes: right.yes, no: left.no | right.no }
        : { yes: left.yes | right.yes, no: right.no };
    }
    if (inner.kind === 'binary' && (inner.op === '==' || inner.op === '!=')) {
      const compared = isNull(inner.right) ? inner.left : isNull(inner.left) ? inner.right : null;
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
    if (!own) this.note(this.uses, expr, entry);
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
    for (const label of this.input.jumps(root)) this.reach(label, states);
    return states;
  }

  private effect(expr: Expr, entry: States): States {
    if (expr.kind === 'name' && this.input.holders.has(expr.name)) {
      this.note(this.uses, expr, entry);
      return entry;
    }
    if (expr.kind === 'assign' && expr.op === '=') {
      const target = uncast(expr.target);
      return this.isHolder(target) ? this.assigned(expr.value, entry) : entry;
    }
    if (expr.kind !== 'call') return entry;
    const meaning = this.input.meaning(expr);
    if (!meaning) return entry;
    this.note(
      this.calls,
      expr,
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
    if (source.kind === 'call' && this.input.meaning(source)?.op === 'allocate')
      return State.live | State.failed;
    if (isNull(source)) return State.none;
    // An alias of the object (`v = &p->vdev`) changes nothing; anything else is another object, one
    // that exists.
    return namesIn(value).some((name) => this.input.holders.has(name)) ? entry : State.live;
  }

  private note<K>(map: Map<K, States>, key: K, states: States): void {
    if (states !== 0) map.set(key, (map.get(key) ?? 0) | states);
  }
}

/**
 * The variables that a loop macro sets. Of a macro that nobody knows, those that the function does
 * not mention behind the loop: what it does
 * mention there is what the loop was given, as `foo` in `for_each_port_of(foo, i)`.
 */
function cursorsOf(stmt: LoopStmt, fn: FunctionIr): string[] {
  if (stmt.macro === null) return [];
  const known = loopCursors(stmt.macro);
  const after = known ? new Set<string>() : namesBehind(fn, stmt.end);
  return stmt.args.flatMap((arg, index) =>
    arg.kind === 'name' && (known ? known.includes(index) : !after.has(arg.name)) ? [arg.name] : [],
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
    case 'member':
      return [expr.base];
    case 'index':
      return [expr.base, expr.index];
    case 'unary':
    case 'update':
      return [expr.operand];
    case 'binary':
      return [expr.left, expr.right];
    case 'assign':
      return expr.op === '=' && expr.target.kind === 'name'
        ? [expr.value]
        : [expr.value, expr.target];
    case 'conditional':
      return expr.then
        ? [expr.condition, expr.then, expr.otherwise]
        : [expr.condition, expr.otherwise];
    case 'call':
      return expr.name === null ? [expr.callee, ...expr.args] : expr.args;
    case 'cast':
      return [expr.operand];
    case 'initializer':
      return expr.entries.map((entry) => entry.value);
    case 'comma':
      return expr.items;
    case 'statement-expression':
      return expr.body.flatMap(ownExpressions);
    default:
      return [];
  }
}

/** likely(x), unlikely(x), WARN_ON(x), READ_ONCE(x), !!x and (x) are x in a test. */
export function plainTest(expr: Expr): Expr {
  let inner = uncast(expr);
  for (;;) {
    const argument: Expr | undefined =
      inner.kind === 'call' && inner.name !== null
        ? inner.args[testedArgument(inner.name) ?? inner.args.length]
        : undefined;
    if (argument) inner = uncast(argument);
    else if (
      inner.kind === 'unary' &&
      inner.op === '!' &&
      inner.operand.kind === 'unary' &&
      inner.operand.op === '!'
    )
      inner = inner.operand.operand;
    else return inner;
  }
}

/** What `IS_ERR_OR_NULL(x)` and `ZERO_OR_NULL_PTR(x)` ask of; null for any other test. */
export function nullTested(test: Expr): Expr | null {
  return test.kind === 'call' && test.name !== null && isNullTestMacro(test.name)
    ? (test.args[0] ?? null)
    : null;
}

/** `&name` */
export function isAddressOf(expr: Expr, name: string): boolean {
  const inner = uncast(expr);
  return (
    inner.kind === 'unary' &&
    inner.op === '&' &&
    inner.operand.kind === 'name' &&
    inner.operand.name === name
  );
}

/** NULL or a literal 0. */
export function isNull(expr: Expr): boolean {
  const inner = uncast(expr);
  return (
    (inner.kind === 'name' && inner.name === 'NULL') ||
    (inner.kind === 'number' && inner.value === 0)
  );
}
