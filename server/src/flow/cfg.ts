/** The control-flow graph of a function, with the ends of scopes where control leaves them. */
import type { Condition } from '../syntax/node.ts';
import type {
  AsmStmt,
  CaseStmt,
  CodeNode,
  DeclStmt,
  Expr,
  FunctionIr,
  GotoStmt,
  GuardStmt,
  PreprocStmt,
  StatementExpr,
  Stmt,
  SwitchStmt,
  UnknownStmt,
} from '../ir/types.ts';
import type { Span } from '../text/span.ts';

/** A straight-line effect inside a block, in execution order. */
export type Instr =
  | { readonly kind: 'expr'; readonly expr: Expr }
  | { readonly kind: 'decl'; readonly decl: DeclStmt }
  /** The value of a `return`, evaluated before the scope is left. */
  | { readonly kind: 'result'; readonly value: Expr | null; readonly site: Span }
  /** A __free() variable goes out of scope. */
  | { readonly kind: 'cleanup'; readonly decl: DeclStmt }
  /** A guard()'s scope begins (`isEntry`) or is left. */
  | { readonly kind: 'guard'; readonly stmt: GuardStmt; readonly isEntry: boolean }
  /**
   * A loop macro may have given an argument a new, unknown value. `exit` is the block behind the
   * loop.
   */
  | {
      readonly kind: 'cursor';
      readonly macro: string;
      readonly args: readonly Expr[];
      readonly exit: number;
      readonly site: CodeNode;
    }
  /** From here on these preprocessor conditions hold. */
  | { readonly kind: 'config'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'goto'; readonly stmt: GotoStmt }
  | { readonly kind: 'unknown'; readonly stmt: UnknownStmt | AsmStmt };

/** How a block ends. Block ids index `Cfg.blocks`. */
export type Terminator =
  | { readonly kind: 'jump'; readonly to: number }
  /** `condition` is free of `&&`, `||`, `!` and comma at its top: those became control flow. */
  | {
      readonly kind: 'branch';
      readonly condition: Expr;
      readonly then: number;
      readonly otherwise: number;
    }
  | {
      readonly kind: 'switch';
      readonly value: Expr;
      readonly cases: readonly {
        readonly from: Expr;
        readonly to: Expr | null;
        readonly block: number;
      }[];
      readonly otherwise: number;
    }
  /**
   * Any of these may follow: a loop macro, an #if chain (each arm begins with a config
   * instruction).
   */
  | { readonly kind: 'choice'; readonly to: readonly number[] }
  | { readonly kind: 'return'; readonly site: Span };

export interface Block {
  readonly id: number;
  readonly instrs: Instr[];
  terminator: Terminator;
}

/**
 * The control-flow graph of one function: entry is block 0. Blocks that nothing reaches stay in the
 * list.
 */
export interface Cfg {
  readonly function: FunctionIr;
  readonly blocks: readonly Block[];
  /** The blocks that begin at each label: several where #if arms have a label of the same name. */
  readonly labels: ReadonlyMap<string, readonly number[]>;
  /** The block that runs off the end of the function. */
  readonly end: number;
}

/** Successor ids of a block, in source order. */
export function successors(block: Block): readonly number[] {
  const terminator = block.terminator;
  switch (terminator.kind) {
    case 'jump':
      return [terminator.to];
    case 'branch':
      return [terminator.then, terminator.otherwise];
    case 'switch':
      return [...terminator.cases.map((label) => label.block), terminator.otherwise];
    case 'choice':
      return terminator.to;
    case 'return':
      return [];
  }
}

/**
 * Builds the graph of a function. Total: an unknown label or a stray `break` leaves the function as
 * a return would.
 */
export function buildCfg(fn: FunctionIr): Cfg {
  const builder = new Builder();
  builder.block(fn.body.body, fn.conditions);
  builder.leave(0);
  const end = builder.finish({
    kind: 'return',
    site: { start: Math.max(fn.body.start, fn.body.end - 1), end: fn.body.end },
  });
  builder.patchGotos(fn);
  return { function: fn, blocks: builder.blocks, labels: builder.labelled(), end };
}

/** Whether control can come to a return at all: an endless loop has none. */
export function canEnd(cfg: Cfg): boolean {
  const reached = new Set([0]);
  // A set hands out what is added to it while it is walked.
  for (const id of reached) {
    const block = cfg.blocks[id]!;
    if (block.terminator.kind === 'return') return true;
    for (const next of successors(block)) reached.add(next);
  }
  return false;
}

/**
 * The ids of the blocks that control can come back to from themselves. Linear: the strongly
 * connected components of the graph.
 */
