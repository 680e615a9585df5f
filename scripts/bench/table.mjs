// Numbers of a run and the table that shows them.

/** The value that `percent` of the values do not exceed. */
export function percentile(values, percent) {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
}

/**
 * The table as text. Each row is `{ name, budget, unit, sides }`, where `sides` are the programs
 * that were measured: `{ label, values, processor }`, our own first.
 */
export function tableOf(rows) {
  const lines = [
    [
      'measured',
      'program',
      'median',
      'p95',
      'max',
      'lowest',
      'CPU',
      'budget',
      'ratio',
      'CPU ratio',
    ],
    ...rows.flatMap(linesOf),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const text = (line) =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [text(lines[0]), rule, ...lines.slice(1).map(text)].join('\n');
}

/** One line for each program; the others have how many times our own number they are. */
function linesOf({ name, budget, unit = 'ms', sides }) {
  const [own] = sides;
  return sides
    .filter(({ values }) => values.length > 0)
    .map((side) => [
      side === own ? name : '',
      side.label,
      number(percentile(side.values, 50), unit),
      ...(side.values.length < 5
        ? ['', '']
        : [number(percentile(side.values, 95), unit), number(Math.max(...side.values), unit)]),
      side.values.length < 2 ? '' : number(Math.min(...side.values), unit),
      side.processor.length > 0 ? number(percentile(side.processor, 50), 'ms') : '',
      side === own ? budget : '',
      side === own ? '' : ratio(percentile(own.values, 50), percentile(side.values, 50)),
      side === own || own.processor.length === 0 || side.processor.length === 0
        ? ''
        : ratio(percentile(own.processor, 50), percentile(side.processor, 50)),
    ]);
}

function number(value, unit) {
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** Our own number as a part of another: below 1 ours is the smaller. */
function ratio(own, other) {
  return other === 0 ? '' : (own / other).toFixed(2);
}
