/** Makes an `.init` of a function of a library, and a `.release` of its counterpart. */
import type { Expr } from '../../ir/types.ts';
import { compareVersions } from '../../kernel/version.ts';
import type { Module } from '../../lifecycle/types.ts';
import { rootOf } from '../plan/allocation.ts';
import { plain, tablesOf } from '../plan/arguments.ts';
import { namesIn, uncast } from '../../lifecycle/module/statements.ts';
import { lineIn, refuse, textOf } from '../refusal-error.ts';
import { carryOut, simplified } from '../modules/carry.ts';
import { callsOf, isExported, prototypesOf, type HelperCall } from '../modules/helpers.ts';
import { rewriting, type Rewriting } from '../modules/rewriting.ts';
import { callSites } from '../query/call-sites.ts';
import { baseName, memberPath, typeOf } from '../../lifecycle/module/types-of.ts';
import { unusedIn } from '../rewrite/unused.ts';
import type { Callbacks } from '../types.ts';
import {
  dropTest,
  proveGap,
  proveResult,
  proveReturns,
  type Give,
  type Result,
} from './library-result.ts';
import {
  namesFor,
  rewriteInit,
  rewriteUndo,
  type Library,
  type LibraryFunction,
} from './library-rewrite.ts';
import type { StepInput, StepResult } from './types.ts';
import { append } from '../../text/lists.ts';

/** The counterpart of a function of the library, and its calls. */
interface Undo {
  readonly undo: LibraryFunction;
  readonly calls: readonly HelperCall[];
}

/** The function returns an error code. */
function returnsErrno({ fn }: LibraryFunction): boolean {
  return fn.returnType.name === 'int' && fn.returnType.pointers === 0;
}

/**
 * The function as an `.init`, and what undoes it as a `.release`; refuses where somebody could see
 * a difference.
 */
export function toCallback(
  { input: { module, kernel } }: StepInput,
  { init, calls }: Library,
): StepResult {
  const { fn, file } = init;
  const name = `${fn.name}()`;
  const give: Give = (why, where, at) =>
    refuse(
      'library',
      `${name} initialises devices for drivers in other modules, and cannot become an \`.init\`: ${why}`,
      where,
      at,
    );
  proveSuitable(module, init, give);
  const found = proveUndo(module, init, give);
  const undo = found?.undo ?? null;
  if (returnsErrno(init)) proveReturns(file, fn, init.site, give);
  provePrototypes(module, undo ? [init, undo] : [init], give);
  const names = namesFor(module, init, undo);
  const out = rewriting();
  rewriteInit(module, init, names, out, give);
  if (undo) rewriteUndo(module, undo, names, compareVersions(kernel, [6, 2]) < 0, out, give);
  const callbacks = new Map<string, Callbacks>();
  const messages: string[] = [];
  for (const call of calls) {
    append(messages, rewriteCaller(module, init, call, undo, out, give));
    for (const table of tablesAt(init, call))
      callbacks.set(table, { init: names.init, release: undo ? names.release : null });
  }
  for (const call of found?.calls ?? []) rewriteUndoCall(found!.undo, call, out, give);
  return {
    edits: out.done(),
    notes: [
      {
        text: `${name} is now ${names.init}(), an .init callback${undo ? `, and ${undo.fn.name}() is ${names.release}(), a .release callback` : ''}: drivers that are not converted here do not build until they name them in their ops tables.`,
        site: { path: file.path, ...fn.nameSpan },
      },
      ...messages,
    ],
    touched: [
      names.init,
      ...(undo ? [names.release] : []),
      ...calls.map((call) => call.scope.fn.name),
    ],
    callbacks,
    documents: [...new Set(calls.map((call) => call.scope.file.path))],
  };
}

