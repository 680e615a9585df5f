/**
 * The conversion: a plan or a refusal from the IR, and the edits of a plan. The engine applies them
 * and proves the result.
 */
export { planConversion } from './modules/plan.ts';
export { prepareConversion, type Prepared, type Relower } from './plan/prepare.ts';
export { besidesStep } from './plan/obstacles.ts';
export {
  composePlanned,
  offsetAfter,
  siteAfter,
  siteBefore,
  type DocumentEdits,
} from './rewrite/compose.ts';
export { finishConversion } from './rewrite/finish/index.ts';
export { editsOf } from './rewrite/edits.ts';
export { whyUnchanged, type Unchanged } from './plan/unchanged.ts';
export { driversWithoutDma } from './steps/managed-dma.ts';
export { oldForms, type OldForm } from './plan/target-changes.ts';
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
