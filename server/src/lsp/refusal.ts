/** Why a conversion cannot be done, as a client gets it that shows its user the place. */
import { type CancellationToken, type Range } from 'vscode-languageserver';
import { conversionTarget, whyNothing } from '../engine/convert.ts';
import { obstaclesOf, type Obstacle } from '../engine/convertibility.ts';
import { converted, loadedFor, type ConversionData } from './conversion.ts';
import type { Loaded, Session } from './session.ts';

/**
 * The request: ConversionData in, Refused out. Throws like CONVERSION_REQUEST where the document is
 * another by now.
 */
export const REFUSAL_REQUEST = 'vfioLifecycle/refusal';

/** What stands in the way of a conversion; nothing where it can be done after all. */
export interface Refused {
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
    switch (result.status) {
      case 'converted':
        return { obstacles: [] };
      case 'refused':
        return { obstacles: obstaclesOf(result).map((one) => placed(session, loaded, one)) };
      case 'unchanged': {
        const { reason } = whyNothing(loaded.engine, loaded.input, conversionTarget(loaded.kernel));
        return { obstacles: [placed(session, loaded, { code: null, reason, site: null })] };
      }
    }
  });
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
