/** Tables that macros of the module write: all of one, or some of its members. */
import { append } from '../text/lists.ts';
import { argumentsOf, substitute } from './substitute.ts';
import type { Expr, InitializerEntry, InitializerExpr, MacroIr } from './types.ts';

/** A macro that uses others, that use others: nobody goes further. */
const MAX_DEPTH = 8;
/** More members than any table of the kernel has. */
const MAX_ENTRIES = 1_000;

/**
 * An initialiser with the members that macros bring. They stand where the macro is used.
 * @param macrosOf the macros of a name, of which each configuration has one
 * @returns `init` itself when no macro writes any of it; what cannot be written out stays.
 */
export function expandTable(init: Expr, macrosOf: (name: string) => readonly MacroIr[]): Expr {
  return tableOf(init, macrosOf, 0) ?? init;
}

type MacrosOf = (name: string) => readonly MacroIr[];

function tableOf(init: Expr, macrosOf: MacrosOf, depth: number): InitializerExpr | null {
  if (init.kind === 'initializer') return withMembers(init, macrosOf, depth);
  const entries = entriesOf(init, macrosOf, depth, 'braces');
  return entries === null
    ? null
    : { kind: 'initializer', start: init.start, end: init.end, entries, complete: true };
}

function withMembers(
  init: InitializerExpr,
  macrosOf: MacrosOf,
  depth: number,
): InitializerExpr | null {
  let isChanged = false;
  const entries = init.entries.flatMap((entry): readonly InitializerEntry[] => {
    if (entry.designators.length > 0) {
      const value = entry.value.kind === 'initializer' ? entry.value : null;
      const inner = value === null ? null : withMembers(value, macrosOf, depth);
      if (inner === null) return [entry];
      isChanged = true;
      return [{ ...entry, value: inner }];
    }
    const members = entriesOf(entry.value, macrosOf, depth, 'none');
    if (members === null) return [entry];
    isChanged = true;
    return members.map((one) => ({ ...one, conditions: [...entry.conditions, ...one.conditions] }));
  });
  return isChanged ? { ...init, entries: entries.slice(0, MAX_ENTRIES) } : null;
}

/** The members that one use of a macro brings: of a table in braces, or of those around it. */
function entriesOf(
  use: Expr,
  macrosOf: MacrosOf,
  depth: number,
  form: 'braces' | 'none',
): InitializerEntry[] | null {
  const name = use.kind === 'name' || use.kind === 'call' ? use.name : null;
  if (name === null || depth > MAX_DEPTH) return null;
  const macros = macrosOf(name);
  const entries: InitializerEntry[] = [];
  for (const macro of macros) {
    if (isInBraces(macro) !== (form === 'braces')) return null;
    const table = writtenAt(use, macro);
    const whole = table && (withMembers(table, macrosOf, depth + 1) ?? table);
    if (!whole?.complete) return null;
    append(
      entries,
      whole.entries.map((one) => ({
        ...one,
        conditions: [...macro.conditions, ...one.conditions],
      })),
    );
  }
  return macros.length === 0 ? null : entries;
}

function isInBraces({ bodyText }: MacroIr): boolean {
  return bodyText.startsWith('{');
}

/** A macro's table at one use of it; null when it is none, or cannot be written out. */
function writtenAt(use: Expr, macro: MacroIr): InitializerExpr | null {
  const args = use.kind === 'call' ? use.args : [];
  if (macro.table === undefined || (macro.params === null) === (use.kind === 'call')) return null;
  const given = argumentsOf(macro, args);
  const at = { start: use.start, end: use.end };
  return given && substitute(macro.table, { at, ...given, renamed: new Map(), placed: () => at });
}
