/**
 * The conversion: a plan or a refusal from the IR, and the edits of a plan. The engine applies them
 * and proves the result.
 */
export { planConversion } from './several-files/plan.ts';
export { prepareConversion, type Prepared, type Relower } from './prepare.ts';
export { besidesStep } from './obstacles.ts';
export {
  composePlanned,
  offsetAfter,
  siteAfter,
  siteBefore,
  type DocumentEdits,
} from './compose.ts';
export { finishConversion } from './finish/index.ts';
export { editsOf } from './edits.ts';
export { whyUnchanged, type Unchanged } from './unchanged.ts';
export { driversWithoutDma } from './steps/managed-dma.ts';
export { oldForms, type OldForm } from './target-changes.ts';
export type {
  ConversionInput,
  ConversionPlan,
  ConversionRequest,
  EditKind,
  Note,
  PlanResult,
  PlannedEdits,
  Refusal,
  RefusalCode,
} from './types.ts';
