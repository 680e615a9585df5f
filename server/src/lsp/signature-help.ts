/** Signature help: the call of the interface that is being typed, with the contract of its arguments. */
import {
  MarkupKind,
  type CancellationToken,
  type MarkupContent,
  type SignatureHelp,
  type SignatureHelpParams,
} from 'vscode-languageserver';
import { signatureAt } from '../engine/writing/signature.ts';
import type { Session } from './session.ts';

export const SIGNATURE_TRIGGERS = ['(', ','];

/** Null outside of a call of the interface. Throws like `Session.load`. */
export async function signatureHelp(
  session: Session,
  { textDocument, position }: SignatureHelpParams,
  token: CancellationToken,
): Promise<SignatureHelp | null> {
  const loaded = await session.load(textDocument.uri, token);
  const offset = loaded?.document.offsetAt(position);
  if (!loaded || offset === undefined) return null;
  const found = signatureAt(loaded.document.getText(), offset, loaded.kernel.version);
  if (!found) return null;
  const { client } = session;
  const text = (value: string): MarkupContent => ({
    kind: client.markdownSignatures ? MarkupKind.Markdown : MarkupKind.PlainText,
    value,
  });
  return {
    signatures: [
      {
        label: found.label,
        documentation: text(found.documentation),
        parameters: found.parameters.map(({ span, contract }) => ({
          label: client.parameterOffsets
            ? [span.start, span.end]
            : found.label.slice(span.start, span.end),
          ...(contract !== '' && { documentation: text(contract) }),
        })),
      },
    ],
    activeSignature: 0,
    activeParameter: found.active,
  };
}
