/** Places of a loaded module as a client has them. */
import type { Location, Range } from 'vscode-languageserver';
import type { Site } from '../lifecycle/types.ts';
import type { Loaded, Session } from './session.ts';

/** A place in a document of the module. */
export interface Place {
  readonly uri: string;
  readonly range: Range;
}

const NOWHERE: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** The place of a site; the begin of its document where that is not in the module. */
export function placeOf(session: Session, { positions }: Loaded, site: Site): Location & Place {
  return { uri: session.uriOf(site.path), range: positions.range(site.path, site) ?? NOWHERE };
}

/** The line of a place for people, with the name of its file when that is another. */
export function lineName({ positions, input }: Loaded, site: Site): string | undefined {
  const range = positions.range(site.path, site);
  const file =
    site.path === input.file ? '' : `${site.path.slice(site.path.lastIndexOf('/') + 1)}, `;
  return range && `${file}line ${range.start.line + 1}`;
}
