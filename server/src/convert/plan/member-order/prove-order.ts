/**
 * Proves that nobody sees the order of the members of a struct: that no pointer to it, and none to
 * its first member, is taken for a pointer to something else. Denied by default: whatever is done
 * with such a pointer needs a rule here or a row of the kernel's tables.
 */
import type { FileIr, FunctionIr, StructIr } from '../../../ir/types.ts';
import { statementsOf, uncast } from '../../../lifecycle/module/statements.ts';
import {
  findStruct,
  resolveType,
  scopeOf,
  type Scope,
} from '../../../lifecycle/module/types-of.ts';
import type { Module } from '../../../lifecycle/types.ts';
import { isPlain, isStruct, type Deny, type Kind, type Search } from './pointers.ts';
import { judgeStatement } from './uses.ts';

const MAX_ROUNDS = 6;

/** Denies where code of the module may see at which place in `struct` a member stands. */
export function proveOrderUnseen(module: Module, file: FileIr, struct: StructIr, deny: Deny): void {
  const field = struct.fields[0]!;
  const resolved = resolveType(module, file, field.type);
  const tag =
    resolved?.pointers === 0 && findStruct(module, file, resolved.tag) ? resolved.tag : null;
  const search: Search = {
    module,
    struct,
    deny,
    first: { name: field.name, type: field.type, tag },
    shared: module.headers.includes(file),
    aliases: new Map(),
    handedOut: { at: false },
    changed: false,
  };
  const documents = [...module.sources, ...module.headers];
  for (const document of documents) denyUnions(search, document);
  // What a parameter holds is known when all of its callers have been seen.
  const quiet: Search = { ...search, deny: (() => undefined) as never };
  for (let round = 0; round === 0 || quiet.changed; round++) {
    if (round === MAX_ROUNDS)
      deny('its address is passed through too many functions', file, field.statement);
    quiet.changed = false;
    for (const document of documents)
      for (const fn of document.functions) judgeFunction(quiet, document, fn);
  }
  for (const document of documents)
    for (const fn of document.functions) judgeFunction(search, document, fn);
}

/** A union of the struct, or of a pointer to it, with something else. */
function denyUnions(search: Search, document: FileIr): void {
  for (const other of document.structs) {
    for (const field of other.fields) {
      if (
        other === search.struct ||
        !(field.unplaced || other.keyword === 'union') ||
        resolveType(search.module, document, field.type)?.tag !== search.struct.name
      )
        continue;
      search.deny('a union overlays it', document, field.statement);
    }
  }
}

function judgeFunction(search: Search, document: FileIr, fn: FunctionIr): void {
  const scope = scopeOf(search.module, document, fn);
  if (!search.aliases.has(fn)) search.aliases.set(fn, parameterAliases(search, scope));
  for (const { stmt } of statementsOf(fn)) judgeStatement(search, scope, stmt);
}

/** A `void *` parameter or local that the function takes for the struct holds it. */
function parameterAliases(search: Search, scope: Scope): Map<string, Kind> {
  const found = new Map<string, Kind>();
  for (const { stmt } of statementsOf(scope.fn)) {
    if (
      stmt.kind !== 'decl' ||
      !stmt.init ||
      !isStruct(search, resolveType(search.module, scope.file, stmt.type))
    )
      continue;
    const source = uncast(stmt.init);
    if (source.kind === 'name' && isPlain(scope.locals.get(source.name)))
      found.set(source.name, 'object');
  }
  return found;
}
