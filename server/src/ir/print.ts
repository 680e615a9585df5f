/** Prints the IR as text. */
import type { Condition } from '../syntax/node.ts';
import type { Span } from '../text/span.ts';
import type {
  Expr,
  FieldIr,
  FileIr,
  FunctionIr,
  InitializerEntry,
  Param,
  Stmt,
  StructIr,
  TypeName,
} from './types.ts';

export interface PrintOptions {
  /** Adds `[start..end)` to every line. */
  readonly spans?: boolean;
}

/**
 * The IR of a file as text: one line a statement, C-like, stable. For `dump --stage ir` and for
 * tests.
 */
export function printFile(ir: FileIr, options: PrintOptions = {}): string {
  const lines: (Span & { readonly text: string })[] = [];
  const add = (span: Span, text: string): void => {
    lines.push({ start: span.start, end: span.end, text });
  };
  const at = (span: Span): string => place(span, options);
  for (const one of ir.includes)
    add(
      one,
      `include ${one.quoted ? `"${one.path}"` : `<${one.path}>`}${conditionText(one.conditions)}${at(one)}`,
    );
  for (const one of ir.macros) {
    const head = `macro ${one.name}${one.params === null ? '' : `(${one.params.join(', ')})`}`;
    add(
      one,
      `${head}${bodyText(one)}${conditionText(one.conditions)}${at(one)}${(one.statements ?? []).map((stmt) => `\n${printStmt(stmt, options, 1)}`).join('')}`,
    );
  }
  for (const one of ir.structs) add(one, printStruct(one, options));
  for (const one of ir.variables) {
    const words = [
      one.isExtern ? 'extern' : '',
      one.isStatic ? 'static' : '',
      one.isConst ? 'const' : '',
    ].filter((word) => word !== '');
    add(
      one,
      `variable ${[...words, typed(one.type, one.name)].join(' ')}${initText(one.init)}${conditionText(one.conditions)}${at(one)}`,
    );
  }
  for (const one of ir.prototypes)
    add(
      one,
      `prototype ${one.isStatic ? 'static ' : ''}${typed(one.returnType, one.name)}(${paramsText(one.params)})${conditionText(one.conditions)}${at(one)}`,
    );
  for (const one of ir.fileMacros)
    add(one, `file-macro ${one.name}(${one.args.join(', ')})${at(one)}`);
  for (const one of ir.lost) add(one, `lost${at(one)}`);
  for (const one of ir.functions) add(one, printFunction(one, options));
  lines.sort((left, right) => left.start - right.start);
  const typedefs = [...ir.typedefs].map(([name, type]) => `typedef ${name} = ${printType(type)}`);
  return [...typedefs, ...lines.map((line) => line.text)].join('\n') + '\n';
}

/** What a macro stands for, when it is an expression or only text. */
function bodyText(macro: FileIr['macros'][number]): string {
  if (macro.body !== null) return ` = ${printExpr(macro.body)}`;
  if (macro.statements !== null || macro.bodyText === '') return '';
  return ` = ?"${macro.bodyText.replace(/\s+/g, ' ')}"`;
}

/** One function as text, without a line break at the end. */
export function printFunction(fn: FunctionIr, options: PrintOptions = {}): string {
  const words = [
    fn.opaque ? 'opaque' : '',
    fn.isStatic ? 'static' : '',
    fn.isInline ? 'inline' : '',
  ].filter((word) => word !== '');
  const head = `function ${[...words, typed(fn.returnType, fn.name)].join(' ')}(${paramsText(fn.params)})${conditionText(fn.conditions)}${place(fn, options)}`;
  return [head, ...fn.body.body.map((stmt) => printStmt(stmt, options, 1))].join('\n');
}

/** A type as text; `?` is one that was not understood. */
export function printType(type: TypeName): string {
  return `${type.keyword === null ? '' : `${type.keyword} `}${type.name === '' ? '?' : type.name}${type.pointers > 0 ? ` ${'*'.repeat(type.pointers)}` : ''}${'[]'.repeat(type.arrays)}`;
}

function typed(type: TypeName, name: string): string {
  const text = printType({ ...type, arrays: 0 });
  return `${text}${text.endsWith('*') ? '' : ' '}${name}${'[]'.repeat(type.arrays)}`;
}

function paramsText(params: readonly Param[]): string {
  return params.map((param) => typed(param.type, param.name)).join(', ');
}

function conditionText(conditions: readonly Condition[]): string {
  return conditions.length === 0
    ? ''
    : ` #if ${conditions.map(({ test, holds }) => (holds ? test : `!(${test})`)).join(' && ')}`;
}

function place(span: Span, options: PrintOptions): string {
  return options.spans === true ? ` [${span.start}..${span.end})` : '';
}

function initText(init: Expr | null): string {
  return init === null ? '' : ` = ${printExpr(init)}`;
}

function printStruct(struct: StructIr, options: PrintOptions): string {
  const field = (one: FieldIr): string =>
    `  ${typed(one.type, one.name)}${one.unplaced ? ' unplaced' : ''}${conditionText(one.conditions)}${place(one, options)}`;
  const head = `${struct.keyword} ${struct.name}${struct.complete ? '' : ' incomplete'}${conditionText(struct.conditions)}${place(struct, options)}`;
  return [head, ...struct.fields.map(field)].join('\n');
}