export function blocksInLoops(cfg: Cfg): ReadonlySet<number> {
  const inLoops = new Set<number>();
  const index = new Map<number, number>(),
    low: number[] = [],
    open: number[] = [],
    isOpenNow = new Set<number>();
  const begin = (id: number) => {
    index.set(id, index.size);
    low[id] = index.get(id)!;
    open.push(id);
    isOpenNow.add(id);
    return { id, out: successors(cfg.blocks[id]!), next: 0 };
  };
  const stack = [begin(0)];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const to = top.out[top.next++];
    if (to !== undefined) {
      if (to === top.id) inLoops.add(to);
      if (!index.has(to)) stack.push(begin(to));
      else if (isOpenNow.has(to)) low[top.id] = Math.min(low[top.id]!, index.get(to)!);
      continue;
    }
    stack.pop();
    const parent = stack.at(-1);
    if (parent) low[parent.id] = Math.min(low[parent.id]!, low[top.id]!);
    if (low[top.id] !== index.get(top.id)) continue;
    const component = open.splice(open.lastIndexOf(top.id));
    for (const id of component) {
      isOpenNow.delete(id);
      if (component.length > 1) inLoops.add(id);
    }
  }
  return inLoops;
}

interface Jump {
  readonly target: number;
  readonly depth: number;
}

/** State of the construction; one object because every statement form needs all of it. */
class Builder {
  readonly blocks: Block[] = [];
  private current: Block;
  private readonly labels = new Map<
    string,
    { block: number; cleanups: readonly (DeclStmt | GuardStmt)[] }[]
  >();
  private readonly gotos: {
    from: Block;
    stmt: GotoStmt;
    cleanups: readonly (DeclStmt | GuardStmt)[];
  }[] = [];
  private readonly breaks: Jump[] = [];
  private readonly continues: Jump[] = [];
  private readonly cases: { stmt: CaseStmt; block: number }[][] = [];
  private readonly arms: Condition[][] = [];
  /** __free() variables and guards in scope, innermost last. */
  private readonly cleanups: (DeclStmt | GuardStmt)[] = [];

  constructor() {
    this.current = this.fresh();
  }

  block(body: readonly Stmt[], conditions: readonly Condition[] = []): void {
    if (conditions.length) this.current.instrs.push({ kind: 'config', conditions });
    const depth = this.cleanups.length;
    for (const stmt of body) this.stmt(stmt);
    this.leave(depth);
    this.cleanups.length = depth;
  }

  /** Ends the current block, whose id it returns. */
  finish(terminator: Terminator): number {
    this.current.terminator = terminator;
    return this.current.id;
  }

