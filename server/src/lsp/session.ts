import {
  LSPErrorCodes, ResponseError, type TextDocuments, type CancellationToken, type Connection, type DiagnosticServerCancellationData,
} from 'vscode-languageserver';
import { type TextDocument } from 'vscode-languageserver-textdocument';
import { mentionsVfio, type Engine } from '../engine/analyse.ts';
import { cachedFileSystem, createModuleLoader } from '../engine/project/load.ts';
import { createLinkFinder, type Linked } from '../engine/project/linked.ts';
import { canonicalUri, folderOf, isInside } from '../engine/project/paths.ts';
import { detectTarget } from '../engine/project/target.ts';
import { createConfigurationFiles, mergeConfigurations, readSection, type ConfigurationFile } from '../engine/settings/read.ts';
import { rowsOf } from '../engine/settings/wrappers.ts';
import { KERNEL_API } from '../engine/stages.ts';
import type { Analysis, Configuration, FileSystem, ModuleInput, TargetKernel } from '../engine/types.ts';
import type { Client } from './client.ts';
import type { HostFiles } from './files.ts';
import { positionsIn, type Positions } from './positions.ts';
import { createTurns } from './turns.ts';

/** One open document together with all that an answer about it needs. Valid for one version of the text. */
export interface Loaded {
  readonly document: TextDocument;
  /** The document's version when it was loaded; the TextDocument itself is changed in place. */
  readonly version: number;
  readonly input: ModuleInput;
  readonly kernel: TargetKernel;
  readonly config: Configuration;
  readonly positions: Positions;
  readonly engine: Engine;
  /** In a turn of its own or of its caller's, with pauses. Ends like `load` where the answer is no longer wanted; of a closed document nothing is known. */
  analysis(): Promise<Analysis>;
  /** Between two pieces of work that each take their time: a pause, and an end like that of `load`. */
  pause(): Promise<void>;
}

