/** Diagnostics, by pull or push. */
import {
  DiagnosticSeverity,
  DiagnosticTag,
  DocumentDiagnosticReportKind,
  ResponseError,
  type CancellationToken,
  type Diagnostic,
  type DocumentDiagnosticParams,
  type DocumentDiagnosticReport,
} from 'vscode-languageserver';
import { chooseFindings, type Shown } from '../engine/while-typing.ts';
import type { FileIr } from '../ir/types.ts';
import { unnamedEntries } from '../engine/unnamed-entries.ts';
import type { Finding, Severity } from '../rules/types.ts';
import { createObstacles } from './obstacles.ts';
import { createQuiet, type Quiet } from './quiet.ts';
import type { Loaded, Session } from './session.ts';

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

const TAGS: Readonly<Record<NonNullable<Finding['tags']>[number], DiagnosticTag>> = {
  deprecated: DiagnosticTag.Deprecated,
  unnecessary: DiagnosticTag.Unnecessary,
};

/** Shown beside the message by every client, and how others know the diagnostics of this server. */
export const SOURCE = 'vfio';

/**
 * One finding as the client shows it; undefined when its document is not in the module any more.
 */
export function toDiagnostic(
  session: Session,
  loaded: Pick<Loaded, 'positions'>,
  finding: Finding,
): Diagnostic | undefined {
  const range = loaded.positions.range(finding.site.path, finding.site);
  if (!range) return undefined;
  const diagnostic: Diagnostic = {
    range,
    severity: SEVERITIES[finding.severity],
    source: SOURCE,
    code: finding.rule,
    message: finding.message,
  };
  if (session.client.codeDescription && session.docs !== undefined)
    diagnostic.codeDescription = { href: `${session.docs}${finding.rule}.md` };
  const tags = (finding.tags ?? [])
    .map((tag) => TAGS[tag])
    .filter((tag) => session.client.tags.has(tag));
  if (tags.length > 0) diagnostic.tags = tags;
  if (session.client.relatedInformation && finding.related.length > 0) {
    diagnostic.relatedInformation = finding.related.flatMap(({ site, message }) => {
      const where = loaded.positions.range(site.path, site);
      return where ? [{ location: { uri: session.uriOf(site.path), range: where }, message }] : [];
    });
  }
  return diagnostic;
}

/** Diagnostics of a document: by pull where the client asks, else pushed after each change. */
export interface Diagnostics {
  pull(
    params: DocumentDiagnosticParams,
    token: CancellationToken,
  ): Promise<DocumentDiagnosticReport>;
  /** A document was opened or changed. */
  changed(uri: string): void;
  /** Pushes for one document unless the client pulls. */
  push(uri: string): void;
  /** All open documents, by whichever way. */
  refresh(): void;
  /**
   * Asks a client that pulls to come again once no more changes come: it does not know which
   * documents read the one that changed.
   */
  refreshSoon(): void;
  /**
   * Lets the client show the diagnostics of a document anew, though they are the same: editors then
   * ask again for what there is to do about them. Not possible where there are none.
   */
  readonly comeAgain: { isPossible(uri: string): boolean; ask(uri: string): void };
  closed(uri: string): void;
}

/** After this time without a change that others read, they are pulled again. */
const CHANGED_MS = 250;
/** After this time without a key nobody types any more. */
const QUIET_MS = 1000;
/** After this time without a request the last incremental parse is compared with a fresh one. */
const IDLE_MS = 600;

