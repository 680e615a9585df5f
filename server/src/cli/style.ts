/**
 * How text looks on a terminal: colours as gcc has them, links, and how much fits on a line.
 * Elsewhere it is plain.
 */
import { styleText } from 'node:util';
import type { Severity } from '../rules/types.ts';
import type { Manner } from './command.ts';

/** What a part of the text is. */
export type Role =
  Severity | 'place' | 'note' | 'range' | 'faint' | 'strong' | 'code' | 'added' | 'removed';

export interface Style {
  paint(role: Role, text: string): string;
  /** The text as a link to a web page, where a terminal shows links. */
  link(text: string, address: string | undefined): string;
  /** The columns of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
  readonly hasColors: boolean;
}

/** What is asked of a stream of the process. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

const COLORS: Readonly<Record<Role, Parameters<typeof styleText>[0]>> = {
  error: ['bold', 'red'],
  warning: ['bold', 'magenta'],
  information: ['bold', 'cyan'],
  hint: ['bold', 'blue'],
  note: ['bold', 'cyan'],
  place: 'bold',
  strong: 'bold',
  range: ['bold', 'green'],
  faint: 'dim',
  code: 'cyan',
  added: 'green',
  removed: 'red',
};

/** Terminals that would show the characters of a link. */
const WITHOUT_LINKS: ReadonlySet<string> = new Set(['dumb', 'linux']);

/** Whether there are colours is decided here; later releases of Node would ask the stream too. */
const ALWAYS = { validateStream: false };

/** No colours, no links, no width. */
export const PLAIN: Style = {
  paint: (_, text) => text,
  link: (text) => text,
  columns: undefined,
  hasColors: false,
};

/**
 * The style of a stream. `auto` is colours on a terminal, unless NO_COLOR (https://no-color.org)
 * has a value or TERM is `dumb`;
 * links are on a terminal only, whatever is asked for.
 */
export function createStyle(
  color: Manner['color'],
  screen: Screen,
  env: Readonly<Record<string, string | undefined>>,
): Style {
  const isTerminal = screen.isTTY === true;
  const columns = isTerminal ? (screen.columns ?? 80) : undefined;
  const isWanted = isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  if (color === 'never' || (color === 'auto' && !isWanted)) return { ...PLAIN, columns };
  const hasLinks = isTerminal && !WITHOUT_LINKS.has(env['TERM'] ?? '');
  return {
    paint: (role, text) => (text === '' ? '' : styleText(COLORS[role], text, ALWAYS)),
    link: (text, address) =>
      hasLinks && address !== undefined ? `\x1b]8;;${address}\x1b\\${text}\x1b]8;;\x1b\\` : text,
    columns,
    hasColors: true,
  };
}
