/**
 * The target kernel: the option, then the setting, then the configuration file, then the workspace
 * (a kernel tree's Makefile, include/linux/vfio.h; what a
 * module is built with out of tree), then 6.1, or the first later kernel that has what the driver
 * uses. Which it was, and why, is part of the answer.
 */
import { isKnownKernel, KNOWN_KERNELS } from '../../kernel/known-kernels.ts';
import { formatVersion, parseVersion } from '../../kernel/version.ts';
import type { ApiEntry, KernelVersion } from '../../kernel/types.ts';
import type { FileSystem, TargetKernel } from '../types.ts';
import { kernelOfBuild, kernelOfTree } from './kernel-tree.ts';
import { folderOf, isInside, nameOf } from './paths.ts';
import { hasWhatIsUsed, neededKernel } from './used-interface.ts';

export interface TargetOptions {
  /** `--kernel`. Must parse: the command line has checked it. */
  readonly option?: string | undefined;
  /** The kernel tree that the file is built for. */
  readonly tree?: string | undefined;
  /** `vfioLifecycle.targetKernel`; empty means not set. */
  readonly setting?: string | undefined;
  /** What the configuration file says, which has been checked. */
  readonly file?: { readonly targetKernel: string; readonly path: string } | undefined;
  /**
   * Folders above this one are not looked at. Without it the walk ends at the file system's root.
   */
  readonly root?: string | undefined;
  /**
   * The texts of the sources of the file's module, asked for where nothing else says the kernel.
   */
  readonly sources?: (() => Promise<readonly string[]>) | undefined;
}

/** Is this a kernel version, such as `6.1`, `v6.1.192` or `6.1-rc7`? */
export function isKernelVersion(text: string): boolean {
  return parseVersion(text) !== undefined;
}

/**
 * What is wrong with a text as the version of a target kernel, for a message that began with where
 * it stands; undefined where nothing is.
 */
export function kernelProblem(text: string): string | undefined {
  const version = parseVersion(text);
  if (!version) return `${JSON.stringify(text)} is not a kernel version such as 6.1 or 6.12`;
  return isKnownKernel(version) ? undefined : `${text} ${UNKNOWN}`;
}

const UNKNOWN = `is none of the kernels that are known, Linux ${KNOWN_KERNELS[0]} to ${KNOWN_KERNELS.at(-1)}`;

/**
 * A sentence for a target that the tables say nothing of, with the kernels that they know;
 * undefined for any other.
 */
export function whyUnknown({ version, text, reason }: TargetKernel): string | undefined {
  return isKnownKernel(version)
    ? undefined
    : `target kernel ${text} (${reason}) ${UNKNOWN}; name one of them with --kernel`;
}

/** Every kernel that can be a target, such as `6.1`, the oldest first. */
export function knownKernels(): readonly string[] {
  return KNOWN_KERNELS;
}

export { describeKernels, type KernelChoice } from '../../kernel/kernel-changes.ts';

/** The kernel of last resort: the first with the new model, and a long-term release. */
const STANDARD: KernelVersion = [6, 1];
const MAX_LEVELS = 40;
/** A build says which kernel it is for, whatever the driver is written for. */
const ALWAYS = () => Promise.resolve(true);

/**
 * Finds the target kernel for `file`. An option or setting that is no version is passed over, and
 * the reason says so; the
 * function never throws.
 */
export async function detectTarget(
  fs: FileSystem,
  file: string,
  options: TargetOptions,
  api: readonly ApiEntry[],
): Promise<TargetKernel> {
  const option = parsed(options.option);
  if (option.version) return target(option.version, 'option', 'from --kernel');
  const built =
    options.tree === undefined ? null : await kernelOfTree(fs, options.tree, ALWAYS, api);
  if (built) return target(built.version, built.source, built.reason);
  const setting = parsed(options.setting);
  if (setting.version)
    return target(setting.version, 'setting', 'from the setting vfioLifecycle.targetKernel');
  const stated = parsed(options.file?.targetKernel).version;
  const found = stated
    ? target(stated, 'file', `from ${nameOf(options.file!.path)}`)
    : ((await fromWorkspace(fs, file, options, api)) ??
      (await fromDriver(options, api)) ??
      target(STANDARD, 'default', 'the default: no kernel tree around the file'));
  const bad = option.bad ?? setting.bad;
  if (bad === undefined) return found;
  return {
    ...found,
    reason: `${found.reason}; ${JSON.stringify(bad.slice(0, 40))} is not a kernel version such as 6.1 or 6.12`,
  };
}

function parsed(text: string | undefined): { version?: KernelVersion; bad?: string } {
  if (text === undefined || text.trim() === '') return {};
  const version = parseVersion(text);
  return version ? { version } : { bad: text };
}

function target(
  version: KernelVersion,
  source: TargetKernel['source'],
  reason: string,
): TargetKernel {
  return { version, text: formatVersion(version), source, reason };
}

/**
 * What the driver is not written for says nothing about the driver: one that fills `.detach_ioas`
 * is judged as a driver of 6.6, not by each name that 6.1 lacks.
 */
async function fromDriver(
  { sources }: TargetOptions,
  api: readonly ApiEntry[],
): Promise<TargetKernel | undefined> {
  const needed = sources && neededKernel(await sources(), api, STANDARD);
  return (
    needed &&
    target(
      needed.version,
      'driver',
      `the first with ${needed.name}, which the driver uses; no kernel tree around the file`,
    )
  );
}

async function fromWorkspace(
  fs: FileSystem,
  file: string,
  { root, sources }: TargetOptions,
  api: readonly ApiEntry[],
): Promise<TargetKernel | undefined> {
  let texts: Promise<readonly string[]> | undefined;
  const suits = async (version: KernelVersion): Promise<boolean> =>
    hasWhatIsUsed(await (texts ??= sources?.() ?? Promise.resolve([])), api, version);
  let folder = folderOf(file);
  for (let level = 0; folder !== undefined && level < MAX_LEVELS; level++) {
    if (root !== undefined && !isInside(folder, root)) return undefined;
    const found =
      (await kernelOfTree(fs, folder, suits, api)) ?? (await kernelOfBuild(fs, folder, suits));
    if (found) return target(found.version, found.source, found.reason);
    folder = folderOf(folder);
  }
  return undefined;
}
