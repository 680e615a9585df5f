/**
 * A vfio-pci core device has an `.init` or a `.release` that does not call the core's, or has only
 * one of the two.
 */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { Edit } from '../text/span.ts';
import type { FunctionIr } from '../ir/types.ts';
import type { ExitObservation, ModuleFacts, OpsTable, Site } from '../lifecycle/types.ts';
import { inRange } from '../kernel/version.ts';
import { callAt, documentAt, documentOf, isSameSite, walk } from './locate.ts';
import { indexOf } from './members.ts';
import { findingFor } from './report.ts';
import { addMembersInOrder } from './fixes/ops-table.ts';
import { standingCallback } from './fixes/standing-callback.ts';
import { isEarlyExit, macroNotes } from './exit-place.ts';
import { addAtEnd } from './fixes/unwind.ts';
import { insertAfter, layOut, newlineOf, replace } from './fixes/text.ts';
import { releaseDoesNotChainExamples } from './release-does-not-chain.examples.ts';
import { quoted, say } from './wording.ts';

const messages = {
  noInit: '{table} is for vfio-pci core and has no .init; set it to vfio_pci_core_init_dev',
  noRelease:
    '{table} is for vfio-pci core and has no .release; set it to vfio_pci_core_release_dev',
  neither:
    '{table} is for vfio-pci core and has no .init and no .release; set them to those of the core',
  initNotChained: '{function}() succeeds without {core}(): core locks are not set up; call it',
  releaseNotChained: '{function}() returns without {core}() and leaks core state; call it{last}',
  freedOnly: '{table} is for vfio-pci core: vfio_free_device() leaks core state; use {core}()',
} as const;

export const releaseDoesNotChain: Rule = {
  id: 'release-does-not-chain',
  severity: 'error',
  isAbsence: true,
  kernels: { since: [6, 1] },
  fixable: 'safe',
  docs: {
    what: "A vfio-pci core device has an `.init` or a `.release` that does not call the core's, or has only one of the two.",
    why: '`vfio_pci_core_init_dev()` sets up the locks, lists and the PCI device of the core; a device that skipped it fails in its first callback. `vfio_pci_core_release_dev()` frees what the core attached. A `.release` without it leaks that with every device, and in 6.1 the container too.',
    instead:
      "Name both functions of the core in the ops table, or call them in `.init` and `.release` of the driver's own. In 6.1 `vfio_pci_core_release_dev()` frees the container and comes last.",
    knownProblems:
      "An `.init` or `.release` that the module does not define, such as that of a vendor's core library, is not checked. If the device is passed to an unknown function, the finding is a hint. In 6.1 a `.release` that frees nothing is reported by release-without-free, and a table without one by missing-release-op.",
    references: [
      'v6.1 63d7c77989de adds both with the conversion of vfio-pci',
      'v7.1-rc1 493c7eff3c2f adds a release that a driver had left out',
    ],
  },
  examples: releaseDoesNotChainExamples,
  messages,
  check,
};

const INIT = 'vfio_pci_core_init_dev';
const RELEASE = 'vfio_pci_core_release_dev';
const FREE = 'vfio_free_device';
const ONLY_6_1 = { since: [6, 1], until: [6, 2] } as const;

function check({ facts }: RuleContext): Finding[] {
  return facts.opsTables.flatMap((table): Finding[] => {
    if (table.style === 'fd' || !isCoreTable(facts, table)) return [];
    const absent = missingMembers(facts, table);
    return [
      ...(absent.length > 0 ? [absentFinding(facts, table, absent)] : []),
      ...unchained(facts, table, 'init'),
      ...unchained(facts, table, 'release'),
      ...freedByCoreOnly(facts, table),
    ];
  });
}

/** Whether a function is the `.release` of a vfio-pci core device. */
export function isReleaseOfCore(facts: ModuleFacts, fn: FunctionIr): boolean {
  return facts.opsTables.some((table) => {
    const value = table.members.get('release')?.value;
    const file = documentAt(facts.module, table.path);
    if (value === undefined || file === null || !isCoreTable(facts, table)) return false;
    return indexOf(facts.module, facts.kernel)
      .functions(file, value)
      .some(({ item }) => item === fn);
  });
}

