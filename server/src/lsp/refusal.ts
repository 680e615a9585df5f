/** Why a conversion cannot be done, as a client gets it that shows its user the place. */
import { type CancellationToken, type Range } from 'vscode-languageserver';
import { conversionTarget, whyNothing } from '../engine/convert.ts';
import { obstaclesOf, type Obstacle } from '../engine/convertibility.ts';
import type { Conversion } from '../engine/types.ts';
import { converted, loadedFor, type ConversionData } from './conversion.ts';
import type { Loaded, Session } from './session.ts';

/**
 * The request: ConversionData in, Refused out. Throws like CONVERSION_REQUEST where the document is
 * another by now.
 */
export const REFUSAL_REQUEST = 'vfioLifecycle/refusal';

/** What became of a conversion that was not made. */
export interface Refused {
  /** `converted`: it can be done after all; `unchanged`: there is nothing to convert. */
  readonly status: 'converted' | 'refused' | 'unchanged';
  /** What is in the way, or why there is nothing to convert. */
  readonly obstacles: readonly PlacedObstacle[];
}

interface PlacedObstacle {
  /** Whole sentences. */
  readonly reason: string;
  /** A heading of docs/refusals.md; null where there is none. */
  readonly kind: string | null;
  readonly uri: string;
  /** Null where it is about no place in particular. */
  readonly range: Range | null;
}

/**
 * The answer to REFUSAL_REQUEST: the conversion is planned and proved anew, with all that the
 * document is converted together with.
 */
export async function refusalOf(
  session: Session,
  data: Partial<ConversionData> | null,
  token: CancellationToken,
): Promise<Refused> {
  const loaded = await loadedFor(session, data, token);
  return session.inTurn(async () => {
    await loaded.analysis();
    const result = converted(loaded, data ?? {});
    const obstacles = inTheWay(loaded, result).map((one) => placed(session, loaded, one));
    return { status: result.status, obstacles };
  });
}

function inTheWay(loaded: Loaded, result: Conversion): readonly Obstacle[] {
  if (result.status === 'converted') return [];
  if (result.status === 'refused') return obstaclesOf(result);
  const { reason } = whyNothing(loaded.engine, loaded.input, conversionTarget(loaded.kernel));
  return [{ code: null, reason, site: null }];
}

function placed(
  session: Session,
  { document, positions }: Loaded,
  { code, reason, site }: Obstacle,
): PlacedObstacle {
  const range = (site && positions.range(site.path, site)) ?? null;
  return {
    reason,
    kind: code,
    uri: site && range ? session.uriOf(site.path) : document.uri,
    range,
  };
}
