/**
 * What a folder says of the kernel that the drivers in it are built with: it is the top of a kernel
 * tree, or has files that build a module out of tree.
 */
import {
  compareVersions,
  formatVersion,
  inRange,
  parseVersion,
  uncertainBackport,
} from '../../kernel/version.ts';
import { KNOWN_KERNELS, isKnownKernel } from '../../kernel/known-kernels.ts';
import type { ApiEntry, KernelRange, KernelVersion } from '../../kernel/types.ts';
import { withoutComments } from '../../text/lexical.ts';
import { smallest } from '../../text/lists.ts';
import type { FileSystem } from '../types.ts';
import { expandedVariables } from './kbuild.ts';
import { resolve } from './paths.ts';

/** A kernel, and what says so as a clause. */
export interface StatedKernel {
  readonly version: KernelVersion;
  readonly source: 'makefile' | 'header' | 'build';
  readonly reason: string;
}

/** Asks whether a kernel has all that the driver uses. */
export type Suits = (version: KernelVersion) => Promise<boolean>;

/** The kernel of the tree whose top is `folder`; undefined where it is no such folder. */
export async function kernelOfTree(
  fs: FileSystem,
  folder: string,
  suits: Suits,
  api: readonly ApiEntry[],
): Promise<StatedKernel | undefined> {
  const makefile = await fs.readFile(resolve(folder, 'Makefile')!);
  const header = await fs.readFile(resolve(folder, 'include/linux/vfio.h')!);
  const stated = makefile === undefined ? undefined : versionOfMakefile(makefile);
  const range = header === undefined ? undefined : kernelsOfHeader(header, api);
  if (stated && (await isTop(fs, folder, makefile!, stated, suits))) {
    if (!range || range.fits(stated))
      return { version: stated, source: 'makefile', reason: "from the kernel tree's Makefile" };
    // A distribution's kernel keeps its number and takes the interfaces of later ones: the header
    // is what a driver meets.
    return {
      version: range.since,
      source: 'header',
      reason: `from include/linux/vfio.h of the kernel tree, whose interface is that of ${formatVersion(range.since)} although its Makefile says ${formatVersion(stated)}`,
    };
  }
  return (
    range && {
      version: range.since,
      source: 'header',
      reason: `from include/linux/vfio.h, whose interface is that of ${formatVersion(range.since)}`,
    }
  );
}

/**
 * VERSION and PATCHLEVEL at the head of a Makefile; undefined for one that has not both. A driver's
 * own may have them too.
 */
export function versionOfMakefile(text: string): KernelVersion | undefined {
  const head = text.slice(0, HEAD);
  const major = /^VERSION[ \t]*=[ \t]*(\d+)[ \t]*\r?$/m.exec(head)?.[1];
  const minor = /^PATCHLEVEL[ \t]*=[ \t]*(\d+)[ \t]*\r?$/m.exec(head)?.[1];
  const sublevel = /^SUBLEVEL[ \t]*=[ \t]*(\d+)[ \t]*\r?$/m.exec(head)?.[1] ?? '0';
  return major === undefined || minor === undefined
    ? undefined
    : parseVersion(`${major}.${minor}.${sublevel}`);
}

/** Characters of a Makefile in which a kernel's has its version. */
const HEAD = 4_096;

/** Folders at the top of a kernel tree; a driver may have one of them too. */
const FOLDERS: readonly string[] = ['arch/', 'drivers/', 'init/', 'kernel/', 'scripts/'];

/**
 * Whether a Makefile with a version is that of a kernel and not a driver's own: it says more of the
 * version, or stands among a kernel's files.
 * For a kernel that nobody knows, or that lacks what the driver uses, there have to be more of
 * those.
 */
async function isTop(
  fs: FileSystem,
  folder: string,
  makefile: string,
  version: KernelVersion,
  suits: Suits,
): Promise<boolean> {
  const entries = await fs.readDirectory(folder);
  const headers = entries.includes('include/')
    ? await fs.readDirectory(resolve(folder, 'include')!)
    : [];
  const folders =
    FOLDERS.filter((one) => entries.includes(one)).length + (headers.includes('linux/') ? 1 : 0);
  const saysMore =
    /^(?:SUBLEVEL|EXTRAVERSION)[ \t]*=/m.test(makefile.slice(0, HEAD)) ||
    entries.includes('Kbuild');
  // Asked first: it is so in every whole tree, and what the driver uses has to be read for each
  // file.
  if (saysMore && folders > 1) return true;
  return (saysMore || folders > 0) && isKnownKernel(version) && (await suits(version));
}

