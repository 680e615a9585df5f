/** The result of `vfio_alloc_device()` is compared with NULL, but it is never NULL. */
import type { Edit } from '../text/span.ts';
import type { Expr, IfStmt, Stmt } from '../ir/types.ts';
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { ModuleFacts, TestObservation } from '../lifecycle/types.ts';
import { testedArgument } from '../kernel/lookup.ts';
import { nameOf } from './device.ts';
import { nullSource } from './null-results.ts';
import { ancestry, contains, documentOf, isNull, type IrNode } from './locate.ts';
import { findingFor } from './report.ts';
import { handOnError } from './fixes/error-value.ts';
import { replace } from './fixes/text.ts';
import { nullCheckOnAllocExamples } from './null-check-on-alloc.examples.ts';
import { append } from '../text/lists.ts';
import { say } from './wording.ts';

const messages = {
  missesFailure:
    'vfio_alloc_device() never returns NULL: this test of {device} misses the error; use IS_ERR()',
  nullToo: 'vfio_alloc_device() never returns NULL; test {device} with IS_ERR() alone',
} as const;

export const nullCheckOnAlloc: Rule = {
  id: 'null-check-on-alloc',
  severity: 'error',
  kernels: { since: [6, 1] },
  fixable: 'safe',
  docs: {
    what: 'The result of `vfio_alloc_device()` is compared with NULL, but it is never NULL.',
    why: '`vfio_alloc_device()` returns an error pointer when it fails, never NULL. The test is never true: after a failure the driver continues with the error pointer and oopses. Such a test often remains when a `kzalloc()` is replaced.',
    instead:
      'Test with `IS_ERR()` and return `PTR_ERR()`, which also returns the error of `.init`. The fix replaces `-ENOMEM` by `PTR_ERR()`, and sets the variable that the failing path returns if the branch does not. `IS_ERR_OR_NULL()` works but misleads the reader: it is reported as information.',
    knownProblems:
      'If an `#if` makes one test serve both an allocation by the driver and `vfio_alloc_device()`, no fix is offered. If the failing path may return no error, you have to review the fix.',
    references: ['v6.1 cb9ff3f3b84c adds vfio_alloc_device, which returns ERR_PTR and never NULL'],
  },
  examples: nullCheckOnAllocExamples,
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  return facts.observations.flatMap((one): Finding[] => {
    if (one.kind !== 'test' || one.form === 'is-err' || one.before.checked) return [];
    if (one.device.originKind !== 'allocation' && one.device.originKind !== 'return') return [];
    // What remove finds NULL was never set: that is no test of the allocation.
    if (one.role === 'remove') return [];
    if (one.before.model !== 'new' && one.before.memory !== 'error-pointer') return [];
    // A helper that returns NULL on purpose, or by a mistake of its own that is reported there: its
    // caller is right to ask.
    if (nullSource(facts, one) !== null) return [];
    const both = one.form === 'is-err-or-null';
    const test = testAt(one);
    return [
      findingFor({
        rule: nullCheckOnAlloc.id,
        severity: both ? 'information' : 'error',
        observation: one,
        ...(test ? { site: { path: one.site.path, start: test.start, end: test.end } } : {}),
        message: say(both ? messages.nullToo : messages.missesFailure, { device: nameOf(one) }),
        fix: fixFor(facts, one),
      }),
    ];
  });
}

function fixFor(facts: ModuleFacts, one: TestObservation): Fix | null {
  const file = documentOf(facts.module, one.function);
  if (file === null || servesTwoAllocations(one)) return null;
  const around = ancestry(one.function.body, one.site);
  const test = testAt(one);
  if (test === null) return null;
  const edits: Edit[] = [];
  let goesOn = false;
  if (test.kind === 'call') edits.push(replace(test.callee, 'IS_ERR'));
  else {
    const comparison = testedBy(test);
    if (comparison === null) return null;
    const { tested, negated } = comparison;
    const name = file.text.slice(tested.start, tested.end);
    edits.push(replace(test, `${negated ? '' : '!'}IS_ERR(${name})`));
    const branch = around.findLast(
      (node): node is IfStmt => node.kind === 'if' && contains(node.condition, test),
    );
    goesOn = branch !== undefined && negated && !branch.otherwise && !leaves(branch.then);
    if (branch && negated && branch.condition === outermost(around, test))
      append(edits, handOnError(file.text, one.function, branch.then, name));
  }
  return {
    title: 'Test with IS_ERR()',
    safety: goesOn ? 'unsafe' : 'safe',
    edits: [{ path: file.path, edits }],
  };
}

/** Where an arm does not end with a jump, the error pointer is used after it. */
function leaves(arm: Stmt): boolean {
  const last = arm.kind === 'block' ? arm.body.at(-1) : arm;
  return last !== undefined && /^(?:return|goto|break|continue)$/.test(last.kind);
}

/**
 * The comparison around the tested pointer, or the pointer itself where it stands alone in a
 * condition.
 */
function testAt(one: TestObservation): IrNode | null {
  const around = ancestry(one.function.body, one.site);
  const isTest =
    one.form === 'null'
      ? isNullTest
      : (node: IrNode) => node.kind === 'call' && node.name === 'IS_ERR_OR_NULL';
  return around.findLast(isTest) ?? (one.form === 'null' ? (around.at(-1) ?? null) : null);
}

/** The condition that a test decides: likely(x), unlikely(x), WARN_ON(x) hold where x does. */
function outermost(around: readonly IrNode[], test: IrNode): IrNode {
  let at = around.indexOf(test);
  for (
    let parent = around[at - 1];
    parent?.kind === 'call' && testedArgument(parent.name ?? '') !== undefined;
    parent = around[at - 1]
  )
    at--;
  return around[at]!;
}

function isNullTest(node: IrNode): boolean {
  return (
    (node.kind === 'unary' && node.op === '!' && isPlain(node.operand)) ||
    (node.kind === 'binary' && /^[!=]=$/.test(node.op) && (isNull(node.left) || isNull(node.right)))
  );
}

/** What a comparison with NULL compares, and whether it holds for NULL. */
function testedBy(test: IrNode): { readonly tested: Expr; readonly negated: boolean } | null {
  if (test.kind === 'unary') return { tested: test.operand, negated: true };
  if (test.kind === 'binary')
    return { tested: isNull(test.left) ? test.right : test.left, negated: test.op === '==' };
  return test.kind === 'name' || test.kind === 'member' ? { tested: test, negated: false } : null;
}

function isPlain(expr: Expr): boolean {
  return expr.kind === 'name' || expr.kind === 'member';
}

/**
 * Whether the allocation is in an #if arm that the test is not in: the other arm has another
 * allocation.
 */
function servesTwoAllocations(one: TestObservation): boolean {
  return ancestry(one.function.body, one.device.origin).some(
    (node) => node.kind === 'preproc' && !contains(node, one.site),
  );
}
