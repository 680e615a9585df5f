/** What a callback takes and keeps in the device is given back by nobody. */
import { originalOf } from '../ir/lower.ts';
import type { Finding, Rule, RuleContext } from './types.ts';
import type { CallExpr, FileIr, FunctionIr } from '../ir/types.ts';
import { calls } from '../ir/visit.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { HeldResource, ModuleFacts, Site } from '../lifecycle/types.ts';
import { takenBy, type ResourcePair } from '../kernel/resource-pairs.ts';
import { closeLeaksExamples } from './close-leaks.examples.ts';
import { functionsThat, keptByFunction } from './function-traits.ts';
import { keptByParts } from './kept-answers.ts';
import {
  ancestry,
  contains,
  documentAt,
  isNull,
  loweredCallAt,
  siteOfCall,
  walk,
  type FoundCall,
} from './locate.ts';
import { forgottenElements, type ForgottenElement } from './list-leaks.ts';
import { reachedFrom, reachedFromRoles } from './call-graph.ts';
import { accessesOf, indexOf, type MemberAccess } from './members.ts';
import {
  areGiven,
  callsOf,
  endingFunctions,
  isAround,
  isGiven,
  keeperOf,
  mayGiveBackUnseen,
  namedBy,
  opensAndCloses,
  unseenCalls,
  unseenUndoes,
  type OpenAndClose,
} from './open-and-close.ts';
import { relatedOf } from './related.ts';
import { taken, undoneAnywhere, undoneWord } from './resource-leaks.ts';
import { quoted, say } from './wording.ts';

const messages = {
  kept: '{member} from {call}() is never released; call {undo}() in .close_device',
  neverUndone: '{what} is never {undone}: {close}() does not call {undo}()',
  elements: '{close}() may only take elements off {list}; free what {maker}() has made',
} as const;

export const closeLeaks: Rule = {
  id: 'close-leaks',
  severity: 'warning',
  isAbsence: true,
  kernels: {},
  fixable: 'none',
  docs: {
    what: 'A callback takes a resource and stores it in the device, but neither `.close_device` nor `.remove` nor `.release` releases it.',
    why: 'User space may close the device, or exit, without the request that releases it. Each open then leaks the memory or the reference; a leaked eventfd context also keeps its file open.',
    instead:
      'In `.close_device`, release everything that an open or a request has stored in the device.',
    knownProblems:
      'The rule checks members of the device that store the result of a function, and resources that `.open_device` takes through an argument and releases on its error paths. It is silent if close, remove or release reads the member, or passes the device to unknown code whose name suggests the release. Other unknown code makes it a hint.',
    references: [
      'v6.12 drivers/vfio/vfio_main.c, vfio_df_device_last_close(): the only call at the end of an opening',
    ],
  },
  examples: closeLeaksExamples,
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  const index = indexOf(facts.module, facts.kernel);
  const callbacks = reachedFromRoles(facts, index, 'callback');
  if (callbacks.functions.length === 0) return [];
  const pairs = opensAndCloses(facts, index);
  const closing = facts.opsTables.flatMap((table) => closingOf(facts, index, table));
  const functions = [...new Set([...closing, ...endingFunctions(facts, index)])];
  const unseen = functions.filter((fn) => unseenCalls(facts, index, fn).length > 0);
  const parts = [index.outline, facts.solution, ...functions.map(originalOf)];
  const ends: Ends = { functions, unseen, parts };
  const beginnings = reachedFromRoles(facts, index, 'probe', 'init');
  const containers = new Set(facts.observations.flatMap((one) => one.device.container ?? []));
  const takers = functionsThat(index, takes)
    .map(({ item }) => item)
    .filter((fn) => callbacks.has(fn) && !beginnings.has(fn));
  return [
    ...takers.flatMap((fn) => keptMembers(facts, index, fn, ends, containers)),
    ...keptByOpen(facts, index, pairs, ends),
    ...forgottenElements(facts, index, closing).map((one) => findingOfElement(one)),
  ];
}

/** The functions that end a device or an opening of it, and those of them that call unseen code. */
interface Ends {
  readonly functions: readonly FunctionIr[];
  readonly unseen: readonly FunctionIr[];
  /** What is asked of them and of one function of the module is made of these and of that one. */
  readonly parts: readonly unknown[];
}

/** A hint: who else has the elements cannot be told. */
function findingOfElement({ fn, path, loop, list, taking }: ForgottenElement): Finding {
  return {
    rule: closeLeaks.id,
    severity: 'hint',
    message: say(messages.elements, { close: fn.name, list: quoted(list), maker: taking.fn.name }),
    site: { path, start: loop.start, end: loop.end },
    functionName: fn.name,
    related: [
      {
        site: { path: taking.path, start: taking.call.start, end: taking.call.end },
        message: `${taking.fn.name}() makes an element here`,
      },
    ],
    fix: null,
  };
}