interface HeaderKernels {
  readonly since: KernelVersion;
  /** Whether a kernel fits the header as well as any does. */
  fits(version: KernelVersion): boolean;
}

/**
 * The kernels whose include/linux/vfio.h declares what `header` declares, judged by the names of
 * the knowledge base. Undefined
 * when the text is no such header, or when it fits no kernel at all well.
 */
export function kernelsOfHeader(
  header: string,
  api: readonly ApiEntry[],
): HeaderKernels | undefined {
  const text = withoutComments(header);
  const names = new Set(text.match(/[A-Za-z_]\w*/g));
  if (!names.has('vfio_device_ops')) return undefined;
  // A name may have two lives (`.release`); it is one mark, present in the kernels of either.
  const marks = new Map<string, { kernels: KernelRange[]; present: boolean }>();
  for (const entry of api) {
    if (!/(?:^|\/)linux\/vfio\.h$/.test(entry.header) || !isMark(entry)) continue;
    // Members come with a pointer declarator, so that `release` is not mistaken for a word of
    // another declaration.
    const pattern =
      entry.kind === 'member'
        ? `\\(\\s*\\*\\s*${entry.name}\\s*\\)\\s*\\(`
        : `\\b${entry.name}\\s*\\(`;
    const known = marks.get(pattern);
    if (known) known.kernels.push(entry.kernels);
    else marks.set(pattern, { kernels: [entry.kernels], present: new RegExp(pattern).test(text) });
  }
  const borders = new Map<string, KernelVersion>();
  for (const { kernels } of marks.values())
    for (const one of kernels.flatMap(({ since, until, backports = [] }) => [
      since,
      until,
      ...backports.filter((release) => release.length > 2),
    ]))
      if (one) borders.set(formatVersion(one), one);
  // What is older than the first border has the interface of the first known kernel.
  const oldest = parseVersion(`${KNOWN_KERNELS[0]}.0`)!;
  const candidates = [oldest, ...borders.values()].sort(compareVersions);
  const wrongAt = (version: KernelVersion): number =>
    [...marks.values()].filter(
      ({ kernels, present }) =>
        kernels.some((range) => inRange(version, range)) !== present &&
        !kernels.some((range) => uncertainBackport(version, range)),
    ).length;
  const wrong = candidates.map(wrongAt);
  const least = smallest(wrong);
  const first = wrong.indexOf(least);
  if (first < 0 || least * 4 > marks.size) return undefined;
  const [major, minor, sublevel] = candidates[first]!;
  const since: KernelVersion = sublevel ? candidates[first]! : [major, minor];
  return { since, fits: (version) => wrongAt(version) <= least };
}

/**
 * What a scan of text can tell in a header: functions, macros with arguments, callbacks; of the life
 * cycle, since a header of a driver's own has no more.
 */
function isMark({ kind, model, signatures }: ApiEntry): boolean {
  if (model === 'general') return false;
  if (kind === 'member') return signatures.some(({ text }) => text.includes('(*'));
  return kind === 'function' || kind === 'macro';
}

/** What a module's own Makefile calls the folder of the kernel that it is built with. */
const KERNEL_FOLDERS = [
  'KDIR',
  'KERNELDIR',
  'KERNEL_DIR',
  'KERNEL_SRC',
  'KERNEL_SRC_DIR',
  'KSRC',
  'KERNEL',
];

/**
 * The kernel that a module is built with out of tree: the folder that KDIR or its like names, else
 * what dkms.conf allows. Undefined where nothing says
 * one that has what the driver uses. No folder outside of the workspace is looked into: its name
 * says the version.
 */
export async function kernelOfBuild(
  fs: FileSystem,
  folder: string,
  suits: Suits,
): Promise<StatedKernel | undefined> {
  for (const name of ['GNUmakefile', 'Makefile', 'Kbuild']) {
    const text = await fs.readFile(resolve(folder, name)!);
    for (const { path, from } of text === undefined ? [] : kernelFolders(text)) {
      const version = versionInPath(path) ?? (await versionThere(fs, folder, path));
      if (version && isKnownKernel(version) && (await suits(version)))
        return { version, source: 'build', reason: `from ${from} in the module's ${name}` };
    }
  }
  const dkms = await fs.readFile(resolve(folder, 'dkms.conf')!);
  const version = dkms === undefined ? undefined : await versionOfDkms(dkms, suits);
  return (
    version && {
      version,
      source: 'build',
      reason: 'the first that dkms.conf allows from 6.1 on, or the last before it',
    }
  );
}

/** Recipes of one makefile: nobody writes more. */
const MAX_RECIPES = 100;

/**
 * The folders that a makefile names as the kernel's, each with what says so: a variable, or make -C
 * of a recipe.
 */
