/** What was planted and found, in plain columns. */
import { lineIndex } from '../../server/src/text/position.ts';
import type { Verdict } from './judge.ts';
import { kernelText } from './subjects.ts';
import type { Operator } from './types.ts';

export interface Row {
  readonly operator: Operator;
  readonly verdicts: readonly Verdict[];
}

interface Counts {
  planted: number;
  found: number;
  lowered: number;
  otherwise: number;
  missed: number;
  equivalent: number;
  extra: number;
}

export function count(verdicts: readonly Verdict[]): Counts {
  const of = (outcome: Verdict['outcome']): number =>
    verdicts.filter((one) => one.outcome === outcome).length;
  return {
    planted: verdicts.length - of('equivalent'),
    found: of('found'),
    lowered: verdicts.filter((one) => one.isLowered).length,
    otherwise: of('otherwise'),
    missed: of('missed'),
    equivalent: of('equivalent'),
    extra: verdicts.filter((one) => one.extra.length > 0).length,
  };
}

/** The share of the planted defects that were found, from 0 to 1; 1 where none was planted. */
export function share({ planted, found }: Counts): number {
  return planted === 0 ? 1 : found / planted;
}

/** `95.0 %`. */
export function percent(counts: Counts): string {
  return `${(share(counts) * 100).toFixed(1)} %`;
}

const HEAD = [
  'planted',
  'found',
  '%',
  'lowered',
  'otherwise',
  'missed',
  'equivalent',
  'extra errors',
];

/** One line for each name, columns aligned. */
export function table(
  title: string,
  rows: readonly (readonly [name: string, verdicts: readonly Verdict[]])[],
): string {
  const cells = rows.map(([name, verdicts]) => {
    const counts = count(verdicts);
    return [
      name,
      counts.planted,
      counts.found,
      counts.planted === 0 ? '' : (share(counts) * 100).toFixed(1),
      counts.lowered,
      counts.otherwise,
      counts.missed,
      counts.equivalent,
      counts.extra,
    ].map(String);
  });
  const all = [[title, ...HEAD], ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A place as compilers write it, with the driver and its kernel. */
export function placeOf({ subject, defect }: Verdict): string {
  const file = [...subject.sources, ...subject.headers].find((one) => one.path === defect.path)!;
  return `${subject.name} for ${kernelText(defect.kernel ?? subject.kernel)}: ${defect.path}:${lineIndex(file.text).position(defect.at).line + 1}`;
}
