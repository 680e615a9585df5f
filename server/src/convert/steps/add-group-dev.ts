/** The step from `vfio_add_group_dev()` of 5.12 to an embedded vfio_device. */
import { indentUnit, lineEnding } from '../../text/style.ts';
import type { CallExpr, FileIr, FunctionIr, StructIr, VariableIr } from '../../ir/types.ts';
import { storedName, storedValue } from '../../ir/assigned.ts';
import { indentAt, lineStart, nextLine, widthOf } from '../rewrite/layout.ts';
import { plain } from '../plan/arguments.ts';
import { isNullTest } from '../plan/null-test.ts';
import { embedsDevice } from '../plan/container.ts';
import { functionsCalling } from '../../lifecycle/module/function-scan.ts';
import { missingHeaders } from '../query/missing-headers.ts';
import { isNull } from '../query/expressions.ts';
import {
  allExpressions,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { lineOf, refuse, textOf } from '../refusal-error.ts';
import { callSites, type CallSite } from '../query/call-sites.ts';
import { rewriting, type Rewriting } from '../modules/rewriting.ts';
import { findStruct, scopeOf, typeOf } from '../../lifecycle/module/types-of.ts';
import { ownsLines } from './drop.ts';
import { isPure } from './pure.ts';
import type { Step, StepInput } from './types.ts';
import { blanksBefore } from '../../text/lexical.ts';

/** A call of an interface that ended with 5.12. */
interface OldCall {
  readonly fn: FunctionIr;
  readonly at: Placed;
  readonly call: CallExpr;
}

/** The object that a driver hands to vfio_add_group_dev, and what it becomes. */
interface OldObject {
  readonly add: OldCall;
  readonly dev: string;
  readonly data: string;
  readonly tag: string;
  readonly table: VariableIr;
  readonly struct: StructIr;
  readonly home: FileIr;
  readonly member: string;
}

/**
 * Up to 5.12 the core allocates the vfio_device, and hands the driver's own object to every
 * callback as `void *device_data`. Since 5.13 the
 * object embeds the vfio_device, is found with container_of(), and is initialised and registered in
 * two calls (0bfc6a4ea63c,
 * 6df62c5b05f4). drvdata takes the place of what vfio_del_group_dev() returned.
 */
export const replaceAddGroupDev: Step = (step) => {
  const { file, functionName } = step;
  const adds = callsNamed(file, 'vfio_add_group_dev');
  const dels = callsNamed(file, 'vfio_del_group_dev');
  if (
    functionName !== undefined &&
    ![...adds, ...dels].some((item) => item.fn.name === functionName)
  )
    return null;
  const reader = callsNamed(file, 'vfio_device_data')[0];
  if (adds.length === 0) {
    if (dels[0])
      refuse(
        'older-interface',
        `${dels[0].fn.name}() calls vfio_del_group_dev() for a device that another file adds. First move both into one file.`,
        file,
        dels[0].call,
      );
    return null;
  }
  if (reader)
    refuse(
      'older-interface',
      `${reader.fn.name}() asks the core for the driver's object with vfio_device_data(), which was removed after 5.12. Use container_of() once the struct embeds a vfio_device.`,
      file,
      reader.call,
    );
  if (adds.length > 1)
    refuse(
      'older-interface',
      `vfio_add_group_dev() is called ${adds.length} times (lines ${adds.map((item) => lineOf(file, item.call.start)).join(', ')}), so it is not known whose object a callback gets. Convert to vfio_init_group_dev() by hand first.`,
      file,
      adds[1]!.call,
    );
  const object = objectOf(step, adds[0]!);
  const out = rewriting();
  const eol = lineEnding(file.text);
  embed(out, object);
  const callbacks = rewriteCallbacks(out, file, object, eol);
  rewriteAdd(step, out, file, object, eol);
  for (const del of dels) rewriteDel(out, step, file, object, del, eol);
  return {
    edits: out.done(),
    notes: [
      {
        text: `struct ${object.tag} now embeds its vfio_device as \`${object.member}\`: up to 5.12 the core allocated it.`,
        site: { path: object.home.path, start: object.struct.start, end: object.struct.start },
      },
      {
        text: 'drvdata replaces the pointer that vfio_del_group_dev() returned: do not store anything else there.',
        site: { path: file.path, start: object.add.call.start, end: object.add.call.end },
      },
    ],
    touched: [...new Set([object.add.fn.name, ...dels.map((del) => del.fn.name), ...callbacks])],
  };
};

function callsNamed(file: FileIr, name: string): OldCall[] {
  if (file.functions.some((fn) => fn.name === name)) return [];
  return functionsCalling(file, (called) => called === name).flatMap((fn) =>
    statementsOf(fn).flatMap((at) =>
      allExpressions(at.stmt).flatMap((call) =>
        call.kind === 'call' && call.name === name ? [{ fn, at, call }] : [],
      ),
    ),
  );
}

function objectOf({ input: { module }, file }: StepInput, add: OldCall): OldObject {
  const { fn, at, call } = add;
  const [dev, ops, data] = call.args;
  if (!dev || !ops || !data || call.args.length !== 3)
    refuse(
      'older-interface',
      'vfio_add_group_dev() does not take these arguments in any kernel.',
      file,
      call,
    );
  if (
    fn.opaque ||
    at.sole ||
    at.conditional ||
    !ownsLines(file.text, at.stmt.kind === 'decl' ? at.stmt.statement : at.stmt)
  )
    refuse(
      'older-interface',
      `vfio_add_group_dev() is under a condition of its own in ${fn.name}(), shares a line with other code, or is in code that could not be parsed. Convert to vfio_init_group_dev() by hand first.`,
      file,
      at.stmt,
    );
  const variable = uncast(data);
  const type = variable.kind === 'name' ? typeOf(scopeOf(module, file, fn), variable) : null;
  if (variable.kind !== 'name' || type?.pointers !== 1)
    refuse(
      'older-interface',
      `The object \`${plain(textOf(file, data))}\` given to vfio_add_group_dev() is no pointer to a struct in a local variable. Put it into one first.`,
      file,
      data,
    );
  const definition = findStruct(module, file, type.tag);
  if (!definition)
    refuse(
      'struct-not-found',
      `There is no single definition of \`struct ${type.tag}\` in this file or the headers it quotes${missingHeaders(module, file)}, so it cannot get a vfio_device.`,
      file,
      data,
    );
  if (embedsDevice(module, file, type.tag))
    refuse(
      'older-interface',
      `\`struct ${type.tag}\` has a vfio_device of its own, yet vfio_add_group_dev() makes the core allocate one. Convert to vfio_init_group_dev() by hand first.`,
      file,
      call,
    );
  const named = uncast(ops);
  const table =
    named.kind === 'unary' && named.op === '&' && named.operand.kind === 'name'
      ? named.operand.name
      : null;
  const tables = file.variables.filter(
    (item) => item.name === table && item.init?.kind === 'initializer',
  );
  if (tables.length !== 1)
    refuse(
      'table-elsewhere',
      `The ops table \`${plain(textOf(file, ops))}\` is not defined once in this file, and its callbacks take other parameters since 5.13. Move it here first.`,
      file,
      ops,
    );
  const members = new Set(definition.struct.fields.map((field) => field.name));
  const member = ['vdev', 'vfio_device', 'vfio_dev'].find((name) => !members.has(name));
  if (!member || !definition.struct.complete)
    refuse(
      'older-interface',
      `\`struct ${type.tag}\` has code that could not be parsed, or has no free name for a vfio_device.`,
      definition.file,
      definition.struct,
    );
  return {
    add,
    dev: plain(textOf(file, dev)),
    data: variable.name,
    tag: type.tag,
    table: tables[0]!,
    struct: definition.struct,
    home: definition.file,
    member,
  };
}

/**
 * The struct gets its vfio_device in front of its last member; the step for the first member then
 * proves that it can be moved to where it belongs.
 */
function embed(out: Rewriting, { struct, home, member }: OldObject): void {
  const last = struct.fields.at(-1)?.statement.start ?? struct.bodySpan.end - 1;
  const indent = indentAt(home.text, last);
  const at =
    lineStart(home.text, last) + indent.length === last ? lineStart(home.text, last) : last;
  out.edit(home, 'layout', {
    span: { start: at, end: at },
    newText:
      at === last
        ? `struct vfio_device ${member}; `
        : `${indent}struct vfio_device ${member};${lineEnding(home.text)}`,
  });
}

/**
 * The callbacks of the table take the vfio_device, and find the object that it is in. Returns their
 * names.
 */
function rewriteCallbacks(out: Rewriting, file: FileIr, object: OldObject, eol: string): string[] {
  const { table, tag, member } = object;
  const names = new Set(
    (table.init?.kind === 'initializer' ? table.init.entries : []).flatMap((entry) => {
      const value = uncast(entry.value);
      const inner = value.kind === 'unary' && value.op === '&' ? value.operand : value;
      return inner.kind === 'name' && inner.name !== 'NULL' && entry.designators[0] !== 'name'
        ? [inner.name]
        : [];
    }),
  );
  for (const name of names) {
    const found = file.functions.filter((item) => item.name === name);
    const fn = found[0];
    if (found.length !== 1 || !fn)
      refuse(
        'older-interface',
        `\`${table.name}\` has the callback ${name}(), which is not defined once in this file; since 5.13 it takes a \`struct vfio_device *\`. Move it here first.`,
        file,
        table.nameSpan,
      );
    const param = fn.params[0];
    if (param?.type.name !== 'void' || param.type.pointers !== 1)
      refuse(
        'older-interface',
        `${name}() does not take the \`void *\` that callbacks have up to 5.12.`,
        file,
        fn.nameSpan,
      );
    const caller = file.functions.find((other) =>
      statementsOf(other).some(({ stmt }) =>
        allExpressions(stmt).some((expr) => expr.kind === 'call' && expr.name === name),
      ),
    );
    if (caller)
      refuse(
        'older-interface',
        `${caller.name}() calls the callback ${name}() itself, with the driver's object. Let both call a function of the driver's own first.`,
        file,
        caller.nameSpan,
      );
    const core =
      ['core_vdev', 'vfio_dev', 'core_device'].find(
        (one) => !new RegExp(`\\b${one}\\b`).test(fn.text),
      ) ?? 'core_vfio_device';
    const signature = {
      span: { start: param.start, end: param.end },
      newText: `struct vfio_device *${core}`,
    };
    out.edit(file, 'signature', signature);
    for (const prototype of file.prototypes.filter(
      (item) => item.name === name && item.params[0],
    )) {
      out.edit(file, 'signature', {
        span: { start: prototype.params[0]!.start, end: prototype.params[0]!.end },
        newText: `struct vfio_device *${core}`,
      });
    }
    for (const { stmt } of statementsOf(fn)) {
      for (const use of allExpressions(stmt)) {
        if (use.kind !== 'name' || use.name !== param.name) continue;
        const isView =
          stmt.kind === 'decl' &&
          stmt.init !== null &&
          uncast(stmt.init) === use &&
          stmt.type.name === tag &&
          stmt.type.pointers === 1;
        if (!isView || stmt.kind !== 'decl')
          refuse(
            'older-interface',
            `${name}() uses \`${param.name}\` for more than to set a \`struct ${tag} *\` where that is declared. Declare one (\`struct ${tag} *p = ${param.name};\`) and use it first.`,
            file,
            use,
          );
        const view = `container_of(${core}, struct ${tag}, ${member})`;
        const column = widthOf(
          file.text.slice(lineStart(file.text, stmt.start), stmt.init.start),
          0,
        );
        const start =
          column + view.length + 1 > 80
            ? blanksBefore(file.text, stmt.init.start)
            : stmt.init.start;
        const indent = indentAt(file.text, stmt.start);
        out.edit(file, 'signature', {
          span: { start, end: stmt.init.end },
          newText:
            start === stmt.init.start ? view : `${eol}${indent}${indentUnit(file.text)}${view}`,
        });
      }
    }
  }
  return [...names];
}

/** drvdata, init and register in place of vfio_add_group_dev. */
function rewriteAdd(
  { input: { module } }: StepInput,
  out: Rewriting,
  file: FileIr,
  object: OldObject,
  eol: string,
): void {
  const {
    add: { fn, at, call },
    dev,
    data,
    member,
    table,
  } = object;
  const all = callSites(module, file).filter((site) => site.op === 'set-drvdata');
  refuseClearedDrvdata(file, object, all.filter(clears));
  const sets = all.filter((site) => site.fn === fn && !clears(site));
  const foreign = sets.find((site) => {
    const value = site.call.args.at(-1);
    return value && !(uncast(value).kind === 'name' && textOf(file, uncast(value)) === data);
  });
  if (foreign)
    refuse(
      'older-interface',
      `${fn.name}() keeps \`${plain(textOf(file, foreign.call.args.at(-1)!))}\` as drvdata, which has to be \`${data}\` once vfio_del_group_dev() no longer returns it. Find the other object through it first.`,
      file,
      foreign.call,
    );
  const early = sets.find(
    (site) => site.call.start < call.start && !site.at.sole && !site.at.conditional,
  );
  const indent = indentAt(file.text, at.stmt.start);
  const place = lineStart(file.text, at.stmt.start);
  const lines = [
    `vfio_init_group_dev(&${data}->${member}, ${dev}, &${table.name});`,
    ...(early ? [] : [`dev_set_drvdata(${dev}, ${data});`]),
  ];
  out.edit(file, 'allocation', {
    span: { start: place, end: place },
    newText: lines.map((line) => `${indent}${line}${eol}`).join(''),
  });
  out.edit(file, 'allocation', {
    span: call,
    newText: `vfio_register_group_dev(&${data}->${member})`,
  });
}

/** `pci_set_drvdata(pdev, NULL)` keeps nothing. */
function clears({ call }: CallSite): boolean {
  const value = call.args.at(-1);
  return value !== undefined && isNull(value);
}

/**
 * drvdata may be cleared on the way out of the function that adds the device, and where it was
 * deleted: what is read from it then must be the object.
 */
function refuseClearedDrvdata(
  file: FileIr,
  { add }: OldObject,
  cleared: readonly CallSite[],
): void {
  const dels = callsNamed(file, 'vfio_del_group_dev');
  for (const site of cleared) {
    const isBehindDel = dels.some((del) => del.fn === site.fn && del.call.start < site.call.start);
    const isOnWayOut =
      site.fn === add.fn &&
      (site.call.start < add.call.start ||
        site.at.parent !== null ||
        site.at.siblings.slice(0, site.at.index).some((stmt) => stmt.kind === 'label'));
    if (isBehindDel || isOnWayOut) continue;
    refuse(
      'older-interface',
      `${site.fn.name}() clears drvdata, where the object has to be found once vfio_del_group_dev() no longer returns it. Clear it after vfio_del_group_dev().`,
      file,
      site.call,
    );
  }
}

/** drvdata and unregister in place of vfio_del_group_dev. */
function rewriteDel(
  out: Rewriting,
  { input: { module } }: StepInput,
  file: FileIr,
  object: OldObject,
  { fn, at, call }: OldCall,
  eol: string,
): void {
  const { tag, member } = object;
  const dev = call.args[0];
  const whole = at.stmt.kind === 'decl' ? at.stmt.statement : at.stmt;
  const here = (why: string, span: { readonly start: number; readonly end: number }): never =>
    refuse(
      'older-interface',
      `${fn.name}() ${why}. Convert vfio_del_group_dev() to vfio_unregister_group_dev() by hand first.`,
      file,
      span,
    );
  if (!dev || at.sole || at.conditional || fn.opaque || !ownsLines(file.text, whole))
    here(
      'calls vfio_del_group_dev() under a condition of its own, or beside other code on its line',
      at.stmt,
    );
  const { stmt } = at;
  const unregister = (name: string): string => `vfio_unregister_group_dev(&${name}->${member});`;
  if (stmt.kind === 'expr' && stmt.expr === call) {
    const scope = scopeOf(module, file, fn);
    const holders = [...scope.locals.keys()].filter((name) => {
      const type = typeOf(scope, { kind: 'name', name, start: 0, end: 0 });
      return type?.tag === tag && type.pointers === 1;
    });
    if (holders.length !== 1) here('does not hold the object in one variable', stmt);
    out.edit(file, 'teardown', { span: stmt, newText: unregister(holders[0]!) });
    return;
  }
  const value = storedValue(stmt) ?? call;
  const name =
    (uncast(value) === call ? storedName(stmt) : null) ??
    here('uses what vfio_del_group_dev() returns inside another expression', stmt);
  out.edit(file, 'teardown', {
    span: value,
    newText: `dev_get_drvdata(${plain(textOf(file, dev!))})`,
  });
  let index = at.index + 1;
  for (let next = at.siblings[index]; next?.kind === 'decl'; next = at.siblings[++index]) {
    if (next.init && !isPure(file, next.init))
      here('has side effects between vfio_del_group_dev() and the end of its declarations', next);
  }
  const test = at.siblings[index];
  if (test?.kind === 'if' && !test.otherwise && isNullTest(test.condition, name)) index++;
  const after = at.siblings[index - 1]!;
  const end = after.kind === 'decl' ? after.statement.end : after.end;
  const place = nextLine(file.text, end);
  const indent = indentAt(file.text, stmt.start);
  const blank =
    after.kind === 'decl' ? (/^[ \t]*\r?\n/.exec(file.text.slice(place))?.[0].length ?? 0) : 0;
  const spaced = after.kind === 'decl' && blank === 0 ? eol : '';
  out.edit(file, 'teardown', {
    span: { start: place + blank, end: place + blank },
    newText: `${spaced}${indent}${unregister(name)}${eol}`,
  });
}
