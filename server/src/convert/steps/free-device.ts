/** The step that drops `vfio_free_device()` for 6.2 and later. */
import type { Edit } from '../../text/span.ts';
import type {
  CallExpr,
  FileIr,
  FunctionIr,
  InitializerEntry,
  InitializerExpr,
} from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { compareVersions, formatVersion } from '../../kernel/version.ts';
import type { DocumentEdits } from '../rewrite/compose.ts';
import { codeOf, joinRemovals, lineStart, removalOf, type Removal } from '../rewrite/layout.ts';
import { allExpressions, statementsOf, type Placed } from '../../lifecycle/module/statements.ts';
import { isLeftOut } from '../query/call-sites.ts';
import { refuse } from '../refusal-error.ts';
import { dropStatements, isView } from './drop.ts';
import type { Step, StepInput } from './types.ts';
import { append } from '../../text/lists.ts';
import { afterBlanks } from '../../text/lexical.ts';

/** A call of vfio_free_device and where it stands. */
interface FreeDevice {
  readonly file: FileIr;
  readonly fn: FunctionIr;
  readonly at: Placed;
  readonly call: CallExpr;
}

/**
 * From 6.2 on (913447d06f03) the vfio core frees the device itself after `.release`:
 * vfio_free_device() goes, and so does a `.release` that
 * had nothing else to do, with its members in ops tables and its prototypes.
 */
export const dropFreeDevice: Step = ({ input, file, functionName }: StepInput) => {
  const { module, kernel } = input;
  if (compareVersions(kernel, [6, 2]) < 0) return null;
  refuseInitDevice(input.kernel, file);
  const calls = freeDeviceCalls(file).filter(
    (item) =>
      (functionName === undefined || item.fn.name === functionName) &&
      !isLeftOut(module, item, kernel),
  );
  if (calls.length === 0) return null;
  const removals = new Map<FileIr, Removal[]>();
  const remove = (from: FileIr, removal: Removal): void =>
    void removals.set(from, [...(removals.get(from) ?? []), removal]);
  const releases: string[] = [];
  const braces: Edit[] = [];
  for (const fn of new Set(calls.map((item) => item.fn))) {
    const own = calls.filter((item) => item.fn === fn);
    for (const item of own) check(module, item);
    const whole = isEmptyWithout(fn, own) && tableEntries(module, fn.name);
    if (whole) {
      releases.push(fn.name);
      remove(file, functionRemoval(file, fn));
      for (const entry of whole)
        remove(entry.file, entryRemoval(entry.file, entry.initializer, entry.entry));
      for (const other of [...module.sources, ...module.headers]) {
        for (const prototype of other.prototypes)
          if (prototype.name === fn.name)
            remove(other, removalOf(other.text, other.comments, prototype));
      }
    } else {
      const dropped = dropStatements(
        file,
        fn,
        own.map((item) => item.at),
      );
      append(braces, dropped.edits);
      for (const removal of dropped.removals) remove(file, removal);
    }
  }
  const edits: DocumentEdits[] = [...removals].map(([from, list]) => {
    const own = [
      ...(from === file ? braces : []),
      ...joinRemovals(from.text, list).map((span) => ({ span, newText: '' })),
    ];
    return { path: from.path, edits: own.map((edit) => ({ ...edit, kind: 'teardown' as const })) };
  });
  const notes = releases.map(
    (name) =>
      `${name}() was removed with its table member: since 6.2 the vfio core frees the device itself, and \`.release\` had nothing else to do.`,
  );
  return { edits, notes, touched: calls.map((item) => item.fn.name) };
};

function freeDeviceCalls(file: FileIr): FreeDevice[] {
  if (file.functions.some((fn) => fn.name === 'vfio_free_device')) return [];
  return file.functions.flatMap((fn) =>
    statementsOf(fn).flatMap((at) =>
      allExpressions(at.stmt).flatMap((call) =>
        call.kind === 'call' && call.name === 'vfio_free_device' ? [{ file, fn, at, call }] : [],
      ),
    ),
  );
}

/** vfio_init_device() was for vfio-ccw alone and is the core's own since 6.2. */
function refuseInitDevice(kernel: StepInput['input']['kernel'], file: FileIr): void {
  for (const fn of file.functions) {
    for (const { stmt } of statementsOf(fn)) {
      const call = allExpressions(stmt).find(
        (expr) => expr.kind === 'call' && expr.name === 'vfio_init_device',
      );
      if (!call || file.functions.some((own) => own.name === 'vfio_init_device')) continue;
      refuse(
        'initialised-in-place',
        `${fn.name}() initialises a device in memory of another owner with vfio_init_device(), which is not in kernel ${formatVersion(kernel)}. Split the object: let probe allocate a struct that embeds the vfio_device with vfio_alloc_device() and points to the rest.`,
        file,
        call,
      );
    }
  }
}

