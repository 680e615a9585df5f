/**
 * What a build says of a file: the compiler's arguments, as kbuild and compile_commands.json have
 * them, and the kernel's configuration, as autoconf.h and .config have it.
 */
import type { BuildMacros } from '../../lifecycle/module/build-macros.ts';

/** The arguments of a compiler that matter here, each as it was written. */
export interface CompilerArguments {
  readonly defines: ReadonlyMap<string, string>;
  readonly undefined: ReadonlySet<string>;
  /** `-I`, in their order. */
  readonly includeFolders: readonly string[];
  /** `-include`, in their order. */
  readonly forcedHeaders: readonly string[];
  /** The C file, which is the last argument that is one. */
  readonly file: string | undefined;
}

/** The options of gcc whose value is the next argument, and no file. */
const TAKES_VALUE: ReadonlySet<string> = new Set([
  '-o',
  '-x',
  '-MF',
  '-MT',
  '-MQ',
  '-Xpreprocessor',
  '-Xassembler',
  '-Xlinker',
  '-arch',
  '-target',
  '--param',
  '-imacros',
  '-iquote',
  '-idirafter',
  '-isysroot',
  '-aux-info',
]);

/** Reads the arguments of a C compiler. Total: what it does not know is passed over. */
export function compilerArguments(words: readonly string[]): CompilerArguments {
  const defines = new Map<string, string>();
  const gone = new Set<string>();
  const includeFolders: string[] = [];
  const forcedHeaders: string[] = [];
  let file: string | undefined;
  const take = (option: string, value: string): void => {
    if (option === '-D') {
      const [, name = '', text = '1'] = /^([^=]*)(?:=([^]*))?$/.exec(value) ?? [];
      defines.set(name, text);
      gone.delete(name);
    } else if (option === '-U') {
      defines.delete(value);
      gone.add(value);
    } else if (option === '-include') forcedHeaders.push(value);
    else includeFolders.push(value);
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const glued = /^-([DUI])([^]+)$/.exec(word);
    if (glued) take(`-${glued[1]}`, glued[2]!);
    else if (/^-(?:[DUI]|include|isystem)$/.test(word)) take(word, words[++i] ?? '');
    else if (TAKES_VALUE.has(word)) i++;
    else if (!word.startsWith('-') && /\.[ch]$/.test(word)) file = word;
  }
  return { defines, undefined: gone, includeFolders, forcedHeaders, file };
}

/**
 * The words of a command line as a POSIX shell splits it, for the `command` of
 * compile_commands.json.
 */
export function shellWords(command: string): string[] {
  const words: string[] = [];
  const pieces = command.matchAll(/(?:[^\s"'\\]|\\[^]|"(?:[^"\\]|\\[^])*"|'[^']*')+/g);
  for (const [piece] of pieces) {
    words.push(
      piece.replace(
        /\\([^])|"((?:[^"\\]|\\[^])*)"|'([^']*)'/g,
        (_, escaped?: string, double?: string, single?: string) =>
          escaped ?? double?.replace(/\\([\\"$`])/g, '$1') ?? single ?? '',
      ),
    );
  }
  return words;
}

/** What a configuration says; null for a text that is none. */
export function configurationIn(text: string): ReadonlyMap<string, string> | null {
  const defines = new Map<string, string>();
  let isOne = false;
  for (const [, name, value] of text.matchAll(/^#define[ \t]+(CONFIG_\w+)\b([^\n]*)$/gm)) {
    defines.set(name!, value!.trim());
    isOne = true;
  }
  if (isOne) return defines;
  for (const [, name, value] of text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)) {
    isOne = true;
    const said = value!.trim();
    if (said === 'm') defines.set(`${name}_MODULE`, '1');
    else if (said !== 'n') defines.set(name!, said === 'y' ? '1' : said);
  }
  return isOne || /^# CONFIG_\w+ is not set$/m.test(text) ? defines : null;
}

/**
 * One object for the macros of a build.
 * @param configuration null where it is not known.
 */
export function buildMacros(
  compiled: Pick<CompilerArguments, 'defines' | 'undefined'> | null,
  configuration: ReadonlyMap<string, string> | null,
): BuildMacros | undefined {
  if (compiled === null && configuration === null) return undefined;
  const gone = new Set(compiled?.undefined ?? []);
  // kbuild defines it for a module and not for what is linked into the kernel.
  if (compiled && !compiled.defines.has('MODULE')) gone.add('MODULE');
  return {
    defines: new Map([...(configuration ?? []), ...(compiled?.defines ?? [])]),
    undefined: gone,
    hasConfiguration: configuration !== null,
  };
}
