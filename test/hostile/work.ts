/**
 * Counts work instead of measuring time: how often each function and each block of the bundle ran,
 * as V8's own coverage counts it. The same
 * input gives the same number on any machine, up to what depends on when a garbage collection or an
 * optimisation happens to come. The
 * characters that a string search goes over are counted too. What a regular expression does inside
 * is not; eslint.config.mjs keeps those from being
 * worse than linear.
 */
import { Session } from 'node:inspector';

interface Counted {
  readonly result: readonly {
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
  }[];
}

let session: Session | undefined;
/** Characters that string searches went over. */
let searched = 0;
/** So many of them are a step. */
const CHARACTERS = 64;

function post(method: string, parameters: object = {}): Counted {
  let answer: Counted | undefined;
  let failure: Error | null = null;
  // With a session of the same thread the answer comes before post() returns.
  session!.post(method, parameters, (error: Error | null, result: unknown) => {
    failure = error;
    answer = result as Counted;
  });
  if (failure !== null) throw failure;
  return answer!;
}

/**
 * Begins to count. To be called once, before what is to be counted has run: what is compiled before
 * is not counted.
 */
export function startCounting(): void {
  countSearches();
  session = new Session();
  session.connect();
  post('Profiler.enable');
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
}

/** How many functions and blocks ran since the last call, or since the beginning. */
export function takeCount(): number {
  let sum = Math.floor(searched / CHARACTERS);
  searched = 0;
  for (const script of post('Profiler.takePreciseCoverage').result) {
    for (const { ranges } of script.functions) for (const { count } of ranges) sum += count;
  }
  return sum;
}

/** Puts a counting search in the place of the language's own. */
function countSearches(): void {
  const { indexOf, lastIndexOf } = String.prototype;
  String.prototype.indexOf = function (this: string, what: string, from = 0): number {
    const found = indexOf.call(this, what, from);
    searched += (found < 0 ? this.length : found) - Math.min(from, this.length);
    return found;
  };
  String.prototype.lastIndexOf = function (this: string, what: string, from = Infinity): number {
    const found = lastIndexOf.call(this, what, from);
    searched += Math.min(from, this.length) - Math.max(found, 0);
    return found;
  };
}
