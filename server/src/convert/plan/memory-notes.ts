/**
 * What the memory of an object loses or gains when vfio_alloc_device() allocates it: kvzalloc()
 * with GFP_KERNEL (drivers/vfio/vfio_main.c, 6.1 to 6.12).
 */
import { allocatesContiguous, mayAllocateVirtual } from '../../kernel/name-forms.ts';
import { contiguousArgument, slabArgument, vmallocArgument } from '../../kernel/memory-uses.ts';
import type { CallExpr, Expr, FileIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import {
  allExpressions,
  namesIn,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import type { Remark } from './remarks.ts';
import { handsOn, pointerIn } from '../../lifecycle/footprint/handed-on.ts';
import { lineIn } from '../refusal-error.ts';
import { siteOf } from '../modules/merge.ts';
import { assignmentsOf } from '../query/call-sites.ts';
import type { AllocationPlan, Container } from '../types.ts';
import { findStruct, scopeOf, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';

/** One sentence for each property, with the line that asks for it. */
export function memoryNotes(
  module: Module,
  container: Container,
  allocation: AllocationPlan,
): Remark[] {
  const { file, call } = allocation;
  const name = call.name ?? '';
  const line = lineIn(file, call.start);
  const flags = new Set(call.args.flatMap(namesIn));
  const notes: Remark[] = [];
  const lost = (message: string): void =>
    void notes.push({ text: `Line ${line}: ${message}`, message, site: siteOf(file, call) });
  const account = ['GFP_KERNEL_ACCOUNT', '__GFP_ACCOUNT'].find((flag) => flags.has(flag));
  if (account !== undefined)
    lost(
      `${account} is lost, because vfio_alloc_device() allocates with GFP_KERNEL: struct ${container.tag} is no longer accounted to the memory cgroup of the task that creates it.`,
    );
  for (const flag of ['__GFP_NOWARN', '__GFP_RETRY_MAYFAIL'].filter((one) => flags.has(one))) {
    lost(`${flag} goes, since vfio_alloc_device() allocates with GFP_KERNEL alone.`);
  }
  if (name.endsWith('_node'))
    lost(`vfio_alloc_device() does not allocate on a NUMA node, as ${name}() did.`);
  if (allocatesContiguous(name)) {
    for (const use of usesOf(module, file, container, contiguousArgument)) {
      notes.push(
        remarkOn(
          use,
          `is given memory of struct ${container.tag} and needs it physically contiguous. ${name}() returned such memory; vfio_alloc_device() uses kvzalloc(), which falls back to vmalloc() for more than a page. Allocate that part separately.`,
        ),
      );
    }
  }
  if (allocatesContiguous(name)) {
    for (const use of usesOf(module, file, container, slabArgument)) {
      notes.push(
        remarkOn(
          use,
          `is given struct ${container.tag} and needs it from kmalloc(). vfio_alloc_device() uses kvzalloc(), which falls back to vmalloc() for more than a page. Use the size of the allocation.`,
        ),
      );
    }
  }
  if (mayAllocateVirtual(name)) {
    for (const use of usesOf(module, file, container, vmallocArgument)) {
      notes.push(
        remarkOn(
          use,
          `is given memory of struct ${container.tag} and needs it from vmalloc(). vfio_alloc_device() uses kvzalloc(), which uses kmalloc() if it can. Allocate that part separately.`,
        ),
      );
    }
  }
  return notes;
}

function remarkOn({ where, use }: Use, text: string): Remark {
  const name = use.name ?? 'A call';
  return {
    text: `${name}() at line ${lineIn(where, use.start)} ${text}`,
    message: `${name}() ${text}`,
    site: siteOf(where, use),
  };
}

interface Use {
  readonly where: FileIr;
  readonly use: CallExpr;
}

/**
 * The first call of each function that is given memory inside the object at a position of the
 * table.
 */
function usesOf(
  module: Module,
  file: FileIr,
  container: Container,
  position: (name: string) => number | undefined,
): Use[] {
  const found = new Map<string, Use>();
  for (const where of new Set([file, ...module.sources, ...module.headers])) {
    for (const fn of where.functions) {
      const scope = scopeOf(module, where, fn);
      for (const { stmt } of statementsOf(fn)) {
        for (const use of allExpressions(stmt)) {
          if (use.kind !== 'call' || use.name === null || found.has(use.name)) continue;
          const isUsed = handsOn(
            scope,
            use,
            (one) => one.to !== null && position(one.to) === one.position,
            (pointer) => isInside(scope, container, pointer),
          );
          if (isUsed) found.set(use.name, { where, use });
        }
      }
    }
  }
  return [...found.values()];
}

/** The pointer is into the object itself: to it, to a member, or an array in it. */
function isInside(scope: Scope, container: Container, expr: Expr, hops = 0): boolean {
  const inner = uncast(expr);
  const type = typeOf(scope, inner);
  if (type?.pointers === 1 && type.tag === container.tag) return true;
  if (inner.kind === 'binary') return isInside(scope, container, inner.left, hops);
  if (inner.kind === 'unary' && inner.op === '&') return isPartOf(scope, container, inner.operand);
  if (inner.kind === 'member' && isArray(scope, inner)) return isPartOf(scope, container, inner);
  const name = pointerIn(inner);
  if (name === null || hops > 3 || !scope.locals.has(name)) return false;
  return assignmentsOf(scope.fn, name).some(
    ({ value }) => uncast(value) !== inner && isInside(scope, container, value, hops + 1),
  );
}

/** `p->a.b[i]`: memory of the object, without another pointer on the way. */
function isPartOf(scope: Scope, container: Container, expr: Expr): boolean {
  let inner = uncast(expr);
  while (inner.kind === 'member' || inner.kind === 'index') {
    if (inner.kind === 'member' && inner.arrow)
      return typeOf(scope, inner.base)?.tag === container.tag;
    if (inner.kind === 'index' && inner.base.kind === 'member' && !isArray(scope, inner.base))
      return false;
    inner = uncast(inner.base);
  }
  return false;
}

function isArray(scope: Scope, member: Expr & { kind: 'member' }): boolean {
  const base = typeOf(scope, member.base);
  const field =
    base &&
    findStruct(scope.module, scope.file, base.tag)?.struct.fields.find(
      (one) => one.name === member.field,
    );
  return field !== undefined && field !== null && field.type.arrays > 0;
}
