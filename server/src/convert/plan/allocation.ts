/** Finds the allocation of what an init initialises, and proves that both can become one call. */
import type { CallExpr, Expr, FileIr, FunctionIr, IfStmt, Stmt } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { checkAllocator } from './allocator.ts';
import { plain, resolveArguments } from './arguments.ts';
import { checkBetween } from './before-init.ts';
import { containerOf } from './container.ts';
import { findCheck } from './null-test.ts';
import { isNull } from '../query/expressions.ts';
import {
  allExpressions,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { lineOf, refuse, textOf } from '../refusal-error.ts';
import {
  assignmentsOf,
  effectsOf,
  relate,
  type Assignment,
  type CallSite,
} from '../query/call-sites.ts';
import type { AllocationPlan, Container } from '../types.ts';
import { memberPath, placeInObject, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

/** The initialisers that a conversion knows a successor of, and how their arguments lie. */
const CONVERTIBLE: ReadonlySet<string> = new Set([
  'vfio_init_group_dev',
  'vfio_pci_core_init_device',
]);

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
      `${name}() initialises and registers the device in another file, for callers in several files. Convert the file that defines it together with its callers.`,
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
      `\`${root.name}\` is allocated in the arms of an #if (lines ${lines}): which of them the kernel takes is not known here. Allocate it once, before the #if or after it, with kzalloc().`,
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
      `The type of \`${root.name}\` is not a struct that is defined here.`,
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
      `${name}() is not a statement of its own here, so it cannot be removed. Make it one.`,
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
      `The allocation (line ${lineOf(file, allocation.at.stmt.start)}) and ${name}() are in different blocks, so they are not always executed together. Put both in one block.`,
      file,
      site.at.stmt,
    );
  }
  if (reached.index < allocation.at.index)
    refuse(
      'split-span',
      `${name}() comes before the allocation of \`${root.name}\`.`,
      file,
      site.at.stmt,
    );
  const checkAt = findCheck(file, fn, allocation.at, root.name);
  checkBetween(file, scope, allocation.at, reached, site.at, root.name, container);
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
      `${what}() is in an #if arm of ${fn.name}(): the arms are different programs. Convert by hand, or move the arms into functions of their own.`,
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
  return call.kind === 'call' && call.name !== null && isAllocator(call.name);
}

/** A function of the kernel with this name allocates. */
export function isAllocator(name: string): boolean {
  return effectsOf(name).some((effect) => effect.op === 'allocate');
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
      `\`${owner}\` is not a local variable: other code would see an error pointer in it if the allocation fails. Allocate into a local variable, and store it there afterwards.`,
      file,
      site.target,
    );
  }
  refuse(
    'allocated-elsewhere',
    `${site.call.name ?? 'the init'}() is given \`${textOf(file, site.target)}\`, which is not a member of a local variable: the object is allocated elsewhere. First split the object, so that probe allocates the struct that embeds the vfio_device.`,
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
      `${fn.name}() calls ${call.name}() for callers in other files, which allocate the object. Turn it into an \`.init\` helper, and convert the callers with it.`,
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
    namedFunctions(file, value.name).length > 0
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
    `${what} is allocated elsewhere: ${site.fn.name}() gets it from ${from}, and vfio_alloc_device must allocate what it initialises. First split the object: let probe allocate a struct that embeds the vfio_device and points to the rest.`,
    file,
    value ?? site.target,
  );
}
