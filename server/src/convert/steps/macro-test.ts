/**
 * A macro of the driver that tests an allocation and leaves the function: its use becomes the test
 * that it stands for.
 */
import type { Edit } from '../../text/span.ts';
import type { CallExpr, Expr, FileIr, MacroIr, Stmt } from '../../ir/types.ts';
import { leaves } from '../plan/null-test.ts';
import { indentAt } from '../rewrite/layout.ts';
import { uncast } from '../../lifecycle/module/statements.ts';
import { argumentTexts, withArguments } from './macro-text.ts';
import { branchOfNone, testOf, testText, type Allocated } from './allocation-test.ts';

/**
 * Edits that write the macro out where it is used; null where no such macro follows, or one that
 * does more.
 */
export function macroTest(one: Allocated): Edit[] | null {
  const { module, file, variable } = one;
  const found = testOf(one);
  const use =
    found?.test.kind === 'expr' && found.test.expr.kind === 'call' ? found.test.expr : null;
  if (!found || !use) return null;
  const at = use.args.findIndex((arg) => {
    const value = uncast(arg);
    return value.kind === 'name' && value.name === variable;
  });
  const homes = [file, ...module.headers].filter((home) =>
    home.macros.some((macro) => macro.name === use.name),
  );
  const macros = homes.flatMap((home) => home.macros.filter((macro) => macro.name === use.name));
  const [macro] = macros;
  if (!macro || macros.length !== 1 || at < 0 || macro.params?.length !== use.args.length)
    return null;
  const lines = linesOf(homes[0]!, macro, macro.params[at]!, file, use);
  return (
    lines && [
      {
        span: found.test,
        newText: testText(file.text, indentAt(file.text, found.test.start), variable, lines),
      },
    ]
  );
}

/**
 * The statements under the macro's one test, with the arguments of its use; null where it does
 * anything else.
 */
function linesOf(
  home: FileIr,
  macro: MacroIr,
  tested: string,
  file: FileIr,
  use: CallExpr,
): readonly string[] | null {
  let body: readonly Stmt[] = macro.statements ?? [];
  for (;;) {
    const [only] = body;
    if (body.length !== 1 || !only) return null;
    if (only.kind === 'block') body = only.body;
    else if (only.kind === 'loop' && only.form === 'do' && isZero(only.condition))
      body = only.body.kind === 'block' ? only.body.body : [only.body];
    else break;
  }
  const [test] = body;
  if (
    test?.kind !== 'if' ||
    test.otherwise ||
    branchOfNone(test.condition, tested) !== 'then' ||
    !leaves(test.then)
  )
    return null;
  const list = test.then.kind === 'block' ? test.then.body : [test.then];
  const isPlain = list.every((stmt, index) =>
    index === list.length - 1 ? leaves(stmt) : stmt.kind === 'expr',
  );
  if (!isPlain) return null;
  const values = argumentTexts(macro, file, use);
  return list.map((stmt) => withArguments(home, stmt, values));
}

function isZero(condition: Expr | null): boolean {
  return condition?.kind === 'number' && condition.value === 0;
}
