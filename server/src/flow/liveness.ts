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
  // A text with the dot is made once for a member: to look one up that is new costs more.
  const members = new Map<string, number>();
  const numberOfMember = (field: string): number => {
    let number = members.get(field);
    if (number === undefined) members.set(field, (number = numberOf(`.${field}`)));
    return number;
  };
  const used = cfg.blocks.map(() => new Set<number>()),
    killed = cfg.blocks.map(() => new Set<number>());
  cfg.blocks.forEach((block, i) => {
    const own = used[i]!,
      gone = killed[i]!;
    const add = (number: number) => {
      if (!gone.has(number)) own.add(number);
    };
    const reader: Reader = {
      name: (word) => add(numberOf(word)),
      member: (field) => add(numberOfMember(field)),
      pinned,
      readBy,
    };
    const read = (expr: Expr) => reads(expr, reader);
    const write = (word: string) => {
      gone.add(numberOf(word));
    };
    for (const instr of block.instrs) visit(instr, read, write);
    const terminator = block.terminator;
    if (terminator.kind === 'branch') read(terminator.condition);
    if (terminator.kind === 'switch') read(terminator.value);
  });
  const gen = used.map((set) => bitsOf(set, numbers.size)),
    kill = killed.map((set) => bitsOf(set, numbers.size));
  const transfer = (block: number, out: Bits): Bits => {
    const live = gen[block]!.slice(),
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

/** A set of numbers, one bit each, 32 in an entry: no typed array, which costs more to make. */
type Bits = readonly number[];

function bitsOf(numbers: Iterable<number>, size: number): Bits {
  const bits = new Array<number>(Math.ceil(size / 32)).fill(0);
  for (const number of numbers) bits[number >> 5]! |= 1 << (number & 31);
  return bits;
}

/** What is in one of the two: `left` itself where that has all of it. */
function union(left: Bits, right: Bits): Bits {
  let both: number[] | null = null;
  for (let i = 0; i < left.length; i++) {
    if ((right[i]! & ~left[i]!) === 0) continue;
    both ??= left.slice();
    both[i]! |= right[i]!;
  }
  return both ?? left;
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
  member(field: string): void;
  readonly pinned: Set<string>;
  readBy(name: string): Iterable<string> | undefined;
}

/** Tells of each variable and each member that evaluating an expression reads; `&x` pins x. */
function reads(expr: Expr, reader: Reader): void {
  switch (expr.kind) {
    case 'name':
      reader.name(expr.name);
      return;
    case 'member':
      reader.member(expr.field);
      reads(expr.base, reader);
      return;
    case 'index':
      reads(expr.base, reader);
      reads(expr.index, reader);
      return;
    case 'unary':
      if (expr.op === '&' && expr.operand.kind === 'name') reader.pinned.add(expr.operand.name);
      reads(expr.operand, reader);
      return;
    case 'update':
    case 'cast':
      reads(expr.operand, reader);
      return;
    case 'binary':
      reads(expr.left, reader);
      reads(expr.right, reader);
      return;
    case 'assign':
      if (expr.op !== '=' || expr.target.kind !== 'name') reads(expr.target, reader);
      reads(expr.value, reader);
      return;
    case 'conditional':
      reads(expr.condition, reader);
      if (expr.then !== null) reads(expr.then, reader);
      reads(expr.otherwise, reader);
      return;
    case 'call': {
      reads(expr.callee, reader);
      const read = expr.name === null ? undefined : reader.readBy(expr.name);
      if (read !== undefined) for (const word of read) reader.name(word);
      readEach(expr.args, reader);
      return;
    }
    case 'sizeof':
      return;
    case 'initializer':
      for (const entry of expr.entries) reads(entry.value, reader);
      return;
    case 'comma':
      readEach(expr.items, reader);
      return;
    case 'unknown':
      for (const word of expr.names) reader.name(word);
      return;
    case 'statement-expression':
      // Rare, and its statements are evaluated as a whole: everything named in it counts as read.
      for (const stmt of expr.body)
        if (stmt.kind === 'expr') reads(stmt.expr, reader);
        else if (stmt.kind === 'decl' && stmt.init !== null) reads(stmt.init, reader);
      return;
    default:
      return;
  }
}

function readEach(exprs: readonly Expr[], reader: Reader): void {
  for (let i = 0; i < exprs.length; i++) reads(exprs[i]!, reader);
}
