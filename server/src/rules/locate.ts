/**
 * Finding one's way in the IR by offset. Everything is iterative: a document may nest as deeply as
 * it likes.
 */
import type { Span } from '../text/span.ts';
import type { Condition } from '../syntax/node.ts';
import type { CallExpr, Expr, FileIr, FunctionIr, Stmt, TypeName } from '../ir/types.ts';
import { movedBy, originalOf } from '../ir/lower.ts';
import { isStatement, stmtExprs, subExprs, subStmts } from '../ir/visit.ts';
import { apiEntry } from '../kernel/lifecycle-api.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import { indexMadeOf, indexModule, type ModuleIndex } from '../lifecycle/module/module.ts';
import { rolesInOrder } from '../lifecycle/module/roles.ts';
import {
  madeOfAll,
  ofEachFunction,
  type KeptByOutline,
  type MadeByOutline,
} from '../lifecycle/module/outline.ts';
import type { Module, ModuleFacts, Role, Site } from '../lifecycle/types.ts';
import { append } from '../text/lists.ts';
import { callersOfNames, keptByFunction } from './function-traits.ts';
import { spend } from '../budget/work.ts';

export type IrNode = Expr | Stmt;

/** The direct children of a node: expressions before statements. */
function childrenOf(node: IrNode): readonly IrNode[] {
  // Half of all nodes are one of these, and rules walk the body of each function that has changed.
  if (node.kind === 'name' || node.kind === 'number' || node.kind === 'string') return CHILDLESS;
  if (!isStatement(node)) return node.kind === 'statement-expression' ? node.body : subExprs(node);
  const exprs = stmtExprs(node);
  const stmts = subStmts(node);
  if (exprs.length === 0) return stmts;
  return stmts.length === 0 ? exprs : [...exprs, ...stmts];
}

const CHILDLESS: readonly IrNode[] = [];

/** All nodes below and including `root`, parents first. */
export function* walk(root: IrNode): Generator<IrNode> {
  const stack: IrNode[] = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    yield node;
    const children = childrenOf(node);
    for (let i = children.length - 1; i >= 0; i--) {
      stack.push(children[i]!);
    }
  }
}

/**
 * As walk(), each node with the nodes around it, outermost first. The list is the walk's own: copy
 * it to keep it.
 */
export function* walkWithParents(
  root: IrNode,
): Generator<{ readonly node: IrNode; readonly parents: readonly IrNode[] }> {
  const parents: IrNode[] = [];
  const stack: { readonly node: IrNode; readonly depth: number }[] = [{ node: root, depth: 0 }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, depth } = next;
    parents.length = depth;
    yield { node, parents };
    parents.push(node);
    const children = childrenOf(node);
    for (let i = children.length - 1; i >= 0; i--)
      stack.push({ node: children[i]!, depth: depth + 1 });
  }
}

/** NULL, or a literal 0. */
export function isNull(expr: Expr): boolean {
  return (
    (expr.kind === 'name' && expr.name === 'NULL') || (expr.kind === 'number' && expr.value === 0)
  );
}

export function contains(outer: Span, inner: Span): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

/** The nodes around a span, outermost first; the last is the smallest node that contains it. */
export function ancestry(root: IrNode, span: Span): IrNode[] {
  const path: IrNode[] = [];
  for (
    let node: IrNode | undefined = contains(root, span) ? root : undefined;
    node !== undefined;
  ) {
    path.push(node);
    node = childrenOf(node).find((child) => contains(child, span));
  }
  return path;
}

/** A statement with the list it stands in. */
export interface PlacedStatement {
  readonly statement: Stmt;
  /**
   * The statements of the enclosing block or #if arm, or null when it is the body of an if or a
   * loop without braces.
   */
  readonly siblings: readonly Stmt[] | null;
  readonly index: number;
}

/** The innermost statement around a span that is not itself a block. */
export function statementAt(body: Stmt, span: Span): PlacedStatement | null {
  const path = ancestry(body, span);
  for (let i = path.length - 1; i >= 0; i--) {
    const node = path[i]!;
    if (!isStatement(node) || node.kind === 'block') continue;
    const parent = path[i - 1];
    const siblings = parent === undefined ? null : listAround(parent, node);
    return { statement: node, siblings, index: siblings?.indexOf(node) ?? -1 };
  }
  return null;
}

function listAround(parent: IrNode, child: Stmt): readonly Stmt[] | null {
  if (parent.kind === 'block' || parent.kind === 'statement-expression') return parent.body;
  if (parent.kind === 'preproc')
    return parent.arms.find((arm) => arm.body.includes(child))?.body ?? null;
  return null;
}

