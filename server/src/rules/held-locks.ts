/**
 * Locks that a function holds from the lookup of an object on: what looked it up may have left a
 * reference to it that nobody drops without the lock.
 */
import type { CallExpr, Expr, FunctionIr, Stmt } from '../ir/types.ts';
import { isStatement } from '../ir/visit.ts';
import { lockReleasedBy, lockTakenBy } from '../kernel/locks.ts';
import { touchOf } from '../kernel/touches.ts';
import { callOfGuard } from '../lifecycle/interpret/guards.ts';
import type { Span } from '../text/span.ts';
import { contains, walk, walkWithParents, type IrNode } from './locate.ts';

/** A call, or a guard, that takes or releases a lock. */
interface LockUse {
  readonly does: 'take' | 'release';
  readonly kind: string;
  /** The lock as it is written, without blanks. */
  readonly lock: string;
  readonly at: Span;
  /** The block that it is in. */
  readonly block: Span;
}

/**
 * Whether a lock may be held from the last lookup of what a variable points to until a use of it.
 * A release in a branch that the use is not in does not count: most such branches return.
 */
export function isLockedSinceLookup(fn: FunctionIr, name: string, use: Span): boolean {
  const lookup = lookupOf(fn, name, use);
  if (lookup === null) return false;
  const locks = lockUses(fn);
  return locks.some(
    (take) =>
      take.does === 'take' &&
      take.at.end <= lookup.start &&
      contains(take.block, use) &&
      !locks.some(
        (other) =>
          other.does === 'release' &&
          other.kind === take.kind &&
          other.lock === take.lock &&
          take.at.end <= other.at.start &&
          other.at.end <= use.start &&
          contains(other.block, use),
      ),
  );
}

/** The last call before a use that gives a variable an object, and that no table has. */
function lookupOf(fn: FunctionIr, name: string, use: Span): CallExpr | null {
  let last: CallExpr | null = null;
  for (const node of walk(fn.body)) {
    if (node.end > use.start) continue;
    const value = valueGiven(node, name);
    if (value === null || (last !== null && value.start < last.start)) continue;
    const isLookup = value.kind === 'call' && value.name !== null;
    last = isLookup && touchOf(value.name) === undefined ? value : null;
  }
  return last;
}

/** What a declaration or an assignment gives a variable; null for any other node. */
function valueGiven(node: IrNode, name: string): Expr | null {
  if (node.kind === 'decl') return node.name === name ? node.init : null;
  if (node.kind !== 'assign' || node.target.kind !== 'name') return null;
  return node.target.name === name ? node.value : null;
}

function lockUses(fn: FunctionIr): LockUse[] {
  const uses: LockUse[] = [];
  const textOf = ({ start, end }: Span): string =>
    fn.text.slice(start - fn.start, end - fn.start).replace(/\s+/g, '');
  for (const { node, parents } of walkWithParents(fn.body)) {
    if (node.kind !== 'call' && node.kind !== 'guard') continue;
    const block = blockAmong(parents) ?? fn.body;
    const guarded = node.kind === 'guard' ? callOfGuard(node, true) : null;
    const call = node.kind === 'call' ? node : guarded;
    const taken = lockTakenBy(call?.name ?? '');
    const kind = taken ?? lockReleasedBy(call?.name ?? '');
    if (call === null || kind === undefined) continue;
    // What a guard holds ends with its scope; a call holds for the rest of the function.
    const blockOfCall = taken === undefined ? block : fn.body;
    uses.push({
      does: taken === undefined ? 'release' : 'take',
      kind,
      lock: call.args[0] ? textOf(call.args[0]) : '',
      at: guarded ?? node,
      block: node.kind === 'guard' ? (node.body ?? block) : blockOfCall,
    });
  }
  return uses;
}

function blockAmong(parents: readonly { readonly kind: string }[]): Stmt | undefined {
  return parents.findLast((one): one is Stmt => one.kind === 'block' && isStatement(one as Stmt));
}
