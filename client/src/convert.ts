/**
 * The two ways to a conversion: the code action at the cursor and the command for the active file.
 */
import * as vscode from 'vscode';
import type { BaseLanguageClient, CodeAction } from 'vscode-languageclient';
import { askRefusal, explain, type Refusal, type RefusedData } from './refusal.ts';
import type { Review } from './review.ts';
import { say } from './say.ts';
import type { Conversion } from './whole-conversion.ts';

const kind = 'refactor.rewrite.vfio';

/**
 * How the server finds a conversion again that it has offered; nothing for the client to look into.
 */
export type ConversionData = Readonly<Record<string, unknown>>;

/** What became of one offer. */
type Answer =
  | { readonly title: string; readonly style: unknown; readonly conversion: Conversion }
  /** Why it cannot be done: a sentence, and where the server can say more, all of it. */
  | { readonly reason: string; readonly refusal?: Refusal };

/** Converts what a code action offered. */
export async function convertOffered(
  client: BaseLanguageClient,
  data: ConversionData,
  output: vscode.LogOutputChannel,
  review: Review,
): Promise<void> {
  const answer = await waitFor(() => ask(client, { title: '', data }));
  if ('conversion' in answer) await review.offer(client, answer.conversion);
  else if (answer.refusal?.status === 'refused')
    await explain(client, answer.refusal.obstacles, output);
  else say(`nothing was converted: ${answer.reason}`);
}

/**
 * Shows why a code action could not offer a conversion, or does it where all files that belong to
 * it are known to allow it.
 */
export async function explainRefused(
  client: BaseLanguageClient,
  data: RefusedData,
  output: vscode.LogOutputChannel,
  review: Review,
): Promise<void> {
  const refusal = await waitFor(() =>
    askRefusal(client, data).catch((error: unknown) => say(String(error))),
  );
  if (refusal?.status === 'converted') await convertOffered(client, data, output, review);
  else if (refusal) await explain(client, refusal.obstacles, output);
}

/** What becomes of the conversion of the active file. */
export interface ConvertMode {
  /** `show` writes nothing: it shows the differences first. */
  readonly does: 'offer' | 'show';
  /** Only a conversion of this style is wanted. */
  readonly style?: 'fold';
}

/**
 * Offers the conversions of the active file: of several the user picks one, and where there is none
 * the output says why, because a
 * reason is longer than the status bar.
 */
export async function convertDriver(
  client: BaseLanguageClient,
  output: vscode.LogOutputChannel,
  review: Review,
  { does, style }: ConvertMode = { does: 'offer' },
): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined) return;
  const answers = await waitFor(() => askForAll(client, document));
  const all = distinct(answers);
  const possible = style === undefined ? all : all.filter((answer) => answer.style === style);
  const chosen = possible.length > 1 ? await pick(possible) : possible[0];
  if (chosen !== undefined) await review[does](client, chosen.conversion);
  else if (all.length === 0) await refuse(client, answers, output);
  else if (possible.length === 0) say('there is no state that could be folded into .init');
}

type Possible = Extract<Answer, { conversion: Conversion }>;

async function askForAll(
  client: BaseLanguageClient,
  document: vscode.TextDocument,
): Promise<readonly Answer[]> {
  const whole = client.code2ProtocolConverter.asRange(
    new vscode.Range(0, 0, document.lineCount, 0),
  );
  const textDocument = client.code2ProtocolConverter.asTextDocumentIdentifier(document);
  const request = { textDocument, range: whole, context: { diagnostics: [], only: [kind] } };
  const actions =
    (await client.sendRequest<CodeAction[] | null>('textDocument/codeAction', request)) ?? [];
  return Promise.all(
    actions.map(async (action): Promise<Answer> => {
      if (action.disabled !== undefined) {
        const { reason } = action.disabled;
        return action.data === undefined
          ? { reason }
          : withRefusal(client, reason, action.data as RefusedData);
      }
      return ask(client, {
        title: action.title,
        data: action.command?.arguments?.[0] as ConversionData,
      });
    }),
  );
}

/** The conversion as a whole, or why it cannot be done after all. */
async function ask(
  client: BaseLanguageClient,
  { title, data }: { readonly title: string; readonly data: ConversionData },
): Promise<Answer> {
  try {
    return {
      title,
      style: data['style'],
      conversion: await client.sendRequest<Conversion>('vfioLifecycle/conversion', data),
    };
  } catch (error) {
    return withRefusal(client, error instanceof Error ? error.message : String(error), data);
  }
}

/** A reason with the places that the server knows for it. */
async function withRefusal(
  client: BaseLanguageClient,
  reason: string,
  data: RefusedData,
): Promise<Answer> {
  const refusal = await askRefusal(client, data).catch(() => undefined);
  return refusal === undefined || refusal.status === 'converted' ? { reason } : { reason, refusal };
}

/** A conversion is proved when it is asked for, which takes a moment. */
function waitFor<T>(work: () => Promise<T>): Thenable<T> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: 'VFIO Lifecycle: converting' },
    work,
  );
}

/** Tells why nothing was converted. */
async function refuse(
  client: BaseLanguageClient,
  answers: readonly Answer[],
  output: vscode.LogOutputChannel,
): Promise<void> {
  const refused = answers.filter((answer) => 'reason' in answer);
  const obstacles = refused.flatMap(({ refusal }) =>
    refusal?.status === 'refused' ? refusal.obstacles : [],
  );
  const distinct = new Map(obstacles.map((one) => [JSON.stringify(one), one]));
  if (distinct.size > 0) return explain(client, [...distinct.values()], output);
  const reasons = new Set(refused.map(({ reason }) => reason));
  const [only] = reasons;
  if (only === undefined) return say('nothing to convert in this file');
  if (refused.every(({ refusal }) => refusal?.status === 'unchanged')) {
    output.info(only);
    return say(only);
  }
  say('not converted; the output says why');
  for (const reason of reasons) output.info(`not converted: ${reason}`);
  output.show(true);
}

/**
 * A device is offered once for each function that it goes through; its conversion is the same from
 * each.
 */
function distinct(answers: readonly Answer[]): Possible[] {
  const possible = answers.filter((answer): answer is Possible => 'conversion' in answer);
  return [
    ...new Map(
      possible.map((answer) => [JSON.stringify(answer.conversion.files), answer]),
    ).values(),
  ];
}

async function pick(possible: readonly Possible[]): Promise<Possible | undefined> {
  // What tells the styles of one conversion apart comes before a colon in their titles.
  const items = possible.map((answer) => {
    const [label = '', detail] = answer.title.split(': ');
    return { label, detail, answer };
  });
  return (await vscode.window.showQuickPick(items))?.answer;
}