/** The call whose span is, or whose callee is at, the given site. */
export function callAt(body: Stmt, span: Span): CallExpr | null {
  for (const node of ancestry(body, span).reverse()) if (node.kind === 'call') return node;
  return null;
}

/** A place in a function, where the function was lowered. */
export function loweredSpan(fn: FunctionIr, { start, end }: Span): Span {
  const delta = movedBy(fn);
  return { start: start - delta, end: end - delta };
}

/** Where a node of a function as it was lowered is today. */
export function spanOfToday(fn: FunctionIr, { start, end }: Span): Span {
  const delta = movedBy(fn);
  return { start: start + delta, end: end + delta };
}

/** As callAt(), a call of the function as it was lowered: for questions of anything but its place. */
export function loweredCallAt(fn: FunctionIr, span: Span): CallExpr | null {
  return callAt(originalOf(fn).body, loweredSpan(fn, span));
}

/** The #if arms around an offset of a function's body, together with those around the function. */
export function conditionsAt(fn: FunctionIr, place: Span): Condition[] {
  const conditions = [...fn.conditions];
  const span = loweredSpan(fn, place);
  for (const node of ancestry(originalOf(fn).body, span)) {
    if (node.kind !== 'preproc') continue;
    const arm = node.arms.find((candidate) =>
      candidate.body.some((statement) => contains(statement, span)),
    );
    if (arm) append(conditions, arm.conditions);
  }
  return conditions;
}

/**
 * The type that a function declares a name with, as a parameter or a local; the type is where the
 * function was lowered.
 */
export function declaredType(fn: FunctionIr, name: string): TypeName | null {
  return declaredTypes(fn).get(name) ?? null;
}

const declaredTypes = keptByFunction(({ params, body }): ReadonlyMap<string, TypeName> => {
  const types = new Map<string, TypeName>();
  const declare = (name: string, type: TypeName): void => {
    if (!types.has(name)) types.set(name, type);
  };
  for (const { name, type } of params) declare(name, type);
  for (const node of walk(body)) if (node.kind === 'decl') declare(node.name, node.type);
  return types;
});

const byRoles = new WeakMap<ReturnType<typeof rolesInOrder>, Map<string, readonly number[]>>();

/** Where the functions are that a driver uses for one of some purposes. */
export function positionsIn(
  index: ModuleIndex,
  roles: ModuleFacts['roles'],
  wanted: readonly Role[],
): readonly number[] {
  const inOrder = rolesInOrder(index, roles);
  let known = byRoles.get(inOrder);
  if (known === undefined) byRoles.set(inOrder, (known = new Map()));
  const key = wanted.join();
  let positions = known.get(key);
  if (positions === undefined) {
    const found: number[] = [];
    roles.forEach((role, fn) => {
      const position = wanted.includes(role) ? index.positionOf(fn) : undefined;
      if (position !== undefined) found.push(position);
    });
    known.set(key, (positions = found));
  }
  return positions;
}

/** The functions that a driver uses for one of some purposes. */
export function functionsIn(
  { module, kernel, roles }: ModuleFacts,
  ...wanted: readonly Role[]
): FunctionIr[] {
  const index = indexModule(module, kernel);
  return positionsIn(index, roles, wanted).map((at) => index.allFunctions[at]!.item);
}

/** All documents of a module, sources first. */
export function documentsOf(module: Module): readonly FileIr[] {
  return [...module.sources, ...module.headers];
}

export function documentAt(module: Module, path: string): FileIr | null {
  return documentsOf(module).find((file) => file.path === path) ?? null;
}

/** The document a function was lowered from. */
export function documentOf(module: Module, fn: FunctionIr): FileIr | null {
  return documentsOf(module).find((file) => file.functions.includes(fn)) ?? null;
}

/**
 * Whether any code of the module but its own definition and prototypes names a function; one that
 * is not static may be called from outside.
 */
export function isReferenced(module: Module, fn: FunctionIr): boolean {
  if (!fn.isStatic) return true;
  return documentsOf(module).some((file) =>
    (placesOfWords(file).get(fn.name) ?? []).some((index) => {
      const isOwn = index >= fn.start && index < fn.end && file.functions.includes(fn);
      spend(file.prototypes.length + file.comments.length);
      return (
        !isOwn &&
        ![...file.prototypes, ...file.comments].some((one) => index >= one.start && index < one.end)
      );
    }),
  );
}

const places = new WeakMap<FileIr, ReadonlyMap<string, readonly number[]>>();

