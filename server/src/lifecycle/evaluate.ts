import type { Expr, Stmt } from '../ir/types.ts';
import { combine } from './arithmetic.ts';
import { evaluateCall } from './calls.ts';
import { decide } from './conditions-flow.ts';
import { joinAll } from './join.ts';
import { escape, loseCertainty, use } from './operate.ts';
import { isLifecycleName } from './relevance.ts';
import { noteCleared, operatorCount } from './resources.ts';
import { setVariable, site, sourceText, type Run } from './run.ts';
import { elementOf, fieldOf, isDrvdata } from './domain/access-path.ts';
import {
  computed,
  globalVariable,
  literal,
  localVariable,
  resultAt,
  symbol,
  undefinedValue,
  type AbstractObject,
  type Origin,
  type Place,
} from './domain/objects.ts';
import { forgetMembers, fork, load, maskOf, store, type PathState } from './domain/path-state.ts';
import {
  ANY,
  NEGATIVE,
  NULL,
  POSITIVE,
  ZERO,
  int,
  type Mask,
  type Value,
} from './domain/values.ts';
import { spend } from '../budget/work.ts';

/** A path after an expression, with its value. Forks of one expression share nothing. */
export interface Evaluated {
  readonly s: PathState;
  readonly v: Value;
}

/** More ways than this through one expression are not told apart. */
const MAX_WAYS = 64;

/**
 * Evaluates an expression for value and effects. Takes over `s`; the caller goes on with what is
 * returned.
 */
export function evaluate(run: Run, s: PathState, e: Expr): Evaluated[] {
  spend(1);
  const ways = evaluateEach(run, s, e);
  if (ways.length <= MAX_WAYS) return ways;
  return fewer(
    ways.map((w) => w.s),
    e.start,
  ).map((t) => ({ s: t, v: fresh(t, e.start) }));
}

/**
 * The paths after a part of an expression at `start`: where they are more than are told apart,
 * joined, and none of them certain.
 */
export function fewer(states: PathState[], start: number): PathState[] {
  if (states.length <= MAX_WAYS) return states;
  const few = joinAll(states, `e${start}`, () => true).slice(0, MAX_WAYS);
  for (const s of few) loseCertainty(s);
  return few;
}

function evaluateEach(run: Run, s: PathState, e: Expr): Evaluated[] {
  switch (e.kind) {
    case 'name':
      return [{ s, v: nameValue(run, s, e.name, e.start) }];
    case 'number':
      return [{ s, v: e.value === null ? literal(s.interner, e.text).start : int(e.value) }];
    case 'string':
      return [{ s, v: known(s, literal(s.interner, 'string'), POSITIVE) }];
    case 'member':
    case 'index':
      return places(run, s, e, 'read').map(({ s: t, place }) => ({
        s: t,
        v: loadPlace(run, t, place, e.start),
      }));
    case 'unary':
      return unary(run, s, e);
    case 'update':
      return places(run, s, e.operand, 'write').map(({ s: t, place }) => {
        operatorCount(run, t, place, e.op, e);
        const v = counted(run, t, e, place);
        storePlace(run, t, place, v);
        return { s: t, v };
      });
    case 'binary':
      return binary(run, s, e);
    case 'assign':
      return assignment(run, s, e);
    case 'conditional':
      return [
        ...decide(run, fork(s), e.condition, true).flatMap((t) =>
          e.then ? evaluate(run, t, e.then) : evaluate(run, t, e.condition),
        ),
        ...decide(run, s, e.condition, false).flatMap((t) => evaluate(run, t, e.otherwise)),
      ];
    case 'call':
      return evaluateCall(run, s, e);
    case 'cast':
      return evaluate(run, s, e.operand);
    case 'comma': {
      let out: PathState[] = [s];
      for (const item of e.items.slice(0, -1))
        out = fewer(
          out.flatMap((t) => evaluate(run, t, item).map((r) => r.s)),
          item.start,
        );
      const last = e.items.at(-1);
      return out.flatMap((t) => (last ? evaluate(run, t, last) : [{ s: t, v: NULL }]));
    }
    case 'initializer': {
      let out: PathState[] = [s];
      for (const x of e.entries)
        out = fewer(
          out.flatMap((t) => evaluate(run, t, x.value).map((r) => r.s)),
          x.value.start,
        );
      return out.map((t) => ({ s: t, v: fresh(t, e.start) }));
    }
    case 'statement-expression':
      return statements(run, s, e.body, e.start);
    case 'sizeof':
    case 'type':
      return [{ s, v: known(s, literal(s.interner, sourceText(run, e).slice(0, 80)), POSITIVE) }];
    case 'unknown':
      escapeNames(run, s, e.names, e.start, e.end);
      return [{ s, v: fresh(s, e.start) }];
  }
}

