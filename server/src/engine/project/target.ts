/**
 * The target kernel: the option, then the setting, then the configuration file, then the workspace (a kernel tree's Makefile, include/linux/vfio.h), then
 * 6.1, or the first later kernel that has what the driver uses. Which it was, and why, is part of the answer.
 */
import { isKnownKernel, KNOWN_KERNELS } from '../../kernel/known-kernels.ts';
import { compareVersions, formatVersion, inRange, parseVersion } from '../../kernel/version.ts';
import type { ApiEntry, KernelRange, KernelVersion } from '../../kernel/types.ts';
import type { FileSystem, TargetKernel } from '../types.ts';
import { folderOf, isInside, nameOf, resolve } from './paths.ts';
import { neededKernel } from './used-interface.ts';
import { smallest } from '../../text/lists.ts';
import { withoutComments } from '../../text/lexical.ts';

export interface TargetOptions {
  /** `--kernel`. Must parse: the command line has checked it. */
  readonly option?: string | undefined;
  /** `vfioLifecycle.targetKernel`; empty means not set. */
  readonly setting?: string | undefined;
  /** What the configuration file says, which has been checked. */
  readonly file?: { readonly targetKernel: string; readonly path: string } | undefined;
  /** Folders above this one are not looked at. Without it the walk ends at the file system's root. */
  readonly root?: string | undefined;
  /** The texts of the sources of the file's module, asked for where nothing else says the kernel. */
  readonly sources?: (() => Promise<readonly string[]>) | undefined;
}

/** Is this a kernel version, such as `6.1`, `v6.1.192` or `6.1-rc7`? */
export function isKernelVersion(text: string): boolean {
  return parseVersion(text) !== undefined;
}

/** What is wrong with a text as the version of a target kernel, for a message that began with where it stands; undefined where nothing is. */
export function kernelProblem(text: string): string | undefined {
  const version = parseVersion(text);
  if (!version) return `${JSON.stringify(text)} is not a kernel version such as 6.1 or 6.12`;
  return isKnownKernel(version) ? undefined : `${text} ${OUTSIDE}`;
}

const OUTSIDE = `is outside of Linux ${KNOWN_KERNELS[0]} to ${KNOWN_KERNELS.at(-1)}, the kernels that are known`;

/** A sentence for a target that the tables say nothing of, with the kernels that they know; undefined for any other. */
export function whyUnknown({ version, text, reason }: TargetKernel): string | undefined {
  return isKnownKernel(version) ? undefined : `target kernel ${text} (${reason}) ${OUTSIDE}; name one of them with --kernel`;
}

/** Every kernel that can be a target, such as `6.1`, the oldest first. */
export function knownKernels(): readonly string[] {
  return KNOWN_KERNELS;
}

export { describeKernels, type KernelChoice } from '../../kernel/kernel-changes.ts';

/** The kernel of last resort: the first with the new model, and a long-term release. */
const STANDARD: KernelVersion = [6, 1];
const MAX_LEVELS = 40;

/**
 * Finds the target kernel for `file`. An option or setting that is no version is passed over, and the reason says so; the
 * function never throws.
 */
export async function detectTarget(fs: FileSystem, file: string, options: TargetOptions, api: readonly ApiEntry[]): Promise<TargetKernel> {
  const option = parsed(options.option);
  if (option.version) return target(option.version, 'option', 'from --kernel');
  const setting = parsed(options.setting);
  if (setting.version) return target(setting.version, 'setting', 'from the setting vfioLifecycle.targetKernel');
  const stated = parsed(options.file?.targetKernel).version;
  const found = stated ? target(stated, 'file', `from ${nameOf(options.file!.path)}`) : await fromWorkspace(fs, file, options.root, api) ?? await fromDriver(options, api) ?? target(STANDARD, 'default', 'the default: no kernel tree around the file');
  const bad = option.bad ?? setting.bad;
  if (bad === undefined) return found;
  return { ...found, reason: `${found.reason}; ${JSON.stringify(bad.slice(0, 40))} is not a kernel version such as 6.1 or 6.12` };
}

function parsed(text: string | undefined): { version?: KernelVersion; bad?: string } {
  if (text === undefined || text.trim() === '') return {};
  const version = parseVersion(text);
  return version ? { version } : { bad: text };
}

function target(version: KernelVersion, source: TargetKernel['source'], reason: string): TargetKernel {
  return { version, text: formatVersion(version), source, reason };
}

