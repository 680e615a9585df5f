/** Plans a conversion over all files of a module: the entry of the room. */
import type { FileIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { functionsCalling } from '../../lifecycle/module/function-scan.ts';
import { planFile } from '../plan/plan.ts';
import { allExpressions, statementsOf } from '../../lifecycle/module/statements.ts';
import { refuse, RefusedError } from '../refusal-error.ts';
import type {
  ConversionInput,
  ConversionPlan,
  ConversionRequest,
  PlanResult,
  RefusalCode,
} from '../types.ts';
import { initsConcerning } from './concerned.ts';
import { definitionOf } from './helpers.ts';
import { documentsOfLife, mergedModule } from './documents.ts';

/** What one document cannot show and the whole module may. */
const OF_SEVERAL_FILES: ReadonlySet<RefusalCode> = new Set([
  'library',
  'helper-initialises',
  'initialised-elsewhere',
  'allocated-elsewhere',
  'freed-elsewhere',
  'registered-elsewhere',
  'table-elsewhere',
  'never-freed',
  'uninit-without-free',
  'free-of-nothing',
  'argument-not-available',
]);

/**
 * Plans the conversion of the devices of a document from vfio_init_group_dev (5.13 to 6.0) to
 * vfio_alloc_device: proves what it needs,
 * or refuses with a reason and a place. Where the life of a device is spread over the module, the
 * plan is for all its documents.
 * Reads the IR only; the result is data for `editsOf`. Never throws.
 */
export function planConversion(input: ConversionInput, request: ConversionRequest): PlanResult {
  const file = input.module.sources.find((source) => source.path === request.path);
  if (!file) return { status: 'unchanged' };
  if (input.documents && input.documents.length > 0) return planDrivers(input, input.documents);
  const alone = attempt(() => planFile(input, file, request.functionName, [file]));
  const wrapped =
    alone.status === 'unchanged'
      ? attempt(() => refuseWrapped(input.module, file, request.functionName))
      : null;
  if (wrapped?.status === 'refused') return wrapped;
  // A file that only registers, or takes down, may be a part of a life that begins elsewhere.
  const partly =
    alone.status === 'unchanged' &&
    initsConcerning({ input, file, functionName: request.functionName }).some(
      (site) => site.scope.file !== file,
    );
  if (!partly && (alone.status !== 'refused' || !OF_SEVERAL_FILES.has(alone.refusal.code)))
    return alone;
  const documents = documentsOfLife(input.module, file);
  if (documents.length === 1) return alone;
  const together = attempt(() => planMerged(input, documents, file, request.functionName));
  return together.status === 'unchanged' ? alone : together;
}

function planMerged(
  input: ConversionInput,
  documents: readonly FileIr[],
  origin: FileIr,
  functionName: string | undefined,
): PlanResult {
  const merged = mergedModule(input.module, documents);
  return planFile({ ...input, module: merged.module }, merged.file, functionName, [origin]);
}

/** The drivers of a library: each is a program with the library, and not with the other drivers. */
function planDrivers(input: ConversionInput, paths: readonly string[]): PlanResult {
  const plans: ConversionPlan[] = [];
  for (const path of paths) {
    const file = input.module.sources.find((source) => source.path === path);
    if (!file) continue;
    const documents = documentsOfLife(input.module, file).filter(
      (one) => one === file || !paths.includes(one.path),
    );
    const result = attempt(() => planMerged(input, documents, file, undefined));
    if (result.status === 'refused') return result;
    if (result.status === 'planned') plans.push(result.plan);
  }
  const first = plans[0];
  if (!first) return { status: 'unchanged' };
  return {
    status: 'planned',
    plan: {
      ...first,
      devices: plans.flatMap((plan) => plan.devices),
      tables: plans.flatMap((plan) => plan.tables),
      notes: [
        ...new Map(plans.flatMap((plan) => plan.notes).map((note) => [note.text, note])).values(),
      ],
    },
  };
}

/**
 * A device that a vendor's library initialises, as the settings say: only the library's own
 * conversion shows what becomes of its callers.
 */
function refuseWrapped(module: Module, file: FileIr, functionName: string | undefined): PlanResult {
  const isWrapper = (name: string): boolean => module.wrappers?.has(name) === true;
  for (const fn of functionsCalling(file, isWrapper)) {
    if (functionName !== undefined && fn.name !== functionName) continue;
    for (const { stmt } of statementsOf(fn)) {
      for (const expr of allExpressions(stmt)) {
        const rows =
          expr.kind === 'call' && expr.name !== null && !definitionOf(module, file, expr.name)
            ? module.wrappers?.get(expr.name)
            : undefined;
        const effect = rows
          ?.flatMap((row) => row.success)
          .find((one) => one.op === 'init' || one.op === 'uninit');
        if (!effect || expr.kind !== 'call') continue;
        const what = effect.op === 'init' ? 'initialises' : 'uninitialises';
        refuse(
          'library',
          `${expr.name}() ${what} the device of ${fn.name}(), and its library is only known from the settings. Convert the library together with this file: name the files of both on the command line.`,
          file,
          expr,
        );
      }
    }
  }
  return { status: 'unchanged' };
}

function attempt(work: () => PlanResult): PlanResult {
  try {
    return work();
  } catch (error) {
    if (error instanceof RefusedError) return { status: 'refused', refusal: error.refusal };
    throw error;
  }
}