/** It initialises one device in a plain statement, and does no more of its life. */
function proveSuitable(module: Module, init: LibraryFunction, give: Give): void {
  const { fn, file, site, root } = init;
  const returns = returnsErrno(init);
  const own = callSites(module, file).filter(
    (one) =>
      one.fn === fn && one.call !== site.call && rootOf(one.scope, one.target)?.name === root,
  );
  const more = own.find(
    (one) =>
      ['register', 'unregister', 'init'].includes(one.op) ||
      (one.op === 'free' && memberPath(one.target).path.length === 0) ||
      (one.op === 'uninit' && !returns),
  );
  if (more)
    give(
      `it also calls ${more.call.name ?? ''}() (line ${lineIn(file, more.call.start)}). Split it: one function that sets the device up, and the rest.`,
      file,
      more.call,
    );
  if (!returns && (fn.returnType.name !== 'void' || fn.returnType.pointers > 0))
    give(
      'it returns something else than an error code. First let it return void, or convert by hand.',
      file,
      fn.nameSpan,
    );
  if (
    site.call.name !== 'vfio_init_group_dev' ||
    !site.whole ||
    site.at.parent !== null ||
    site.call.args.length !== 3
  )
    give(
      `${site.call.name ?? 'the init'}() is not a plain statement of it. Make it one.`,
      file,
      site.call,
    );
}

/** What undoes it can become a `.release`; null where the library has nothing of the kind. */
function proveUndo(module: Module, init: LibraryFunction, give: Give): Undo | null {
  const { fn, file } = init;
  const undo = undoOf(module, init);
  const others = undo ? callsOf(module, undo, true) : [];
  if (!others)
    give(
      `${undo!.fn.name}() is used other than by a direct call. Call it directly.`,
      file,
      undo!.fn.nameSpan,
    );
  const inside = others?.find((one) => one.scope.fn === fn);
  if (inside)
    give(
      `it calls ${undo!.fn.name}() when it fails, which as a \`.release\` would free the device. Undo its own steps there instead.`,
      file,
      inside.call,
    );
  return undo && { undo, calls: others ?? [] };
}

function provePrototypes(module: Module, helpers: readonly LibraryFunction[], give: Give): void {
  const unseen = helpers.find((helper) => prototypesOf(module, helper).length === 0);
  if (unseen)
    give(
      `no prototype of ${unseen.fn.name}() is in the headers that were read. Name that header too, or include it in ${baseName(unseen.file.path)}.`,
      unseen.file,
      unseen.fn.nameSpan,
    );
}

/**
 * A driver that calls the library's function initialises the device itself.
 * @returns what a person has to know of it
 */
function rewriteCaller(
  module: Module,
  init: LibraryFunction,
  call: HelperCall,
  undo: LibraryFunction | null,
  out: Rewriting,
  give: Give,
): readonly string[] {
  const { file, fn, site } = init;
  const result = returnsErrno(init) ? resultOf(init, call, give) : null;
  if (!result) plainStatement(call, give);
  proveGap(
    call,
    rootAt(init, call, give),
    givenTo(init, call),
    undo ? [file, undo.file] : [file],
    give,
  );
  const text = (expr: Expr): string =>
    simplified(
      carryOut(site.scope, expr, call, site.at.stmt.start) ??
        give(
          `\`${textOf(file, expr)}\`, which it initialises with, is not known to ${call.scope.fn.name}().`,
          file,
          expr,
        ),
    );
  const args = site.call.args.map(text).join(', ');
  out.edit(call.scope.file, 'allocation', {
    span: call.at.stmt,
    newText: `vfio_init_group_dev(${args});`,
  });
  if (!result) return [];
  dropTest(module, call.scope, result, out);
  out.drop(
    call.scope.file,
    unusedIn(
      call.scope.file,
      [call.scope.fn],
      () => args,
      out.edits(call.scope.file),
      out.removals(call.scope.file),
    ).removals,
  );
  return result.messages.map(
    (message) =>
      `\`${message}\` in ${call.scope.fn.name}() was removed with the test of ${fn.name}(): write it after IS_ERR() if it is wanted.`,
  );
}

/** The ops tables that a driver gives to the library's function. */
function tablesAt({ fn, site }: LibraryFunction, call: HelperCall): readonly string[] {
  const given = fn.params.findIndex((param) => namesIn(site.call.args[2]!).includes(param.name));
  const tables =
    given >= 0 && call.call.args[given] ? tablesOf(call.scope, call.call.args[given]) : null;
  if (!tables)
    refuse(
      'table-chosen-late',
      `It is not known which ops table ${call.scope.fn.name}() passes to ${fn.name}(). Pass \`&table\`.`,
      call.scope.file,
      call.call,
    );
  return tables;
}

