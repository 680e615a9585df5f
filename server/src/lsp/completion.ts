/** Completion: ops members, arguments of `vfio_alloc_device()`, rules in comments, snippets. */
import {
  CompletionItemKind,
  InsertTextFormat,
  MarkupKind,
  type CancellationToken,
  type CompletionItem,
  type CompletionParams,
  type TextEdit,
} from 'vscode-languageserver';
import { explainName, rulePage } from '../engine/explain.ts';
import { completionsAt } from '../engine/writing/completion.ts';
import type { Completion } from '../engine/writing/types.ts';
import type { Loaded, Session } from './session.ts';

/** Typing one of these opens the list; in other C files it is empty at once. */
export const COMPLETION_TRIGGERS = ['.', '(', ','];

const KINDS: Readonly<Record<Completion['kind'], CompletionItemKind>> = {
  member: CompletionItemKind.Field,
  struct: CompletionItemKind.Struct,
  field: CompletionItemKind.Field,
  variable: CompletionItemKind.Variable,
  rule: CompletionItemKind.EnumMember,
  snippet: CompletionItemKind.Snippet,
};

/** What a later request needs to complete an item. */
interface ItemData {
  readonly uri: string;
  readonly label: string;
  readonly offset: number;
}

/** The completions at a place of an open document. Throws like `Session.load`. */
export async function completion(
  session: Session,
  { textDocument, position }: CompletionParams,
  token: CancellationToken,
): Promise<CompletionItem[]> {
  const loaded = await session.load(textDocument.uri, token);
  if (!loaded) return [];
  const offset = loaded.document.offsetAt(position);
  const found = await session.inTurn(() => itemsAt(loaded, offset));
  return found.flatMap((one): CompletionItem[] => {
    if (one.isSnippet && !session.client.completionSnippets) return [];
    const range = loaded.positions.range(loaded.input.file, one.span);
    if (!range) return [];
    const data: ItemData = {
      uri: textDocument.uri,
      label: one.label,
      offset,
    };
    const item: CompletionItem = {
      label: one.label,
      kind: KINDS[one.kind],
      detail: one.detail,
      // With the dot: an editor filters by what the item takes the place of.
      filterText: one.label,
      textEdit: { range, newText: one.insert },
      ...(one.isSnippet && { insertTextFormat: InsertTextFormat.Snippet }),
      data,
    };
    return [session.client.resolvesItems ? item : { ...item, ...restOf(session, loaded, one) }];
  });
}

function itemsAt({ document, kernel, engine, input }: Loaded, offset: number): Completion[] {
  return completionsAt(document.getText(), offset, kernel, () => engine.module(input));
}

/** The page of an item, and the function that is put in with it. */
export async function resolveCompletion(
  session: Session,
  item: CompletionItem,
  token: CancellationToken,
): Promise<CompletionItem> {
  const data = item.data as Partial<ItemData> | undefined;
  const { uri, label, offset } = data ?? {};
  if (uri === undefined || offset === undefined) return item;
  const loaded = await session.load(uri, token).catch(() => undefined);
  if (!loaded) return item;
  // An editor narrows the list that it has while the word is typed on: the item is looked for where
  // the word ends now, so that the place of its stub is one of this text.
  const text = loaded.document.getText();
  const end = offset + (/^\w*/.exec(text.slice(offset))?.[0].length ?? 0);
  const found = await session.inTurn(() => itemsAt(loaded, end));
  const one = found.find(
    (other) => other.label === label && label.startsWith(text.slice(other.span.start, end)),
  );
  return one ? { ...item, ...restOf(session, loaded, one) } : item;
}

function restOf(
  { client }: Session,
  loaded: Loaded,
  { stub, entry, kind, label }: Completion,
): Pick<CompletionItem, 'additionalTextEdits' | 'documentation'> {
  const rule = kind === 'rule' ? rulePage(label) : undefined;
  const page = entry ? explainName(`${entry.owner}.${entry.member}`, loaded.kernel) : rule;
  const edits = stub && editsOf(loaded, stub);
  return {
    ...(page !== undefined &&
      client.markdownItems && { documentation: { kind: MarkupKind.Markdown, value: page } }),
    ...(edits && { additionalTextEdits: edits }),
  };
}

function editsOf(
  { positions, input }: Loaded,
  { at, newText }: NonNullable<Completion['stub']>,
): TextEdit[] {
  const range = positions.range(input.file, { start: at, end: at });
  return range ? [{ range, newText }] : [];
}
