/**
 * One exploration of one function: what it reads from, and how its places and observations are
 * made.
 */
import type { Condition } from '../../syntax/node.ts';
import { printExpr } from '../../ir/print.ts';
import type { CallExpr, Expr, FunctionIr, TypeName } from '../../ir/types.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import type { Span } from '../../text/span.ts';
import { placesIn, type Frame } from '../incremental/stable-spans.ts';
import type { OwnFile, Questions } from '../incremental/dependencies.ts';
import type { ResourceLog } from './resource-log.ts';
import type { Summary } from './summary.ts';
import { pathText, fieldOf, isDrvdata, type AccessStep } from '../domain/access-path.ts';
import type { AbstractObject, Place } from '../domain/objects.ts';
import { deviceKey, type PathState, type Tracked } from '../domain/path-state.ts';
import type { DeviceRef, Observation, Role, Site } from '../types.ts';
import type { Value } from '../domain/values.ts';
import { spend } from '../../budget/work.ts';

/** What is known of an object beyond its state: for messages and related information. */
export interface ObjectInfo {
  readonly origin: Site;
  readonly kind: DeviceRef['originKind'];
  readonly container: string | null;
  /** The member path that vfio_alloc_device was given. */
  readonly member: readonly AccessStep[] | null;
}

/** One exploration of one function. */
export interface Run {
  /** The function at the address of its frame: so are all offsets that a run sees or makes. */
  readonly fn: FunctionIr;
  readonly frame: Frame;
  readonly file: OwnFile;
  readonly role: Role;
  /** What its ends hold is observed. */
  readonly leaves: boolean;
  readonly kernel: KernelVersion;
  readonly index: Questions;
  /** Types of parameters and local variables by name. */
  readonly locals: ReadonlyMap<string, TypeName>;
  readonly labels: ReadonlySet<string>;
  /** By the ids of objects. */
  readonly objects: Map<string, ObjectInfo>;
  /**
   * The first variable that held each object: what a person calls it where no variable does any
   * more.
   */
  readonly names: Map<AbstractObject, string>;
  readonly observations: Map<string, Observation>;
  /** Observations on paths that a state of the driver's own decided. */
  readonly ownState: Set<Observation>;
  /** What is learnt of resources; null where they are not followed. */
  readonly resources: ResourceLog | null;
  /** Maps objects of a callee to values at a call; here because callback-resources.ts is below apply-summary.ts. */
  readonly resolver: (
    state: PathState,
    call: CallExpr,
    summary: Summary,
    args: readonly Value[],
  ) => (place: Place) => Value | null;
}

/** The place of a node in its document: what macros bring is where they are used. */
export function site(run: Pick<Run, 'file'>, span: Span): Site {
  return { path: run.file.path, start: span.start, end: span.end };
}

/** The source text of a span in the function. */
export function writtenText({ frame }: Run, span: Span): string {
  const { start, end } = placesIn(frame, span);
  return frame.text.slice(start, end);
}

/**
 * The source text of a span in the function with its white space folded. What a macro stands for is
 * said in words of the use.
 */
export function sourceText(run: Run, span: Span | Expr): string {
  if ('kind' in span && span.expansion) return printExpr(span).replace(/^\((.*)\)$/, '$1');
  return writtenText(run, span).replace(/\s+/g, ' ').trim();
}

export function deviceRef(
  run: Run,
  object: AbstractObject,
  tracked: Tracked | undefined,
): DeviceRef {
  const info = run.objects.get(object.id);
  return {
    id: `${run.file.path}:${run.fn.name}:${object.id}`,
    origin: info?.origin ?? site(run, run.fn.nameSpan),
    originKind: info?.kind ?? kindOf(object),
    container: info?.container ?? null,
    member: tracked?.member ? pathText(tracked.member) : null,
    ...(object.isWeak && { isElement: true as const }),
  };
}

function kindOf(object: AbstractObject): DeviceRef['originKind'] {
  if (object.kind === 'parameter') return 'parameter';
  for (let from: AbstractObject = object; from.kind === 'load'; from = from.from.object)
    if (isDrvdata(from.from)) return 'drvdata';
  return 'load';
}

export function conditionsOf(state: PathState): Condition[] {
  return [...state.config].map(([test, holds]) => ({ test, holds }));
}

/** What tells observations of one kind and place apart. */
export interface Seen {
  /** An offset. */
  readonly at: number;
  /** The id of the device's object. */
  readonly object: string;
  readonly tracked: Tracked;
  readonly certain: boolean;
  readonly ownState?: boolean;
}

/**
 * Keeps one observation of each kind, place, device and abstract state: the first, which has the
 * shortest path. `make` is only called for that one, because most paths see what others have seen.
 */
export function observe(run: Run, kind: string, seen: Seen, make: () => Observation): void {
  const { at, object, tracked, certain, ownState = false } = seen;
  const id = `${kind};${at};${object};${deviceKey(tracked)};${certain};${ownState}`;
  if (run.observations.has(id)) return;
  const observation = make();
  run.observations.set(id, observation);
  if (ownState) run.ownState.add(observation);
}

/**
 * The type of a variable or of a member of a struct that the module defines; null where it does not
 * say.
 */
export function declaredType(run: Run, expr: Expr): TypeName | null {
  if (expr.kind === 'name') return run.locals.get(expr.name) ?? null;
  if (expr.kind !== 'member') return null;
  const { name, keyword } = declaredType(run, expr.base) ?? { name: '', keyword: null };
  if (keyword !== 'struct') return null;
  const struct = run.index.struct(run.file, name);
  return struct?.item.fields.find((field) => field.name === expr.field)?.type ?? null;
}

/** Gives a variable its value. */
export function setVariable(run: Run, state: PathState, name: string, value: Value): void {
  const operand = asDeclared(run, name, value);
  state.env.set(name, operand);
  if (operand.kind === 'pointer' && !run.names.has(operand.object))
    run.names.set(operand.object, name);
}

/**
 * A pointer as the type of its variable says: drvdata is set to `&p->core_device` and read back as
 * the container, or the other
 * way round. The device is at offset 0 at every level, so both are the same address.
 */
function asDeclared(run: Run, name: string, value: Value): Value {
  if (value.kind !== 'pointer' || value.isOutward) return value;
  const type = run.locals.get(name),
    info = run.objects.get(value.object.id);
  if (type?.pointers !== 1 || type.keyword !== 'struct' || !info?.container) return value;
  if (type.name === info.container) return value.object.start;
  if (value.parent !== null || info.member === null) return value;
  let tag = info.container,
    place: Place = value;
  for (const step of info.member) {
    if (step.kind !== 'field') return value;
    const part = step.name;
    const field = run.index
      .struct(run.file, tag)
      ?.item.fields.find((item) => item.name === part)?.type;
    if (field ? field.pointers > 0 || field.arrays > 0 : tag !== 'vfio_pci_core_device')
      return value;
    tag = field?.name ?? 'vfio_device';
    place = fieldOf(place, part);
    if (tag === type.name) return place;
  }
  return value;
}

/** What a person calls an object at this point: a variable that holds it, or the first that did. */
export function nameOf(run: Run, state: PathState, object: AbstractObject): string {
  spend(state.env.size);
  let inside: string | null = null;
  for (const [name, value] of state.env) {
    if (value.kind !== 'pointer' || value.object !== object) continue;
    if (value.parent === null) return name;
    inside ??= name;
  }
  return inside ?? run.names.get(object) ?? 'the device';
}
