/** What stands above the functions of a driver: the conversion of an old probe, findings and model. */
import type { FunctionIr } from '../ir/types.ts';
import { indexModule } from '../lifecycle/module/module.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { Finding } from '../rules/types.ts';
import type { Span } from '../text/span.ts';
import { driversOf } from './life-cycle/drivers.ts';

export interface LifeLens {
  /** The name of the function that it stands above. */
  readonly span: Span;
  readonly functionName: string;
  /** `conversion`: of the devices that the function initialises by the old model. */
  readonly kind: 'conversion' | 'summary';
  /** For a summary: `new model, 2 findings`. */
  readonly title: string;
}

/** The lenses of the document `path`, in the order of the text. Total; nothing is planned. */
export function lifeLenses(
  facts: ModuleFacts,
  findings: readonly Finding[],
  path: string,
): LifeLens[] {
  const index = indexModule(facts.module, facts.kernel);
  const old = new Set(
    findings.filter(({ convertible }) => convertible === true).map((one) => one.functionName),
  );
  const conversions = new Map<FunctionIr, LifeLens>();
  const summaries = new Map<FunctionIr, LifeLens>();
  for (const { begins, ends, init, release } of driversOf(facts)) {
    const callbacks = [...init, ...release].flatMap((one) => one.function ?? []);
    for (const fn of [...begins, ...ends, ...callbacks]) {
      if (index.fileOf(fn)?.path !== path) continue;
      const lens = { span: fn.nameSpan, functionName: fn.name };
      if (begins.includes(fn) && old.has(fn.name))
        conversions.set(fn, { ...lens, kind: 'conversion', title: '' });
      summaries.set(fn, { ...lens, kind: 'summary', title: summaryOf(facts, fn, findings) });
    }
  }
  return [...conversions.values(), ...summaries.values()].sort(
    (left, right) => left.span.start - right.span.start,
  );
}

function summaryOf(
  { observations }: ModuleFacts,
  fn: FunctionIr,
  findings: readonly Finding[],
): string {
  const models = new Set(
    observations
      .filter((one) => one.function === fn)
      .flatMap(({ before }) =>
        before.model === 'new' || before.model === 'old' ? [`${before.model} model`] : [],
      ),
  );
  const count = findings.filter((one) => one.functionName === fn.name).length;
  const counted = count === 0 ? 'no findings' : `${count} finding${count === 1 ? '' : 's'}`;
  return [...(models.size === 1 ? models : []), counted].join(', ');
}
