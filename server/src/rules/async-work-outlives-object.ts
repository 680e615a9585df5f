import type { Finding, Rule, RuleContext } from './types.ts';
import type { CallExpr, Expr, FileIr, FunctionIr } from '../ir/types.ts';
import type { ModuleFacts, OperationObservation, Site } from '../lifecycle/types.ts';
import type { ModuleIndex } from '../lifecycle/module.ts';
import { ASYNC_KINDS, ASYNC_STRUCTS, usualStop, type AsyncKind } from '../kernel/async.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { namesAnUndo } from '../kernel/opposites.ts';
import { compareVersions } from '../kernel/version.ts';
import { asyncWorkOutlivesObjectExamples } from './async-work-outlives-object.examples.ts';
import { contains, declaredType, walk } from './locate.ts';
import { indexOf, memberAccesses, reachedFrom } from './members.ts';
import { beginningsOf } from './taken.ts';
import { listed, written } from './wording.ts';

export const asyncWorkOutlivesObject: Rule = {
  id: 'async-work-outlives-object',
  severity: 'warning',
  kernels: {},
  fixable: 'none',
  docs: {
    what: 'Work, a timer, a notifier or an interrupt that uses the container of the device is not stopped before the container is freed.',
    why: 'The last put frees the container. Work that is still queued, a timer that still runs, a notifier or an interrupt handler that is still registered uses it afterwards: memory that belongs to somebody else by then.',
    instead:
      'Stop it in `.remove`, behind the unregister and before the put; in `.close_device` when only an open device starts it; or, from 6.1 on, in `.release`.',
    knownProblems:
      'It is enough that it is stopped anywhere but in probe: whether on every path, and in the right order, is not looked at. Nothing is said where the driver calls unknown functions to end things, where the handler puts a reference of its own, where a whole work queue is flushed or destroyed, and of what managed (devm_) functions started.',
    references: [
      'v6.1 drivers/s390/cio/vfio_ccw_ops.c, vfio_ccw_mdev_release_dev(): completes without cancelling its work',
    ],
  },
  examples: asyncWorkOutlivesObjectExamples,
  check,
};

/**
 * A call of one of the functions of a kind that names a member of a container, or the container
 * itself.
 */
interface Named {
  readonly file: FileIr;
  readonly fn: FunctionIr;
  readonly call: CallExpr;
  /** As MemberAccess.key; the struct alone for the object itself; null when it cannot be told. */
  readonly key: string | null;
  readonly text: string;
}

function check({ facts }: RuleContext): Finding[] {
  const index = indexOf(facts.module, facts.kernel);
  const containers = ownContainers(facts);
  if (containers.size === 0) return [];
  const left = ASYNC_KINDS.flatMap((kind): Left[] => {
    const armed = callsOf(
      index,
      new Map([...kind.arm].map(([name, { argument }]) => [name, argument] as const)),
    ).filter(({ key }) => key !== null && isInside(index, containers, key));
    if (armed.length === 0) return [];
    const ending = endingFunctions(facts, index);
    if (callsAny(ending, kind.stopAll) || isStoppedUnseen(facts, index, ending, kind)) return [];
    const started = callsOf(index, kind.start);
    const stopped = callsOf(index, kind.stop).filter(({ fn }) => ending.has(fn));
    if (stopped.some(({ key }) => key === null)) return [];
    return armed
      .filter((one, i) => armed.findIndex((other) => other.key === one.key) === i)
      .flatMap((one) => {
        const start = kind.start.size === 0 ? one : started.find(({ key }) => key === one.key);
        const isHandedOn = [...ending].some((fn) =>
          memberAccesses(index, fn).some(
            (access) =>
              access.key === one.key &&
              access.form === 'address' &&
              (access.call === null || !isKnown(kind, access.call.name)),
          ),
        );
        return start === undefined ||
          isHandedOn ||
          stopped.some(({ key }) => key === one.key) ||
          holdsReference(facts, index, kind, one)
          ? []
          : [{ kind, one, start }];
      });
  });
  return left.length === 0 ? [] : findingsOf(facts, left);
}

interface Left {
  readonly kind: AsyncKind;
  readonly one: Named;
  readonly start: Named;
}

/** Where the memory ends, all of it at once; where that is not seen, at each beginning. */
function findingsOf(facts: ModuleFacts, left: readonly Left[]): Finding[] {
  const end = endOf(facts);
  if (end === null)
    return left.map((one) =>
      findingOf(facts, [one], siteOf(one.one.file, one.one.call), one.one.fn.name),
    );
  return [findingOf(facts, left, end.site, end.function.name)];
}

