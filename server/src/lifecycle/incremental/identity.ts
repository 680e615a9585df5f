/**
 * The same struct, table or function in two versions of a text, where nothing of it has changed.
 */
import { copyString, movedFrom, shiftSpans } from '../../ir/lower.ts';
import type { FunctionIr, MacroIr, StructIr, VariableIr } from '../../ir/types.ts';
import {
  createLayout,
  frameOf,
  place,
  settle,
  type Frame,
  type Frames,
  type Layout,
} from './stable-spans.ts';
import { expansionOf, type Defined, type ModuleIndex } from '../module/module.ts';
import { originalOf } from '../module/function-scan.ts';

/**
 * Which definition of one version of a module is which of the last: those that an edit has only
 * moved are the same.
 */
export interface Identities {
  /**
   * The function as it was lowered: the same object wherever an edit moves it, and no other
   * function of the module has it.
   */
  rootOf(fn: FunctionIr): FunctionIr;
  /** The definition of today that a root stands for. */
  current(root: FunctionIr): Defined<FunctionIr> | undefined;
  frame(definition: Defined<FunctionIr>): Frame;
  /** Where all frames of the module are in its documents. */
  layout(): Layout;
}

export function identitiesOf(index: ModuleIndex, frames: Frames): Identities {
  const roots = new Map<FunctionIr, FunctionIr>(),
    current = new Map<FunctionIr, Defined<FunctionIr>>();
  for (const allFunction of index.allFunctions) {
    const root = originalOf(allFunction.item);
    // Of two copies of one text, which the lowering takes for one function that moved, the second
    // is a function of its own.
    const own = current.has(root) ? allFunction.item : root;
    roots.set(allFunction.item, own);
    current.set(own, allFunction);
  }
  const files = [...index.module.sources, ...index.module.headers];
  const macros = new Map<
    FunctionIr,
    Defined<FunctionIr> & { readonly macro: MacroIr; readonly text: () => string }
  >();
  for (const file of files) {
    for (const macro of file.macros) {
      const item = expansionOf(macro);
      if (item && !macros.has(item))
        macros.set(item, {
          file,
          item,
          macro,
          text: () => copyString(file.text.slice(macro.start, macro.end)),
        });
    }
  }
  return {
    rootOf: (fn) => roots.get(fn) ?? fn,
    current: (root) => current.get(root) ?? macros.get(root),
    frame: ({ item }) =>
      frameOf(frames, roots.get(item) ?? item, macros.get(item)?.text ?? (() => item.text)),
    layout() {
      const layout = createLayout();
      for (const [root, definition] of current) {
        const frame = frames.byRoot.get(root);
        if (frame) place(layout, frame, definition.item, definition.item.start);
      }
      for (const [item, { macro }] of macros) {
        const frame = frames.byRoot.get(item);
        if (frame) place(layout, frame, standingFor(macro, item), macro.start);
      }
      settle(layout);
      return layout;
    },
  };
}

const moved = new WeakMap<MacroIr, FunctionIr>();

/** The function that stands for a macro, at the place of the macro. */
function standingFor(macro: MacroIr, expansion: FunctionIr): FunctionIr {
  if (macro.start === expansion.start) return expansion;
  let fn = moved.get(macro);
  if (!fn) moved.set(macro, (fn = shiftSpans(expansion, macro.start - expansion.start)));
  return fn;
}

/** The definition as it was lowered. */
export function lowered<T extends StructIr | VariableIr>(item: T): T {
  return movedFrom(item)?.from ?? item;
}
