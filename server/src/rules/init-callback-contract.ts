/**
 * `.init` uses something that is there only after `vfio_alloc_device()` has returned, or that
 * nothing ever sets.
 */
import { walksEntries } from '../kernel/name-forms.ts';
import { countsReferences } from '../kernel/lookup.ts';
import type { Finding, Rule, RuleContext } from './types.ts';
import type { Expr, FunctionIr, LoopStmt } from '../ir/types.ts';
import type { ModuleFacts, Site } from '../lifecycle/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { nameOf } from './device.ts';
import { drvdataCalls } from './drvdata.ts';
import { declaredType, functionsIn, walk } from './locate.ts';
import { reachedFrom, type Reached } from './call-graph.ts';
import {
  accessesOf,
  fieldType,
  indexOf,
  isChanged,
  memberAccesses,
  type MemberAccess,
} from './members.ts';
import { mayGiveBackUnseen } from './open-and-close.ts';
import { deviceIdentity } from './device-identity.ts';
import { keptByFunction } from './function-traits.ts';
import { findingFor } from './report.ts';
import { testedKeys } from './tested-members.ts';
import { quoted, say, written } from './wording.ts';
import { initCallbackContractExamples } from './init-callback-contract.examples.ts';

const messages = {
  get: '{get}() in .init: {device} has no reference count yet; take it after .init',
  put: '{put}() in .init: {device} has no reference count yet; only return the error',
  deviceUsed: '{device} is used in .init, before the core sets it up; use `dev`, the parent device',
  drvdata:
    '{function}() reads drvdata that {allocator}() sets only after .init; use container_of()',
  setLater:
    '{member} is read during .init, but {allocator}() sets it later; derive it from the parent',
  neverSet: '{member} is used in .init and nothing sets it: it is NULL; derive it from the parent',
  lostContainer:
    '{name} is the cursor of {loop}() and no longer the container; use a cursor of its own',
} as const;

export const initCallbackContract: Rule = {
  id: 'init-callback-contract',
  severity: 'warning',
  kernels: { since: [6, 1] },
  fixable: 'none',
  docs: {
    what: '`.init` uses something that exists only after `vfio_alloc_device()` has returned, or that nothing sets.',
    why: '`.init` runs inside `vfio_alloc_device()`. The container is zeroed: values that probe writes after the allocation are not there yet. `vdev->device` is initialised after `.init`; before that it has neither a reference count nor a name. The drvdata of the parent is NULL, unless probe set it before the allocation.',
    instead:
      'Derive the values that `.init` needs from `vdev->dev`, the parent device. Or set them in probe after the allocation, and use them there. Do not get or put the device in `.init`.',
    knownProblems:
      'Members whose address is taken anywhere, or that `.init` itself sets, are not checked.',
    references: ['v6.1 cb9ff3f3b84c: _vfio_alloc_device calls ops->init before device_initialize'],
  },
  examples: initCallbackContractExamples,
  messages,
  check,
};

/** A table's `.init` with an allocation that calls it. */
interface Init {
  readonly fn: FunctionIr;
  readonly allocator: FunctionIr;
  readonly allocation: Site;
  /** The container's tag, or null where it is allocated in another way. */
  readonly container: string | null;
}

function check({ facts }: RuleContext): Finding[] {
  const roots = functionsIn(facts, 'init');
  if (roots.length === 0) return [];
  const index = indexOf(facts.module, facts.kernel);
  return [
    ...references(facts),
    ...usesOfDevice(index, roots),
    ...initsOf(facts, index).flatMap((init) => [
      ...parentData(facts, index, init),
      ...earlyReads(index, init),
      ...neverSet(facts, index, init),
      ...lostContainer(index, init),
    ]),
  ];
}

/** Those of the functions that are reached from `.init` and from nowhere else. */
function onlyReached(
  index: ModuleIndex,
  reached: Reached,
  wanted: readonly FunctionIr[],
): FunctionIr[] {
  if (wanted.length === 0) return [];
  const others = reachedFrom(
    index,
    index.allFunctions.map(({ item }) => item).filter((fn) => !reached.has(fn)),
  );
  return wanted.filter((fn) => !others.has(fn));
}

