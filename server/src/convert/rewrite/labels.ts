/** Renames labels whose names would be wrong after a conversion. */
import type { FileIr, LabelStmt, Stmt } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { hiddenJumps } from '../query/hidden-jumps.ts';
import { statementsOf } from '../../lifecycle/module/statements.ts';
import type { Container, FreePlan, LabelPlan, UninitPlan } from '../types.ts';

/**
 * `out_free`, `err_uninit`, `free_vdev`: a label that says what it does, and would say the wrong
 * thing after the conversion.
 */
const SAYS_FREE =
  /^(?:(out|err|error|fail|failed|exit|bail|undo)_)?(?:free|kfree|uninit)(?:_(\w+))?$/;

/**
 * The labels whose names would lie: they say free or uninit of the object and lead to a put. Any
 * other label keeps its name,
 * and so does one that names the free of something else (`err_free_config: kfree(p->config)`).
 */
export function planLabels(
  module: Module,
  file: FileIr,
  container: Container,
  frees: readonly FreePlan[],
  uninits: readonly UninitPlan[],
): LabelPlan[] {
  const gone = new Set<Stmt>([
    ...frees.map((item) => item.at.stmt),
    ...uninits.map((item) => item.at.stmt),
  ]);
  const plans: LabelPlan[] = [];
  // A label right before the put has the first right to the name.
  const ordered = [...frees].sort(
    (left, right) =>
      Number(right.at.siblings[right.at.index - 1]?.kind === 'label') -
      Number(left.at.siblings[left.at.index - 1]?.kind === 'label'),
  );
  for (const free of ordered) {
    const { siblings, index } = free.at;
    let at = index;
    while (at >= 0 && siblings[at]!.kind !== 'label') at--;
    const label = siblings[at] as LabelStmt | undefined;
    const match = label && SAYS_FREE.exec(label.name);
    if (!label || !match) continue;
    const [, prefix, rest] = match;
    if (rest !== undefined && !gone.has(siblings[at + 1]!)) continue;
    const to = `${prefix ? `${prefix}_` : ''}put_${container.path[container.path.length - 1]!}`;
    const taken =
      new RegExp(`\\b${to}\\b`).test(free.fn.text) ||
      plans.some((plan) => plan.fn === free.fn && plan.to === to);
    // A label that a macro, an asm goto or something not understood may name cannot be renamed.
    const unsure = statementsOf(free.fn).some(
      ({ stmt }) => stmt.kind === 'unknown' || stmt.kind === 'asm',
    );
    if (!taken && !unsure && !hiddenJumps(module, file, free.fn).pinned.has(label.name))
      plans.push({ file, fn: free.fn, from: label.name, to, merged: false });
  }
  return [...plans, ...mergedLabels(module, file, uninits, gone, plans)];
}

/**
 * Labels of an uninit that goes, when the next label follows at once: two names for one place, the
 * first of them wrong.
 */
function mergedLabels(
  module: Module,
  file: FileIr,
  uninits: readonly UninitPlan[],
  gone: ReadonlySet<Stmt>,
  renamed: readonly LabelPlan[],
): LabelPlan[] {
  const plans: LabelPlan[] = [];
  for (const { fn, at } of uninits) {
    const label = at.siblings[at.index - 1];
    let after = at.index + 1;
    while (
      at.siblings[after] &&
      gone.has(at.siblings[after]!) &&
      at.siblings[after]!.kind === 'expr' &&
      uninits.some((item) => item.at.stmt === at.siblings[after])
    )
      after++;
    const next = at.siblings[after];
    if (label?.kind !== 'label' || next?.kind !== 'label') continue;
    // A comment on the label's line would go with it.
    if (
      file.comments.some(
        (comment) =>
          comment.start >= label.end && !file.text.slice(label.end, comment.start).includes('\n'),
      )
    )
      continue;
    if (statementsOf(fn).some(({ stmt }) => stmt.kind === 'unknown' || stmt.kind === 'asm'))
      continue;
    if (hiddenJumps(module, file, fn).pinned.has(label.name)) continue;
    const to = renamed.find((plan) => plan.fn === fn && plan.from === next.name)?.to ?? next.name;
    plans.push({ file, fn, from: label.name, to, merged: true });
  }
  // Later labels come later in the list, so that a chain ends where its last link does.
  for (let index = plans.length - 2; index >= 0; index--) {
    const target = plans.find(
      (plan) => plan.fn === plans[index]!.fn && plan.from === plans[index]!.to,
    );
    if (target) plans[index] = { ...plans[index]!, to: target.to };
  }
  return plans;
}
