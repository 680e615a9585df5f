/** The step that moves an init into the helper that allocates. */
import { overwritesMemory } from '../../kernel/name-forms.ts';
import { lineEnding } from '../../text/style.ts';
import type { CallExpr, Expr, FunctionIr, ReturnStmt } from '../../ir/types.ts';
import { compareVersions } from '../../kernel/version.ts';
import type { Module } from '../../lifecycle/types.ts';
import { rootOf } from '../plan/allocation.ts';
import { leaves } from '../plan/null-test.ts';
import { plain } from '../plan/arguments.ts';
import { indentAt, nextLine, wrapCall, columnOf } from '../rewrite/layout.ts';
import { isAddressOf, isNull } from '../query/expressions.ts';
import {
  allExpressions,
  namesIn,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { lineIn, refuse, textOf } from '../refusal-error.ts';
import { carryIn } from '../modules/carry.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { callsOf, definitionOf, type Helper, type HelperCall } from '../modules/helpers.ts';
import { rewriting } from '../modules/rewriting.ts';
import { addParameters, type Addition } from '../modules/signature.ts';
import { isDeclaredAt, tablesIn } from '../modules/tables.ts';
import { assignmentsOf, effectsOf, type CallSite } from '../query/call-sites.ts';
import { baseName, memberPath, scopeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import { unusedIn } from '../rewrite/unused.ts';
import { answerErrors, answerNote, answersNull } from './answer-errors.ts';
import type { Step, StepResult } from './types.ts';

/**
 * Moves the init of a device into the helper that allocates it (`p = foo_alloc(…)`, `foo_alloc(…,
 * &p)`), in whatever file of the module it is: that allocation
 * is to become vfio_alloc_device. The helper is handed the parent device and the ops table where it
 * does not know them, and answers with
 * an error pointer instead of NULL.
 */
export const helperAllocation: Step = (step) => {
  if (compareVersions(step.input.kernel, [6, 1]) < 0) return null;
  const { module } = step.input;
  for (const site of initsConcerning(step)) {
    const root = rootOf(site.scope, site.target);
    if (
      !root ||
      site.call.args.length !== 3 ||
      site.fn.params.some((param) => param.name === root.name)
    )
      continue;
    const source = sourceOf(site.fn, root.name);
    if (!source || !site.whole || site.at.sole || site.at.conditional) continue;
    const helper = definitionOf(module, site.scope.file, source.call.name ?? '');
    const result =
      helper &&
      (source.argument === null
        ? allocatedIn(module, helper)
        : handedOutIn(module, helper, source.argument));
    if (!helper || !result) continue;
    const calls = callsOf(module, helper);
    if (!calls) continue;
    return moveIn(
      module,
      { helper, result, site, root: root.name, from: source.at, call: source.call },
      calls,
    );
  }
  return null;
};

/**
 * The one call that gives a variable its value: as its result, or through the variable's address in
 * an argument.
 */
function sourceOf(
  fn: FunctionIr,
  name: string,
): { readonly call: CallExpr; readonly at: Placed; readonly argument: number | null } | null {
  const values = assignmentsOf(fn, name);
  if (values.length > 1) return null;
  const handing = statementsOf(fn).flatMap((at) =>
    allExpressions(at.stmt).flatMap((call) =>
      call.kind === 'call'
        ? call.args.flatMap((arg, argument) =>
            isAddressOf(arg, name) ? [{ call, at, argument }] : [],
          )
        : [],
    ),
  );
  if (values.length === 0)
    return handing.length === 1 && handing[0]!.call.name !== null ? handing[0]! : null;
  const value = uncast(values[0]!.value);
  return value.kind === 'call' && value.name !== null && handing.length === 0
    ? { call: value, at: values[0]!.at, argument: null }
    : null;
}

/** The variable of a helper that it allocates, or gets from another helper, and returns. */
interface Result {
  readonly scope: Scope;
  readonly variable: string;
  readonly at: Placed;
}

function allocatedIn(module: Module, helper: Helper): Result | null {
  if (helper.fn.opaque || helper.fn.returnType.pointers !== 1) return null;
  const scope = scopeOf(module, helper.file, helper.fn);
  const returned = new Set(
    returnsOf(helper).flatMap(({ value }) =>
      value && uncast(value).kind === 'name' && !isNull(value) ? namesIn(value) : [],
    ),
  );
  if (returned.size !== 1) return null;
  const variable = [...returned][0]!;
  const values = assignmentsOf(helper.fn, variable);
  const value = values.length === 1 ? uncast(values[0]!.value) : null;
  if (value?.kind !== 'call' || value.name === null || !scope.locals.has(variable)) return null;
  const makes =
    effectsOf(value.name).some((effect) => effect.op === 'allocate') ||
    definitionOf(module, helper.file, value.name) !== null;
  return makes ? { scope, variable, at: values[0]!.at } : null;
}

/**
 * The variable of a helper that it allocates and hands out through a parameter (`*out = p; return
 * 0;`) at the end of its straight path: whoever
 * got 0 has the object.
 */
function handedOutIn(module: Module, helper: Helper, argument: number): Result | null {
  const { fn } = helper;
  const param = fn.params[argument];
  if (fn.opaque || fn.returnType.pointers !== 0 || param?.type.pointers !== 2) return null;
  const scope = scopeOf(module, helper.file, fn);
  const places = statementsOf(fn);
  const mentions = places
    .flatMap(({ stmt }) => allExpressions(stmt))
    .filter((expr) => expr.kind === 'name' && expr.name === param.name);
  const index = fn.body.body.findIndex(
    (stmt) =>
      stmt.kind === 'expr' &&
      stmt.expr.kind === 'assign' &&
      stmt.expr.op === '=' &&
      stmt.expr.target.kind === 'unary' &&
      stmt.expr.target.op === '*' &&
      namesIn(stmt.expr.target.operand).includes(param.name) &&
      uncast(stmt.expr.target.operand).kind === 'name',
  );
  const given = fn.body.body[index];
  const behind = fn.body.body[index + 1];
  if (
    mentions.length !== 1 ||
    given?.kind !== 'expr' ||
    given.expr.kind !== 'assign' ||
    behind?.kind !== 'return' ||
    !behind.value ||
    !isNull(behind.value)
  )
    return null;
  const source = uncast(given.expr.value);
  const values = source.kind === 'name' ? assignmentsOf(fn, source.name) : [];
  const value = values.length === 1 ? uncast(values[0]!.value) : null;
  const returnsZero = returnsOf(helper).some(
    (stmt) => stmt !== behind && stmt.value && isNull(stmt.value),
  );
  if (
    source.kind !== 'name' ||
    returnsZero ||
    value?.kind !== 'call' ||
    value.name === null ||
    !effectsOf(value.name).some((effect) => effect.op === 'allocate')
  )
    return null;
  return { scope, variable: source.name, at: values[0]!.at };
}

function returnsOf({ fn }: Helper): ReturnStmt[] {
  return statementsOf(fn).flatMap(({ stmt }) => (stmt.kind === 'return' ? [stmt] : []));
}

interface Case {
  readonly helper: Helper;
  readonly result: Result;
  readonly site: CallSite;
  /**
   * The variable of the caller that holds the object, where it gets it, and the call that gives it.
   */
  readonly root: string;
  readonly from: Placed;
  readonly call: CallExpr;
}

function moveIn(module: Module, one: Case, calls: readonly HelperCall[]): StepResult {
  const { helper, result, site, root } = one;
  const { file } = site.scope;
  const what = `${helper.fn.name}() in ${baseName(helper.file.path)} allocates the object`;
  const other = calls.find((call) => call.call !== one.call);
  if (other) {
    refuse(
      'allocated-elsewhere',
      `${what} for ${site.fn.name}(), which initialises its device, and also for ${other.scope.fn.name}() (line ${lineIn(other.scope.file, other.call.start)}), which does not: vfio_alloc_device would initialise both. Allocate each of them separately.`,
      other.scope.file,
      other.call,
    );
  }
  const { root: object, path } = memberPath(site.target);
  if (object.kind !== 'name' || object.name !== root)
    return refuse(
      'allocated-elsewhere',
      `${what}, and ${site.fn.name}() initialises it as \`${textOf(file, site.target)}\`. Name the member there: \`&${root}->…\`.`,
      file,
      site.target,
    );
  const out = rewriting();
  const test = result.at.siblings[result.at.index + 1];
  if (
    result.at.sole ||
    result.at.conditional ||
    test?.kind !== 'if' ||
    !namesIn(test.condition).includes(result.variable) ||
    test.otherwise ||
    !leaves(test.then)
  ) {
    refuse(
      'unchecked-allocation',
      `${what}, and does not return in the statement after it when there is none. Test \`${result.variable}\` there first.`,
      helper.file,
      test ?? result.at.stmt,
    );
  }
  const returnsNull =
    helper.fn.returnType.pointers > 0 && answersNull(helper.fn, result.variable, test);
  proveNotWiped(one, test.end);
  const known = parametersFor(module, one);
  const init = wrapCall(
    site.call.name ?? '',
    [`&${result.variable}->${path.join('.')}`, known.dev, known.ops],
    ';',
    columnOf(helper.file.text, test.start),
    indentAt(helper.file.text, test.start),
    lineEnding(helper.file.text),
  );
  const place = nextLine(helper.file.text, test.end);
  const eol = lineEnding(helper.file.text);
  out.edit(helper.file, 'allocation', {
    span: { start: place, end: place },
    newText: `${indentAt(helper.file.text, test.start)}${init}${eol}`,
  });
  if (returnsNull) answerErrors({ helper, variable: result.variable, test, calls }, out);
  addParameters(module, out, helper, calls, known.additions);
  out.remove(file, site.at.stmt);
  const written = known.additions.map((item) => item.argument).join('\n');
  out.drop(
    file,
    unusedIn(file, [site.fn], () => written, out.edits(file), out.removals(file)).removals,
  );
  const ofHelper = { path: helper.file.path, ...helper.fn.nameSpan };
  return {
    edits: out.done(),
    notes: [
      {
        text: `${helper.fn.name}() allocates and initialises the device${known.additions.length > 0 ? `; it takes ${known.additions.map((item) => `\`${item.argument}\``).join(' and ')} for that` : ''}.`,
        site: ofHelper,
      },
      ...(returnsNull
        ? [{ text: answerNote(helper.fn.name, [site.fn.name]), site: ofHelper }]
        : []),
    ],
    touched: [helper.fn.name, site.fn.name],
  };
}

/**
 * Between the allocation and the place where the init stands now nothing may wipe the object: once
 * converted it is initialised there.
 */
function proveNotWiped({ helper, result, site, root, from }: Case, start: number): void {
  const stretches = [
    {
      file: helper.file,
      places: statementsOf(helper.fn).filter((at) => at.stmt.start >= start),
      name: result.variable,
    },
    {
      file: site.scope.file,
      places: statementsOf(site.fn).filter(
        (at) => at.stmt.start >= from.stmt.end && at.stmt.end <= site.at.stmt.start,
      ),
      name: root,
    },
  ];
  for (const { file, places, name } of stretches) {
    for (const { stmt } of places) {
      for (const expr of allExpressions(stmt)) {
        const stored =
          expr.kind === 'assign' && expr.target.kind === 'unary' && expr.target.op === '*'
            ? expr.target.operand
            : undefined;
        const target =
          expr.kind === 'call' && overwritesMemory(expr.name ?? '') ? expr.args[0] : stored;
        if (
          !target ||
          (memberPath(target).path.length > 0 && uncast(target).kind !== 'name') ||
          !namesIn(target).includes(name)
        )
          continue;
        refuse(
          'split-span',
          `\`${textOf(file, expr)}\` overwrites the object after its allocation; once converted the device is already initialised there. Remove it: the memory is zeroed.`,
          file,
          expr,
        );
      }
    }
  }
}

/**
 * The init's second and third argument as the helper writes them, and the parameters that it gets
 * for that.
 */
function parametersFor(
  module: Module,
  one: Case,
): { readonly dev: string; readonly ops: string; readonly additions: readonly Addition[] } {
  const { helper, result, site, root, from } = one;
  const { file } = site.scope;
  const [, second, third] = site.call.args as readonly [Expr, Expr, Expr];
  const call: HelperCall = { scope: site.scope, at: from, call: one.call };
  for (const arg of [second, third]) {
    const late = namesIn(arg).find(
      (name) =>
        name === root ||
        (site.scope.locals.has(name) &&
          assignmentsOf(site.fn, name).some(({ at }) => at.stmt.end > from.stmt.start)),
    );
    if (late !== undefined)
      refuse(
        'argument-not-available',
        `\`${plain(textOf(file, arg))}\` is only known after the call of ${helper.fn.name}(), which allocates and would need it. Compute it before.`,
        file,
        arg,
      );
  }
  const additions: Addition[] = [];
  const add = (type: string, names: readonly string[], arg: Expr): string => {
    const name =
      names.find((item) => !new RegExp(`\\b${item}\\b`).test(helper.fn.text)) ??
      refuse(
        'argument-not-available',
        `${helper.fn.name}() must be given \`${plain(textOf(file, arg))}\`, and has other uses for the names ${names.join(', ')}.`,
        helper.file,
        helper.fn.nameSpan,
      );
    additions.push({ declaration: `${type} *${name}`, argument: plain(textOf(file, arg)) });
    return name;
  };
  const isPci = site.call.name === 'vfio_pci_core_init_device';
  const dev =
    carryIn(call, result.scope, second) ??
    (isPci
      ? add('struct pci_dev', ['pdev', 'pci_dev'], second)
      : add('struct device', ['dev', 'parent', 'parent_dev'], second));
  const declared = tablesIn(file, third).every((name) =>
    isDeclaredAt(module, helper.file, name, helper.fn.start),
  );
  const ops =
    (declared ? carryIn(call, result.scope, third) : null) ??
    add('const struct vfio_device_ops', ['ops', 'vfio_ops', 'vdev_ops'], third);
  return { dev, ops, additions };
}
