/**
 * The check of the whole workspace, on request: the findings of files that are not open, published
 * file by file. Afterwards a file that changes
 * is looked at again, with all that read it, until the server ends. Of a file only its URI and the
 * names of what it read are kept.
 */
import {
  LSPErrorCodes,
  ResponseError,
  type CancellationToken,
  type WorkDoneProgressReporter,
} from 'vscode-languageserver';
import { canonicalUri, folderOf, isInside } from '../engine/project/paths.ts';
import type { Severity } from '../rules/types.ts';
import { toDiagnostic } from './diagnostics.ts';
import type { ClosedFiles } from './closed-files.ts';
import type { Session } from './session.ts';

/**
 * The command of `workspace/executeCommand`. With `{ uris }` as its argument only those files are
 * checked.
 */
export const CHECK_COMMAND = 'vfioLifecycle.checkWorkspace';

/** The answer to it. */
export interface CheckSummary extends Readonly<Record<Severity, number>> {
  /** C files of the workspace. */
  readonly files: number;
  /** Those that mention VFIO, and were analysed. */
  readonly analysed: number;
  /** Those with a finding. */
  readonly withFindings: number;
  /** Functions and files that were given up: the output says which. */
  readonly notAnalysed: number;
}

export interface WorkspaceCheck {
  /**
   * Analyses all files, or those of `{ uris }`. A check that is under way ends. @throws
   * ResponseError when it was cancelled.
   */
  run(
    given: unknown,
    token: CancellationToken,
    progress: WorkDoneProgressReporter,
  ): Promise<CheckSummary>;
  /**
   * The client shows what it was told of an open document: what a check has found there is taken
   * back.
   */
  shows(uri: string): void;
  /** A document was closed: its findings are those of the file again. */
  closed(uri: string): void;
  /** Files, or folders with all in them, came, went or changed. */
  changed(uris: readonly string[]): void;
  /** Settings changed: every file is looked at again. */
  settingsChanged(): void;
  stop(): void;
}

/** What is known of a file that was analysed. */
interface Checked {
  readonly uri: string;
  readonly reads: ReadonlySet<string>;
  readonly counts: Readonly<Record<Severity, number>>;
  readonly notAnalysed: number;
}

/** Work that ends early when another begins. */
interface Work {
  goesOn: boolean;
}

/** Files whose text is looked through at once, between two pauses. */
const BATCH = 64;
/** After this time without another change the changed files are looked at again. */
const CHANGED_MS = 300;

