/** Which variables may still be read at a point of a function. */
import type { Expr } from '../ir/types.ts';
import type { Cfg, Instr } from './cfg.ts';
import { solve } from './dataflow.ts';

/**
 * Live variables at the entry of each block: names whose present value may still be read, locals
 * and globals alike, and
 * `.field` for each member that may still be read through any object. A variable whose address is
 * taken is always live.
 * @param readBy what a call by this name reads beside its arguments.
 */
export function liveVariables(
  cfg: Cfg,
  readBy: (name: string) => Iterable<string> | undefined = () => undefined,
): readonly ReadonlySet<string>[] {
  const pinned = new Set<string>();
  const gen: Set<string>[] = [],
    kill: Set<string>[] = [];
  for (const block of cfg.blocks) {
    const used = new Set<string>(),
      killed = new Set<string>();
    const note = (name: string) => {
      if (!killed.has(name)) used.add(name);
    };
    const read = (expr: Expr) => reads(expr, { name: note, pinned, readBy });
    const write = (name: string) => {
      killed.add(name);
    };
    for (const instr of block.instrs) visit(instr, read, write);
    const terminator = block.terminator;
    if (terminator.kind === 'branch') read(terminator.condition);
    if (terminator.kind === 'switch') read(terminator.value);
    gen.push(used);
    kill.push(killed);
  }
  const transfer = (block: number, out: ReadonlySet<string>): ReadonlySet<string> => {
    const live = new Set(gen[block]);
    for (const name of out) if (!kill[block]!.has(name)) live.add(name);
    return live;
  };
  const out = solve<ReadonlySet<string>>(
    cfg,
    {
      bottom: new Set(),
      transfer,
      join: (left, right) => (right.size === 0 ? left : new Set([...left, ...right])),
      equal: (left, right) => left.size === right.size,
    },
    'backward',
    new Set(),
  );
  return cfg.blocks.map((block) => new Set([...transfer(block.id, out[block.id]!), ...pinned]));
}

function visit(instr: Instr, read: (expr: Expr) => void, write: (name: string) => void): void {
  switch (instr.kind) {
    case 'expr':
      read(instr.expr);
      if (
        instr.expr.kind === 'assign' &&
        instr.expr.op === '=' &&
        instr.expr.target.kind === 'name'
      )
        write(instr.expr.target.name);
      return;
    case 'decl':
      if (instr.decl.init) read(instr.decl.init);
      write(instr.decl.name);
      return;
    case 'result':
      if (instr.value) read(instr.value);
      return;
    case 'cleanup':
      read({ kind: 'name', name: instr.decl.name, ...instr.decl.nameSpan });
      return;
    case 'cursor':
      for (const arg of instr.args) read(arg);
      return;
    case 'guard':
      for (const arg of instr.stmt.args) read(arg);
      return;
    default:
      if (instr.kind === 'unknown')
        for (const name of instr.stmt.names)
          read({ kind: 'name', name, start: instr.stmt.start, end: instr.stmt.end });
  }
}

interface Reader {
  name(word: string): void;
  readonly pinned: Set<string>;
  readBy(name: string): Iterable<string> | undefined;
}

/** Calls `name` for each variable that evaluating `e` reads; `&x` pins x. */
function reads(expr: Expr, reader: Reader): void {
  const { name, pinned } = reader;
  const each = (...list: (Expr | null)[]) => {
    for (const operand of list) if (operand) reads(operand, reader);
  };
  switch (expr.kind) {
    case 'name':
      name(expr.name);
      return;
    case 'member':
      name(`.${expr.field}`);
      each(expr.base);
      return;
    case 'index':
      each(expr.base, expr.index);
      return;
    case 'unary':
      if (expr.op === '&' && expr.operand.kind === 'name') pinned.add(expr.operand.name);
      each(expr.operand);
      return;
    case 'update':
    case 'cast':
      each(expr.operand);
      return;
    case 'binary':
      each(expr.left, expr.right);
      return;
    case 'assign':
      if (expr.op !== '=' || expr.target.kind !== 'name') each(expr.target);
      each(expr.value);
      return;
    case 'conditional':
      each(expr.condition, expr.then, expr.otherwise);
      return;
    case 'call':
      each(expr.callee);
      for (const read of (expr.name !== null && reader.readBy(expr.name)) || []) name(read);
      for (const argument of expr.args) each(argument);
      return;
    case 'sizeof':
      return;
    case 'initializer':
      for (const entry of expr.entries) each(entry.value);
      return;
    case 'comma':
      for (const item of expr.items) each(item);
      return;
    case 'unknown':
      for (const word of expr.names) name(word);
      return;
    case 'statement-expression':
      // Rare, and its statements are evaluated as a whole: everything named in it counts as read.
      for (const stmt of expr.body)
        if (stmt.kind === 'expr') each(stmt.expr);
        else if (stmt.kind === 'decl') each(stmt.init);
      return;
    default:
      return;
  }
}
