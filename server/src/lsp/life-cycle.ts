/** The life of a driver's devices as a client gets it that draws it. */
import type { CancellationToken } from 'vscode-languageserver';
import { lifeCycle } from '../engine/life-cycle/index.ts';
import { mermaidOf } from '../engine/life-cycle/mermaid.ts';
import { withPlaces } from '../engine/life-cycle/places.ts';
import type { LifeCycle } from '../engine/life-cycle/types.ts';
import { lineName, placeOf, type Place } from './places.ts';
import type { Loaded, Session } from './session.ts';

/** The command: `{ uri }` in, LifeCycleAnswer out. */
export const LIFE_CYCLE_COMMAND = 'vfio-lifecycle.lifeCycle';

/** The lives in the module of a document, and the same as the text of Mermaid flowcharts. */
export interface LifeCycleAnswer extends LifeCycle<Place> {
  /** The version of the document that it is of. */
  readonly version: number;
  readonly mermaid: string;
}

/**
 * The answer for an open document; null where it is none of a driver. Throws the protocol's errors
 * when the request was cancelled or the document changed.
 */
export async function lifeCycleOf(
  session: Session,
  uri: string,
  token: CancellationToken,
): Promise<LifeCycleAnswer | null> {
  const loaded = await session.load(uri, token);
  return loaded ? session.inTurn(() => answer(session, loaded)) : null;
}

async function answer(session: Session, loaded: Loaded): Promise<LifeCycleAnswer | null> {
  const { findings } = await loaded.analysis();
  const facts = loaded.engine.facts(loaded.input, loaded.kernel);
  if (facts === undefined) return null;
  const life = lifeCycle(facts, findings);
  if (life.drivers.length === 0) return null;
  return {
    ...withPlaces(life, (site): Place => placeOf(session, loaded, site)),
    version: loaded.version,
    mermaid: mermaidOf(life, (site) => lineName(loaded, site) ?? ''),
  };
}
