/** A driver of one file, converted, and both run: what its conversion does otherwise. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findHeaders } from '../../scripts/lib/headers.mjs';
import { outcomeOf, type Style } from '../unit/convert/outcome.ts';
import { build } from './build.ts';
import { bugsOf, compare } from './compare.ts';
import { run, type Run } from './run.ts';

export interface Trial {
  readonly status: 'converted' | 'unchanged' | 'refused';
  /** What is worse or other than before, one line each. */
  readonly problems: readonly string[];
}

export interface Trials {
  /**
   * Converts a driver and runs it before and after. What does not compile is a problem of the
   * conversion.
   */
  attempt(text: string, kernel: string, style: Style): Promise<Trial>;
  /** What a driver of the old model does wrong by itself. Throws with the compiler's errors. */
  bugs(text: string): Promise<readonly string[]>;
}

/**
 * Trials that work in a folder of the caller's. A text is compiled and run once for each kernel: the
 * original is the same for all styles and kernels, and so often is what both styles write.
 */
export function trialsIn(folder: string): Trials {
  let number = 0;
  const known = new Map<string, Promise<readonly Run[]>>();

  function runs(text: string, kernel: string, oldModel: boolean): Promise<readonly Run[]> {
    const key = `${kernel} ${oldModel} ${text}`;
    const found = known.get(key) ?? buildAndRun(text, kernel, oldModel);
    known.set(key, found);
    return found;
  }

  async function buildAndRun(
    text: string,
    kernel: string,
    oldModel: boolean,
  ): Promise<readonly Run[]> {
    const own = path.join(folder, String(++number));
    mkdirSync(own);
    const source = path.join(own, 'driver.c');
    writeFileSync(source, text);
    const result = await run(
      await build({ sources: [source], oldModel, tidy: true }, findHeaders(kernel)!, own),
    );
    rmSync(own, { recursive: true });
    return result;
  }

  const original = (text: string): Promise<readonly Run[]> => runs(text, '6.1', true);

  return {
    async attempt(text, kernel, style) {
      const outcome = outcomeOf(text, kernel, style);
      if (outcome.status !== 'converted') return { status: outcome.status, problems: [] };
      const before = await original(text);
      try {
        const after = await runs(outcome.text, kernel, false);
        return { status: 'converted', problems: compare(before, after).problems };
      } catch (error) {
        return { status: 'converted', problems: [String(error)] };
      }
    },
    bugs: async (text) => bugsOf(await original(text)),
  };
}