/** Where each word of a document stands, in comments and strings too. */
function placesOfWords(file: FileIr): ReadonlyMap<string, readonly number[]> {
  const known = places.get(file);
  if (known) return known;
  const words = new Map<string, number[]>();
  for (const { 0: word, index } of file.text.matchAll(/\b[A-Za-z_]\w*\b/g)) {
    const list = words.get(word);
    if (list) list.push(index);
    else words.set(word, [index]);
  }
  places.set(file, words);
  return words;
}

/** A call with the function that it stands in. */
export interface FoundCall {
  /** As the function was lowered. */
  readonly call: CallExpr;
  readonly fn: FunctionIr;
}

/** Where such a call is today. */
export function siteOfCall({ path }: Pick<FileIr, 'path'>, { call, fn }: FoundCall): Site {
  return { path, ...spanOfToday(fn, call) };
}

/** A call in a function of the module, with the #if arms around it. */
export interface PlacedCall {
  readonly file: FileIr;
  readonly function: FunctionIr;
  readonly call: CallExpr;
  /** The same as its function was lowered, for questions of anything but its place. */
  readonly lowered: CallExpr;
  readonly name: string;
  /** The callee's name. */
  readonly site: Site;
  readonly conditions: readonly Condition[];
}

/** A call where the function was lowered that makes it. */
interface LoweredCall {
  readonly call: CallExpr;
  readonly conditions: readonly Condition[];
}

/** What a function calls of the life-cycle interface: nothing, for nearly all of them. */
const interfaceCallsOf = keptByFunction((root): readonly LoweredCall[] =>
  callsOf(root, (name) => name !== null && apiEntry(name) !== undefined),
);

function callsOf(root: FunctionIr, isWanted: (name: string | null) => boolean): LoweredCall[] {
  const { names, calls } = scanOf(root);
  if (!names.called.some(isWanted)) return [];
  return calls
    .filter(({ name }) => isWanted(name))
    .map((call) => ({ call, conditions: conditionsAt(root, call) }));
}

/** What is asked of a call, wherever it stands. */
type CallQuestion = (call: CallExpr) => boolean;

/**
 * The calls of the interface in the module's sources, in their order.
 * @param isWanted one function for one question, by which the answers are kept.
 */
export function interfaceCallsIn(
  module: Module,
  isWanted: CallQuestion = isAny,
): readonly PlacedCall[] {
  const index = indexMadeOf(module);
  return index === undefined
    ? interfaceCallsWithoutIndex(module, isWanted)
    : placedToday(index, wantedOf(callsOfInterface(index), isWanted));
}

const isAny: CallQuestion = () => true;

function interfaceCallsWithoutIndex({ sources }: Module, isWanted: CallQuestion): PlacedCall[] {
  return sources.flatMap((file) =>
    placed(file, file.functions, (fn) => interfaceCallsOf(fn).filter(({ call }) => isWanted(call))),
  );
}

/** A call with the place of its function in the list of all. */
interface PositionedCall extends LoweredCall {
  readonly position: number;
}

const answersByCalls = new WeakMap<
  readonly PositionedCall[],
  WeakMap<CallQuestion, readonly PositionedCall[]>
>();

function wantedOf(
  calls: readonly PositionedCall[],
  isWanted: CallQuestion,
): readonly PositionedCall[] {
  let answers = answersByCalls.get(calls);
  if (answers === undefined) answersByCalls.set(calls, (answers = new WeakMap()));
  let wanted = answers.get(isWanted);
  if (wanted === undefined)
    answers.set(isWanted, (wanted = calls.filter(({ call }) => isWanted(call))));
  return wanted;
}

function placedToday(index: ModuleIndex, calls: readonly PositionedCall[]): readonly PlacedCall[] {
  return calls.map((found) => {
    const { file, item } = index.allFunctions[found.position]!;
    return new CallOfToday(file, item, found, movedBy(item));
  });
}

const interfaceCalls: KeptByOutline<readonly LoweredCall[]> = new WeakMap();
const interfaceCallsInOrder: MadeByOutline<readonly PositionedCall[]> = new WeakMap();

/** All calls of the interface: the same list for as long as no function makes other ones. */
function callsOfInterface(index: ModuleIndex): readonly PositionedCall[] {
  const all = ofEachFunction(
    interfaceCalls,
    index,
    (_, root) => interfaceCallsOf(root),
    (before, now) => before === now || (before.length === 0 && now.length === 0),
  );
  return madeOfAll(interfaceCallsInOrder, index, all, (values) => inOrder(index, values));
}

