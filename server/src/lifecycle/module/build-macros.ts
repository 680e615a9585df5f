/** What the build itself defines: the kernel's configuration and the compiler's arguments. */
import type { MacroTruth, Truth } from './preprocessor.ts';

/**
 * The macros of one build. One object for one build: results are kept by it.
 */
export interface BuildMacros {
  /** The text of each macro, by its name. */
  readonly defines: ReadonlyMap<string, string>;
  /** The names that the build takes away, or that it would define and does not. */
  readonly undefined: ReadonlySet<string>;
  /** Every option that is set is among `defines`: any other `CONFIG_` name is not defined. */
  readonly hasConfiguration: boolean;
}

/**
 * What the build says of a macro; undefined where it says nothing. A value of 0 is left unknown:
 * `#ifdef X` and `#if X` are one test for the analysis, and here they differ.
 */
export function truthInBuild(build: BuildMacros | undefined, name: string): MacroTruth | undefined {
  if (build === undefined) return undefined;
  const text = build.defines.get(name);
  if (text === undefined) {
    const isGone =
      build.undefined.has(name) || (build.hasConfiguration && name.startsWith('CONFIG_'));
    return isGone ? { defined: 'false', value: 'false' } : undefined;
  }
  const number = numberIn(text);
  if (number === 0) return { defined: 'true', value: 'unknown' };
  return { defined: 'true', value: 'true', ...(number !== undefined && { number }) };
}

/**
 * The tests of include/linux/kconfig.h by what is known of the macros that they look at.
 * @param isSet whether a macro is defined as 1.
 */
const KCONFIG_TESTS: Readonly<
  Record<string, ((option: string, isSet: (name: string) => Truth) => Truth) | undefined>
> = {
  IS_BUILTIN: (option, isSet) => isSet(option),
  IS_MODULE: (option, isSet) => isSet(`${option}_MODULE`),
  IS_ENABLED: (option, isSet) => either(isSet(option), isSet(`${option}_MODULE`)),
  IS_REACHABLE: (option, isSet) =>
    either(isSet(option), both(isSet(`${option}_MODULE`), isSet('MODULE'))),
};

/**
 * What a call in a test is for the configuration; undefined for one that is no such test.
 * @param macros what is known of a name.
 */
export function kconfigTruth(
  test: string,
  option: string,
  macros: (name: string) => MacroTruth | undefined,
): Truth | undefined {
  const evaluate = Object.hasOwn(KCONFIG_TESTS, test) ? KCONFIG_TESTS[test] : undefined;
  return evaluate?.(option, (name) => {
    const truth = macros(name);
    if (truth === undefined) return 'unknown';
    if (truth.defined !== 'true') return truth.defined;
    return truth.number === undefined || truth.number === 1 ? truth.value : 'false';
  });
}

function either(left: Truth, right: Truth): Truth {
  if (left === 'true' || right === 'true') return 'true';
  return left === 'false' && right === 'false' ? 'false' : 'unknown';
}

function both(left: Truth, right: Truth): Truth {
  if (left === 'false' || right === 'false') return 'false';
  return left === 'true' && right === 'true' ? 'true' : 'unknown';
}

/** The number that a macro stands for; undefined for any other text. */
function numberIn(text: string): number | undefined {
  const digits = /^\(?\s*(0[xX][\da-fA-F]+|\d+)[uUlL]*\s*\)?$/.exec(text.trim())?.[1];
  return digits === undefined ? undefined : Number(digits);
}
