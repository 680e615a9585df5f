/**
 * What each known kernel brought to the interface of VFIO drivers, in a line: for a person who
 * picks the target.
 */
import { KNOWN_KERNELS } from './known-kernels.ts';
import { API_ENTRIES } from './lifecycle-api.ts';
import type { ApiEntry } from './types.ts';
import { formatVersion } from './version.ts';

/** A kernel that can be the target. */
export interface KernelChoice {
  /** `6.1` */
  readonly version: string;
  /**
   * `vfio_alloc_device(), .init; without vfio_init_group_dev()`, or of which kernel it has the
   * interface.
   */
  readonly brings: string;
}

/** More names than these are only counted. */
const MAX_COME = 6;
const MAX_GONE = 3;

/** Every kernel that can be a target, the newest first. */
export function describeKernels(): readonly KernelChoice[] {
  let last = '';
  return KNOWN_KERNELS.map((version) => {
    const come = namesAt(version, 'since');
    const gone = namesAt(version, 'until');
    const parts = [
      ...(come.length > 0 ? [listed(come, MAX_COME)] : []),
      ...(gone.length > 0 ? [`without ${listed(gone, MAX_GONE)}`] : []),
    ];
    if (parts.length > 0 || last === '') last = version;
    return { version, brings: parts.join('; ') || unchanged(version, last) };
  }).reverse();
}

function unchanged(version: string, last: string): string {
  return version === last ? 'the oldest known interface' : `the interface of ${last}`;
}

/**
 * What is there first (or no more) in a kernel; a member that only has another meaning from then on
 * is neither.
 */
function namesAt(version: string, end: 'since' | 'until'): readonly string[] {
  const border = (entry: ApiEntry, which: 'since' | 'until'): boolean => {
    const at = entry.kernels[which];
    return at !== undefined && formatVersion(at) === version;
  };
  const other = end === 'since' ? 'until' : 'since';
  const names = API_ENTRIES.filter((entry) => isForDrivers(entry) && border(entry, end)).map(
    shownName,
  );
  const changed = new Set(API_ENTRIES.filter((entry) => border(entry, other)).map(shownName));
  return [...new Set(names)].filter((name) => !changed.has(name));
}

/** Structs come with their functions, and drivers do not call what is private to the core. */
function isForDrivers({ name, kind, model, isPrivate }: ApiEntry): boolean {
  return kind !== 'struct' && model !== 'general' && isPrivate !== true && !name.startsWith('_');
}

function shownName({ name, kind }: ApiEntry): string {
  return kind === 'member' ? `.${name}` : `${name}()`;
}

/** Members tell most in least space: they come in, whatever is only counted. */
function listed(names: readonly string[], most: number): string {
  const members = names.filter((name) => name.startsWith('.'));
  const others = names.filter((name) => !name.startsWith('.'));
  const shown = [...others.slice(0, Math.max(1, most - members.length)), ...members].slice(0, most);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