/** What was not understood may do anything with the objects that it names. */
export function escapeNames(
  run: Run,
  s: PathState,
  names: readonly string[],
  start: number,
  end: number,
): void {
  for (const n of names) {
    const v = s.env.get(n);
    if (v?.kind === 'pointer') escape(run, s, v, { start, end }, '');
  }
}

/**
 * A value about which nothing is known, named after the place of its expression. What an earlier
 * round of a loop knew of its name is forgotten.
 */
export function fresh(s: PathState, start: number, of: Origin = 'value'): Place {
  const object = resultAt(s.interner, of, start);
  s.masks.delete(object);
  if (s.devices.delete(object)) forgetMembers(s, object);
  return object.start;
}

/** What a constant, or what was computed, is known to be. */
export function known(s: PathState, object: AbstractObject, mask: Mask): Place {
  if (mask !== ANY) s.masks.set(object, mask);
  return object.start;
}

/** An error code of which only the sign is known. */
export function someErrno(s: PathState, start: number): Place {
  return known(s, resultAt(s.interner, 'errno', start), NEGATIVE);
}

export function loadPlace(run: Run, s: PathState, p: Place, at: number): Value {
  const v = loadValue(run, s, p, at);
  nameAfterGlobal(run, p, v);
  return v;
}

/** A global variable gives its name to what it holds. */
function nameAfterGlobal(run: Run, { object, parent }: Place, v: Value): void {
  if (object.kind !== 'global' || parent !== null) return;
  if (v.kind === 'pointer' && !run.names.has(v.object)) run.names.set(v.object, object.name);
}

function loadValue(run: Run, s: PathState, p: Place, at: number): Value {
  if (p.object.kind === 'local' && p.parent === null) return localValue(s, p.object.name);
  const v = load(s, p);
  if (v.kind === 'pointer' && v.object.kind === 'load' && !run.objects.has(v.object.id)) {
    run.objects.set(v.object.id, {
      origin: site(run, { start: at, end: at }),
      kind: isDrvdata(p) ? 'drvdata' : 'load',
      container: null,
      member: null,
    });
  }
  return v;
}

function localValue(s: PathState, name: string): Value {
  return s.env.get(name) ?? undefinedValue(s.interner, name).start;
}

export function storePlace(run: Run, s: PathState, p: Place, v: Value): void {
  if (p.object.kind === 'local' && p.parent === null) setVariable(run, s, p.object.name, v);
  else store(s, p, v);
  nameAfterGlobal(run, p, v);
}

/**
 * The places an lvalue may denote. Reading through a pointer on the way counts as a use of what it
 * points to.
 */
export function places(
  run: Run,
  s: PathState,
  e: Expr,
  form: 'read' | 'write' | 'address',
): { s: PathState; place: Place }[] {
  switch (e.kind) {
    case 'name':
      return [{ s, place: namePlace(run, s, e.name) }];
    case 'member':
      if (!e.arrow)
        return places(run, s, e.base, form).map(({ s: t, place }) => ({
          s: t,
          place: fieldOf(place, e.field),
        }));
      return evaluate(run, s, e.base).map(({ s: t, v }) => {
        // `&p->m` is arithmetic
        if (v.kind === 'pointer' && form !== 'address') use(run, t, v, e, form, e.field);
        return { s: t, place: fieldOf(pointed(t, v, e), e.field) };
      });
    case 'index':
      return evaluate(run, s, e.base).flatMap(({ s: t, v }) =>
        evaluate(run, t, e.index).map(({ s: u }) => {
          if (v.kind !== 'pointer') return { s: u, place: pointed(u, v, e) };
          if (form !== 'address') use(run, u, v, e, form, null);
          return { s: u, place: elementOf(v) };
        }),
      );
    case 'unary':
      if (e.op === '*')
        return evaluate(run, s, e.operand).map(({ s: t, v }) => {
          if (v.kind === 'pointer' && form !== 'address') use(run, t, v, e, form, null);
          return { s: t, place: pointed(t, v, e) };
        });
      break;
    case 'cast':
      return places(run, s, e.operand, form);
    default:
  }
  return evaluate(run, s, e).map(({ s: t, v }) => ({ s: t, place: pointed(t, v, e) }));
}

