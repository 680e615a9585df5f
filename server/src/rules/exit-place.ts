/**
 * Where a path leaves a function, as a person sees it: at a return, at the use of a macro that
 * returns, or at the end.
 */
import type { Span } from '../text/span.ts';
import type { CallExpr, FunctionIr, ReturnStmt } from '../ir/types.ts';
import { leavingNames } from '../lifecycle/module/expand.ts';
import type { ModuleFacts, Site } from '../lifecycle/types.ts';
import { callAt, documentOf, walk } from './locate.ts';
import { indexOf } from './members.ts';
import type { Finding } from './types.ts';

export type ExitPlace =
  | { readonly kind: 'return'; readonly statement: ReturnStmt }
  /**
   * A function-like macro of the module that returns: `CHECK_RET(ret);`. The return itself stands
   * in its definition.
   */
  | { readonly kind: 'macro'; readonly use: CallExpr; readonly name: string }
  | { readonly kind: 'end' };

/** What stands in a function at the place where a path leaves it. */
export function exitPlaceOf(facts: ModuleFacts, fn: FunctionIr, returns: Span): ExitPlace {
  const statement = returnAt(fn, returns);
  if (statement !== null) return { kind: 'return', statement };
  const use = callAt(fn.body, returns);
  const isUse =
    use !== null &&
    use.name !== null &&
    use.start === returns.start &&
    use.end === returns.end &&
    leavingNames(facts.module).has(use.name);
  return isUse ? { kind: 'macro', use, name: use.name } : { kind: 'end' };
}

/**
 * The return statement at a place, or null when the path leaves by a macro or falls off the end of
 * the function.
 */
export function returnAt(fn: FunctionIr, place: Span): ReturnStmt | null {
  for (const node of walk(fn.body))
    if (node.kind === 'return' && node.start === place.start && node.end === place.end) return node;
  return null;
}

/**
 * Where a finding about a path's end stands: at the return or at the use of the macro, else at the
 * function's name.
 */
export function siteOfExit(facts: ModuleFacts, fn: FunctionIr, returns: Site): Site {
  return exitPlaceOf(facts, fn, returns).kind === 'end'
    ? { path: returns.path, start: fn.nameSpan.start, end: fn.nameSpan.end }
    : returns;
}

/**
 * Whether a path leaves before the end of the function: not by its last statement, and not by
 * falling off.
 */
export function isEarlyExit(facts: ModuleFacts, fn: FunctionIr, returns: Span): boolean {
  const place = exitPlaceOf(facts, fn, returns);
  return (
    place.kind === 'macro' || (place.kind === 'return' && fn.body.body.at(-1) !== place.statement)
  );
}

/**
 * The definition of the macro that a path leaves by, as related information; nothing for any other
 * path.
 */
export function macroNotes(facts: ModuleFacts, fn: FunctionIr, returns: Span): Finding['related'] {
  const place = exitPlaceOf(facts, fn, returns);
  const file = documentOf(facts.module, fn);
  const macro =
    place.kind === 'macro' && file !== null
      ? indexOf(facts.module, facts.kernel).macro(file, place.name)
      : null;
  return macro === null
    ? []
    : [
        {
          site: { path: macro.file.path, start: macro.item.start, end: macro.item.end },
          message: `${macro.item.name}() returns from the function that uses it`,
        },
      ];
}
