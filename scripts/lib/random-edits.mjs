// Edits as a person types them, the same ones for the same seed.

/** A generator of numbers in [0, 1) (mulberry32). */
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * The next edit of a text: a character typed into an identifier or taken out of it, a statement
 * added, a line deleted or doubled, or the last
 * edit undone. Returns { offset, length, text }: replace `length` UTF-16 units at `offset` by
 * `text`.
 */
export function nextEdit(text, random, last) {
  const kind = random();
  if (last && kind < 0.4)
    return { offset: last.offset, length: last.text.length, text: last.removed };
  const word = randomMatch(text, /[A-Za-z_]\w{2,}/g, random);
  if (word && kind < 0.68)
    return {
      offset: word.index + 1 + Math.floor(random() * (word[0].length - 1)),
      length: 0,
      text: 'aeiou_'[Math.floor(random() * 6)],
    };
  if (word && kind < 0.82) return { offset: word.index + 1, length: 1, text: '' };
  const line = randomMatch(text, /^\t.*;\n/gm, random);
  if (!line) return { offset: text.length, length: 0, text: '\n' };
  if (kind < 0.9) return { offset: line.index, length: 0, text: '\tret = 0;\n' };
  if (kind < 0.95) return { offset: line.index, length: line[0].length, text: '' };
  return { offset: line.index, length: 0, text: line[0] };
}

/** A match near a random place. */
function randomMatch(text, pattern, random) {
  pattern.lastIndex = Math.floor(random() * text.length);
  return pattern.exec(text);
}

/** The edit as a content change of the protocol. */
export function toContentChange(text, { offset, length, text: added }) {
  return {
    range: { start: positionAt(text, offset), end: positionAt(text, offset + length) },
    text: added,
  };
}

function positionAt(text, offset) {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length - 1, character: offset - lineStart };
}
