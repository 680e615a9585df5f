import type { CallExpr, FunctionIr } from '../ir/types.ts';
import type { EffectOp } from '../kernel/types.ts';
import { fresh, loadPlace, storePlace, type Evaluated } from './evaluate.ts';
import { assumeComputed, noteUndecided } from './conditions-flow.ts';
import { assumeConfig } from './config.ts';
import { UNKNOWN_DEVICE } from './device.ts';
import type { Defined } from './module.ts';
import { escape, loseCertainty, markChecked, operateIfVfio, use } from './operate.ts';
import {
  applyHelper,
  applyTranslated,
  failedHelper,
  giveBack,
  runRelease,
  translated,
} from './resources.ts';
import { nameOf, site, sourceText, type Run } from './run.ts';
import { drvdataOf, follow, isDrvdata, pathText, stepsTo } from './domain/access-path.ts';
import { adoptObject, ofCall } from './domain/adopt.ts';
import { codeOf, computed, rootOf, type AbstractObject, type Place } from './domain/objects.ts';
import { addStep, assume, fork, type PathState } from './domain/path-state.ts';
import { ANY, type Value } from './domain/values.ts';
import type { Summary, SummaryOutcome } from './summary.ts';
import { spend } from '../budget/work.ts';
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
  v: Place,
  at: CallExpr['args'][number],
  api: string | null,
): void {
  const t = s.devices.get(v.object);
  if (t?.state.memory === 'error-pointer') return; // the helper may well test it
  use(run, s, v, at, 'pass', v.parent === null ? null : pathText(v), api);
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
  const valueOf = (v: Value) => (v.kind === 'pointer' ? resolve(v) : v);
  for (const [object, mask] of o.assumes) {
    if (object.kind === 'computed') {
      if (!assumeComputed(s, object, mask, valueOf)) return null;
      continue;
    }
    const v = resolve(object.start);
    if (v === null) continue;
    if (object.kind !== 'parameter') noteUndecided(s, v, mask);
    if (!assume(s, v, mask)) return null;
  }
  // Everything the outcome names is resolved against the state at the call, before its writes
  // change it.
  const ops = o.ops.map((l) => ({ l, v: resolve(l.place) }));
  const writes = o.writes.map((w) => ({
    to: resolve(w.place),
    v: valueOf(w.value),
    from: w,
  }));
  const resources = summary.isHarmless ? null : translated(s.interner, summary, o, resolve);
  const deferred = o.deferred.map((d) => ({
    callback: d.callback,
    data: valueOf(d.data) ?? fresh(s, e.start),
  }));
  const result = o.result === null ? null : valueOf(o.result);
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
      const made = summary.objects.get(l.place.object.id);
      if (made) run.objects.set(v.object.id, made);
      const member = made?.member ? follow(v.object.start, made.member) : null;
      s.devices.set(v.object, { state: UNKNOWN_DEVICE, member });
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
    if (to?.kind !== 'pointer' || v === null) continue;
    storePlace(run, s, to, v);
    // An error code that only the helper could name: `*out = ret`.
    if (
      from.mask !== ANY &&
      v.kind === 'pointer' &&
      from.value.kind === 'pointer' &&
      IN_CALL.has(from.value.object.kind)
    )
      s.masks.set(v.object, from.mask);
  }
  if (resources) applyTranslated(run, s, e, resources);
  for (const device of puts) runRelease(run, s, e, device);
  s.deferred = [...s.deferred, ...deferred];
  if (o.uncertain) loseCertainty(s);
  if (o.ownState) s.followsOwnState = true;
  if (result === null) return { s, v: fresh(s, e.start, 'call') };
  if (
    result.kind === 'pointer' &&
    result.parent === null &&
    o.resultMask !== ANY &&
    !assume(s, result, o.resultMask)
  )
    return null;
  return { s, v: result };
}

/** Objects of a helper that only it could name. */
const IN_CALL: ReadonlySet<AbstractObject['kind']> = new Set<AbstractObject['kind']>([
  'undefined',
  'allocation',
  'joined',
  'result',
  'code',
  'computed',
  'local',
]);

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
  object: AbstractObject,
): string {
  const from = rootOf(place.object);
  const arg =
    from.kind === 'parameter' && e.name === callee.item.name ? e.args[from.index] : undefined;
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
  const own = s.interner;
  const known = new Map<AbstractObject, Value | null>();
  const at = (v: Value | null, place: Place): Value | null => {
    if (v?.kind !== 'pointer') return place.parent === null ? v : null;
    return isDrvdata(place) ? drvdataOf(v) : follow(v, stepsTo(place));
  };
  const resolve = (place: Place): Value | null => at(object(place.object), place);
  const object = (o: AbstractObject): Value | null => {
    let v = known.get(o);
    if (v === undefined) known.set(o, (v = find(o)));
    return v;
  };
  const find = (o: AbstractObject): Value | null => {
    if (o.kind === 'parameter') return args[o.index] ?? fresh(s, e.start);
    if (o.isWeak) return adoptObject(own, o).start;
    if (o.kind === 'load') {
      const from = resolve(o.from);
      return from?.kind === 'pointer' ? loadPlace(run, s, from, e.start) : fresh(s, e.start);
    }
    if (o.kind === 'computed') return computedOf(o.op, o.operands);
    if (o.kind === 'code') return codeIn(resolve(o.of.start));
    // Made or worked out inside: an object of this call.
    const made = ofCall(own, o, e.start);
    const info = summary.objects.get(o.id);
    if (info && !run.objects.has(made.id)) run.objects.set(made.id, info);
    if ('calls' in o && o.kind !== 'allocation') s.masks.delete(made);
    return made.start;
  };
  const computedOf = (op: string, operands: readonly Value[]): Value => {
    const values = operands.map((v) => (v.kind === 'pointer' ? resolve(v) : v));
    const isWhole = (list: readonly (Value | null)[]): list is readonly Value[] =>
      !list.includes(null);
    const made = isWhole(values) ? computed(own, op, values) : null;
    return made?.start ?? fresh(s, e.start);
  };
  const codeIn = (v: Value | null): Value => {
    if (v?.kind !== 'pointer') return fresh(s, e.start);
    const code = codeOf(own, v.object);
    s.masks.delete(code);
    return code.start;
  };
  return resolve;
}