function initsOf(facts: ModuleFacts, index: ModuleIndex): Init[] {
  return facts.opsTables.flatMap((table) => {
    const file = [...index.module.sources, ...index.module.headers].find(
      (one) => one.path === table.path,
    );
    const name = table.members.get('init')?.value;
    const functions = file === undefined || name === undefined ? [] : index.functions(file, name);
    return table.givenTo
      .filter((use) => use.op === 'alloc')
      .flatMap((use) =>
        functions.map(({ item }): Init => {
          const [tag] = use.args;
          return {
            fn: item,
            allocator: use.function,
            allocation: use.site,
            container:
              use.api === 'vfio_alloc_device' && tag?.kind === 'name'
                ? containerOf(index, use.function, tag.name)
                : null,
          };
        }),
      );
  });
}

/** The tag of an allocation; where it is the variable by mistake, the struct of that. */
function containerOf(index: ModuleIndex, allocator: FunctionIr, tag: string): string {
  const file = index.fileOf(allocator);
  const isStruct = file !== undefined && index.struct(file, tag) !== null;
  const type = isStruct ? null : declaredType(allocator, tag);
  return type?.keyword === 'struct' && type.pointers === 1 ? type.name : tag;
}

/** A reference that is taken or put before there is a count. */
function references(facts: ModuleFacts): Finding[] {
  return facts.observations.flatMap((one): Finding[] => {
    if (
      one.kind !== 'operation' ||
      (one.op !== 'get' && one.op !== 'put') ||
      one.role !== 'init' ||
      one.device.originKind !== 'parameter'
    )
      return [];
    // To put what .init itself took is the second half of that defect.
    if (one.op === 'put' && (one.before.model === 'old' || one.before.extraReferences > 0))
      return [];
    const device = nameOf(one);
    return [
      findingFor({
        rule: initCallbackContract.id,
        severity: 'warning',
        observation: one,
        message:
          one.op === 'get'
            ? say(messages.get, { get: one.api, device })
            : say(messages.put, { put: one.api, device }),
      }),
    ];
  });
}

const namesDevice = keptByFunction((root) => /(->|\.)\s*device\b/.test(root.text));

/** `vdev->device` in functions that only `.init` runs. */
function usesOfDevice(index: ModuleIndex, roots: readonly FunctionIr[]): Finding[] {
  const reached = reachedFrom(index, roots);
  // Hardly any driver names it there, and the text tells.
  const naming = reached.functions.filter(namesDevice);
  return onlyReached(index, reached, naming).flatMap((fn) =>
    memberAccesses(index, fn).flatMap((access): Finding[] => {
      if (
        !/^vfio_device\.device(\.|$)/.test(access.key) ||
        countsReferences(access.lowered.call?.name ?? '')
      )
        return [];
      const text = written(access.file.text, access.node);
      return [
        {
          rule: initCallbackContract.id,
          severity: 'warning',
          message: say(messages.deviceUsed, { device: quoted(text) }),
          site: access.site,
          functionName: fn.name,
          related: [],
          fix: null,
        },
      ];
    }),
  );
}

/**
 * The drvdata of the parent, read in `.init`, where the module only ever sets it to the device that
 * is being made.
 */
function parentData(
  facts: ModuleFacts,
  index: ModuleIndex,
  { fn, allocator, allocation }: Init,
): Finding[] {
  const [param] = fn.params;
  const file = index.fileOf(fn);
  if (param === undefined || file === undefined) return [];
  const reads = drvdataCalls(index, fn, 'get-drvdata', facts.kernel).filter(
    ({ args }) => args[0] !== undefined && deviceIdentity(fn, args[0]) === param.name,
  );
  if (reads.length === 0) return [];
  const isSetInside = reachedFrom(index, [fn]).functions.some(
    (one) => drvdataCalls(index, one, 'set-drvdata', facts.kernel).length > 0,
  );
  const late = isSetInside ? null : lateSetter(facts, index, allocator, allocation);
  if (late === null) return [];
  return reads.map((read): Finding => ({
    rule: initCallbackContract.id,
    severity: 'warning',
    message: say(messages.drvdata, { function: fn.name, allocator: allocator.name }),
    site: { path: file.path, start: read.start, end: read.end },
    functionName: fn.name,
    related: [
      { site: allocation, message: 'vfio_alloc_device() runs .init' },
      { site: late, message: 'the drvdata is set here' },
    ],
    fix: null,
  }));
}

