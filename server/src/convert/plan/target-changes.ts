/**
 * What of a converted module has no place in the target kernel beside the life cycle: found by the
 * table of changes, for a note each.
 */
import type { CallExpr, Expr, FileIr, FunctionIr, InitializerEntry } from '../../ir/types.ts';
import {
  INTERFACE_CHANGES,
  type ChangedForm,
  type InterfaceChange,
} from '../../kernel/interface-changes.ts';
import { MDEV_API } from '../../kernel/api-mdev.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import { compareVersions } from '../../kernel/version.ts';
import { isExcluded, macrosOf } from '../../lifecycle/module/preprocessor.ts';
import type { Module, Site } from '../../lifecycle/types.ts';
import type { Condition } from '../../syntax/node.ts';
import {
  allExpressions,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { scopeOf, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import { append } from '../../text/lists.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

/** A form of older kernels in the module's text. */
export interface OldForm {
  /** What it is, to begin a sentence: `mdev_parent_dev()`. */
  readonly name: string;
  readonly change: InterfaceChange;
  /** In the order of the text, one for each place. */
  readonly sites: readonly Site[];
}

/** Functions of the mdev bus that went, as changes. */
const MDEV_CHANGES: readonly InterfaceChange[] = MDEV_API.flatMap(
  ({ name, kernels, replacement }) =>
    kernels.until === undefined
      ? []
      : [
          {
            form: { kind: 'call' as const, name },
            since: kernels.until,
            instead:
              replacement === undefined ? 'nothing takes its place' : `use ${replacement.text}`,
          },
        ],
);

const CHANGES: readonly InterfaceChange[] = [...INTERFACE_CHANGES, ...MDEV_CHANGES];

/**
 * The forms in the sources of a module that `kernel` no longer knows. Code that the target's
 * preprocessor leaves out has none, and what the
 * module defines or declares itself is its own.
 */
export function oldForms(module: Module, kernel: KernelVersion): OldForm[] {
  const own = new Set(
    [...module.sources, ...module.headers].flatMap((file) =>
      [...file.functions, ...file.macros, ...file.prototypes].map(({ name }) => name),
    ),
  );
  const changes = CHANGES.filter(
    ({ form, since }) =>
      compareVersions(kernel, since) >= 0 &&
      !('name' in form && !('owner' in form) && own.has(form.name)),
  );
  const macros = macrosOf(module, kernel);
  const isHere = (conditions: readonly Condition[]): boolean =>
    conditions.length === 0 || !isExcluded(conditions, kernel, macros);
  const found = new Map<InterfaceChange, Site[]>();
  for (const file of module.sources) {
    for (const change of changes) {
      const places = [
        ...inTables(file, change.form, isHere),
        ...inFunctions(module, file, change.form, isHere),
      ];
      if (places.length === 0) continue;
      found.set(change, [
        ...(found.get(change) ?? []),
        ...places.map(({ start, end }) => ({ path: file.path, start, end })),
      ]);
    }
  }
  return [...found].map(([change, sites]) => ({ name: nameOf(change.form), change, sites }));
}

function nameOf(form: ChangedForm): string {
  switch (form.kind) {
    case 'struct':
      return `struct ${form.tag}`;
    case 'member':
    case 'returns-void':
    case 'parameter':
      return `\`.${form.name}\` of struct ${form.owner}`;
    default:
      return `${form.name}()`;
  }
}

interface Place {
  readonly start: number;
  readonly end: number;
}
type IsHere = (conditions: readonly Condition[]) => boolean;

/** In the tables and macro calls at file scope. */
function inTables(file: FileIr, form: ChangedForm, isHere: IsHere): Place[] {
  if (form.kind === 'call') return file.fileMacros.filter((macro) => macro.name === form.name);
  if (form.kind === 'arguments' || form.kind === 'argument-type') return [];
  const tag = form.kind === 'struct' ? form.tag : form.owner;
  const tables = file.variables.filter(
    (variable) =>
      variable.type.name === tag &&
      variable.init?.kind === 'initializer' &&
      isHere(variable.conditions),
  );
  if (form.kind === 'struct') return tables.map((variable) => variable.nameSpan);
  const entries = tables
    .flatMap((variable) => (variable.init?.kind === 'initializer' ? variable.init.entries : []))
    .filter(
      (entry) =>
        entry.designators.length === 1 &&
        entry.designators[0] === form.name &&
        isHere(entry.conditions),
    );
  if (form.kind === 'member') return entries.map(({ start, value }) => ({ start, end: value.end }));
  return entries.flatMap((entry) => {
    const fn = callbackOf(file, entry);
    return fn && hasOldForm(fn, form) ? [fn.nameSpan] : [];
  });
}

function hasOldForm(
  fn: FunctionIr,
  form: ChangedForm & { readonly kind: 'returns-void' | 'parameter' },
): boolean {
  if (form.kind === 'returns-void')
    return fn.returnType.name !== 'void' || fn.returnType.pointers > 0;
  const first = fn.params[0];
  return first !== undefined && first.type.name !== form.tag;
}

/** The function of the file that an entry names, with or without `&`. */
export function callbackOf(file: FileIr, entry: InitializerEntry): FunctionIr | null {
  const value = uncast(entry.value);
  const inner = value.kind === 'unary' && value.op === '&' ? uncast(value.operand) : value;
  const found = inner.kind === 'name' ? namedFunctions(file, inner.name) : [];
  return found.length === 1 ? found[0]! : null;
}

/** In the functions of the file. */
function inFunctions(module: Module, file: FileIr, form: ChangedForm, isHere: IsHere): Place[] {
  const name = form.kind === 'struct' ? form.tag : form.name;
  return file.functions
    .filter((fn) => fn.text.includes(name) && isHere(fn.conditions))
    .flatMap((fn) => {
      let scope: Scope | undefined;
      return statementsOf(fn)
        .filter((at) => isHere(armsOf(at)))
        .flatMap(({ stmt }) =>
          allExpressions(stmt).flatMap((expr) =>
            placeIn(expr, form, () => (scope ??= scopeOf(module, file, fn))),
          ),
        );
    });
}

function placeIn(expr: Expr, form: ChangedForm, scope: () => Scope): Place[] {
  if (form.kind === 'member') {
    const target = expr.kind === 'assign' ? uncast(expr.target) : null;
    if (target?.kind !== 'member' || target.field !== form.name) return [];
    return typeOf(scope(), target.base)?.tag === form.owner ? [target] : [];
  }
  if (expr.kind !== 'call' || !('name' in form) || expr.name !== form.name) return [];
  switch (form.kind) {
    case 'call':
      return [expr];
    case 'arguments':
      return expr.args.length === form.was ? [expr] : [];
    case 'argument-type':
      return hasType(expr, form, scope()) ? [expr] : [];
    default:
      return [];
  }
}

function hasType(
  call: CallExpr,
  form: ChangedForm & { readonly kind: 'argument-type' },
  scope: Scope,
): boolean {
  const arg = call.args[form.index];
  if (!arg) return false;
  if (form.was !== 'pointer') return typeOf(scope, arg)?.tag === form.was.tag;
  const value = uncast(arg);
  if (value.kind === 'unary' && value.op === '&') return true;
  const local = value.kind === 'name' ? scope.locals.get(value.name) : null;
  return local !== null && local !== undefined && local.pointers + local.arrays > 0;
}

/** The `#if` arms that a statement stands in. */
function armsOf(place: Placed): Condition[] {
  const conditions: Condition[] = [];
  for (let at: Placed | null = place; at; at = at.parent) {
    const { stmt, parent } = at;
    if (parent?.stmt.kind === 'preproc')
      append(conditions, parent.stmt.arms.find((arm) => arm.body.includes(stmt))?.conditions ?? []);
  }
  return conditions;
}