  /** The blocks of each label. */
  labelled(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.labels].map(([name, list]) => [name, list.map((one) => one.block)]));
  }

  /** Runs the cleanups of the scopes above `depth`, innermost first, without closing them. */
  leave(depth: number): void {
    for (let i = this.cleanups.length - 1; i >= depth; i--)
      this.current.instrs.push(endOf(this.cleanups[i]!));
  }

  patchGotos(fn: FunctionIr): void {
    for (const goto of this.gotos) {
      const targets = this.labels.get(goto.stmt.label);
      if (!targets) {
        goto.from.terminator = {
          kind: 'return',
          site: { start: fn.body.end - 1, end: fn.body.end },
        };
        continue;
      }
      const keep = targets[0]!.cleanups;
      for (let i = goto.cleanups.length - 1; i >= 0 && !keep.includes(goto.cleanups[i]!); i--)
        goto.from.instrs.push(endOf(goto.cleanups[i]!));
      goto.from.terminator =
        targets.length === 1
          ? { kind: 'jump', to: targets[0]!.block }
          : { kind: 'choice', to: targets.map((target) => target.block) };
    }
  }

  private fresh(): Block {
    const block: Block = {
      id: this.blocks.length,
      instrs: [],
      terminator: { kind: 'choice', to: [] },
    };
    this.blocks.push(block);
    return block;
  }

  private startNew(): Block {
    return (this.current = this.fresh());
  }

  /** Ends the current block with a jump to a new one, which becomes current. */
  private fallInto(): Block {
    const from = this.current,
      to = this.startNew();
    from.terminator = { kind: 'jump', to: to.id };
    return to;
  }

  private stmt(item: Stmt): void {
    switch (item.kind) {
      case 'expr': {
        const expr = this.value(item.expr);
        if (expr) this.current.instrs.push({ kind: 'expr', expr });
        return;
      }
      case 'decl': {
        const init = item.init && this.value(item.init);
        const decl = init === item.init ? item : { ...item, init };
        this.current.instrs.push({ kind: 'decl', decl });
        if (item.cleanup) this.cleanups.push(decl);
        return;
      }
      case 'block':
        this.block(item.body);
        return;
      case 'if':
        this.ifStmt(item.condition, item.then, item.otherwise);
        return;
      case 'loop':
        this.loop(item);
        return;
      case 'switch':
        this.switchStmt(item);
        return;
      case 'case': {
        const to = this.fallInto();
        this.enterArm();
        this.cases.at(-1)?.push({ stmt: item, block: to.id });
        return;
      }
      case 'label': {
        const to = this.fallInto();
        this.enterArm();
        const list = this.labels.get(item.name) ?? [];
        list.push({ block: to.id, cleanups: [...this.cleanups] });
        this.labels.set(item.name, list);
        return;
      }
      case 'goto':
        this.current.instrs.push({ kind: 'goto', stmt: item });
        this.gotos.push({ from: this.current, stmt: item, cleanups: [...this.cleanups] });
        this.startNew();
        return;
      case 'break':
      case 'continue': {
        const jump = (item.kind === 'break' ? this.breaks : this.continues).at(-1);
        this.leave(jump?.depth ?? 0);
        this.finish(jump ? { kind: 'jump', to: jump.target } : { kind: 'return', site: item });
        this.startNew();
        return;
      }
      case 'return':
        this.current.instrs.push({
          kind: 'result',
          value: item.value && this.value(item.value),
          site: item,
        });
        this.leave(0);
        this.finish({ kind: 'return', site: item });
        this.startNew();
        return;
      case 'guard':
        this.guard(item);
        return;
      case 'preproc':
        this.preproc(item);
        return;
      case 'asm':
      case 'unknown':
        this.current.instrs.push({ kind: 'unknown', stmt: item });
        return;
    }
  }

  private guard(item: GuardStmt): void {
    this.current.instrs.push({ kind: 'guard', stmt: item, isEntry: true });
    this.cleanups.push(item);
    if (item.body === null) return;
    const depth = this.cleanups.length - 1;
    this.stmt(item.body);
    this.leave(depth);
    this.cleanups.length = depth;
  }

  private ifStmt(condition: Expr, then: Stmt, otherwise: Stmt | null): void {
    const yes = this.fresh(),
      no = this.fresh();
    this.branch(condition, yes.id, no.id);
    this.current = yes;
    this.stmt(then);
    const afterThen = this.current;
    this.current = no;
    if (otherwise) this.stmt(otherwise);
    const join = this.fallInto();
    afterThen.terminator = isOpen(afterThen) ? { kind: 'jump', to: join.id } : afterThen.terminator;
  }

  private loop(item: Extract<Stmt, { kind: 'loop' }>): void {
    for (const stmt of item.init) this.stmt(stmt);
    const head = this.fallInto(),
      body = this.fresh(),
      step = this.fresh(),
      exit = this.fresh();
    const depth = this.cleanups.length;
    this.breaks.push({ target: exit.id, depth });
    this.continues.push({ target: step.id, depth });
    const test = () => {
      if (item.form === 'macro') {
        for (const arg of item.args) this.current.instrs.push({ kind: 'expr', expr: arg });
        this.finish({ kind: 'choice', to: [body.id, exit.id] });
      } else if (item.condition?.kind === 'number' && item.condition.value !== null)
        this.finish({ kind: 'jump', to: item.condition.value === 0 ? exit.id : body.id }); // do … while (0) is a block
      else if (item.condition) this.branch(item.condition, body.id, exit.id);
      else this.finish({ kind: 'jump', to: body.id });
    };
    if (item.form === 'do') this.finish({ kind: 'jump', to: body.id });
    else test();
    this.current = body;
    if (item.form === 'macro')
      body.instrs.push({
        kind: 'cursor',
        macro: item.macro ?? '',
        args: item.args,
        exit: exit.id,
        site: item,
      });
    this.stmt(item.body);
    this.finish({ kind: 'jump', to: step.id });
    this.current = step;
    if (item.step) step.instrs.push({ kind: 'expr', expr: item.step });
    if (item.form === 'do') test();
    else this.finish({ kind: 'jump', to: head.id });
    this.breaks.pop();
    this.continues.pop();
    this.current = exit;
  }

  private switchStmt(stmt: SwitchStmt): void {
    const value = this.value(stmt.value) ?? stmt.value;
    const from = this.current,
      exit = this.fresh();
    this.breaks.push({ target: exit.id, depth: this.cleanups.length });
    const cases: { stmt: CaseStmt; block: number }[] = [];
    this.cases.push(cases);
    this.startNew(); // what stands before the first case is unreachable
    this.stmt(stmt.body);
    this.finish({ kind: 'jump', to: exit.id });
    this.cases.pop();
    this.breaks.pop();
    from.terminator = {
      kind: 'switch',
      value,
      cases: cases.flatMap((label) =>
        label.stmt.value
          ? [{ from: label.stmt.value, to: label.stmt.valueEnd, block: label.block }]
          : [],
      ),
      otherwise: cases.find((label) => !label.stmt.value)?.block ?? exit.id,
    };
    this.current = exit;
  }

  private preproc(stmt: PreprocStmt): void {
    const from = this.current,
      ends: Block[] = [],
      starts: number[] = [];
    for (const arm of stmt.arms) {
      starts.push(this.startNew().id);
      this.arms.push([...arm.conditions]);
      // An #if arm opens no C scope: a __free() variable declared in it lives on. The cleanups list
      // is left alone.
      this.current.instrs.push({ kind: 'config', conditions: arm.conditions });
      for (const item of arm.body) this.stmt(item);
      this.arms.pop();
      ends.push(this.current);
    }
    from.terminator = { kind: 'choice', to: starts };
    const join = this.startNew();
    for (const end of ends) if (isOpen(end)) end.terminator = { kind: 'jump', to: join.id };
  }

  /**
   * A label inside an #if arm can be reached from outside: the arm's conditions hold from there
   * too.
   */
  private enterArm(): void {
    const conditions = this.arms.flat();
    if (conditions.length) this.current.instrs.push({ kind: 'config', conditions });
  }

  private branch(condition: Expr, yes: number, no: number): void {
    if (condition.kind === 'binary' && (condition.op === '&&' || condition.op === '||')) {
      const right = this.fresh();
      if (condition.op === '&&') this.branch(condition.left, right.id, no);
      else this.branch(condition.left, yes, right.id);
      this.current = right;
      this.branch(condition.right, yes, no);
    } else if (condition.kind === 'unary' && condition.op === '!') {
      this.branch(condition.operand, no, yes);
    } else if (condition.kind === 'comma' && condition.items.length > 0) {
      for (const expr of condition.items.slice(0, -1))
        this.current.instrs.push({ kind: 'expr', expr });
      this.branch(condition.items.at(-1)!, yes, no);
    } else {
      const test = this.value(condition) ?? condition;
      this.finish({ kind: 'branch', condition: test, then: yes, otherwise: no });
    }
  }

  /**
   * What is left of an expression when the statements in it that are control flow have become it:
   * they run before the rest, whose order C leaves open. Null where that is nothing.
   */
  private value(expr: Expr): Expr | null {
    switch (expr.kind) {
      case 'statement-expression':
        return hasFlow(expr) ? this.lastOf(expr.body) : expr;
      case 'unary':
      case 'cast':
        return withPart(expr, 'operand', this.value(expr.operand));
      case 'assign':
        return withPart(expr, 'value', this.value(expr.value));
      case 'member':
        return withPart(expr, 'base', this.value(expr.base));
      case 'binary': {
        const left = withPart(expr, 'left', this.value(expr.left));
        const isOrdered = expr.op === '&&' || expr.op === '||';
        return isOrdered ? left : withPart(left, 'right', this.value(expr.right));
      }
      case 'call': {
        const args = expr.args.map((one) => this.value(one) ?? one);
        return args.every((one, i) => one === expr.args[i]) ? expr : { ...expr, args };
      }
      default:
        return expr;
    }
  }

  private lastOf(body: readonly Stmt[]): Expr | null {
    const last = body.at(-1);
    const isValue = last?.kind === 'expr';
    for (const one of isValue ? body.slice(0, -1) : body) this.stmt(one);
    return isValue ? this.value(last.expr) : null;
  }
}

function withPart<T extends Expr, K extends keyof T>(item: T, key: K, part: T[K] | null): T {
  return part === null || part === item[key] ? item : { ...item, [key]: part };
}

/** Statements that are more than a sequence of expressions; nothing of them outlives the last. */
function hasFlow({ body }: StatementExpr): boolean {
  const isScoped = body.some(
    (one) => one.kind === 'guard' || (one.kind === 'decl' && one.cleanup !== null),
  );
  return !isScoped && body.some((one) => one.kind !== 'expr' && one.kind !== 'decl');
}

/** What runs where a scope is left that a variable or a guard belongs to. */
function endOf(decl: DeclStmt | GuardStmt): Instr {
  return decl.kind === 'decl'
    ? { kind: 'cleanup', decl }
    : { kind: 'guard', stmt: decl, isEntry: false };
}

/** A block whose end was not decided yet: the placeholder terminator is an empty choice. */
function isOpen(block: Block): boolean {
  return block.terminator.kind === 'choice' && block.terminator.to.length === 0;
}
