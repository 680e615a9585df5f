/** What a commit says of a conversion. */
import type { Moved } from '../convert/fold/types.ts';
import type { Note } from '../convert/index.ts';

/** The width that git shows a message in without wrapping it. */
const WIDTH = 72;

/**
 * One converted file as a commit message speaks of it. `shown` is its name in the patch, or its
 * URI.
 */
export interface MessagePart {
  readonly shown: string;
  readonly notes: readonly Note[];
  readonly folded?: readonly Moved[] | undefined;
  readonly edits: readonly { readonly newText: string }[];
}

/**
 * A subject and a body for the commit of a patch. `git apply` and `patch` skip what stands in front
 * of a patch, so the text has no line that
 * could begin one. Empty when there is no part.
 * @param kernel the kernel that the files were converted for, `6.1`.
 * @param keepsOld whether older kernels still compile the old model.
 */
export function commitMessage(
  parts: readonly MessagePart[],
  kernel: string,
  keepsOld = false,
): string {
  if (parts.length === 0) return '';
  const allocates = parts.some(allocatesNow);
  const paragraphs = [
    allocates
      ? `Convert to the life cycle of Linux ${kernel}: vfio_alloc_device() allocates and initialises the device, and the last vfio_put_device() frees it.`
      : `Bring the driver to the life cycle of Linux ${kernel}.`,
  ];
  if (keepsOld) paragraphs.push('Kernels before 6.1 keep the old model, in arms of #if.');
  for (const { folded = [] } of parts) {
    for (const moved of folded) paragraphs.push(movedText(moved));
  }
  const points = new Set(
    parts.flatMap(({ notes }) =>
      notes
        .filter(({ kind }) => kind === 'review' || kind === 'release')
        .map((note) => note.message ?? note.text),
    ),
  );
  if (points.size > 0) paragraphs.push('To be looked at:');
  const body = [
    ...paragraphs.map((text) => wrap(text, '')),
    ...[...points].map((note) => wrap(note, '- ', '  ')),
  ];
  return `${subjectOf(parts, allocates ? 'Use vfio_alloc_device()' : `Follow the life cycle of Linux ${kernel}`)}\n\n${body
    .map(
      (text, i) =>
        text + (text.startsWith('- ') && body[i + 1]?.startsWith('- ') === true ? '\n' : '\n\n'),
    )
    .join('')
    .trimEnd()}\n`;
}

/** What a fold moved from where to where. */
function movedText({ probe, init, release, built, undone, from, fromErrorPath }: Moved): string {
  const what = built.length > 0 ? `: ${list(built)}` : '';
  const text = `Move the set-up of ${probe}() before the registration into ${init}()${what}.`;
  if (release === null) return text;
  const places = [...from.map((name) => `${name}()`), ...(fromErrorPath ? ['the error path'] : [])];
  return `${text} Move its undoing from ${list(places)} into ${release}(): ${list(undone)}.`;
}

/**
 * Whether a file allocates by vfio_alloc_device() now; otherwise it did so before, or cannot, and
 * is only brought on to the kernel.
 */
function allocatesNow({ edits }: MessagePart): boolean {
  return edits.some(({ newText }) => newText.includes('vfio_alloc_device('));
}

/**
 * `vfio/<driver>: …`, as the log of drivers/vfio has it: after the file, or its folder where the
 * file's name says nothing or there are several files. Several drivers are listed.
 */
function subjectOf(parts: readonly MessagePart[], what: string): string {
  const places = parts.map(({ shown }) => shown.split(/[/:]/).reverse());
  const names = [...new Set(places.map(([file, folder]) => driverName(file, folder)))];
  const folders = [...new Set(places.map(([, folder]) => folder))];
  const [folder] = folders;
  const isOwnFolder = folders.length === 1 && folder !== undefined && !SHARED.has(folder);
  if (names.length === 1) return `vfio/${names[0]}: ${what}`;
  if (isOwnFolder) return `vfio/${folder}: ${what}`;
  const more = names.length - MOST_NAMES;
  const named = more > 0 ? [...names.slice(0, MOST_NAMES), `${more} more`] : names;
  return `vfio: ${what} in ${list(named)}`;
}

/** Folders that hold many drivers. */
const SHARED: ReadonlySet<string> = new Set([
  '',
  'drivers',
  'vfio',
  'pci',
  'mdev',
  'platform',
  'src',
]);
const MOST_NAMES = 3;

function driverName(file = '', folder: string | undefined): string {
  const name = file.replace(/\.[ch]$/, '').replace(/^vfio[_-]|[_-](?:main|ops|drv|core)$/g, '');
  return name === 'main' && folder !== undefined ? folder : name;
}

function list(items: readonly string[]): string {
  return items.length > 1
    ? `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`
    : (items[0] ?? '');
}

function wrap(text: string, first: string, next = first): string {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(/\s+/)) {
    const isFirst = (line === first && lines.length === 0) || line.trim() === '';
    const blank = isFirst ? '' : ' ';
    if (line.length + blank.length + word.length > WIDTH && line.trim() !== '' && line !== first) {
      lines.push(line);
      line = next + word;
    } else line += blank + word;
  }
  return [...lines, line].join('\n');
}
