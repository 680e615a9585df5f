/** Which names of the interface a module uses, and whether the target kernel has them. */
import type { ApiEntry, KernelVersion } from '../kernel/types.ts';
import type { Module, ModuleFacts, OpsTable, Site } from '../lifecycle/types.ts';
import type { Condition } from '../syntax/node.ts';
import type { Severity } from './types.ts';
import {
  API_FUNCTIONS,
  API_HELPERS,
  apiEntry,
  apiMember,
  apiMemberHistory,
  apiStruct,
} from '../kernel/lifecycle-api.ts';
import { nearest, sideOf, uncertainBackport } from '../kernel/version.ts';
import { conditionsInText } from '../ir/text-conditions.ts';
import type { Span } from '../text/span.ts';
import type { CallExpr, FileIr, FileMacroIr, VariableIr } from '../ir/types.ts';
import { indexModule } from '../lifecycle/module/module.ts';
import type { Outline } from '../lifecycle/module/outline.ts';
import type { Names } from '../text/words.ts';
import { documentsOf, interfaceCallsIn, type PlacedCall } from './locate.ts';
import {
  areAlternatives,
  isExcluded,
  macrosOf,
  undecided,
} from '../lifecycle/module/preprocessor.ts';

/**
 * A name of the life-cycle interface at a place where the module uses it, and whether the target
 * kernel has it.
 */
export interface ApiUse {
  readonly entry: ApiEntry;
  /** `removed`: older kernels have it. `unavailable`: newer ones do. */
  readonly verdict: 'available' | 'removed' | 'unavailable';
  /** Some releases of the target's series have it, and which one is meant is not stated. */
  readonly isUncertain: boolean;
  readonly site: Site;
  readonly functionName: string | null;
  readonly call: PlacedCall | null;
  readonly conditions: readonly Condition[];
}

/**
 * Every call of a life-cycle function and every life-cycle member of an ops table, in source order,
 * with what the target kernel knows of it.
 */
export function apiUses(facts: ModuleFacts): readonly ApiUse[] {
  return usesKnownAs(facts, allUses, isAny);
}

/** Those of them that the target kernel has not got: none, in nearly every module. */
export function lackingUses(facts: ModuleFacts): readonly ApiUse[] {
  return usesKnownAs(facts, lacking, isLacking);
}

const isAny: IsWanted = () => true;
const isLacking: IsWanted = ({ verdict }) => verdict !== 'available';

type IsWanted = (verdict: Verdict) => boolean;
type UsesByModule = WeakMap<
  Module,
  { readonly kernel: KernelVersion; readonly list: readonly ApiUse[] }
>;

/** Several rules ask the same of one module. */
const allUses: UsesByModule = new WeakMap();
const lacking: UsesByModule = new WeakMap();

function usesKnownAs(
  facts: ModuleFacts,
  known: UsesByModule,
  isWanted: IsWanted,
): readonly ApiUse[] {
  let uses = known.get(facts.module);
  if (uses?.kernel !== facts.kernel) {
    // A call of what the module defines or declares itself means that.
    const { own } = usersOf(facts);
    const list = [
      ...callUses(facts, own, isWanted),
      ...fileMacroUses(facts, own),
      ...memberUses(facts, isWanted),
      ...tableUses(facts, isWanted),
    ];
    uses = { kernel: facts.kernel, list: list.filter(isWanted) };
    known.set(facts.module, uses);
  }
  return uses.list;
}

/**
 * The names that a kernel may lack; a private header is found only inside the kernel, or copied
 * beside the driver: it is not the target's to say.
 */
const NAMES: ReadonlySet<string> = new Set(
  [...API_FUNCTIONS, ...API_HELPERS].flatMap((entry) =>
    !entry.isPrivate && (entry.kind === 'function' || entry.kind === 'macro') ? [entry.name] : [],
  ),
);