/**
 * Where the allocating function sets drvdata to the device after the allocation, if no function of
 * the module sets any drvdata to something else.
 */
function lateSetter(
  facts: ModuleFacts,
  index: ModuleIndex,
  allocator: FunctionIr,
  allocation: Site,
): Site | null {
  const devices = new Map(
    facts.observations.flatMap((one) =>
      one.kind === 'operation' && one.op === 'set-drvdata'
        ? [[`${one.site.path}:${one.site.start}`, one] as const]
        : [],
    ),
  );
  for (const { file, item } of index.allFunctions) {
    for (const call of drvdataCalls(index, item, 'set-drvdata', facts.kernel)) {
      const value = call.args[1];
      const isCleared = value?.kind === 'name' && value.name === 'NULL';
      if (!isCleared && !devices.has(`${file.path}:${call.start}`)) return null;
    }
  }
  const late = [...devices.values()].find(
    (one) =>
      one.function === allocator &&
      one.site.path === allocation.path &&
      one.site.start > allocation.end,
  );
  return late?.site ?? null;
}

/**
 * Members of the container that `.init` reads and that the allocating function sets when it is
 * over.
 */
function earlyReads(index: ModuleIndex, { fn, allocator, allocation, container }: Init): Finding[] {
  if (container === null) return [];
  const late = memberAccesses(index, allocator).filter(
    (one) =>
      one.form === 'write' &&
      one.owner === container &&
      one.site.path === allocation.path &&
      one.site.start > allocation.end &&
      isPlain(index, one),
  );
  const setters = new Map(late.reverse().map((one) => [one.key, one]));
  if (setters.size === 0) return [];
  const inside = reachedFrom(index, [fn]);
  const findings: Finding[] = [];
  for (const reader of inside.functions) {
    for (const access of memberAccesses(index, reader)) {
      const setter = setters.get(access.key);
      if (
        setter === undefined ||
        access.form !== 'read' ||
        isTested(index, reader, fn, access) ||
        !isOfParameter(reader, access) ||
        mayBeSet(index, access, inside)
      )
        continue;
      const text = written(access.file.text, access.node);
      findings.push({
        rule: initCallbackContract.id,
        severity: 'warning',
        message: say(messages.setLater, { member: quoted(text), allocator: allocator.name }),
        site: access.site,
        functionName: reader.name,
        related: [
          { site: allocation, message: 'vfio_alloc_device() runs .init' },
          { site: setter.site, message: 'it is set here' },
        ],
        fix: null,
      });
    }
  }
  return findings;
}

/**
 * A helper that serves others too looks itself whether the member is set, as anybody does with a
 * pointer.
 */
function isTested(
  index: ModuleIndex,
  reader: FunctionIr,
  init: FunctionIr,
  { file, owner, key }: MemberAccess,
): boolean {
  const type = fieldType(index, file, owner, key.slice(owner.length + 1));
  const mayTest = reader !== init || (type?.pointers ?? 0) > 0;
  return mayTest && testedKeys(index, reader).includes(key);
}

/** Pointers of the container that `.init` uses and that no code sets. */
function neverSet(
  facts: ModuleFacts,
  index: ModuleIndex,
  { fn, allocation, container }: Init,
): Finding[] {
  if (container === null) return [];
  const inside = reachedFrom(index, [fn]);
  return inside.functions.flatMap((reader) =>
    memberAccesses(index, reader).flatMap((access): Finding[] => {
      if (access.owner !== container || access.form !== 'read') return [];
      const type = fieldType(index, access.file, container, access.key.slice(container.length + 1));
      if (
        type === null ||
        type.pointers === 0 ||
        type.arrays > 0 ||
        isChanged(index, access.key) ||
        isTested(index, reader, fn, access) ||
        !isOfParameter(reader, access) ||
        mayGiveBackUnseen(facts, index, inside.functions, access.key)
      )
        return [];
      const text = written(access.file.text, access.node);
      return [
        {
          rule: initCallbackContract.id,
          severity: 'warning',
          message: say(messages.neverSet, { member: quoted(text) }),
          site: access.site,
          functionName: reader.name,
          related: [{ site: allocation, message: 'vfio_alloc_device() runs .init' }],
          fix: null,
        },
      ];
    }),
  );
}

