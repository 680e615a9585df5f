/**
 * References to variables and calls of functions in the values of a makefile, as GNU make expands
 * them, as far as lists of files need it.
 */

/** What references are expanded with. */
export interface MakeWorld {
  /** The value of a variable before it is expanded; undefined where there is none. */
  readonly valueOf: (name: string) => string | undefined;
  /**
   * The files that a pattern of `$(wildcard …)` stands for, as they are written relative to the
   * makefile.
   */
  readonly wildcard: (pattern: string) => readonly string[];
  /**
   * Characters that may still be worked on: variables that name each other come to thousands of
   * millions.
   */
  left: number;
}

const MAX_DEPTH = 8;

/**
 * The value with its references expanded. What is over the budget, and what no list of files needs,
 * is left out.
 */
export function expandMake(value: string, world: MakeWorld, depth = 0): string {
  world.left -= value.length + 1;
  if (depth > MAX_DEPTH || world.left < 0) return '';
  const parts: string[] = [];
  let at = 0;
  for (let dollar = value.indexOf('$'); dollar >= 0; dollar = value.indexOf('$', at)) {
    parts.push(value.slice(at, dollar));
    const open = value[dollar + 1];
    if (open !== '(' && open !== '{') {
      // `$$`, `$@` and their like.
      at = dollar + 2;
      continue;
    }
    const end = endOfReference(value, dollar + 1, world);
    if (end === undefined) return parts.join('');
    parts.push(reference(value.slice(dollar + 2, end), world, depth));
    at = end + 1;
  }
  parts.push(value.slice(at));
  return parts.join('');
}

/** The offset of what closes the parenthesis or brace at `open`; undefined where nothing does. */
function endOfReference(value: string, open: number, world: MakeWorld): number | undefined {
  const pair = value[open] === '(' ? '()' : '{}';
  let nested = 0;
  for (let i = open; i < value.length; i++) {
    world.left--;
    if (value[i] === pair[0]) nested++;
    else if (value[i] === pair[1] && --nested === 0) return i;
  }
  return undefined;
}

type MakeFunction = (args: readonly string[], world: MakeWorld) => string;

/** By name: with so many arguments, the last of which takes the commas that are left. */
const FUNCTIONS: Readonly<Record<string, { readonly count: number; readonly run: MakeFunction }>> =
  {
    addprefix: {
      count: 2,
      run: ([prefix, words]) => eachWord(words!, (word) => prefix!.trim() + word),
    },
    addsuffix: {
      count: 2,
      run: ([suffix, words]) => eachWord(words!, (word) => word + suffix!.trim()),
    },
    basename: {
      count: 1,
      run: ([words]) => eachWord(words!, (word) => word.replace(/\.[^./]*$/, '')),
    },
    filter: {
      count: 2,
      run: ([patterns, words], world) => eachMatching(patterns!, words!, true, world),
    },
    'filter-out': {
      count: 2,
      run: ([patterns, words], world) => eachMatching(patterns!, words!, false, world),
    },
    notdir: {
      count: 1,
      run: ([words]) => eachWord(words!, (word) => word.slice(word.lastIndexOf('/') + 1)),
    },
    patsubst: {
      count: 3,
      run: ([from, to, words]) => substituted(from!.trim(), to!.trim(), words!),
    },
    sort: { count: 1, run: ([words]) => [...new Set(wordsOf(words!))].sort().join(' ') },
    strip: { count: 1, run: ([words]) => wordsOf(words!).join(' ') },
    subst: {
      count: 3,
      run: ([from, to, text]) => (from === '' ? text! : text!.replaceAll(from!, () => to!)),
    },
    wildcard: {
      count: 1,
      run: ([patterns], world) =>
        wordsOf(patterns!)
          .flatMap((one) => world.wildcard(one))
          .join(' '),
    },
  };

