/**
 * Guesses from names: which macro of a build says whether the kernel has something, as configure
 * scripts call them (`HAVE_VFIO_PUT_DEVICE`, `NV_VFIO_UNINIT_GROUP_DEV_PRESENT`).
 */

const WORDS: ReadonlySet<string> = new Set([
  'HAVE',
  'HAS',
  'PRESENT',
  'SUPPORTED',
  'SUPPORTS',
  'AVAILABLE',
  'EXISTS',
  'DEFINED',
  'NEED',
  'NEEDS',
  'LACKS',
  'MISSING',
  'COMPAT',
  'BACKPORT',
  'BACKPORTED',
]);

/** Whether a macro's name has a word by which a build speaks of what the kernel has. */
export function isFeatureName(name: string): boolean {
  return name
    .toUpperCase()
    .split('_')
    .some((word) => WORDS.has(word));
}

/** Whether a macro is named after a function or a member of the interface. */
export function isNamedAfter(name: string, api: string): boolean {
  const stem = api.replace(/^vfio_/, '').toUpperCase();
  return stem.includes('_') && name.toUpperCase().includes(stem);
}