/** What a value points to; of what is no pointer, something unknown. */
function pointed(s: PathState, v: Value, e: Expr): Place {
  return v.kind === 'pointer' ? v : resultAt(s.interner, 'value', e.start).start;
}

function namePlace(run: Run, s: PathState, name: string): Place {
  const variable = run.locals.has(name) ? localVariable : globalVariable;
  return variable(s.interner, name).start;
}

function nameValue(run: Run, s: PathState, name: string, at: number): Value {
  const local = s.env.get(name);
  if (local) return local;
  const type = run.locals.get(name);
  if (type)
    return type.arrays > 0 || (type.keyword === 'struct' && type.pointers === 0)
      ? localVariable(s.interner, name).start
      : undefinedValue(s.interner, name).start;
  if (name === 'NULL' || name === 'false') return NULL;
  if (name === 'true') return int(1);
  if (isErrnoName(name)) return namedConstant(s, name, true);
  if (
    run.index.functions(run.file, name).length ||
    isLifecycleName(name, run.kernel, run.index.module.wrappers)
  )
    return { kind: 'function', name };
  const variable = run.index.variable(run.file, name);
  if (!variable) {
    const value = run.index.constant(run.file, name);
    return value === null ? namedConstant(s, name, false) : int(value);
  }
  const t = variable.item.type;
  if (t.arrays > 0 || (t.pointers === 0 && t.keyword !== null)) {
    return known(s, globalVariable(s.interner, name), POSITIVE);
  }
  return loadPlace(run, s, globalVariable(s.interner, name).start, at);
}

/** The kernel's error codes, but for one without an underscore. */
function isErrnoName(name: string): boolean {
  return /^E[A-Z0-9]+$/.test(name) || name === 'EPROBE_DEFER';
}

/** A name that the module does not define: what starts with E and is in capitals is an errno. */
function namedConstant({ interner }: PathState, name: string, isErrno: boolean): Place {
  return symbol(interner, name, { isErrno, isNegated: false }).start;
}

function unary(run: Run, s: PathState, e: Extract<Expr, { kind: 'unary' }>): Evaluated[] {
  if (e.op === '&') {
    if (
      e.operand.kind === 'name' &&
      run.index.functions(run.file, e.operand.name).length &&
      !run.locals.has(e.operand.name)
    )
      return [{ s, v: { kind: 'function', name: e.operand.name } }];
    return places(run, s, e.operand, 'address').map(({ s: t, place }) => {
      if (place.object.kind === 'local' || place.object.kind === 'global')
        t.masks.set(place.object, POSITIVE);
      return { s: t, v: place };
    });
  }
  if (e.op === '*')
    return places(run, s, e, 'read').map(({ s: t, place }) => ({
      s: t,
      v: loadPlace(run, t, place, e.start),
    }));
  return evaluate(run, s, e.operand).map(({ s: t, v }) => {
    if (v.kind === 'int')
      return {
        s: t,
        v: int(
          e.op === '-'
            ? -v.value
            : e.op === '!'
              ? Number(v.value === 0)
              : e.op === '~'
                ? ~v.value
                : v.value,
        ),
      };
    return { s: t, v: inverse(t, e.op, v) ?? fresh(t, e.start) };
  });
}