/** The functions that the close of one table leads to, also where it has no open of its own. */
function closingOf(
  facts: ModuleFacts,
  index: ModuleIndex,
  { path, members }: OpenAndClose['table'],
): readonly FunctionIr[] {
  const file = documentAt(facts.module, path);
  const name = members.get('close_device')?.value ?? members.get('release')?.value;
  const roots = file === null || name === undefined ? [] : index.functions(file, name);
  return reachedFrom(
    index,
    roots.map(({ item }) => item),
  ).functions;
}

/** Members of the device that a function fills with what a call returned, and that nobody empties. */
function keptMembers(
  facts: ModuleFacts,
  index: ModuleIndex,
  fn: FunctionIr,
  ends: Ends,
  containers: ReadonlySet<string>,
): Finding[] {
  const file = index.fileOf(fn),
    at = index.positionOf(fn);
  if (file === undefined) return [];
  return takingCalls(fn).flatMap((call): Finding[] => {
    const found = { call, fn };
    // Functions that are alike may be one function to the lowering.
    const forgotten = askOf(call, [at, ...ends.parts], () =>
      forgottenMember(facts, index, file, found, ends, containers),
    );
    if (forgotten === null) return [];
    const { key, severity } = forgotten;
    return [
      {
        rule: closeLeaks.id,
        severity,
        message: say(messages.kept, {
          member: quoted(key.slice(key.indexOf('.') + 1)),
          call: call.name!,
          undo: takenBy(call.name!)!.undo[0]!,
        }),
        site: siteOfCall(file, found),
        functionName: fn.name,
        related: closersOf(facts, index),
        fix: null,
      },
    ];
  });
}

/** A member that keeps what nobody gives back, and how certain that is. */
interface ForgottenMember {
  readonly key: string;
  readonly severity: 'warning' | 'hint';
}

const askOf = keptByParts<CallExpr, ForgottenMember | null>();

/** The member that keeps what a call returned, where nobody empties it. */
function forgottenMember(
  facts: ModuleFacts,
  index: ModuleIndex,
  file: FileIr,
  found: FoundCall,
  ends: Ends,
  containers: ReadonlySet<string>,
): ForgottenMember | null {
  const { call, fn } = found;
  const pair = takenBy(call.name!)!;
  const key = keeperOf(index, fn, call);
  if (key === null || !isOfContainer(index, file, key, containers)) return null;
  if (areGiven(index, ends.functions, pair.undo, key)) return null;
  const isHeld = isHeldAfter(facts, fn, siteOfCall(file, found));
  if (!isHeld && isGivenBackHere(index, fn, pair, key)) return null;
  const severity = doubtOf(facts, index, ends, key);
  return severity === 'silent' ? null : { key, severity };
}

/** The calls of a function, as it was lowered, that return what must be given back. */
const takingCalls = keptByFunction((root) =>
  calls(root).filter(
    ({ name }) =>
      name !== null && takenBy(name)?.taken === 'return' && !name.startsWith('debugfs_'),
  ),
);

function takes(root: FunctionIr): boolean {
  return takingCalls(root).length > 0;
}

/** A member of the container, or of a struct that lies in it. */
function isOfContainer(
  index: ModuleIndex,
  file: FileIr,
  key: string,
  containers: ReadonlySet<string>,
): boolean {
  const owner = key.slice(0, key.indexOf('.'));
  return (
    containers.has(owner) ||
    [...containers].some((tag) =>
      index
        .struct(file, tag)
        ?.item.fields.some(
          ({ type }) => type.keyword === 'struct' && type.pointers === 0 && type.name === owner,
        ),
    )
  );
}

/** Whether the taking function itself gives the member back after it has kept it. */
function isGivenBackHere(
  index: ModuleIndex,
  fn: FunctionIr,
  pair: ResourcePair,
  key: string,
): boolean {
  const undoing = callsOf(index, [fn], pair.undo);
  if (undoing.length === 0) return false;
  const stored = accessesOf(index, fn, key).find(
    ({ form, lowered: { value } }) => form === 'write' && value !== null && !isNull(value),
  );
  return undoing.some(
    (one) =>
      isGiven(index, one, key) &&
      stored !== undefined &&
      one.call.start > stored.lowered.node.start,
  );
}

/** Whether an open that succeeds is seen to hold what a call has taken. */
function isHeldAfter(facts: ModuleFacts, fn: FunctionIr, { start }: Site): boolean {
  return facts.resources.leaves.some(
    (leave) =>
      leave.function === fn &&
      leave.outcome === 'success' &&
      leave.held.some(({ site }) => contains(fn, site) && site.start === start),
  );
}

