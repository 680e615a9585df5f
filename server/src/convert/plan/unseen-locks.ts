/**
 * Calls that may take a lock that spins although their functions were not read: `foo_lock(foo)` of
 * another file, or `foo->lock(foo)` through a pointer that only other files set.
 */
import type { CallExpr, Expr, TypeName } from '../../ir/types.ts';
import { words } from '../../kernel/behaviour-builders.ts';
import { functionRow } from '../../kernel/functions/table.ts';
import {
  isSleepingLock,
  SLEEPING_DEFINITIONS,
  SLEEPING_LOCKS,
  SPINNING_DEFINITIONS,
  SPINNING_TYPES,
} from '../../kernel/locks.ts';
import { uncast } from '../../lifecycle/module/statements.ts';
import { findStruct, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import type { CallerIndex } from '../query/callers.ts';

/** Words for locks in the names of calls. */
const LOCK_WORDS: ReadonlySet<string> = new Set(
  words('lock unlock trylock spin preempt preemption atomic critical'),
);

/** What ends and what begins, in names. */
const ENDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    unlock: words('lock trylock'),
    release: words('acquire take get grab'),
    end: words('begin start'),
    leave: ['enter'],
    exit: ['enter'],
    drop: words('take grab'),
    put: ['get'],
    stop: ['start'],
    enable: ['disable'],
    up: ['down'],
  }),
);

/** The names of calls that begin what other calls of the module end, in lower case. */
export function unseenLocks({ functions }: CallerIndex): ReadonlySet<string> {
  const names = new Set(
    [...functions.values()].flatMap(({ scope, calls }) =>
      calls.flatMap(({ call }) => lockName(scope, call) ?? []),
    ),
  );
  return new Set([...names].flatMap(beginningsOf).filter((name) => names.has(name)));
}

/**
 * What a call does to such a lock. One that nothing in the module ends is no lock, or nothing can be
 * said of it.
 */
export function changeOfUnseen(
  unseen: ReadonlySet<string>,
  scope: Scope,
  call: CallExpr,
): 'enters' | 'leaves' | undefined {
  if (unseen.size === 0) return undefined;
  const name = lockName(scope, call);
  if (name === null) return undefined;
  if (unseen.has(name)) return 'enters';
  return beginningsOf(name).some((one) => unseen.has(one)) ? 'leaves' : undefined;
}

/** The name of a function, or of the member with a pointer to one. */
export function calledName({ name, callee }: CallExpr): string | null {
  if (name !== null) return name;
  const inner = uncast(callee);
  return inner.kind === 'member' ? inner.field : null;
}

/** The name of a call of what may be a lock that spins, by its words or what it is given. */
function lockName(scope: Scope, call: CallExpr): string | null {
  const written = calledName(call);
  if (written === null || (call.name !== null && functionRow(call.name) !== undefined)) return null;
  const name = written.toLowerCase();
  const kinds = call.args.map((arg) => lockKind(scope, arg));
  if (isSleepingLock(name) || kinds.includes('sleeps')) return null;
  const isNamedSo = name.split('_').some((word) => LOCK_WORDS.has(word));
  return isNamedSo || kinds.includes('spins') ? name : null;
}

/** `foo_lock` and `foo_lock_irqsave` of `foo_unlock_irqrestore`. */
function beginningsOf(end: string): readonly string[] {
  const parts = end.split('_');
  return parts.flatMap((part, at) =>
    (ENDS.get(part) ?? []).flatMap((word) => {
      const name = parts.toSpliced(at, 1, word).join('_');
      return [name, name.replace('irqrestore', 'irqsave')];
    }),
  );
}

/** Whether code may sleep under a lock, by its type. */
function lockKind(scope: Scope, arg: Expr): 'spins' | 'sleeps' | undefined {
  const inner = uncast(arg);
  const type = typeOf(scope, inner);
  if (type?.pointers === 1 && SLEEPING_LOCKS.has(type.tag)) return 'sleeps';
  const lock = inner.kind === 'unary' && inner.op === '&' ? uncast(inner.operand) : inner;
  if (SPINNING_TYPES.has(declaredType(scope, lock)?.name ?? '')) return 'spins';
  if (lock.kind !== 'name' || scope.locals.has(lock.name)) return undefined;
  const macro = scope.file.fileMacros.find(({ args }) => args[0]?.trim() === lock.name)?.name ?? '';
  if (SPINNING_DEFINITIONS.has(macro)) return 'spins';
  return SLEEPING_DEFINITIONS.has(macro) ? 'sleeps' : undefined;
}

/** The type that a variable or a member is declared with. */
function declaredType(scope: Scope, expr: Expr): TypeName | null | undefined {
  const { module, file, locals } = scope;
  if (expr.kind === 'name')
    return locals.get(expr.name) ?? file.variables.find(({ name }) => name === expr.name)?.type;
  if (expr.kind !== 'member') return undefined;
  const tag = typeOf(scope, expr.base)?.tag;
  const place = tag === undefined ? undefined : findStruct(module, file, tag);
  return place?.struct.fields.find(({ name }) => name === expr.field)?.type;
}
