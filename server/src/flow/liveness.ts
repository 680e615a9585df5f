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
  const numbers = new Map<string, number>();
  const numberOf = (name: string): number => {
    let number = numbers.get(name);
    if (number === undefined) numbers.set(name, (number = numbers.size));
    return number;
  };
  const used = cfg.blocks.map(() => new Set<number>()),
    killed = cfg.blocks.map(() => new Set<number>());
  for (const [i, block] of cfg.blocks.entries()) {
    const own = used[i]!,
      gone = killed[i]!;
    const name = (word: string) => {
      const number = numberOf(word);
      if (!gone.has(number)) own.add(number);
    };
    const reader: Reader = { name, pinned, readBy };
    const read = (expr: Expr) => reads(expr, reader);
    const write = (word: string) => {
      gone.add(numberOf(word));
    };
    for (const instr of block.instrs) visit(instr, read, write);
    const terminator = block.terminator;
    if (terminator.kind === 'branch') read(terminator.condition);
    if (terminator.kind === 'switch') read(terminator.value);
  }
  const gen = used.map((set) => bitsOf(set, numbers.size)),
    kill = killed.map((set) => bitsOf(set, numbers.size));
  const transfer = (block: number, out: Bits): Bits => {
    const live = new Int32Array(gen[block]!),
      gone = kill[block]!;
    for (let i = 0; i < live.length; i++) live[i]! |= out[i]! & ~gone[i]!;
    return live;
  };
  const none = bitsOf([], numbers.size);
  const out = solve<Bits>(
    cfg,
    { bottom: none, transfer, join: union, equal: (left, right) => left === right },
    'backward',
    none,
  );
  const names = [...numbers.keys()];
  // Blocks that follow each other often have the same: one set for all.
  const sets = new Map<string, ReadonlySet<string>>();
  return cfg.blocks.map((block) => {
    const bits = transfer(block.id, out[block.id]!),
      key = bits.join();
    let live = sets.get(key);
    if (live === undefined) sets.set(key, (live = setOf(bits, names, pinned)));
    return live;
  });
}

function setOf(
  bits: Bits,
  names: readonly string[],
  pinned: ReadonlySet<string>,
): ReadonlySet<string> {
  const set = new Set(pinned);
  for (const [i, word] of bits.entries())
    for (let rest = word; rest !== 0; rest &= rest - 1)
      set.add(names[32 * i + (31 - Math.clz32(rest & -rest))]!);
  return set;
}

/** A set of numbers, one bit each. */
type Bits = Int32Array;

function bitsOf(numbers: Iterable<number>, size: number): Bits {
  const bits = new Int32Array(Math.ceil(size / 32));
  for (const number of numbers) bits[number >> 5]! |= 1 << (number & 31);
  return bits;
}

/** What is in one of the two: `left` itself where that has all of it. */
function union(left: Bits, right: Bits): Bits {
  let both = left;
  for (let i = 0; i < left.length; i++) {
    if ((right[i]! & ~both[i]!) === 0) continue;
    if (both === left) both = new Int32Array(left);
    both[i]! |= right[i]!;
  }
  return both;
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
