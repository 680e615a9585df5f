/**
 * What is of no release that a conversion could start from, said first: nothing else that is said
 * of such a driver would be true.
 */
import type { CallExpr, FileIr, FunctionIr } from '../../ir/types.ts';
import { judgeArguments } from '../../kernel/argument-counts.ts';
import { allExpressions, expressionsIn, statementsOf } from '../../lifecycle/module/statements.ts';
import { refuse } from '../refusal-error.ts';
import { definitionOf } from '../modules/helpers.ts';
import { callSites, isLeftOut } from '../query/call-sites.ts';
import type { Step, StepInput } from './types.ts';

interface Call {
  readonly fn: FunctionIr;
  readonly call: CallExpr;
}

/**
 * Refuses a driver that calls a function of the life cycle in a form that no release has, whose ops
 * table goes to a function that was not found,
 * or that leaves the vfio_device to the mdev core of up to 5.14. Rewrites nothing.
 */
export const refuseUnknownInterface: Step = (step) => {
  const { file } = step;
  const calls = callsOf(step);
  for (const { fn, call } of calls) {
    const name = call.name ?? '';
    const judged = judgeArguments(name, call.args.length);
    if (judged === undefined || judged.known) continue;
    const given = `${name}() with ${call.args.length === 1 ? 'one argument' : `${call.args.length} arguments`}`;
    if (judged.longTermText !== null)
      refuse(
        'unknown-interface',
        `${fn.name}() calls ${given}, which only Linux ${judged.longTermText} has. First port the driver to 5.13.`,
        file,
        call,
      );
    refuse(
      'unknown-interface',
      `${fn.name}() calls ${given}, which no release of Linux has: it takes ${judged.counts.join(' or ')}. First port the driver to a released kernel.`,
      file,
      call,
    );
  }
  if (hasLife(step)) return null;
  for (const { fn, call } of calls) refuseForeignTable(step, file, fn, call);
  const parent = file.variables.find(
    (variable) => variable.type.name === 'mdev_parent_ops' && variable.init?.kind === 'initializer',
  );
  if (parent) {
    refuse(
      'older-interface',
      `\`${parent.name}\` is a \`struct mdev_parent_ops\`: up to 5.14 the mdev core made the vfio_device of such a driver, and since 5.19 there is no such table. Make it a \`struct mdev_driver\` that initialises a vfio_device first.`,
      file,
      parent.nameSpan,
    );
  }
  return null;
};

/**
 * The calls of the document, or of the function that was asked for, that the target's preprocessor
 * does not leave out and the module does not define.
 */
function callsOf({ input: { module, kernel }, file, functionName }: StepInput): Call[] {
  const own = new Set(
    [file, ...module.headers].flatMap(({ functions, macros, prototypes }) =>
      [...functions, ...macros, ...prototypes].map(({ name }) => name),
    ),
  );
  return file.functions
    .filter((fn) => functionName === undefined || fn.name === functionName)
    .flatMap((fn) =>
      statementsOf(fn).flatMap((at) =>
        allExpressions(at.stmt).flatMap((call) =>
          call.kind === 'call' &&
          call.name !== null &&
          !own.has(call.name) &&
          !isLeftOut(module, { fn, at }, kernel)
            ? [{ fn, call }]
            : [],
        ),
      ),
    );
}

/** Something of the module makes or takes down a device by functions that are known. */
function hasLife({ input: { module } }: StepInput): boolean {
  const life = new Set(['init', 'alloc', 'init-device', 'uninit', 'register', 'put']);
  return module.sources.some(
    (file) =>
      callSites(module, file).some(({ op }) => life.has(op)) ||
      file.functions.some(({ text }) => /\bvfio_(?:add|del)_group_dev\b/.test(text)),
  );
}

/**
 * A table that is given to a function which no document defines: what that makes of it cannot be
 * told.
 */
function refuseForeignTable(
  { input: { module } }: StepInput,
  file: FileIr,
  fn: FunctionIr,
  call: CallExpr,
): void {
  const name = call.name ?? '';
  const tables = new Set(
    file.variables
      .filter((variable) => variable.type.name === 'vfio_device_ops')
      .map((variable) => variable.name),
  );
  const table = call.args
    .flatMap(expressionsIn)
    .find((expr) => expr.kind === 'name' && tables.has(expr.name));
  if (table?.kind !== 'name' || definitionOf(module, file, name) || module.wrappers?.has(name))
    return;
  const advice = name.startsWith('vfio_')
    ? 'no known release of Linux has it. First port the driver to a released kernel'
    : 'no file that was read defines it. Name its file too';
  refuse(
    'unknown-interface',
    `${fn.name}() gives the ops table \`${table.name}\` to ${name}(), and ${advice}.`,
    file,
    call,
  );
}
