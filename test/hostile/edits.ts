/** Edits of a driver as a person makes them, and as nobody does. */
import { nextEdit, randomNumbers } from '../../scripts/lib/random-edits.mjs';

export { randomNumbers };

/** Edits of one driver before the next is taken, as between two openings of a file. */
export const EDITS_OF_ONE = 50;

/** What nobody types. */
const NOISE = [
  '/*',
  '*/',
  '"',
  '\\',
  '{',
  '}',
  '(',
  ')',
  '#if 0\n',
  '#else\n',
  '#endif\n',
  '\ud800',
  '\0',
  '\r',
  '/* vfio-lifecycle: allow(',
  ';',
  'vfio_put_device(',
];

interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

export interface Edited {
  /** All documents as they are after the edit. */
  readonly texts: Readonly<Record<string, string>>;
  /** The document that was edited, and its text before. */
  readonly name: string;
  readonly before: string;
  readonly edit: Edit;
}

/** Edits the documents of one driver `count` times, each time what the edit before left. */
export function* randomEdits(
  files: Readonly<Record<string, string>>,
  count: number,
  random: () => number,
): Generator<Edited> {
  const names = Object.keys(files);
  let texts = files;
  let name = '';
  let last: { offset: number; text: string; removed: string } | undefined;
  for (let i = 0; i < count; i++) {
    if (last === undefined || random() < 0.2) {
      name = names[Math.floor(random() * names.length)]!;
      last = undefined;
    }
    const before = texts[name]!;
    const edit = random() < 0.2 ? noise(before, random) : nextEdit(before, random, last);
    const end = edit.offset + edit.length;
    last = { offset: edit.offset, text: edit.text, removed: before.slice(edit.offset, end) };
    texts = { ...texts, [name]: before.slice(0, edit.offset) + edit.text + before.slice(end) };
    yield { texts, name, before, edit };
  }
}

function noise(text: string, random: () => number): Edit {
  const offset = Math.floor(random() * (text.length + 1));
  const length = random() < 0.5 ? 0 : Math.min(text.length - offset, Math.floor(random() * 60));
  return { offset, length, text: NOISE[Math.floor(random() * NOISE.length)]! };
}
