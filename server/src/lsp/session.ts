/** What the features of the server share. */
import {
  LSPErrorCodes,
  ResponseError,
  type TextDocuments,
  type CancellationToken,
  type Connection,
  type DiagnosticServerCancellationData,
} from 'vscode-languageserver';
import { type TextDocument } from 'vscode-languageserver-textdocument';
import { mentionsVfio, type Engine } from '../engine/analyse.ts';
import { createLinkFinder, type Linked } from '../engine/project/linked.ts';
import { canonicalUri, isInside, nameOf } from '../engine/project/paths.ts';
import { readSection } from '../engine/settings/read.ts';
import type { Analysis, Configuration, ModuleInput, TargetKernel } from '../engine/types.ts';
import type { Client } from './client.ts';
import { openClosedFiles, type ClosedFiles } from './closed-files.ts';
import type { HostFiles } from './files.ts';
import { createLineTables, positionsIn, type Positions } from './positions.ts';
import { createSurroundings, type World } from './surroundings.ts';
import { createTurns } from './turns.ts';

/**
 * One open document together with all that an answer about it needs. Valid for one version of the
 * text.
 */
export interface Loaded {
  readonly document: TextDocument;
  /** The document's version when it was loaded; the TextDocument itself is changed in place. */
  readonly version: number;
  readonly input: ModuleInput;
  readonly kernel: TargetKernel;
  readonly config: Configuration;
  readonly positions: Positions;
  readonly engine: Engine;
  /**
   * In a turn of its own or of its caller's, with pauses. Ends like `load` where the answer is no
   * longer wanted; of a closed document nothing is known.
   */
  analysis(): Promise<Analysis>;
  /**
   * Between two pieces of work that each take their time: a pause, and an end like that of `load`.
   */
  pause(): Promise<void>;
}

/** What the features share: the documents, the engine and the world around the documents. */
export interface Session {
  readonly connection: Connection;
  readonly client: Client;
  readonly documents: TextDocuments<TextDocument>;
  readonly docs: string | undefined;
  readonly files: HostFiles;
  /**
   * Loads an open document. Undefined when it is not open, or no longer, or mentions no VFIO.
   * Throws the protocol's errors when the
   * request was cancelled or the document was changed meanwhile: an answer about an old text is a
   * wrong answer.
   */
  load(uri: string, token: CancellationToken): Promise<Loaded | undefined>;
  /**
   * Does work with the engine in turn: while another answer is in the middle of its steps nothing
   * else may ask it.
   */
  inTurn<T>(work: () => T | Promise<T>): Promise<T>;
  /** What a document shows beside its code, by the settings of the editor. */
  shown(uri: string): Promise<Required<Pick<Configuration, 'inlayHints' | 'codeLens'>>>;
  /** The target kernel of a document as it is without a setting of the editor. */
  foundKernel(uri: string): Promise<TargetKernel>;
  /** For files that are not open; `goesOn` is asked between two steps of an analysis. */
  openClosedFiles(goesOn: () => boolean): Promise<ClosedFiles>;
  /** Ends what is being worked out, and frees the engine. */
  stop(): void;
  /** What a loaded document is converted together with, and the answer about that. */
  linked(loaded: Loaded): Promise<{ readonly loaded: Loaded; readonly missed: Linked['missed'] }>;
  /**
   * Lets a fresh parse win over an incremental one; true when that changes what is known of the
   * document.
   */
  settle(uri: string): Promise<boolean>;
  /** The client's own spelling of a document key: the open document's URI, or the key itself. */
  uriOf(path: string): string;
  /** Was `path` read for the last analysis of the open document `uri`? */
  reads(uri: string, path: string): boolean;
  /** Files changed on the disk. */
  invalidate(uris: readonly string[]): void;
  settingsChanged(settings: unknown): void;
  /** Frees what is kept for a closed document. */
  closed(uri: string): void;
  setFolders(folders: readonly string[]): void;
}

const NOTHING: Analysis = { findings: [], notAnalysed: [], functions: 0 };

/**
 * A person types slower than this many reads; who is faster gets the answer to the last of them
 * with the next request.
 */
const MAX_RELOADS = 3;

