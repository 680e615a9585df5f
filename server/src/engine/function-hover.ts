/**
 * What a function of the driver does to its device, as a hover tells it: what it takes and drops,
 * whether it may fail, and what it owes its caller.
 */
import { registersDriver } from '../kernel/name-forms.ts';
import { apiCard } from '../kernel/describe-entry.ts';
import { apiMember } from '../kernel/lifecycle-api.ts';
import type { EffectOp } from '../kernel/types.ts';
import { indexModule, type ModuleIndex } from '../lifecycle/module/module.ts';
import type { FileIr, FunctionIr } from '../ir/types.ts';
import type {
  ExitObservation,
  ModuleFacts,
  OperationObservation,
  Site,
} from '../lifecycle/types.ts';
import { documentAt } from '../rules/locate.ts';
import type { HoverText } from './hover.ts';
import { heldOnSuccess, owedCalls } from './owed-calls.ts';
import { wordAt } from './word-at.ts';

const TAKES: ReadonlySet<EffectOp> = new Set([
  'alloc',
  'init',
  'init-device',
  'register',
  'get',
  'core-init',
]);
const UNDOES: ReadonlySet<EffectOp> = new Set([
  'put',
  'uninit',
  'unregister',
  'free-device',
  'core-release',
]);
/** More helps nobody. */
const MAX_CALLS = 6;

/**
 * The hover of the driver's function, of its driver's registration or of a cast to a container at
 * `offset` (a UTF-16 offset in the document `path`); undefined where there is nothing to tell.
 *
 * @param nameOf what a place is called: `line 12`.
 */
export function functionHover(
  facts: ModuleFacts,
  path: string,
  offset: number,
  nameOf: (site: Site) => string | undefined,
): HoverText | undefined {
  const index = indexModule(facts.module, facts.kernel);
  const file = documentAt(facts.module, path);
  const span = file && wordAt(file.text, offset);
  if (!file || !span) return undefined;
  const word = file.text.slice(span.start, span.end);
  const markdown =
    ofContainer(index, file, word, span.end) ??
    ofRegistration(facts, file, word, span.start) ??
    ofFunction(facts, index, file, word, nameOf);
  return markdown === undefined ? undefined : { markdown, span };
}

function ofContainer(
  index: ModuleIndex,
  file: FileIr,
  word: string,
  end: number,
): string | undefined {
  if (word !== 'container_of' && word !== 'container_of_const') return undefined;
  const match = /^\s*\([^,()]*,\s*struct\s+(\w+)\s*,\s*([\w.]+)\s*\)/.exec(
    file.text.slice(end, end + 200),
  );
  if (match === null) return undefined;
  const [, tag, member] = match;
  const struct = index.struct(file, tag!)?.item;
  const [first = '', ...rest] = member!.split('.');
  const field = struct?.fields.find(({ name }) => name === first);
  const isDevice =
    field?.type.pointers === 0 && (field.type.name === 'vfio_device' || rest.at(-1) === 'vdev');
  if (!struct || !isDevice) return undefined;
  const isFirst = struct.fields[0] === field;
  const place = isFirst
    ? 'is its first member, as `vfio_alloc_device()` requires'
    : 'is not its first member, but `vfio_alloc_device()` requires the first member';
  return `**Contract**: converts the \`struct vfio_device\` pointer to its container \`struct ${tag}\`. \`${member}\` ${place}. The container lives as long as the device.`;
}

/** `module_pci_driver(foo_driver)` and its like. */
function ofRegistration(
  { driverTables }: ModuleFacts,
  file: FileIr,
  word: string,
  start: number,
): string | undefined {
  if (!registersDriver(word)) return undefined;
  const use = file.fileMacros.find((one) => one.start <= start && start < one.end);
  const table = driverTables.find(({ variable }) => variable?.name === use?.args[0]);
  if (!use || !table) return undefined;
  const callback = (name: string | null, when: string): string[] =>
    name === null ? [] : [`- \`${name}()\` runs ${when}`];
  return [
    `**Contract**: registers \`${use.args[0]}\` when the module is loaded, and unregisters it when the module is unloaded.`,
    [
      ...callback(table.probe, 'for each device that appears; when it fails, nothing else runs'),
      ...callback(table.remove, 'once for each device whose probe succeeded'),
    ].join('\n'),
  ].join('\n\n');
}

