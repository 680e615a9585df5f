/** Writes regions in which texts differ as arms of #if, and reads one of the texts out of them. */
import { splitLines } from '../../text/diff.ts';
import type { Region } from './regions.ts';

/** The macro that says whether the new model is there, in the place of the first version. */
export type Guard = string | undefined;

/** A text, and the first kernel that it is for, such as `6.2`. The first text has none. */
export interface Variant {
  readonly since: string | undefined;
  readonly lines: readonly string[];
}

/** The text with arms. */
export interface Composed {
  readonly text: string;
  /** The lines with a directive of an arm. */
  readonly directives: ReadonlySet<number>;
  /** For each variant the line of the text that its lines are, in their order. */
  readonly places: readonly (readonly number[])[];
  /** An arm tests the version of the kernel. */
  readonly testsVersion: boolean;
}

/** What is compiled from one kernel on: the lines of some variants that are the same there. */
interface Arm {
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly content: readonly string[];
  readonly variants: readonly number[];
  /** The first line of the content in each variant. */
  readonly starts: readonly number[];
}

/** @param variants in the order of their kernels, the old text first. */
export function composeArms(
  variants: readonly Variant[],
  regions: readonly Region[],
  guard: Guard,
): Composed {
  const [first] = variants;
  const out: string[] = [];
  const directives = new Set<number>();
  const places = variants.map((): number[] => []);
  let testsVersion = false;
  const common = (from: number, to: number, ats: readonly number[]): void => {
    for (let i = from; i < to; i++) {
      variants.forEach((_, one) => (places[one]![ats[one]! + i - from] = out.length));
      out.push(first!.lines[i]!);
    }
  };
  let at = 0;
  let ats = variants.map(() => 0);
  for (const region of regions) {
    common(at, region.start, ats);
    const spans = [region, ...region.variants];
    const arms = armsOf(variants, spans);
    const { chain, blank } = layOut(arms, variants[1]?.since, guard);
    for (const part of chain) {
      if (typeof part === 'string') {
        directives.add(out.length);
        testsVersion ||= part.includes('LINUX_VERSION_CODE');
        out.push(`${part}\n`);
        continue;
      }
      part.content.forEach((line, i) => {
        part.variants.forEach((one, index) => (places[one]![part.starts[index]! + i] = out.length));
        out.push(line);
      });
    }
    if (blank) out.push('\n');
    at = region.end;
    ats = spans.map((one) => one.end);
  }
  common(at, first!.lines.length, ats);
  return { text: out.join(''), directives, places, testsVersion };
}

/** How many lines a region has with its arms and their directives. */
export function lengthOf(variants: readonly Variant[], region: Region): number {
  const { chain, blank } = layOut(
    armsOf(variants, [region, ...region.variants]),
    undefined,
    undefined,
  );
  return chain.reduce(
    (sum, part) => sum + (typeof part === 'string' ? 1 : part.content.length),
    blank ? 1 : 0,
  );
}

/** The different contents of a region, in the order of their kernels. */
function armsOf(
  variants: readonly Variant[],
  spans: readonly { readonly start: number; readonly end: number }[],
): Arm[] {
  const arms: Arm[] = [];
  variants.forEach(({ since, lines }, i) => {
    const { start, end } = spans[i]!;
    const content = lines.slice(start, end);
    const before = arms.at(-1);
    if (before && before.content.join('') === content.join('')) {
      arms[arms.length - 1] = {
        ...before,
        variants: [...before.variants, i],
        starts: [...before.starts, start],
      };
      return;
    }
    if (before) arms[arms.length - 1] = { ...before, until: since };
    arms.push({ since, until: undefined, content, variants: [i], starts: [start] });
  });
  return arms;
}

