/** The text of callbacks that functions of a library become. */
import { lineEnding, indentUnit } from '../../text/style.ts';
import type { Expr, FileIr, FunctionIr } from '../../ir/types.ts';
import { busView } from '../../kernel/casts.ts';
import type { Module } from '../../lifecycle/types.ts';
import { lineStart, widthOf } from '../rewrite/layout.ts';
import {
  namesIn,
  namesUnder,
  ownExpressions,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { lineIn, refuse } from '../refusal-error.ts';
import { mentionsOf, prototypesOf, type Helper, type HelperCall } from '../modules/helpers.ts';
import type { Rewriting } from '../modules/rewriting.ts';
import { callSites, type CallSite } from '../query/call-sites.ts';
import { memberPath, typeOf } from '../../lifecycle/module/types-of.ts';
import { dropUninits } from './helper-init.ts';
import type { Give } from './library-result.ts';

/** A function of the library: what it does to the device that its first such parameter leads to. */
export interface LibraryFunction extends Helper {
  readonly site: CallSite;
  /** The parameter with the device. */
  readonly root: string;
}

export interface Library {
  readonly init: LibraryFunction;
  readonly calls: readonly HelperCall[];
}

interface Names {
  readonly init: string;
  readonly release: string;
}

/**
 * `foo_core_init_device` gives `foo_core_init_dev` and `foo_core_release_dev`, as the kernel's own
 * did.
 */
export function namesFor(
  module: Module,
  init: LibraryFunction,
  undo: LibraryFunction | null,
): Names {
  const prefix = init.fn.name.replace(/_init(?:_(?:device|dev|group_dev|common|vdev))?$/, '');
  const taken = (name: string): boolean =>
    [...module.sources, ...module.headers].some((file) =>
      new RegExp(`\\b${name}\\b`).test(file.text),
    );
  const pick = (stems: readonly string[]): string =>
    stems.map((stem) => `${prefix}_${stem}`).find((name) => !taken(name)) ??
    refuse(
      'same-name',
      `No name is free for the new form of ${init.fn.name}()${undo ? ` and ${undo.fn.name}()` : ''}: ${stems.map((stem) => `${prefix}_${stem}`).join(', ')} are taken.`,
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

/** The definition and the declarations of the function as an `.init`. */
export function rewriteInit(
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
        `it uses its parameter \`${other.name}\`, which an \`.init\` does not get. Do that set-up in the drivers.`,
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

/** The definition and the declarations of its counterpart as a `.release`. */
export function rewriteUndo(
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
