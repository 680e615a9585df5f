/** Parts of a macro as text at one use of it. */
import type { CallExpr, Expr, FileIr, MacroIr, Stmt } from '../../ir/types.ts';
import { allExpressions, expressionsIn } from '../../lifecycle/module/statements.ts';
import { plain } from '../plan/arguments.ts';

/** The texts of the arguments of a use, by the macro's parameters. */
export function argumentTexts(
  macro: MacroIr,
  file: FileIr,
  use: CallExpr,
): ReadonlyMap<string, string> {
  return new Map(
    (macro.params ?? []).map((name, index) => {
      const { start, end } = use.args[index]!;
      return [name, plain(file.text.slice(start, end))];
    }),
  );
}

/** The text of a part of a macro on one line, its parameters replaced. */
export function withArguments(
  home: FileIr,
  part: Stmt | Expr,
  values: ReadonlyMap<string, string>,
): string {
  const names = expressionsOf(part).flatMap((expr) =>
    expr.kind === 'name' && values.has(expr.name)
      ? [{ start: expr.start, end: expr.end, name: expr.name }]
      : [],
  );
  if (part.kind === 'goto' && values.has(part.label))
    names.push({ ...part.labelSpan, name: part.label });
  let text = '';
  let at = part.start;
  for (const { start, end, name } of names.sort((left, right) => left.start - right.start)) {
    const value = values.get(name)!;
    const isWrapped =
      home.text[start - 1] === '(' &&
      home.text[end] === ')' &&
      !/[\w)]$/.test(home.text.slice(at, start - 1)) &&
      /^-?\w+$/.test(value);
    text += isWrapped ? home.text.slice(at, start - 1) + value : home.text.slice(at, start) + value;
    at = isWrapped ? end + 1 : end;
  }
  return plain((text + home.text.slice(at, part.end)).replace(/\\(?=\r?\n)/g, ' '));
}

const STATEMENTS: ReadonlySet<string> = new Set<Stmt['kind']>(['expr', 'return', 'goto']);

/** The last statements of a branch, and what stands in front of them, are of these kinds. */
function expressionsOf(part: Stmt | Expr): readonly Expr[] {
  return STATEMENTS.has(part.kind) ? allExpressions(part as Stmt) : expressionsIn(part as Expr);
}
