/** Proves that an allocation is one that vfio_alloc_device() can take the place of. */
import { isManaged } from '../../kernel/name-forms.ts';
import type { CallExpr, DeclStmt, Expr, FileIr, Stmt } from '../../ir/types.ts';
import { namesIn, uncast } from '../../lifecycle/module/statements.ts';
import { resolveType, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import { callSites, effectsOf } from '../query/call-sites.ts';
import { lineOf, refuse, textOf } from '../refusal-error.ts';

/**
 * Allocators that zero the memory, as vfio_alloc_device does, with the position of the size;
 * `count` is a number of objects that must be 1, and
 * `flagged` is for those that zero when they are told to by __GFP_ZERO.
 */
const ZEROING: ReadonlyMap<
  string,
  { readonly size: number; readonly count?: number; readonly flagged?: true }
> = new Map<string, { size: number; count?: number; flagged?: true }>([
  ['kzalloc', { size: 0 }],
  ['kvzalloc', { size: 0 }],
  ['vzalloc', { size: 0 }],
  ['kzalloc_node', { size: 0 }],
  ['kvzalloc_node', { size: 0 }],
  ['vzalloc_node', { size: 0 }],
  ['kmalloc', { size: 0, flagged: true }],
  ['kvmalloc', { size: 0, flagged: true }],
  ['kmalloc_node', { size: 0, flagged: true }],
  ['kcalloc', { size: 1, count: 0 }],
  ['kvcalloc', { size: 1, count: 0 }],
]);

/** What ends a variable at the end of its scope, as its declaration has it; null for nothing. */
function endingOf(decl: DeclStmt): string | null {
  if (decl.cleanup !== null) return `__free(${decl.cleanup})`;
  return decl.attributes?.[0] ?? null;
}

/**
 * Refuses an allocator that does not allocate one zeroed object of `struct tag` and nothing else.
 * @param stmt the statement of the allocation
 */
export function checkAllocator(
  file: FileIr,
  scope: Scope,
  call: CallExpr,
  tag: string,
  stmt: Stmt,
): void {
  const name = call.name ?? '';
  const managed = effectsOf(name).some((effect) => effect.op === 'allocate' && effect.managed);
  if (managed) {
    refuseFreedTwice(scope, name, tag);
    refuse(
      'managed-allocation',
      `${name}() binds the container to its device, but the vfio core frees it at the last put. First use kzalloc() with explicit frees, then convert.`,
      file,
      call,
    );
  }
  const ending = stmt.kind === 'decl' ? endingOf(stmt) : null;
  if (ending !== null) {
    refuse(
      'unsuitable-allocation',
      `${ending} frees the container at the end of the scope. Free it explicitly first, then convert.`,
      file,
      stmt,
    );
  }
  const form = ZEROING.get(name);
  const flags = form && call.args[form.size + 1];
  if (!form || (form.flagged && !(flags && namesIn(flags).includes('__GFP_ZERO')))) {
    refuse(
      'unsuitable-allocation',
      `${name}() is no plain zeroing allocation of one object; vfio_alloc_device allocates the struct itself, zeroed. Use kzalloc(sizeof(…)) first.`,
      file,
      call,
    );
  }
  const count = form.count === undefined ? null : call.args[form.count];
  if (count && !(count.kind === 'number' && count.value === 1)) {
    refuse(
      'unsuitable-allocation',
      `${name}() allocates an array; vfio_alloc_device allocates one object. Allocate each device on its own.`,
      file,
      call,
    );
  }
  const size = call.args[form.size];
  if (size?.kind !== 'sizeof' || !isSizeOf(scope, size, tag)) {
    refuse(
      'unsuitable-allocation',
      `The size \`${size ? textOf(file, size) : ''}\` is not that of \`struct ${tag}\` alone, which is what vfio_alloc_device allocates. Allocate the rest separately.`,
      file,
      size ?? call,
    );
  }
  // vzalloc() and its like have no flags: what follows the size there is the node.
  const wanted = new Set(flags && !name.startsWith('vzalloc') ? namesIn(flags) : []);
  for (const flag of [
    'GFP_KERNEL',
    'GFP_KERNEL_ACCOUNT',
    '__GFP_ZERO',
    '__GFP_ACCOUNT',
    '__GFP_NOWARN',
    '__GFP_RETRY_MAYFAIL',
  ])
    wanted.delete(flag);
  if (wanted.size > 0) refuseFlags(file, tag, flags!, wanted);
}

/** Memory of devres that the driver frees too: that is to be put right before all else. */
function refuseFreedTwice({ module, file }: Scope, allocator: string, tag: string): void {
  const frees = callSites(module, file).filter(({ op, call, scope, target }) => {
    if (op !== 'free' || call.name === null || isManaged(call.name)) return false;
    const pointer = uncast(target);
    const type = pointer.kind === 'name' ? typeOf(scope, pointer) : null;
    return type?.tag === tag && type.pointers === 1;
  });
  const [first] = frees;
  if (!first) return;
  const lines = frees.map(({ call }) => lineOf(file, call.start));
  const places = lines.length > 1 ? `lines ${lines.join(', ')}` : `line ${lines[0]}`;
  refuse(
    'managed-allocation',
    `${allocator}() allocates \`struct ${tag}\`, which devres frees, and ${first.call.name}() frees it too (${places}): a double free. Take that out first, then convert.`,
    file,
    first.call,
  );
}

/**
 * Flags that put memory in a zone, and those that keep an allocation from sleeping
 * (<linux/gfp_types.h>).
 */
const ZONE_FLAGS: readonly string[] = [
  'GFP_DMA',
  'GFP_DMA32',
  '__GFP_DMA',
  '__GFP_DMA32',
  '__GFP_HIGHMEM',
  '__GFP_MOVABLE',
  'GFP_HIGHUSER',
  'GFP_HIGHUSER_MOVABLE',
];
const ATOMIC_FLAGS: readonly string[] = [
  'GFP_ATOMIC',
  'GFP_NOWAIT',
  'GFP_NOIO',
  'GFP_NOFS',
  '__GFP_HIGH',
  '__GFP_ATOMIC',
];

/** Flags that vfio_alloc_device cannot be given: the reason says what they ask for. */
function refuseFlags(file: FileIr, tag: string, flags: Expr, wanted: ReadonlySet<string>): never {
  const written = textOf(file, flags);
  const zone = ZONE_FLAGS.find((flag) => wanted.has(flag));
  if (zone !== undefined) {
    refuse(
      'unsuitable-allocation',
      `\`${written}\`: ${zone} asks for memory of a zone, but vfio_alloc_device uses GFP_KERNEL memory of any zone. Allocate the part that the device must reach separately, with ${zone}, and a pointer to it in \`struct ${tag}\`.`,
      file,
      flags,
    );
  }
  if (ATOMIC_FLAGS.some((flag) => wanted.has(flag))) {
    refuse(
      'unsuitable-allocation',
      `\`${written}\`: vfio_alloc_device allocates with GFP_KERNEL and may sleep. Move the allocation to code that may sleep.`,
      file,
      flags,
    );
  }
  refuse(
    'unsuitable-allocation',
    `\`${written}\`: vfio_alloc_device allocates with GFP_KERNEL alone. Do without ${[...wanted].join(' and ')} first.`,
    file,
    flags,
  );
}

function isSizeOf(scope: Scope, size: Expr & { kind: 'sizeof' }, tag: string): boolean {
  if (size.type) {
    const named = resolveType(scope.module, scope.file, size.type);
    return named !== null && named.tag === tag && named.pointers === 0;
  }
  if (!size.operand) return false;
  const { operand } = size;
  // The grammar cannot tell a typedef's name from a variable's.
  const named =
    operand.kind === 'name' && !scope.locals.has(operand.name)
      ? resolveType(scope.module, scope.file, {
          start: operand.start,
          end: operand.end,
          name: operand.name,
          keyword: null,
          pointers: 0,
          arrays: 0,
        })
      : null;
  const type = named ?? typeOf(scope, operand);
  return type !== null && type.tag === tag && type.pointers === 0;
}
