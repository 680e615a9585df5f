/** Zero-based line and UTF-16 code unit in the line, as in LSP. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

/** Turns offsets into positions and back. A line ends with LF, CR LF or CR, as in LSP. */
export interface LineIndex {
  /** At least 1: an empty text has one empty line. */
  readonly lineCount: number;
  /**
   * Total: an offset outside of the text is moved to its nearest end. An offset between CR and LF
   * belongs to the line that they end.
   */
  position(offset: number): Position;
  /**
   * Total: a line outside of the text is moved to its nearest end, a character behind the line's
   * text to the end of that text.
   */
  offset(position: Position): number;
  /** The offset of a line's first character. Total, like `offset`. */
  lineStart(line: number): number;
}

const LF = 10;
const CR = 13;

/** Builds the index in time linear in the text; lookups are logarithmic. */
export function lineIndex(text: string): LineIndex {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === LF || (code === CR && text.charCodeAt(i + 1) !== LF)) starts.push(i + 1);
  }
  const lineCount = starts.length;
  const lineStart = (line: number): number =>
    line >= lineCount ? text.length : (starts[Math.max(0, Math.floor(line))] ?? 0);
  return {
    lineCount,
    lineStart,
    position(offset) {
      const at = clamp(offset, 0, text.length);
      let low = 0;
      let high = lineCount - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle]! <= at) low = middle;
        else high = middle - 1;
      }
      return { line: low, character: at - starts[low]! };
    },
    offset({ line, character }) {
      if (line < 0) return 0;
      if (line >= lineCount) return text.length;
      const start = lineStart(line);
      let end = lineStart(line + 1);
      if (line + 1 < lineCount) {
        end--;
        if (end > start && text.charCodeAt(end) === LF && text.charCodeAt(end - 1) === CR) end--;
      }
      return clamp(start + character, start, end);
    },
  };
}

/** NaN becomes the lower bound. */
function clamp(value: number, low: number, high: number): number {
  return value > low ? Math.min(Math.floor(value), high) : low;
}

/** The one-based line of an offset, as compilers count. */
export function lineNumber(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
