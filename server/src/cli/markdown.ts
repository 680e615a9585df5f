/**
 * Shows the Markdown of rules and of the kernel's interface on a terminal: what we write ourselves,
 * and no more of Markdown than that.
 */
import { printable } from './printable.ts';
import type { Style } from './style.ts';

interface Heading {
  readonly kind: 'heading';
  readonly level: number;
  readonly text: string;
}
interface Code {
  readonly kind: 'code';
  readonly lines: readonly string[];
}
/**
 * A paragraph or an entry of a list, whose lines are one text but for the breaks that it asks for.
 */
interface Prose {
  readonly kind: 'prose';
  readonly mark: string;
  readonly text: string;
}
type Block = Heading | Code | Prose;

const WIDEST = 100;
const CODE_INDENT = '    ';

/**
 * The text as lines no wider than the terminal, but for code, which is shown as it is. It ends with
 * a newline.
 * @param style of a terminal; its width counts up to 100 columns, which is as wide as prose is read
 * with ease.
 */
export function renderMarkdown(markdown: string, style: Style): string {
  const width = Math.min(style.columns ?? 80, WIDEST);
  const lines: string[] = [];
  let before: Block | undefined;
  for (const block of blocksOf(markdown)) {
    const isListGoingOn =
      before?.kind === 'prose' && block.kind === 'prose' && before.mark !== '' && block.mark !== '';
    if (before !== undefined && !isListGoingOn) lines.push('');
    for (const line of renderBlock(block, style, width)) lines.push(line);
    before = block;
  }
  return `${lines.join('\n')}\n`;
}

function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  let open: { mark: string; lines: string[] } | undefined;
  const close = (): void => {
    if (open) blocks.push({ kind: 'prose', mark: open.mark, text: open.lines.join('\n') });
    open = undefined;
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const heading = /^(#{1,6}) (.*)$/.exec(line);
    const entry = /^[-*] (.*)$/.exec(line);
    if (line.startsWith('```')) {
      close();
      const end = lines.indexOf('```', i + 1);
      const last = end < 0 ? lines.length : end;
      blocks.push({ kind: 'code', lines: lines.slice(i + 1, last) });
      i = last;
    } else if (heading) {
      close();
      blocks.push({ kind: 'heading', level: heading[1]!.length, text: heading[2]! });
    } else if (entry) {
      close();
      open = { mark: '- ', lines: [entry[1]!] };
    } else if (line.trim() === '') close();
    else if (open) open.lines.push(line.replace(/^ +/, ''));
    else open = { mark: '', lines: [line] };
  }
  close();
  return blocks;
}

function renderBlock(block: Block, style: Style, width: number): readonly string[] {
  switch (block.kind) {
    case 'heading':
      return [style.paint(block.level < 3 ? 'strong' : 'place', plainWords(block.text))];
    case 'code':
      return block.lines.map((line) =>
        `${CODE_INDENT}${style.paint('code', expandTabs(line))}`.trimEnd(),
      );
    case 'prose':
      return renderProse(block, style, width);
  }
}

/** Two blanks at the end of a line break it there; elsewhere lines are filled. */
function renderProse({ mark, text }: Prose, style: Style, width: number): string[] {
  const indent = ' '.repeat(mark.length);
  const filled = text
    .split(/ {2}\n/)
    .flatMap((part) => fill(wordsOf(part, style), width - mark.length));
  return filled.map((line, index) => `${index === 0 ? mark : indent}${line}`);
}

/** A word as it is written, and how wide it looks. */
interface Word {
  readonly text: string;
  readonly width: number;
  /** It stands directly behind the one before it. */
  readonly isJoined: boolean;
}

function fill(words: readonly Word[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    // What follows without a blank stays with it.
    let needed = word.width;
    for (let next = i + 1; words[next]?.isJoined === true; next++) needed += words[next]!.width;
    if (word.isJoined || line === '') {
      line += word.text;
      used += word.width;
    } else if (used + 1 + needed <= width) {
      line += ` ${word.text}`;
      used += 1 + word.width;
    } else {
      lines.push(line);
      line = word.text;
      used = word.width;
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** Code, strong text, a link, or plain text between them. */
const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[([^[\]\n]*)\]\(([^()\n]*)\)/g;

function wordsOf(text: string, style: Style): Word[] {
  const words: Word[] = [];
  let at = 0;
  let isJoined = false;
  const add = (part: string, paint: (word: string) => string): void => {
    for (const [index, word] of part.split(/\s+/).entries()) {
      if (index > 0) isJoined = false;
      if (word === '') continue;
      const shown = printable(word);
      words.push({ text: paint(shown), width: shown.length, isJoined });
      isJoined = true;
    }
  };
  for (const match of text.matchAll(INLINE)) {
    add(text.slice(at, match.index), (word) => word);
    const [whole, code, strong, label, address] = match;
    if (code !== undefined) add(code, (word) => style.paint('code', word));
    else if (strong !== undefined)
      add(strong.replaceAll('`', ''), (word) => style.paint('strong', word));
    else add(label!, (word) => style.link(word, address));
    at = match.index + whole.length;
  }
  add(text.slice(at), (word) => word);
  return words;
}

function plainWords(text: string): string {
  return printable(text.replaceAll('`', ''));
}

function expandTabs(line: string): string {
  let text = '';
  for (const char of line)
    text += char === '\t' ? ' '.repeat(8 - (text.length % 8)) : printable(char);
  return text;
}
