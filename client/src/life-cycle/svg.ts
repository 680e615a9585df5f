/** A laid out life as SVG, whose buttons are named by their texts: for the view, where its parts can be clicked on, and for a file. */
import { attributes, escaped } from './html.ts';
import { LETTER, LINE_HEIGHT, PADDING, type Box, type Line, type Picture } from './layout.ts';
import type { LifePlace } from './types.ts';

/**
 * Colours are those of the editor's theme, and of a light one where there is no theme. What is said
 * by a colour is said by a word or by a kind of line too.
 */
export const PICTURE_STYLE = `
svg.life { font: 12px var(--vscode-editor-font-family, monospace); }
svg.life text { fill: var(--vscode-editor-foreground, #1f1f1f); }
svg.life rect {
  fill: var(--vscode-editorWidget-background, #f8f8f8);
  stroke: var(--vscode-contrastBorder, var(--vscode-editorWidget-border, #8a8a8a));
}
svg.life .title { font-weight: bold; }
svg.life .where { fill: var(--vscode-descriptionForeground, #5a5a5a); }
svg.life .exit rect { stroke-dasharray: 4 3; }
svg.life .owed, svg.life .finding { fill: var(--vscode-editorError-foreground, #b01011); }
svg.life .finding { font-weight: bold; }
svg.life path { fill: none; stroke: var(--vscode-editor-foreground, #1f1f1f); stroke-width: 1.2; }
svg.life path.head { fill: var(--vscode-editor-foreground, #1f1f1f); stroke: none; }
svg.life path.found-head { fill: var(--vscode-editorError-foreground, #b01011); stroke: none; }
svg.life .calls > path, svg.life .opens > path { stroke-dasharray: 2 3; }
svg.life .fails > path, svg.life .ends > path { stroke-dasharray: 5 3; }
svg.life .step.found > rect.box { stroke: var(--vscode-editorError-foreground, #b01011); }
svg.life .found > path {
  stroke: var(--vscode-editorError-foreground, #b01011);
  stroke-width: 2.5;
  stroke-dasharray: none;
}
svg.life .way.found > text { fill: var(--vscode-editorError-foreground, #b01011); font-weight: bold; }
svg.life .label { fill: var(--vscode-editor-background, #ffffff); stroke: none; }
svg.life .here rect.box { stroke: var(--vscode-focusBorder, #005fb8); stroke-width: 2.5; }
svg.life .walked rect.box { stroke: var(--vscode-editorError-foreground, #b01011); stroke-width: 2.5; }
`;

/** Gives a place a number that the view can name it by. */
export type NumberPlace = (place: LifePlace) => number;

/**
 * The picture as an element of the view. Boxes that have a place, and ways with a finding, are
 * buttons.
 */
export function svgElement(picture: Picture, label: string, numberOf: NumberPlace): string {
  return svg(picture, label, {
    ...picture,
    box: (box) => interactiveBox(box, numberOf),
    line: (line) => interactiveLine(line),
  });
}

/** The picture as a file of its own. */
export function svgFile(picture: Picture, label: string): string {
  const plain = svg(picture, label, {
    box: (box) => `<g class="${classesOf(box)}">${boxContent(box)}</g>`,
    line: (line) => `<g class="${classesOf(line)}">${lineContent(line)}</g>`,
  });
  const start = plain.indexOf('>') + 1;
  const title = `<title>${escaped(label)}</title><style>${PICTURE_STYLE}</style>`;
  const paper = `<rect class="label" width="100%" height="100%"/>`;
  return `${plain.slice(0, start)}${title}${paper}${plain.slice(start)}\n`;
}

/** The head of an arrow, by the class of its colour. */
function markerOf(name: string): string {
  const given = attributes({
    id: name,
    viewBox: '0 0 8 8',
    refX: 7,
    refY: 4,
    markerWidth: 9,
    markerHeight: 9,
    markerUnits: 'userSpaceOnUse',
    orient: 'auto-start-reverse',
  });
  return `<marker${given}><path class="${name}" d="M0 0 8 4 0 8z"/></marker>`;
}

interface Drawing {
  box(box: Box): string;
  line(line: Line): string;
}