function callUses(facts: ModuleFacts, own: Names, isWanted: IsWanted): ApiUse[] {
  const calls = interfaceCallsIn(facts.module, questionOf(facts.kernel, isWanted));
  return calls.flatMap((call): ApiUse[] => {
    const entry = own.has(call.name) ? undefined : entryOf(call.lowered);
    if (entry === undefined) return [];
    return [
      {
        entry,
        ...verdictOn(entry, facts.kernel),
        site: call.site,
        functionName: call.function.name,
        call,
        conditions: call.conditions,
      },
    ];
  });
}

/** The row of what a call names, where a kernel may lack it. */
function entryOf({ name }: Pick<CallExpr, 'name'>): ApiEntry | undefined {
  return name !== null && NAMES.has(name) ? apiEntry(name) : undefined;
}

const questions = new WeakMap<KernelVersion, Map<IsWanted, (call: CallExpr) => boolean>>();

/** Whether a call is of what a kernel knows so: one function for one question. */
function questionOf(kernel: KernelVersion, isWanted: IsWanted): (call: CallExpr) => boolean {
  let ofKernel = questions.get(kernel);
  if (ofKernel === undefined) questions.set(kernel, (ofKernel = new Map()));
  let question = ofKernel.get(isWanted);
  if (question === undefined) {
    question = (call) => {
      const entry = entryOf(call);
      return entry !== undefined && isWanted(verdictOn(entry, kernel));
    };
    ofKernel.set(isWanted, question);
  }
  return question;
}

/**
 * The calls of what a kernel may lack, and the module does not define or declare itself.
 * @param isAsked one function for one question, by which the answers are kept.
 */
export function apiCalls(
  facts: ModuleFacts,
  isAsked: (call: CallExpr) => boolean,
): readonly PlacedCall[] {
  const { own } = usersOf(facts);
  return interfaceCallsIn(facts.module, isAsked).filter(
    ({ name, lowered }) => !own.has(name) && entryOf(lowered) !== undefined,
  );
}

/** Macros of the interface at file scope, such as `MDEV_TYPE_ATTR_RO(name)`. */
function fileMacroUses(facts: ModuleFacts, own: Names): ApiUse[] {
  const documents = documentsOf(facts.module);
  return usersOf(facts).macros.flatMap(({ document, at }): ApiUse[] => {
    const file = documents[document]!,
      macro = file.fileMacros[at]!,
      { name } = macro;
    const entry = apiEntry(name);
    if (entry === undefined || own.has(name)) return [];
    // `static` may stand before it.
    const start = Math.max(macro.start, file.text.indexOf(name, macro.start));
    return [
      {
        entry,
        ...verdictOn(entry, facts.kernel),
        site: { path: file.path, start, end: start + name.length },
        functionName: null,
        call: null,
        conditions: conditionsInText(file, start),
      },
    ];
  });
}

/**
 * Tables of the structs beside the ops table of the device: the struct itself where the target has
 * not got it, else each of their members.
 */
function tableUses(facts: ModuleFacts, isWanted: IsWanted): ApiUse[] {
  const documents = documentsOf(facts.module);
  return usersOf(facts).tables.flatMap(({ document, at }): ApiUse[] => {
    const file = documents[document]!,
      variable = file.variables[at]!,
      tag = variable.type.name;
    const struct = apiStruct(tag);
    if (!struct || variable.init?.kind !== 'initializer') return [];
    const use = (entry: ApiEntry, span: Span, conditions: readonly Condition[]): ApiUse => ({
      entry,
      ...verdictOn(entry, facts.kernel),
      site: { path: file.path, start: span.start, end: span.end },
      functionName: null,
      call: null,
      conditions: [...variable.conditions, ...conditions],
    });
    if (isLacking(verdictOn(struct, facts.kernel))) return [use(struct, variable.nameSpan, [])];
    return variable.init.entries.flatMap(({ designators, start, end, conditions }) => {
      const member = apiMember(tag, designators[0] ?? '', facts.kernel);
      if (!member || designators.length !== 1) return [];
      if (!isWanted(verdictOn(member, facts.kernel))) return [];
      const site = memberSite(facts, { path: file.path, start, end }, member.name);
      return [use(member, site, conditions)];
    });
  });
}

