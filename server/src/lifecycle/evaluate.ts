import type { Expr, Stmt } from '../ir/types.ts';
import { combine } from './arithmetic.ts';
import { evaluateCall } from './calls.ts';
import { decide } from './conditions-flow.ts';
import { joinAll } from './join.ts';
import { escape, loseCertainty, use } from './operate.ts';
import { isLifecycleName } from './relevance.ts';
import { noteCleared, operatorCount } from './resources.ts';
import { setVariable, site, writtenText, type Run } from './run.ts';
import { fork, load, maskOf, store, type PathState } from './state.ts';
import { spend } from '../budget/work.ts';
import {
  ANY,
  NEGATIVE,
  NULL,
  POSITIVE,
  ZERO,
  int,
  isWeak,
  member,
  pointer,
  valueKey,
  type Mask,
  type Place,
  type Value,
} from './values.ts';

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
      return [{ s, v: e.value === null ? known(s, `const:${e.text}`, ANY) : int(e.value) }];
    case 'string':
      return [{ s, v: known(s, 'const:string', POSITIVE) }];
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
      return [{ s, v: known(s, `const:${writtenText(run, e)}`.slice(0, 80), POSITIVE) }];
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
export function fresh(s: PathState, start: number, prefix = 'value'): Value {
  const object = `${prefix}:${start}`;
  s.masks.delete(object);
  if (s.devices.delete(object))
    for (const k of s.heap.keys()) if (k.startsWith(`${object}|`)) s.heap.delete(k);
  return pointer(object);
}

/** A named constant: the same object wherever it is written. */
export function known(s: PathState, object: string, mask: Mask): Value {
  if (mask !== ANY) s.masks.set(object, mask);
  return pointer(object);
}

export function loadPlace(run: Run, s: PathState, p: Place, at: number): Value {
  const v = loadValue(run, s, p, at);
  if (p.object.startsWith('global:') && p.path === '') nameAfterGlobal(run, p, v);
  return v;
}

function nameAfterGlobal(run: Run, p: Place, v: Value): void {
  if (v.kind === 'pointer' && !run.names.has(v.object)) run.names.set(v.object, p.object.slice(7));
}

function loadValue(run: Run, s: PathState, p: Place, at: number): Value {
  if (p.object.startsWith('local:') && p.path === '')
    return s.env.get(p.object.slice(6)) ?? pointer(`undef:${p.object}`);
  const v = load(s, p);
  if (v.kind === 'pointer' && !run.objects.has(v.object) && v.object.startsWith('load:')) {
    run.objects.set(v.object, {
      origin: site(run, { start: at, end: at }),
      kind: p.path === '@drvdata' ? 'drvdata' : 'load',
      container: null,
      member: null,
    });
  }
  return v;
}

export function storePlace(run: Run, s: PathState, p: Place, v: Value): void {
  if (p.object.startsWith('local:') && p.path === '') setVariable(run, s, p.object.slice(6), v);
  else store(s, p, v);
  if (p.object.startsWith('global:') && p.path === '') nameAfterGlobal(run, p, v);
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
      return [{ s, place: namePlace(run, e.name) }];
    case 'member':
      if (!e.arrow)
        return places(run, s, e.base, form).map(({ s: t, place }) => ({
          s: t,
          place: { object: place.object, path: member(place.path, e.field) },
        }));
      return evaluate(run, s, e.base).map(({ s: t, v }) => {
        if (v.kind !== 'pointer')
          return { s: t, place: { object: `value:${e.start}`, path: e.field } };
        if (form !== 'address') use(run, t, v, e, form, e.field); // `&p->m` is arithmetic
        return { s: t, place: { object: v.object, path: member(v.path, e.field) } };
      });
    case 'index':
      return evaluate(run, s, e.base).flatMap(({ s: t, v }) =>
        evaluate(run, t, e.index).map(({ s: u }) => {
          if (v.kind === 'pointer' && form !== 'address') use(run, u, v, e, form, null);
          return {
            s: u,
            place:
              v.kind === 'pointer'
                ? { object: v.object, path: v.path === '' ? '[]' : `${v.path}[]` }
                : { object: `value:${e.start}`, path: '' },
          };
        }),
      );
    case 'unary':
      if (e.op === '*')
        return evaluate(run, s, e.operand).map(({ s: t, v }) => {
          if (v.kind === 'pointer' && form !== 'address') use(run, t, v, e, form, null);
          return {
            s: t,
            place:
              v.kind === 'pointer'
                ? { object: v.object, path: v.path }
                : { object: `value:${e.start}`, path: '' },
          };
        });
      break;
    case 'cast':
      return places(run, s, e.operand, form);
    default:
  }
  return evaluate(run, s, e).map(({ s: t, v }) => ({
    s: t,
    place:
      v.kind === 'pointer'
        ? { object: v.object, path: v.path }
        : { object: `value:${e.start}`, path: '' },
  }));
}