export function createSession(
  connection: Connection,
  client: Client,
  documents: TextDocuments<TextDocument>,
  engine: Promise<Engine>,
  files: HostFiles,
  docs: string | undefined,
  rest: () => Promise<void>,
): Session {
  const turns = createTurns(rest);
  let isStopped = false;
  files.within?.(client.folders);
  const opened = new Map<string, TextDocument>();
  const lineTables = createLineTables((path) => opened.get(path));
  const configurations = new Map<string, Promise<Configuration>>();
  const told = new Map<string, string>();
  const timed = new Map<string, number>();
  const lastRead = new Map<string, ReadonlySet<string>>();
  let pushed = client.settings.configuration;
  let folders = client.folders.map(canonicalUri);
  const complained = new Set<string>();
  const edits = new Map<string, number>();
  let allEdits = 0;
  const world: World = {
    settingsOf: configurationOf,
    rootOf,
    openText: (key) => opened.get(key)?.getText(),
    editsBeside: (key) => allEdits - (edits.get(key) ?? 0),
    complain,
  };
  const surroundings = createSurroundings(files, world);
  const links = createLinkFinder(surroundings.fs, surroundings.loader);

  complain(client.settings.problems);
  documents.onDidOpen(({ document }) => {
    opened.set(canonicalUri(document.uri), document);
    links.forget();
  });
  // Comes with an open too.
  documents.onDidChangeContent(({ document }) => {
    const key = canonicalUri(document.uri);
    allEdits++;
    edits.set(key, (edits.get(key) ?? 0) + 1);
  });

  function understood(section: unknown): Configuration {
    const { configuration, problems } = readSection(section);
    complain(problems);
    return configuration;
  }

  function complain(problems: readonly string[]): void {
    for (const problem of problems) {
      if (!complained.has(problem)) connection.console.warn(problem);
      complained.add(problem);
    }
  }

  function configurationOf(uri: string): Promise<Configuration> {
    if (!client.configuration) return Promise.resolve(pushed);
    let known = configurations.get(uri);
    if (!known) {
      known = connection.workspace
        .getConfiguration({ scopeUri: uri, section: 'vfioLifecycle' })
        .then(understood, () => pushed);
      configurations.set(uri, known);
    }
    return known;
  }

  /**
   * Tells what an answer about a document rests on: the client its kernel, and the log all of it,
   * for who has to explain an answer.
   */
  function tell(
    uri: string,
    kernel: TargetKernel,
    input: ModuleInput,
    config: Configuration,
  ): void {
    const others = [...input.sources, ...input.headers].filter(({ path }) => path !== input.file);
    const files = others.map(({ path }) => nameOf(path));
    const settings = JSON.stringify(config);
    const status = `${uri}: Linux ${kernel.text}, ${kernel.reason}; read with it: ${files.join(', ') || 'nothing'}; settings: ${settings}`;
    if (told.get(uri) === status) return;
    told.set(uri, status);
    connection.console.info(status);
    void connection.sendNotification('vfioLifecycle/status', {
      kernel: kernel.text,
      reason: kernel.reason,
      uri,
      files,
      settings,
    });
  }

  /**
   * Does an open document of the module, other than the one that it was loaded for, have another
   * text by now?
   */
  function isOutdated({ file, sources, headers }: ModuleInput): boolean {
    return [...sources, ...headers].some(
      ({ path, text }) => path !== file && opened.has(path) && opened.get(path)!.getText() !== text,
    );
  }

  /** The first analysis of a version is the one that takes time; the others find it done. */
  function tellTime(uri: string, version: number, milliseconds: number): void {
    if (timed.get(uri) === version) return;
    timed.set(uri, version);
    const text = `${uri}: version ${version} analysed in ${milliseconds} ms`;
    // Other clients may not know messages of this level.
    if (client.fileRequests) connection.console.debug(text);
    else connection.tracer.log(text);
  }

  function rootOf(key: string): string | undefined {
    return folders
      .filter((folder) => isInside(key, folder))
      .sort((left, right) => right.length - left.length)[0];
  }

  return {
    connection,
    client,
    documents,
    docs: client.docs ?? docs,
    files,

    async load(uri, token) {
      const document = documents.get(uri);
      if (!document) return undefined;
      const { version } = document;
      /**
       * Is it still open? An empty answer about a closed document is right; an error would be one
       * that clients recover from badly.
       */
      const isOpen = (): boolean => {
        if (isStopped || token.isCancellationRequested)
          throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
        const now = documents.get(uri);
        if (now === undefined || now.version === version) return now !== undefined;
        // For a pull of diagnostics this asks the client to come again; elsewhere the data is
        // ignored.
        const data: DiagnosticServerCancellationData = { retriggerRequest: true };
        throw new ResponseError<unknown>(
          LSPErrorCodes.ServerCancelled,
          'the document changed',
          data,
        );
      };
      const text = document.getText();
      const key = canonicalUri(uri);
      const { config, kernel } = await surroundings.settings(uri);
      if (!isOpen()) return undefined;
      if (!mentionsVfio(text)) {
        lastRead.delete(uri);
        return undefined;
      }
      const ready = await engine;
      let input = await surroundings.module(key, text, config);
      // What was opened or edited while other files were read is not yet known as a file that this
      // one reads, so that nobody would ask again.
      for (let again = 0; again < MAX_RELOADS && isOpen() && isOutdated(input); again++)
        input = await surroundings.module(key, text, config);
      if (!isOpen()) return undefined;
      lastRead.set(uri, new Set([...input.sources, ...input.headers].map((one) => one.path)));
      tell(uri, kernel, input, config);
      return {
        document,
        version,
        input,
        kernel,
        config,
        engine: ready,
        positions: positionsIn(input, lineTables),
        async analysis() {
          const begin = Date.now();
          const steps = ready.analyseInSteps(input, config, kernel);
          const analysis = (await turns.inSteps(steps, isOpen)) ?? NOTHING;
          tellTime(uri, version, Date.now() - begin);
          return analysis;
        },
        async pause() {
          await turns.pause();
          isOpen();
        },
      };
    },

    async linked(loaded) {
      const { input, missed } = await links.join(loaded.input, rootOf(loaded.input.file));
      if (input === loaded.input) return { loaded, missed };
      const { engine: ready, config, kernel, pause } = loaded;
      const goesOn = (): boolean => !isStopped;
      return {
        loaded: {
          ...loaded,
          input,
          positions: positionsIn(input, lineTables),
          async analysis() {
            await pause();
            return (
              (await turns.inSteps(ready.analyseInSteps(input, config, kernel), goesOn)) ?? NOTHING
            );
          },
        },
        missed,
      };
    },

    async settle(uri) {
      const ready = await engine;
      return turns.take(() => !isStopped && ready.settle(canonicalUri(uri)));
    },

    inTurn: (work) => turns.take(work),

    async shown(uri) {
      const { inlayHints = false, codeLens = 'conversion' } = await configurationOf(uri);
      return { inlayHints, codeLens };
    },

    foundKernel: (uri) => surroundings.foundKernel(uri),

    async openClosedFiles(goesOn) {
      // The settings are those of a folder, so that they are asked for once.
      const settingsOf = (uri: string): Promise<Configuration> =>
        configurationOf(rootOf(canonicalUri(uri)) ?? uri);
      const own = (await engine).sibling();
      return openClosedFiles(
        own,
        files,
        { ...world, settingsOf },
        turns,
        () => !isStopped && goesOn(),
      );
    },

    stop() {
      isStopped = true;
      void engine.then(
        (one) => turns.take(() => one.dispose()),
        () => undefined,
      );
    },

    uriOf: (path) => opened.get(path)?.uri ?? path,
    reads: (uri, path) => lastRead.get(uri)?.has(canonicalUri(path)) === true,

    invalidate(uris) {
      surroundings.invalidate(uris.map(canonicalUri));
      links.forget();
    },

    settingsChanged(settings) {
      configurations.clear();
      if (typeof settings === 'object' && settings !== null && 'vfioLifecycle' in settings)
        pushed = understood(settings.vfioLifecycle);
    },

    closed(uri) {
      const key = canonicalUri(uri);
      opened.delete(key);
      // To all others, its texts are gone with it.
      allEdits++;
      edits.delete(key);
      surroundings.forget(key);
      links.forget();
      for (const map of [configurations, told, timed, lastRead]) map.delete(uri);
      void engine.then(
        (one) => turns.take(() => one.close(key)),
        () => undefined,
      );
    },

    setFolders(next) {
      files.within?.(next);
      surroundings.invalidate();
      folders = next.map(canonicalUri);
    },
  };
}