/**
 * Whether the devices that are allocated with the table are vfio-pci core devices: by the
 * container, or by how they are registered.
 */
export function isCoreTable(facts: ModuleFacts, table: OpsTable): boolean {
  const allocations = table.givenTo.filter((use) => use.op === 'alloc');
  return allocations.some(
    ({ site, function: fn }) =>
      isRegisteredByCore(facts, site) || embedsCoreDevice(facts, fn, site),
  );
}

function isRegisteredByCore(facts: ModuleFacts, allocation: Site): boolean {
  return facts.observations.some(
    (one) =>
      one.kind === 'operation' &&
      one.op === 'register' &&
      one.api === 'vfio_pci_core_register_device' &&
      isSameSite(one.device.origin, allocation),
  );
}

/**
 * `vfio_alloc_device(foo, core_device.vdev, …)` where `core_device` is a struct
 * vfio_pci_core_device.
 */
function embedsCoreDevice(facts: ModuleFacts, fn: FunctionIr, site: Site): boolean {
  const file = documentOf(facts.module, fn);
  const call = callAt(fn.body, site);
  const [tag, designator] = call?.args ?? [];
  if (file === null || tag?.kind !== 'name' || designator === undefined) return false;
  const index = indexOf(facts.module, facts.kernel);
  let holder: string | null = tag.name;
  for (const part of file.text
    .slice(designator.start, designator.end)
    .replace(/\s/g, '')
    .split('.')
    .slice(0, -1)) {
    const field: { readonly type: { readonly name: string } } | undefined =
      holder === null
        ? undefined
        : index.struct(file, holder)?.item.fields.find((one) => one.name === part);
    holder = field?.type.name ?? null;
  }
  return holder === 'vfio_pci_core_device';
}

type Member = 'init' | 'release';

/** The members that a complete table does not have. */
function missingMembers(facts: ModuleFacts, table: OpsTable): Member[] {
  // A table that is not const may be filled at run time.
  if (!table.readable || !table.variable.isConst || table.variable.init?.kind !== 'initializer')
    return [];
  const members: Member[] = [];
  if (!table.members.has('init')) members.push('init');
  if (!table.members.has('release') && !inRange(facts.kernel, ONLY_6_1)) members.push('release');
  return members;
}

function absentFinding(facts: ModuleFacts, table: OpsTable, absent: readonly Member[]): Finding {
  const { name, nameSpan } = table.variable;
  const lack = absent[0] === 'init' ? messages.noInit : messages.noRelease;
  const other =
    absent.length === 2
      ? null
      : (table.members.get(absent[0] === 'init' ? 'release' : 'init') ?? null);
  return {
    rule: releaseDoesNotChain.id,
    severity: 'error',
    message: say(absent.length === 2 ? messages.neither : lack, { table: quoted(name) }),
    site: { path: table.path, start: nameSpan.start, end: nameSpan.end },
    functionName: null,
    related: [
      ...(other === null
        ? []
        : [
            {
              site: { path: table.path, start: other.span.start, end: other.span.end },
              message: 'only this one of the two is set',
            },
          ]),
      ...table.givenTo
        .slice(0, 3)
        .map((use) => ({ site: use.site, message: `${use.api}() takes \`${name}\` here` })),
    ],
    fix: absentFix(facts, table, absent),
  };
}

function absentFix(facts: ModuleFacts, table: OpsTable, absent: readonly Member[]): Fix | null {
  const file = documentAt(facts.module, table.path);
  if (file === null) return null;
  const standing = absent.map((one) =>
    standingCallback(facts, file, table, one, one === 'init' ? [INIT] : [RELEASE]),
  );
  const [first] = standing.filter((one) => one.function !== null);
  // One at a time: the next round has the other.
  if (first !== undefined) return first.fix;
  const edit = addMembersInOrder(
    file.text,
    table,
    absent.map((member) => ({ member, value: member === 'init' ? INIT : RELEASE })),
  );
  return edit === null
    ? null
    : {
        title: `Add ${absent.map((one) => `.${one}`).join(' and ')} of vfio-pci core`,
        safety: 'safe',
        edits: [{ path: table.path, edits: [edit] }],
      };
}