function namePlace(run: Run, name: string): Place {
  return run.locals.has(name)
    ? { object: `local:${name}`, path: '' }
    : { object: `global:${name}`, path: '' };
}

function nameValue(run: Run, s: PathState, name: string, at: number): Value {
  const local = s.env.get(name);
  if (local) return local;
  const type = run.locals.get(name);
  if (type)
    return type.arrays > 0 || (type.keyword === 'struct' && type.pointers === 0)
      ? pointer(`local:${name}`)
      : pointer(`undef:local:${name}`);
  if (name === 'NULL' || name === 'false') return NULL;
  if (name === 'true') return int(1);
  if (/^E[A-Z0-9]+$/.test(name)) return known(s, `const:${name}`, POSITIVE);
  if (
    run.index.functions(run.file, name).length ||
    isLifecycleName(name, run.kernel, run.index.module.wrappers)
  )
    return { kind: 'function', name };
  const variable = run.index.variable(run.file, name);
  if (!variable) {
    const value = run.index.constant(run.file, name);
    return value === null ? known(s, `const:${name}`, ANY) : int(value);
  }
  const t = variable.item.type;
  if (t.arrays > 0 || (t.pointers === 0 && t.keyword !== null)) {
    s.masks.set(`global:${name}`, POSITIVE);
    return pointer(`global:${name}`);
  }
  return loadPlace(run, s, { object: `global:${name}`, path: '' }, at);
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
      if (place.object.startsWith('local:') || place.object.startsWith('global:'))
        t.masks.set(place.object, POSITIVE);
      return { s: t, v: pointer(place.object, place.path) };
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
    const m = maskOf(t, v);
    if (e.op === '!')
      return {
        s: t,
        v:
          m === ZERO
            ? int(1)
            : (m & ZERO) === 0
              ? int(0)
              : known(t, `fact~!~${valueKey(v)}`, ZERO | POSITIVE),
      };
    if (e.op === '-' && v.kind === 'pointer')
      return {
        s: t,
        v: known(
          t,
          v.object.startsWith('const:') ? `const:-${v.object.slice(6)}` : `fact~-~${valueKey(v)}`,
          (m & ZERO) | (m & POSITIVE ? NEGATIVE : 0) | (m & NEGATIVE ? POSITIVE : 0),
        ),
      };
    return { s: t, v: fresh(t, e.start) };
  });
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
      if (sum !== null)
        return { s: r.s, v: sum === 'negative' ? known(r.s, `errno:${e.start}`, NEGATIVE) : sum };
      const name = `fact~${e.op}~${valueKey(l.v)}~${valueKey(r.v)}`;
      return { s: r.s, v: name.length > 100 ? fresh(r.s, e.start) : known(r.s, name, ANY) };
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
      if (value.kind === 'pointer' && (isWeak(place.object) || place.path.includes('[]')))
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
  return sum === 'negative' ? known(s, `errno:${e.start}`, NEGATIVE) : (sum ?? fresh(s, e.start));
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
