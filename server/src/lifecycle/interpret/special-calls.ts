/**
 * Names that the analysis understands as the language does: from member to container, tests of error
 * pointers, exchanges, what the compiler works out.
 */
import { identityOf } from '../../ir/node-identity.ts';
import type { CallExpr, Expr } from '../../ir/types.ts';
import { type Meaning, meaningOf } from '../../kernel/macros.ts';
import { type AccessStep, containerOf } from '../domain/access-path.ts';
import { type Place, codeOf, literal } from '../domain/objects.ts';
import { type PathState, assume, fork, maskOf } from '../domain/path-state.ts';
import { NEGATIVE, NULL, POSITIVE, type Value, ZERO, int } from '../domain/values.ts';
import { decide } from './branch-conditions.ts';
import { evaluateArguments } from './calls.ts';
import { test } from './device-operations.ts';
import {
  type Evaluated,
  evaluate,
  fresh,
  known,
  loadPlace,
  places,
  storePlace,
  truthOf,
} from './evaluate.ts';
import { type Run, sourceText } from './run.ts';

type Special = (run: Run, state: PathState, call: CallExpr) => Evaluated[];

const memberToContainer: Special = (run, next, call) => {
  const [from, , member] = call.args;
  const steps = member && designated(member);
  if (!from || !steps) return [{ state: next, value: fresh(next, identityOf(call)) }];
  return evaluate(run, next, from).map(({ state: after, value: operand }) => ({
    state: after,
    value:
      operand.kind === 'pointer' ? containerOf(operand, steps) : fresh(after, identityOf(call)),
  }));
};

/** The steps that a member designator names: `core_device.vdev`. Null for what is none. */
export function designated(expr: Expr): readonly AccessStep[] | null {
  if (expr.kind === 'name') return [{ kind: 'field', name: expr.name }];
  if (expr.kind === 'cast') return designated(expr.operand);
  if (expr.kind !== 'member' && expr.kind !== 'index') return null;
  const base = designated(expr.base);
  return (
    base && [
      ...base,
      expr.kind === 'member' ? { kind: 'field', name: expr.field } : { kind: 'element' },
    ]
  );
}

const errorCode: Special = (run, next, call) =>
  call.args[0]
    ? evaluate(run, next, call.args[0]).map(({ state: after, value: operand }) => ({
        state: after,
        value:
          operand.kind === 'pointer' && operand.parent === null ? codeIn(after, operand) : operand,
      }))
    : [{ state: next, value: NULL }];

const errorOrZero: Special = (run, next, call) =>
  call.args[0]
    ? evaluate(run, next, call.args[0]).flatMap(({ state: after, value: operand }) => {
        if (operand.kind === 'pointer') test(run, after, operand.object, call, call, 'is-err');
        const failed = fork(after),
          out: Evaluated[] = [];
        if (assume(failed, operand, NEGATIVE))
          out.push({
            state: failed,
            value: operand.kind === 'pointer' ? codeIn(failed, operand) : operand,
          });
        if (assume(after, operand, POSITIVE | ZERO)) out.push({ state: after, value: int(0) });
        return out;
      })
    : [{ state: next, value: NULL }];

/** A test whose result is a value. Half a call, `IS_ERR()`, tests nothing. */
const pointerTest: Special = (run, state, call) =>
  call.args[0] ? truthOf(run, state, call) : [{ state, value: fresh(state, identityOf(call)) }];

const errorPointer: Special = (run, state, call) =>
  call.args[0] ? evaluate(run, state, call.args[0]) : [{ state, value: NULL }];

/** BUG_ON(x): execution goes on only where x is false. */
const assertion: Special = (run, state, call) =>
  call.args[0]
    ? decide(run, state, call.args[0]).no.map((next) => ({ state: next, value: NULL }))
    : [{ state, value: NULL }];

/** The errno in an error pointer: negative exactly when the pointer is one. */
function codeIn(state: PathState, place: Place): Value {
  return known(state, codeOf(state.interner, place.object), maskOf(state, place));
}

/** `xchg(&p->m, value)`: what was there, and the value is. */
const exchange: Special = (run, state, call) =>
  evaluateArguments(run, state, call.args).map(({ state: after, values }) => {
    const [place, value] = values;
    if (place?.kind !== 'pointer' || !value)
      return { state: after, value: fresh(after, identityOf(call)) };
    const before = loadPlace(run, after, place, call.start);
    storePlace(run, after, place, value);
    return { state: after, value: before };
  });

/**
 * `WRITE_ONCE(p->m, value)`, and for RCU with a barrier: who writes like that knows of readers, and
 * to write NULL keeps new ones out.
 */
const assigns: Special = (run, state, call) => {
  const [target, value] = call.args;
  if (!target || !value) return [{ state, value: fresh(state, identityOf(call)) }];
  return evaluate(run, state, value).flatMap(({ state: after, value: operand }) =>
    places(run, after, target, 'write').map(({ state: branch, place }) => {
      storePlace(run, branch, place, operand);
      return { state: branch, value: operand };
    }),
  );
};

const takePointer: Special = (run, next, call) =>
  call.args[0]
    ? evaluate(run, next, call.args[0]).map(({ state: after, value: operand }) => {
        if (call.args[0]?.kind === 'name') after.env.set(call.args[0].name, NULL); // no_free_ptr(p) leaves NULL for the cleanup
        return { state: after, value: operand };
      })
    : [{ state: next, value: NULL }];

const bit: Special = (run, next, call) =>
  call.args[0]
    ? evaluate(run, next, call.args[0]).map(({ state: after, value: operand }) => ({
        state: after,
        value:
          operand.kind === 'int' && operand.value >= 0 && operand.value < 31
            ? int(2 ** operand.value)
            : known(after, literal(after.interner, sourceText(run, call).slice(0, 80)), POSITIVE),
      }))
    : [{ state: next, value: NULL }];

const compileTime: Special = (_, state, call) => [
  {
    state,
    value: known(
      state,
      literal(state.interner, `${call.name} ${identityOf(call)}`),
      POSITIVE | ZERO,
    ),
  },
];

/** A test of the configuration in an expression, where the build tells what it is. */
const configured: Special = (run, state, call) => {
  const truth = run.index.truthOf(sourceText(run, call));
  if (truth === 'unknown') return compileTime(run, state, call);
  return [{ state, value: truth === 'true' ? int(1) : NULL }];
};

const BY_MEANING: Readonly<Record<Meaning, Special>> = {
  container: memberToContainer,
  truth: pointerTest,
  'error-code': errorCode,
  'error-or-zero': errorOrZero,
  'error-pointer': errorPointer,
  assertion,
  exchange,
  assignment: assigns,
  'taken-pointer': takePointer,
  bit,
  constant: compileTime,
  configuration: configured,
};

/** How a call is evaluated whose meaning the kernel's tables tell; undefined for any other. */
export function specialCall(name: string): Special | undefined {
  const meaning = meaningOf(name);
  return meaning && BY_MEANING[meaning];
}
