/** Finds every free and uninit of the container. */
import { OLD_MODEL_CALLS } from '../../kernel/lifecycle-api.ts';
import type { Span } from '../../text/span.ts';
import type { CallExpr, Expr, FileIr, FunctionIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { wipesMemory, isPlainFree } from '../../kernel/memory-uses.ts';
import { plain } from './arguments.ts';
import {
  allExpressions,
  namesIn,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { baseName, findStruct, scopeOf, typeOf } from '../../lifecycle/module/types-of.ts';
import { refuseOwnCount } from './own-count.ts';
import { handsOn, type Done } from '../../lifecycle/footprint/handed-on.ts';
import { isMacro } from '../../lifecycle/footprint/macros.ts';
import { lineOf, refuse, textOf } from '../refusal-error.ts';
import { spelledDevice } from '../rewrite/spelled-device.ts';
import {
  assignmentsOf,
  callSites,
  effectsOf,
  levelOf,
  relate,
  type CallSite,
} from '../query/call-sites.ts';
import type { Container, FreePlan, UninitPlan } from '../types.ts';

export interface Teardown {
  readonly frees: readonly FreePlan[];
  readonly uninits: readonly UninitPlan[];
}

/**
 * Every free and uninit of the container in the file, found by the type of what is freed: all
 * objects of the struct come from
 * the allocations that are converted, so each of their frees must become a put, in whatever
 * function it stands. `alone` says
 * that the file has no other such struct, so that a bare `struct vfio_device *` can only be in this
 * one.
 */
export function findTeardown(
  module: Module,
  file: FileIr,
  container: Container,
  sites: readonly CallSite[],
  alone: boolean,
  allocation: Span,
): Teardown {
  refuseOtherFiles(module, file, container);
  refuseMacros(module, file);
  refuseFreeingMacros(module, file, container);
  refuseUntypedFrees(file, container, sites);
  const uninits: UninitPlan[] = [];
  const frees: FreePlan[] = [];
  for (const site of sites) {
    if (site.op !== 'uninit' && site.op !== 'free') continue;
    const { level, sure } = relate(site.scope, container, site.target);
    if (level < 0) continue;
    if (!sure && !alone) {
      refuse(
        'ambiguous-object',
        `Which struct \`${plain(textOf(file, site.target))}\` belongs to is not known, and this file has several structs with a vfio_device. Use container_of() in ${site.fn.name}().`,
        file,
        site.target,
      );
    }
    if (site.op === 'uninit') {
      checkUninit(file, site);
      uninits.push({ file, fn: site.fn, at: site.at, call: site.call });
    } else {
      checkFree(file, site);
      refuseOtherCount(file, container, site);
      frees.push({
        file,
        fn: site.fn,
        at: site.at,
        call: site.call,
        put: putArgument(file, container, site.target, level),
      });
    }
  }
  refuseOwnCount(module, file, container, frees);
  refuseEmptied(file, uninits);
  if (frees.length === 0) {
    const at = uninits[0]?.call ?? allocation;
    refuse(
      'never-freed',
      `This file never frees \`struct ${container.tag}\`, so there is no place for the put. First free the object where its life ends.`,
      file,
      at,
    );
  }
  return {
    frees: frees.map((free) => ({
      ...free,
      put: aliasFor(file, free, uninits) ?? spelledDevice(file, free, container) ?? free.put,
    })),
    uninits,
  };
}

/**
 * The argument of vfio_put_device for a freed expression that points to the `level`th struct of the
 * container's path.
 */
function putArgument(file: FileIr, container: Container, target: Expr, level: number): string {
  const inner = uncast(target);
  const rest = container.path.slice(level);
  if (rest.length === 0) return plain(textOf(file, inner));
  // container_of(v, struct foo, vdev): v is what the put wants.
  if (
    inner.kind === 'call' &&
    inner.name === 'container_of' &&
    inner.args[0] &&
    plain(textOf(file, inner.args[2] ?? inner)) === rest.join('.')
  ) {
    return plain(textOf(file, inner.args[0]));
  }
  if (inner.kind === 'unary' && inner.op === '&')
    return `&${plain(textOf(file, inner.operand))}.${rest.join('.')}`;
  return `&${plain(textOf(file, inner))}->${rest.join('.')}`;
}

/**
 * The argument of the uninit that goes, where leaving it out would leave a variable without a use
 * (`v = &p->vdev`, used by the
 * uninit alone): the put then uses it.
 */
function aliasFor(file: FileIr, free: FreePlan, uninits: readonly UninitPlan[]): string | null {
  const near = uninits.find(
    (item) =>
      item.fn === free.fn && item.at.siblings === free.at.siblings && item.at.index < free.at.index,
  );
  const argument = near?.call.args[0] && uncast(near.call.args[0]);
  if (
    argument?.kind !== 'name' ||
    !free.fn.body.body.some((stmt) => stmt.kind === 'decl' && stmt.name === argument.name)
  )
    return null;
  const uses = statementsOf(free.fn)
    .flatMap(({ stmt }) => allExpressions(stmt))
    .filter((expr) => expr.kind === 'name' && expr.name === argument.name);
  const gone = uninits.filter((item) => item.fn === free.fn).length;
  if (uses.length > gone) return null;
  const core = near!.call.name === 'vfio_pci_core_uninit_device';
  return core ? `&${textOf(file, argument)}->vdev` : textOf(file, argument);
}

/** What is taken out or becomes the put is a statement of its own, in every build. */
function checkStatement(file: FileIr, site: CallSite): void {
  const name = site.call.name ?? 'the call';
  if (site.at.conditional)
    refuse(
      'conditional-code',
      `${name}() is in an #if arm of ${site.fn.name}(): the arms are different programs. Convert by hand.`,
      file,
      site.at.stmt,
    );
  if (!site.whole)
    refuse(
      'unsuitable-statement',
      `${name}() is part of another expression. Make it a statement of its own.`,
      file,
      site.at.stmt,
    );
}

function checkUninit(file: FileIr, site: CallSite): void {
  checkStatement(file, site);
  if (site.at.sole)
    refuse(
      'unsuitable-statement',
      `${site.call.name ?? 'the uninit'}() has a condition of its own, which the put would not have. Let the condition cover the free as well.`,
      file,
      site.at.stmt,
    );
}

function checkFree(file: FileIr, site: CallSite): void {
  checkStatement(file, site);
  const name = site.call.name ?? 'the free';
  if (wipesMemory(name))
    refuse(
      'object-overwritten',
      `${name}() wipes the object before it frees it, which the last vfio_put_device() would not. Wipe the members that hold secrets with memzero_explicit() and free with kfree() first, then convert.`,
      file,
      site.call,
    );
  if (!isPlainFree(name))
    refuse(
      'unsuitable-statement',
      `${name}() of the container has no counterpart: the vfio core frees it with kvfree() at the last put. Free it with kfree() first, then convert.`,
      file,
      site.call,
    );
}

/**
 * An uninit that is all its block or function has, or the last thing after a label, cannot be taken
 * out without leaving an odd rest.
 */
function refuseEmptied(file: FileIr, uninits: readonly UninitPlan[]): void {
  const gone = new Set(uninits.map((item) => item.at.stmt));
  for (const { fn, at } of uninits) {
    const left = at.siblings.filter((stmt) => !gone.has(stmt));
    if (left.length === 0) {
      refuse(
        'unsuitable-statement',
        `${fn.name}() would have an empty block. First move the uninit next to the free that it belongs to.`,
        file,
        at.stmt,
      );
    }
    const before = at.siblings
      .slice(0, at.index)
      .filter((stmt) => !gone.has(stmt))
      .at(-1);
    const after = at.siblings.slice(at.index + 1).filter((stmt) => !gone.has(stmt))[0];
    if (
      (before?.kind === 'label' || before?.kind === 'case') &&
      (!after || after.kind === 'case')
    ) {
      refuse(
        'unsuitable-statement',
        'A label would have no statement. First move the uninit next to the free that it belongs to.',
        file,
        at.stmt,
      );
    }
  }
}

const OLD_CALLS = new RegExp(String.raw`\b(?:${OLD_MODEL_CALLS.join('|')})\b`);

/** A macro that holds a call of the old model: it would be left behind. */
function refuseMacros(module: Module, file: FileIr): void {
  for (const source of [file, ...module.headers]) {
    const macro = source.macros.find((item) => OLD_CALLS.test(item.bodyText));
    if (macro)
      refuse(
        'macro',
        `The macro ${macro.name} calls ${OLD_CALLS.exec(macro.bodyText)![0]}(), which the conversion cannot follow. Turn it into a function.`,
        source,
        macro,
      );
  }
}

/** A macro that frees what it is given: it may be there for other objects too. */
function refuseFreeingMacros(module: Module, file: FileIr, container: Container): void {
  for (const fn of file.functions) {
    const scope = scopeOf(module, file, fn);
    for (const { stmt } of statementsOf(fn)) {
      for (const call of allExpressions(stmt)) {
        if (call.kind !== 'call' || !isMacro(scope, call)) continue;
        const isOfContainer = (pointer: Expr): boolean => levelOf(scope, container, pointer) >= 0;
        if (!handsOn(scope, call, isFree, isOfContainer)) continue;
        refuse(
          'macro',
          `The macro ${call.name} frees \`struct ${container.tag}\` at line ${lineOf(file, call.start)}, and a put cannot replace that, because other objects may use the macro. First free the object without it.`,
          file,
          call,
        );
      }
    }
  }
}

function isFree({ to, position }: Done): boolean {
  return (
    to !== null &&
    effectsOf(to).some((effect) => effect.op === 'free' && effect.target === position)
  );
}

/** What an object is counted or deferred by, beside the vfio core's count. */
const COUNTS: ReadonlySet<string> = new Set(['kref', 'kobject', 'rcu_head', 'device']);

/** A free at the end of another count: two counts would rule one object. */
function refuseOtherCount(file: FileIr, container: Container, site: CallSite): void {
  const target = uncast(site.target);
  if (target.kind !== 'name') return;
  for (const { value } of assignmentsOf(site.fn, target.name)) {
    const view = uncast(value);
    const pointer =
      view.kind === 'call' && view.name?.startsWith('container_of') && view.args[0]
        ? uncast(view.args[0])
        : null;
    const param =
      pointer?.kind === 'name'
        ? site.fn.params.find((item) => item.name === pointer.name)
        : undefined;
    if (!param || !COUNTS.has(param.type.name) || param.type.pointers !== 1) continue;
    refuse(
      'other-count',
      `${site.fn.name}() frees \`struct ${container.tag}\` through its own \`struct ${param.type.name}\`: after the conversion the vfio core counts the references, and one object cannot have two reference counts. Remove the other one first, or split the object.`,
      file,
      site.call,
    );
  }
}

/**
 * A free of the struct in a header or another source of the module: one file's conversion would
 * leave it behind.
 */
function refuseOtherFiles(module: Module, file: FileIr, container: Container): void {
  const home = findStruct(module, file, container.tag)?.file ?? file;
  for (const other of [...module.sources, ...module.headers]) {
    if (other.path === file.path) continue;
    const there = findStruct(module, other, container.tag)?.file;
    if (there && there.path !== home.path) continue;
    for (const site of callSites(module, other)) {
      if (site.op !== 'free' && site.op !== 'uninit' && site.op !== 'init') continue;
      const { level, sure } = relate(site.scope, container, site.target);
      if (level < 0 || !sure) continue;
      refuse(
        'freed-elsewhere',
        `${site.fn.name}() in ${baseName(other.path)}, line ${lineOf(other, site.call.start)}, calls ${site.call.name ?? 'it'}() on \`struct ${container.tag}\` too: the life cycle spans several files. First move that part into this file.`,
        other,
        site.call,
      );
    }
  }
}

/** A helper or action that is given the object as a `void *` and frees that. */
function refuseUntypedFrees(file: FileIr, container: Container, sites: readonly CallSite[]): void {
  for (const site of sites) {
    if (site.op !== 'free') continue;
    const target = uncast(site.target);
    if (isUntypedDrvdata(site, container)) {
      refuse(
        'freed-elsewhere',
        `${site.fn.name}() frees \`${plain(textOf(file, target))}\`, which has no type here but may be \`struct ${container.tag}\`. Put it into a local of its type first.`,
        file,
        site.call,
      );
    }
    const param =
      target.kind === 'name'
        ? site.fn.params.findIndex((item) => item.name === target.name && item.type.name === 'void')
        : -1;
    if (param < 0) continue;
    const giver = givesContainer(file, container, site.fn, site.scope.module);
    if (giver) {
      refuse(
        'freed-elsewhere',
        `${site.fn.name}() frees \`struct ${container.tag}\` through a \`void *\`. Give it a local of that type (\`struct ${container.tag} *p = ${target.kind === 'name' ? target.name : 'data'};\`) and free that.`,
        file,
        site.call,
      );
    }
  }
}

/** kfree(dev_get_drvdata(dev)), or of a `void *` local that holds that or the object. */
function isUntypedDrvdata(site: CallSite, container: Container): boolean {
  const isDrvdata = (expr: Expr): boolean => {
    const call = uncast(expr);
    return (
      call.kind === 'call' &&
      call.name !== null &&
      effectsOf(call.name).some((effect) => effect.op === 'get-drvdata')
    );
  };
  const target = uncast(site.target);
  if (isDrvdata(target)) return typeOf(site.scope, target) === null;
  if (target.kind !== 'name' || site.scope.locals.get(target.name)?.name !== 'void') return false;
  return assignmentsOf(site.fn, target.name).some(
    ({ value }) => isDrvdata(value) || levelOf(site.scope, container, value) >= 0,
  );
}

/** A call that gives `callee` the container: directly, or as a callback with its data beside it. */
function givesContainer(
  file: FileIr,
  container: Container,
  callee: FunctionIr,
  module: Module,
): CallExpr | null {
  for (const fn of file.functions) {
    const scope = scopeOf(module, file, fn);
    for (const { stmt } of statementsOf(fn)) {
      for (const expr of allExpressions(stmt)) {
        if (expr.kind !== 'call') continue;
        const involved =
          expr.name === callee.name || expr.args.some((arg) => namesIn(arg).includes(callee.name));
        if (
          involved &&
          expr.args.some((arg) => {
            const type = typeOf(scope, arg);
            return type?.pointers === 1 && container.tags.includes(type.tag);
          })
        )
          return expr;
      }
    }
  }
  return null;
}

/** The planned calls as a lookup for the walk over the paths. */
export function meaningOf(teardown: Teardown): ReadonlyMap<CallExpr, 'free' | 'uninit'> {
  return new Map<CallExpr, 'free' | 'uninit'>([
    ...teardown.frees.map((item) => [item.call, 'free'] as const),
    ...teardown.uninits.map((item) => [item.call, 'uninit'] as const),
  ]);
}