/** What the driver is not written for says nothing about the driver: one that fills `.detach_ioas` is judged as a driver of 6.6, not by each name that 6.1 lacks. */
async function fromDriver({ sources }: TargetOptions, api: readonly ApiEntry[]): Promise<TargetKernel | undefined> {
  const needed = sources && neededKernel(await sources(), api, STANDARD);
  return needed && target(needed.version, 'driver', `the first with ${needed.name}, which the driver uses; no kernel tree around the file`);
}

async function fromWorkspace(fs: FileSystem, file: string, root: string | undefined, api: readonly ApiEntry[]): Promise<TargetKernel | undefined> {
  let folder = folderOf(file);
  for (let level = 0; folder !== undefined && level < MAX_LEVELS; level++) {
    if (root !== undefined && !isInside(folder, root)) return undefined;
    const makefile = await fs.readFile(resolve(folder, 'Makefile')!);
    const stated = makefile === undefined ? undefined : versionOfMakefile(makefile);
    const header = await fs.readFile(resolve(folder, 'include/linux/vfio.h')!);
    const range = header === undefined ? undefined : kernelsOfHeader(header, api);
    if (stated) {
      // A distribution's kernel keeps its number and takes the interfaces of later ones: the header is what a driver meets.
      if (range && !covers(range, stated)) {
        return target(range.since, 'header', `from include/linux/vfio.h of the kernel tree, whose interface is that of ${formatVersion(range.since)} although its Makefile says ${formatVersion(stated)}`);
      }
      return target(stated, 'makefile', "from the kernel tree's Makefile");
    }
    if (range) return target(range.since, 'header', `from include/linux/vfio.h, whose interface is that of ${formatVersion(range.since)}`);
    folder = folderOf(folder);
  }
  return undefined;
}

/** VERSION and PATCHLEVEL of a kernel's top Makefile; undefined for any other Makefile. */
export function versionOfMakefile(text: string): KernelVersion | undefined {
  const head = text.slice(0, 4_096);
  const major = /^VERSION[ \t]*=[ \t]*(\d+)[ \t]*\r?$/m.exec(head)?.[1];
  const minor = /^PATCHLEVEL[ \t]*=[ \t]*(\d+)[ \t]*\r?$/m.exec(head)?.[1];
  return major === undefined || minor === undefined ? undefined : parseVersion(`${major}.${minor}`);
}

interface HeaderKernels { readonly since: KernelVersion; readonly until: KernelVersion | undefined }

/**
 * The kernels whose include/linux/vfio.h declares what `header` declares, judged by the names of the knowledge base. Undefined
 * when the text is no such header, or when it fits no kernel at all well.
 */
export function kernelsOfHeader(header: string, api: readonly ApiEntry[]): HeaderKernels | undefined {
  const text = withoutComments(header);
  const names = new Set(text.match(/[A-Za-z_]\w*/g));
  if (!names.has('vfio_device_ops')) return undefined;
  // A name may have two lives (`.release`); it is one mark, present in the kernels of either.
  const marks = new Map<string, { kernels: KernelRange[]; present: boolean }>();
  for (const entry of api) {
    if (!/(?:^|\/)linux\/vfio\.h$/.test(entry.header) || entry.kind === 'struct') continue;
    // Members come with a pointer declarator, so that `release` is not mistaken for a word of another declaration.
    const pattern = entry.kind === 'member' ? `\\(\\s*\\*\\s*${entry.name}\\s*\\)\\s*\\(` : `\\b${entry.name}\\s*\\(`;
    const known = marks.get(pattern);
    if (known) known.kernels.push(entry.kernels);
    else marks.set(pattern, { kernels: [entry.kernels], present: new RegExp(pattern).test(text) });
  }
  const borders = new Map<string, KernelVersion>();
  for (const { kernels } of marks.values()) for (const one of kernels.flatMap((range) => [range.since, range.until])) if (one) borders.set(formatVersion(one), one);
  const candidates = [...borders.values()].sort(compareVersions);
  // Kernels older than the first border are a candidate too.
  if (candidates[0] && candidates[0][1] > 0) candidates.unshift([candidates[0][0], candidates[0][1] - 1]);
  const wrong = candidates.map((version) => [...marks.values()].filter((mark) => mark.kernels.some((range) => inRange(version, range)) !== mark.present).length);
  const least = smallest(wrong);
  const first = wrong.indexOf(least);
  if (first < 0 || least * 4 > marks.size) return undefined;
  let end = first + 1;
  while (end < candidates.length && wrong[end] === least) end++;
  return { since: candidates[first]!, until: candidates[end] };
}

function covers(range: HeaderKernels, version: KernelVersion): boolean {
  return compareVersions(version, range.since) >= 0 && (range.until === undefined || compareVersions(version, range.until) < 0);
}
