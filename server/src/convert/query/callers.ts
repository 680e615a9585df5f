/**
 * Who may call a function of a module: by its name, by a pointer to it, or by code of the kernel
 * that is given one.
 */
import type { CallExpr, Expr, FileIr, FunctionIr, MacroIr } from '../../ir/types.ts';
import { subExprs } from '../../ir/visit.ts';
import { macrosAt, writtenOutBody } from '../../lifecycle/footprint/macros.ts';
import { functionsNamed } from '../../lifecycle/module/named-functions.ts';
import { allExpressions, statementsOf, type Placed } from '../../lifecycle/module/statements.ts';
import { scopeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import type { Module } from '../../lifecycle/types.ts';
import {
  functionsOf,
  isByPointer,
  isOwn,
  nameKept,
  pointersIn,
  scopeOfFile,
  structsWith,
  targetsOf,
  type Pointers,
  type StructWith,
  type Target,
  type WrittenOutFunction,
} from './pointers.ts';

/** A call, and the statement that it is in. */
export interface CallPlace {
  readonly file: FileIr;
  readonly fn: FunctionIr;
  readonly at: Placed;
  readonly call: CallExpr;
}

/** The calls that are given a member or a variable of a file with a name, or its address. */
export function givenNamed({ functions }: CallerIndex, name: string): readonly CallPlace[] {
  return [...functions.values()].flatMap(({ scope, calls }) =>
    calls.filter(({ call }) => call.args.some((arg) => nameKept(scope, arg) === name)),
  );
}

/** A function is given to one, or to a macro, that is no part of the module. */
export interface Given {
  readonly file: FileIr;
  readonly to: { readonly name: string; readonly start: number };
  readonly position: number;
  /** In code, and not in what a variable of a file is made of. */
  readonly isInCode: boolean;
}

export interface Callers {
  /** Where the module may call it, or gives it to what may call it at once. */
  readonly places: readonly CallPlace[];
  /** Where it is given to functions that are no part of the module. */
  readonly given: readonly Given[];
  /** The structs in whose members code of the module stores it. */
  readonly storedIn: readonly StructWith[];
}

/** A function of a module with its macros written out, and the calls in it. */
interface Listed extends WrittenOutFunction {
  readonly calls: readonly CallPlace[];
}

/** The functions of a module as those that ask for callers see them. */
export interface CallerIndex {
  readonly module: Module;
  readonly functions: ReadonlyMap<FunctionIr, Listed>;
  readonly pointers: Pointers;
  /** What calls through pointers may call, of those that were asked for. */
  readonly targets: Map<CallExpr, ReadonlySet<Target>>;
}

export function callerIndex(module: Module): CallerIndex {
  const files = [...module.sources, ...module.headers];
  const functions = new Map(
    files.flatMap((file) => file.functions.map((fn) => [fn, listed(module, file, fn)] as const)),
  );
  return {
    module,
    functions,
    pointers: pointersIn(module, [...functions.values()]),
    targets: new Map(),
  };
}

function listed(module: Module, file: FileIr, fn: FunctionIr): Listed {
  const { code, scope } = writtenOutBody(scopeOf(module, file, fn));
  const statements = statementsOf(code === fn.body ? fn : { ...fn, body: code });
  const calls = statements.flatMap((at) =>
    allExpressions(at.stmt).flatMap((call): CallPlace[] =>
      call.kind === 'call' ? [{ file, fn, at, call }] : [],
    ),
  );
  return { scope, statements, calls };
}

/** What a call in a function may call through a pointer; null for a call by name. */
export function calledByPointer(
  { functions, pointers, targets }: CallerIndex,
  scope: Scope,
  call: CallExpr,
): ReadonlySet<Target> | null {
  if (!isByPointer(pointers, scope, call)) return null;
  const known = targets.get(call);
  if (known) return known;
  const statements = functions.get(scope.fn)?.statements ?? [];
  const found = targetsOf(pointers, { scope, statements }, call);
  targets.set(call, found);
  return found;
}

/** The callers of a function. */
export function callersOf(index: CallerIndex, fn: FunctionIr): Callers {
  const { pointers } = index;
  const places = new Set<CallPlace>();
  const given = givenInFiles(index, fn);
  for (const { scope, calls } of index.functions.values()) {
    for (const place of calls) {
      const { call } = place;
      if (isNamed(scope, call, fn) || calledByPointer(index, scope, call)?.has(fn))
        places.add(place);
      for (const [position, arg] of call.args.entries()) {
        if (!functionsOf(pointers, scope, arg).includes(fn)) continue;
        places.add(place);
        const { name } = call;
        if (name !== null && !isOwn(scope, call)) {
          const to = { name, start: call.start };
          given.push({ file: place.file, to, position, isInCode: true });
        }
      }
    }
  }
  return { places: [...places], given, storedIn: structsWith(pointers, fn) };
}

/** `static DEFINE_TIMER(timer, fn);`, and `= IRQ_WORK_INIT(fn)` of a variable. */
function givenInFiles({ module, pointers }: CallerIndex, fn: FunctionIr): Given[] {
  return [...module.sources, ...module.headers].flatMap((file) => {
    const scope = scopeOfFile(module, file);
    if (!means(scope, fn)) return [];
    const macros = file.fileMacros.flatMap(({ name, start, args }) =>
      args.flatMap((arg, position): Given[] =>
        arg.trim().replace(/^&\s*/, '') === fn.name
          ? [{ file, to: { name, start }, position, isInCode: false }]
          : [],
      ),
    );
    const calls = file.variables.flatMap(({ init }) =>
      (init === null ? [] : withParts(init)).flatMap((call) =>
        call.kind !== 'call' || call.name === null
          ? []
          : givenTo(pointers, scope, call, call.name, fn),
      ),
    );
    return [...macros, ...calls];
  });
}

function givenTo(
  pointers: Pointers,
  scope: Scope,
  { args, start }: CallExpr,
  name: string,
  fn: FunctionIr,
): Given[] {
  return args.flatMap((arg, position): Given[] =>
    functionsOf(pointers, scope, arg).includes(fn)
      ? [{ file: scope.file, to: { name, start }, position, isInCode: false }]
      : [],
  );
}

function withParts(expr: Expr): readonly Expr[] {
  return [expr, ...subExprs(expr).flatMap(withParts)];
}

function isNamed(scope: Scope, call: CallExpr, fn: FunctionIr): boolean {
  if (call.name === null || scope.locals.has(call.name)) return false;
  if (call.name === fn.name) return means(scope, fn);
  return macrosAt(scope, call).some((macro) => mentions(macro, fn.name));
}

/** The name of a function may mean it here. */
function means({ module, file }: Scope, fn: FunctionIr): boolean {
  return functionsNamed(module, file, fn.name).some((one) => one.fn === fn);
}

function mentions({ bodyText }: MacroIr, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(bodyText);
}
