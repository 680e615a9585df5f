/** Folds the state of a device into `.init` and `.release`. */
import type { Edit } from '../../text/span.ts';
import { sortEdits } from '../../text/edits.ts';
import { indentUnit, lineEnding } from '../../text/style.ts';
import type { FileIr, FunctionIr } from '../../ir/types.ts';
import { offsetAfter } from '../rewrite/compose.ts';
import { commentsAbove, lineStart } from '../rewrite/layout.ts';
import { tableEdits } from '../rewrite/table-text.ts';
import type { MemberPlan } from '../types.ts';
import { unusedIn } from '../rewrite/unused.ts';
import { namesOfProbe } from './bindings.ts';
import { initText, releaseText, type Callback, type Style } from './callbacks.ts';
import { entryOf, frameOf, valueOf } from './probe-shape.ts';
import { functionRemoval, removalEdits } from './lines.ts';
import { callbackName } from './names.ts';
import { movedOf, notesOf } from './notes.ts';
import { select } from './choose-moves.ts';
import { leftovers } from './teardown.ts';
import {
  NothingToFold,
  type FoldNote,
  type FoldRequest,
  type FoldResult,
  type Frame,
} from './types.ts';
import { append } from '../../text/lists.ts';

export { textsBeforeCore } from './probe-shape.ts';
export { inlinePuttingHelpers, type Inlined } from './inline.ts';
export type { FoldNote, FoldRequest, FoldResult, Moved } from './types.ts';

/**
 * Moves what a probe of the new model builds in its device between the allocation and the register
 * into `.init`, and what undoes it
 * into `.release`, as far as nobody can see a difference but the time of the undoing. Reads the IR
 * only. Never throws.
 */
export function foldDevice(request: FoldRequest): FoldResult {
  try {
    return fold(request);
  } catch (error) {
    if (error instanceof NothingToFold)
      return { status: 'nothing', reason: error.message, site: error.site };
    throw error;
  }
}

function fold(request: FoldRequest): FoldResult {
  const frame = frameOf(request);
  const { file, fn } = frame;
  const { names, device } = namesOfProbe(frame);
  const existing = existingRelease(frame);
  const own = existing && !servesOthers(frame, existing) ? existing : null;
  const selection = select(frame, names, device);
  const undone = new Set(selection.undone.map((item) => item.text));
  if (request.toUndo && ![...request.toUndo].every((text) => undone.has(text)))
    throw new NothingToFold(`The undoing before the put cannot move completely.`, null);
  const style: Style = { unit: indentUnit(file.text), eol: lineEnding(file.text) };
  const table = frame.tables[0]!;
  const initName = callbackName(file, table, fn.name, 'init');
  const init = initText(frame, names, selection, initName, request.beforeCore, style);
  let releaseName: string | null = null;
  let release: Callback | null = null;
  if (selection.undone.length > 0) {
    releaseName = own?.name ?? callbackName(file, table, fn.name, 'release');
    release = releaseText(frame, selection, releaseName, style);
  }

  const edits: Edit[] = [];
  const left = leftovers(frame, selection);
  const removals = [...left.removals];
  append(edits, left.edits);
  // An empty release that gets a body is written anew, beside .init; one that stays goes along
  // where .init cannot stand in front of it.
  const known =
    existing !== null &&
    isKnownAt(frame, init, existing.start) &&
    existing.start < frame.tables[0]!.start;
  const follows =
    !release && own && !known
      ? { text: `${file.text.slice(own.start, own.end)}${style.eol}`, uses: new Set<string>() }
      : null;
  if (own && (release || follows)) removals.push(functionRemoval(file, own));
  const callbacks = [init, ...(release ? [release] : []), ...(follows ? [follows] : [])];
  append(edits, placeCallbacks(frame, callbacks, !release && known ? existing : null, style));
  for (const one of frame.tables) {
    const members: MemberPlan[] = [];
    const set = (name: 'init' | 'release', value: string): void => {
      const entry = entryOf(one, name);
      if (!entry) members.push({ name, value, place: 'front' });
      else if (valueOf(one, name) !== value) edits.push({ span: entry.value, newText: value });
    };
    set('init', initName);
    if (releaseName) set('release', releaseName);
    if (members.length > 0)
      append(
        edits,
        tableEdits(
          file,
          { file, variable: one, members, releaseStub: null },
          style.unit,
          style.eol,
        ),
      );
  }
  const unused = unusedIn(file, left.functions, () => '', edits, removals);
  append(removals, unused.removals);
  append(edits, removalEdits(file, removals));
  const moved = movedOf(frame, selection, initName, releaseName);
  const sorted = sortEdits(edits);
  const notes = notesOf(frame, names, selection, moved, left.labels).map((note) => ({
    ...note,
    places: note.places.map((place) => offsetAfter(sorted, place)),
  }));
  return {
    status: 'folded',
    edits: sorted,
    notes: [
      ...notes,
      ...unused.notes.map(({ text, at }): FoldNote => ({
        kind: 'review',
        places: [offsetAfter(sorted, at.start)],
        say: () => text,
      })),
    ],
    touched: [
      initName,
      ...(releaseName ? [releaseName] : []),
      ...[...left.functions].map((one) => one.name),
      ...frame.tables.map((one) => one.name),
    ],
    moved,
  };
}

