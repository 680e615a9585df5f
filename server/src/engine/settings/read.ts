/**
 * Settings from the editor and from `.vfio-lifecycle.json`, and what counts when both say
 * something.
 */
import { folderOf, isInside, resolve } from '../project/paths.ts';
import type { Configuration, FileSystem } from '../types.ts';
import { FILE_SCHEMA, SECTION_SCHEMA, type Schema } from './schema.ts';
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
  const { configuration, problems } = read(SECTION_SCHEMA, set);
  return { configuration, problems: problems.map((one) => `vfioLifecycle.${one}`) };
}

/** A `.vfio-lifecycle.json` that was found. */
export interface ConfigurationFile extends Settings {
  readonly path: string;
}

/** Finds the configuration files of trees; the same text gives the same object. One per host. */
export interface ConfigurationFiles {
  /**
   * The nearest file, in the folder of `file` or above it up to `root`; without a root up to the
   * file system's. Never throws.
   */
  nearest(file: string, root: string | undefined): Promise<ConfigurationFile | undefined>;
}

const MAX_LEVELS = 40;

/** Asks `fs`, which may cache, on every call. */
export function createConfigurationFiles(fs: FileSystem): ConfigurationFiles {
  const known = new Map<string, { text: string; file: ConfigurationFile }>();
  return {
    async nearest(file, root) {
      let folder = folderOf(file);
      for (
        let level = 0;
        folder !== undefined &&
        level < MAX_LEVELS &&
        (root === undefined || isInside(folder, root));
        level++
      ) {
        const path = resolve(folder, CONFIGURATION_FILE)!;
        const text = await fs.readFile(path);
        if (text !== undefined) {
          const before = known.get(path);
          if (before?.text === text) return before.file;
          const found = { path, ...readFile(text, folder) };
          known.set(path, { text, file: found });
          return found;
        }
        folder = folderOf(folder);
      }
      return undefined;
    },
  };
}

function readFile(text: string, folder: string): Settings {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return {
      configuration: {},
      problems: [
        `not JSON: ${(error instanceof Error ? error.message : String(error)).split('\n', 1)[0]}`,
      ],
    };
  }
  const { configuration, problems } = read(FILE_SCHEMA, value);
  const { baseline, ...rest } = configuration;
  if (baseline === undefined) return { configuration, problems };
  const path = resolve(folder, baseline);
  return path === undefined
    ? {
        configuration: rest,
        problems: [
          ...problems,
          `baseline: ${JSON.stringify(baseline)} is no path relative to this file`,
        ],
      }
    : { configuration: { ...rest, baseline: path }, problems };
}

function read(schema: Schema, value: unknown): Settings {
  const { value: valid, problems } = validate(schema, value, '');
  const { targetKernel, rules, wrappers, baseline } = (valid ?? {}) as Configuration;
  return {
    configuration: {
      ...(targetKernel !== undefined && { targetKernel }),
      ...(rules && { rules }),
      ...(wrappers && { wrappers }),
      ...(baseline !== undefined && { baseline }),
    },
    problems: firstOf([...problems, ...(wrappers ? rowsOf(wrappers).problems : [])]),
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