export function createWorkspaceCheck(session: Session): WorkspaceCheck {
  const { client, connection, documents } = session;
  const checked = new Map<string, Checked>();
  /** Keys of files with findings that the client was told. */
  const told = new Set<string>();
  /** Open documents of which the client has shown what it asked for. */
  const shown = new Set<string>();
  const changedKeys = new Set<string>();
  /** The check, or the look at changed files, that is under way. */
  let current: Work = { goesOn: false };
  let isWanted = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** Has the client another source for the findings of this file? */
  function hasOwn(key: string): boolean {
    if (client.hidesChecked) return false;
    return client.pullDiagnostics
      ? shown.has(key)
      : documents.all().some(({ uri }) => canonicalUri(uri) === key);
  }

  function takeBack(key: string, uri: string): void {
    if (told.delete(key))
      void connection.sendDiagnostics({ uri, diagnostics: [] }).catch(() => undefined);
  }

  function forget(key: string): void {
    const known = checked.get(key);
    if (known) takeBack(key, known.uri);
    checked.delete(key);
  }

  /** Analyses a file and tells what was found; what cannot be read any more has no findings. */
  async function look(files: ClosedFiles, uri: string, state: Work): Promise<void> {
    const key = canonicalUri(uri);
    const found = await files.analyse(uri);
    if (!state.goesOn) return;
    if (!found) return forget(key);
    const {
      analysis: { findings, notAnalysed },
      positions,
      reads,
    } = found;
    const counts = { error: 0, warning: 0, information: 0, hint: 0 };
    for (const { severity } of findings) counts[severity]++;
    checked.set(key, { uri, reads, counts, notAnalysed: notAnalysed.length });
    for (const one of notAnalysed)
      connection.console.info(
        `${uri}: ${one.function ? `${one.function}: ` : ''}not analysed: ${one.reason}`,
      );
    if (hasOwn(key)) return;
    const diagnostics = findings.flatMap(
      (finding) => toDiagnostic(session, { positions }, finding) ?? [],
    );
    if (diagnostics.length === 0) return takeBack(key, uri);
    told.add(key);
    void connection.sendDiagnostics({ uri, diagnostics }).catch(() => undefined);
  }

  /** Those of the files that mention VFIO. */
  async function* mentioning(
    uris: readonly string[],
  ): AsyncGenerator<{ readonly hits: readonly string[]; readonly passed: number }> {
    for (let at = 0; at < uris.length; at += BATCH) {
      const batch = uris.slice(at, at + BATCH);
      const hits = await session.files.mentioning(batch);
      yield { hits, passed: batch.length - hits.length };
    }
  }

  /**
   * Checks the files of `chosen`, else all of the workspace, whose keys it returns.
   */
  async function checkFiles(
    chosen: readonly string[] | undefined,
    state: Work,
    token: CancellationToken,
    progress: WorkDoneProgressReporter,
  ): Promise<ReadonlySet<string>> {
    const goesOn = (): boolean => {
      if (token.isCancellationRequested) state.goesOn = false;
      return state.goesOn;
    };
    const uris = [...(chosen ?? (await session.files.findSources()))].sort();
    const files = await session.openClosedFiles(goesOn);
    const keys = new Set(uris.map(canonicalUri));
    let done = 0;
    const report = (more: number): void => {
      done += more;
      progress.report(
        Math.floor((done * 100) / uris.length),
        `${count(done)} of ${count(uris.length)} files`,
      );
    };
    try {
      for await (const { hits, passed } of mentioning(uris)) {
        if (!goesOn()) break;
        report(passed);
        for (const uri of hits) {
          await look(files, uri, state);
          if (!goesOn()) break;
          report(1);
        }
      }
    } finally {
      files.close();
    }
    if (!goesOn()) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
    if (!chosen) for (const key of [...checked.keys()]) if (!keys.has(key)) forget(key);
    return keys;
  }

  /**
   * The files among `uris` that are not known, mention VFIO and belong to the workspace: the client
   * may leave some out.
   */
  async function newAmong(keys: readonly string[]): Promise<readonly string[]> {
    const candidates = keys.filter((key) => !checked.has(key) && /\.[ch]$/.test(key));
    const hits = await session.files.mentioning(candidates);
    if (hits.length === 0) return [];
    const wanted = new Set(hits.map(canonicalUri));
    return (await session.files.findSources()).filter((uri) => wanted.has(canonicalUri(uri)));
  }

  /** Looks again at what changed and at what read it. */
  async function lookAgain(): Promise<void> {
    if (!isWanted || current.goesOn || changedKeys.size === 0) return;
    const state: Work = (current = { goesOn: true });
    const keys = [...changedKeys];
    changedKeys.clear();
    const files = await session.openClosedFiles(() => state.goesOn);
    try {
      const known = [...checked]
        .filter(([key, one]) => keys.some((changed) => concerns(changed, key, one)))
        .map(([, { uri }]) => uri);
      for (const uri of [...known, ...(await newAmong(keys))]) {
        if (!state.goesOn) break;
        await look(files, uri, state);
      }
    } catch (error) {
      connection.console.error(`the changed files were not checked: ${String(error)}`);
    } finally {
      files.close();
      state.goesOn = false;
    }
    lookAgainSoon();
  }

  function lookAgainSoon(): void {
    clearTimeout(timer);
    if (isWanted && changedKeys.size > 0) timer = setTimeout(() => void lookAgain(), CHANGED_MS);
  }

  function mark(keys: Iterable<string>): void {
    if (!isWanted) return;
    for (const key of keys) changedKeys.add(key);
    lookAgainSoon();
  }

  return {
    async run(given, token, progress) {
      current.goesOn = false;
      const state: Work = (current = { goesOn: true });
      isWanted = true;
      const chosen = urisOf(given);
      progress.begin(chosen ? 'Checking files' : 'Checking the workspace', 0, undefined, true);
      try {
        const keys = await checkFiles(chosen, state, token, progress);
        const looked = [...checked].flatMap(([key, one]) => (keys.has(key) ? [one] : []));
        return summary(keys.size, looked);
      } finally {
        progress.done();
        state.goesOn = false;
        lookAgainSoon();
      }
    },

    shows(uri) {
      const key = canonicalUri(uri);
      if (client.pullDiagnostics) shown.add(key);
      // What is pushed takes the place of what was pushed before.
      else told.delete(key);
      if (hasOwn(key)) takeBack(key, uri);
    },

    closed(uri) {
      const key = canonicalUri(uri);
      shown.delete(key);
      mark([key]);
    },

    changed: (uris) => mark(uris.map(canonicalUri)),
    settingsChanged: () => mark(checked.keys()),

    stop() {
      current.goesOn = isWanted = false;
      clearTimeout(timer);
    },
  };
}

/** The files that an argument of the command names; undefined for all of the workspace. */
function urisOf(given: unknown): readonly string[] | undefined {
  const uris: unknown =
    typeof given === 'object' && given !== null && 'uris' in given && given.uris;
  return Array.isArray(uris)
    ? uris.filter((uri): uri is string => typeof uri === 'string')
    : undefined;
}

/** Has a change of `changed`, a file or a folder, to do with what is known of the file `key`? */
function concerns(changed: string, key: string, { reads }: Checked): boolean {
  if (isInside(key, changed) || reads.has(changed)) return true;
  // What says which files make a module, and the settings, hold for their folder and those below
  // it.
  const folder = /\.[ch]$/.test(changed) ? undefined : folderOf(changed);
  return folder !== undefined && isInside(key, folder);
}

function summary(files: number, checked: Iterable<Checked>): CheckSummary {
  const sum = {
    files,
    analysed: 0,
    withFindings: 0,
    notAnalysed: 0,
    error: 0,
    warning: 0,
    information: 0,
    hint: 0,
  };
  for (const { counts, notAnalysed } of checked) {
    sum.analysed++;
    sum.notAnalysed += notAnalysed;
    const severities = ['error', 'warning', 'information', 'hint'] as const;
    if (severities.some((severity) => counts[severity] > 0)) sum.withFindings++;
    for (const severity of severities) sum[severity] += counts[severity];
  }
  return sum;
}

/** `2,304` */
function count(number: number): string {
  return number.toLocaleString('en-US');
}