function findingOf(
  facts: ModuleFacts,
  left: readonly Left[],
  site: Site,
  functionName: string,
): Finding {
  const names = listed(
    left.map(({ kind, one }) => `${kind.what}${one.text === '' ? '' : ` \`${one.text}\``}`),
  );
  const stops = listed(
    left.map(({ kind, one }) => `${usualStop(kind, one.call.name ?? '', facts.kernel)}()`),
  );
  return {
    rule: asyncWorkOutlivesObject.id,
    severity: asyncWorkOutlivesObject.severity,
    message: `${names} may still run when the memory that ${left.length > 1 ? 'they use' : 'it uses'} is freed: nothing stops ${left.length > 1 ? 'them' : 'it'}; call ${stops} behind the unregister${compareVersions(facts.kernel, RELEASE_SINCE) >= 0 ? ' or in .release' : ''}`,
    site,
    functionName,
    related: left
      .flatMap(({ one, start }) => [
        { site: siteOf(one.file, one.call), message: `${one.call.name}() prepares it here` },
        ...(start === one
          ? []
          : [
              {
                site: siteOf(start.file, start.call),
                message: `${start.call.name}() starts it here`,
              },
            ]),
      ])
      .slice(0, 6),
    fix: null,
    owed: left.map(({ one }) => siteOf(one.file, one.call)),
  };
}

/** Before, `.release` was for each file descriptor, or there was none. */
const RELEASE_SINCE = [6, 1] as const;

function siteOf(file: FileIr, { start, end }: CallExpr): Site {
  return { path: file.path, start, end };
}

/** The put or the free that ends the device in remove. */
function endOf(facts: ModuleFacts): OperationObservation | null {
  return (
    facts.observations.find(
      (one): one is OperationObservation =>
        one.kind === 'operation' &&
        (one.op === 'put' || (one.op === 'free' && one.before.model !== 'none')) &&
        (one.role === 'remove' || one.role === 'action'),
    ) ?? null
  );
}

/**
 * The structs of the devices whose memory ends with them: allocated by the core, or freed by the
 * driver where they end.
 */
function ownContainers(facts: ModuleFacts): Set<string> {
  const tags = new Set<string>();
  for (const { op, device } of beginningsOf(facts))
    if (op === 'alloc' && device.container !== null) tags.add(device.container);
  for (const one of facts.observations) {
    if (
      one.kind === 'operation' &&
      one.op === 'free' &&
      one.before.model === 'old' &&
      (one.role === 'remove' || one.role === 'action') &&
      one.device.container !== null
    )
      tags.add(one.device.container);
  }
  return tags;
}

/** Whether a member's struct is one of the containers, or embedded in one. */
function isInside(index: ModuleIndex, containers: ReadonlySet<string>, key: string): boolean {
  const owner = key.split('.')[0]!;
  if (containers.has(owner)) return true;
  const seen = new Set<string>();
  for (let level = [...containers]; level.length > 0 && seen.size < 64;) {
    level = level.flatMap((tag) =>
      index.module.sources
        .slice(0, 1)
        .flatMap((file) => index.struct(file, tag)?.item.fields ?? [])
        .filter(
          ({ type }) => type.pointers === 0 && type.keyword === 'struct' && !seen.has(type.name),
        )
        .map(({ type }) => type.name),
    );
    for (const tag of level) seen.add(tag);
  }
  return seen.has(owner);
}

/** All calls of the named functions, with the member that the given argument is the address of. */
function callsOf(index: ModuleIndex, names: ReadonlyMap<string, number>): Named[] {
  if (names.size === 0) return [];
  const mention = new RegExp(`\\b(?:${[...names.keys()].join('|')})\\b`);
  return index.allFunctions.flatMap(({ file, item: fn }) => {
    if (!mention.test(fn.text)) return [];
    return [...walk(fn.body)].flatMap((node): Named[] => {
      const argument =
        node.kind === 'call' && node.name !== null ? names.get(node.name) : undefined;
      if (
        node.kind !== 'call' ||
        argument === undefined ||
        index.functions(file, node.name!).length > 0
      )
        return [];
      const value = node.args[argument];
      const access =
        value === undefined
          ? undefined
          : memberAccesses(index, fn).find(
              (one) => contains(value, one.node) && one.call === node && one.form === 'address',
            );
      const whole = value === undefined ? null : containerOf(fn, value);
      const key = access?.key ?? whole;
      return [
        {
          file,
          fn,
          call: node,
          key,
          text: access === undefined ? '' : written(file.text, access.node),
        },
      ];
    });
  });
}

/** The struct that a plain variable points to. */
function containerOf(fn: FunctionIr, value: Expr): string | null {
  const type = value.kind === 'name' ? declaredType(fn, value.name) : null;
  return type !== null &&
    type.pointers === 1 &&
    type.keyword === 'struct' &&
    !ASYNC_STRUCTS.has(type.name)
    ? type.name
    : null;
}

/**
 * Functions that may run when the device ends: all but those that only probe and `.init` lead to.
 */
function endingFunctions(facts: ModuleFacts, index: ModuleIndex): Set<FunctionIr> {
  const roleOf = (fn: FunctionIr): string => facts.roles.get(fn) ?? 'helper';
  const begins = reachedFrom(
    index,
    index.allFunctions
      .map(({ item }) => item)
      .filter((fn) => roleOf(fn) === 'probe' || roleOf(fn) === 'init'),
  );
  const others = reachedFrom(
    index,
    index.allFunctions
      .map(({ item }) => item)
      .filter(
        (fn) =>
          (roleOf(fn) !== 'probe' && roleOf(fn) !== 'init' && !begins.has(fn)) ||
          roleOf(fn) === 'remove' ||
          roleOf(fn) === 'release' ||
          roleOf(fn) === 'action' ||
          roleOf(fn) === 'callback',
      ),
  );
  return new Set(others.keys());
}

function callsAny(functions: ReadonlySet<FunctionIr>, names: ReadonlySet<string>): boolean {
  return [...functions].some((fn) =>
    [...walk(fn.body)].some(
      (node) => node.kind === 'call' && node.name !== null && names.has(node.name),
    ),
  );
}

/**
 * Whether something that cannot be matched may stop it: an unknown function that ends things, a
 * macro.
 */
function isStoppedUnseen(
  facts: ModuleFacts,
  index: ModuleIndex,
  ending: ReadonlySet<FunctionIr>,
  kind: AsyncKind,
): boolean {
  const names = [...kind.stop.keys(), ...kind.stopAll];
  const mention = new RegExp(`\\b(?:${names.join('|')})\\b`);
  const documents = [...facts.module.sources, ...facts.module.headers];
  if (
    documents.some((file) =>
      [...file.text.matchAll(/^[ \t]*#[ \t]*define\b(?:.*\\\r?\n)*.*$/gm)].some(([text]) =>
        mention.test(text),
      ),
    )
  )
    return true;
  for (const fn of ending) {
    const file = index.fileOf(fn);
    if (file === undefined) continue;
    for (const node of walk(fn.body)) {
      if (node.kind === 'unknown') return true;
      if (node.kind !== 'call') continue;
      if (node.name === null) {
        if (ENDING_ROLES.has(facts.roles.get(fn) ?? '')) return true;
        continue;
      }
      if (isKnown(kind, node.name) || index.functions(file, node.name).length > 0) continue;
      if (
        namesAnUndo(node.name) &&
        behaviourOf(node.name, facts.kernel, facts.module.wrappers) === undefined
      )
        return true;
    }
  }
  return false;
}

const ENDING_ROLES: ReadonlySet<string> = new Set(['remove', 'release', 'action']);

function isKnown(kind: AsyncKind, name: string | null): boolean {
  return (
    name !== null &&
    (kind.arm.has(name) ||
      kind.start.has(name) ||
      kind.stop.has(name) ||
      ASYNC_KINDS.some((other) => other.stop.has(name)))
  );
}

/** The function that runs drops a reference: whoever started it has taken one for it. */
function holdsReference(
  facts: ModuleFacts,
  index: ModuleIndex,
  kind: AsyncKind,
  one: Named,
): boolean {
  const position = kind.arm.get(one.call.name!)?.handler;
  const handler = position === null || position === undefined ? undefined : one.call.args[position];
  if (handler?.kind !== 'name') return position !== null && position !== undefined;
  const [defined] = index.functions(one.file, handler.name);
  if (defined === undefined) return true;
  return [...reachedFrom(index, [defined.item]).keys()].some((fn) =>
    [...walk(fn.body)].some((node) => {
      if (node.kind !== 'call' || node.name === null) return false;
      const behaviour = behaviourOf(node.name, facts.kernel, facts.module.wrappers);
      return (
        /kref_put|refcount_dec/.test(node.name) ||
        (behaviour !== undefined &&
          behaviour !== 'neutral' &&
          behaviour.success.some(({ op }) => op === 'put' || op === 'put-registration'))
      );
    }),
  );
}
