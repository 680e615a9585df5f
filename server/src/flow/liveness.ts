import type { Expr } from '../ir/types.ts';
import type { Cfg, Instr } from './cfg.ts';
import { solve } from './solve.ts';

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
    const g = new Set<string>(),
      k = new Set<string>();
    const note = (n: string) => {
      if (!k.has(n)) g.add(n);
    };
    const read = (e: Expr) => reads(e, { name: note, pinned, readBy });
    const write = (n: string) => {
      k.add(n);
    };
    for (const i of block.instrs) visit(i, read, write);
    const t = block.terminator;
    if (t.kind === 'branch') read(t.condition);
    if (t.kind === 'switch') read(t.value);
    gen.push(g);
    kill.push(k);
  }
  const transfer = (b: number, out: ReadonlySet<string>): ReadonlySet<string> => {
    const live = new Set(gen[b]);
    for (const n of out) if (!kill[b]!.has(n)) live.add(n);
    return live;
  };
  const out = solve<ReadonlySet<string>>(
    cfg,
    {
      bottom: new Set(),
      transfer,
      join: (a, b) => (b.size === 0 ? a : new Set([...a, ...b])),
      equal: (a, b) => a.size === b.size,
    },
    'backward',
    new Set(),
  );
  return cfg.blocks.map((b) => new Set([...transfer(b.id, out[b.id]!), ...pinned]));
}

function visit(i: Instr, read: (e: Expr) => void, write: (n: string) => void): void {
  switch (i.kind) {
    case 'expr':
      read(i.expr);
      if (i.expr.kind === 'assign' && i.expr.op === '=' && i.expr.target.kind === 'name')
        write(i.expr.target.name);
      return;
    case 'decl':
      if (i.decl.init) read(i.decl.init);
      write(i.decl.name);
      return;
    case 'result':
      if (i.value) read(i.value);
      return;
    case 'cleanup':
      read({ kind: 'name', name: i.decl.name, ...i.decl.nameSpan });
      return;
    case 'cursor':
      for (const a of i.args) read(a);
      return;
    case 'guard':
      for (const a of i.stmt.args) read(a);
      return;
    default:
      if (i.kind === 'unknown')
        for (const name of i.stmt.names)
          read({ kind: 'name', name, start: i.stmt.start, end: i.stmt.end });
  }
}

interface Reader {
  name(n: string): void;
  readonly pinned: Set<string>;
  readBy(name: string): Iterable<string> | undefined;
}

/** Calls `name` for each variable that evaluating `e` reads; `&x` pins x. */
function reads(e: Expr, reader: Reader): void {
  const { name, pinned } = reader;
  const each = (...list: (Expr | null)[]) => {
    for (const x of list) if (x) reads(x, reader);
  };
  switch (e.kind) {
    case 'name':
      name(e.name);
      return;
    case 'member':
      name(`.${e.field}`);
      each(e.base);
      return;
    case 'index':
      each(e.base, e.index);
      return;
    case 'unary':
      if (e.op === '&' && e.operand.kind === 'name') pinned.add(e.operand.name);
      each(e.operand);
      return;
    case 'update':
    case 'cast':
      each(e.operand);
      return;
    case 'binary':
      each(e.left, e.right);
      return;
    case 'assign':
      if (e.op !== '=' || e.target.kind !== 'name') each(e.target);
      each(e.value);
      return;
    case 'conditional':
      each(e.condition, e.then, e.otherwise);
      return;
    case 'call':
      each(e.callee);
      for (const read of (e.name !== null && reader.readBy(e.name)) || []) name(read);
      for (const argument of e.args) each(argument);
      return;
    case 'sizeof':
      return;
    case 'initializer':
      for (const entry of e.entries) each(entry.value);
      return;
    case 'comma':
      for (const item of e.items) each(item);
      return;
    case 'unknown':
      for (const n of e.names) name(n);
      return;
    case 'statement-expression':
      // Rare, and its statements are evaluated as a whole: everything named in it counts as read.
      for (const s of e.body)
        if (s.kind === 'expr') each(s.expr);
        else if (s.kind === 'decl') each(s.init);
      return;
    default:
      return;
  }
}
