/** The step that makes memory of devres memory of the driver. */
import { isManaged } from '../../kernel/name-forms.ts';
import type { Edit, Span } from '../../text/span.ts';
import { indentUnit, lineEnding } from '../../text/style.ts';
import type { CallExpr, FileIr, FunctionIr, IfStmt, Stmt } from '../../ir/types.ts';
import { rootOf } from '../plan/allocation.ts';
import { commentsAbove, indentAt, lineStart, nextLine, wrapCall } from '../rewrite/layout.ts';
import { freshName, prefixOf } from '../query/names.ts';
import {
  allExpressions,
  expressionsIn,
  isMessage,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { refuse, textOf } from '../refusal-error.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { assignmentsOf, callSites, type CallSite } from '../query/call-sites.ts';
import { typeOf } from '../../lifecycle/module/types-of.ts';
import { dropAll, ownsLines, relabelled } from './drop.ts';
import type { Remark } from '../plan/remarks.ts';
import type { Step } from './types.ts';
import { append } from '../../text/lists.ts';

/** Allocators of devres whose memory is zeroed, and what stands in their place. */
const MANAGED: ReadonlyMap<string, string> = new Map([
  ['devm_kzalloc', 'kzalloc'],
  ['devm_kcalloc', 'kcalloc'],
]);

/** An init whose object devres has allocated. */
interface ManagedObject {
  readonly fn: FunctionIr;
  readonly variable: string;
  readonly tag: string;
  readonly at: Placed;
  readonly call: CallExpr;
}

/**
 * Memory of devres becomes memory of the driver, which an action of devres frees at the same point
 * of the unwinding: right behind the
 * allocation, so that all that was taken later goes before it, as before. The uninits go: from 6.1
 * on the last put does their work, and
 * nothing asks for the device set in between.
 */
export const replaceManagedAllocation: Step = (step) => {
  const { input, file } = step;
  const sites = callSites(input.module, file);
  const objects = sites
    .filter((site) => site.op === 'init')
    .flatMap((site) => managedObject(site) ?? []);
  const concerned = initsConcerning(step);
  const own = objects.filter((item) => concerned.some((site) => site.fn === item.fn));
  if (own.length === 0) return null;
  const { text } = file;
  const eol = lineEnding(text);
  const edits: Edit[] = [];
  const touched: string[] = [];
  const notes: Remark[] = [];
  const say = (text: string, span: Span): void =>
    void notes.push({ text, site: { path: file.path, ...span } });
  const gone = new Map<FunctionIr, Placed[]>();
  for (const tag of new Set(own.map((item) => item.tag))) {
    // What frees memory of devres is a mistake, which planConversion refuses in its own words.
    if (
      sites.some(
        (site) =>
          site.op === 'free' && tagOf(site) === tag && uncast(site.target).kind !== 'member',
      )
    )
      return null;
    const group = objects.filter((item) => item.tag === tag);
    const first = group[0]!;
    const ends = sites.filter((site) => site.op === 'uninit' && tagOf(site) === tag);
    const [end] = ends;
    const freed =
      end && ends.length === 1 && group.length === 1 ? endedByAction(file, first, end) : null;
    if (end && freed !== null) {
      edits.push(unmanaged(file, first), {
        span: { start: end.call.start, end: end.call.end },
        newText: `kfree(${freed})`,
      });
      touched.push(end.fn.name, first.fn.name);
      say(
        `${end.fn.name}(), which devres calls, puts struct ${tag} where it uninitialised the device.`,
        end.call,
      );
      continue;
    }
    const action = freshName(file, prefixOf(first.fn.name) ?? first.fn.name, [
      'put_device',
      'put_vfio_device',
      'devm_put_device',
    ]);
    edits.push(actionFunction(file, first, action, eol));
    for (const object of group) append(edits, objectEdits(file, object, action, eol));
    for (const site of sites) {
      if (site.op !== 'uninit' || tagOf(site) !== tag) continue;
      const at = droppable(site);
      checkUninit(file, site, at);
      gone.set(site.fn, [...(gone.get(site.fn) ?? []), at]);
    }
    append(touched, [action, ...group.map((item) => item.fn.name)]);
    say(
      `${action}() puts struct ${tag} where devres freed it: after everything that was allocated later.`,
      first.call,
    );
  }
  append(edits, [
    ...dropAll(file, gone),
    ...[...gone].flatMap(([fn, places]) =>
      relabelled(input.module, file, fn, places, /uninit|free/),
    ),
  ]);
  return {
    edits: [
      { path: file.path, edits: edits.map((edit) => ({ ...edit, kind: 'teardown' as const })) },
    ],
    notes,
    touched: [...touched, ...[...gone.keys()].map((fn) => fn.name)],
  };
};

function managedObject(site: CallSite): ManagedObject | null {
  const root = rootOf(site.scope, site.target);
  const type = root && typeOf(site.scope, root);
  const values = root ? assignmentsOf(site.fn, root.name) : [];
  const call = values.length === 1 ? uncast(values[0]!.value) : null;
  if (
    !root ||
    !type ||
    type.pointers !== 1 ||
    call?.kind !== 'call' ||
    !MANAGED.has(call.name ?? '') ||
    site.fn.opaque
  )
    return null;
  const { at } = values[0]!;
  return at.conditional || at.sole || (at.stmt.kind !== 'expr' && at.stmt.kind !== 'decl')
    ? null
    : { fn: site.fn, variable: root.name, tag: type.tag, at, call };
}

/** The struct that the object of a call is in. */
function tagOf(site: CallSite): string | undefined {
  const root = rootOf(site.scope, site.target);
  return (root ? typeOf(site.scope, root) : typeOf(site.scope, site.target))?.tag;
}

/**
 * The statement that goes with an uninit: an `if` that does nothing else, and whose condition only
 * looks, as a whole.
 */
function droppable({ at }: CallSite): Placed {
  const { sole, parent } = at;
  if (!sole || parent?.stmt.kind !== 'if' || parent.stmt.otherwise || parent.sole) return at;
  const acts = expressionsIn(parent.stmt.condition).some(
    (expr) => !['name', 'member', 'unary', 'binary', 'number'].includes(expr.kind),
  );
  return acts ? at : parent;
}

function checkUninit(file: FileIr, site: CallSite, at: Placed): void {
  const name = site.call.name ?? 'the uninit';
  if (!site.whole || at.sole || at.conditional) {
    refuse(
      'managed-allocation',
      `${name}() is not a statement of its own in ${site.fn.name}(), so it cannot be removed; the put of devres does its work. Make it one.`,
      file,
      site.at.stmt,
    );
  }
  const left = at.siblings.filter((stmt) => stmt !== at.stmt && stmt.kind !== 'decl');
  const before = at.siblings[at.index - 1];
  if (left.length === 0 || (before?.kind === 'label' && at.index === at.siblings.length - 1)) {
    refuse(
      'managed-allocation',
      `${site.fn.name}() would have no statement, because the put of devres does the work of ${name}(). First remove the function and its callers.`,
      file,
      site.at.stmt,
    );
  }
}

/**
 * The variable of an action of devres that does nothing but uninitialise the object, and is added
 * right behind the init: devres frees the
 * memory next, so that the put can stand in the action. Null when it is not so.
 */
function endedByAction(file: FileIr, object: ManagedObject, end: CallSite): string | null {
  const root = rootOf(end.scope, end.target);
  const alone = end.fn.body.body.every((stmt) => stmt === end.at.stmt || stmt.kind === 'decl');
  if (
    !root ||
    typeOf(end.scope, root)?.tag !== object.tag ||
    !end.whole ||
    !alone ||
    (file.text.match(new RegExp(`\\b${end.fn.name}\\b`, 'g')) ?? []).length !== 2
  )
    return null;
  const behind = object.at.siblings.slice(object.at.index + 1);
  const adds = (stmt: Stmt): boolean =>
    allExpressions(stmt).some(
      (expr) =>
        expr.kind === 'call' &&
        expr.name === 'devm_add_action_or_reset' &&
        expr.args.some((arg) => arg.kind === 'name' && arg.name === end.fn.name) &&
        expr.args.some((arg) => arg.kind === 'name' && arg.name === object.variable),
    );
  const index = behind.findIndex(adds);
  // Nothing may leave, and devres may be given nothing, between the test of the allocation and the
  // action.
  const between = behind.slice(1, index);
  const quiet = between.every(
    (stmt) =>
      (stmt.kind === 'expr' || stmt.kind === 'decl') &&
      allExpressions(stmt).every((expr) => expr.kind !== 'call' || !isManaged(expr.name ?? '')),
  );
  return index > 0 && behind[0]?.kind === 'if' && quiet ? root.name : null;
}

/** kzalloc in place of devm_kzalloc. */
function unmanaged(file: FileIr, { call }: ManagedObject): Edit {
  const second =
    call.args[1] ??
    refuse(
      'managed-allocation',
      `${call.name ?? 'The allocator'}() does not take these arguments in any kernel.`,
      file,
      call,
    );
  return {
    span: { start: call.start, end: second.start },
    newText: `${MANAGED.get(call.name ?? '')!}(`,
  };
}

/** The action, above the function that allocates. */
function actionFunction(file: FileIr, object: ManagedObject, action: string, eol: string): Edit {
  const { text } = file;
  const start = lineStart(text, object.fn.start);
  const at = lineStart(text, commentsAbove(text, file.comments, start)[0]?.start ?? start);
  const unit = indentUnit(text);
  const lines = [
    `static void ${action}(void *data)`,
    '{',
    `${unit}struct ${object.tag} *${object.variable} = data;`,
    '',
    `${unit}kfree(${object.variable});`,
    '}',
    '',
    '',
  ];
  return { span: { start: at, end: at }, newText: lines.join(eol) };
}

/** kzalloc in place of devm_kzalloc, and the action behind the test of its result. */
function objectEdits(file: FileIr, object: ManagedObject, action: string, eol: string): Edit[] {
  const { text } = file;
  const { at, call, fn, variable } = object;
  const [dev, size] = call.args;
  if (!dev || !size)
    refuse(
      'managed-allocation',
      `${call.name ?? 'The allocator'}() does not take these arguments in any kernel.`,
      file,
      call,
    );
  let index = at.index + 1;
  if (at.stmt.kind === 'decl') while (at.siblings[index]?.kind === 'decl') index++;
  const check = at.siblings[index];
  const last = check?.kind === 'if' ? lastOf(check.then) : undefined;
  const declared = at.stmt.kind === 'decl' ? at.stmt.statement : at.stmt;
  if (
    check &&
    !(
      ownsLines(text, check) &&
      ownsLines(text, declared) &&
      ownsLines(text, { start: fn.start, end: fn.body.start + 1 })
    )
  ) {
    refuse(
      'unsuitable-allocation',
      `The allocation of \`${variable}\` or its test shares a line with other code in ${fn.name}(). Give each statement a line of its own first.`,
      file,
      check,
    );
  }
  if (
    check?.kind !== 'if' ||
    check.otherwise ||
    (last?.kind !== 'return' && last?.kind !== 'goto')
  ) {
    refuse(
      'unchecked-allocation',
      `The result of the allocation is not tested in the statement after it with a branch that returns. Test \`!${variable}\` there first.`,
      file,
      check ?? at.stmt,
    );
  }
  const edits: Edit[] = [unmanaged(file, object)];
  const result = resultOf(fn, check, last);
  if (result.declare) {
    const declarations = fn.body.body.filter((stmt) => stmt.kind === 'decl');
    const after = declarations.at(-1);
    const place =
      after?.kind === 'decl' ? nextLine(text, after.statement.end) : nextLine(text, fn.body.start);
    edits.push({
      span: { start: place, end: place },
      newText: `${indentUnit(text)}int ${result.name};${eol}${after ? '' : eol}`,
    });
  }
  const indent = indentAt(text, check.start);
  const unit = indentUnit(text);
  const returned = fn.returnType.pointers > 0 ? `ERR_PTR(${result.name})` : result.name;
  const leave = last.kind === 'goto' ? `goto ${last.label};` : `return ${returned};`;
  const head = `${result.name} = devm_add_action_or_reset`;
  // What was taken before the allocation is given back on this way out as on the other; a message
  // about memory is not repeated.
  const undo = (check.then.kind === 'block' ? check.then.body.slice(0, -1) : []).filter(
    (stmt) => !isAssignmentTo(stmt, result.name) && !isMessage(stmt),
  );
  const branch = [...undo.map((stmt) => text.slice(stmt.start, stmt.end)), leave];
  const [open, close] = branch.length > 1 ? [' {', `${eol}${indent}}`] : ['', ''];
  const statement = wrapCall(
    head,
    [textOf(file, dev), action, variable],
    ';',
    indent.startsWith('\t') ? indent.length * 8 : indent.length,
    indent,
    eol,
  );
  const place = nextLine(text, check.end);
  edits.push({
    span: { start: place, end: place },
    newText: `${eol}${indent}${statement}${eol}${indent}if (${result.name})${open}${branch.map((line) => `${eol}${indent}${unit}${line}`).join('')}${close}${eol}`,
  });
  return edits;
}

function isAssignmentTo(stmt: Stmt, name: string): boolean {
  return (
    stmt.kind === 'expr' &&
    stmt.expr.kind === 'assign' &&
    stmt.expr.target.kind === 'name' &&
    stmt.expr.target.name === name
  );
}

function lastOf(stmt: Stmt): Stmt | undefined {
  return stmt.kind === 'block' ? stmt.body[stmt.body.length - 1] : stmt;
}

/**
 * The variable for the result of devm_add_action_or_reset: the one that the function returns, else
 * one that has to be declared.
 */
function resultOf(
  fn: FunctionIr,
  check: IfStmt,
  last: Stmt,
): { readonly name: string; readonly declare: boolean } {
  const integers = fn.body.body.flatMap((stmt) =>
    stmt.kind === 'decl' &&
    stmt.type.pointers === 0 &&
    stmt.type.arrays === 0 &&
    ['int', 'long', 'ssize_t'].includes(stmt.type.name) &&
    !stmt.isStatic
      ? [stmt.name]
      : [],
  );
  const inBranch =
    check.then.kind === 'block'
      ? check.then.body
          .flatMap(allExpressions)
          .flatMap((expr) =>
            expr.kind === 'assign' && expr.target.kind === 'name' ? [expr.target.name] : [],
          )
      : [];
  const behind = last.kind === 'goto' ? labelStart(fn, last.label) : 0;
  const returned = statementsOf(fn).flatMap(({ stmt }) => {
    if (stmt.kind !== 'return' || !stmt.value || stmt.start < behind) return [];
    const value = uncast(stmt.value);
    const inner =
      value.kind === 'call' && value.name === 'ERR_PTR' && value.args[0]
        ? uncast(value.args[0])
        : value;
    return inner.kind === 'name' ? [inner.name] : [];
  });
  // What has a value before the allocation may be needed behind it: a number that was taken, and
  // that is returned where taking it fails.
  const free = returned.filter(
    (one) => !assignmentsOf(fn, one).some(({ at }) => at.stmt.start < check.start),
  );
  const name = [...inBranch, 'ret', 'err', 'rc', 'error', ...free].find((one) =>
    integers.includes(one),
  );
  if (name !== undefined) return { name, declare: false };
  return {
    name:
      ['ret', 'err', 'result'].find((one) => !new RegExp(`\\b${one}\\b`).test(fn.text)) ??
      'ret_action',
    declare: true,
  };
}

function labelStart(fn: FunctionIr, label: string): number {
  return (
    statementsOf(fn).find(({ stmt }) => stmt.kind === 'label' && stmt.name === label)?.stmt.start ??
    0
  );
}
