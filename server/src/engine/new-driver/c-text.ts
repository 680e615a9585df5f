/** How the templates of new drivers are put together. */
import { compareVersions } from '../../kernel/version.ts';
import type { KernelVersion } from '../../kernel/types.ts';

/** A part of a text: lines, or nothing where it is not for this kernel. */
export type Part = string | undefined;

/** The parts that are there, one after the other. */
export function joined(...parts: readonly Part[]): string {
  return parts.filter((part) => part !== undefined).join('');
}

/** Whether a kernel is older than another. */
export function isBefore(kernel: KernelVersion, first: KernelVersion): boolean {
  return compareVersions(kernel, first) < 0;
}

/** A part that kernels have from one of them on. */
export function since(kernel: KernelVersion, first: KernelVersion, part: string): Part {
  return isBefore(kernel, first) ? undefined : part;
}

/** A part that kernels have before one of them. */
export function before(kernel: KernelVersion, first: KernelVersion, part: string): Part {
  return isBefore(kernel, first) ? part : undefined;
}

/**
 * The members of an ops table that an iommufd asks for. `kind` is what the helpers of the core are
 * called by.
 * Source: include/linux/vfio.h of v6.2 and v6.6.
 */
export function iommufdMembers(kernel: KernelVersion, kind: 'physical' | 'emulated'): string {
  return joined(
    since(
      kernel,
      [6, 2],
      `	.bind_iommufd = vfio_iommufd_${kind}_bind,
	.unbind_iommufd = vfio_iommufd_${kind}_unbind,
	.attach_ioas = vfio_iommufd_${kind}_attach_ioas,
`,
    ),
    since(kernel, [6, 6], `	.detach_ioas = vfio_iommufd_${kind}_detach_ioas,\n`),
  );
}

const TAB = 8;
const WIDTH = 100;

/** A text whose lines have at most 100 columns, where a list in parentheses can be broken. */
export function wrapped(text: string): string {
  return text.split('\n').map(wrappedLine).join('\n');
}

/** Goes on under what the parenthesis begins with. */
function wrappedLine(line: string): string {
  if (columnOf(line) <= WIDTH) return line;
  const ends = [...line.matchAll(/, /g)]
    .map(({ index }) => index + 1)
    .filter((end) => columnOf(line.slice(0, end)) <= WIDTH);
  const end = ends.at(-1);
  const open = end === undefined ? undefined : openParenthesis(line.slice(0, end));
  if (end === undefined || open === undefined) return line;
  const column = columnOf(line.slice(0, open + 1));
  const indent = '\t'.repeat(column / TAB) + ' '.repeat(column % TAB);
  return `${line.slice(0, end)}\n${wrappedLine(indent + line.slice(end + 1))}`;
}

/** Where the innermost parenthesis is that is not closed; undefined where there is none. */
function openParenthesis(text: string): number | undefined {
  const open: number[] = [];
  for (const [i, letter] of [...text].entries()) {
    if (letter === '(') open.push(i);
    else if (letter === ')') open.pop();
  }
  return open.at(-1);
}

/** How wide a text is, with tabs. */
function columnOf(text: string): number {
  let column = 0;
  for (const letter of text) column += letter === '\t' ? TAB - (column % TAB) : 1;
  return column;
}

/** What a source ends with. */
export function moduleInfo(description: string): string {
  return `
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("${description}");
`;
}
