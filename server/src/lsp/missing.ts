/**
 * What an editor asks for on its own, at every move of a cursor, is answered from what is known.
 * What the answer is left without is worked out when it has gone, and the editor is asked to come
 * again.
 */
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { Loaded, Session } from './session.ts';

/** Something that an answer was left without. */
export interface Missing {
  /** Tells it from the others of the same texts. */
  readonly key: string;
  /** Works it out. True when there is something to show. */
  work(): boolean;
}

export interface MissingAnswers {
  /** Can the client be asked to come again about this document? */
  canComeAgain(uri: string): boolean;
  /** Whether this was worked out before: then it is not to be missed again, but to be asked for. */
  wasDone(loaded: Loaded, key: string): boolean;
  /** Works out what is missing, for a document that still has the text that was asked about. */
  workOut(loaded: Loaded, missing: readonly Missing[]): void;
}

/** @param comeAgain asks the client to show a document anew; false where it cannot be asked. */
export function createMissingAnswers(
  session: Session,
  comeAgain: { isPossible(uri: string): boolean; ask(uri: string): void },
): MissingAnswers {
  const done = new WeakMap<ModuleFacts, Set<string>>();

  function doneOf({ engine, input, kernel }: Loaded): Set<string> {
    const facts = engine.facts(input, kernel);
    const known = (facts && done.get(facts)) ?? new Set();
    if (facts) done.set(facts, known);
    return known;
  }

  async function workOutAll(loaded: Loaded, missing: readonly Missing[]): Promise<void> {
    let isNew = false;
    for (const { key, work } of missing) {
      // Throws where the text is another by now.
      await session.inTurn(async () => {
        await loaded.pause();
        if (work()) isNew = true;
        doneOf(loaded).add(key);
      });
    }
    if (isNew) comeAgain.ask(loaded.document.uri);
  }

  return {
    canComeAgain: (uri) => comeAgain.isPossible(uri),
    wasDone: (loaded, key) => doneOf(loaded).has(key),
    workOut(loaded, missing) {
      if (missing.length === 0) return;
      // After the answer has gone.
      setTimeout(() => void workOutAll(loaded, missing).catch(() => undefined), 0);
    },
  };
}
