/**
 * What makes a place in a function this one where others read alike: the condition that leads to
 * `return ret;`, and the call whose result it tests. A report remembers a finding by it.
 */
import type { Expr, FileIr, FunctionIr } from '../ir/types.ts';
import { ancestry, contains, walk, type IrNode } from '../rules/locate.ts';
import type { Finding } from '../rules/types.ts';
import type { Span } from '../text/span.ts';

/**
 * The places in `file` that decide that a finding's path comes to its place, in the order of the
 * reader's way back: those of the place itself, then those of the goto that led there. Empty for a
 * finding whose own text tells what it is of: it stands at a declaration, an assignment, a table.
 * @param file the lowered document of the finding.
 */
export function decidingPlaces(file: FileIr, { site, jump }: Finding): readonly Span[] {
  const fn = file.functions.find((one) => contains(one.body, site));
  if (fn === undefined) return [];
  const places = placesBefore(fn, site);
  const isOwn = jump !== undefined && jump.path === site.path && contains(fn.body, jump);
  return isOwn ? [...places, ...placesBefore(fn, jump)] : places;
}

function placesBefore(fn: FunctionIr, at: Span): readonly Span[] {
  const around = ancestry(fn.body, at);
  const statement = around.findLast((node) => SHORT_FORMS.has(node.kind));
  if (statement === undefined || (statement.kind === 'expr' && !isCallAlone(statement))) return [];
  const branch = branchAround(around, at);
  if (branch !== null) return [...branch.places, ...assignmentTo(fn, branch.tested, at)];
  const result = statement.kind === 'return' ? statement.value : null;
  return result === null ? [] : assignmentTo(fn, [result], at);
}

/** Statements that a function has again and again in the same words. */
const SHORT_FORMS: ReadonlySet<string> = new Set<IrNode['kind']>(['return', 'goto', 'expr']);

function isCallAlone(node: IrNode): boolean {
  return node.kind === 'expr' && node.expr.kind === 'call';
}

/** The innermost test that the place is behind: the places that tell it, and what it tests. */
function branchAround(
  around: readonly IrNode[],
  at: Span,
): { readonly places: readonly Span[]; readonly tested: readonly Expr[] } | null {
  for (const node of [...around].reverse()) {
    if (node.kind === 'if' && !contains(node.conditionSpan, at)) {
      const { condition, then, otherwise } = node;
      // The word `else` stands between the two arms.
      const arm =
        otherwise !== null && contains(otherwise, at)
          ? [{ start: then.end, end: otherwise.start }]
          : [];
      return { places: [condition, ...arm], tested: [condition] };
    }
    if (node.kind === 'switch' && contains(node.body, at)) {
      const label = [...walk(node.body)].findLast(
        (one) => one.kind === 'case' && one.end <= at.start,
      );
      return { places: [node.value, ...(label ? [label] : [])], tested: [node.value] };
    }
  }
  return null;
}

/**
 * The nearest assignment in front of a place to a variable that an expression tests without a call:
 * `ret = foo_start(foo)` for `if (ret)`. What a condition calls tells enough by itself.
 */
function assignmentTo(fn: FunctionIr, tested: readonly Expr[], at: Span): readonly Span[] {
  const parts = tested.flatMap((expr) => [...walk(expr)]);
  if (parts.some((part) => part.kind === 'call')) return [];
  const names = new Set(parts.flatMap((part) => (part.kind === 'name' ? [part.name] : [])));
  let nearest: Span | undefined;
  for (const node of walk(fn.body)) {
    const value = valueFor(node, names);
    if (value !== null && value.end <= at.start && value.start >= (nearest?.start ?? 0))
      nearest = value;
  }
  return nearest === undefined ? [] : [nearest];
}

function valueFor(node: IrNode, names: ReadonlySet<string>): Expr | null {
  if (node.kind === 'assign' && node.target.kind === 'name' && names.has(node.target.name))
    return node.value;
  return node.kind === 'decl' && names.has(node.name) ? node.init : null;
}
