/**
 * Conversions as code actions carry them, and as a client gets them that asks its user itself and
 * writes them as one.
 */
import {
  LSPErrorCodes,
  ResponseError,
  type CancellationToken,
  type Command,
  type Range,
} from 'vscode-languageserver';
import { commitMessage } from '../engine/commit-message.ts';
import {
  beginningOf,
  convert,
  conversionTarget,
  newerKernelNotes,
  reasonsOf,
  whyNothing,
} from '../engine/convert.ts';
import { convertCompat } from '../engine/compat/convert.ts';
import { convertFolding } from '../engine/fold.ts';
import type { Conversion } from '../engine/types.ts';
import { applyEdits } from '../text/edits.ts';
import { lineIndex } from '../text/position.ts';
import type { Loaded, Session } from './session.ts';
import { documentChanges, type DocumentChange } from './workspace-edit.ts';

/**
 * The request: ConversionData in, WholeConversion out. Its errors are those of `wholeConversion`.
 */
export const CONVERSION_REQUEST = 'vfioLifecycle/conversion';

/** What a later request needs to find a conversion again. */
export interface ConversionData {
  readonly uri: string;
  readonly version: number;
  /** Undefined for all devices of the file. */
  readonly functionName?: string | undefined;
  readonly style: 'minimal' | 'fold' | 'compat';
}

/** `after` is the text of the document with all edits made. */
export interface ConvertedDocument extends DocumentChange {
  readonly after: string;
}

/** A conversion with all that it takes to show it, to ask whether it is wanted and to write it. */
export interface WholeConversion {
  readonly files: readonly ConvertedDocument[];
  /**
   * It leaves the file, changes the layout of a struct or moves state: a person says yes to that
   * first. Undo answers for the rest.
   */
  readonly wantsEyes: boolean;
  /** What the person who reads the result has to look at. */
  readonly notes: readonly PlacedNote[];
  /** A subject and a body for the commit. */
  readonly message: string;
}

/** A note at the line of the result that it speaks of. */
export interface PlacedNote {
  /**
   * For a list: the sentence may name lines, of the text before where it does not say otherwise.
   */
  readonly text: string;
  /** For where it stands at its line. */
  readonly message: string;
  readonly uri: string;
  /** The text of the line, without the blanks around it. */
  readonly range: Range;
  /** That text. */
  readonly lineText: string;
}

type Converted = Extract<Conversion, { status: 'converted' }>;

/** The command of a client that writes conversions by itself: its argument is a ConversionData. */
export function conversionCommand(
  session: Session,
  title: string,
  data: ConversionData,
): Command | undefined {
  const { conversionCommand: command } = session.client;
  return command === undefined ? undefined : { title, command, arguments: [data] };
}

/** The conversion of a loaded module that `data` names. */
export function converted(
  loaded: Loaded,
  { functionName, style }: Partial<ConversionData>,
): Conversion {
  if (style === 'compat') return convertCompat(loaded.engine, loaded.input, functionName);
  const make = style === 'fold' ? convertFolding : convert;
  return make(loaded.engine, loaded.input, conversionTarget(loaded.kernel), functionName);
}

/**
 * The module that a conversion was offered for, with all that it is converted together with. Throws
 * the protocol's error when the document
 * is another by now.
 */
export async function loadedFor(
  session: Session,
  data: Partial<ConversionData> | null,
  token: CancellationToken,
): Promise<Loaded> {
  const alone = typeof data?.uri === 'string' ? await session.load(data.uri, token) : undefined;
  if (!alone || alone.version !== data?.version)
    throw new ResponseError(LSPErrorCodes.ContentModified, 'the document changed');
  return (await session.linked(alone)).loaded;
}

/**
 * The module that a conversion was offered for and the conversion. Throws the protocol's error when
 * the document is another by now, and
 * with the reason when the conversion can no longer be done.
 */
export async function findConversion(
  session: Session,
  data: Partial<ConversionData> | null,
  token: CancellationToken,
): Promise<{ readonly loaded: Loaded; readonly result: Converted }> {
  const loaded = await loadedFor(session, data, token);
  return session.inTurn(async () => {
    await loaded.analysis();
    return { loaded, result: conversionOf(loaded, data ?? {}) };
  });
}

function conversionOf(loaded: Loaded, data: Partial<ConversionData>): Converted {
  const result = converted(loaded, data);
  if (result.status === 'converted') return result;
  throw new ResponseError(
    LSPErrorCodes.RequestFailed,
    result.status === 'refused'
      ? reasonsOf(result)
      : whyNothing(loaded.engine, loaded.input, conversionTarget(loaded.kernel)).reason,
  );
}

/**
 * The answer to CONVERSION_REQUEST. Throws like `findConversion`, and when a document of the module
 * has another text by now.
 */
export async function wholeConversion(
  session: Session,
  data: Partial<ConversionData> | null,
  token: CancellationToken,
): Promise<WholeConversion> {
  const { loaded, result } = await findConversion(session, data, token);
  const files = documentChanges(session, loaded, result.edits).map((change, i) => ({
    ...change,
    after: applyEdits(change.before, result.edits[i]!.edits),
  }));
  return {
    files,
    wantsEyes: wantsEyes(result, data?.style),
    notes: placedNotes(session, loaded, result, files),
    message: messageOf(loaded, result, data?.style),
  };
}

/**
 * The notes on what the patch does not show by itself; those on nothing in particular stand where
 * the conversion begins.
 */
export function placedNotes(
  session: Session,
  loaded: Loaded,
  { notes, edits }: Converted,
  files: readonly ConvertedDocument[],
): PlacedNote[] {
  const first = beginningOf(edits);
  const all = [...newerKernelNotes(loaded.kernel), ...notes];
  return all
    .filter(({ kind }) => kind !== 'label' && kind !== 'moved')
    .flatMap(({ text, message, site = first }) => {
      if (site === undefined) return [];
      const uri = session.uriOf(site.path);
      const after =
        files.find((file) => file.uri === uri)?.after ?? textIn(loaded.input, site.path);
      return { text, message: message ?? text, uri, ...lineAt(after, site.start) };
    });
}

/** The line of an offset, without the blanks around its text. */
function lineAt(text: string, offset: number): Pick<PlacedNote, 'range' | 'lineText'> {
  const index = lineIndex(text);
  const { line } = index.position(offset);
  const content = text.slice(index.lineStart(line), index.lineStart(line + 1));
  const start = Math.max(0, content.search(/\S/));
  const lineText = content.trim();
  return {
    range: { start: { line, character: start }, end: { line, character: start + lineText.length } },
    lineText,
  };
}

function textIn({ sources, headers }: Loaded['input'], path: string): string {
  return [...sources, ...headers].find((one) => one.path === path)?.text ?? '';
}

function messageOf(
  { input, kernel }: Loaded,
  { notes, folded, edits }: Converted,
  style: ConversionData['style'] | undefined,
): string {
  const part = { shown: input.file, notes, folded, edits: edits.flatMap((file) => file.edits) };
  const keepsOld = style === 'compat';
  return commitMessage([part], keepsOld ? '6.1' : conversionTarget(kernel).text, keepsOld);
}

function wantsEyes({ edits }: Converted, style: ConversionData['style'] | undefined): boolean {
  return (
    edits.length > 1 ||
    style === 'fold' ||
    style === 'compat' ||
    edits.some((file) => file.edits.some((edit) => edit.kind === 'layout'))
  );
}