/** What stands for `$(inner)`. */
function reference(inner: string, world: MakeWorld, depth: number): string {
  const call = /^([a-z-]+)[ \t]+/.exec(inner);
  const known = call && Object.hasOwn(FUNCTIONS, call[1]!) ? FUNCTIONS[call[1]!] : undefined;
  if (call && known) {
    const args = argumentsOf(inner.slice(call[0].length), known.count).map((one) =>
      expandMake(one, world, depth + 1),
    );
    if (args.length < known.count) return '';
    const made = known.run(args, world);
    world.left -= made.length;
    return world.left < 0 ? '' : made;
  }
  const name = /^[\w.-]+/.exec(inner)?.[0];
  if (name === undefined) return '';
  const value = expandMake(world.valueOf(name) ?? '', world, depth + 1);
  // `$(SRCS:.c=.o)` is patsubst with a `%` before both sides, where there is none.
  const [, from, to] = /^:([^=:]*)=(.*)$/s.exec(inner.slice(name.length)) ?? [];
  if (from === undefined || to === undefined) return inner.length === name.length ? value : '';
  const [pattern, replacement] = from.includes('%') ? [from, to] : [`%${from}`, `%${to}`];
  return substituted(
    expandMake(pattern, world, depth + 1),
    expandMake(replacement, world, depth + 1),
    value,
  );
}

/** The arguments of a call: commas inside of parentheses and braces separate nothing. */
function argumentsOf(text: string, count: number): string[] {
  const found: string[] = [];
  let begin = 0;
  let nested = 0;
  for (let i = 0; i < text.length && found.length < count - 1; i++) {
    if (text[i] === '(' || text[i] === '{') nested++;
    else if (text[i] === ')' || text[i] === '}') nested--;
    else if (text[i] === ',' && nested === 0) {
      found.push(text.slice(begin, i));
      begin = i + 1;
    }
  }
  return [...found, text.slice(begin)];
}

function substituted(pattern: string, replacement: string, words: string): string {
  const at = pattern.indexOf('%');
  const [head, tail] = at < 0 ? [pattern, ''] : [pattern.slice(0, at), pattern.slice(at + 1)];
  const accepts = wordTest(pattern);
  return eachWord(words, (word) => {
    if (!accepts(word)) return word;
    if (at < 0) return replacement;
    return replacement.replace('%', () => word.slice(head.length, word.length - tail.length));
  });
}

/** The words that one of the patterns stands for, or those that none does. */
function eachMatching(
  patterns: string,
  words: string,
  isWanted: boolean,
  world: MakeWorld,
): string {
  const accepted = wordsOf(patterns).map(wordTest);
  const all = wordsOf(words);
  world.left -= accepted.length * all.length;
  if (world.left < 0) return '';
  return all.filter((word) => accepted.some((accepts) => accepts(word)) === isWanted).join(' ');
}

/** A test whether a pattern, in which `%` is anything, stands for a word. */
function wordTest(pattern: string): (word: string) => boolean {
  const at = pattern.indexOf('%');
  if (at < 0) return (word) => word === pattern;
  const [head, tail] = [pattern.slice(0, at), pattern.slice(at + 1)];
  return (word) =>
    word.length >= head.length + tail.length && word.startsWith(head) && word.endsWith(tail);
}

function eachWord(words: string, change: (word: string) => string): string {
  return wordsOf(words).map(change).join(' ');
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/**
 * A test whether a path is one that a pattern with `*` and `?` stands for; neither goes over a
 * slash.
 */
export function matcherOf(pattern: string): (path: string) => boolean {
  const wanted = pattern.replace(/^(?:\.\/+)+/, '');
  return (path) => {
    let at = 0;
    let index = 0;
    let star = -1;
    let from = 0;
    while (at < path.length) {
      if (
        index < wanted.length &&
        wanted[index] !== '*' &&
        (wanted[index] === path[at] || (wanted[index] === '?' && path[at] !== '/'))
      ) {
        at++;
        index++;
      } else if (wanted[index] === '*') {
        star = index++;
        from = at;
      } else if (star >= 0 && path[from] !== '/') {
        index = star + 1;
        at = ++from;
      } else return false;
    }
    while (wanted[index] === '*') index++;
    return index === wanted.length;
  };
}
