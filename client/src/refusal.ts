/** Why a driver cannot be converted: the place, the sentence, and the page of its kind. */
import * as vscode from 'vscode';
import type { BaseLanguageClient, Range } from 'vscode-languageclient';
import { SHOW_DOCUMENTATION } from './command-names.ts';
import { placeText } from './places.ts';
import { say } from './say.ts';
import { nameOf } from './whole-conversion.ts';

/**
 * How the server finds a conversion again that it has refused; nothing for the client to look into.
 */
export type RefusedData = Readonly<Record<string, unknown>>;

/** What stands in the way of a conversion, as the server says it. */
export interface Obstacle {
  /** Whole sentences. */
  readonly reason: string;
  /** A heading of docs/refusals.md. */
  readonly kind: string | null;
  readonly uri: string;
  readonly range: Range | null;
}

/** What the server answers to `vfioLifecycle/refusal`. */
export interface Refusal {
  /** `converted`: it can be done after all; `unchanged`: there is nothing to convert. */
  readonly status: 'converted' | 'refused' | 'unchanged';
  /** What is in the way, or why there is nothing to convert. */
  readonly obstacles: readonly Obstacle[];
}

/** Why a conversion was not made. Rejects when the document is another by now. */
export function askRefusal(client: BaseLanguageClient, data: RefusedData): Promise<Refusal> {
  return client.sendRequest<Refusal>('vfioLifecycle/refusal', data);
}

/**
 * Goes to what stands in the way first and says why, with the page of its kind one click away. All
 * that stands in the way is in the output. At
 * least one.
 */
export async function explain(
  client: BaseLanguageClient,
  obstacles: readonly Obstacle[],
  output: vscode.LogOutputChannel,
): Promise<void> {
  const [first] = obstacles;
  if (first === undefined) return;
  for (const one of obstacles) {
    const kind = one.kind === null ? '' : ` [${one.kind}]`;
    output.info(`not converted: ${placeOf(client, one)}: ${one.reason}${kind}`);
  }
  await goTo(client, first);
  void tell(first, obstacles.length - 1, output);
}

function placeOf(client: BaseLanguageClient, { uri, range }: Obstacle): string {
  return range === null
    ? nameOf(uri)
    : placeText(client.protocol2CodeConverter.asUri(uri), range.start.line);
}

async function goTo(client: BaseLanguageClient, { uri, range }: Obstacle): Promise<void> {
  if (range === null) return;
  const selection = client.protocol2CodeConverter.asRange(range);
  try {
    const editor = await vscode.window.showTextDocument(client.protocol2CodeConverter.asUri(uri), {
      selection,
    });
    editor.revealRange(selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  } catch {
    say(`${nameOf(uri)} cannot be opened`);
  }
}

/** One message; nobody waits for its answer. */
async function tell(
  { reason, kind, uri, range }: Obstacle,
  others: number,
  output: vscode.LogOutputChannel,
): Promise<void> {
  const where = range === null ? nameOf(uri) : `${nameOf(uri)}:${range.start.line + 1}`;
  const more =
    others === 0
      ? ''
      : ` ${others === 1 ? 'One more reason is' : `${others} more reasons are`} in the output.`;
  const page = kind === null ? [] : ['Show Documentation'];
  const answer = await vscode.window.showInformationMessage(
    `Not converted: ${where}: ${reason}${more}`,
    ...page,
    'Show Output',
  );
  if (answer === 'Show Documentation')
    await vscode.commands.executeCommand(SHOW_DOCUMENTATION, `refusals.md#${kind}`);
  else if (answer === 'Show Output') output.show(true);
}
