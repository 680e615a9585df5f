/** Where the steps of a life and the ways between them are drawn. */
import { Graph, layout } from '@dagrejs/dagre';
import type { DriverLife, LifeEdge, LifeFinding, LifePlace, LifeStep } from './types.ts';

/** A line of text in a box. */
export interface BoxLine {
  readonly text: string;
  readonly style: 'title' | 'text' | 'where' | 'call' | 'owed' | 'finding';
}

/** A step, or the return on an error path. */
export interface Box {
  readonly id: string;
  readonly kind: 'step' | 'exit';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly lines: readonly BoxLine[];
  readonly place: LifePlace | null;
  readonly functionName: string | null;
  /** What is found on it. */
  readonly findings: readonly LifeFinding[];
}

/** The line from one box to another. */
export interface Line {
  readonly id: string;
  readonly kind: LifeEdge['kind'];
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly label: string;
  /** What is found on it, by the rules' names. */
  readonly rules: string;
  readonly labelAt: { readonly x: number; readonly y: number };
  readonly findings: readonly LifeFinding[];
}

/** A life, laid out. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** In the order of the life. */
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
}

/** Of the font, in pixels: a letter of a font of one width, and a line of text. */
export const LETTER = 7.25;
export const LINE_HEIGHT = 17;
export const PADDING = 9;
const MARGIN = 12;
const MAX_LETTERS = 46;
const MAX_CALLS = 5;

type Content = Pick<Box, 'id' | 'kind' | 'lines' | 'place' | 'functionName' | 'findings'>;

/** Lays the life of a driver out from the top to the bottom. */
export function layOut(life: DriverLife): Picture {
  const boxes = contentsOf(life);
  const known = new Set(boxes.map(({ id }) => id));
  const edges = life.edges.filter(({ from, to }) => known.has(from) && (!to || known.has(to)));
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 34, ranksep: 38, marginx: MARGIN, marginy: MARGIN });
  for (const { id, lines } of boxes) graph.setNode(id, sizeOf(lines));
  for (const edge of edges) {
    const label = labelOf(edge);
    // What goes on is straight, what fails goes aside.
    const weight = edge.to === null ? 1 : 4;
    const rules = rulesOf(edge, life.findings);
    const letters = Math.max(label.length, rules.length);
    const rows = [label, rules].filter((text) => text !== '').length;
    const size = { width: letters * LETTER + 8, height: rows * LINE_HEIGHT };
    graph.setEdge(edge.from, edge.to ?? exitOf(edge), { ...size, weight, labelpos: 'c' }, edge.id);
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    boxes: boxes.map((box) => {
      const at = graph.node(box.id);
      const [boxWidth, boxHeight] = [at.width, at.height];
      const [left, top] = [(at.x ?? 0) - boxWidth / 2, (at.y ?? 0) - boxHeight / 2];
      return { ...box, x: left, y: top, width: boxWidth, height: boxHeight };
    }),
    lines: edges.map((edge): Line => {
      const at = graph.edge(edge.from, edge.to ?? exitOf(edge), edge.id);
      return {
        id: edge.id,
        kind: edge.kind,
        points: at.points ?? [],
        label: labelOf(edge),
        rules: rulesOf(edge, life.findings),
        labelAt: { x: at.x ?? 0, y: at.y ?? 0 },
        findings: life.findings.filter(({ id }) => edge.findings.includes(id)),
      };
    }),
  };
}

/** The boxes in the order of the life: a return comes after the step that fails. */
function contentsOf({ steps, edges, findings }: DriverLife): readonly Content[] {
  return steps.flatMap((step) => [
    stepBox(
      step,
      findings.filter((one) => one.step === step.id && one.edge === null),
    ),
    ...edges
      .filter((edge) => edge.from === step.id && edge.to === null)
      .map((edge) => exitBox(edge)),
  ]);
}

function stepBox(step: LifeStep, findings: readonly LifeFinding[]): Content {
  const calls = step.calls.slice(0, MAX_CALLS).map(({ call, undo }) => ({
    text: callText(call, undo, step.title),
    style: 'call' as const,
  }));
  const more = step.calls.length - calls.length;
  return {
    id: step.id,
    kind: 'step',
    lines: rowsOf([
      { text: step.title, style: 'title' },
      { text: step.does, style: 'text' },
      ...calls,
      { text: more > 0 ? `and ${more} more` : '', style: 'call' },
      { text: whereOf(step.function, step.place), style: 'where' },
      ...findings.map(({ severity, rule }) => ({
        text: `${severity}: ${rule}`,
        style: 'finding' as const,
      })),
    ]),
    place: step.place,
    functionName: step.function,
    findings,
  };
}

/** The call that the title names is not named again. */
function callText(call: string, undo: string | null, title: string): string {
  const undone = undo === null ? '' : `undone by ${undo}`;
  return [call === title ? '' : call, undone].filter(Boolean).join(', ');
}

function exitBox(edge: LifeEdge): Content {
  const undone = edge.undone.map(({ call }) => call).join(', ');
  return {
    id: exitOf(edge),
    kind: 'exit',
    lines: rowsOf([
      {
        text: edge.place === null ? 'returns' : `returns, line ${lineOf(edge.place)}`,
        style: 'title',
      },
      { text: undone === '' ? '' : `undoes ${undone}`, style: 'text' },
      ...(edge.owed.length === 0
        ? [{ text: 'owes nothing', style: 'text' as const }]
        : edge.owed.map((call) => ({ text: `still owes ${call}`, style: 'owed' as const }))),
    ]),
    place: edge.place,
    functionName: edge.function,
    findings: [],
  };
}

/** `foo_probe(), line 12` */
function whereOf(functionName: string | null, place: LifePlace | null): string {
  const line = place === null ? '' : `line ${lineOf(place)}`;
  return [functionName === null ? '' : `${functionName}()`, line].filter(Boolean).join(', ');
}

/** As people count. */
export function lineOf({ range }: LifePlace): number {
  return range.start.line + 1;
}

function exitOf({ id }: LifeEdge): string {
  return `exit ${id}`;
}

function labelOf({ label }: LifeEdge): string {
  return shortened(label);
}

function rulesOf({ findings }: LifeEdge, all: readonly LifeFinding[]): string {
  const rules = all.filter(({ id }) => findings.includes(id)).map(({ rule }) => rule);
  return shortened([...new Set(rules)].join(', '));
}

/** The lines as they are drawn: one that is too long goes on in the next. */
function rowsOf(lines: readonly BoxLine[]): readonly BoxLine[] {
  return lines
    .filter(({ text }) => text !== '')
    .flatMap(({ text, style }) => wrapped(text).map((row) => ({ text: row, style })));
}

function wrapped(text: string): readonly string[] {
  const space = text.length <= MAX_LETTERS ? -1 : text.lastIndexOf(' ', MAX_LETTERS);
  if (space < 0) return [shortened(text)];
  return [text.slice(0, space), ...wrapped(text.slice(space + 1))];
}

function shortened(text: string): string {
  return text.length <= MAX_LETTERS ? text : `${text.slice(0, MAX_LETTERS - 1)}…`;
}

function sizeOf(lines: readonly BoxLine[]): { width: number; height: number } {
  const letters = Math.max(...lines.map(({ text }) => text.length), 0);
  return {
    width: letters * LETTER + 2 * PADDING,
    height: lines.length * LINE_HEIGHT + 2 * PADDING - 4,
  };
}
