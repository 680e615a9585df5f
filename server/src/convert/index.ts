export { planConversion } from './plan.ts';
export { editsOf } from './edits.ts';
export type { ConversionInput, ConversionPlan, ConversionRequest, PlanResult, PlannedEdits, Refusal, RefusalCode } from './types.ts';
