/**
 * Analyses files that are not open, one after the other, with an engine and a cache of files of
 * their own: what is known of the open documents
 * stays, and what was read for a file is let go after it.
 */
import { mentionsVfio, type Engine } from '../engine/analyse.ts';
import { canonicalUri } from '../engine/project/paths.ts';
import type { Analysis, FileSystem } from '../engine/types.ts';
import { createLineTables, positionsIn, type Positions } from './positions.ts';
import { createSurroundings, type World } from './surroundings.ts';
import type { Turns } from './turns.ts';

/** What was found in a file that is not open. */
export interface ClosedFile {
  readonly analysis: Analysis;
  readonly positions: Positions;
  /** The keys of the documents that the answer rests on. */
  readonly reads: ReadonlySet<string>;
}

export interface ClosedFiles {
  /**
   * Undefined where the file is not there or mentions no VFIO, and where the answer is no longer
   * wanted.
   */
  analyse(uri: string): Promise<ClosedFile | undefined>;
  close(): void;
}

/** Texts that are kept from one file to the next: headers and Makefiles, above all. */
const MAX_TEXTS = 400;

/** @param goesOn asked between two steps: is the answer still wanted? */
export function openClosedFiles(
  engine: Engine,
  files: FileSystem,
  world: World,
  turns: Turns,
  goesOn: () => boolean,
): ClosedFiles {
  const surroundings = createSurroundings(files, world, MAX_TEXTS);
  let before: readonly string[] = [];

  /** Lets the last module go when another one is next. */
  function goOnWith(sources: readonly string[]): void {
    if (sources.join('\n') === before.join('\n')) return;
    for (const path of before) engine.forget(path);
    before = sources;
  }

  return {
    async analyse(uri) {
      const key = canonicalUri(uri);
      const text = await surroundings.fs.readFile(key);
      if (text === undefined || !mentionsVfio(text)) return undefined;
      const { config, kernel } = await surroundings.settings(uri);
      const input = await surroundings.module(key, text, config);
      const analysis = await turns.take(() => {
        goOnWith(input.sources.map((one) => one.path));
        return turns.inSteps(engine.analyseInSteps(input, config, kernel), goesOn);
      });
      const reads = new Set([...input.sources, ...input.headers].map((one) => one.path));
      return analysis && { analysis, positions: positionsIn(input, createLineTables()), reads };
    },
    close: () => void turns.take(() => engine.dispose()),
  };
}
