/** The conversion as a command, for clients without requests of our own: the server has it written. */
import {
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
  type CancellationToken,
} from 'vscode-languageserver';
import { findConversion, placedNotes, type PlacedNote } from './conversion.ts';
import type { Session } from './session.ts';
import { documentChanges, workspaceEdit } from './workspace-edit.ts';
import { applyEdits } from '../text/edits.ts';

/** The command: `{ uri, functionName?, style? }` in, ConvertAnswer out. */
export const CONVERT_COMMAND = 'vfio-lifecycle.convert';

const STYLES = ['minimal', 'fold', 'compat'] as const;

/** What has been written. */
export interface ConvertAnswer {
  /** False where the client refused the edit. */
  readonly isApplied: boolean;
  readonly files: readonly string[];
  /** What the person who reads the result has to look at. */
  readonly notes: readonly PlacedNote[];
}

/**
 * Converts and asks the client to write all of it. Throws with the reason where the conversion
 * cannot be done.
 */
export async function convertNow(
  session: Session,
  given: {
    readonly uri: string;
    readonly functionName: string | undefined;
    readonly style: string | undefined;
  },
  token: CancellationToken,
): Promise<ConvertAnswer> {
  const style = STYLES.find((one) => one === (given.style ?? 'minimal'));
  if (style === undefined)
    throw new ResponseError(
      ErrorCodes.InvalidParams,
      `the style is one of ${STYLES.join(', ')}, not ${given.style}`,
    );
  const document = session.documents.get(given.uri);
  if (!document) throw new ResponseError(LSPErrorCodes.RequestFailed, 'the document is not open');
  const data = {
    uri: given.uri,
    version: document.version,
    functionName: given.functionName,
    style,
  };
  const { loaded, result } = await findConversion(session, data, token);
  const files = documentChanges(session, loaded, result.edits).map((change, i) => ({
    ...change,
    after: applyEdits(change.before, result.edits[i]!.edits),
  }));
  const { applied } = await session.connection.workspace.applyEdit({
    label: 'Convert to vfio_alloc_device()',
    edit: workspaceEdit(session, loaded, result.edits),
  });
  return {
    isApplied: applied,
    files: files.map(({ uri }) => uri),
    notes: placedNotes(session, loaded, result, files),
  };
}
