/**
 * What an answer about a file rests on: its settings, its target kernel and the other files of its
 * module, found through one cache of files.
 */
import { cachedFileSystem, createModuleLoader, type ModuleLoader } from '../engine/project/load.ts';
import { canonicalUri, folderOf } from '../engine/project/paths.ts';
import { detectTarget } from '../engine/project/target.ts';
import {
  createConfigurationFiles,
  mergeConfigurations,
  type TreeSettings,
} from '../engine/settings/read.ts';
import { rowsOf } from '../engine/settings/wrappers.ts';
import { KERNEL_API } from '../engine/pipeline.ts';
import type { Configuration, FileSystem, ModuleInput, TargetKernel } from '../engine/types.ts';

/** What does not come from files, or counts before them. */
export interface World {
  /** The settings of the editor for a document, by its URI. */
  settingsOf(uri: string): Promise<Configuration>;
  /** The folder of the workspace that a key is in. */
  rootOf(key: string): string | undefined;
  /** What is open in the editor counts before what is saved. */
  openText(key: string): string | undefined;
  /** How often another document than this one was opened, edited or closed. */
  editsBeside(key: string): number;
  /** Tells what is wrong with settings, each sentence once. */
  complain(problems: readonly string[]): void;
}

export interface Surroundings {
  /** The files, with what is open in front. */
  readonly fs: FileSystem;
  readonly loader: ModuleLoader;
  /** The settings and the target kernel of a file, by its URI. */
  settings(uri: string): Promise<{ readonly config: Configuration; readonly kernel: TargetKernel }>;
  /** The target kernel of a file as it is without a setting of the editor. */
  foundKernel(uri: string): Promise<TargetKernel>;
  /** The module of a file whose text is `text`, by its key. */
  module(key: string, text: string, config: Configuration): Promise<ModuleInput>;
  /** Files changed, by their keys; without keys all may have. */
  invalidate(keys?: readonly string[]): void;
  /** What is only kept for one file goes. */
  forget(key: string): void;
}

/** A module, and what it rests on. */
interface LoadedModule {
  readonly root: string | undefined;
  readonly editsBeside: number;
  readonly changes: number;
  /** Of the file itself. */
  readonly text: string;
  readonly input: ModuleInput;
}

export function createSurroundings(files: FileSystem, world: World, limit?: number): Surroundings {
  const cached = cachedFileSystem(files, limit);
  const fs: FileSystem = {
    readFile: async (path) => world.openText(path) ?? cached.readFile(path),
    readDirectory: (path) => cached.readDirectory(path),
  };
  const loader = createModuleLoader(fs);
  const configurationFiles = createConfigurationFiles(cached);
  const targets = new Map<string, Promise<TargetKernel>>();
  /** The last module of each open document. */
  const modules = new Map<string, LoadedModule>();
  /** How often files may have changed. */
  let changes = 0;

  async function filesAround(key: string): Promise<TreeSettings> {
    const settings = await configurationFiles.around(key, world.rootOf(key) ?? folderOf(key));
    for (const { path, problems } of settings.files)
      world.complain(problems.map((problem) => `${path}: ${problem}`));
    return settings;
  }

  function targetOf(
    key: string,
    { targetKernel: setting }: Configuration,
    { target: file }: TreeSettings,
  ): Promise<TargetKernel> {
    const id = `${key}\n${setting ?? ''}\n${file?.targetKernel ?? ''}`;
    let known = targets.get(id);
    if (!known) {
      const sources = async (): Promise<readonly string[]> => {
        const text = (await fs.readFile(key)) ?? '';
        const { sources: own } = await loader.load(key, text, { root: world.rootOf(key) });
        return own.map((one) => one.text);
      };
      targets.set(id, (known = detectTarget(cached, key, { setting, file, sources }, KERNEL_API)));
    }
    return known;
  }

  /** Nearly every key leaves the rest of the module as it was. */
  async function moduleOf(key: string, text: string): Promise<ModuleInput> {
    const now = { root: world.rootOf(key), editsBeside: world.editsBeside(key), changes };
    const known = modules.get(key);
    const isKnown =
      known?.root === now.root &&
      known?.editsBeside === now.editsBeside &&
      known?.changes === now.changes &&
      loader.leadsAlike(key, known.text, text);
    const input = isKnown
      ? withText(known.input, text)
      : await loader.load(key, text, { root: now.root });
    if (world.openText(key) !== undefined) modules.set(key, { ...now, text, input });
    return input;
  }

  return {
    fs,
    loader,

    async settings(uri) {
      const key = canonicalUri(uri);
      const settings = await world.settingsOf(uri);
      const files = await filesAround(key);
      const kernel = await targetOf(key, settings, files);
      return { config: mergeConfigurations(settings, files.configuration), kernel };
    },

    async foundKernel(uri) {
      const key = canonicalUri(uri);
      return targetOf(key, {}, await filesAround(key));
    },

    async module(key, text, { wrappers }) {
      const module = await moduleOf(key, text);
      return { ...module, wrappers: wrappers && rowsOf(wrappers).rows };
    },

    invalidate(keys) {
      changes++;
      if (keys === undefined) cached.invalidate();
      else for (const key of keys) cached.invalidate(key);
      targets.clear();
    },

    forget(key) {
      // What was typed and not saved is gone: the disk counts again.
      cached.invalidate(key);
      changes++;
      modules.delete(key);
      for (const id of targets.keys()) if (id.startsWith(`${key}\n`)) targets.delete(id);
    },
  };
}

/** The module with another text of the file that it was loaded for. */
function withText(input: ModuleInput, text: string): ModuleInput {
  const sources = input.sources.map((one) => (one.path === input.file ? { ...one, text } : one));
  return { ...input, sources };
}
