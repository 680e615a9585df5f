/** The numbers that enums and macros of a document stand for. */
import type { FileIr, MacroIr } from '../../ir/types.ts';
import { isKernelConstant } from '../../kernel/constants.ts';
import { COMMENT_OR_LITERAL } from '../../text/lexical.ts';

export interface Constants {
  /**
   * The values of a document's enumerators, and of its object-like macros that stand for a number or
   * for one of these names: what a driver's own result codes and stages are compared by. A name whose
   * value is not certain is left out.
   */
  readonly values: ReadonlyMap<string, number>;
  /** It may give a number of its own to a name that has one in the kernel's headers, under any #if. */
  readonly redefinesKernel: boolean;
}

const ENUM = /\benum\b(?:\s+\w+)?\s*\{([^{}]*)\}/g;

/**
 * The constants of a document.
 * @param macros those of its macros that the target kernel does not leave out, in their order.
 */
export function constantsOf(file: FileIr, macros: readonly MacroIr[]): Constants {
  const values = new Map<string, number>();
  let redefinesKernel = file.macros.some(({ name }) => isKernelConstant(name));
  const ambiguous = new Set<string>();
  const set = (name: string, value: number | null) => {
    // Two #if arms may give one name two values.
    if (value === null || ambiguous.has(name) || (values.has(name) && values.get(name) !== value)) {
      ambiguous.add(name);
      values.delete(name);
    } else values.set(name, value);
  };
  if (/\benum\b/.test(file.text)) {
    for (const [, body] of file.text.replace(COMMENT_OR_LITERAL, ' ').matchAll(ENUM)) {
      redefinesKernel ||= body!.split(/\W+/).some(isKernelConstant);
      let next: number | null = body!.includes('#') ? null : 0;
      for (const entry of body!.split(',')) {
        const [, name, value] = /^\s*(\w+)\s*(?:=([\s\S]*))?$/.exec(entry) ?? [];
        if (name === undefined) continue;
        if (value !== undefined) next = numberIn(value, values);
        set(name, next);
        if (next !== null) next++;
      }
    }
  }
  const named = macros.filter(({ params }) => params === null);
  // A macro may stand before or after what it names: two rounds resolve an alias of an alias. Where
  // the configuration decides, the first value counts everywhere: that is one configuration.
  for (let round = 0; round < 2; round++) {
    for (const { name, bodyText } of named) {
      const value = values.has(name) ? null : numberIn(bodyText, values);
      if (value !== null) set(name, value);
    }
  }
  return { values, redefinesKernel };
}

/**
 * The value of a number, a known name, a shift of numbers or BIT(n), through signs and parentheses.
 */
function numberIn(text: string, values: ReadonlyMap<string, number>): number | null {
  const inner = text
    .replace(COMMENT_OR_LITERAL, ' ')
    .replace(/[()\s]+/g, ' ')
    .trim();
  const shift = /^(?:BIT (\w+)|(\w+) << (\w+))$/.exec(inner);
  if (shift) {
    const left = shift[1] !== undefined ? 1 : atom(shift[2]!, values),
      right = atom(shift[1] ?? shift[3]!, values);
    return left === null || right === null || right < 0 || right > 30 ? null : left * 2 ** right;
  }
  const [, minus, word] = /^(- ?)?(\w+)$/.exec(inner) ?? [];
  const value = word === undefined ? null : atom(word, values);
  if (value === null) return null;
  return minus === undefined ? value : 0 - value;
}

function atom(word: string, values: ReadonlyMap<string, number>): number | null {
  const digits = /^(0[xX][\da-fA-F]+|[1-9]\d*|0)[uUlL]*$/.exec(word)?.[1];
  if (digits !== undefined) return Number(digits);
  return values.get(word) ?? null;
}