function svg({ width, height, boxes, lines }: Picture, label: string, draw: Drawing): string {
  const given = attributes({
    xmlns: 'http://www.w3.org/2000/svg',
    class: 'life',
    role: 'group',
    'aria-label': label,
    width: Math.ceil(width),
    height: Math.ceil(height),
    viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
  });
  const marker = `<defs>${['head', 'found-head'].map(markerOf).join('')}</defs>`;
  return `<svg${given}>${marker}${lines.map(draw.line).join('')}${boxes.map(draw.box).join('')}</svg>`;
}

function interactiveBox(box: Box, numberOf: NumberPlace): string {
  const [finding] = box.findings;
  const given = attributes({
    class: classesOf(box),
    role: box.place === null ? 'img' : 'button',
    tabindex: box.place === null ? undefined : 0,
    'aria-label': box.place === null ? box.lines.map(({ text }) => text).join(', ') : undefined,
    'data-id': box.id,
    'data-function': box.functionName ?? undefined,
    'data-place': box.place === null ? undefined : numberOf(box.place),
    'data-finding': finding?.id,
  });
  return `<g${given}>${boxContent(box)}</g>`;
}

function interactiveLine(line: Line): string {
  const [finding] = line.findings;
  const given = attributes({
    class: classesOf(line),
    role: finding === undefined ? undefined : 'button',
    tabindex: finding === undefined ? undefined : 0,
    'aria-hidden': finding === undefined ? 'true' : undefined,
    'data-id': line.id,
    'data-finding': finding?.id,
  });
  return `<g${given}>${lineContent(line)}</g>`;
}

function classesOf(part: Box | Line): string {
  const found = part.findings.length > 0 ? ' found' : '';
  return `${'points' in part ? 'way ' : ''}${part.kind}${found}`;
}

function boxContent({ x: left, y: top, width, height, lines }: Box): string {
  const rect = attributes({ class: 'box', x: round(left), y: round(top), width, height, rx: 4 });
  const texts = lines.map(({ text, style }, i) => {
    const given = attributes({
      class: style,
      x: round(left + PADDING),
      y: round(top + PADDING + LINE_HEIGHT * (i + 1) - 6),
    });
    return `<text${given}>${escaped(text)}</text>`;
  });
  return `<rect${rect}/>${texts.join('\n')}`;
}

function lineContent({ points, label, rules, labelAt, findings }: Line): string {
  const head = findings.length > 0 ? 'found-head' : 'head';
  const path = `<path${attributes({ d: curve(points), 'marker-end': `url(#${head})` })}/>`;
  const both = label !== '' && rules !== '';
  const apart = both ? LINE_HEIGHT / 2 : 0;
  return `${path}${labelText(label, labelAt, -apart)}\n${labelText(rules, labelAt, apart)}`;
}

/** A text with a ground of its own, so that no line goes through it. */
function labelText(text: string, at: { x: number; y: number }, down: number): string {
  if (text === '') return '';
  const width = text.length * LETTER + 6;
  const ground = attributes({
    class: 'label',
    x: round(at.x - width / 2),
    y: round(at.y - LINE_HEIGHT / 2 + down),
    width: round(width),
    height: LINE_HEIGHT,
  });
  const place = attributes({ x: round(at.x), y: round(at.y + 4 + down), 'text-anchor': 'middle' });
  return `<rect${ground}/><text${place}>${escaped(text)}</text>`;
}

/** A line through points with round corners. */
function curve(points: Line['points']): string {
  const [first, ...others] = points;
  const last = others.pop();
  if (first === undefined || last === undefined) return '';
  const bends = others.map((point, i) => {
    const next = others[i + 1] ?? last;
    const [endX, endY] =
      next === last ? [next.x, next.y] : [(point.x + next.x) / 2, (point.y + next.y) / 2];
    return `Q${round(point.x)} ${round(point.y)} ${round(endX)} ${round(endY)}`;
  });
  const straight = bends.length === 0 ? `L${round(last.x)} ${round(last.y)}` : '';
  return `M${round(first.x)} ${round(first.y)}${bends.join('')}${straight}`;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
