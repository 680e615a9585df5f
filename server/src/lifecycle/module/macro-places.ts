/**
 * Where the macros of a module are today, by the functions that stand for them: these have the
 * offsets of where their macros were first.
 */
import type { FileIr, FunctionIr, MacroIr } from '../../ir/types.ts';
import type { Module } from '../types.ts';
import { expansionOf, type Defined, type ModuleIndex } from './module.ts';
import type { Outline } from './outline.ts';

/** Positions: of the document in its module, and of the macro there. */
interface MacroPlace {
  readonly file: number;
  readonly macro: number;
}

const known = new WeakMap<Outline, ReadonlyMap<FunctionIr, MacroPlace>>();

/** Those of all versions with one outline. */
function placesIn({ module, outline }: ModuleIndex): ReadonlyMap<FunctionIr, MacroPlace> {
  let places = known.get(outline);
  if (!places) known.set(outline, (places = findPlaces(module)));
  return places;
}

function findPlaces({ sources, headers }: Module): ReadonlyMap<FunctionIr, MacroPlace> {
  const places = new Map<FunctionIr, MacroPlace>();
  for (const [file, { macros }] of [...sources, ...headers].entries())
    for (const [macro, one] of macros.entries()) {
      const item = expansionOf(one);
      if (item && !places.has(item)) places.set(item, { file, macro });
    }
  return places;
}

function macroAt({ sources, headers }: Module, { file, macro }: MacroPlace): Defined<MacroIr> {
  const document: FileIr = sources[file] ?? headers[file - sources.length]!;
  return { file: document, item: document.macros[macro]! };
}

/** The macro of today that a function stands for; undefined for one that is a function. */
export function macroOf(index: ModuleIndex, item: FunctionIr): Defined<MacroIr> | undefined {
  const place = placesIn(index).get(item);
  return place && macroAt(index.module, place);
}

/** The offset at which a function begins today, or the macro that it stands for. */
export function startOf(index: ModuleIndex, item: FunctionIr): number {
  return macroOf(index, item)?.item.start ?? item.start;
}

/** Calls `of` with each function that stands for a macro, and with that. */
export function forEachMacro(
  index: ModuleIndex,
  of: (item: FunctionIr, macro: MacroIr) => void,
): void {
  placesIn(index).forEach((place, item) => of(item, macroAt(index.module, place).item));
}