/** The directives and contents of a region; whether a blank line that was in an arm follows. */
function layOut(
  arms: readonly Arm[],
  newModel: string | undefined,
  guard: Guard,
): { readonly chain: readonly (string | Arm)[]; readonly blank: boolean } {
  const test = (arm: Pick<Arm, 'since' | 'until'>): string[] => [
    ...(arm.since === undefined ? [] : [versionTest('>=', arm.since, newModel, guard)]),
    ...(arm.until === undefined ? [] : [versionTest('<', arm.until, newModel, guard)]),
  ];
  const filled = arms.filter(({ content }) => content.length > 0);
  const [only, second] = filled;
  if (only !== undefined && second === undefined) {
    const isSpaced = only.content.length > 1 && only.content.at(-1)!.trim() === '';
    const arm = isSpaced ? { ...only, content: only.content.slice(0, -1) } : only;
    return { chain: [directive('if', test(arm)), arm, '#endif'], blank: isSpaced };
  }
  if (arms[0]!.content.length === 0) return { chain: stacked(arms, test), blank: false };
  // The same before and after: one arm in between.
  const [old, middle, last] = arms;
  if (arms.length === 3 && old!.content.join('') === last!.content.join('')) {
    const rest = {
      ...old!,
      variants: [...old!.variants, ...last!.variants],
      starts: [...old!.starts, ...last!.starts],
    };
    return {
      chain: [directive('if', test(middle!)), middle!, '#else', rest, '#endif'],
      blank: false,
    };
  }
  const isAscending = arms.at(-1)!.content.length === 0;
  const ordered = isAscending ? arms.slice(0, -1) : [...arms].reverse();
  const chain: (string | Arm)[] = [];
  ordered.forEach((arm, i) => {
    const isLast = i === ordered.length - 1 && !isAscending;
    if (isLast && arm.content.length === 0) return;
    const bound = isAscending ? arm.until! : arm.since!;
    const condition = isLast
      ? '#else'
      : directive(i === 0 ? 'if' : 'elif', [
          versionTest(isAscending ? '<' : '>=', bound, newModel, guard),
        ]);
    chain.push(condition, arm);
  });
  return { chain: [...chain, '#endif'], blank: false };
}

/**
 * What kernels add where the old text has nothing, each in an #if of its own: what the next one has
 * too stays, and only what it adds follows.
 */
function stacked(
  arms: readonly Arm[],
  test: (arm: Pick<Arm, 'since' | 'until'>) => string[],
): (string | Arm)[] {
  const pieces: Arm[] = [];
  let open: number[] = [];
  arms.forEach((arm, i) => {
    const before = arms[i - 1]?.content ?? [];
    const goesOn = before.every((line, at) => line === arm.content[at]);
    if (!goesOn) for (const one of open) pieces[one] = { ...pieces[one]!, until: arm.since };
    if (!goesOn) open = [];
    let from = 0;
    for (const one of open) {
      const piece = pieces[one]!;
      const starts = arm.starts.map((start) => start + from);
      pieces[one] = {
        ...piece,
        variants: [...piece.variants, ...arm.variants],
        starts: [...piece.starts, ...starts],
      };
      from += piece.content.length;
    }
    if (arm.content.length === from) return;
    open.push(pieces.length);
    pieces.push({
      ...arm,
      until: undefined,
      content: arm.content.slice(from),
      starts: arm.starts.map((start) => start + from),
    });
  });
  return pieces.flatMap((piece) => [directive('if', test(piece)), piece, '#endif']);
}

function directive(word: 'if' | 'elif', tests: readonly string[]): string {
  const alone = tests.length === 1 ? /^(!?)defined\((\w+)\)$/.exec(tests[0]!) : null;
  if (alone && word === 'if') return `#if${alone[1] === '!' ? 'n' : ''}def ${alone[2]}`;
  return `#${word} ${tests.join(' && ')}`;
}

function versionTest(
  operator: '>=' | '<',
  kernel: string,
  newModel: string | undefined,
  guard: Guard,
): string {
  if (guard !== undefined && kernel === newModel)
    return `${operator === '<' ? '!' : ''}defined(${guard})`;
  return `LINUX_VERSION_CODE ${operator} KERNEL_VERSION(${kernel.replace('.', ', ')}, 0)`;
}

/**
 * The lines that a preprocessor leaves of a text with arms; what other directives do is not asked.
 * @param holds what a test is.
 */
export function selectedLines(
  { text, directives }: Pick<Composed, 'text' | 'directives'>,
  holds: (test: string) => boolean,
): string[] {
  const kept: string[] = [];
  let chain: { isTaken: boolean; isOn: boolean } | undefined;
  splitLines(text).forEach((line, i) => {
    if (!directives.has(i)) {
      if (chain?.isOn !== false) kept.push(line);
      return;
    }
    const [, word = '', test = ''] = /^#(\w+)(?: (.*))?\n$/.exec(line) ?? [];
    if (word === 'endif') chain = undefined;
    else {
      const isTaken = chain?.isTaken === true;
      const isOn: boolean = !isTaken && (word === 'else' || holds(testOf(word, test)));
      chain = { isTaken: isTaken || isOn, isOn };
    }
  });
  return kept;
}

function testOf(word: string, test: string): string {
  if (!word.startsWith('ifn') && !word.endsWith('def')) return test;
  return `${word === 'ifndef' ? '!' : ''}defined(${test})`;
}
