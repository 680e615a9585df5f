/** The mask for #if chains that cut through a statement. */
import { blank, tokenText, type MaskState } from './mask-state.ts';
import { Word } from './mask-tables.ts';
import { Directive, Kind } from './tokens.ts';

/** Where a token stands, as far as the mask has to know. */
export type Place = 'items' | 'initializer' | 'fields' | 'inside';
/**
 * What may come next: an item or statement, the statement that an `if (…)` or `else` controls, or
 * the rest of one.
 */
export type Progress = 'start' | 'controlled' | 'middle';

interface Chain {
  /** The directive that opens the chain. */
  readonly first: number;
  readonly place: Place;
  /** Only the first arm is left to the parser. */
  split: boolean;
  /** The first directive after the first arm; -1 before it is reached. */
  second: number;
  /** The progress at the end of the first arm. */
  after: Progress;
}

/**
 * The #if chains of a text as the mask meets them. The grammar takes a chain where an item, a
 * statement or a field may stand, and
 * only when every arm is whole. In an initialiser the directives are blanked, so that all entries
 * are seen. Any other chain is split:
 * the parser sees the first arm only, so that the rest of the file is still read well.
 */
export interface Chains {
  /** At a directive of a chain. Returns the last token to skip and the progress after it. */
  visit(
    index: number,
    place: Place,
    progress: Progress,
  ): { readonly last: number; readonly progress: Progress };
  /** Whether no chain is in progress. */
  isEmpty(): boolean;
}

/**
 * What follows `#ifdef __cplusplus` is not C; what follows `#if 0` may be anything, and is read
 * only where its braces pair.
 */
function isNeverC(directive: string, isUnbalanced: boolean): boolean {
  return /__cplusplus\b/.test(directive)
    ? !/^#\s*ifndef|!/.test(directive)
    : isUnbalanced && /^#\s*if\s+0\s*$/.test(directive);
}

export function trackChains(state: MaskState): Chains {
  const {
    tokens: { kinds, starts, ends, values, partners },
  } = state;
  const open: Chain[] = [];

  const beginsWithElse = (index: number): boolean =>
    kinds[index + 1] === Kind.word &&
    values[index + 1] === Word.statementHead &&
    tokenText(state, index + 1) === 'else';

  const lastOf = (index: number): number => {
    let at = index;
    while (partners[at]! >= 0) at = partners[at]!;
    return at;
  };

  /**
   * Blanks the directive that opens the chain and everything from the second directive to the end
   * of the chain.
   */
  const split = (chain: Chain): number => {
    const last = lastOf(chain.second);
    blank(state, starts[chain.first]!, ends[chain.first]!, 'split');
    blank(state, starts[chain.second]!, ends[last]!, 'split');
    return last;
  };

  return {
    isEmpty: () => open.length === 0,

    visit(index, place, progress) {
      const value = values[index];
      if (value === Directive.open || value === Directive.openUnbalanced) {
        if (isNeverC(tokenText(state, index), value === Directive.openUnbalanced)) {
          const last = partners[index]!;
          if (values[last] === Directive.close) {
            blank(state, starts[index]!, ends[last]!, 'split');
            return { last, progress };
          }
        }
        const whole =
          value === Directive.open &&
          !beginsWithElse(index) &&
          (place === 'fields' ||
            place === 'initializer' ||
            (place === 'items' && progress === 'start'));
        open.push({ first: index, place, split: !whole, second: -1, after: progress });
        return { last: index, progress };
      }
      if (value === Directive.none && (place === 'initializer' || place === 'inside'))
        blank(state, starts[index]!, ends[index]!, 'directive');
      const chain = open.at(-1);
      if (chain === undefined || value === Directive.none) return { last: index, progress };
      const isFirst = chain.second < 0;
      if (isFirst) {
        chain.second = index;
        chain.after = progress;
      }
      // The end of an arm: what it left unfinished has to be finished by what follows the chain.
      if (chain.place === 'items' && progress !== 'start') chain.split = true;
      if (values[index] === Directive.middle && beginsWithElse(index)) chain.split = true;
      if (chain.split) {
        open.pop();
        return { last: split(chain), progress: chain.after };
      }
      if (value === Directive.close) {
        open.pop();
        if (chain.place === 'initializer') {
          for (let at = chain.first; at >= 0; at = partners[at]!)
            blank(state, starts[at]!, ends[at]!, 'directive');
        }
      }
      return { last: index, progress };
    },
  };
}
