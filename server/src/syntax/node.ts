/** The types of the syntax tree. */
import type { Difference } from '../text/common.ts';
import type { Span } from '../text/span.ts';

/**
 * One node of a syntax tree as plain data. Offsets are zero-based UTF-16 code units and are the
 * same in the original
 * and in the masked text. Plain data rather than parser handles, so that nothing outside syntax/
 * can leak a tree.
 */
export interface SyntaxNode extends Span {
  /**
   * The grammar's name of the node (`call_expression`), or the token itself for anonymous nodes.
   */
  readonly type: string;
  readonly named: boolean;
  /** The field of the parent that this node fills (`function`, `body`), if any. */
  readonly field: string | undefined;
  /** The parser inserted this token; its span is empty. */
  readonly missing: boolean;
  readonly children: readonly SyntaxNode[];
}

/**
 * What the mask did to one stretch of text, so that lowering can recover what the parser no longer
 * sees.
 */
export interface MaskNote extends Span {
  readonly kind:
    | 'type-keyword' // the whole type that is a macro argument, of which the parser sees one identifier: container_of(x, struct T, m)
    | 'annotation' // __user, __init, __free(x) and their like, blanked; also the parenthesis of typeof(x) and an `offsetof` that is no C operator
    | 'attribute-macro' // a name in the place of an attribute of a local variable, with its arguments, blanked
    | 'loop-macro' // the name in list_for_each_entry(…) { … }, for which the parser sees `while`
    | 'block-macro' // the name in scoped_guard(…) { … }, for which the parser sees `if`; a jump that is a macro argument
    | 'case-range' // the end of case A ... B:, from the dots on
    | 'file-macro' // module_init(x), MODULE_LICENSE("GPL"); and their like at file scope, with their semicolon
    | 'field-macro' // DECLARE_BITMAP(a, n) and struct_group(…) among fields; static DEFINE_X(a, …) in a function
    | 'directive' // a preprocessor line in an initialiser; conditionsAt() of conditions.ts tells what it means for an entry
    | 'label' // the colon of a label in front of a directive or a closing brace; the parser sees a statement, `name;`
    | 'unfinished' // a line whose end is not typed yet, or the blank behind it; the parser sees an empty statement, or `;` or `,` in the blank
    | 'open-block' // the blank or the semicolon for which the parser sees the brace of a block that only its indentation closes
    | 'comment' // one that nothing closes, up to the end of the text, or one inside of a macro
    // An #if chain that cuts a statement or an argument list: its directives and all arms but the
    // first, of which nothing is seen. What stands around it is one configuration only.
    | 'split';
  /** The original text of the stretch. */
  readonly text: string;
}

/**
 * One arm of an #if chain that encloses an item: the chain's test as written, and whether this arm
 * is where it holds.
 */
export interface Condition {
  /**
   * Normalised text: `CONFIG_X` for #ifdef CONFIG_X, the expression for #if. Equal text means the
   * same test.
   */
  readonly test: string;
  readonly holds: boolean;
}

/**
 * A declaration, definition or directive at file scope; #if chains around it are flattened into
 * `conditions`.
 */
export interface TopLevelItem extends Span {
  readonly type: string;
  readonly hasError: boolean;
  /**
   * The macro of an include guard is no condition. A function inside an ERROR item or an unfinished
   * function follows that item as an item of its own.
   */
  readonly conditions: readonly Condition[];
  /**
   * The same object in a tree and in one that was parsed from it: the parser took the item over as
   * it was.
   */
  readonly identity: object;
  /**
   * Builds the plain tree of this item; costs in proportion to the item. @throws when the tree is
   * disposed.
   */
  node(): SyntaxNode;
}

/** A parsed document. */
export interface SyntaxTree {
  readonly text: string;
  /** Same length as `text`: what the parser saw. Never the source of an edit. */
  readonly masked: string;
  /** Sorted by start. */
  readonly notes: readonly MaskNote[];
  /** Another object for each tree, which says who it is and keeps nothing of it. */
  readonly version?: object;
  /** The tree that it was parsed from, and the one stretch outside of which both texts are equal. */
  readonly since?: { readonly version: object; readonly difference: Difference };
  /**
   * Why the text was not parsed (it is too large, or the parser gave up); the tree is then one
   * ERROR item.
   */
  readonly limit?: string;
  items(): readonly TopLevelItem[];
  /** The whole tree as an S-expression with offsets, for `dump --stage tree`. */
  print(): string;
  /** Frees the parser's memory. Idempotent. Every tree has one owner, who calls this. */
  dispose(): void;
}

/** The parser: one per process. */
export interface SyntaxParser {
  /**
   * Parses `text`; with `previous` (which stays valid and owned by its owner) incrementally from
   * the one difference between the texts. Never throws on any text.
   */
  parse(text: string, previous?: SyntaxTree): SyntaxTree;
}