const ownNamesByFile = new WeakMap<FileIr, readonly string[]>();

/** The names of the interface that a document defines or declares. */
function ownNamesOf(file: FileIr): readonly string[] {
  let own = ownNamesByFile.get(file);
  if (own === undefined) {
    const names: string[] = [];
    for (const list of [file.functions, file.macros, file.prototypes])
      for (const { name } of list) if (apiEntry(name) !== undefined) names.push(name);
    ownNamesByFile.set(file, (own = names));
  }
  return own;
}

/** Something at file scope: the position of its document, and its own there. */
interface Position {
  readonly document: number;
  readonly at: number;
}

/** What has to do with the interface at file scope: the same for all versions with one outline. */
interface Users {
  /** The names of the interface that the module defines or declares itself. */
  readonly own: ReadonlySet<string>;
  readonly macros: readonly Position[];
  readonly tables: readonly Position[];
}

const usersByOutline = new WeakMap<Outline, Users>();

function usersOf({ module, kernel }: ModuleFacts): Users {
  const { outline } = indexModule(module, kernel);
  let users = usersByOutline.get(outline);
  if (users === undefined) usersByOutline.set(outline, (users = findUsers(documentsOf(module))));
  return users;
}

function findUsers(documents: readonly FileIr[]): Users {
  const isOwn = (tag: string): boolean =>
    documents.some(({ structs }) => structs.some(({ name }) => name === tag));
  const isMacro = ({ name }: FileMacroIr): boolean => apiEntry(name)?.kind === 'macro';
  const isTable = ({ type, init }: VariableIr): boolean => {
    const struct = type.keyword === 'struct' ? apiStruct(type.name) : undefined;
    return (
      struct !== undefined &&
      !struct.isPrivate &&
      type.name !== OPS &&
      !isOwn(type.name) &&
      init?.kind === 'initializer'
    );
  };
  const positions = <T>(lists: readonly (readonly T[])[], isMeant: (one: T) => boolean) =>
    lists.flatMap((list, document) =>
      list.flatMap((one, at): Position[] => (isMeant(one) ? [{ document, at }] : [])),
    );
  return {
    own: new Set(documents.flatMap(ownNamesOf)),
    macros: positions(
      documents.map((file) => file.fileMacros),
      isMacro,
    ),
    tables: positions(
      documents.map((file) => file.variables),
      isTable,
    ),
  };
}

/** The table of the device, whose members have two lives. */
const OPS = 'vfio_device_ops';

function memberUses(facts: ModuleFacts, isWanted: IsWanted): ApiUse[] {
  const uses: ApiUse[] = [];
  for (const table of facts.opsTables) {
    for (const [member, { span, conditions }] of table.members) {
      const entry = meantBy(table, member, facts);
      if (entry === undefined || !isWanted(verdictOn(entry, facts.kernel))) continue;
      const site = memberSite(
        facts,
        { path: table.path, start: span.start, end: span.end },
        member,
      );
      uses.push({
        entry,
        ...verdictOn(entry, facts.kernel),
        site,
        functionName: null,
        call: null,
        conditions: [...table.variable.conditions, ...conditions],
      });
    }
  }
  return uses;
}

/**
 * `.release` had two lives: beside `.open` it is the file descriptor's; beside `.open_device` or
 * `.init`, and where the core allocates the device, the object's.
 */
function meantBy(table: OpsTable, member: string, facts: ModuleFacts): ApiEntry | undefined {
  const lives = apiMemberHistory(OPS, member);
  if (lives.length > 1) {
    const isObject = ['open_device', 'close_device', 'init'].some((name) =>
      table.members.has(name),
    );
    if (isObject) return lives.at(-1);
    if (table.members.has('open')) return lives[0];
    if (facts.observations.some((one) => one.kind === 'operation' && one.op === 'alloc'))
      return lives.at(-1);
  }
  return nearestOf(lives, facts.kernel);
}