/**
 * The ends of the table's `.init` or `.release` that a path comes to without a call of the core.
 */
function unchained(facts: ModuleFacts, table: OpsTable, member: Member): Finding[] {
  const value = table.members.get(member)?.value;
  const file = documentAt(facts.module, table.path);
  // The core's own functions, where they are looked at together with its drivers, have nobody to
  // call.
  if (value === undefined || file === null || value === INIT || value === RELEASE) return [];
  const functions = indexOf(facts.module, facts.kernel)
    .functions(file, value)
    .map((one) => one.item);
  return exitsOf(facts, functions, member)
    .filter((exit) => isUnchained(facts, exit, member))
    .map((exit) => {
      const fn = exit.function;
      const isEarly = isEarlyExit(facts, fn, exit.returns);
      const owner = {
        site: {
          path: table.path,
          start: table.variable.nameSpan.start,
          end: table.variable.nameSpan.end,
        },
        message: `\`${table.variable.name}\`, which names it as .${member}, is the table of a vfio-pci core device`,
      };
      return findingFor({
        rule: releaseDoesNotChain.id,
        severity: 'error',
        observation: exit,
        site: isEarly
          ? exit.returns
          : { path: exit.site.path, start: fn.nameSpan.start, end: fn.nameSpan.end },
        message: unchainedMessage(facts, fn.name, member),
        alsoSee: [...macroNotes(facts, fn, exit.returns), owner],
        fix: isEarly ? null : fixFor(facts, exit, member),
      });
    });
}

/** `.release = vfio_free_device`: the memory goes and what vfio-pci core attached to it stays. */
function freedByCoreOnly(facts: ModuleFacts, table: OpsTable): Finding[] {
  const entry = table.members.get('release');
  const file = documentAt(facts.module, table.path);
  if (entry?.value !== FREE || file === null || !inRange(facts.kernel, ONLY_6_1)) return [];
  const value = entry.span.end - FREE.length;
  if (file.text.slice(value, entry.span.end) !== FREE) return [];
  return [
    {
      rule: releaseDoesNotChain.id,
      severity: 'error',
      message: say(messages.freedOnly, { table: quoted(table.variable.name), core: RELEASE }),
      site: { path: table.path, ...entry.span },
      functionName: null,
      related: [],
      fix: {
        title: `Set .release to ${RELEASE}()`,
        safety: 'safe',
        edits: [
          { path: table.path, edits: [replace({ start: value, end: entry.span.end }, RELEASE)] },
        ],
      },
    },
  ];
}

function unchainedMessage(facts: ModuleFacts, name: string, member: Member): string {
  if (member === 'init') return say(messages.initNotChained, { function: name, core: INIT });
  const last = inRange(facts.kernel, ONLY_6_1) ? ' last' : '';
  return say(messages.releaseNotChained, { function: name, core: RELEASE, last });
}

function fixFor(facts: ModuleFacts, exit: ExitObservation, member: Member): Fix | null {
  return member === 'release' ? releaseFix(facts, exit) : initFix(facts, exit);
}

/** Where the functions end with the device that the core gave them. */
function exitsOf(
  facts: ModuleFacts,
  functions: readonly FunctionIr[],
  member: Member,
): ExitObservation[] {
  return facts.observations.filter(
    (one): one is ExitObservation =>
      one.kind === 'exit' &&
      one.role === member &&
      one.device.originKind === 'parameter' &&
      functions.includes(one.function),
  );
}

