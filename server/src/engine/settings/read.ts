/**
 * Settings from the editor and from `.vfio-lifecycle.json`, and what counts when both say
 * something.
 */
import { readJson } from '../../text/json.ts';
import { folderOf, isInside, resolve } from '../project/paths.ts';
import type { Configuration, FileSystem } from '../types.ts';
import type { GenericSchema } from 'valibot';
import { ruleSettings } from './rule-settings.ts';
import { FILE, SECTION, type Written } from './schema.ts';
import { validate } from './validate.ts';
import { rowsOf } from './wrappers.ts';

/** The settings that were understood, and one sentence for each that was not. */
export interface Settings {
  readonly configuration: Configuration;
  readonly problems: readonly string[];
}

/** The name of the file with the settings of a tree. */
const CONFIGURATION_FILE = '.vfio-lifecycle.json';

/**
 * Reads the section `vfioLifecycle`, which a user typed. Total: a bad setting is passed over, and
 * the rest works.
 */
export function readSection(section: unknown): Settings {
  if (section === undefined || section === null) return { configuration: {}, problems: [] };
  // Editors hand over null for what is not set.
  const set =
    typeof section === 'object' && !Array.isArray(section)
      ? Object.fromEntries(Object.entries(section).filter(([, value]) => value !== null))
      : section;
  const { configuration, problems } = read(SECTION, set);
  return { configuration, problems: problems.map((one) => `vfioLifecycle.${one}`) };
}

/** A `.vfio-lifecycle.json` that was found. */
export interface ConfigurationFile extends Settings {
  readonly path: string;
  /** `"root": true`: what is above it does not count. */
  readonly isRoot: boolean;
}

/** What the configuration files around a file say. */
export interface TreeSettings {
  /** All that count, the nearest first. */
  readonly files: readonly ConfigurationFile[];
  /** What they say together; undefined where there is none. */
  readonly configuration: Configuration | undefined;
  /** What names the target kernel, for detectTarget(). */
  readonly target: { readonly path: string; readonly targetKernel: string } | undefined;
}

/** Finds the configuration files of trees; the same texts give the same objects. One per host. */
export interface ConfigurationFiles {
  /**
   * What counts for `file`: the files in its folder and above it, up to the first that is a root,
   * and up to `border`; without one up to the file system's root. A nearer one counts first, for
   * each rule, function and value by itself. Never throws.
   */
  around(file: string, border: string | undefined): Promise<TreeSettings>;
}

const MAX_LEVELS = 40;

/**
 * Asks `fs`, which may cache, on every call.
 * @param tellsUnreadable whether a file that is there and cannot be read is told: folders are read
 * for that, which not every host has at hand.
 */
export function createConfigurationFiles(
  fs: FileSystem,
  tellsUnreadable = false,
): ConfigurationFiles {
  const known = new Map<string, { text: string; file: ConfigurationFile }>();
  async function unreadableIn(
    folder: string,
    path: string,
  ): Promise<ConfigurationFile | undefined> {
    const names = await fs.readDirectory(folder);
    const isThere = names.includes(CONFIGURATION_FILE) || names.includes(`${CONFIGURATION_FILE}/`);
    return isThere ? { path, ...UNREADABLE } : undefined;
  }
  async function fileIn(folder: string): Promise<ConfigurationFile | undefined> {
    const path = resolve(folder, CONFIGURATION_FILE)!;
    const text = await fs.readFile(path);
    if (text === undefined) return tellsUnreadable ? unreadableIn(folder, path) : undefined;
    const before = known.get(path);
    if (before?.text === text) return before.file;
    const file = { path, ...readFile(text, folder) };
    known.set(path, { text, file });
    return file;
  }
  return {
    async around(file, border) {
      const files: ConfigurationFile[] = [];
      let folder = folderOf(file);
      for (let level = 0; folder !== undefined && level < MAX_LEVELS; level++) {
        if (border !== undefined && !isInside(folder, border)) break;
        const found = await fileIn(folder);
        if (found) files.push(found);
        if (found?.isRoot) break;
        folder = folderOf(folder);
      }
      return together(files);
    },
  };
}

