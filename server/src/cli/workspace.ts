/** The disk as the engine sees it, with settings and the changes made so far. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { cachedFileSystem, createModuleLoader } from '../engine/project/load.ts';
import { detectTarget, whyUnknown } from '../engine/project/target.ts';
import { NO_SETTINGS } from '../engine/analyse.ts';
import {
  createConfigurationFiles,
  mergeConfigurations,
  type ConfigurationFile,
  type TreeSettings,
} from '../engine/settings/read.ts';
import { rowsOf } from '../engine/settings/wrappers.ts';
import type { Configuration, FileSystem, ModuleInput, TargetKernel } from '../engine/types.ts';
import { KERNEL_API } from '../engine/pipeline.ts';
import { isKernelTree, leadsOutside, readRegularFile } from '../lsp/node-read.ts';
import { lineIndex, type LineIndex } from '../text/position.ts';
import { isIncluded, type BuildOf } from './build.ts';
import type { Output } from './output.ts';
import type { StdinFile } from './text-file.ts';
import { UsageError } from './usage-error.ts';
import { decode, readTextFile, type TextFile } from './text-file.ts';

/**
 * The disk as the engine sees it, with the changes made so far in front. Paths are absolute and use
 * `/`.
 */
export interface Workspace {
  /** The module of a file. Throws UsageError when the file cannot be read. */
  load(path: string): Promise<ModuleInput>;
  /** Throws UsageError for a kernel that nothing is known of. */
  target(path: string): Promise<TargetKernel>;
  /** The settings for a file: the options, then its tree's configuration files. */
  config(path: string): Promise<Configuration>;
  /** The configuration files that count for a file, the nearest first. */
  settingsFiles(path: string): Promise<readonly ConfigurationFile[]>;
  /** Says what is wrong with the settings, each sentence once, and keeps it for reports. */
  complain(problem: SettingsProblem): void;
  /** What was wrong with the settings so far. */
  problems(): readonly SettingsProblem[];
  /** The file as it is on the disk. Throws UsageError when it cannot be read. */
  original(path: string): TextFile;
  /** The text with the changes made so far. */
  current(path: string): string;
  change(path: string, text: string): void;
  /**
   * Puts a new file in front of the disk.
   * @throws UsageError where there is another one of its name.
   */
  create(path: string, text: string): void;
  /** Positions in the file as it is on the disk. */
  lines(path: string): LineIndex;
  /** The paths that were changed, sorted. */
  changed(): readonly string[];
}

/** What is wrong with settings: the rest of them counts all the same. */
export interface SettingsProblem {
  /** The file that is wrong, or that is not there. */
  readonly path: string;
  readonly message: string;
}

/** What the command line says of the analysis. */
export interface WorkspaceOptions {
  readonly kernel?: string | undefined;
  readonly rules?: Configuration['rules'];
  /** The files and folders that were named. */
  readonly paths?: readonly string[];
  /** What stands for a file on the disk. */
  readonly stdin?: StdinFile | undefined;
  /** Texts that stand for files on the disk, which need not be there. */
  readonly texts?: ReadonlyMap<string, TextFile> | undefined;
  /** What is known of the build of a file. */
  readonly buildOf?: BuildOf | undefined;
}

