/**
 * `.release` uses or sets the drvdata of the parent device, or something that `.remove` has freed.
 */
import type { Finding, Rule, RuleContext } from './types.ts';
import type { FunctionIr } from '../ir/types.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { givenBackBy, givenTo } from '../kernel/resource-pairs.ts';
import { drvdataCalls } from './drvdata.ts';
import { contains } from './locate.ts';
import { reachedFromRoles, type Reached } from './call-graph.ts';
import { indexOf, memberAccesses, type MemberAccess } from './members.ts';
import { deviceIdentity } from './device-identity.ts';
import { quoted, say, written } from './wording.ts';
import { releaseUsesParentStateExamples } from './release-uses-parent-state.examples.ts';

const messages = {
  readsDrvdata:
    '{function}() reads drvdata of the parent in .release: it may be NULL; use container_of()',
  setsDrvdata:
    '{function}() sets drvdata of the parent in .release: another driver may own it; delete this',
  released: '{member} is used in .release after {function}() called {call}(); keep one of the two',
} as const;

export const releaseUsesParentState: Rule = {
  id: 'release-uses-parent-state',
  severity: 'hint',
  kernels: { since: [6, 1] },
  fixable: 'none',
  docs: {
    what: '`.release` uses or sets the drvdata of the parent device, or something that `.remove` has freed.',
    why: '`.release` runs when the last reference is dropped. That need not be the put in `.remove`: another holder of a reference may keep the device alive for longer. By then the driver core has unbound the parent and cleared its drvdata, and `.remove` has freed its resources.',
    instead:
      'Store everything that `.release` needs in the container, and reach it with `container_of()`. Free what `.release` still uses there, not in `.remove`.',
    knownProblems:
      'If no other code takes references, `.release` always runs inside the put of `.remove`, and only the order there matters. So this is a hint. A variable is followed only within one function.',
    references: ['v6.1 cb9ff3f3b84c ties .release to the last reference'],
  },
  examples: releaseUsesParentStateExamples,
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  const index = indexOf(facts.module, facts.kernel);
  const inRelease = reachedFromRoles(facts, index, 'release');
  if (inRelease.functions.length === 0) return [];
  return [...parentData(facts, index, inRelease), ...freedState(facts, index, inRelease)];
}

/** Reads of the drvdata of `vdev->dev`, and what sets it. */
function parentData(facts: ModuleFacts, index: ModuleIndex, inRelease: Reached): Finding[] {
  return inRelease.functions.flatMap((fn) =>
    [
      ...drvdataCalls(index, fn, 'get-drvdata', facts.kernel).map((call) => ({
        call,
        message: say(messages.readsDrvdata, { function: fn.name }),
      })),
      ...drvdataCalls(index, fn, 'set-drvdata', facts.kernel).map((call) => ({
        call,
        message: say(messages.setsDrvdata, { function: fn.name }),
      })),
    ].flatMap(({ call, message }): Finding[] => {
      const file = index.fileOf(fn);
      const [argument] = call.args;
      if (file === undefined || argument === undefined) return [];
      const isParent =
        (facts.roles.get(fn) === 'release' &&
          deviceIdentity(fn, argument) === fn.params[0]?.name) ||
        memberAccesses(index, fn).some(
          (one) =>
            one.key === 'vfio_device.dev' &&
            contains(argument, one.node) &&
            !isParentOf(file.text, one),
        );
      if (!isParent) return [];
      return [
        {
          rule: releaseUsesParentState.id,
          severity: 'hint',
          message,
          site: { path: file.path, start: call.start, end: call.end },
          functionName: fn.name,
          related: callers(index, inRelease, fn),
          fix: null,
        },
      ];
    }),
  );
}

/** `vdev->dev->parent`: the drvdata of the parent's parent, which another driver sets. */
function isParentOf(text: string, access: MemberAccess): boolean {
  return /^\s*(->|\.)\s*\w/.test(text.slice(access.node.end));
}

/** Members that remove releases and `.release` uses. */
function freedState(facts: ModuleFacts, index: ModuleIndex, inRelease: Reached): Finding[] {
  const inRemove = reachedFromRoles(facts, index, 'remove').functions.filter(
    (fn) => !inRelease.has(fn),
  );
  const containers = new Set(facts.observations.flatMap((one) => one.device.container ?? []));
  const freed = inRemove
    .flatMap((fn) => memberAccesses(index, fn))
    .filter((one) => containers.has(one.owner) && isGivenBack(one));
  return freed.flatMap((gone) =>
    inRelease.functions.flatMap((fn) => {
      const user = isCleared(index, gone)
        ? undefined
        : memberAccesses(index, fn).find((one) => one.key === gone.key && one.form !== 'write');
      if (user === undefined) return [];
      const text = written(user.file.text, user.node);
      return [
        {
          rule: releaseUsesParentState.id,
          severity: 'hint' as const,
          message: say(messages.released, {
            member: quoted(text),
            function: gone.function.name,
            call: gone.call?.name ?? '',
          }),
          site: user.site,
          functionName: fn.name,
          related: [
            { site: gone.site, message: `${gone.call?.name}() releases it` },
            ...callers(index, inRelease, fn),
          ],
          fix: null,
        },
      ];
    }),
  );
}

/**
 * `kfree(p->m)`, `destroy_workqueue(p->wq)`: the member names what is given back, not where it was
 * taken from.
 */
function isGivenBack({ call, form, node }: MemberAccess): boolean {
  if (call?.name == null || form !== 'read') return false;
  return givenBackBy(call.name).some(
    (pair) => pair.taken === 'return' && call.args[givenTo(pair, call.name!)] === node,
  );
}

/** The function sets the member to something else afterwards. */
function isCleared(index: ModuleIndex, gone: MemberAccess): boolean {
  return memberAccesses(index, gone.function).some(
    (one) => one.key === gone.key && one.form === 'write' && one.site.start > gone.site.start,
  );
}

/** How `.release` comes to a helper. */
function callers(
  index: ModuleIndex,
  inRelease: Reached,
  fn: FunctionIr,
): Finding['related'][number][] {
  const caller = inRelease.callerOf(fn);
  const file = caller === null ? undefined : index.fileOf(caller);
  return caller === null || file === undefined
    ? []
    : [
        {
          site: { path: file.path, start: caller.nameSpan.start, end: caller.nameSpan.end },
          message: `${caller.name}() calls ${fn.name}()`,
        },
      ];
}