const UNREADABLE = { configuration: {}, problems: ['it cannot be read'], isRoot: false };

function together(files: readonly ConfigurationFile[]): TreeSettings {
  const configuration = files.reduceRight<Configuration | undefined>(
    (above, one) => mergeConfigurations(one.configuration, above),
    undefined,
  );
  const stated = files.find((one) => one.configuration.targetKernel !== undefined);
  const target = stated && {
    path: stated.path,
    targetKernel: stated.configuration.targetKernel!,
  };
  return { files, configuration, target };
}

function readFile(text: string, folder: string): Settings & { readonly isRoot: boolean } {
  const json = readJson(text);
  if ('problem' in json)
    return { configuration: {}, problems: [`not JSON: ${json.problem}`], isRoot: false };
  const { configuration, problems, isRoot } = read(FILE, json.value);
  const { baseline, ...rest } = configuration;
  const path = baseline === undefined ? undefined : resolve(folder, baseline);
  const wrong =
    baseline !== undefined && path === undefined
      ? [`baseline: ${JSON.stringify(baseline)} is no path relative to this file`]
      : [];
  return {
    configuration: { ...rest, ...(path !== undefined && { baseline: path }) },
    problems: [...json.repeated, ...problems, ...wrong],
    isRoot,
  };
}

function read(
  schema: GenericSchema<unknown, Written>,
  value: unknown,
): Settings & { readonly isRoot: boolean } {
  const { value: valid, problems } = validate(schema, value, '');
  const { targetKernel, rules, wrappers, baseline, root, inlayHints, codeLens }: Written =
    valid ?? {};
  const reports = rules && ruleSettings(rules, 'rules');
  return {
    configuration: {
      ...(targetKernel !== undefined && { targetKernel }),
      ...(reports && { rules: reports.rules }),
      ...(wrappers && { wrappers }),
      ...(baseline !== undefined && { baseline }),
      ...(inlayHints !== undefined && { inlayHints }),
      ...(codeLens !== undefined && { codeLens }),
    },
    problems: firstOf([
      ...problems,
      ...(reports?.problems ?? []),
      ...(wrappers ? rowsOf(wrappers).problems : []),
    ]),
    isRoot: root === true,
  };
}

/** Nobody reads further than this. */
const MAX_PROBLEMS = 10;

function firstOf(problems: readonly string[]): readonly string[] {
  const more = problems.length - MAX_PROBLEMS;
  return more > 1 ? [...problems.slice(0, MAX_PROBLEMS), `and ${more} more`] : problems;
}

const merged = new WeakMap<Configuration, WeakMap<Configuration, Configuration>>();

/**
 * Both together: where both say something of one rule or one function, `first` counts. The same two
 * give the same object, because
 * results are remembered for the very settings they were made with.
 */
export function mergeConfigurations(
  first: Configuration,
  second: Configuration | undefined,
): Configuration {
  if (second === undefined) return first;
  let known = merged.get(first);
  if (!known) merged.set(first, (known = new WeakMap()));
  let both = known.get(second);
  if (!both) known.set(second, (both = merge(first, second)));
  return both;
}

function merge(first: Configuration, second: Configuration): Configuration {
  const rules = { ...second.rules, ...first.rules };
  const names = new Set(first.wrappers?.map((one) => one.name));
  const wrappers = [
    ...(first.wrappers ?? []),
    ...(second.wrappers ?? []).filter((one) => !names.has(one.name)),
  ];
  const targetKernel = first.targetKernel || second.targetKernel;
  const baseline = first.baseline ?? second.baseline;
  return {
    rules,
    ...(wrappers.length > 0 && { wrappers }),
    ...(targetKernel && { targetKernel }),
    ...(baseline !== undefined && { baseline }),
  };
}