function ofFunction(
  facts: ModuleFacts,
  index: ModuleIndex,
  file: FileIr,
  name: string,
  nameOf: (site: Site) => string | undefined,
): string | undefined {
  const fn = index.functions(file, name)[0]?.item;
  if (fn === undefined) return undefined;
  const use = useOf(facts, fn);
  const lines = [
    ...does(facts, fn, nameOf),
    ...resourceLines(facts, fn, nameOf),
    ...ends(facts, fn),
  ];
  if (lines.length === 0 && use === undefined) return undefined;
  const title = `**Contract** of \`${name}()\`${use === undefined ? '' : `, ${use}`}`;
  return [title, lines.map((one) => `- ${one}`).join('\n')]
    .filter((one) => one !== '')
    .join('\n\n');
}

/** What calls it, where a table does. */
function useOf(facts: ModuleFacts, { name }: FunctionIr): string | undefined {
  for (const { members, variable } of facts.opsTables) {
    for (const [member, { value }] of members) {
      if (value.replace(/^&/, '') !== name) continue;
      const entry = apiMember('vfio_device_ops', member, facts.kernel);
      const summary = entry && apiCard(entry, facts.kernel).summary;
      return `\`.${member}\` of \`${variable.name}\`${summary === undefined ? '' : `. ${summary}`}`;
    }
  }
  const table = facts.driverTables.find((one) => one.probe === name || one.remove === name);
  if (table === undefined) return undefined;
  const member = table.probe === name ? 'probe' : 'remove';
  return table.variable === null ? `the ${member}` : `the ${member} of \`${table.variable.name}\``;
}

function does(
  { observations }: ModuleFacts,
  fn: FunctionIr,
  nameOf: (site: Site) => string | undefined,
): string[] {
  const own = observations.filter(
    (one): one is OperationObservation => one.kind === 'operation' && one.function === fn,
  );
  const line = (title: string, ops: ReadonlySet<EffectOp>): string[] => {
    const calls = new Map(
      own
        .filter(({ op }) => ops.has(op))
        .map((one) => [one.site.start, called(one.api, one.inner ?? one.site, nameOf)]),
    );
    return calls.size === 0
      ? []
      : [`${title} ${[...calls.values()].slice(0, MAX_CALLS).join(', ')}`];
  };
  return [...line('takes:', TAKES), ...line('undoes:', UNDOES)];
}

function called(api: string, site: Site, nameOf: (site: Site) => string | undefined): string {
  const where = nameOf(site);
  return `\`${api}()\`${where === undefined ? '' : ` in ${where}`}`;
}

function resourceLines(
  facts: ModuleFacts,
  fn: FunctionIr,
  nameOf: (site: Site) => string | undefined,
): string[] {
  const calls = heldOnSuccess(facts, [fn]).map((one) => called(one.api, one.site, nameOf));
  return calls.length === 0
    ? []
    : [`holds when it succeeds: ${calls.slice(0, MAX_CALLS).join(', ')}`];
}

/** How it returns, and what is owed then. */
function ends(facts: ModuleFacts, fn: FunctionIr): string[] {
  const exits = facts.observations.filter(
    (one): one is ExitObservation =>
      one.kind === 'exit' && one.function === fn && !one.device.isElement,
  );
  // What it was given with its debts is not its own.
  const taken = new Set(
    facts.observations.flatMap((one) =>
      one.kind === 'operation' && one.function === fn && TAKES.has(one.op) ? [one.device.id] : [],
    ),
  );
  const failing = exits.filter(({ outcome }) => outcome === 'failure');
  const others = exits.filter(({ outcome }) => outcome !== 'failure');
  const owed = (list: readonly ExitObservation[]): string => {
    const names = list
      .filter(({ before, device }) => before.model !== 'unknown' && taken.has(device.id))
      .flatMap(({ before }) => owedCalls(before, facts.kernel));
    return [...new Set(names)].map((name) => `\`${name}()\``).join(', then ');
  };
  const pair = facts.driverTables.find((one) => one.probe === fn.name)?.remove;
  const heir = pair ? `when it succeeds, \`${pair}()\`` : 'its caller';
  const success = owed(others);
  const failure = owed(failing);
  return [
    ...(failing.length > 0
      ? [`may fail${failure === '' ? '' : `, and then still owes ${failure}`}`]
      : []),
    ...(success === '' ? [] : [`${heir} owes ${success}`]),
  ];
}
