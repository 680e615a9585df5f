import type { CallExpr, Expr, FileIr, FunctionIr, IfStmt, Stmt } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { plain, resolveArguments } from './arguments.ts';
import { containerOf } from './container.ts';
import { writesZeroes } from './overwritten.ts';
import { isNull, nullTested, plainTest } from '../query/expressions.ts';
import {
  allExpressions,
  namesIn,
  namesUnder,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { lineOf, refuse, textOf } from '../refusal-error.ts';
import {
  assignmentsOf,
  callSites,
  effectsOf,
  relate,
  type Assignment,
  type CallSite,
} from '../query/call-sites.ts';
import type { AllocationPlan, Container } from '../types.ts';
import {
  memberPath,
  placeInObject,
  resolveType,
  scopeOf,
  typeOf,
  type Scope,
} from '../../lifecycle/module/types-of.ts';

/** The initialisers that a conversion knows a successor of, and how their arguments lie. */
const CONVERTIBLE: ReadonlySet<string> = new Set([
  'vfio_init_group_dev',
  'vfio_pci_core_init_device',
]);

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

/**
 * Calls of these between the allocation and the init would wipe or overwrite what vfio_alloc_device
 * has set up.
 */
const OVERWRITING: ReadonlySet<string> = new Set([
  'memset',
  'memcpy',
  'memmove',
  'memzero_explicit',
  'memset_io',
  'strncpy',
  'strscpy',
  '__memset',
  '__memcpy',
]);

/** What a call or an assignment writes over. */
function overwrittenBy(expr: Expr): Expr | null {
  if (expr.kind === 'assign') return expr.target;
  if (expr.kind !== 'call' || expr.name === null || !OVERWRITING.has(expr.name)) return null;
  return expr.args[0] ?? null;
}

/** Where an object comes from, for a message: a call, or the text of what is assigned. */
function originText(file: FileIr, value: Expr): string {
  if (value.kind === 'call' && value.name !== null) return `${value.name}()`;
  return `\`${textOf(file, value).replace(/\s+/g, ' ')}\``;
}

export interface FoundAllocation {
  readonly container: Container;
  readonly plan: AllocationPlan;
}

/**
 * Finds the one allocation that an init call initialises and proves that both can become one call
 * where the allocation stands.
 */
export function findAllocation(module: Module, file: FileIr, site: CallSite): FoundAllocation {
  const { scope, fn, call } = site;
  const name = call.name ?? '';
  if (!CONVERTIBLE.has(name)) {
    refuse(
      'initialised-elsewhere',
      `${name}() initialises and registers the device in another file: the life cycle is handled for callers in several files, which one file's conversion cannot change. Convert the file that defines it together with its callers.`,
      file,
      call,
    );
  }
  checkPlace(file, fn, site.at, name);
  const root = rootOf(scope, site.target);
  if (!root) refuseNoLocal(file, site);
  const source = assignmentsOf(fn, root.name);
  refuseParameter(module, file, site, root.name);

  const tag = typeOf(scope, root)?.tag;
  const allocations = source.filter((item) => isAllocation(item.value));
  if (allocations.length === 0) refuseForeign(file, site, root.name, source, tag);
  if (source.length > 1 && source.every((item) => item.at.conditional)) {
    const lines = source.map((item) => lineOf(file, item.at.stmt.start)).join(', ');
    refuse(
      'conditional-code',
      `\`${root.name}\` is allocated in the arms of an #if (lines ${lines}): which of them the kernel takes is not known here. Allocate it once, in front of the #if or behind it, with kzalloc().`,
      file,
      source[0]!.at.stmt,
    );
  }
  if (allocations.length > 1 || source.length > 1) {
    refuse(
      'several-allocations',
      `\`${root.name}\` is assigned ${source.length} times in ${fn.name}(); the conversion needs one allocation that reaches the init. Give the other object a variable of its own.`,
      file,
      source[1]!.at.stmt,
    );
  }
  const allocation = allocations[0]!;
  const allocCall = uncast(allocation.value) as CallExpr;
  if (!tag)
    refuse(
      'struct-not-found',
      `The type of \`${root.name}\` is no struct that can be seen here.`,
      file,
      call,
    );
  const container = containerOf(module, file, tag, site.target);
  if (relate(scope, container, site.target).level < 0) {
    refuse(
      'member-not-first',
      `\`${textOf(file, site.target)}\` is not the member at offset 0 of \`struct ${tag}\`, which is \`${container.path.join('.')}\`. vfio_alloc_device can only initialise that one.`,
      file,
      site.target,
    );
  }
  checkAllocator(file, scope, allocCall, tag, allocation.at.stmt);
  if (!site.whole || site.at.sole)
    refuse(
      'unsuitable-statement',
      `${name}() is not a statement of its own here, so it cannot be taken out. Make it one.`,
      file,
      site.at.stmt,
    );
  if (
    allocation.at.stmt.kind === 'if' ||
    allocation.at.sole ||
    !isAlone(allocation.at.stmt, allocation.value)
  )
    refuse(
      'unsuitable-allocation',
      `The allocation is part of another statement; write \`${root.name} = ${allocCall.name ?? 'kzalloc'}(…);\` on its own and test it afterwards.`,
      file,
      allocation.at.stmt,
    );
  checkPlace(file, fn, allocation.at, allocCall.name ?? 'the allocation');
  const reached = inBlockOf(allocation.at, site.at);
  if (!reached) {
    refuse(
      'split-span',
      `The allocation (line ${lineOf(file, allocation.at.stmt.start)}) and ${name}() stand in different blocks, so they are not always executed together. Put both in one block.`,
      file,
      site.at.stmt,
    );
  }
  if (reached.index < allocation.at.index)
    refuse(
      'split-span',
      `${name}() stands before the allocation of \`${root.name}\`.`,
      file,
      site.at.stmt,
    );
  const checkAt = findCheck(file, fn, allocation.at, root.name);
  checkGap(file, scope, allocation.at, reached, site.at, root.name, container);
  const { dev, ops, before } = resolveArguments(file, scope, site, allocation.at, root.name);
  return {
    container,
    plan: {
      file,
      fn,
      at: allocation.at,
      variable: root.name,
      call: allocCall,
      check: checkAt.stmt as IfStmt,
      checkAt,
      init: site.at,
      dev,
      ops,
      before,
    },
  };
}

/**
 * The statement beside `from` that `to` is, or is in: a bare block or `do { … } while (0)`, which
 * is gone through once. Null where it is in another one.
 */
function inBlockOf(from: Placed, to: Placed): Placed | null {
  let at = to;
  while (at.siblings !== from.siblings) {
    const outer = at.parent;
    const isOnce =
      outer?.stmt.kind === 'block' ||
      (outer?.stmt.kind === 'loop' &&
        outer.stmt.form === 'do' &&
        outer.stmt.condition !== null &&
        isNull(outer.stmt.condition));
    if (!outer || !isOnce) return null;
    at = outer;
  }
  return at;
}

function checkPlace(file: FileIr, fn: FunctionIr, at: Placed, what: string): void {
  if (at.conditional) {
    refuse(
      'conditional-code',
      `${what}() stands in an #if arm of ${fn.name}(): the arms are different programs. Convert by hand, or move the arms into functions of their own.`,
      file,
      at.stmt,
    );
  }
}

/** The statement does nothing but set a variable to the allocation. */
function isAlone(stmt: Stmt, allocation: Expr): boolean {
  if (stmt.kind === 'decl') return stmt.init === allocation;
  return (
    stmt.kind === 'expr' &&
    stmt.expr.kind === 'assign' &&
    stmt.expr.op === '=' &&
    stmt.expr.value === allocation
  );
}

/**
 * The local variable that an init's argument is a member of, through one alias (`v = &p->vdev`).
 */
export function rootOf(scope: Scope, target: Expr): (Expr & { kind: 'name' }) | null {
  let { root } = placeInObject(target);
  for (let hops = 0; hops < 4 && root.kind === 'name'; hops++) {
    const type = scope.locals.get(root.name);
    const values = assignmentsOf(scope.fn, root.name);
    const alias = values.length === 1 ? uncast(values[0]!.value) : null;
    if (!type || alias?.kind !== 'unary' || alias.op !== '&') break;
    const next = placeInObject(alias).root;
    const isDevice = type.name === 'vfio_device' || type.name === 'vfio_pci_core_device';
    if (
      !isDevice &&
      !(
        next.kind === 'name' &&
        assignmentsOf(scope.fn, next.name).some((item) => isAllocation(item.value))
      )
    )
      break;
    root = next;
  }
  return root.kind === 'name' && scope.locals.has(root.name) ? root : null;
}

/** The value is what a function of the kernel allocates. */
export function isAllocation(value: Expr): boolean {
  const call = uncast(value);
  return (
    call.kind === 'call' &&
    call.name !== null &&
    effectsOf(call.name).some((effect) => effect.op === 'allocate')
  );
}

/**
 * The device is a member of something that is no local variable: a global, or another object's
 * member.
 */
function refuseNoLocal(file: FileIr, site: CallSite): never {
  const { root } = memberPath(site.target);
  const inner = uncast(site.target);
  const object = inner.kind === 'unary' ? uncast(inner.operand) : inner;
  const owner = object.kind === 'member' ? textOf(file, object.base) : textOf(file, root);
  const allocatedHere = statementsOf(site.fn).some(({ stmt }) =>
    allExpressions(stmt).some(
      (expr) =>
        expr.kind === 'assign' && isAllocation(expr.value) && textOf(file, expr.target) === owner,
    ),
  );
  if (allocatedHere) {
    refuse(
      'unsuitable-allocation',
      `\`${owner}\` is no local variable: others would see an error pointer in it when the allocation fails. Allocate into a local variable, and store it there afterwards.`,
      file,
      site.target,
    );
  }
  refuse(
    'allocated-elsewhere',
    `${site.call.name ?? 'the init'}() is given \`${textOf(file, site.target)}\`, which is no member of a local variable: the object is allocated elsewhere. Split the object first, so that probe allocates the struct that embeds the vfio_device.`,
    file,
    site.target,
  );
}

/**
 * An init of a parameter's device: a library when the callers are elsewhere, else a helper of this
 * file.
 */
function refuseParameter(module: Module, file: FileIr, site: CallSite, name: string): void {
  const { fn, call } = site;
  if (!fn.params.some((param) => param.name === name)) return;
  const callers = file.functions.filter(
    (other) =>
      other !== fn &&
      statementsOf(other).some(({ stmt }) =>
        allExpressions(stmt).some((expr) => expr.kind === 'call' && expr.name === fn.name),
      ),
  );
  const exported = file.fileMacros.some(
    (macro) => macro.name.startsWith('EXPORT_SYMBOL') && macro.args[0] === fn.name,
  );
  if (callers.length === 0 || exported || (!fn.isStatic && module.sources.length > 1)) {
    refuse(
      'library',
      `${fn.name}() calls ${call.name}() on behalf of its callers, which allocate the object: the life cycle is handled for callers in other files. Turn it into an \`.init\` helper and convert the callers with it.`,
      file,
      fn.nameSpan,
    );
  }
  refuse(
    'helper-initialises',
    `${fn.name}() initialises a device that ${callers[0]!.name}() allocates. Move the call of ${call.name}() next to the allocation first.`,
    file,
    call,
  );
}

/** The object is not allocated by this function. */
function refuseForeign(
  file: FileIr,
  site: CallSite,
  name: string,
  source: readonly Assignment[],
  tag: string | undefined,
): never {
  const value = source[0] && uncast(source[0].value);
  const what = tag ? `\`struct ${tag}\`` : `\`${name}\``;
  if (value?.kind === 'assign' && isAllocation(value.value)) {
    refuse(
      'unsuitable-allocation',
      `\`${plain(textOf(file, value))}\` allocates ${what} and stores it in two places at once. Allocate into \`${name}\`, test it, and store it elsewhere afterwards.`,
      file,
      value,
    );
  }
  const other = value?.kind === 'unary' ? memberPath(value).root : value;
  if (
    other?.kind === 'name' &&
    assignmentsOf(site.fn, other.name).some((item) => isAllocation(item.value))
  ) {
    refuse(
      'several-allocations',
      `\`${name}\` is ${source.length > 1 ? 'one of several objects' : `another name for \`${other.name}\``}, which ${site.fn.name}() allocates. Initialise the device by the variable that it is allocated into${source.length > 1 ? ', each in a function of its own' : ''}.`,
      file,
      value ?? site.target,
    );
  }
  if (
    value?.kind === 'call' &&
    value.name !== null &&
    file.functions.some((fn) => fn.name === value.name)
  ) {
    refuse(
      'allocated-elsewhere',
      `${what} comes from ${value.name}(), not from an allocation in ${site.fn.name}(). Move the allocation into ${site.fn.name}(), where the device is initialised.`,
      file,
      value,
    );
  }
  const from = value ? originText(file, value) : 'elsewhere';
  refuse(
    'allocated-elsewhere',
    `${what} is allocated elsewhere: ${site.fn.name}() gets it from ${from}, and vfio_alloc_device must allocate what it initialises. Split the object first: let probe allocate a struct that embeds the vfio_device and points to the rest.`,
    file,
    value ?? site.target,
  );
}

function checkAllocator(file: FileIr, scope: Scope, call: CallExpr, tag: string, stmt: Stmt): void {
  const name = call.name ?? '';
  const managed = effectsOf(name).some((effect) => effect.op === 'allocate' && effect.managed);
  if (managed) {
    refuseFreedTwice(scope, name, tag);
    refuse(
      'managed-allocation',
      `${name}() ties the container to its device, but vfio_alloc_device hands it to the vfio core, which needs a put. Use kzalloc() with explicit frees first, then convert.`,
      file,
      call,
    );
  }
  if (stmt.kind === 'decl' && stmt.cleanup !== null) {
    refuse(
      'unsuitable-allocation',
      `__free(${stmt.cleanup}) frees the container at the end of the scope. Free it explicitly first, then convert.`,
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
      `The size \`${size ? textOf(file, size) : ''}\` is not that of \`struct ${tag}\` alone, which is what vfio_alloc_device allocates. Keep the rest in memory of its own.`,
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
    if (op !== 'free' || call.name === null || call.name.startsWith('devm_')) return false;
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
      `\`${written}\`: ${zone} asks for memory of a zone, and vfio_alloc_device takes GFP_KERNEL memory of any. Keep what the device must reach in memory of its own, which you allocate with ${zone}, and a pointer to it in \`struct ${tag}\`.`,
      file,
      flags,
    );
  }
  if (ATOMIC_FLAGS.some((flag) => wanted.has(flag))) {
    refuse(
      'unsuitable-allocation',
      `\`${written}\`: vfio_alloc_device allocates with GFP_KERNEL and may sleep. Move the allocation to where it may.`,
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

/**
 * The statement after the one that gives `name` its value: where its test belongs. Declarations and
 * assignments that call nothing and do not
 * mention it may stand between them. Undefined at the end of the block.
 */
export function testAfter(at: Placed, name: string): Stmt | undefined {
  return at.siblings
    .slice(at.index + 1)
    .find((stmt) => !isUnrelated(stmt, name, at.stmt.kind === 'decl'));
}

function isUnrelated(stmt: Stmt, name: string, amongDeclarations: boolean): boolean {
  if ((stmt.kind !== 'decl' && stmt.kind !== 'expr') || namesUnder(stmt).includes(name))
    return false;
  if (stmt.kind === 'decl' && amongDeclarations) return true;
  return allExpressions(stmt).every(
    (expr) =>
      expr.kind !== 'call' && expr.kind !== 'unknown' && expr.kind !== 'statement-expression',
  );
}

/** The NULL test right after the allocation. */
function findCheck(file: FileIr, fn: FunctionIr, at: Placed, name: string): Placed {
  const stmt = testAfter(at, name);
  if (stmt?.kind !== 'if') {
    refuse(
      'unchecked-allocation',
      `The result of the allocation is not tested in the statement after it. Test \`!${name}\` there first.`,
      file,
      stmt ?? at.stmt,
    );
  }
  if (!isNullTest(stmt.condition, name)) {
    refuse(
      'unsuitable-check',
      `\`${textOf(file, stmt.condition)}\` is not a plain NULL test of \`${name}\`. Test \`!${name}\` in an \`if\` of its own.`,
      file,
      stmt.condition,
    );
  }
  if (stmt.otherwise)
    refuse(
      'unsuitable-check',
      `The test of \`${name}\` has an else branch. Leave the function in the NULL branch and continue after it.`,
      file,
      stmt.otherwise,
    );
  if (!leaves(stmt.then))
    refuse(
      'unsuitable-check',
      `The NULL branch does not leave with return or goto, so what follows runs without \`${name}\`.`,
      file,
      stmt.then,
    );
  const places = statementsOf(fn);
  for (const { stmt: inside } of places) {
    if (
      inside.kind !== 'return' ||
      inside.start < stmt.then.start ||
      inside.end > stmt.then.end ||
      !inside.value ||
      fn.returnType.pointers === 0 ||
      !isNull(inside.value)
    )
      continue;
    refuse(
      'unsuitable-check',
      `${fn.name}() returns NULL when the allocation fails, and its callers rely on that. Let it return an error pointer, and its callers test IS_ERR(), first.`,
      file,
      inside,
    );
  }
  const inner = places.find((place) => place.stmt === stmt);
  return (
    inner ?? {
      stmt,
      siblings: at.siblings,
      index: at.siblings.indexOf(stmt),
      parent: at.parent,
      sole: false,
      conditional: false,
    }
  );
}

/** `!p`, `p == NULL`, `NULL == p`, `IS_ERR_OR_NULL(p)`, also inside unlikely() or WARN(). */
export function isNullTest(condition: Expr, name: string): boolean {
  const test = plainTest(condition);
  const isIt = (expr: Expr): boolean => {
    const value = plainTest(expr);
    return value.kind === 'name' && value.name === name;
  };
  if (test.kind === 'unary' && test.op === '!') return isIt(test.operand);
  const asked = nullTested(test);
  if (asked) return isIt(asked);
  return (
    test.kind === 'binary' &&
    test.op === '==' &&
    ((isIt(test.left) && isNull(test.right)) || (isNull(test.left) && isIt(test.right)))
  );
}

/** The statement ends in a return or goto on its straight path and has no other control flow. */
export function leaves(stmt: Stmt): boolean {
  const last = stmt.kind === 'block' ? stmt.body[stmt.body.length - 1] : stmt;
  return last?.kind === 'return' || last?.kind === 'goto';
}

/**
 * What stands between the test and the init runs on an initialised device once converted: nothing
 * there may overwrite it. `outer` is the statement
 * beside the allocation that the init, `to`, is in.
 */
function checkGap(
  file: FileIr,
  scope: Scope,
  from: Placed,
  outer: Placed,
  to: Placed,
  name: string,
  container: Container,
): void {
  const between = [
    ...from.siblings.slice(from.index + 1, outer.index),
    ...(outer === to ? [] : to.siblings.slice(0, to.index)),
  ];
  for (const stmt of between) {
    if (stmt.kind === 'label')
      refuse(
        'split-span',
        `The label \`${stmt.name}\` between the allocation and the init lets another path in.`,
        file,
        stmt,
      );
    if (stmt.kind === 'case' || stmt.kind === 'preproc')
      refuse(
        'conditional-code',
        'An #if or case label stands between the allocation and the init.',
        file,
        stmt,
      );
    if (stmt.kind === 'unknown' || stmt.kind === 'asm')
      refuse(
        'opaque-function',
        'A statement between the allocation and the init was not understood.',
        file,
        stmt,
      );
  }
  for (const at of statementsOf(scope.fn)) {
    if (at.stmt.start < from.stmt.end || at.stmt.start >= to.stmt.start) continue;
    for (const expr of allExpressions(at.stmt)) {
      const overwritten = overwrittenBy(expr);
      if (expr.kind === 'call') refuseOverwritingHelper(file, scope, expr, name, container);
      if (!overwritten || !touchesDevice(overwritten, name, container, expr.kind === 'assign'))
        continue;
      refuse(
        'split-span',
        `\`${textOf(file, expr)}\` overwrites the device between its allocation and the init; after the conversion the device is already initialised here. ${adviceFor(expr)}`,
        file,
        expr,
      );
    }
  }
}

/** What to do about a write over the whole object in front of its init. */
function adviceFor(expr: Expr): string {
  if (writesZeroes(expr)) return 'Drop it: the memory is zeroed.';
  return 'Set the members behind the vfio_device one by one instead.';
}

/** A helper of this file that is given the object before the init and wipes it. */
function refuseOverwritingHelper(
  file: FileIr,
  scope: Scope,
  call: CallExpr,
  name: string,
  container: Container,
): void {
  const callee = file.functions.find((fn) => fn.name === call.name);
  if (!callee || !call.args.some((arg) => namesIn(arg).includes(name))) return;
  const inside = scopeOf(scope.module, file, callee);
  for (const { stmt } of statementsOf(callee)) {
    for (const expr of allExpressions(stmt)) {
      if (expr.kind !== 'call' || expr.name === null || !OVERWRITING.has(expr.name)) continue;
      const type = expr.args[0] && typeOf(inside, expr.args[0]);
      if (type?.pointers !== 1 || !container.tags.includes(type.tag)) continue;
      refuse(
        'split-span',
        `${callee.name}() overwrites the device before its init; after the conversion the device is already initialised here. ${adviceFor(expr)}`,
        file,
        expr,
      );
    }
  }
}

/**
 * Whether writing to `target` (in an assignment, or as the pointer given to a call) writes to the
 * vfio_device of the variable, or to the whole object.
 */
function touchesDevice(
  target: Expr,
  name: string,
  container: Container,
  assigned: boolean,
): boolean {
  const inner = uncast(target);
  if (inner.kind === 'name') return inner.name === name && !assigned;
  if (inner.kind === 'unary' && inner.op === '*') return namesIn(inner.operand)[0] === name;
  const { root, path } = memberPath(inner);
  if (root.kind !== 'name' || root.name !== name || path.length === 0)
    return root.kind === 'name' && root.name === name;
  // A member of the core device that is not on the way to the vfio_device is private to the core
  // driver and set by it as before.
  return path.every(
    (field, index) => index >= container.path.length || field === container.path[index],
  );
}
