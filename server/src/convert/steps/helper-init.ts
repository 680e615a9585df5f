/** The step that moves an init from a helper to its callers. */
import { overwritesMemory } from '../../kernel/name-forms.ts';
import { lineEnding } from '../../text/style.ts';
import type { Expr, FileIr, LabelStmt, ReturnStmt, Stmt } from '../../ir/types.ts';
import { compareVersions } from '../../kernel/version.ts';
import type { Module } from '../../lifecycle/types.ts';
import { rootOf } from '../plan/allocation.ts';
import { hiddenJumps } from '../query/hidden-jumps.ts';
import { commentsAbove, indentAt, lineStart } from '../rewrite/layout.ts';
import {
  allExpressions,
  namesUnder,
  statementsOf,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { lineIn, refuse, textOf } from '../refusal-error.ts';
import { carryOut, simplified } from '../modules/carry.ts';
import { initsConcerning } from '../modules/concerned.ts';
import {
  callsOf,
  exportsOf,
  mentionsOf,
  prototypesOf,
  type Helper,
  type HelperCall,
} from '../modules/helpers.ts';
import { rewriting, type Rewriting } from '../modules/rewriting.ts';
import { declareTable, tablesIn } from '../modules/tables.ts';
import { callSites, type CallSite } from '../query/call-sites.ts';
import { baseName } from '../../lifecycle/module/types-of.ts';
import { unusedIn } from '../rewrite/unused.ts';
import { isPure } from './pure.ts';
import type { Step, StepResult } from './types.ts';

/**
 * Moves the init of a device from the helper that is given the object (`foo_probe_common(p, dev)`)
 * to those who call the helper, in
 * whatever file of the module they are, because they allocate what vfio_alloc_device is to allocate
 * and initialise at once.
 */
export const helperInit: Step = (step) => {
  if (compareVersions(step.input.kernel, [6, 1]) < 0) return null;
  const { module } = step.input;
  for (const site of initsConcerning(step)) {
    const root = rootOf(site.scope, site.target);
    if (
      !root ||
      !site.fn.params.some((param) => param.name === root.name) ||
      site.call.args.length !== 3 ||
      site.fn.opaque
    )
      continue;
    const helper: Helper = { file: site.scope.file, fn: site.fn };
    const calls = callsOf(module, helper);
    if (!calls || calls.length === 0 || calls.some((one) => one.scope.fn === site.fn)) continue;
    return moveOut(module, helper, site, root.name, calls, null);
  }
  return null;
};

/**
 * The step for one helper, whose calls are all known.
 * @param to a new name for a helper that is exported: a caller that was not found would not build
 * any more, rather than go without an init.
 */
export function moveOut(
  module: Module,
  helper: Helper,
  site: CallSite,
  root: string,
  calls: readonly HelperCall[],
  to: string | null,
): StepResult {
  const { file, fn } = helper;
  const name = site.call.name ?? 'the init';
  if (!site.whole || site.at.parent !== null || site.at.conditional) {
    refuse(
      'helper-initialises',
      `${fn.name}() initialises a device that ${whereOf(helper, calls[0]!)} allocates, and ${name}() is not a plain statement of it that always runs. Move it next to the allocation first.`,
      file,
      site.call,
    );
  }
  proveEntry(helper, site, root, calls[0]!);
  const out = rewriting();
  const empty = fn.body.body.length === 1;
  out.remove(file, site.at.stmt);
  dropUninits(module, helper, root, out);
  for (const call of calls) moveTo(module, helper, site, call, empty, out);
  if (to !== null && !empty) rename(module, helper, calls, to, out);
  if (empty) removeHelper(module, helper, out);
  else {
    const unused = unusedIn(file, [fn], () => '', out.edits(file), out.removals(file));
    out.drop(file, unused.removals);
  }
  const names = [...new Set(calls.map((call) => `${call.scope.fn.name}()`))].sort();
  const does = `the allocation in ${names.join(' and ')} does`;
  const keptText =
    to === null
      ? `${fn.name}() no longer initialises the device: ${does}.`
      : `${fn.name}() is now ${to}() and no longer initialises the device: ${does}. Drivers that are not converted here do not build until they do so too.`;
  return {
    edits: out.done(),
    notes: [
      {
        text: empty ? `${fn.name}() was removed: vfio_alloc_device() does its work.` : keptText,
        site: empty ? undefined : { path: file.path, ...fn.nameSpan },
      },
    ],
    touched: [to ?? fn.name, ...calls.map((call) => call.scope.fn.name)],
    ...(to !== null && {
      documents: [
        ...new Set(
          calls
            .map((call) => call.scope.file)
            .filter((one) => one !== file)
            .map((one) => one.path),
        ),
      ],
    }),
  };
}

/**
 * The new name in the definition, where it is exported and declared, in the comment above, and in
 * the calls.
 */
function rename(
  module: Module,
  helper: Helper,
  calls: readonly HelperCall[],
  to: string,
  out: Rewriting,
): void {
  const { file, fn } = helper;
  out.edit(file, 'signature', { span: fn.nameSpan, newText: to });
  for (const { file: header, item } of prototypesOf(module, helper))
    out.edit(header, 'signature', { span: item.nameSpan, newText: to });
  for (const { file: where, span } of mentionsOf(module, helper))
    out.edit(where, 'signature', { span, newText: to });
  for (const { scope, call } of calls)
    out.edit(scope.file, 'signature', { span: call.callee, newText: to });
}

/** What the helper does before its init must be right on a device that is initialised already. */
function proveEntry({ file, fn }: Helper, site: CallSite, root: string, call: HelperCall): void {
  for (const stmt of fn.body.body.slice(0, site.at.index)) {
    if (stmt.kind === 'decl' || stmt.kind === 'expr' || stmt.kind === 'if') {
      const wipes = statementsOf(fn)
        .filter((at) => at.stmt.start >= stmt.start && at.stmt.end <= stmt.end)
        .flatMap((at) => allExpressions(at.stmt))
        .find(
          (expr) =>
            expr.kind === 'call' &&
            overwritesMemory(expr.name ?? '') &&
            expr.args[0] !== undefined &&
            namesOf(expr.args[0]).includes(root),
        );
      if (!wipes) continue;
      refuse(
        'helper-initialises',
        `\`${textOf(file, wipes)}\` in ${fn.name}() clears the device before its init; once ${call.scope.fn.name}() initialises it with the allocation, it would clear it again. Remove it: the memory is zeroed.`,
        file,
        wipes,
      );
    }
    refuse(
      'helper-initialises',
      `${fn.name}() initialises a device that ${call.scope.fn.name}() allocates, but not on all its paths: line ${lineIn(file, stmt.start)} comes before. Move the init to the start of ${fn.name}() first.`,
      file,
      stmt,
    );
  }
}

function namesOf(expr: Expr): string[] {
  return namesUnder({ kind: 'expr', expr, start: expr.start, end: expr.end });
}

/**
 * The uninits of the helper's own failures go with its init: who allocates frees, and the put that
 * becomes of that uninitialises.
 */
export function dropUninits(
  module: Module,
  { file, fn }: Helper,
  root: string,
  out: Rewriting,
): void {
  const uninits = callSites(module, file).filter(
    (site) =>
      site.fn === fn && site.op === 'uninit' && rootOf(site.scope, site.target)?.name === root,
  );
  const gone = new Set<Stmt>(uninits.map((site) => site.at.stmt));
  for (const { at: own, whole, call } of uninits) {
    const at = branchOf(file, own);
    gone.add(at.stmt);
    if (!whole || at.sole || at.conditional || at.siblings.every((stmt) => gone.has(stmt))) {
      refuse(
        'unsuitable-statement',
        `${call.name ?? 'the uninit'}() in ${fn.name}() cannot be removed: it is the only statement of its branch, or part of another expression. First give its branch another statement.`,
        file,
        own.stmt,
      );
    }
    out.remove(file, at.stmt);
    shortenGotos(module, { file, fn }, at, gone, out);
  }
}

/**
 * The `if` that a statement is all of, when its condition only looks; else the statement itself.
 */
function branchOf(file: FileIr, at: Placed): Placed {
  const outer = at.parent;
  if (outer?.stmt.kind !== 'if' || outer.stmt.otherwise || !isPure(file, outer.stmt.condition))
    return at;
  return at.sole || at.siblings.length === 1 ? branchOf(file, outer) : at;
}

/**
 * A label that leads to nothing but `return ret;` any more: its gotos return themselves, and its
 * line goes.
 */
function shortenGotos(
  module: Module,
  { file, fn }: Helper,
  at: Placed,
  gone: ReadonlySet<Stmt>,
  out: Rewriting,
): void {
  const label = at.siblings[at.index - 1];
  const next = at.siblings.slice(at.index + 1).find((stmt) => !gone.has(stmt));
  if (
    label?.kind !== 'label' ||
    next?.kind !== 'return' ||
    (next.value && next.value.kind !== 'name')
  )
    return;
  const places = statementsOf(fn);
  if (hiddenJumps(module, file, fn).pinned.has(label.name)) return;
  if (
    places.some(({ stmt }) => stmt.kind === 'unknown' || stmt.kind === 'asm') ||
    file.comments.some((comment) => comment.start >= label.end && comment.end <= at.stmt.start)
  )
    return;
  replaceGotos(file, places, label, next, out);
}

function replaceGotos(
  file: FileIr,
  places: readonly Placed[],
  label: LabelStmt,
  to: ReturnStmt,
  out: Rewriting,
): void {
  for (const { stmt } of places) {
    if (stmt.kind === 'goto' && stmt.label === label.name)
      out.edit(file, 'teardown', { span: stmt, newText: textOf(file, to) });
  }
  out.remove(file, label);
}

/**
 * Writes the init in front of the call of the helper, or in its place when that is all that the
 * helper did.
 */
function moveTo(
  module: Module,
  helper: Helper,
  site: CallSite,
  call: HelperCall,
  instead: boolean,
  out: Rewriting,
): void {
  const {
    scope: { file, fn },
    at,
  } = call;
  const where = whereOf(helper, call);
  checkCall(helper, call, instead, where);
  const text = (expr: Expr, what: string): string =>
    simplified(
      carryOut(site.scope, expr, call, site.at.stmt.start) ??
        refuse(
          'argument-not-available',
          `The ${what} \`${textOf(helper.file, expr).replace(/\s+/g, ' ')}\` that ${helper.fn.name}() initialises with is not known in ${where}, which allocates. Pass it as an argument, or move the init next to the allocation.`,
          helper.file,
          expr,
        ),
    );
  const [device, parent, ops] = site.call.args as readonly [Expr, Expr, Expr];
  for (const name of tablesIn(helper.file, ops))
    declareTable(module, out, { name, from: helper.file, at: ops, helper }, file, fn);
  const init = `${site.call.name}(${text(device, 'device')}, ${text(parent, 'parent device')}, ${text(ops, 'ops table')});`;
  if (instead) {
    out.edit(file, 'allocation', { span: at.stmt, newText: init });
    return;
  }
  // Above the comment on the call, which stays with it.
  const line = lineStart(file.text, at.stmt.start);
  const place = lineStart(
    file.text,
    commentsAbove(file.text, file.comments, line)[0]?.start ?? line,
  );
  out.edit(file, 'allocation', {
    span: { start: place, end: place },
    newText: `${indentAt(file.text, at.stmt.start)}${init}${lineEnding(file.text)}`,
  });
}

function whereOf(helper: Helper, { scope: { file, fn } }: HelperCall): string {
  return file === helper.file ? `${fn.name}()` : `${fn.name}() in ${baseName(file.path)}`;
}

function checkCall(
  helper: Helper,
  { scope, at, call }: HelperCall,
  instead: boolean,
  where: string,
): void {
  const own = allExpressions(at.stmt);
  const branches = own.some(
    (expr) =>
      expr.kind === 'conditional' ||
      (expr.kind === 'binary' && (expr.op === '&&' || expr.op === '||')),
  );
  const plainCall = at.stmt.kind === 'expr' && at.stmt.expr === call;
  const alone =
    indentAt(scope.file.text, at.stmt.start) ===
    scope.file.text.slice(lineStart(scope.file.text, at.stmt.start), at.stmt.start);
  if (
    !at.sole &&
    !at.conditional &&
    !branches &&
    alone &&
    ['expr', 'if', 'return'].includes(at.stmt.kind) &&
    (!instead || plainCall)
  )
    return;
  refuse(
    'helper-initialises',
    `${helper.fn.name}() initialises a device that ${where} allocates, and its call at line ${lineIn(scope.file, call.start)} is not a statement before which the init can be put. Write \`ret = ${helper.fn.name}(…);\` on a line of its own first.`,
    scope.file,
    call,
  );
}

/** A helper without anything left to do, and its declarations. */
function removeHelper(module: Module, helper: Helper, out: Rewriting): void {
  const { file, fn } = helper;
  out.removeWhole(file, fn);
  for (const { file: where, item } of exportsOf(module, helper)) out.remove(where, item);
  for (const { file: header, item } of prototypesOf(module, helper)) out.removeWhole(header, item);
}
