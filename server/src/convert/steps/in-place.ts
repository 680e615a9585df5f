/** The last resort for 6.1: an object that another driver allocates is initialised in place. */
import type { Edit } from '../../text/span.ts';
import { indentUnit, lineEnding } from '../../text/style.ts';
import type { Expr, FileIr, FunctionIr, StructIr, VariableIr } from '../../ir/types.ts';
import { compareVersions } from '../../kernel/version.ts';
import { rootOf } from '../plan/allocation.ts';
import { plain, tablesOf } from '../plan/arguments.ts';
import { commentsAbove, indentAt, lineStart, nextLine, wrapCall } from '../rewrite/layout.ts';
import { freshName, prefixOf } from '../query/names.ts';
import {
  allExpressions,
  namesIn,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { textOf } from '../refusal-error.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { definitionOf } from '../modules/helpers.ts';
import { rewriting, type Rewriting } from '../modules/rewriting.ts';
import { assignmentsOf, callSites, effectsOf, type CallSite } from '../query/call-sites.ts';
import { tableEdits } from '../rewrite/table-text.ts';
import { findStruct, memberPath, typeOf } from '../../lifecycle/module/types-of.ts';
import { ownsLines } from './drop.ts';
import type { Step } from './types.ts';
import { append } from '../../text/lists.ts';

/** A device in memory that its driver does not allocate. */
interface Foreign {
  readonly site: CallSite;
  readonly variable: string;
  readonly tag: string;
  /** `vdev`, or `core.vdev`. */
  readonly member: string;
  readonly struct: StructIr;
  readonly home: FileIr;
  readonly table: VariableIr;
  /** The variable for the result of vfio_init_device. */
  readonly result: string;
}

/**
 * The last resort, for 6.1 only: an object that another driver allocates cannot come from
 * vfio_alloc_device(), but 6.1 lets its device be
 * initialised where it is (ebb72b765fb4, for vfio-ccw). Its `.release` only completes, and who took
 * the device down waits for that, so that
 * the memory is its owner's again. Anything but a plain form is left to the refusal, which says how
 * to split the object.
 */
export const initialiseInPlace: Step = (step) => {
  const {
    input: { module, kernel },
    file,
  } = step;
  if (compareVersions(kernel, [6, 2]) >= 0) return null;
  const found = initsConcerning(step)
    .filter((site) => site.scope.file === file)
    .flatMap((site) => foreignIn(site) ?? []);
  const [object] = found;
  if (!object || found.length > 1) return null;
  const sites = callSites(module, file);
  const related = (site: CallSite): boolean => {
    const root = rootOf(site.scope, site.target);
    return root !== null && typeOf(site.scope, root)?.tag === object.tag;
  };
  const uninits = sites.filter((site) => site.op === 'uninit' && related(site));
  const elsewhere = module.sources.some(
    (other) =>
      other !== file &&
      callSites(module, other).some(
        (site) => (site.op === 'uninit' || site.op === 'init') && related(site),
      ),
  );
  if (
    elsewhere ||
    uninits.length === 0 ||
    uninits.some((site) => !site.whole || site.at.sole || site.at.conditional)
  )
    return null;
  const failing = failureOf(object, uninits);
  if (!failing) return null;

  const out = rewriting();
  const eol = lineEnding(file.text);
  const members = new Set(object.struct.fields.map((field) => field.name));
  const done =
    ['release_comp', 'released', 'release_done'].find((name) => !members.has(name)) ??
    'vfio_release_comp';
  addCompletion(out, object, done);
  const release = addRelease(out, file, object, done, eol);
  addInit(out, file, object, done, failing.leave, eol);
  for (const site of uninits) {
    const indent = indentAt(file.text, site.at.stmt.start);
    const root = rootOf(site.scope, site.target)!.name;
    const label = failing.label !== null && site === failing.site ? `${eol}${failing.label}:` : '';
    out.edit(file, 'teardown', {
      span: site.at.stmt,
      newText: `vfio_put_device(${plain(textOf(file, site.call.args[0]!))});${eol}${indent}wait_for_completion(&${root}->${done});${label}`,
    });
  }
  return {
    edits: out.done(),
    notes: [
      `struct ${object.tag} is allocated elsewhere, so vfio_init_device() initialises its device in place. Only 6.1 has that function: split the object before you move to 6.2.`,
      `${release}() completes \`${done}\`, and the teardown waits for it: only then may the owner free or reuse the memory.`,
      ...(failing.label === null
        ? []
        : [
            `When vfio_init_device() fails, ${object.site.fn.name}() jumps to the new label ${failing.label}: check that the code after it undoes the steps before.`,
          ]),
    ],
    touched: [
      ...new Set([
        object.site.fn.name,
        ...uninits.map((site) => site.fn.name),
        object.table.name,
        release,
      ]),
    ],
  };
};

function foreignIn(site: CallSite): Foreign | null {
  const { scope, fn, call, at } = site;
  const { module, file } = scope;
  const root = rootOf(scope, site.target);
  const tag = root && typeOf(scope, root)?.tag;
  const definition = tag ? findStruct(module, file, tag) : undefined;
  if (
    call.name !== 'vfio_init_group_dev' ||
    !root ||
    !tag ||
    !definition ||
    fn.opaque ||
    !site.whole ||
    at.sole ||
    at.conditional ||
    at.parent !== null
  )
    return null;
  const values = assignmentsOf(fn, root.name);
  if (
    values.length !== 1 ||
    fn.params.some((param) => param.name === root.name) ||
    !isHandedOver(scope.module, file, values[0]!.value)
  )
    return null;
  const tables = call.args[2] ? tablesOf(scope, call.args[2]) : null;
  const table =
    tables?.length === 1
      ? file.variables.filter(
          (item) => item.name === tables[0] && item.init?.kind === 'initializer',
        )
      : [];
  const { path } = memberPath(site.target);
  const result = resultOf(fn);
  if (table.length !== 1 || path.length === 0 || result === null || fn.returnType.pointers > 0)
    return null;
  const { init } = table[0]!;
  const { text } = definition.file;
  if (
    !definition.struct.fields.every((field) => ownsLines(text, field.statement)) ||
    !ownsLines(file.text, at.stmt) ||
    lineStart(file.text, table[0]!.start) !== table[0]!.start
  )
    return null;
  const isPlain =
    init?.kind === 'initializer' &&
    init.complete &&
    init.entries.every(
      (entry) =>
        entry.designators.length > 0 &&
        !['open', 'release', 'init'].includes(entry.designators[0]!),
    );
  // The generated `.release` stands above the table, and names the struct.
  const isVisible = definition.file !== file || definition.struct.end < table[0]!.start;
  const last = definition.struct.fields.at(-1);
  if (
    !isPlain ||
    !isVisible ||
    !last ||
    !definition.struct.complete ||
    last.type.arrays > 0 ||
    last.unplaced ||
    last.conditions.length > 0
  )
    return null;
  return {
    site,
    variable: root.name,
    tag,
    member: path.join('.'),
    struct: definition.struct,
    home: definition.file,
    table: table[0]!,
    result,
  };
}

/**
 * The pointer comes from drvdata, from a member or from what it is in: not from an allocation, and
 * not from a function of the module.
 */
function isHandedOver(
  module: Parameters<typeof definitionOf>[0],
  file: FileIr,
  value: Expr,
): boolean {
  const inner = uncast(value);
  if (inner.kind === 'member') return true;
  if (inner.kind !== 'call' || inner.name === null || definitionOf(module, file, inner.name))
    return false;
  return (
    inner.name === 'container_of' ||
    effectsOf(inner.name).some((effect) => effect.op === 'get-drvdata')
  );
}

/** The variable that the register's result goes to. */
function resultOf(fn: FunctionIr): string | null {
  for (const { stmt } of statementsOf(fn)) {
    for (const expr of allExpressions(stmt)) {
      if (expr.kind !== 'assign' || expr.op !== '=' || expr.target.kind !== 'name') continue;
      const value = uncast(expr.value);
      if (value.kind === 'call' && /^vfio_register_\w+_dev$/.test(value.name ?? ''))
        return expr.target.name;
    }
  }
  return null;
}

/**
 * How probe leaves when the device cannot be initialised: behind the uninit in its error ladder,
 * where what was taken before the init is
 * given back. Null when there is no ladder with one uninit that ends in a return.
 */
function failureOf(
  object: Foreign,
  uninits: readonly CallSite[],
): { readonly site: CallSite; readonly label: string | null; readonly leave: string } | null {
  const { fn } = object.site;
  const own = uninits.filter((site) => site.fn === fn);
  const site = own[0];
  if (
    own.length !== 1 ||
    !site ||
    site.at.parent !== null ||
    site.at.stmt.start < object.site.at.stmt.start
  )
    return null;
  const rest = site.at.siblings.slice(site.at.index + 1);
  const end = rest.findIndex((stmt) => stmt.kind === 'return');
  const last = rest[end];
  const isPlain = rest
    .slice(0, Math.max(end, 0))
    .every((stmt) => stmt.kind === 'expr' || stmt.kind === 'label');
  if (
    last?.kind !== 'return' ||
    !last.value ||
    !isPlain ||
    !namesIn(last.value).includes(object.result)
  )
    return null;
  if (end === 0) return { site, label: null, leave: `return ${object.result};` };
  const next = rest[0];
  if (next?.kind === 'label') return { site, label: null, leave: `goto ${next.name};` };
  const label =
    ['err_init', 'out_init', 'err_init_device'].find(
      (name) => !new RegExp(`\\b${name}\\b`).test(fn.text),
    ) ?? 'err_vfio_init_device';
  return { site, label, leave: `goto ${label};` };
}

function addCompletion(out: Rewriting, { struct, home }: Foreign, done: string): void {
  const last = struct.fields.at(-1)!;
  const at = nextLine(home.text, last.statement.end);
  const indent = indentAt(home.text, last.statement.start);
  const blank = /\t[\w*]+;?$/.test(textOf(home, last.statement)) ? '\t' : ' ';
  out.edit(home, 'layout', {
    span: { start: at, end: at },
    newText: `${indent}struct completion${blank}${done};${lineEnding(home.text)}`,
  });
}

/** The `.release` above the table, and its member. Returns its name. */
function addRelease(
  out: Rewriting,
  file: FileIr,
  object: Foreign,
  done: string,
  eol: string,
): string {
  const { text } = file;
  const { table, tag, variable, member } = object;
  const name = freshName(file, prefixOf(object.site.fn.name) ?? object.site.fn.name, [
    'release_dev',
    'vfio_release_dev',
  ]);
  const unit = indentUnit(text);
  const start = lineStart(text, table.start);
  const place = lineStart(text, commentsAbove(text, file.comments, start)[0]?.start ?? start);
  const declared = `${unit}struct ${tag} *${variable} =`;
  const view = `container_of(vdev, struct ${tag}, ${member});`;
  const declaration =
    unit.length * 7 + declared.length + 1 + view.length <= 80
      ? [`${declared} ${view}`]
      : [declared, `${unit}${unit}${view}`];
  const lines = [
    `static void ${name}(struct vfio_device *vdev)`,
    '{',
    ...declaration,
    '',
    `${unit}complete(&${variable}->${done});`,
    '}',
    '',
    '',
  ];
  const edits: Edit[] = [{ span: { start: place, end: place }, newText: lines.join(eol) }];
  append(
    edits,
    tableEdits(
      file,
      {
        file,
        variable: table,
        members: [{ name: 'release', value: name, place: 'front' }],
        releaseStub: null,
      },
      unit,
      eol,
    ),
  );
  for (const edit of edits) out.edit(file, 'ops-table', edit);
  return name;
}

/**
 * init_completion(), memory that is zero, and vfio_init_device() with a test in place of
 * vfio_init_group_dev().
 */
function addInit(
  out: Rewriting,
  file: FileIr,
  object: Foreign,
  done: string,
  leave: string,
  eol: string,
): void {
  const { text } = file;
  const { site, variable, member, result } = object;
  const indent = indentAt(text, site.at.stmt.start);
  const unit = indentUnit(text);
  const device = plain(textOf(file, site.call.args[0]!));
  const isZeroed = statementsOf(site.fn).some(
    ({ stmt }) =>
      stmt.end <= site.at.stmt.start &&
      allExpressions(stmt).some(
        (expr) =>
          expr.kind === 'call' &&
          expr.name === 'memset' &&
          expr.args[0] &&
          plain(textOf(file, expr.args[0])) === device,
      ),
  );
  const column = indent.startsWith('\t') ? indent.length * 8 : indent.length;
  const args = site.call.args.map((arg) => plain(textOf(file, arg)));
  const lines = [
    ...(isZeroed ? [] : [`memset(${device}, 0, sizeof(${variable}->${member}));`]),
    `init_completion(&${variable}->${done});`,
    wrapCall(`${result} = vfio_init_device`, args, ';', column, indent, eol),
    `if (${result})`,
    `${unit}${leave}`,
  ];
  out.edit(file, 'allocation', { span: site.at.stmt, newText: lines.join(`${eol}${indent}`) });
}