/** What unseen code, or a use that is not understood, leaves of the certainty. */
function doubtOf(
  facts: ModuleFacts,
  index: ModuleIndex,
  ends: Ends,
  key: string,
): 'warning' | 'hint' | 'silent' {
  const isRead = ends.functions.some((fn) =>
    accessesOf(index, fn, key).some((one) => one.form !== 'write' && !isOnlyLookedAt(fn, one)),
  );
  if (isRead || handsOnToUndo(facts, index, ends, key.slice(0, key.indexOf('.')))) return 'silent';
  return mayGiveBackUnseen(facts, index, ends.unseen, key) ||
    handsOnToUndo(facts, index, ends, null)
    ? 'hint'
    : 'warning';
}

/** `if (p->ctx)`, `p->regions[i]`, `p->ctx->size`: to look at it gives nothing back. */
function isOnlyLookedAt(fn: FunctionIr, { lowered: { node, call } }: MemberAccess): boolean {
  const { body } = originalOf(fn);
  const [around, outer] = ancestry(body, node).toReversed().slice(1);
  if (around?.kind === 'index') return around.base === node;
  // `kref_put(&p->ctx->ref, foo_free)` may free it.
  if (around?.kind === 'member' && around.arrow)
    return !(outer?.kind === 'unary' && outer.op === '&');
  return (
    call === null &&
    [...walk(body)].some((one) => one.kind === 'if' && contains(one.condition, node))
  );
}

/**
 * An ending function calls what cannot be seen and undoes something by its name: with the struct of
 * `owner` or the device, or with anything where that is null.
 */
function handsOnToUndo(
  facts: ModuleFacts,
  index: ModuleIndex,
  ends: Ends,
  owner: string | null,
): boolean {
  return ends.unseen.some((fn) =>
    unseenUndoes(facts, index, fn).some(
      ({ args }) => owner === null || args.some((arg) => isAround(namedBy(index, fn, arg), owner)),
    ),
  );
}

/** What an open that succeeds has taken by an argument, and nothing undoes at the close. */
function keptByOpen(
  facts: ModuleFacts,
  index: ModuleIndex,
  pairs: readonly OpenAndClose[],
  ends: Ends,
): Finding[] {
  const told = new Set<string>();
  return pairs.flatMap(({ table, open, closing, closeName }) =>
    facts.resources.leaves.flatMap((leave) => {
      const isOpen =
        leave.function === open && leave.outcome === 'success' && leave.certain && !leave.ownState;
      const isSeen = closing.length > 0;
      if (!isOpen || !isSeen || handsOnToUndo(facts, index, ends, null)) return [];
      return leave.held
        .filter((one) => isForgotten(facts, index, one, ends) && !told.has(one.id))
        .map((one): Finding => {
          told.add(one.id);
          const undo = undoneAnywhere(facts, one)[0]?.api ?? one.undo[0]!;
          return {
            rule: closeLeaks.id,
            severity: closeLeaks.severity,
            message: say(messages.neverUndone, {
              what: taken(facts, one),
              undone: undoneWord([one]),
              close: closeName ?? '',
              undo,
            }),
            site: one.site,
            functionName: functionAt(facts, one) ?? open.name,
            related: [
              ...relatedOf(leave.trace, one.site),
              {
                site: siteOfTable(table),
                message: `\`${table.variable.name}\` names the callbacks`,
              },
            ],
            fix: null,
          };
        });
    }),
  );
}

function isForgotten(
  facts: ModuleFacts,
  index: ModuleIndex,
  one: HeldResource,
  ends: Ends,
): boolean {
  if (one.kind === 'counter' || one.shared || takenBy(one.api)?.taken === 'return') return false;
  const isOwed =
    one.api === 'vfio_pci_core_enable' ||
    undoneAnywhere(facts, one).some(({ role }) => role === 'callback');
  return isOwed && callsOf(index, ends.functions, one.undo).length === 0;
}

function functionAt(facts: ModuleFacts, { site }: HeldResource): string | null {
  const fn = documentAt(facts.module, site.path)?.functions.find((one) => contains(one, site));
  return fn !== undefined && loweredCallAt(fn, site) !== null ? fn.name : null;
}

function siteOfTable({ path, variable }: OpenAndClose['table']): Finding['site'] {
  return { path, start: variable.nameSpan.start, end: variable.nameSpan.end };
}

/** The closes of the module, as related information. */
function closersOf(facts: ModuleFacts, index: ModuleIndex): Finding['related'] {
  return facts.opsTables.flatMap((table) => {
    const file = documentAt(facts.module, table.path);
    const name = table.members.get('close_device')?.value;
    const found = file === null || name === undefined ? [] : index.functions(file, name);
    return found.slice(0, 1).map(({ file: { path }, item: { nameSpan } }) => ({
      site: { path, start: nameSpan.start, end: nameSpan.end },
      message: `${name}() closes the device`,
    }));
  });
}