/** A driver that calls the counterpart uninitialises the device itself. */
function rewriteUndoCall(
  undo: LibraryFunction,
  call: HelperCall,
  out: Rewriting,
  give: Give,
): void {
  plainStatement(call, give);
  proveUndone(call, give);
  const target = undo.site.target;
  const text =
    carryOut(undo.site.scope, target, call, undo.site.at.stmt.start) ??
    give(
      'its counterpart is called with an object that cannot be followed.',
      call.scope.file,
      call.call,
    );
  out.edit(call.scope.file, 'teardown', {
    span: call.at.stmt,
    newText: `vfio_uninit_group_dev(${simplified(text)});`,
  });
}

/** What the caller does with the result. */
function resultOf(init: LibraryFunction, call: HelperCall, give: Give): Result {
  return proveResult(call, rootAt(init, call, give), give);
}

/** The caller's variable that holds the object. */
function rootAt(init: LibraryFunction, call: HelperCall, give: Give): string {
  const given = call.call.args[init.fn.params.findIndex((param) => param.name === init.root)];
  const root = given ? rootOf(call.scope, given) : null;
  return (
    root?.name ??
    give(
      `${call.scope.fn.name}() does not call it with an object in a local variable.`,
      call.scope.file,
      call.call,
    )
  );
}

/**
 * What the caller hands over, as it would write a member of it without the last name: `p->core` for
 * `&p->core`.
 */
function givenTo(init: LibraryFunction, { scope, call }: HelperCall): string {
  const given = uncast(call.args[init.fn.params.findIndex((param) => param.name === init.root)]!);
  return plain(
    textOf(scope.file, given.kind === 'unary' && given.op === '&' ? given.operand : given),
  );
}

/** Behind the undo of the library, which a put will do, the caller only gives memory back. */
function proveUndone({ scope: { module, file, fn }, at }: HelperCall, give: Give): void {
  const sites = callSites(module, file).filter((site) => site.fn === fn);
  for (const stmt of at.siblings.slice(at.index + 1)) {
    const own = sites.filter((site) => site.at.stmt === stmt);
    const drvdata =
      stmt.kind === 'expr' &&
      stmt.expr.kind === 'call' &&
      /_set_drvdata$/.test(stmt.expr.name ?? '');
    if (stmt.kind === 'label' || drvdata) continue;
    if (own.some((site) => site.op === 'free' && memberPath(site.target).path.length === 0)) return;
    if (stmt.kind !== 'expr' || !own.some((site) => site.op === 'free')) {
      give(
        `\`${plain(textOf(file, stmt)).slice(0, 80)}\` in ${fn.name}() is between the undoing and the free, and a \`.release\` would run after it. Move it up.`,
        file,
        stmt,
      );
    }
  }
}

/** The exported function of the same file that uninitialises such a device. */
function undoOf(module: Module, init: LibraryFunction): LibraryFunction | null {
  const type = typeOf(init.site.scope, { kind: 'name', name: init.root, start: 0, end: 0 });
  for (const site of callSites(module, init.file)) {
    const root = site.op === 'uninit' ? rootOf(site.scope, site.target) : null;
    if (
      !root ||
      site.fn === init.fn ||
      typeOf(site.scope, root)?.tag !== type?.tag ||
      !site.fn.params.some((param) => param.name === root.name)
    )
      continue;
    const found: LibraryFunction = { file: init.file, fn: site.fn, site, root: root.name };
    if (isExported(module, found)) return found;
  }
  return null;
}

function plainStatement({ scope: { file, fn }, at, call }: HelperCall, give: Give): void {
  if (at.stmt.kind === 'expr' && at.stmt.expr === call && !at.sole && !at.conditional) return;
  give(`${fn.name}() in ${baseName(file.path)} does not call it as a plain statement.`, file, call);
}
