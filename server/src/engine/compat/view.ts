/** A module as the compiler of one kernel sees it, with every offset where it was. */
import type { KernelVersion } from '../../kernel/types.ts';
import { evaluateTest, macrosOf, type Macros } from '../../lifecycle/module/preprocessor.ts';
import { normaliseCondition } from '../../syntax/conditions.ts';
import { splitLines } from '../../text/diff.ts';
import type { Engine } from '../analyse.ts';
import type { ModuleInput, SourceDocument } from '../types.ts';

/**
 * The module without what tests of the version and of features leave out of a kernel: blanks are in
 * its place. The same object where nothing is left out.
 */
export function viewFor(engine: Engine, input: ModuleInput, kernel: KernelVersion): ModuleInput {
  const module = engine.module(input);
  if (module === undefined) return input;
  const macros = macrosOf(module, kernel);
  let isChanged = false;
  const viewed = (one: SourceDocument): SourceDocument => {
    const text = viewOf(one.text, kernel, macros);
    isChanged ||= text !== one.text;
    return text === one.text ? one : { ...one, text };
  };
  const [sources, headers] = [input.sources.map(viewed), input.headers.map(viewed)];
  return isChanged ? { ...input, sources, headers } : input;
}

/** One chain of #if: whether an arm before has been taken, and whether the present one is left out. */
interface Chain {
  isTaken: boolean;
  isOut: boolean;
  /** The test of an arm is not decided: its directives stay. */
  isOpen: boolean;
}

function viewOf(text: string, kernel: KernelVersion, macros: Macros): string {
  const chains: Chain[] = [];
  return splitLines(text)
    .map((line) => {
      const wasOut = chains.some((one) => one.isOut);
      const [, word, test = ''] = /^[ \t]*#[ \t]*(\w+)\b([^\n]*)/.exec(line) ?? [];
      if (word === undefined || !/^(?:if|ifdef|ifndef|elif|else|endif)$/.test(word))
        return wasOut ? blank(line) : line;
      if (word.startsWith('if')) chains.push({ isTaken: false, isOut: false, isOpen: false });
      const chain = chains.at(-1);
      if (chain === undefined) return line;
      if (word === 'endif') {
        chains.pop();
        return chain.isOpen ? line : blank(line);
      }
      const truth = word === 'else' ? 'true' : truthOf(word, test.trim(), kernel, macros);
      chain.isOut = chain.isTaken || truth === 'false';
      chain.isOpen ||= !chain.isTaken && truth === 'unknown';
      chain.isTaken ||= truth === 'true';
      return chain.isOpen ? line : blank(line);
    })
    .join('');
}

function truthOf(word: string, test: string, kernel: KernelVersion, macros: Macros) {
  const isDefinition = word === 'ifdef' || word === 'ifndef';
  const { test: name, holds } = normaliseCondition(isDefinition ? `defined(${test})` : test);
  const truth = evaluateTest(name, kernel, macros);
  if (truth === 'unknown' || holds !== (word === 'ifndef')) return truth;
  return truth === 'true' ? 'false' : 'true';
}

function blank(line: string): string {
  return line.replace(/[^\s]/g, ' ');
}