/** `!value` and `-value`; null for the other operators. */
function inverse(s: PathState, op: string, value: Exclude<Value, { kind: 'int' }>): Value | null {
  const m = maskOf(s, value);
  if (op === '!') {
    if (m === ZERO) return int(1);
    if ((m & ZERO) === 0) return int(0);
    return computedValue(s, op, [value], ZERO | POSITIVE);
  }
  if (op !== '-' || value.kind !== 'pointer') return null;
  const mask = (m & ZERO) | (m & POSITIVE ? NEGATIVE : 0) | (m & NEGATIVE ? POSITIVE : 0);
  const { object } = value;
  if (object.kind !== 'symbol') return computedValue(s, op, [value], mask);
  return symbol(s.interner, object.name, { ...object, isNegated: !object.isNegated }).start;
}

function computedValue(
  s: PathState,
  op: string,
  operands: readonly Value[],
  mask: Mask,
): Place | null {
  const object = computed(s.interner, op, operands);
  return object && known(s, object, mask);
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '>', '<=', '>=', '&&', '||']);

function binary(run: Run, s: PathState, e: Extract<Expr, { kind: 'binary' }>): Evaluated[] {
  if (COMPARISONS.has(e.op)) {
    return [
      ...decide(run, fork(s), e, true).map((t) => ({ s: t, v: int(1) })),
      ...decide(run, s, e, false).map((t) => ({ s: t, v: NULL })),
    ];
  }
  return evaluate(run, s, e.left).flatMap((l) =>
    evaluate(run, l.s, e.right).map((r) => {
      const sum = combine(r.s, e.op, l.v, r.v);
      if (sum !== null) return { s: r.s, v: sum === 'negative' ? someErrno(r.s, e.start) : sum };
      const v = computedValue(r.s, e.op, [l.v, r.v], ANY);
      return { s: r.s, v: v ?? fresh(r.s, e.start) };
    }),
  );
}

function assignment(run: Run, s: PathState, e: Extract<Expr, { kind: 'assign' }>): Evaluated[] {
  return evaluate(run, s, e.value).flatMap(({ s: t, v }) =>
    places(run, t, e.target, 'write').map(({ s: u, place }) => {
      const value = e.op === '=' ? v : compound(run, u, e, place, v);
      if (e.op === '=') {
        if (e.value.kind === 'name' && e.value.name === 'NULL') noteCleared(run, u, place, e);
      } else operatorCount(run, u, place, e.op, e);
      storePlace(run, u, place, value);
      // Put among others (an array, a list), it can be reached there in ways that are not followed.
      if (value.kind === 'pointer' && (place.object.isWeak || place.hasElement))
        escape(run, u, value, e, '');
      return { s: u, v: value };
    }),
  );
}

/** The value after `level++`. */
function counted(
  run: Run,
  s: PathState,
  e: Extract<Expr, { kind: 'update' }>,
  place: Place,
): Value {
  const sum = combine(
    s,
    e.op === '++' ? '+' : '-',
    loadPlace(run, s, place, e.operand.start),
    int(1),
  );
  return sum === null || sum === 'negative' ? fresh(s, e.start) : sum;
}

/** The value after `err |= v` and its like. */
function compound(
  run: Run,
  s: PathState,
  e: Extract<Expr, { kind: 'assign' }>,
  place: Place,
  v: Value,
): Value {
  const sum = combine(s, e.op.slice(0, -1), loadPlace(run, s, place, e.target.start), v);
  return sum === 'negative' ? someErrno(s, e.start) : (sum ?? fresh(s, e.start));
}

function statements(run: Run, s: PathState, body: readonly Stmt[], at: number): Evaluated[] {
  let out: Evaluated[] = [{ s, v: fresh(s, at) }];
  for (const b of body) {
    if (out.length > MAX_WAYS)
      out = fewer(
        out.map((o) => o.s),
        b.start,
      ).map((t) => ({ s: t, v: fresh(t, at) }));
    if (b.kind === 'expr') out = out.flatMap((o) => evaluate(run, o.s, b.expr));
    else if (b.kind === 'decl')
      out = out.flatMap((o) =>
        b.init
          ? evaluate(run, o.s, b.init).map((r) => {
              setVariable(run, r.s, b.name, r.v);
              return r;
            })
          : [o],
      );
    else for (const o of out) loseCertainty(o.s); // control flow inside an expression
  }
  return out;
}
