/**
 * The put is spelled as its function spells the device: by a variable that points to it, where that
 * is valid.
 */
import { mayCleanUp } from '../../ir/attributes.ts';
import type { DeclStmt, Expr, FileIr, FunctionIr, TypeName } from '../../ir/types.ts';
import { plain } from '../plan/arguments.ts';
import { isAddressOf } from '../query/expressions.ts';
import {
  allExpressions,
  isVariable,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { textOf } from '../refusal-error.ts';
import { effectsOf } from '../query/call-sites.ts';
import type { Container, FreePlan } from '../types.ts';

/** A variable of a function, and the one place that gives it its value; a parameter has none. */
interface Variable {
  readonly name: string;
  readonly type: TypeName;
  readonly set: { readonly at: Placed; readonly value: Expr } | null;
}

/**
 * The argument of vfio_put_device for a free of `p` by a variable that holds `&p->vdev`, or from
 * which `p` is made by container_of(); null
 * where the function has none that holds it on every path to the free.
 */
export function spelledDevice(file: FileIr, free: FreePlan, container: Container): string | null {
  const target = free.call.args[0] && uncast(free.call.args[0]);
  if (
    target?.kind !== 'name' ||
    statementsOf(free.fn).some(({ stmt }) => stmt.kind === 'unknown' || stmt.kind === 'asm')
  )
    return null;
  const variables = variablesOf(free.fn);
  const object = variables.find((item) => item.name === target.name);
  if (!object) return null;
  for (let depth = container.path.length; depth > 0; depth--) {
    const tag = container.tags[depth]!;
    const alias = variables.find(
      (item) =>
        item.type.name === tag &&
        item.type.pointers === 1 &&
        item.type.arrays === 0 &&
        isUsedElsewhere(free.fn, item) &&
        (isMadeFrom(file, free, item, object, container, depth) ||
          pointsInto(file, free, item, object, container, depth)),
    );
    if (!alias) continue;
    const rest = container.path.slice(depth);
    return rest.length === 0 ? alias.name : `&${alias.name}->${rest.join('.')}`;
  }
  return null;
}

/** A parameter, or a local that more than the init and the uninit, which go, have a use for. */
function isUsedElsewhere(fn: FunctionIr, { name, set }: Variable): boolean {
  if (!set) return true;
  const expressions = statementsOf(fn).flatMap(({ stmt }) => allExpressions(stmt));
  const leaving = expressions.filter(
    (expr) =>
      expr.kind === 'call' &&
      expr.name !== null &&
      effectsOf(expr.name).some(({ op }) => op === 'init' || op === 'uninit'),
  );
  const written = expressions.flatMap((expr) =>
    expr.kind === 'assign' && isVariable(expr.target, name) ? [expr.target] : [],
  );
  return expressions.some(
    (expr) =>
      isVariable(expr, name) &&
      expr.kind === 'name' &&
      !written.includes(expr) &&
      !leaving.some((call) => expr.start >= call.start && expr.end <= call.end),
  );
}

/** `alias = &p->vdev;` on the straight path, once, behind what gives `p` its value. */
function pointsInto(
  file: FileIr,
  free: FreePlan,
  alias: Variable,
  object: Variable,
  container: Container,
  depth: number,
): boolean {
  const { set } = alias;
  if (
    !set ||
    plain(textOf(file, set.value)) !==
      `&${object.name}->${container.path.slice(0, depth).join('.')}`
  )
    return false;
  return (
    isStraight(free, set.at) && (object.set === null || object.set.value.end <= set.value.start)
  );
}

/** `p = container_of(alias, struct foo, vdev);` on the straight path. */
function isMadeFrom(
  file: FileIr,
  free: FreePlan,
  alias: Variable,
  object: Variable,
  container: Container,
  depth: number,
): boolean {
  const view = object.set && uncast(object.set.value);
  if (
    alias.set !== null ||
    view?.kind !== 'call' ||
    view.name !== 'container_of' ||
    !isStraight(free, object.set!.at)
  )
    return false;
  const [pointer, , member] = view.args;
  const from = pointer && uncast(pointer);
  return (
    from?.kind === 'name' &&
    from.name === alias.name &&
    member !== undefined &&
    plain(textOf(file, member)) === container.path.slice(0, depth).join('.')
  );
}

/** A statement of the outermost block in front of the free that no jump passes on its way there. */
function isStraight({ fn, at: { stmt: end } }: FreePlan, { stmt, parent }: Placed): boolean {
  if (parent !== null || stmt.start >= end.start) return false;
  const places = statementsOf(fn);
  const labels = new Map(
    places.flatMap((place) =>
      place.stmt.kind === 'label' ? [[place.stmt.name, place.stmt.start] as const] : [],
    ),
  );
  return places.every((place) => {
    if (place.stmt.kind !== 'goto') return true;
    const to = labels.get(place.stmt.label);
    return to !== undefined && (place.stmt.start > stmt.start || to < stmt.start);
  });
}

/** The parameters and locals that have one meaning and one value, and whose address nobody has. */
function variablesOf(fn: FunctionIr): Variable[] {
  const places = statementsOf(fn);
  const expressions = places.flatMap(({ stmt }) => allExpressions(stmt));
  const decls = places.flatMap(({ stmt }) => (stmt.kind === 'decl' ? [stmt] : []));
  const candidates: {
    readonly name: string;
    readonly type: TypeName;
    readonly decl: DeclStmt | null;
  }[] = [
    ...fn.params.map((param) => ({ name: param.name, type: param.type, decl: null })),
    ...decls
      .filter((decl) => !decl.isStatic && !mayCleanUp(decl))
      .map((decl) => ({ name: decl.name, type: decl.type, decl })),
  ];
  return candidates.flatMap(({ name, type, decl }): Variable[] => {
    const sets = places.flatMap((at) => [
      ...(at.stmt.kind === 'decl' && at.stmt.name === name && at.stmt.init
        ? [{ at, value: at.stmt.init }]
        : []),
      ...allExpressions(at.stmt).flatMap((expr) =>
        expr.kind === 'assign' && isVariable(expr.target, name) ? [{ at, value: expr.value }] : [],
      ),
    ]);
    const unsure =
      candidates.filter((other) => other.name === name).length > 1 ||
      expressions.some(
        (expr) =>
          isAddressOf(expr, name) || (expr.kind === 'update' && isVariable(expr.operand, name)),
      );
    if (unsure || sets.length !== (decl ? 1 : 0)) return [];
    return [{ name, type, set: sets[0] ?? null }];
  });
}