/**
 * The `.release` of the table that only gives the memory back; null when the table has none or the
 * core's. Anything else is the driver's own.
 */
function existingRelease(frame: Frame): FunctionIr | null {
  const { file } = frame;
  for (const table of frame.tables) {
    const init = valueOf(table, 'init');
    const release = valueOf(table, 'release');
    const span = { path: file.path, start: table.nameSpan.start, end: table.nameSpan.end };
    if (init !== null && init !== 'vfio_pci_core_init_dev')
      throw new NothingToFold(`\`${table.name}\` already has an .init of its own.`, span);
    if (release === null || release === 'vfio_pci_core_release_dev') continue;
    const fn = file.functions.find((item) => item.name === release);
    const only = fn?.body.body[0];
    const plain =
      fn?.body.body.length === 1 &&
      only?.kind === 'expr' &&
      only.expr.kind === 'call' &&
      only.expr.name === 'vfio_free_device';
    if (!fn || !plain)
      throw new NothingToFold(`\`${table.name}\` already has a .release of its own.`, span);
    return fn;
  }
  return null;
}

/**
 * A table that is not of this device has the same `.release`, which must go on doing nothing more.
 */
function servesOthers({ file, tables }: Frame, release: FunctionIr): boolean {
  return file.variables.some(
    (table) =>
      !tables.includes(table) &&
      table.init?.kind === 'initializer' &&
      table.init.entries.some(
        (entry) => entry.value.kind === 'name' && entry.value.name === release.name,
      ),
  );
}

function isKnownAt({ file }: Frame, callback: Callback, offset: number): boolean {
  return [...withMacros(file, callback.uses)].every((name) => declaredBefore(file, name, offset));
}

/** Names, and those that the macros among them are made of. */
function withMacros(file: FileIr, names: ReadonlySet<string>): ReadonlySet<string> {
  const all = new Set(names);
  // A set hands out what is added to it while it is walked.
  for (const name of all)
    for (const { bodyText } of file.macros.filter((macro) => macro.name === name))
      for (const [word] of bodyText.matchAll(/[A-Za-z_]\w*/g)) all.add(word);
  return all;
}

/**
 * In front of the table where all that the functions use is known there, else in front of the
 * probe, with prototypes in front of the table.
 * @param release a `.release` that stays, and that they stand in front of
 */
function placeCallbacks(
  frame: Frame,
  callbacks: readonly Callback[],
  release: FunctionIr | null,
  { eol }: Style,
): Edit[] {
  const { file, fn } = frame;
  const first = release ?? [...frame.tables].sort((left, right) => left.start - right.start)[0]!;
  const early = first.start < fn.start;
  const known = early && callbacks.every((callback) => isKnownAt(frame, callback, first.start));
  const text = callbacks.map((callback) => `${callback.text}${eol}`).join('');
  const insertAt = (offset: number, what: string): Edit => {
    const start = lineStart(file.text, offset);
    const above = commentsAbove(file.text, file.comments, start)[0];
    const at = lineStart(file.text, above?.start ?? start);
    const spaced = at === 0 || file.text.slice(lineStart(file.text, at - 1), at).trim() === '';
    return { span: { start: at, end: at }, newText: spaced ? what : `${eol}${what}` };
  };
  if (known) return [insertAt(first.start, text)];
  if (!early) return [insertAt(fn.start, text)];
  const prototypes = callbacks
    .map((callback) => `${callback.text.slice(0, callback.text.indexOf(')') + 1)};${eol}`)
    .join('');
  return [insertAt(first.start, `${prototypes}${eol}`), insertAt(fn.start, text)];
}

/** Whether what a name stands for in the file, if anything, is declared in front of an offset. */
function declaredBefore(file: FileIr, name: string, offset: number): boolean {
  const places = [
    ...file.functions.filter((item) => item.name === name),
    ...file.prototypes.filter((item) => item.name === name),
    ...file.variables.filter((item) => item.name === name),
    ...file.macros.filter((item) => item.name === name),
    ...file.structs.filter((item) => item.name === name),
  ];
  return places.length === 0 || places.some((item) => item.start < offset);
}
