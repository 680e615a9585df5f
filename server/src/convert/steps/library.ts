import { lineEnding, indentUnit } from '../../text/style.ts';
import type { Expr, FileIr, FunctionIr } from '../../ir/types.ts';
import { busView } from '../../kernel/casts.ts';
import { compareVersions } from '../../kernel/version.ts';
import type { Module } from '../../lifecycle/types.ts';
import { rootOf } from '../plan/allocation.ts';
import { plain, tablesOf } from '../plan/arguments.ts';
import { lineStart, widthOf } from '../rewrite/layout.ts';
import {
  namesIn,
  namesUnder,
  ownExpressions,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { lineIn, refuse, RefusedError, textOf } from '../refusal-error.ts';
import { carryOut, simplified } from '../modules/carry.ts';
import {
  callsOf,
  isExported,
  mentionsOf,
  prototypesOf,
  type Helper,
  type HelperCall,
} from '../modules/helpers.ts';
import { rewriting, type Rewriting } from '../modules/rewriting.ts';
import { callSites, type CallSite } from '../query/call-sites.ts';
import { baseName, memberPath, typeOf } from '../../lifecycle/module/types-of.ts';
import { unusedIn } from '../rewrite/unused.ts';
import type { Callbacks } from '../types.ts';
import { dropUninits, moveOut } from './helper-init.ts';
import {
  dropTest,
  proveGap,
  proveResult,
  proveReturns,
  type Give,
  type Result,
} from './library-result.ts';
import type { Step, StepInput, StepResult } from './types.ts';
import { append } from '../../text/lists.ts';

/**
 * Converts a library that initialises devices for drivers in other modules
 * (`foo_core_init_device(vdev, pdev, ops)`, exported) as the core of
 * vfio-pci was: the function becomes an `.init`, its counterpart a `.release`, and the drivers at
 * hand name both in their ops tables. Both get
 * new names, so that a driver that is not at hand fails to build instead of failing at run time.
 */
export const convertLibrary: Step = (step) => {
  if (compareVersions(step.input.kernel, [6, 1]) < 0) return null;
  const { module } = step.input;
  for (const source of module.sources) {
    for (const site of callSites(module, source)) {
      const library = site.op === 'init' ? libraryAt(module, site) : null;
      if (library && concerns(step, library)) return convertOne(step, library);
    }
  }
  return null;
};

/** A function of the library: what it does to the device that its first such parameter leads to. */
interface LibraryFunction extends Helper {
  readonly site: CallSite;
  /** The parameter with the device. */
  readonly root: string;
}

interface Library {
  readonly init: LibraryFunction;
  readonly calls: readonly HelperCall[];
}

function libraryAt(module: Module, site: CallSite): Library | null {
  const root = rootOf(site.scope, site.target);
  if (!root || !site.fn.params.some((param) => param.name === root.name)) return null;
  const init: LibraryFunction = { file: site.scope.file, fn: site.fn, site, root: root.name };
  if (!isExported(module, init)) return null;
  const calls = callsOf(module, init, true);
  return calls && { init, calls };
}

/** The document that was asked for is the library or one of its drivers. */
function concerns({ file, functionName }: StepInput, { init, calls }: Library): boolean {
  const places = [
    { file: init.file, fn: init.fn },
    ...calls.map(({ scope }) => ({ file: scope.file, fn: scope.fn })),
  ];
  return places.some(
    (place) =>
      place.file === file && (functionName === undefined || place.fn.name === functionName),
  );
}

/**
 * The function becomes an `.init` where nobody can see a difference. Else its drivers have the
 * device initialised with the allocation, and
 * the function goes on doing the rest, under a new name, when it did.
 */
function convertOne(step: StepInput, library: Library): StepResult {
  const {
    init: { file, fn, site, root },
    calls,
  } = library;
  if (calls.length === 0) {
    refuse(
      'library',
      `${fn.name}() initialises devices for drivers in other modules. Convert it together with them: name their files beside ${baseName(file.path)} on the command line.`,
      file,
      fn.nameSpan,
    );
  }
  try {
    return toCallback(step, library);
  } catch (error) {
    if (
      !(error instanceof RefusedError) ||
      site.call.args.length !== 3 ||
      fn.opaque ||
      calls.some((one) => one.scope.fn === fn)
    )
      throw error;
    // The header that others know it by would still have the old name.
    if (
      prototypesOf(step.input.module, { file, fn }).length === 0 &&
      calls.some((one) => one.scope.file !== file)
    )
      throw error;
    try {
      const moved = moveOut(
        step.input.module,
        { file, fn },
        site,
        root,
        calls,
        newName(step.input.module, library),
      );
      // Why it is no callback, as a person would ask who has seen what the kernel did to its own
      // libraries.
      const why = error.refusal.reason.replace(
        'initialises devices for drivers in other modules, and cannot become',
        'did not become',
      );
      return {
        ...moved,
        notes: [...moved.notes, { text: why, site: { path: file.path, ...fn.nameSpan } }],
      };
    } catch (second) {
      if (!(second instanceof RefusedError)) throw second;
      // The library's author asked for the first; why the second way is barred as well comes behind
      // it.
      throw new RefusedError({
        ...error.refusal,
        reason: `${error.refusal.reason} Nor can its drivers initialise the device: ${second.refusal.reason}`,
      });
    }
  }
}

/** For a function that no longer initialises: `foo_probe_common` gives `foo_setup_common`. */
function newName(module: Module, { init: { file, fn } }: Library): string {
  const taken = (name: string): boolean =>
    [...module.sources, ...module.headers].some((one) =>
      new RegExp(`\\b${name}\\b`).test(one.text),
    );
  // As long as the old ones, so that parameters stay aligned.
  const names = [
    fn.name.replace(/_init(?=_|$)/, '_prep').replace(/_probe(?=_|$)/, '_setup'),
    `${fn.name}_dev`,
    `${fn.name}_vdev`,
  ];
  return (
    names.find((name) => !taken(name)) ??
    refuse(
      'same-name',
      `No name is free for what becomes of ${fn.name}(): ${names.join(', ')} are taken.`,
      file,
      fn.nameSpan,
    )
  );
}

function toCallback(
  { input: { module, kernel } }: StepInput,
  { init, calls }: Library,
): StepResult {
  const { fn, file, site, root } = init;
  const name = `${fn.name}()`;
  const give = (why: string, where: FileIr, at: { start: number; end: number }): never =>
    refuse(
      'library',
      `${name} initialises devices for drivers in other modules, and cannot become an \`.init\`: ${why}`,
      where,
      at,
    );
  const own = callSites(module, file).filter(
    (one) =>
      one.fn === fn && one.call !== site.call && rootOf(one.scope, one.target)?.name === root,
  );
  const returns = fn.returnType.name === 'int' && fn.returnType.pointers === 0;
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
      'it returns neither nothing nor an error code. Let it return nothing first, or convert by hand.',
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
      `${site.call.name ?? 'the init'}() is no plain statement of it. Make it one.`,
      file,
      site.call,
    );
  const undo = undoOf(module, init);
  const others = undo ? callsOf(module, undo, true) : [];
  if (!others)
    give(
      `${undo!.fn.name}() is named where it cannot be followed. Call it directly.`,
      file,
      undo!.fn.nameSpan,
    );
  const inside = others?.find((one) => one.scope.fn === fn);
  if (inside)
    give(
      `it calls ${undo!.fn.name}() when it fails, which as a \`.release\` would free the device. Undo there what it has done so far.`,
      file,
      inside.call,
    );
  if (returns) proveReturns(file, fn, site, give);
  for (const helper of undo ? [init, undo] : [init]) {
    if (prototypesOf(module, helper).length === 0)
      give(
        `no prototype of ${helper.fn.name}() is in the headers at hand. Give the command that header too, or quote it in ${baseName(file.path)}.`,
        file,
        helper.fn.nameSpan,
      );
  }
  const names = namesFor(module, init, undo);
  const out = rewriting();
  rewriteInit(module, init, names, out, give);
  if (undo) rewriteUndo(module, undo, names, compareVersions(kernel, [6, 2]) < 0, out, give);
  const callbacks = new Map<string, Callbacks>();
  const messages: string[] = [];
  for (const call of calls) {
    const result = returns ? resultOf(init, call, give) : null;
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
    if (result) {
      dropTest(module, call.scope, result, out);
      append(
        messages,
        result.messages.map(
          (message) =>
            `\`${message}\` in ${call.scope.fn.name}() went with the test of ${name}: write it behind IS_ERR() if it is wanted.`,
        ),
      );
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
    }
    const given = fn.params.findIndex((param) => namesIn(site.call.args[2]!).includes(param.name));
    const tables =
      given >= 0 && call.call.args[given] ? tablesOf(call.scope, call.call.args[given]) : null;
    if (!tables)
      refuse(
        'table-chosen-late',
        `Which ops table ${call.scope.fn.name}() gives to ${name} cannot be told here. Pass \`&table\`.`,
        call.scope.file,
        call.call,
      );
    for (const table of tables)
      callbacks.set(table, { init: names.init, release: undo ? names.release : null });
  }
  for (const call of others ?? []) {
    plainStatement(call, give);
    proveUndone(call, give);
    const target = undo!.site.target;
    const text =
      carryOut(undo!.site.scope, target, call, undo!.site.at.stmt.start) ??
      give(
        'its counterpart is called with something that cannot be followed.',
        call.scope.file,
        call.call,
      );
    out.edit(call.scope.file, 'teardown', {
      span: call.at.stmt,
      newText: `vfio_uninit_group_dev(${simplified(text)});`,
    });
  }
  return {
    edits: out.done(),
    notes: [
      {
        text: `${name} is now ${names.init}(), an .init callback${undo ? `, and ${undo.fn.name}() is ${names.release}(), a .release callback` : ''}: drivers that are not converted here no longer build until they name them in their ops tables.`,
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
      `${call.scope.fn.name}() does not call it with an object that a variable of its own holds.`,
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
        `\`${plain(textOf(file, stmt)).slice(0, 80)}\` in ${fn.name}() stands between what undoes it and the free, and a \`.release\` would run behind it. Move it in front.`,
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

interface Names {
  readonly init: string;
  readonly release: string;
}

/**
 * `foo_core_init_device` gives `foo_core_init_dev` and `foo_core_release_dev`, as the kernel's own
 * did.
 */
function namesFor(module: Module, init: LibraryFunction, undo: LibraryFunction | null): Names {
  const prefix = init.fn.name.replace(/_init(?:_(?:device|dev|group_dev|common|vdev))?$/, '');
  const taken = (name: string): boolean =>
    [...module.sources, ...module.headers].some((file) =>
      new RegExp(`\\b${name}\\b`).test(file.text),
    );
  const pick = (stems: readonly string[]): string =>
    stems.map((stem) => `${prefix}_${stem}`).find((name) => !taken(name)) ??
    refuse(
      'same-name',
      `No name is free for what becomes of ${init.fn.name}()${undo ? ` and ${undo.fn.name}()` : ''}: ${stems.map((stem) => `${prefix}_${stem}`).join(', ')} are taken.`,
      init.file,
      init.fn.nameSpan,
    );
  return {
    init: pick(['init_dev', 'vfio_init_dev', 'device_init']),
    release: pick(['release_dev', 'vfio_release_dev', 'device_release']),
  };
}

/** A name for the parameter of a callback that the function has no other use for. */
function parameterFor(fn: FunctionIr): string {
  return (
    ['core_vdev', 'vfio_dev', 'vfio_device_'].find(
      (name) => !new RegExp(`\\b${name}\\b`).test(fn.text),
    ) ?? 'vdev_of_core'
  );
}

function rewriteInit(
  module: Module,
  { file, fn, site, root }: LibraryFunction,
  names: Names,
  out: Rewriting,
  give: Give,
): void {
  const param = parameterFor(fn);
  out.remove(file, site.at.stmt);
  const gone = new Set(
    [site, ...callSites(module, file).filter((one) => one.fn === fn && one.op === 'uninit')].map(
      (one) => one.at.stmt,
    ),
  );
  const left = statementsOf(fn)
    .filter(({ stmt }) => !gone.has(stmt))
    .flatMap(({ stmt }) => ownExpressions(stmt).flatMap(namesIn));
  dropUninits(module, { file, fn }, root, out);
  const lines = left.includes(root) ? [containerLine(file, fn, site, root, param)] : [];
  for (const other of fn.params) {
    if (other.name === root || !left.includes(other.name)) continue;
    const whole = plainParent(site.call.args[1]!, other.name);
    const view = whole === 'member' ? busView(other.type.name) : undefined;
    const viewed = view === undefined ? null : `${view}(${param}->dev)`;
    const value = whole === 'itself' ? `${param}->dev` : viewed;
    if (value === null)
      give(
        `it uses its parameter \`${other.name}\`, which an \`.init\` cannot be given. Set up what it is for in the drivers.`,
        file,
        other,
      );
    lines.push([`struct ${other.type.name} *${other.name} = ${value};`]);
  }
  head({ file, fn }, `int ${names.init}(struct vfio_device *${param})`, lines, out);
  for (const { stmt } of statementsOf(fn))
    if (stmt.kind === 'return' && !stmt.value)
      out.edit(file, 'ops-table', { span: stmt, newText: 'return 0;' });
  if (fn.body.body.at(-1)?.kind !== 'return') endWith(file, fn, 'return 0;', true, out);
  renameElsewhere(
    module,
    { file, fn },
    names.init,
    `int ${names.init}(struct vfio_device *${param})`,
    out,
  );
}

function rewriteUndo(
  module: Module,
  { file, fn, site, root }: LibraryFunction,
  names: Names,
  frees: boolean,
  out: Rewriting,
  give: Give,
): void {
  if (
    fn.params.length !== 1 ||
    fn.returnType.name !== 'void' ||
    !site.whole ||
    site.at.parent !== null
  )
    give(
      `its counterpart ${fn.name}() takes more than the device, or is not plain enough to become a \`.release\`.`,
      file,
      fn.nameSpan,
    );
  const early = statementsOf(fn).find(
    ({ stmt }) => stmt.kind === 'return' && stmt !== fn.body.body.at(-1),
  );
  if (early && frees)
    give(
      `its counterpart ${fn.name}() returns early at line ${lineIn(file, early.stmt.start)}, and a \`.release\` of 6.1 must free the device on every path.`,
      file,
      early.stmt,
    );
  const freed = callSites(module, file).find(
    (one) =>
      one.fn === fn &&
      one.op === 'free' &&
      memberPath(one.target).path.length === 0 &&
      namesIn(one.target).includes(root),
  );
  if (freed)
    give(
      `its counterpart ${fn.name}() frees the object, which the vfio core does.`,
      file,
      freed.call,
    );
  const param = parameterFor(fn);
  out.remove(file, site.at.stmt);
  const left = namesUnder({
    kind: 'block',
    body: fn.body.body.filter((stmt) => stmt !== site.at.stmt),
    start: 0,
    end: 0,
  });
  head(
    { file, fn },
    `void ${names.release}(struct vfio_device *${param})`,
    left.includes(root) ? [containerLine(file, fn, site, root, param)] : [],
    out,
  );
  if (frees) endWith(file, fn, `vfio_free_device(${param});`, false, out);
  renameElsewhere(
    module,
    { file, fn },
    names.release,
    `void ${names.release}(struct vfio_device *${param})`,
    out,
  );
}

/**
 * `struct T *vdev = container_of(core_vdev, struct T, vdev);`, on two lines where it is too long
 * for one.
 */
function containerLine(
  file: FileIr,
  fn: FunctionIr,
  site: CallSite,
  root: string,
  param: string,
): string[] {
  const type = fn.params.find((item) => item.name === root)!.type;
  const tag = typeOf(site.scope, { kind: 'name', name: root, start: 0, end: 0 })?.tag ?? type.name;
  const value = `container_of(${param}, struct ${tag}, ${memberPath(site.target).path.join('.')});`;
  const line = `struct ${tag} *${root} =`;
  return widthOf(`${indentUnit(file.text)}${line} ${value}`, 0) <= 80
    ? [`${line} ${value}`]
    : [line, `${indentUnit(file.text)}${value}`];
}

/**
 * Whether the parent device of the init is the parameter itself, or a member of it (`&pdev->dev`).
 */
function plainParent(expr: Expr, name: string): 'itself' | 'member' | null {
  const inner = uncast(expr);
  if (
    inner.kind === 'call' &&
    inner.name === 'mdev_dev' &&
    inner.args[0]?.kind === 'name' &&
    inner.args[0].name === name
  )
    return 'member';
  if (inner.kind === 'name') return inner.name === name ? 'itself' : null;
  const { root, path } = memberPath(inner);
  return inner.kind === 'unary' &&
    root.kind === 'name' &&
    root.name === name &&
    path.length === 1 &&
    path[0] === 'dev'
    ? 'member'
    : null;
}

/** The new head of a definition, and declarations at the start of its body. */
function head(
  { file, fn }: Helper,
  signature: string,
  declarations: readonly (readonly string[])[],
  out: Rewriting,
): void {
  const { text } = file;
  const close = text.lastIndexOf(')', fn.body.start);
  out.edit(file, 'signature', { span: { start: fn.start, end: close + 1 }, newText: signature });
  const eol = lineEnding(text);
  const unit = indentUnit(text);
  const first = fn.body.body[0];
  const gap = first && first.kind !== 'decl' && declarations.length > 0 ? eol : '';
  const lines = declarations
    .flat()
    .map((line) => `${unit}${line}${eol}`)
    .join('');
  const at = text.indexOf('\n', fn.body.start) + 1;
  if (lines !== '')
    out.edit(file, 'signature', { span: { start: at, end: at }, newText: lines + gap });
}

/** A last statement. */
function endWith(
  file: FileIr,
  fn: FunctionIr,
  statement: string,
  spaced: boolean,
  out: Rewriting,
): void {
  const { text } = file;
  const eol = lineEnding(text);
  const at = lineStart(text, fn.body.end - 1);
  out.edit(file, 'signature', {
    span: { start: at, end: at },
    newText: `${spaced ? eol : ''}${indentUnit(text)}${statement}${eol}`,
  });
}

/** The new name where the old one is exported, declared, or the subject of the comment above. */
function renameElsewhere(
  module: Module,
  helper: Helper,
  to: string,
  signature: string,
  out: Rewriting,
): void {
  for (const { file, span } of mentionsOf(module, helper))
    out.edit(file, 'signature', { span, newText: to });
  for (const { file: header, item } of prototypesOf(module, helper)) {
    const start = /^(?:extern\s+)/.exec(header.text.slice(item.start, item.end))?.[0].length ?? 0;
    out.edit(header, 'signature', {
      span: { start: item.start + start, end: item.end },
      newText: `${signature};`,
    });
  }
}

function plainStatement({ scope: { file, fn }, at, call }: HelperCall, give: Give): void {
  if (at.stmt.kind === 'expr' && at.stmt.expr === call && !at.sole && !at.conditional) return;
  give(`${fn.name}() in ${baseName(file.path)} does not call it as a plain statement.`, file, call);
}
