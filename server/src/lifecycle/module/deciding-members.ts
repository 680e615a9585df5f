/** The members of an object whose tests decide which way a function goes on. */
import { successors, type Cfg } from '../../flow/cfg.ts';
import type { CallExpr, Expr } from '../../ir/types.ts';
import { walkExpr, walkExprs } from '../../ir/visit.ts';
import { append } from '../../text/lists.ts';

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
  const own = cfg.blocks.map((block) =>
    block.instrs.flatMap((instr) => {
      const found: CallExpr[] = [];
      const note = (expr: Expr) => {
        if (expr.kind === 'call' && isInteresting(expr)) found.push(expr);
      };
      if (instr.kind === 'expr') walkExpr(instr.expr, note);
      else if (instr.kind === 'decl') walkExprs(instr.decl, note);
      else if (instr.kind === 'result' && instr.value) walkExpr(instr.value, note);
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
      for (const block of seen)
        for (const successor of successors(cfg.blocks[block]!)) seen.add(successor);
      reached.set(
        id,
        (key = [...seen]
          .flatMap((block) => own[block]!.map((call) => call.start))
          .sort((left, right) => left - right)
          .join()),
      );
    }
    return key;
  };
  for (const block of cfg.blocks) {
    const terminator = block.terminator;
    if (terminator.kind !== 'branch' && terminator.kind !== 'switch') continue;
    const tested = membersIn(
      terminator.kind === 'branch' ? terminator.condition : terminator.value,
      held,
    );
    // A side that returns an error code at once tells the caller by that: nothing else need be kept
    // of the test.
    const sides = successors(block).filter((id) => !failsAtOnce(cfg, id));
    if (tested.some((member) => !members.has(member)) && new Set(sides.map(callsFrom)).size > 1)
      for (const member of tested) members.add(member);
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
  for (let block = cfg.blocks[id]!; !seen.has(block.id); block = cfg.blocks[block.terminator.to]!) {
    seen.add(block.id);
    const result = block.instrs.find((instr) => instr.kind === 'result');
    if (result?.kind === 'result')
      return (
        result.value?.kind === 'unary' &&
        result.value.op === '-' &&
        result.value.operand.kind === 'name'
      );
    if (block.instrs.length > 0 || block.terminator.kind !== 'jump') return false;
  }
  return false;
}

function membersIn(expr: Expr, held: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  walkExpr(expr, (operand) => {
    if (operand.kind === 'member') found.push(`.${operand.field}`);
    else if (operand.kind === 'name') append(found, held.get(operand.name) ?? []);
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
  for (const block of cfg.blocks)
    for (const instr of block.instrs) {
      if (instr.kind === 'decl') note(instr.decl.name, instr.decl.init);
      else if (
        instr.kind === 'expr' &&
        instr.expr.kind === 'assign' &&
        instr.expr.op === '=' &&
        instr.expr.target.kind === 'name'
      )
        note(instr.expr.target.name, instr.expr.value);
    }
  return held;
}