function isUnchained(facts: ModuleFacts, exit: ExitObservation, member: Member): boolean {
  if (exit.before.viaCore) return false;
  // What a function returns that cannot be told may be 0; where another path does call the core
  // this one may be an error's.
  if (member === 'init')
    return (
      exit.outcome === 'success' ||
      (exit.outcome === 'unknown' &&
        exitsOf(facts, [exit.function], 'init').every((one) => !one.before.viaCore))
    );
  // release-without-free says it of memory that is not freed either.
  return !inRange(facts.kernel, ONLY_6_1) || exit.before.memory === 'freed';
}

function parameterOf(fn: FunctionIr): string | null {
  const [param] = fn.params;
  return param?.type.name === 'vfio_device' && param.type.pointers === 1 ? param.name : null;
}

/** The call at the end; in 6.1 in place of the free, which is its last act. */
function releaseFix(facts: ModuleFacts, exit: ExitObservation): Fix | null {
  const fn = exit.function;
  const file = documentOf(facts.module, fn);
  const param = parameterOf(fn);
  if (file === null || param === null || !isOnlyEnd(facts, exit, 'release')) return null;
  const call = `${RELEASE}(${param})`;
  if (exit.before.memory === 'freed') {
    const frees = [...walk(fn.body)].filter(
      (node) => node.kind === 'call' && node.name === 'vfio_free_device',
    );
    const [free] = frees;
    return frees.length === 1 && free !== undefined
      ? {
          title: `Call ${call} instead of vfio_free_device()`,
          safety: 'safe',
          edits: [{ path: file.path, edits: [replace(free, call)] }],
        }
      : null;
  }
  const edit = addAtEnd(file.text, fn, [`${call};`]);
  return edit === null
    ? null
    : { title: `Add ${call}`, safety: 'safe', edits: [{ path: file.path, edits: [edit] }] };
}

/** Every path comes to this end, and without the call: a second way out wants a person. */
function isOnlyEnd(facts: ModuleFacts, exit: ExitObservation, member: Member): boolean {
  return exitsOf(facts, [exit.function], member).every(
    (one) => isSameSite(one.returns, exit.returns) && !one.before.viaCore,
  );
}

/** The call first of all, as nothing can be undone that has not been done yet. */
function initFix(facts: ModuleFacts, exit: ExitObservation): Fix | null {
  const fn = exit.function;
  const file = documentOf(facts.module, fn);
  const param = parameterOf(fn);
  if (
    file === null ||
    param === null ||
    exitsOf(facts, [fn], 'init').some((one) => one.before.viaCore)
  )
    return null;
  const call = `${INIT}(${param})`;
  const declarations = [];
  for (const statement of fn.body.body) {
    if (statement.kind !== 'decl') break;
    declarations.push(statement);
  }
  const [only] = fn.body.body.slice(declarations.length);
  const fixOf = (edits: readonly Edit[]): Fix => ({
    title: `Call ${call}`,
    safety: 'safe',
    edits: [{ path: file.path, edits }],
  });
  if (fn.body.body.length === declarations.length + 1 && only?.kind === 'return')
    return fixOf([replace(only, `return ${call};`)]);
  const result = declarations.find(
    (one) =>
      /^(ret|err|rc|error|result)$/.test(one.name) &&
      one.type.name === 'int' &&
      one.type.pointers === 0 &&
      one.init === null,
  );
  if (result === undefined && /\bret\b/.test(fn.text)) return null;
  const name = result?.name ?? 'ret';
  const lines = [
    ...(result === undefined ? [`int ${name};`] : []),
    '',
    `${name} = ${call};`,
    `if (${name})`,
    `\treturn ${name};`,
  ];
  const last = declarations.at(-1);
  if (last !== undefined) return fixOf([insertAfter(file.text, last.statement, lines)]);
  const at = fn.body.start + 1;
  const inside = [...lines, ''].map((line) => (line === '' ? '' : `\t${line}`));
  return fixOf([
    {
      span: { start: at, end: at },
      newText: newlineOf(file.text) + layOut(file.text, '', inside),
    },
  ]);
}