/** One statement and what is inside it, indented by `level`. */
export function printStmt(stmt: Stmt, options: PrintOptions = {}, level = 0): string {
  const indent = '  '.repeat(level);
  const line = (text: string): string => `${indent}${text}${place(stmt, options)}`;
  const inside = (body: readonly Stmt[]): string[] =>
    body.map((one) => printStmt(one, options, level + 1));
  // The block of an if or a loop is its indentation.
  const nested = (body: Stmt): string[] =>
    body.kind === 'block' ? inside(body.body) : inside([body]);
  switch (stmt.kind) {
    case 'expr':
      return line(printExpr(stmt.expr));
    case 'decl':
      return line(
        `${stmt.isStatic ? 'static ' : ''}${typed(stmt.type, stmt.name)}${stmt.cleanup === null ? '' : ` ${stmt.cleansAddress ? '__cleanup' : '__free'}(${stmt.cleanup})`}${initText(stmt.init)}`,
      );
    case 'if': {
      const otherwise = stmt.otherwise === null ? [] : [`${indent}else`, ...nested(stmt.otherwise)];
      return [line(`if ${printExpr(stmt.condition)}`), ...nested(stmt.then), ...otherwise].join(
        '\n',
      );
    }
    case 'loop': {
      const args = stmt.args.map(printExpr).join(', ');
      const init = stmt.init.map((one) => printStmt(one)).join(', ');
      const test = stmt.condition === null ? '' : printExpr(stmt.condition);
      const step = stmt.step === null ? '' : printExpr(stmt.step);
      const heads: Partial<Record<typeof stmt.form, string>> = {
        macro: `loop ${stmt.macro ?? ''}(${args})`,
        for: `for (${init}; ${test}; ${step})`,
      };
      return [line(heads[stmt.form] ?? `${stmt.form} ${test}`), ...nested(stmt.body)].join('\n');
    }
    case 'switch':
      return [line(`switch ${printExpr(stmt.value)}`), ...nested(stmt.body)].join('\n');
    case 'case':
      return line(
        stmt.value === null
          ? 'default:'
          : `case ${printExpr(stmt.value)}${stmt.valueEnd === null ? '' : ` ... ${printExpr(stmt.valueEnd)}`}:`,
      );
    case 'label':
      return line(`${stmt.name}:`);
    case 'goto':
      return line(`goto ${stmt.label}`);
    case 'break':
    case 'continue':
      return line(stmt.kind);
    case 'return':
      return line(stmt.value === null ? 'return' : `return ${printExpr(stmt.value)}`);
    case 'block':
      return [line('block'), ...inside(stmt.body)].join('\n');
    case 'guard':
      return [
        line(
          `${stmt.body === null ? 'guard' : 'scoped'} ${stmt.macro}(${stmt.args.map(printExpr).join(', ')})`,
        ),
        ...(stmt.body === null ? [] : nested(stmt.body)),
      ].join('\n');
    case 'preproc':
      return [
        line('preproc'),
        ...stmt.arms.flatMap((arm) => [
          `${indent} arm${conditionText(arm.conditions)}${place(arm, options)}`,
          ...inside(arm.body),
        ]),
      ].join('\n');
    case 'asm':
      return line(`asm${stmt.isGoto ? ' goto' : ''} <${stmt.names.join(' ')}>`);
    case 'unknown':
      return line(
        `unknown${stmt.opaque ? ' opaque' : ''} <${stmt.names.join(' ')}>${stmt.calls.length === 0 ? '' : ` calls <${stmt.calls.join(' ')}>`}`,
      );
  }
}

/** One expression as text; every operator in parentheses, so that its structure shows. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'name':
      return expr.name;
    case 'number':
    case 'string':
      return expr.text.replace(/\s+/g, ' ');
    case 'member':
      return `${printExpr(expr.base)}${expr.arrow ? '->' : '.'}${expr.field}`;
    case 'index':
      return `${printExpr(expr.base)}[${printExpr(expr.index)}]`;
    case 'unary':
      return `(${expr.op}${printExpr(expr.operand)})`;
    case 'update':
      return expr.prefix
        ? `(${expr.op}${printExpr(expr.operand)})`
        : `(${printExpr(expr.operand)}${expr.op})`;
    case 'binary':
      return `(${printExpr(expr.left)} ${expr.op} ${printExpr(expr.right)})`;
    case 'assign':
      return `(${printExpr(expr.target)} ${expr.op} ${printExpr(expr.value)})`;
    case 'conditional':
      return `(${printExpr(expr.condition)} ?${expr.then === null ? '' : ` ${printExpr(expr.then)} `}: ${printExpr(expr.otherwise)})`;
    case 'call':
      return `${printExpr(expr.callee)}(${expr.args.map(printExpr).join(', ')})`;
    case 'cast':
      return `((${printType(expr.type)})${printExpr(expr.operand)})`;
    case 'sizeof':
      if (expr.type !== null) return `sizeof(${printType(expr.type)})`;
      return `sizeof(${expr.operand === null ? '' : printExpr(expr.operand)})`;
    case 'type':
      return `type ${printType(expr.type)}`;
    case 'initializer':
      return `${expr.complete ? '' : 'incomplete '}{${expr.entries.map((entry) => ` ${entryText(entry)}`).join(',')} }`;
    case 'comma':
      return `(${expr.items.map(printExpr).join(', ')})`;
    case 'statement-expression':
      return `({ ${expr.body.map((stmt) => printStmt(stmt).replace(/\n\s*/g, '; ')).join('; ')} })`;
    case 'unknown':
      return `?<${expr.names.join(' ')}>${expr.calls.length === 0 ? '' : `calls<${expr.calls.join(' ')}>`}`;
  }
}

function entryText(entry: InitializerEntry): string {
  const path = entry.designators.map((name) => (name === '[]' ? name : `.${name}`)).join('');
  return `${path}${path === '' ? '' : ' = '}${printExpr(entry.value)}${conditionText(entry.conditions)}`;
}