/** What the features share: the documents, the engine and the world around the documents. */
export interface Session {
  readonly connection: Connection;
  readonly client: Client;
  readonly documents: TextDocuments<TextDocument>;
  readonly docs: string | undefined;
  /**
   * Loads an open document. Undefined when it is not open, or no longer, or mentions no VFIO. Throws the protocol's errors when the
   * request was cancelled or the document was changed meanwhile: an answer about an old text is a wrong answer.
   */
  load(uri: string, token: CancellationToken): Promise<Loaded | undefined>;
  /** Does work with the engine in turn: while another answer is in the middle of its steps nothing else may ask it. */
  inTurn<T>(work: () => T | Promise<T>): Promise<T>;
  /** Ends what is being worked out, and frees the engine. */
  stop(): void;
  /** What a loaded document is converted together with, and the answer about that. */
  linked(loaded: Loaded): Promise<{ readonly loaded: Loaded; readonly missed: Linked['missed'] }>;
  /** Lets a fresh parse win over an incremental one; true when that changes what is known of the document. */
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

/** A person types slower than this many reads; who is faster gets the answer to the last of them with the next request. */
const MAX_RELOADS = 3;

export function createSession(
  connection: Connection, client: Client, documents: TextDocuments<TextDocument>, engine: Promise<Engine>, files: HostFiles, docs: string | undefined, rest: () => Promise<void>,
): Session {
  const turns = createTurns(rest);
  let isStopped = false;
  const cached = cachedFileSystem(files);
  files.within?.(client.folders);
  const opened = new Map<string, TextDocument>();
  const fs: FileSystem = {
    // What is open in the editor counts before what is saved.
    readFile: async (path) => opened.get(path)?.getText() ?? cached.readFile(path),
    readDirectory: (path) => cached.readDirectory(path),
  };
  const loader = createModuleLoader(fs);
  const links = createLinkFinder(fs, loader);
  const configurationFiles = createConfigurationFiles(cached);
  const configurations = new Map<string, Promise<Configuration>>();
  const targets = new Map<string, Promise<TargetKernel>>();
  const told = new Map<string, string>();
  const lastRead = new Map<string, ReadonlySet<string>>();
  let pushed = client.settings.configuration;
  let folders = client.folders.map(canonicalUri);
  const complained = new Set<string>();

  complain(client.settings.problems);
  documents.onDidOpen(({ document }) => {
    opened.set(canonicalUri(document.uri), document);
    links.forget();
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

  async function configurationFileOf(key: string): Promise<ConfigurationFile | undefined> {
    const file = await configurationFiles.nearest(key, rootOf(key) ?? folderOf(key));
    if (file) complain(file.problems.map((problem) => `${file.path}: ${problem}`));
    return file;
  }

  function configurationOf(uri: string): Promise<Configuration> {
    if (!client.configuration) return Promise.resolve(pushed);
    let known = configurations.get(uri);
    if (!known) {
      known = connection.workspace.getConfiguration({ scopeUri: uri, section: 'vfioLifecycle' }).then(understood, () => pushed);
      configurations.set(uri, known);
    }
    return known;
  }

  function targetOf(key: string, { targetKernel: setting }: Configuration, file: ConfigurationFile | undefined): Promise<TargetKernel> {
    const targetKernel = file?.configuration.targetKernel;
    const id = `${key}\n${setting ?? ''}\n${targetKernel ?? ''}`;
    let known = targets.get(id);
    if (!known) {
      const sources = async (): Promise<readonly string[]> => (await loader.load(key, await fs.readFile(key) ?? '', { root: rootOf(key) })).sources.map((one) => one.text);
      targets.set(id, (known = detectTarget(cached, key, { setting, file: file && targetKernel !== undefined ? { path: file.path, targetKernel } : undefined, sources }, KERNEL_API)));
    }
    return known;
  }

  /** Tells what an answer about a document rests on: the client its kernel, and the log all of it, for who has to explain an answer. */
  function tell(uri: string, kernel: TargetKernel, input: ModuleInput, config: Configuration): void {
    const others = [...input.sources, ...input.headers].filter(({ path }) => path !== input.file);
    const names = others.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
    const status = `${uri}: Linux ${kernel.text}, ${kernel.reason}; read with it: ${names.join(', ') || 'nothing'}; settings: ${JSON.stringify(config)}`;
    if (told.get(uri) === status) return;
    told.set(uri, status);
    connection.console.info(status);
    void connection.sendNotification('vfioLifecycle/status', { kernel: kernel.text, reason: kernel.reason, uri });
  }

  /** Does an open document of the module, other than the one that it was loaded for, have another text by now? */
  function isOutdated({ file, sources, headers }: ModuleInput): boolean {
    return [...sources, ...headers].some(({ path, text }) => path !== file && opened.has(path) && opened.get(path)!.getText() !== text);
  }

  function rootOf(key: string): string | undefined {
    return folders.filter((folder) => isInside(key, folder)).sort((a, b) => b.length - a.length)[0];
  }

  return {
    connection,
    client,
    documents,
    docs: client.docs ?? docs,

    async load(uri, token) {
      const document = documents.get(uri);
      if (!document) return undefined;
      const { version } = document;
      /** Is it still open? An empty answer about a closed document is right; an error would be one that clients recover from badly. */
      const isOpen = (): boolean => {
        if (isStopped || token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
        const now = documents.get(uri);
        if (now === undefined || now.version === version) return now !== undefined;
        // For a pull of diagnostics this asks the client to come again; elsewhere the data is ignored.
        const data: DiagnosticServerCancellationData = { retriggerRequest: true };
        throw new ResponseError<unknown>(LSPErrorCodes.ServerCancelled, 'the document changed', data);
      };
      const text = document.getText();
      const key = canonicalUri(uri);
      const settings = await configurationOf(uri);
      const file = await configurationFileOf(key);
      const config = mergeConfigurations(settings, file?.configuration);
      const kernel = await targetOf(key, settings, file);
      if (!isOpen()) return undefined;
      if (!mentionsVfio(text)) {
        lastRead.delete(uri);
        return undefined;
      }
      const ready = await engine;
      let module = await loader.load(key, text, { root: rootOf(key) });
      // What was opened or edited while other files were read is not yet known as a file that this one reads, so that nobody would ask again.
      for (let again = 0; again < MAX_RELOADS && isOpen() && isOutdated(module); again++) module = await loader.load(key, text, { root: rootOf(key) });
      if (!isOpen()) return undefined;
      const input: ModuleInput = { ...module, wrappers: config.wrappers && rowsOf(config.wrappers).rows };
      lastRead.set(uri, new Set([...input.sources, ...input.headers].map((one) => one.path)));
      tell(uri, kernel, input, config);
      return {
        document, version, input, kernel, config, engine: ready, positions: positionsIn(input),
        analysis: async () => await turns.inSteps(ready.analyseInSteps(input, config, kernel), isOpen) ?? NOTHING,
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
          ...loaded, input, positions: positionsIn(input),
          async analysis() {
            await pause();
            return await turns.inSteps(ready.analyseInSteps(input, config, kernel), goesOn) ?? NOTHING;
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

    stop() {
      isStopped = true;
      void engine.then((one) => turns.take(() => one.dispose()), () => undefined);
    },

    uriOf: (path) => opened.get(path)?.uri ?? path,
    reads: (uri, path) => lastRead.get(uri)?.has(canonicalUri(path)) === true,

    invalidate(uris) {
      for (const uri of uris) cached.invalidate(canonicalUri(uri));
      links.forget();
      targets.clear();
    },

    settingsChanged(settings) {
      configurations.clear();
      if (typeof settings === 'object' && settings !== null && 'vfioLifecycle' in settings) pushed = understood(settings.vfioLifecycle);
    },

    closed(uri) {
      const key = canonicalUri(uri);
      opened.delete(key);
      // What was typed and not saved is gone: the disk counts again.
      cached.invalidate(key);
      links.forget();
      for (const map of [configurations, told, lastRead]) map.delete(uri);
      for (const id of targets.keys()) if (id.startsWith(`${key}\n`)) targets.delete(id);
      void engine.then((one) => turns.take(() => one.forget(key)), () => undefined);
    },

    setFolders(next) {
      files.within?.(next);
      cached.invalidate();
      folders = next.map(canonicalUri);
      targets.clear();
    },
  };
}
