import type { CallExpr, FunctionIr } from '../ir/types.ts';
import type { EffectOp } from '../kernel/types.ts';
import { fresh, loadPlace, storePlace, type Evaluated } from './evaluate.ts';
import { assumeFact, noteUndecided } from './conditions-flow.ts';
import { assumeConfig } from './config.ts';
import { UNKNOWN_DEVICE } from './device.ts';
import type { Defined } from './module.ts';
import { escape, loseCertainty, markChecked, noteOwnState, operateIfVfio, use } from './operate.ts';
import {
  applyHelper,
  applyTranslated,
  failedHelper,
  giveBack,
  runRelease,
  translated,
} from './resources.ts';
import { nameOf, site, sourceText, type Run } from './run.ts';
import { addStep, assume, fork, type PathState } from './state.ts';
import { isOutside, type Summary, type SummaryOutcome } from './summary.ts';
import { spend } from '../budget/work.ts';
import { ANY, isWeak, joinPaths, pointer, type Place, type Value } from './values.ts';
import { append } from '../text/lists.ts';

/**
 * The paths after a call of a function of the module: each outcome of its summary, replayed on the
 * caller's objects.
 * A function without a summary (a recursion not yet solved, or one given up) is treated as unknown
 * code.
 */
export function applySummary(
  run: Run,
  s: PathState,
  e: CallExpr,
  callee: Defined<FunctionIr>,
  args: readonly Value[],
): Evaluated[] {
  args.forEach((v, i) => {
    const a = e.args[i];
    if (v.kind === 'pointer' && a && (a.kind === 'name' || a.kind === 'unary'))
      passUse(run, s, v, a, e.name);
  });
  const summary = run.index.summaryOf(callee.item);
  if (summary === null) return [];
  if (summary.outcomes === null) {
    for (const v of args) if (v.kind === 'pointer') escape(run, s, v, e, callee.item.name);
    giveBack(
      run,
      s,
      { api: callee.item.name, everything: true, values: args, site: site(run, e) },
      e,
      'call',
    );
    return [{ s, v: fresh(s, e.start, 'call') }];
  }
  const out: Evaluated[] = [];
  for (const outcome of summary.outcomes) {
    const r = replay(run, fork(s), e, callee, summary, outcome, args);
    if (r === null) continue;
    if (summary.isHarmless && r.s.held !== null) {
      const helper = run.index.helperOf(callee.item);
      append(
        out,
        failedHelper(run, r.s, helper, r.v, (t) => resolver(run, t, e, summary, args)).map((t) => ({
          s: t,
          v: r.v,
        })),
      );
      applyHelper(run, r.s, e, callee, helper, args, r.v, resolver(run, r.s, e, summary, args));
    }
    out.push(r);
  }
  return out;
}

/** Passing is a use, but a helper that only frees or puts is judged by what it does. */
function passUse(
  run: Run,
  s: PathState,
  v: Extract<Value, { kind: 'pointer' }>,
  at: CallExpr['args'][number],
  api: string | null,
): void {
  const t = s.devices.get(v.object);
  if (t?.state.memory === 'error-pointer') return; // the helper may well test it
  use(run, s, v, at, 'pass', v.path === '' ? null : v.path, api);
}

