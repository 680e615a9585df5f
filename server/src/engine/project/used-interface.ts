/**
 * The kernel that a driver without a kernel tree around it must be for, told by the life-cycle
 * interface that it uses. A scan of text, because the
 * target is wanted before anything is parsed.
 */
import { compareVersions, inRange } from '../../kernel/version.ts';
import type { ApiEntry, KernelRange, KernelVersion } from '../../kernel/types.ts';
import { COMMENT_OR_STRING } from '../../text/lexical.ts';

export interface NeededKernel {
  readonly version: KernelVersion;
  /** What an older kernel lacks, as a user writes it: `.detach_ioas`, `vfio_foo()`. */
  readonly name: string;
}

/**
 * The first kernel from `least` on that has every function and every ops member that `texts`, the
 * sources of one module, use outside of `#if`.
 * Undefined when `least` has them all, and when no kernel has: such a module is for several
 * kernels, or half way to another, and says nothing.
 */
export function neededKernel(
  texts: readonly string[],
  api: readonly ApiEntry[],
  least: KernelVersion,
): NeededKernel | undefined {
  const uses = usesIn(texts, api);
  const late = uses
    .flatMap(({ name, kernels }) =>
      kernels.some((one) => inRange(least, one))
        ? []
        : kernels.flatMap(({ since }) =>
            since && compareVersions(since, least) > 0 ? [{ name, version: since }] : [],
          ),
    )
    .sort((left, right) => compareVersions(right.version, left.version));
  const needed = late[0];
  return needed && uses.every(({ kernels }) => kernels.some((one) => inRange(needed.version, one)))
    ? needed
    : undefined;
}

/**
 * Whether a kernel has every function and every ops member that `texts`, the sources of one module,
 * use outside of `#if`.
 */
export function hasWhatIsUsed(
  texts: readonly string[],
  api: readonly ApiEntry[],
  version: KernelVersion,
): boolean {
  return usesIn(texts, api).every(({ kernels }) => kernels.some((one) => inRange(version, one)));
}

interface Use {
  /** As a user writes it. */
  readonly name: string;
  /** It is in the kernels of any of these. */
  readonly kernels: readonly KernelRange[];
}

function usesIn(texts: readonly string[], api: readonly ApiEntry[]): readonly Use[] {
  const plain = texts.map(withoutComments);
  const open = plain.map(outsideOfConditions);
  const uses: Use[] = [];
  for (const [name, kernels] of tableMembers(open, api)) uses.push({ name: `.${name}`, kernels });
  for (const entry of api) {
    if (entry.kind !== 'function' && entry.kind !== 'macro') continue;
    if (entry.isPrivate || entry.model === 'general') continue;
    const call = new RegExp(`\\b${entry.name}\\s*\\(`);
    // A macro or a function of the driver's own with that name fills the gap of other kernels.
    const own = new RegExp(
      `^[ \\t]*#[ \\t]*define[ \\t]+${entry.name}\\b|\\b${entry.name}\\s*\\([^;{}()]*\\)\\s*\\{`,
      'm',
    );
    if (open.some((text) => call.test(text)) && !plain.some((text) => own.test(text)))
      uses.push({ name: `${entry.name}()`, kernels: [entry.kernels] });
  }
  return uses;
}

/**
 * The members that the tables in `texts` fill, by name with the kernels that have them; a name may
 * have two lives.
 */
function tableMembers(
  texts: readonly string[],
  api: readonly ApiEntry[],
): Map<string, KernelRange[]> {
  const found = new Map<string, KernelRange[]>();
  const members = api.filter((entry) => entry.kind === 'member' && entry.owner !== undefined);
  for (const text of texts) {
    for (const table of text.matchAll(
      /\bstruct\s+(vfio_\w+_ops)\s+\w+(?:\s+__\w+)?\s*=\s*\{([^{}]*)\}/g,
    )) {
      for (const [, name] of table[2]!.matchAll(/\.\s*(\w+)\s*=/g)) {
        const kernels = members
          .filter((entry) => entry.owner === table[1] && entry.name === name)
          .map((entry) => entry.kernels);
        if (kernels.length > 0) found.set(name!, [...(found.get(name!) ?? []), ...kernels]);
      }
    }
  }
  return found;
}

/** The text with its comments, and with its strings emptied: neither uses anything. */
function withoutComments(text: string): string {
  return text.replace(COMMENT_OR_STRING, (match) => (match.startsWith('"') ? '""' : ' '));
}

/** The lines that no `#if` leaves out of any configuration. */
function outsideOfConditions(text: string): string {
  let depth = 0;
  const kept: string[] = [];
  for (const line of text.split('\n')) {
    const directive = /^[ \t]*#[ \t]*(if|endif)/.exec(line)?.[1];
    if (directive === 'endif') depth = Math.max(0, depth - 1);
    else if (directive === 'if') depth++;
    else if (depth === 0 && !/^[ \t]*#/.test(line)) kept.push(line);
  }
  return kept.join('\n');
}