function kernelFolders(text: string): readonly { readonly path: string; readonly from: string }[] {
  const valueOf = expandedVariables(text.replaceAll('$(shell pwd)', '.'));
  const words = (value: string): readonly string[] =>
    value.split(/\s+/).filter((one) => one !== '');
  const named = KERNEL_FOLDERS.flatMap((variable) =>
    words(valueOf(variable)).map((path) => ({ path, from: variable })),
  );
  const recipes = [...text.matchAll(/^\t[^\n]*?\s-C[ \t]*([^\s;&|]+)/gm)].slice(0, MAX_RECIPES);
  const entered = recipes.flatMap(([, path]) =>
    words(path!.replace(/\$[({]([\w.-]+)[)}]/g, (_, name: string) => valueOf(name))).map((one) => ({
      path: one,
      from: 'make -C',
    })),
  );
  return [...named, ...entered];
}

/**
 * `/lib/modules/5.15.0-91-generic/build`, `/usr/src/linux-headers-6.1.0-18-amd64`,
 * `../linux-6.6.30`
 */
function versionInPath(path: string): KernelVersion | undefined {
  const found =
    /(?:^|\/)(?:lib\/modules\/|(?:linux|kernel)(?:-[a-z]+)*-v?)(\d+\.\d+(?:\.\d+)?)(?!\d)/.exec(
      path,
    )?.[1];
  return found === undefined ? undefined : parseVersion(found);
}

/** What a configured kernel calls itself: `6.6.30-rpi`. */
const RELEASE = 'include/config/kernel.release';

async function versionThere(
  fs: FileSystem,
  folder: string,
  path: string,
): Promise<KernelVersion | undefined> {
  const there = resolve(folder, path);
  if (there === undefined) return undefined;
  const makefile = await fs.readFile(resolve(there, 'Makefile')!);
  const stated = makefile === undefined ? undefined : versionOfMakefile(makefile);
  // The Makefile of a distribution's headers only includes another.
  const release = stated ? undefined : await fs.readFile(resolve(there, RELEASE)!);
  return stated ?? (release === undefined ? undefined : parseVersion(release));
}

/** The first kernel with the new model. */
const FIRST: KernelVersion = [6, 1];

/**
 * BUILD_EXCLUSIVE_KERNEL is a regular expression; the versions that are written in it are what
 * counts. BUILD_EXCLUSIVE_KERNEL_MIN is a version.
 */
async function versionOfDkms(text: string, suits: Suits): Promise<KernelVersion | undefined> {
  const pattern = /^[ \t]*BUILD_EXCLUSIVE_KERNEL[ \t]*=(.*)$/m.exec(text)?.[1] ?? '';
  const least = /^[ \t]*BUILD_EXCLUSIVE_KERNEL_MIN[ \t]*=[ \t]*["']?([\d.]+)/m.exec(text)?.[1];
  const from = least === undefined ? undefined : parseVersion(least);
  const named = new Set(versionsIn(pattern));
  if (named.size === 0 && !from) return undefined;
  const allowed = KNOWN_KERNELS.filter(
    (one) =>
      (named.size === 0 || named.has(one)) &&
      (!from || compareVersions(parseVersion(one)!, from) >= 0),
  ).map((one) => parseVersion(one)!);
  const later = allowed.filter((one) => compareVersions(one, FIRST) >= 0);
  const earlier = allowed.filter((one) => compareVersions(one, FIRST) < 0).reverse();
  for (const version of [...later, ...earlier]) if (await suits(version)) return version;
  return undefined;
}

/** The versions in `^(5\.15|6\.[1-9]|6\.(1[0-2]))\..*`. */
function versionsIn(pattern: string): string[] {
  return [
    ...pattern.slice(0, 500).matchAll(/(\d{1,2})\\{0,2}\.(\((?:[^()]{0,80})\)|[\d[\]-]{1,20})/g),
  ].flatMap(([, major, minors]) =>
    minors!
      .replace(/^\(|\)$/g, '')
      .split('|')
      .flatMap(numbersLike)
      .map((minor) => `${major}.${minor}`),
  );
}

/**
 * The numbers below 100 that a part of a pattern matches: digits, and sets of them such as `[1-9]`.
 */
function numbersLike(part: string): string[] {
  if (!/^(?:\d|\[[\d-]+\]){1,2}$/.test(part)) return [];
  const ends = [...part.matchAll(/(\d)-(\d)/g)];
  if (ends.some(([, first, last]) => first! > last!)) return [];
  const whole = new RegExp(`^${part}$`);
  return Array.from({ length: 100 }, (_, i) => String(i)).filter((number) => whole.test(number));
}