function replay(
  run: Run,
  s: PathState,
  e: CallExpr,
  callee: Defined<FunctionIr>,
  summary: Summary,
  o: SummaryOutcome,
  args: readonly Value[],
): Evaluated | null {
  spend(o.assumes.size + o.ops.length + o.writes.length);
  for (const [test, holds] of o.config) if (!assumeConfig(run, s, { test, holds })) return null;
  const resolve = resolver(run, s, e, summary, args);
  for (const [object, mask] of o.assumes) {
    if (object.startsWith('fact~')) {
      if (
        !assumeFact(s, object, mask, (v) =>
          v.kind === 'pointer' && !v.object.startsWith('const:') ? resolve(v) : v,
        )
      )
        return null;
      continue;
    }
    const v = resolve({ object, path: '' });
    if (v === null) continue;
    if (!object.startsWith('param:')) noteUndecided(s, v, mask);
    if (!assume(s, v, mask)) return null;
  }
  // Everything the outcome names is resolved against the state at the call, before its writes
  // change it.
  const ops = o.ops.map((l) => ({ l, v: resolve(l.place) }));
  const writes = o.writes.map((w) => ({
    to: resolve(w.place),
    v: resolve(placeOf(w.value)) ?? w.value,
    from: w,
  }));
  const resources = summary.isHarmless ? null : translated(summary, o, resolve);
  const deferred = o.deferred.map((d) => ({
    callback: d.callback,
    data: resolve(placeOf(d.data)) ?? d.data,
  }));
  const result = o.result === null ? null : (resolve(placeOf(o.result)) ?? o.result);
  if (ops.length)
    addStep(s, { site: site(run, e), kind: 'call', text: `calls ${callee.item.name}()` });
  const puts: Place[] = [];
  for (const { l, v } of ops) {
    if (v?.kind !== 'pointer') continue;
    if (l.op === 'escape') {
      escape(run, s, v, e, l.api);
      continue;
    }
    // That the helper tested a failed allocation does not mean that its caller has.
    if (l.op === 'checked') {
      if (s.devices.get(v.object)?.state.memory === 'live') markChecked(s, v.object);
      continue;
    }
    if (l.op === 'alloc' || l.op === 'allocate') {
      const made = summary.objects.get(l.place.object);
      if (made) run.objects.set(v.object, made);
      s.devices.set(v.object, { state: UNKNOWN_DEVICE, member: made?.member ?? null });
    }
    operateIfVfio(run, s, {
      op: l.op satisfies EffectOp,
      ok: l.ok,
      place: v,
      api: l.api,
      argument: l.argument,
      at: e,
      text: argumentText(run, s, e, callee, l.place, v.object),
      inner: l.site,
      settled: l.settled,
    });
    if (l.op === 'alloc' || l.op === 'allocate') s.masks.set(v.object, l.ok ? 2 : 4);
    if (l.op === 'put') puts.push(v);
  }
  for (const { to, v, from } of writes) {
    if (to?.kind !== 'pointer') continue;
    storePlace(run, s, { object: to.object, path: to.path }, v);
    // An error code that only the helper could name: `*out = ret`.
    if (
      from.mask !== ANY &&
      v.kind === 'pointer' &&
      from.value.kind === 'pointer' &&
      v.object !== from.value.object &&
      !isOutside(from.value.object)
    )
      s.masks.set(v.object, from.mask);
  }
  if (resources) applyTranslated(run, s, e, resources);
  for (const device of puts) runRelease(run, s, e, device);
  s.deferred = [...s.deferred, ...deferred];
  if (o.uncertain) loseCertainty(s);
  if (o.ownState) noteOwnState(s);
  if (result === null) return { s, v: fresh(s, e.start, 'call') };
  if (
    result.kind === 'pointer' &&
    result.path === '' &&
    o.resultMask !== ANY &&
    !assume(s, result, o.resultMask)
  )
    return null;
  return { s, v: result };
}

function placeOf(v: Value): Place {
  return v.kind === 'pointer' ? { object: v.object, path: v.path } : { object: '', path: '' };
}

/**
 * What a message calls the object: the caller's argument that leads to it, as written; for a
 * callback, the variable that holds it.
 */
function argumentText(
  run: Run,
  s: PathState,
  e: CallExpr,
  callee: Defined<FunctionIr>,
  place: Place,
  object: string,
): string {
  const parameter = /param:(\d+)/.exec(place.object);
  const arg = parameter && e.name === callee.item.name ? e.args[Number(parameter[1])] : undefined;
  return arg ? sourceText(run, arg) : nameOf(run, s, object);
}

/** Maps objects of the callee to values of the caller. */
export function resolver(
  run: Run,
  s: PathState,
  e: CallExpr,
  summary: Summary,
  args: readonly Value[],
): (p: Place) => Value | null {
  const known = new Map<string, Value | null>();
  const at = (v: Value | null, path: string): Value | null =>
    v?.kind === 'pointer' ? pointer(v.object, joined(v, path)) : path === '' ? v : null;
  const object = (o: string): Value | null => {
    const before = known.get(o);
    if (before !== undefined) return before;
    const v = find(o);
    known.set(o, v);
    return v;
  };
  const find = (o: string): Value | null => {
    if (o === '') return null;
    if (o.startsWith('param:')) return args[Number(o.slice(6))] ?? fresh(s, e.start, 'value');
    if (o.startsWith('global:') || o.startsWith('const:') || isWeak(o)) return pointer(o);
    if (o.startsWith('load:')) {
      const i = o.lastIndexOf('|');
      const base = at(object(o.slice(5, i)), o.slice(i + 1) === '@drvdata' ? '' : o.slice(i + 1));
      if (base?.kind !== 'pointer') return fresh(s, e.start, 'value');
      return loadPlace(
        run,
        s,
        o.endsWith('|@drvdata')
          ? { object: base.object, path: '@drvdata' }
          : { object: base.object, path: base.path },
        e.start,
      );
    }
    // Made or computed inside: an object of this call. A repeated prefix (recursion, loops) stays
    // one object.
    const name = o.includes(`@${e.start}`) ? o : `${o}@${e.start}`;
    const info = summary.objects.get(o);
    if (info && !run.objects.has(name)) run.objects.set(name, info);
    if (!o.startsWith('alloc:')) s.masks.delete(name);
    return pointer(name);
  };
  return (p) =>
    p.object === ''
      ? null
      : p.path === '@drvdata'
        ? drvdataPlace(object(p.object))
        : at(object(p.object), p.path);
}

function drvdataPlace(v: Value | null): Value | null {
  return v?.kind === 'pointer' ? pointer(v.object, '@drvdata') : null;
}

function joined(v: Extract<Value, { kind: 'pointer' }>, path: string): string {
  const p = joinPaths(v.path, path);
  return v.object.startsWith('alloc:') && p.startsWith('-')
    ? p
        .split('.')
        .filter((x) => !x.startsWith('-'))
        .join('.')
    : p;
}