const nearestByKernel = new WeakMap<
  KernelVersion,
  Map<readonly ApiEntry[], ApiEntry | undefined>
>();

/** The life of a member that a kernel has, or is nearest to. */
function nearestOf(lives: readonly ApiEntry[], kernel: KernelVersion): ApiEntry | undefined {
  if (lives.length === 0) return undefined;
  let known = nearestByKernel.get(kernel);
  if (known === undefined) nearestByKernel.set(kernel, (known = new Map()));
  if (!known.has(lives)) known.set(lives, nearest(kernel, lives));
  return known.get(lives);
}

/** `.release` of `.release = foo_release_dev`: the name is what is wrong, not the value. */
export function memberSite(facts: ModuleFacts, site: Site, member: string): Site {
  const file = documentsOf(facts.module).find((one) => one.path === site.path);
  if (file === undefined || file.text[site.start] !== '.') return site;
  let start = site.start + 1;
  while (start < site.end && /\s/.test(file.text[start]!)) start++;
  const end = start + member.length;
  const isName =
    end <= site.end &&
    file.text.startsWith(member, start) &&
    (end === site.end || !/\w/.test(file.text[end]!));
  return isName ? { ...site, end } : site;
}

type Verdict = Pick<ApiUse, 'verdict' | 'isUncertain'>;

const verdicts = new WeakMap<KernelVersion, Map<ApiEntry, Verdict>>();

function verdictOn(entry: ApiEntry, kernel: KernelVersion): Verdict {
  let byEntry = verdicts.get(kernel);
  if (byEntry === undefined) verdicts.set(kernel, (byEntry = new Map()));
  let verdict = byEntry.get(entry);
  if (verdict === undefined) byEntry.set(entry, (verdict = judge(entry, kernel)));
  return verdict;
}

function judge({ kernels, model }: ApiEntry, kernel: KernelVersion): Verdict {
  const isUncertain = uncertainBackport(kernel, kernels) !== undefined;
  const side = sideOf(kernel, kernels);
  if (side < 0) return { verdict: 'removed', isUncertain };
  // What a later release of the series has taken is not the life cycle, but for 5.10.
  const isThere = side === 0 || (isUncertain && model === 'general');
  return { verdict: isThere ? 'available' : 'unavailable', isUncertain };
}

/**
 * How grave it is that the target kernel lacks the function: the rule's severity for code that is
 * always compiled; null (silent) for
 * code that the kernel's version leaves out and for one side of a compatibility driver, whose other
 * side uses what the
 * target has; a hint when the code depends on a test that nobody here can decide.
 */
export function gravity(use: ApiUse, facts: ModuleFacts, severity: Severity): Severity | null {
  const macros = macrosOf(facts.module, facts.kernel);
  if (isExcluded(use.conditions, facts.kernel, macros)) return null;
  const open = undecided(use.conditions, facts.kernel, macros);
  if (open.length === 0) return use.isUncertain && severity === 'error' ? 'warning' : severity;
  const other = apiUses(facts).some(
    (one) =>
      one.verdict === 'available' &&
      (one.entry.model !== 'general' || use.entry.model === 'general') &&
      areAlternatives(open, one.conditions),
  );
  if (other) return null;
  return open.every((condition) => isConfiguration(condition.test)) ? severity : 'hint';
}

/**
 * A switch of the kernel's configuration: code under it is compiled by somebody. Any other macro
 * may stand for a kernel version.
 */
export function isConfiguration(test: string): boolean {
  return /^(CONFIG_\w+|IS_(ENABLED|BUILTIN|MODULE|REACHABLE)\s*\(\s*CONFIG_\w+\s*\))$/.test(test);
}
