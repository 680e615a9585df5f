/** The variables of one function and their types. */
import type { FunctionIr, TypeName } from '../../ir/types.ts';
import { statementsOf } from './statements.ts';

/**
 * The types of parameters and locals by name; null where one name stands for variables of different
 * types in different blocks.
 */
export function localsOf(fn: FunctionIr): Map<string, TypeName | null> {
  const locals = new Map<string, TypeName | null>();
  for (const param of fn.params) locals.set(param.name, param.type);
  for (const { stmt } of statementsOf(fn)) {
    const statements = stmt.kind === 'loop' ? stmt.init : [stmt];
    for (const decl of statements) {
      if (decl.kind !== 'decl') continue;
      const known = locals.get(decl.name);
      const same =
        known === undefined ||
        (known !== null && known.name === decl.type.name && known.pointers === decl.type.pointers);
      locals.set(decl.name, same ? decl.type : null);
    }
  }
  return locals;
}
