/**
 * The same struct, table or function in two versions of a text, where nothing of it has changed.
 */
import { movedFrom, shiftSpans } from '../../ir/lower.ts';
import { copyString } from '../../text/copy.ts';
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
import { signatureText } from '../module/outline.ts';
import { createRecent, type Recent } from './recent.ts';

/**
 * Which definition of one version of a module is which of the last: those that an edit has only
 * moved are the same.
 */
export interface Identities {
  /** What callers know a function by: the same object wherever it is moved and whatever its body. */
  signatureOf(fn: FunctionIr): Signature;
  /** The definition of today that has a signature. */
  signed(signature: Signature): Defined<FunctionIr> | undefined;
  /**
   * The function as it was lowered: the same object wherever an edit moves it, and no other
   * function of the module has it.
   */
  rootOf(fn: FunctionIr): FunctionIr;
  frame(definition: Defined<FunctionIr>): Frame;
  /** Where all frames of the module are in its documents. */
  layout(): Layout;
}

/**
 * @param signatures of the last version, which are taken over where they are the same.
 */
export function identitiesOf(
  index: ModuleIndex,
  frames: Frames,
  signatures: Signatures,
): Identities {
  const roots = new Map<FunctionIr, FunctionIr>(),
    current = new Map<FunctionIr, Defined<FunctionIr>>();
  const signing = signaturesOf(index, signatures);
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
    signatureOf: (fn) => signing.byFunction.get(fn) ?? standingAlone(fn),
    signed: (signature) =>
      signing.definitions.get(signature) ??
      (signature.macro === undefined ? undefined : macros.get(signature.macro)),
    rootOf: (fn) => roots.get(fn) ?? fn,
    frame({ item }) {
      const root = roots.get(item),
        signature = signing.byFunction.get(item);
      return frameOf(
        frames,
        root ?? item,
        macros.get(item)?.text ?? (() => item.text),
        root && signature && { signature, isGone: (other) => !current.has(other) },
      );
    },
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

/**
 * A function as its callers see it before they ask what it does: its document, name, type,
 * parameters and conditions.
 */
export interface Signature {
  /** Of a function that stands for a macro, which is nothing but its body. */
  readonly macro?: FunctionIr;
}

/** The signatures of the last version of a module, by the functions as they were lowered and by their text. */
export interface Signatures {
  byRoot: ReadonlyMap<FunctionIr, Signed>;
  byText: ReadonlyMap<string, Signed>;
  /** Of functions that the last versions have lost: half a word is no function, and it comes back. */
  readonly gone: Recent<Signed>;
}

interface Signed {
  readonly path: string;
  readonly text: string;
  readonly signature: Signature;
}

export function createSignatures(): Signatures {
  return { byRoot: new Map(), byText: new Map(), gone: createRecent() };
}

interface Signing {
  readonly byFunction: ReadonlyMap<FunctionIr, Signature>;
  readonly definitions: ReadonlyMap<Signature, Defined<FunctionIr>>;
}

/** Gives each function of a version its signature, and remembers them for the next. */
function signaturesOf(index: ModuleIndex, last: Signatures): Signing {
  const byRoot = new Map<FunctionIr, Signed>(),
    byText = new Map<string, Signed>(),
    byFunction = new Map<FunctionIr, Signature>(),
    definitions = new Map<Signature, Defined<FunctionIr>>();
  for (const definition of index.allFunctions) {
    const { path } = definition.file,
      root = originalOf(definition.item),
      before = last.byRoot.get(root);
    let signed = before?.path === path && !byText.has(before.text) ? before : undefined;
    if (!signed) {
      let text = `${path}\n${signatureText(root)}`;
      // Another function of the same signature is another one all the same.
      while (byText.has(text)) text += '\n';
      signed = last.byText.get(text) ?? last.gone.get(text) ?? { path, text, signature: {} };
    }
    byRoot.set(root, signed);
    byText.set(signed.text, signed);
    byFunction.set(definition.item, signed.signature);
    definitions.set(signed.signature, definition);
  }
  last.gone.take(last.byText, byText);
  last.byRoot = byRoot;
  last.byText = byText;
  return { byFunction, definitions };
}

const alone = new WeakMap<FunctionIr, Signature>();

function standingAlone(fn: FunctionIr): Signature {
  let signature = alone.get(fn);
  if (!signature) alone.set(fn, (signature = { macro: fn }));
  return signature;
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
