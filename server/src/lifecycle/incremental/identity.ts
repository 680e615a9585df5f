/**
 * The same struct, table or function in two versions of a text, where nothing of it has changed.
 */
import { shiftSpans } from '../../ir/lower.ts';
import { copyString } from '../../text/copy.ts';
import type { FunctionIr, MacroIr } from '../../ir/types.ts';
import {
  begin,
  frameOf,
  place,
  settle,
  type Ancestry,
  type Frame,
  type Frames,
  type Layout,
} from './stable-spans.ts';
import { forEachMacro, macroOf } from '../module/macro-places.ts';
import type { Defined, ModuleIndex } from '../module/module.ts';
import { signatureText, type Outline } from '../module/outline.ts';
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
  /** Where all frames of the module are in its documents; good until the next version asks. */
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
  const { allFunctions } = index;
  const own = ownRoots(index);
  const signed = signedIn(index, signatures);
  const signatureOf = (fn: FunctionIr) => {
    const position = index.positionOf(fn);
    return position === undefined ? undefined : signed.list[position]!.signature;
  };
  const ancestryAt = (position: number): Ancestry => ({
    signature: signed.list[position]!.signature,
    isGone: (other) => !own.has(other),
  });
  return {
    signatureOf: (fn) => signatureOf(fn) ?? standingAlone(fn),
    signed(signature) {
      if (signature.macro !== undefined) {
        const macro = macroOf(index, signature.macro);
        return macro && { file: macro.file, item: signature.macro };
      }
      const position = signed.positions.get(signature);
      return position === undefined ? undefined : allFunctions[position]!;
    },
    rootOf(fn) {
      const position = index.positionOf(fn);
      return position === undefined ? fn : own.roots[position]!;
    },
    frame({ item }) {
      const position = index.positionOf(item),
        root = position === undefined ? item : own.roots[position]!;
      const known = frames.byRoot.get(root);
      if (known) return known;
      const ancestry = position === undefined ? undefined : ancestryAt(position);
      return frameOf(frames, root, () => macroText(index, item) ?? item.text, ancestry);
    },
    layout() {
      const { layout } = frames;
      begin(layout);
      for (let i = 0; i < allFunctions.length; i++) {
        const frame = frames.byRoot.get(own.roots[i]!),
          { item } = allFunctions[i]!;
        if (frame) place(layout, frame, item, item.start);
      }
      forEachMacro(index, (item, macro) => {
        const frame = frames.byRoot.get(item);
        if (frame) place(layout, frame, standingFor(macro, item), macro.start);
      });
      settle(layout);
      return layout;
    },
  };
}

/** By position, what each function of a module is known by, which no other one of it is. */
function ownRoots(index: ModuleIndex): {
  readonly roots: readonly FunctionIr[];
  has(root: FunctionIr): boolean;
} {
  if (index.rootPositions() !== null)
    return {
      roots: index.roots,
      has: (root) => index.rootPositions()?.has(root) ?? index.roots.includes(root),
    };
  // Of two copies of one text, which the lowering takes for one function that moved, the second
  // is a function of its own.
  const own = new Set<FunctionIr>();
  const roots = index.allFunctions.map(({ item }, i) => {
    const one = own.has(index.roots[i]!) ? item : index.roots[i]!;
    own.add(one);
    return one;
  });
  return { roots, has: (root) => own.has(root) };
}

/** What the document has where the macro is that a function stands for. */
function macroText(index: ModuleIndex, item: FunctionIr): string | undefined {
  const macro = macroOf(index, item);
  return macro && copyString(macro.file.text.slice(macro.item.start, macro.item.end));
}

/**
 * A function as its callers see it before they ask what it does: its document, name, type,
 * parameters and conditions.
 */
export interface Signature {
  /** Of a function that stands for a macro, which is nothing but its body. */
  readonly macro?: FunctionIr;
}

/** The signatures of the last version of a module, by the positions of its functions. */
export interface Signatures {
  last: {
    readonly outline: Outline;
    roots: readonly FunctionIr[];
    readonly signed: SignedList;
  } | null;
  /** Of functions that the last versions have lost: half a word is no function, and it comes back. */
  readonly gone: Recent<Signed>;
}

interface Signed {
  readonly path: string;
  readonly text: string;
  readonly signature: Signature;
}

interface SignedList {
  readonly list: readonly Signed[];
  readonly positions: ReadonlyMap<Signature, number>;
  readonly byText: ReadonlyMap<string, Signed>;
}

export function createSignatures(): Signatures {
  return { last: null, gone: createRecent() };
}

/** The same signatures, for versions that begin with the last one. */
export function forkSignatures({ last }: Signatures): Signatures {
  return { last: last && { ...last }, gone: createRecent() };
}

/**
 * Gives each function of a version its signature, and remembers them for the next. Versions with
 * one outline have the same ones: nothing but bodies tells them apart.
 */
function signedIn(index: ModuleIndex, signatures: Signatures): SignedList {
  const { outline, roots } = index,
    { last, gone } = signatures;
  if (last?.outline === outline) {
    last.roots = roots;
    return last.signed;
  }
  const before = new Map(last?.roots.map((root, i) => [root, last.signed.list[i]!] as const));
  const signed = signaturesOf(index, before, last?.signed.byText ?? new Map(), gone);
  if (last) gone.take(last.signed.byText, signed.byText);
  signatures.last = { outline, roots, signed };
  return signed;
}

function signaturesOf(
  index: ModuleIndex,
  byRoot: ReadonlyMap<FunctionIr, Signed>,
  lastByText: ReadonlyMap<string, Signed>,
  gone: Recent<Signed>,
): SignedList {
  const byText = new Map<string, Signed>(),
    positions = new Map<Signature, number>();
  const list = index.allFunctions.map(({ file: { path } }, position) => {
    const root = index.roots[position]!,
      before = byRoot.get(root);
    let signed = before?.path === path && !byText.has(before.text) ? before : undefined;
    if (!signed) {
      let text = `${path}\n${signatureText(root)}`;
      // Another function of the same signature is another one all the same.
      while (byText.has(text)) text += '\n';
      signed = lastByText.get(text) ?? gone.get(text) ?? { path, text, signature: {} };
    }
    byText.set(signed.text, signed);
    positions.set(signed.signature, position);
    return signed;
  });
  return { list, positions, byText };
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
