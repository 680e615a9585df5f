/** The tables of a module as the compiler sees them, with what macros write of them. */
import { expandTable } from '../../ir/expand-table.ts';
import { expandStatement } from '../../ir/expand.ts';
import type {
  DeclStmt,
  Expr,
  FileIr,
  FileMacroIr,
  InitializerExpr,
  Stmt,
  VariableIr,
} from '../../ir/types.ts';
import { walkStmt } from '../../ir/visit.ts';
import type { ModuleIndex } from './module.ts';
import type { Outline } from './outline.ts';

/** A variable with an initialiser in braces. */
export interface WrittenTable {
  readonly file: FileIr;
  readonly variable: VariableIr;
  /**
   * With the members that macros bring, which have the place of the macro's use. Asked for where the
   * table has moved, it is copied.
   */
  readonly init: InitializerExpr;
  /** Whether a macro writes any of it: nothing can be added to its text. */
  readonly isByMacro: boolean;
}

const known = new WeakMap<ModuleIndex, readonly WrittenTable[]>();

/**
 * All tables of a module: those that are written out, those that a macro writes in all or in part
 * (`= FOO_OPS(open)`, `FOO_COMMON_OPS,`), and those that a macro declares (`FOO_DEFINE_OPS(bar);`).
 */
export function writtenTables(index: ModuleIndex): readonly WrittenTable[] {
  let tables = known.get(index);
  if (!tables) {
    const files = [...index.module.sources, ...index.module.headers];
    known.set(
      index,
      (tables = writersOf(index, files).flatMap((writer) =>
        tablesOf(index, files[writer.file]!, writer),
      )),
    );
  }
  return tables;
}

/** A variable, or the use of a macro, that may be a table or declare one, by positions. */
interface Writer {
  readonly file: number;
  readonly variable: number;
  readonly use: number;
  /** No macro writes anything of it. */
  readonly isWrittenOut: boolean;
}

const writers = new WeakMap<Outline, readonly Writer[]>();

/** The same ones for all versions of a module with one outline: few variables are tables. */
function writersOf(index: ModuleIndex, files: readonly FileIr[]): readonly Writer[] {
  let list = writers.get(index.outline);
  if (!list) writers.set(index.outline, (list = findWriters(index, files)));
  return list;
}

function findWriters(index: ModuleIndex, files: readonly FileIr[]): readonly Writer[] {
  return files.flatMap((file, at) => {
    const found: Writer[] = [];
    for (const [variable, { init, start }] of file.variables.entries()) {
      const table = init && written(index, file, init, start);
      if (table?.kind === 'initializer')
        found.push({ file: at, variable, use: -1, isWrittenOut: table === init });
    }
    for (const [use, one] of file.fileMacros.entries())
      if (mayDeclare(index, file, one))
        found.push({ file: at, variable: -1, use, isWrittenOut: false });
    return found;
  });
}

function tablesOf(
  index: ModuleIndex,
  file: FileIr,
  { variable: at, use: useAt, isWrittenOut }: Writer,
): WrittenTable[] {
  if (at < 0) {
    const use = file.fileMacros[useAt]!;
    return declaredBy(index, file, use).flatMap((variable): WrittenTable[] => {
      const init = variable.init && written(index, file, variable.init, use.start);
      return init?.kind === 'initializer' ? [{ file, variable, init, isByMacro: true }] : [];
    });
  }
  const variable = file.variables[at]!;
  if (isWrittenOut)
    return [
      {
        file,
        variable,
        get init() {
          return variable.init as InitializerExpr;
        },
        isByMacro: false,
      },
    ];
  const init = written(index, file, variable.init!, variable.start);
  return init.kind === 'initializer'
    ? [{ file, variable, init, isByMacro: init !== variable.init }]
    : [];
}

function written(index: ModuleIndex, file: FileIr, init: Expr, at: number): Expr {
  return expandTable(init, (name) => index.macros(file, name, at).map(({ item }) => item));
}

/** The variables that a macro at file scope declares, if it may. */
function declaredBy(index: ModuleIndex, file: FileIr, use: FileMacroIr): VariableIr[] {
  const at = { start: use.start, end: use.end };
  const callee: Expr = { kind: 'name', name: use.name, ...at };
  const args = use.args.map((text): Expr =>
    /^[A-Za-z_]\w*$/.test(text)
      ? { kind: 'name', name: text, ...at }
      : { kind: 'string', text, ...at },
  );
  const stmt = expandStatement(
    {
      kind: 'expr',
      ...at,
      expr: { kind: 'call', ...at, callee, name: use.name, args, argsSpan: at },
    },
    new Set(),
    {
      macrosOf: (name) =>
        index
          .macros(file, name, use.start)
          .map((found) => ({ path: found.file.path, macro: found.item })),
      functionsOf: () => [],
      identities: null,
    },
  );
  const declared: VariableIr[] = [];
  walkStmt(stmt, (inner) => {
    if (inner.kind === 'decl') declared.push(variableOf(inner, use));
  });
  return declared;
}

/**
 * Whether a macro of the module, or one that it leads to, stands for statements that declare
 * something. Most uses at file scope define functions, which stand for none.
 */
function mayDeclare(index: ModuleIndex, file: FileIr, { name, start }: FileMacroIr): boolean {
  const names = new Set([name]);
  // A set hands out what is added to it while it is walked.
  for (const one of names)
    for (const { item } of index.macros(file, one, start)) {
      if (item.statements === null) continue;
      // Of pasted parts nobody knows which macro they name.
      if (item.bodyText.includes('##') || item.statements.some(declares)) return true;
      for (const [word] of item.bodyText.matchAll(/[A-Za-z_]\w*/g)) names.add(word);
    }
  return false;
}

function declares(stmt: Stmt): boolean {
  let found = false;
  walkStmt(stmt, (inner) => {
    if (inner.kind === 'decl') found = true;
  });
  return found;
}

function variableOf({ name, type, isStatic, init }: DeclStmt, use: FileMacroIr): VariableIr {
  const at = { start: use.start, end: use.end };
  // A macro that declares a table is used once for each: none is changed at run time by its name.
  const rest = { isConst: false, isExtern: false, conditions: [] };
  return { kind: 'variable', ...at, name, nameSpan: at, type, isStatic, init, ...rest };
}