function check(module: Module, { file, fn, at }: FreeDevice): void {
  if (fn.opaque)
    refuse(
      'opaque-function',
      `${fn.name}() has code that could not be parsed, so its paths cannot be followed. Simplify it, or convert by hand.`,
      file,
      fn.nameSpan,
    );
  if (
    at.conditional ||
    fn.conditions.some((condition) =>
      /\b(?:LINUX_VERSION_CODE|KERNEL_VERSION)\b/.test(condition.test),
    )
  ) {
    refuse(
      'conditional-code',
      `vfio_free_device() is in an #if arm of ${fn.name}(): the arms are different programs. Convert by hand.`,
      file,
      at.stmt,
    );
  }
  if (at.stmt.kind !== 'expr' || at.sole) {
    refuse(
      'unsuitable-statement',
      'vfio_free_device() is not a statement of its own here, so it cannot be removed. Make it one.',
      file,
      at.stmt,
    );
  }
  if (!isRelease(module, fn.name) && !isLibraryRelease(fn)) {
    refuse(
      'freed-outside-release',
      `${fn.name}() calls vfio_free_device(), but only \`.release\` may: elsewhere the last vfio_put_device() frees the device. First put it instead.`,
      file,
      at.stmt,
    );
  }
}

/**
 * What other modules have as their `.release`, or call in it: vfio_pci_core_release_dev() is such a
 * function.
 */
function isLibraryRelease(fn: FunctionIr): boolean {
  const [param] = fn.params;
  return (
    !fn.isStatic &&
    fn.returnType.name === 'void' &&
    fn.returnType.pointers === 0 &&
    fn.params.length === 1 &&
    param?.type.name === 'vfio_device' &&
    param.type.pointers === 1
  );
}

/** The function is a `.release`, or only `.release` functions call it. */
function isRelease(module: Module, name: string): boolean {
  if (releaseEntries(module, name).length > 0) return true;
  const callers = module.sources.flatMap((file) =>
    file.functions.filter((fn) => fn.name !== name && callsOf(fn, name)),
  );
  return callers.length > 0 && callers.every((fn) => releaseEntries(module, fn.name).length > 0);
}

function callsOf(fn: FunctionIr, name: string): boolean {
  return statementsOf(fn).some(({ stmt }) =>
    allExpressions(stmt).some((expr) => expr.kind === 'call' && expr.name === name),
  );
}

interface TableEntry {
  readonly file: FileIr;
  readonly initializer: InitializerExpr;
  readonly entry: InitializerEntry;
}

/** The `.release` members of ops tables that a function is. */
function releaseEntries(module: Module, name: string): TableEntry[] {
  return module.sources.flatMap((file) =>
    file.variables.flatMap((variable) => {
      if (variable.type.name !== 'vfio_device_ops' || variable.init?.kind !== 'initializer')
        return [];
      const initializer = variable.init;
      return initializer.entries
        .filter((entry) => entry.designators[0] === 'release' && nameOf(entry) === name)
        .map((entry) => ({ file, initializer, entry }));
    }),
  );
}

function nameOf(entry: InitializerEntry): string | null {
  const { value } = entry;
  const inner = value.kind === 'unary' && value.op === '&' ? value.operand : value;
  return inner.kind === 'name' ? inner.name : null;
}

/**
 * The table members that are all the uses of a function; null when it has others, or is seen where
 * members may hide.
 */
function tableEntries(module: Module, name: string): readonly TableEntry[] | null {
  const entries = releaseEntries(module, name);
  const known =
    entries.length +
    [...module.sources, ...module.headers].reduce(
      (count, file) =>
        count +
        file.prototypes.filter((item) => item.name === name).length +
        file.functions.filter((item) => item.name === name).length,
      0,
    );
  const pattern = new RegExp(`\\b${name}\\b`, 'g');
  const written = [...module.sources, ...module.headers].reduce(
    (count, file) => count + (codeOf(file.text).match(pattern)?.length ?? 0),
    0,
  );
  return entries.length > 0 &&
    entries.every((item) => item.entry.conditions.length === 0) &&
    written === known
    ? entries
    : null;
}

/** Nothing but declarations that compute is left. */
function isEmptyWithout(fn: FunctionIr, gone: readonly FreeDevice[]): boolean {
  return statementsOf(fn).every(
    (at) =>
      gone.some((item) => item.at.stmt === at.stmt) ||
      isView(at) ||
      (at.stmt.kind === 'return' && at.stmt.value === null),
  );
}

/** A function with the comment above it and one of the blank lines around it. */
function functionRemoval(file: FileIr, fn: FunctionIr): Removal {
  const removal = removalOf(file.text, file.comments, fn);
  const above = removal.above[0];
  const start = above ? lineStart(file.text, above.start) : removal.span.start;
  const blank = /^[ \t]*\r?\n/.exec(file.text.slice(removal.span.end))?.[0].length ?? 0;
  return { ...removal, span: { start, end: removal.span.end + blank }, above: [] };
}

/** A member of a table with its comma, and its line where it has one. */
function entryRemoval(
  file: FileIr,
  initializer: InitializerExpr,
  entry: InitializerEntry,
): Removal {
  const { text } = file;
  const at = afterBlanks(text, entry.end, initializer.end);
  const comma = text[at] === ',' ? at + 1 - entry.end : undefined;
  const index = initializer.entries.indexOf(entry);
  const previous = initializer.entries[index - 1];
  if (comma === undefined && previous && !text.slice(previous.end, entry.start).includes('\n')) {
    return {
      span: { start: previous.end, end: entry.end },
      wholeLines: false,
      inside: [],
      above: [],
    };
  }
  return removalOf(text, file.comments, { start: entry.start, end: entry.end + (comma ?? 0) });
}