/** Those in sources, by their documents and the places of their functions in these. */
function inOrder(
  { module: { sources }, allFunctions }: ModuleIndex,
  values: readonly (readonly LoweredCall[])[],
): PositionedCall[] {
  const callers: { position: number; document: number; start: number }[] = [];
  for (let position = 0; position < values.length; position++) {
    // Nearly all functions make none.
    if (values[position]!.length === 0) continue;
    const { file, item } = allFunctions[position]!,
      document = sources.indexOf(file);
    if (document >= 0) callers.push({ position, document, start: item.start });
  }
  return callers
    .sort((left, right) => left.document - right.document || left.start - right.start)
    .flatMap(({ position }) =>
      values[position]!.map(({ call, conditions }) => ({ position, call, conditions })),
    );
}

/** The calls of the named functions in the module's sources. */
export function callsIn(module: Module, names: readonly string[]): readonly PlacedCall[] {
  if (names.length === 0) return [];
  const wanted = new Set(names);
  const isWanted = (name: string | null): boolean => name !== null && wanted.has(name);
  if (!names.every((name) => apiEntry(name) !== undefined))
    return otherCallsIn(module, names, isWanted);
  const index = indexMadeOf(module);
  return index === undefined
    ? interfaceCallsWithoutIndex(module, ({ name }) => isWanted(name))
    : placedToday(
        index,
        callsOfInterface(index).filter(({ call: { name } }) => isWanted(name)),
      );
}

/** The calls of other functions than those of the interface. */
function otherCallsIn(
  module: Module,
  names: readonly string[],
  isWanted: (name: string | null) => boolean,
): PlacedCall[] {
  const index = indexMadeOf(module);
  const callers = index && callersOfNames(index, names);
  return module.sources.flatMap((file) =>
    placed(file, callers ? file.functions.filter((fn) => callers.has(fn)) : file.functions, (fn) =>
      callsOf(originalOf(fn), isWanted),
    ),
  );
}

/** An edit moves most functions of a file: what is looked for is found where it was lowered. */
function placed(
  file: FileIr,
  functions: readonly FunctionIr[],
  callsOfFunction: (fn: FunctionIr) => readonly LoweredCall[],
): PlacedCall[] {
  const calls: PlacedCall[] = [];
  for (const fn of functions)
    for (const found of callsOfFunction(fn))
      calls.push(new CallOfToday(file, fn, found, movedBy(fn)));
  return calls;
}

/** A call in its document, where an edit may have moved it. */
class CallOfToday implements PlacedCall {
  readonly file: FileIr;
  readonly function: FunctionIr;
  readonly lowered: CallExpr;
  readonly name: string;
  readonly site: Site;
  readonly conditions: readonly Condition[];
  private readonly delta: number;

  constructor(file: FileIr, fn: FunctionIr, { call, conditions }: LoweredCall, delta: number) {
    this.file = file;
    this.function = fn;
    this.lowered = call;
    this.name = call.name!;
    const { start, end } = call.callee;
    this.site = { path: file.path, start: start + delta, end: end + delta };
    this.conditions = conditions;
    this.delta = delta;
  }

  /** Few ask for the node, and the body of a function that was moved is made when it is read. */
  get call(): CallExpr {
    return this.delta === 0 ? this.lowered : movedCall(this.function, this.lowered, this.delta);
  }
}

/** The call of a moved function that a call of the function as it was lowered has become. */
function movedCall(fn: FunctionIr, found: CallExpr, delta: number): CallExpr {
  const start = found.start + delta;
  const end = found.end + delta;
  return ancestry(fn.body, { start, end }).findLast(
    (node): node is CallExpr => node.kind === 'call' && node.start === start && node.end === end,
  )!;
}

/** Whether two sites are the same stretch of the same document. */
export function isSameSite(left: Site, right: Site): boolean {
  return left.path === right.path && left.start === right.start && left.end === right.end;
}

/** The #if arms around a place, at file scope or in a function. */
export function conditionsOfSite(module: Module, site: Site): readonly Condition[] {
  const file = documentAt(module, site.path);
  if (file === null) return [];
  const fn = file.functions.find((one) => contains(one, site));
  if (fn) return conditionsAt(fn, site);
  return file.variables.find((variable) => contains(variable, site))?.conditions ?? [];
}

/** The name of a function, as a place: where a finding about the whole function stands. */
export function nameSite(module: Module, fn: FunctionIr): Site | null {
  const file = documentOf(module, fn);
  return file === null ? null : { path: file.path, start: fn.nameSpan.start, end: fn.nameSpan.end };
}
