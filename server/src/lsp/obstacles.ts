/**
 * What stands in the way of conversions, beside the findings that they would take away. A plan
 * costs as much as an analysis of the module anew,
 * which no key can wait for: findings are told without it first, and again when it was worked out
 * for the very texts that they are about.
 */
import { obstaclesTo, withObstacles, type Obstacle } from '../engine/convertibility.ts';
import type { Finding } from '../rules/types.ts';
import type { Loaded, Session } from './session.ts';

export interface Obstacles {
  /**
   * The findings with what is known to stand in the way. What is not known yet is for `workOut`.
   */
  tell(loaded: Loaded, findings: readonly Finding[]): readonly Finding[];
  /**
   * Works out what was not known, for documents that still have the text that was asked about. True
   * when there is something to tell.
   */
  workOut(): Promise<boolean>;
  closed(uri: string): void;
}

/** What is known of one version of a module, by the function of the finding. */
interface Known {
  readonly loaded: Loaded;
  readonly byFunction: Map<string | null, readonly Obstacle[]>;
  /** The first finding of each function that is not known yet. */
  readonly asked: Map<string | null, Finding>;
}

export function createObstacles(session: Session): Obstacles {
  const known = new Map<string, Known>();

  /** What is known of the very texts of `loaded`; what was known of others is of no more use. */
  function knownOf(loaded: Loaded): Known {
    const { uri } = loaded.document;
    const before = known.get(uri);
    if (before && isSame(before.loaded, loaded)) return before;
    const fresh: Known = { loaded, byFunction: new Map(), asked: new Map() };
    known.set(uri, fresh);
    return fresh;
  }

  /** Is this still the text of the document? */
  function isCurrent({ loaded }: Known): boolean {
    return session.documents.get(loaded.document.uri)?.version === loaded.version;
  }

  return {
    tell(loaded, findings) {
      if (!findings.some(isConcerned)) {
        known.delete(loaded.document.uri);
        return findings;
      }
      const { byFunction, asked } = knownOf(loaded);
      return findings.map((finding) => {
        if (!isConcerned(finding)) return finding;
        const found = byFunction.get(finding.functionName);
        if (found) return withObstacles(loaded.input, finding, found);
        if (!asked.has(finding.functionName)) asked.set(finding.functionName, finding);
        return finding;
      });
    },

    async workOut() {
      let isNew = false;
      for (const one of known.values()) {
        for (const [name, finding] of one.asked) {
          if (!isCurrent(one)) break;
          const { engine, input, kernel } = one.loaded;
          const found = await session.inTurn(() => obstaclesTo(engine, input, kernel, finding));
          one.byFunction.set(name, found);
          one.asked.delete(name);
          if (found.length > 0) isNew = true;
        }
      }
      return isNew;
    },

    closed: (uri) => void known.delete(uri),
  };
}

function isConcerned(finding: Finding): boolean {
  return finding.convertible === true;
}

/**
 * Are the documents, the target and the settings of the module the same, so that every answer is?
 */
function isSame(before: Loaded, now: Loaded): boolean {
  const settings = ({ kernel, config }: Loaded): string =>
    JSON.stringify([kernel.text, config.wrappers]);
  if (settings(before) !== settings(now)) return false;
  const old = [...before.input.sources, ...before.input.headers];
  const fresh = [...now.input.sources, ...now.input.headers];
  return (
    old.length === fresh.length &&
    old.every(({ path, text }, i) => path === fresh[i]!.path && text === fresh[i]!.text)
  );
}
