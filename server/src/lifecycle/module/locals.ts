/** The variables of one function and their types. */
import type { FunctionIr, TypeName } from '../../ir/types.ts';
import { walkStmt } from '../../ir/visit.ts';
import { foundIn } from './statements.ts';

/**
 * The types of parameters and locals by name; null where one name stands for variables of different
 * types in different blocks.
 */
export function localsOf(fn: FunctionIr): ReadonlyMap<string, TypeName | null> {
  return foundIn(fn, findLocals);
}

function findLocals(fn: FunctionIr): ReadonlyMap<string, TypeName | null> {
  const locals = new Map<string, TypeName | null>();
  for (const param of fn.params) locals.set(param.name, param.type);
  walkStmt(fn.body, (decl) => {
    if (decl.kind !== 'decl') return;
    const known = locals.get(decl.name);
    const same =
      known === undefined ||
      (known !== null && known.name === decl.type.name && known.pointers === decl.type.pointers);
    locals.set(decl.name, same ? decl.type : null);
  });
  return locals;
}
