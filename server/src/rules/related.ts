/** The path to a finding as related information. */
import type { Finding } from './types.ts';
import type { Site, Step } from '../lifecycle/types.ts';
import { isSameSite } from './locate.ts';

type Related = Finding['related'][number];

/** More places than a reader follows help nobody. */
const MOST = 6;

/** What a step tells a reader, most telling first; `entry` tells nothing. */
const WEIGHT: Readonly<Record<Step['kind'], number>> = {
  operation: 4,
  goto: 3,
  branch: 2,
  return: 1,
  call: 1,
  entry: 0,
};

/**
 * The path to a finding as related information, oldest first: the allocation, the register, each
 * goto; without repetition, without the
 * place of the finding itself, and cut to the most telling steps.
 */
export function relatedOf(trace: readonly Step[], finding: Site): Related[] {
  const steps: Step[] = [];
  for (const step of trace) {
    if (
      WEIGHT[step.kind] === 0 ||
      step.op === 'set-drvdata' ||
      step.text === '' ||
      isSameSite(step.site, finding)
    )
      continue;
    // One call may do several things; the one with more to say stands for it.
    const same = steps.findIndex((other) => isSameSite(other.site, step.site));
    if (same < 0) steps.push(step);
    else if (step.text.length > steps[same]!.text.length) steps[same] = step;
  }
  const ranked = steps.map((step, index) => ({ step, index, rank: rank(step, index) }));
  const kept = new Set(
    ranked
      .sort((left, right) => right.rank - left.rank)
      .slice(0, MOST)
      .map(({ index }) => index),
  );
  return steps
    .filter((_, index) => kept.has(index))
    .map((step) => ({ site: step.site, message: step.text }));
}

/**
 * Operations first; among equals the oldest (where the object comes from) and then the newest (what
 * led here).
 */
function rank(step: Step, index: number): number {
  return WEIGHT[step.kind] * 1000 + (index === 0 ? 500 : index);
}
