import { successors, type Cfg } from '../flow/cfg.ts';
import type { CallExpr, Expr } from '../ir/types.ts';
import { walkExpr, walkExprs } from '../ir/visit.ts';
import { append } from '../text/lists.ts';

/** The work below grows with the square of the blocks. */
const MAX_BLOCKS = 400;

/**
 * The members, as `.name`, whose tests decide which of the interesting calls a function makes: `if
 * (p->registered) unregister(p)`, a
 * switch over `p->stage`. What a path found in them is worth keeping to the end of the function,
 * because its callers may know it.
 */
export function decidingMembers(
  cfg: Cfg,
  isInteresting: (call: CallExpr) => boolean,
): ReadonlySet<string> {
  const own = cfg.blocks.map((b) =>
    b.instrs.flatMap((i) => {
      const found: CallExpr[] = [];
      const note = (e: Expr) => {
        if (e.kind === 'call' && isInteresting(e)) found.push(e);
      };
      if (i.kind === 'expr') walkExpr(i.expr, note);
      else if (i.kind === 'decl') walkExprs(i.decl, note);
      else if (i.kind === 'result' && i.value) walkExpr(i.value, note);
      return found;
    }),
  );
  const members = new Set<string>();
  if (cfg.blocks.length > MAX_BLOCKS) return members;
  if (own.every((calls) => calls.length === 0)) return members;
  const held = heldMembers(cfg),
    reached = new Map<number, string>();
  const callsFrom = (id: number): string => {
    let key = reached.get(id);
    if (key === undefined) {
      const seen = new Set([id]);
      for (const b of seen) for (const s of successors(cfg.blocks[b]!)) seen.add(s);
      reached.set(
        id,
        (key = [...seen]
          .flatMap((b) => own[b]!.map((c) => c.start))
          .sort((a, b) => a - b)
          .join()),
      );
    }
    return key;
  };
  for (const b of cfg.blocks) {
    const t = b.terminator;
    if (t.kind !== 'branch' && t.kind !== 'switch') continue;
    const tested = membersIn(t.kind === 'branch' ? t.condition : t.value, held);
    // A side that returns an error code at once tells the caller by that: nothing else need be kept
    // of the test.
    const sides = successors(b).filter((id) => !failsAtOnce(cfg, id));
    if (tested.length && new Set(sides.map(callsFrom)).size > 1)
      for (const m of tested) members.add(m);
  }
  return members;
}

/** The members, as `.name`, that a function tests. */
export function testedMembers(cfg: Cfg): ReadonlySet<string> {
  const members = new Set<string>();
  if (cfg.blocks.length > MAX_BLOCKS) return members;
  const held = heldMembers(cfg);
  for (const { terminator } of cfg.blocks) {
    if (terminator.kind === 'branch')
      for (const name of membersIn(terminator.condition, held)) members.add(name);
    else if (terminator.kind === 'switch')
      for (const name of membersIn(terminator.value, held)) members.add(name);
  }
  return members;
}

/** From this block the function does nothing but return a negative error code. */
function failsAtOnce(cfg: Cfg, id: number): boolean {
  const seen = new Set<number>();
  for (let b = cfg.blocks[id]!; !seen.has(b.id); b = cfg.blocks[b.terminator.to]!) {
    seen.add(b.id);
    const result = b.instrs.find((i) => i.kind === 'result');
    if (result?.kind === 'result')
      return (
        result.value?.kind === 'unary' &&
        result.value.op === '-' &&
        result.value.operand.kind === 'name'
      );
    if (b.instrs.length > 0 || b.terminator.kind !== 'jump') return false;
  }
  return false;
}

function membersIn(e: Expr, held: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  walkExpr(e, (x) => {
    if (x.kind === 'member') found.push(`.${x.field}`);
    else if (x.kind === 'name') append(found, held.get(x.name) ?? []);
  });
  return found;
}

/** The members that variables are read from: `foo = priv->foo; if (!foo) return;` tests `.foo`. */
function heldMembers(cfg: Cfg): Map<string, string[]> {
  const held = new Map<string, string[]>();
  const note = (name: string, value: Expr | null) => {
    while (value?.kind === 'cast') value = value.operand;
    if (value?.kind === 'member') held.set(name, [...(held.get(name) ?? []), `.${value.field}`]);
  };
  for (const b of cfg.blocks)
    for (const i of b.instrs) {
      if (i.kind === 'decl') note(i.decl.name, i.decl.init);
      else if (
        i.kind === 'expr' &&
        i.expr.kind === 'assign' &&
        i.expr.op === '=' &&
        i.expr.target.kind === 'name'
      )
        note(i.expr.target.name, i.expr.value);
    }
  return held;
}