/** @param onShown told of each document whose diagnostics the client gets. */
export function createDiagnostics(session: Session, onShown: (uri: string) => void): Diagnostics {
  const { client, connection, documents } = session;
  const last = new Map<string, { id: string; json: string }>();
  /** The documents of which the client shows diagnostics. */
  const told = new Set<string>();
  const logged = new Map<string, string>();
  const noticed = new Map<string, string>();
  const waiting = new Set<string>();
  /** The last push that was begun, by document. */
  const sending = new Map<string, number>();
  const obstacles = createObstacles(session);
  /** What was shown last of each document, for clients that can be told when to come again. */
  const shown = new Map<string, Shown>();
  const typing = new Map<string, Quiet>();
  /** The documents of which something waits until nobody types. */
  const held = new Set<string>();
  const waits = client.waitsWhileTyping && (!client.pullDiagnostics || client.refreshDiagnostics);
  let counter = 0;
  const idle = createQuiet(IDLE_MS, () => void settle());
  const soon = createQuiet(CHANGED_MS, refresh);

  async function compute(uri: string, token: CancellationToken): Promise<Diagnostic[]> {
    const loaded = await session.load(uri, token);
    if (!loaded) return [];
    const { findings, notAnalysed, facts } = await session.inTurn(async () => ({
      ...(await loaded.analysis()),
      facts: loaded.engine.facts(loaded.input, loaded.kernel),
    }));
    notice(uri, facts && unnamedEntries(facts, loaded.input.file));
    const log = notAnalysed
      .map((one) => `${uri}: ${one.function ? `${one.function}: ` : ''}not analysed: ${one.reason}`)
      .join('\n');
    const isInternal = notAnalysed.some((one) => one.isInternal);
    if (log !== (logged.get(uri) ?? '')) {
      if (isInternal) connection.console.error(log);
      else connection.console.info(log === '' ? `${uri}: analysed` : log);
    }
    logged.set(uri, log);
    const file = waits ? loaded.engine.lowered(loaded.input) : undefined;
    const all = obstacles.tell(loaded, file ? chosen(uri, file, findings) : findings);
    idle.disturb();
    const diagnostics = all.flatMap((finding) => toDiagnostic(session, loaded, finding) ?? []);
    if (diagnostics.length > 0) told.add(uri);
    else told.delete(uri);
    return diagnostics;
  }

  /** What of the findings is shown while somebody types. */
  function chosen(uri: string, file: FileIr, findings: readonly Finding[]): readonly Finding[] {
    const choice = chooseFindings(file, findings, shown.get(uri) ?? null, !typing.has(uri));
    shown.set(uri, choice.shown);
    if (choice.isWaiting) held.add(uri);
    else held.delete(uri);
    return choice.findings;
  }

  function typed(uri: string): void {
    let pause = typing.get(uri);
    if (pause === undefined) typing.set(uri, (pause = createQuiet(QUIET_MS, () => quiet(uri))));
    pause.disturb();
  }

  function quiet(uri: string): void {
    typing.delete(uri);
    if (!held.has(uri)) return;
    push(uri);
    if (client.pullDiagnostics) refresh();
  }

  /** Tells the client what nothing is judged by in a document, and when that is so no more. */
  function notice(uri: string, text: string | undefined): void {
    if (noticed.get(uri) === text) return;
    if (text === undefined) noticed.delete(uri);
    else noticed.set(uri, text);
    void connection.sendNotification('vfioLifecycle/notice', { uri, text: text ?? null });
  }

  async function settle(): Promise<void> {
    let changed = false;
    for (const { uri } of documents.all())
      changed = (await session.settle(uri).catch(() => false)) || changed;
    // What a conversion meets is worked out when nobody types: it costs as much as an analysis.
    if (!changed) changed = await obstacles.workOut().catch(() => false);
    if (changed) refresh();
  }

  async function send(uri: string): Promise<void> {
    const document = documents.get(uri);
    if (!document) return;
    const { version } = document;
    const number = ++counter;
    sending.set(uri, number);
    const diagnostics = await compute(uri, never).catch(
      (error: unknown) => void tellUnexpected(uri, error),
    );
    // Without an answer it was changed meanwhile, and the change has pushed again. A later push
    // that was faster knows more, for instance other settings; and after the close there is nothing
    // to say.
    if (!diagnostics || sending.get(uri) !== number) return;
    void connection.sendDiagnostics({ uri, version, diagnostics }).catch(() => undefined);
    onShown(uri);
  }

  /** Writes down an error that is not an answer of the protocol; true when it was one. */
  function tellUnexpected(uri: string, error: unknown): boolean {
    if (error instanceof ResponseError) return false;
    const text = `${uri}: not analysed: ${error instanceof Error ? error.message : String(error)}`;
    if (logged.get(uri) !== text) connection.console.error(text);
    logged.set(uri, text);
    return true;
  }

  function push(uri: string): void {
    if (client.pullDiagnostics || waiting.has(uri)) return;
    waiting.add(uri);
    // Takes in the edits that are already on the wire, so that a burst of them costs one analysis.
    setTimeout(() => {
      waiting.delete(uri);
      void send(uri);
    }, 0);
  }

  function refresh(): void {
    if (!client.pullDiagnostics) for (const { uri } of documents.all()) push(uri);
    else if (client.refreshDiagnostics)
      void connection.languages.diagnostics.refresh().catch(() => undefined);
  }

  return {
    async pull({ textDocument: { uri }, previousResultId }, token) {
      const items = await compute(uri, token).catch((error: unknown) => {
        // VS Code's client never pulls a document again whose pull has failed.
        if (tellUnexpected(uri, error)) return [];
        throw error;
      });
      if (documents.get(uri)) onShown(uri);
      const json = JSON.stringify(items);
      const known = last.get(uri);
      if (known && known.json === json) {
        if (known.id === previousResultId)
          return { kind: DocumentDiagnosticReportKind.Unchanged, resultId: known.id };
        return { kind: DocumentDiagnosticReportKind.Full, resultId: known.id, items };
      }
      const id = String(++counter);
      last.set(uri, { id, json });
      return { kind: DocumentDiagnosticReportKind.Full, resultId: id, items };
    },
    changed(uri) {
      // The first text of a document is not typed.
      if (waits && shown.has(uri)) typed(uri);
      push(uri);
    },
    push,
    refresh,
    comeAgain: {
      isPossible: (uri) => (!client.pullDiagnostics || client.refreshDiagnostics) && told.has(uri),
      ask(uri) {
        last.delete(uri);
        if (client.pullDiagnostics) refresh();
        else push(uri);
      },
    },
    refreshSoon() {
      // VS Code's client leaves the active document out when another one changes, and an edit of
      // several files changes both.
      if (client.pullDiagnostics) soon.disturb();
    },
    closed(uri) {
      last.delete(uri);
      typing.get(uri)?.stop();
      typing.delete(uri);
      shown.delete(uri);
      held.delete(uri);
      obstacles.closed(uri);
      told.delete(uri);
      logged.delete(uri);
      noticed.delete(uri);
      sending.delete(uri);
      if (!client.pullDiagnostics) void connection.sendDiagnostics({ uri, diagnostics: [] });
    },
  };
}

/** For work that no request asked for. */
const never: CancellationToken = {
  isCancellationRequested: false,
  onCancellationRequested: () => ({ dispose: () => undefined }),
};