/** Problems of configuration files are said on `output`, each once. */
export function openWorkspace(options: WorkspaceOptions, output: Output): Workspace {
  const optionSettings: Configuration =
    options.rules && Object.keys(options.rules).length > 0 ? { rules: options.rules } : NO_SETTINGS;
  const named = (options.paths ?? []).filter((path) => path.endsWith('.c')).map(keyOf);
  const { stdin, buildOf = () => undefined } = options;
  const texts = new Map<string, TextFile>([
    ...(options.texts ?? []),
    ...(stdin ? [[stdin.path, stdin.file] as const] : []),
  ]);
  const files = new Map(texts);
  const changes = new Map<string, string>();
  const lines = new Map<string, LineIndex>();
  const roots = new Map<string, string>();
  const targets = new Map<string, Promise<TargetKernel>>();
  const trees = [...new Set((options.paths ?? ['.']).map((path) => treeOf(keyOf(path))))];
  const disk = cachedFileSystem(diskFileSystem(trees, texts));
  const fs: FileSystem = {
    async readFile(path) {
      return changes.get(path) ?? disk.readFile(path);
    },
    readDirectory: (path) => disk.readDirectory(path),
  };
  const loader = createModuleLoader(fs);
  const originals = createModuleLoader(disk);
  const configurations = createConfigurationFiles(disk, true);
  const problems = new Map<string, SettingsProblem>();
  const complain = (problem: SettingsProblem): void => {
    const { path, message } = problem;
    const line = `${shownPath(path)}: ${message}`;
    if (!problems.has(line)) output.error(line);
    problems.set(line, problem);
  };
  const around = async (file: string): Promise<TreeSettings> => {
    const settings = await configurations.around(file, undefined);
    for (const { path, problems: found } of settings.files)
      for (const message of found) complain({ path, message });
    return settings;
  };
  const config = async (path: string): Promise<Configuration> =>
    mergeConfigurations(optionSettings, (await around(path)).configuration);

  const original = (path: string): TextFile => {
    let file = files.get(path);
    if (!file) files.set(path, (file = readTextFile(path)));
    return file;
  };
  const detect = async (
    path: string,
    sources?: () => Promise<readonly string[]>,
  ): Promise<TargetKernel> => {
    const { target: file } = await around(path);
    const found = await detectTarget(
      disk,
      path,
      { option: options.kernel, tree: buildOf(path)?.tree, file, sources },
      KERNEL_API,
    );
    const unknown = whyUnknown(found);
    if (unknown !== undefined) {
      // The error is said where it is caught.
      if (file && found.source === 'file')
        problems.set(unknown, { path: file.path, message: unknown });
      throw new UsageError(unknown);
    }
    return found;
  };
  const current = (path: string): string => changes.get(path) ?? original(path).text;
  const rootOf = (folder: string): string => {
    let root = roots.get(folder);
    if (root === undefined) roots.set(folder, (root = findRoot(folder)));
    return root;
  };

  const bordersOf = (path: string) => {
    const folder = dirname(path),
      root = rootOf(folder);
    return { root, beside: isLoose(root, folder) ? dirname(folder) : undefined };
  };

  return {
    async load(path) {
      const { wrappers } = await config(path);
      const build = buildOf(path);
      return {
        ...(await loader.load(path, current(path), {
          ...bordersOf(path),
          named,
          ...(build && {
            includeFolders: build.includeFolders,
            forcedHeaders: build.forcedHeaders,
            isNamed: (header) => isIncluded(build, header),
          }),
        })),
        ...(build?.macros && { build: build.macros }),
        wrappers: wrappers && rowsOf(wrappers).rows,
      };
    },
    config,
    settingsFiles: async (path) => (await around(path)).files,
    complain,
    problems: () => [...problems.values()],
    async target(path) {
      const folder = dirname(path);
      let target = targets.get(folder);
      if (!target) targets.set(folder, (target = detect(path)));
      if ((await target).source !== 'default' || !path.endsWith('.c')) return target;
      // Without a kernel tree the driver itself may tell, and a folder may hold several drivers.
      // Judged as it was before any change.
      let own = targets.get(path);
      if (!own)
        targets.set(
          path,
          (own = detect(path, async () =>
            (await originals.load(path, original(path).text, bordersOf(path))).sources.map(
              (one) => one.text,
            ),
          )),
        );
      return own;
    },
    original,
    current,
    change(path, text) {
      if (text === original(path).text) changes.delete(path);
      else changes.set(path, text);
    },
    create(path, text) {
      if (!existsSync(path)) {
        files.set(path, { text: '', encoding: 'utf8', bom: false, isNew: true });
        changes.set(path, text);
      } else if (original(path).text !== text)
        throw new UsageError(`${shownPath(path)}: there is another file of this name`);
    },
    lines(path) {
      let known = lines.get(path);
      if (!known) lines.set(path, (known = lineIndex(original(path).text)));
      return known;
    },
    changed: () => [...changes.keys()].sort(),
  };
}

/** An absolute path with `/` separators: the key of a file everywhere in the command line. */
export function keyOf(path: string): string {
  const absolute = resolve(path);
  return sep === '/' ? absolute : absolute.split(sep).join('/');
}

/** A file as messages name it: relative to the working folder when it is in there. */
export function shownPath(path: string): string {
  const here = `${keyOf('.')}/`;
  return path.startsWith(here) ? path.slice(here.length) : path;
}

/**
 * A file as a patch names it: relative to the working folder, or to its own source tree when it
 * lies outside.
 */
export function patchName(path: string): { name: string; base: string } {
  const here = keyOf('.');
  const name = relative(here, path).split(sep).join('/');
  if (name !== '' && !name.startsWith('../') && !isAbsolute(name)) return { name, base: here };
  const root = findRoot(dirname(path));
  return { name: relative(root, path).split(sep).join('/'), base: root };
}

/**
 * The border of what is read for a file in `folder`: the nearest repository or kernel tree, else
 * the working folder when the
 * file is in it, else the file's own folder.
 */
export function findRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(`${at}/.git`) || isKernelTree(at)) return at;
    if (dirname(at) === at) break;
  }
  const here = keyOf('.');
  return folder === here || folder.startsWith(`${here}/`) ? here : folder;
}

/** A folder that is the border of its own files only because no repository and no tree is seen. */
function isLoose(root: string, folder: string): boolean {
  return root === folder && !existsSync(`${root}/.git`) && !isKernelTree(root);
}

/** The tree of a file or a folder that was named. */
function treeOf(path: string): string {
  const root = findRoot(path);
  return root === path && !existsSync(`${path}/.`) ? dirname(path) : root;
}

/** @param roots the trees of what was named: a link that leads out of them is not followed. */
function diskFileSystem(
  roots: readonly string[],
  texts: ReadonlyMap<string, TextFile>,
): FileSystem {
  const leadsOut = (path: string): boolean => leadsOutside(path, roots);
  return {
    async readFile(path) {
      const text = texts.get(path)?.text;
      if (text !== undefined) return text;
      try {
        return leadsOut(path) ? undefined : decode(readRegularFile(path)).text;
      } catch {
        return undefined;
      }
    },
    async readDirectory(path) {
      try {
        if (leadsOut(path)) return [];
        return readdirSync(path, { withFileTypes: true }).map((entry) =>
          entry.isDirectory() ? `${entry.name}/` : entry.name,
        );
      } catch {
        return [];
      }
    },
  };
}