const walksList = keptByFunction((root) =>
  [...walk(root.body)].some((node) => node.kind === 'loop' && walksEntries(node.macro ?? '')),
);

/** The container serves as the cursor of a list, and is used as the container after the loop. */
function lostContainer(index: ModuleIndex, { fn }: Init): Finding[] {
  const file = index.fileOf(fn);
  if (file === undefined || !walksList(fn)) return [];
  return [...walk(fn.body)].flatMap((loop): Finding[] => {
    if (loop.kind !== 'loop' || !walksEntries(loop.macro ?? '')) return [];
    const [cursor] = loop.args;
    if (cursor?.kind !== 'name' || leavesEarly(loop)) return [];
    const nodes = [...walk(fn.body)];
    const isContainer = nodes.some(
      (node) => node.kind === 'decl' && node.name === cursor.name && node.init !== null,
    );
    const isSet = nodes.some(
      (node) =>
        node.kind === 'assign' &&
        node.target.kind === 'name' &&
        node.target.name === cursor.name &&
        node.start > loop.start,
    );
    const use = nodes.find(
      (node) =>
        node.kind === 'member' &&
        node.arrow &&
        node.base.kind === 'name' &&
        node.base.name === cursor.name &&
        node.start > loop.end,
    );
    if (!isContainer || isSet || use === undefined) return [];
    return [
      {
        rule: initCallbackContract.id,
        severity: 'warning',
        message: say(messages.lostContainer, { name: quoted(cursor.name), loop: loop.macro ?? '' }),
        site: { path: file.path, start: use.start, end: use.end },
        functionName: fn.name,
        related: [
          {
            site: { path: file.path, start: loop.start, end: loop.body.start },
            message: 'the loop sets it',
          },
        ],
        fix: null,
      },
    ];
  });
}

/** A loop that is left in the middle has found what the cursor is then. */
function leavesEarly({ body }: LoopStmt): boolean {
  return [...walk(body)].some((node) => node.kind === 'break' || node.kind === 'goto');
}

/**
 * Whether an access starts from a parameter of the function or from the container of one: a cursor
 * over a list is another object.
 */
function isOfParameter(fn: FunctionIr, access: MemberAccess): boolean {
  let base: Expr = access.lowered.node;
  while (base.kind === 'member' || base.kind === 'cast')
    base = base.kind === 'member' ? base.base : base.operand;
  const params = new Set(fn.params.map((one) => one.name));
  const isFrom = (expr: Expr): boolean =>
    [...walk(expr)].some((node) => node.kind === 'name' && params.has(node.name));
  if (base.kind !== 'name') return isFrom(base);
  const { name } = base;
  if (params.has(name)) return true;
  const values = valuesOfLocals(fn).get(name) ?? [];
  return values.length === 1 && isFrom(values[0]!);
}

/** What a function as it was lowered gives its variables. */
const valuesOfLocals = keptByFunction(({ body }): ReadonlyMap<string, readonly Expr[]> => {
  const values = new Map<string, Expr[]>();
  const note = (name: string, value: Expr): void => {
    values.set(name, [...(values.get(name) ?? []), value]);
  };
  for (const node of walk(body)) {
    if (node.kind === 'decl' && node.init !== null) note(node.name, node.init);
    if (node.kind === 'assign' && node.target.kind === 'name') note(node.target.name, node.value);
  }
  return values;
});

/**
 * A scalar or a pointer, not a struct or an array, of which more than the value may be of interest.
 */
function isPlain(index: ModuleIndex, { file, owner, key }: MemberAccess): boolean {
  const type = fieldType(index, file, owner, key.slice(owner.length + 1));
  return (
    type !== null &&
    type.arrays === 0 &&
    (type.pointers > 0 || type.keyword === null || type.keyword === 'enum')
  );
}

/** Whether `.init` itself sets the member, or somebody takes its address. */
function mayBeSet(index: ModuleIndex, wanted: MemberAccess, inside: Reached): boolean {
  return index.allFunctions.some(({ item }) =>
    accessesOf(index, item, wanted.key).some(
      ({ form }) => form === 'address' || (form === 'write' && inside.has(item)),
    ),
  );
}
