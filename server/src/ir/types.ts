/**
 * The typed intermediate representation. It is C as the analysis needs it: control flow and calls
 * are exact, types are
 * names, and what was not understood is an `unknown` node that still lists the identifiers in it.
 * Every node carries
 * its span in the original text.
 */
import type { Span } from '../text/span.ts';
import type { Condition } from '../syntax/node.ts';

/** A type as written: `struct foo *` is { tag: 'foo', keyword: 'struct', pointers: 1 }. */
export interface TypeName extends Span {
  /**
   * Tag or typedef name; the last word of a basic type (`int`, `long`). Empty when it was not
   * understood.
   */
  readonly name: string;
  readonly keyword: 'struct' | 'union' | 'enum' | null;
  /** Number of `*`, counted on the declarator too; arrays are counted in `arrays`. */
  readonly pointers: number;
  readonly arrays: number;
}

/**
 * An expression or a statement. One that a macro stands for has the place of the macro's use, and
 * `expansion` says where it is written; what the use gives to the macro is no part of that.
 */
export interface CodeNode extends Span {
  readonly expansion?: Expansion;
}
/** Where the definition of a macro has what stands at a use of it. */
export interface Expansion extends Span {
  readonly macro: string;
  readonly path: string;
  /** What tells the nodes at one use apart, where that is asked for: no offset of a document. */
  readonly identity?: number;
}

export type Expr =
  | NameExpr
  | NumberExpr
  | StringExpr
  | MemberExpr
  | IndexExpr
  | UnaryExpr
  | UpdateExpr
  | BinaryExpr
  | AssignExpr
  | ConditionalExpr
  | CallExpr
  | CastExpr
  | SizeofExpr
  | TypeExpr
  | InitializerExpr
  | CommaExpr
  | StatementExpr
  | UnknownExpr;

/** Also NULL, and a macro without arguments. */
export interface NameExpr extends CodeNode {
  readonly kind: 'name';
  readonly name: string;
}
/**
 * A number, a character, `true` or `false`; `value` is null for what is no integer that fits a
 * double exactly.
 */
export interface NumberExpr extends CodeNode {
  readonly kind: 'number';
  readonly value: number | null;
  readonly text: string;
}
export interface StringExpr extends CodeNode {
  readonly kind: 'string';
  readonly text: string;
}
/** `base.field` or `base->field`. */
export interface MemberExpr extends CodeNode {
  readonly kind: 'member';
  readonly base: Expr;
  readonly arrow: boolean;
  readonly field: string;
  readonly fieldSpan: Span;
}
export interface IndexExpr extends CodeNode {
  readonly kind: 'index';
  readonly base: Expr;
  readonly index: Expr;
}
export interface UnaryExpr extends CodeNode {
  readonly kind: 'unary';
  readonly op: '&' | '*' | '!' | '-' | '~' | '+';
  readonly operand: Expr;
}
export interface UpdateExpr extends CodeNode {
  readonly kind: 'update';
  readonly op: '++' | '--';
  readonly prefix: boolean;
  readonly operand: Expr;
}
/** `&&` and `||` are here too; the control-flow graph splits them where they decide a branch. */
export interface BinaryExpr extends CodeNode {
  readonly kind: 'binary';
  readonly op: string;
  readonly left: Expr;
  readonly right: Expr;
}
export interface AssignExpr extends CodeNode {
  readonly kind: 'assign';
  readonly op: string;
  readonly target: Expr;
  readonly value: Expr;
}
/** `then` is null for GNU `a ?: b`. */
export interface ConditionalExpr extends CodeNode {
  readonly kind: 'conditional';
  readonly condition: Expr;
  readonly then: Expr | null;
  readonly otherwise: Expr;
}
export interface CallExpr extends CodeNode {
  readonly kind: 'call';
  readonly callee: Expr;
  /** The callee's name when it is a plain identifier, else null. */
  readonly name: string | null;
  readonly args: readonly Expr[];
  /** From `(` to `)` inclusive. */
  readonly argsSpan: Span;
}
export interface CastExpr extends CodeNode {
  readonly kind: 'cast';
  readonly type: TypeName;
  readonly operand: Expr;
}
export interface SizeofExpr extends CodeNode {
  readonly kind: 'sizeof';
  readonly type: TypeName | null;
  readonly operand: Expr | null;
}
/** A type as an argument: container_of(x, struct T, m). */
export interface TypeExpr extends CodeNode {
  readonly kind: 'type';
  readonly type: TypeName;
}
export interface InitializerExpr extends CodeNode {
  readonly kind: 'initializer';
  readonly entries: readonly InitializerEntry[];
  readonly complete: boolean;
}
/**
 * `designators` is ['a', 'b'] for `.a.b = value`, empty for a positional entry, ['[]'] for an
 * index.
 */
export interface InitializerEntry extends Span {
  readonly designators: readonly string[];
  readonly value: Expr;
  readonly conditions: readonly Condition[];
}
export interface CommaExpr extends CodeNode {
  readonly kind: 'comma';
  readonly items: readonly Expr[];
}
/** GNU `({ … })`. */
export interface StatementExpr extends CodeNode {
  readonly kind: 'statement-expression';
  readonly body: readonly Stmt[];
}
/**
 * Not understood. `names` are the identifiers inside, in order; `calls` those of them that look
 * like the callee of a call.
 */
export interface UnknownExpr extends CodeNode {
  readonly kind: 'unknown';
  readonly names: readonly string[];
  readonly calls: readonly string[];
}

export type Stmt =
  | ExprStmt
  | DeclStmt
  | IfStmt
  | LoopStmt
  | SwitchStmt
  | CaseStmt
  | LabelStmt
  | GotoStmt
  | JumpStmt
  | ReturnStmt
  | BlockStmt
  | GuardStmt
  | PreprocStmt
  | AsmStmt
  | UnknownStmt;

export interface ExprStmt extends CodeNode {
  readonly kind: 'expr';
  readonly expr: Expr;
}
/**
 * One declarator; `int a = 1, b;` gives two with the same `statement` span. Its own span is from
 * the declarator to the end of its initialiser.
 */
export interface DeclStmt extends CodeNode {
  readonly kind: 'decl';
  readonly name: string;
  readonly nameSpan: Span;
  readonly type: TypeName;
  readonly isStatic: boolean;
  readonly init: Expr | null;
  /** The whole declaration up to and including `;`. */
  readonly statement: Span;
  /**
   * The argument of `__free(x)` or `__cleanup(x)`, if the variable carries one; of a `CLASS()` its
   * name.
   */
  readonly cleanup: string | null;
  /** The cleanup is a function that is given the variable's address: `__cleanup(x)`. */
  readonly cleansAddress: boolean;
  /** Names in the place of attributes, with their arguments: macros of the module or of others. */
  readonly attributes?: readonly string[];
}
/** `conditionSpan` is from `(` to `)` inclusive. */
export interface IfStmt extends CodeNode {
  readonly kind: 'if';
  readonly condition: Expr;
  readonly conditionSpan: Span;
  readonly then: Stmt;
  readonly otherwise: Stmt | null;
}
/**
 * `macro` is the name of a loop macro (list_for_each_entry), whose arguments are then in `args` and
 * whose test is unknown. Any macro in
 * front of a block that is no guard is one, since a loop may run any number of times.
 */
export interface LoopStmt extends CodeNode {
  readonly kind: 'loop';
  readonly form: 'while' | 'do' | 'for' | 'macro';
  readonly macro: string | null;
  readonly args: readonly Expr[];
  readonly init: readonly Stmt[];
  readonly condition: Expr | null;
  readonly step: Expr | null;
  readonly body: Stmt;
}
export interface SwitchStmt extends CodeNode {
  readonly kind: 'switch';
  readonly value: Expr;
  readonly body: Stmt;
}
/**
 * A `case` or (value null) `default` label; the statements it labels follow it in the enclosing
 * block.
 */
export interface CaseStmt extends CodeNode {
  readonly kind: 'case';
  readonly value: Expr | null;
  readonly valueEnd: Expr | null;
}
/** `name:`; the labelled statement follows it in the enclosing block. */
export interface LabelStmt extends CodeNode {
  readonly kind: 'label';
  readonly name: string;
  readonly nameSpan: Span;
}
export interface GotoStmt extends CodeNode {
  readonly kind: 'goto';
  readonly label: string;
  readonly labelSpan: Span;
}
export interface JumpStmt extends CodeNode {
  readonly kind: 'break' | 'continue';
}
export interface ReturnStmt extends CodeNode {
  readonly kind: 'return';
  readonly value: Expr | null;
}
export interface BlockStmt extends CodeNode {
  readonly kind: 'block';
  readonly body: readonly Stmt[];
}
/**
 * scoped_guard(…) { … } (body set) or guard(…)(…); (body null: to the end of the enclosing block).
 * A scoped_cond_guard with a jump
 * is an `if` with an unknown condition between the jump and the guard.
 */
export interface GuardStmt extends CodeNode {
  readonly kind: 'guard';
  readonly macro: string;
  readonly args: readonly Expr[];
  readonly body: Stmt | null;
}
/**
 * An #if chain inside a function. The arms are alternatives; a chain without #else has an empty
 * last arm.
 */
export interface PreprocStmt extends CodeNode {
  readonly kind: 'preproc';
  readonly arms: readonly PreprocArm[];
}
export interface PreprocArm extends Span {
  readonly conditions: readonly Condition[];
  readonly body: readonly Stmt[];
}
export interface AsmStmt extends CodeNode {
  readonly kind: 'asm';
  readonly names: readonly string[];
  readonly isGoto: boolean;
}
/**
 * An ERROR node or a statement not understood. `calls` names what looks like calls in it; control
 * flow may be hidden when `opaque`.
 */
export interface UnknownStmt extends CodeNode {
  readonly kind: 'unknown';
  readonly names: readonly string[];
  readonly calls: readonly string[];
  readonly opaque: boolean;
  /**
   * What a statement that is being typed may become: the test of an if or a loop, or a call, of
   * whose absence nobody can complain yet; or the end of a block that only its indentation shows.
   * Absent where it is none of these.
   */
  readonly hides?: 'test' | 'call' | 'end';
  /** The variables among `names` may have other values after it. */
  readonly mayWrite?: true;
}

export interface Param extends Span {
  readonly name: string;
  readonly type: TypeName;
}

/** A function definition. */
export interface FunctionIr extends Span {
  readonly kind: 'function';
  readonly name: string;
  readonly nameSpan: Span;
  readonly returnType: TypeName;
  readonly params: readonly Param[];
  readonly isStatic: boolean;
  readonly isInline: boolean;
  readonly body: BlockStmt;
  readonly conditions: readonly Condition[];
  /** An ERROR inside that may hide control flow: analyse, but be certain of nothing. */
  readonly opaque: boolean;
  /** The source text; spans inside are absolute, so a cache keyed by it must also shift them. */
  readonly text: string;
  /** The macro that this is instead of. */
  readonly macro?: MacroIr;
}

/**
 * A struct or union definition with a tag. Members of anonymous structs and unions are listed in
 * place.
 */
export interface StructIr extends Span {
  readonly kind: 'struct';
  readonly keyword: 'struct' | 'union';
  readonly name: string;
  readonly fields: readonly FieldIr[];
  readonly conditions: readonly Condition[];
  /** False when an ERROR or an #if inside may hide fields. */
  readonly complete: boolean;
  /** The body from `{` to `}` inclusive. */
  readonly bodySpan: Span;
}
export interface FieldIr extends Span {
  readonly name: string;
  readonly type: TypeName;
  /** Index of the declaration inside the body; fields of `int a, b;` share the statement span. */
  readonly statement: Span;
  /**
   * A bit-field, or inside an anonymous union or a nested struct: its offset is not that of its
   * position.
   */
  readonly unplaced: boolean;
  readonly conditions: readonly Condition[];
}

/** A variable at file scope; ops and driver tables are those whose init is an initializer. */
export interface VariableIr extends Span {
  readonly kind: 'variable';
  readonly name: string;
  readonly nameSpan: Span;
  readonly type: TypeName;
  readonly isStatic: boolean;
  readonly isConst: boolean;
  readonly isExtern: boolean;
  readonly init: Expr | null;
  readonly conditions: readonly Condition[];
}

/**
 * A function-like or object-like #define. `body` is the expression it stands for, or null when it
 * is none, or a constant. `statements` are what a body of statements stands for (`do { … } while
 * (0)`), else null. Spans are those of the definition; the parameters are plain names, and `$`
 * keeps the parts of a pasted name apart.
 */
export interface MacroIr extends Span {
  readonly kind: 'macro';
  readonly name: string;
  readonly params: readonly string[] | null;
  /** What stands for the arguments after the last that has a name: `__VA_ARGS__`, or its own. */
  readonly rest: string | null;
  readonly body: Expr | null;
  readonly statements: readonly Stmt[] | null;
  /** What stands for a table in braces, or for some of its members without them. */
  readonly table?: InitializerExpr;
  /** With blanks in the place of comments. */
  readonly bodyText: string;
  /** Where that begins, counted from the start of the definition. */
  readonly bodyOffset: number;
  readonly conditions: readonly Condition[];
}
export interface IncludeIr extends Span {
  readonly kind: 'include';
  readonly path: string;
  readonly quoted: boolean;
  readonly conditions: readonly Condition[];
}
/** A function declaration without a body. */
export interface PrototypeIr extends Span {
  readonly kind: 'prototype';
  readonly name: string;
  readonly nameSpan: Span;
  readonly returnType: TypeName;
  readonly params: readonly Param[];
  readonly isStatic: boolean;
  readonly conditions: readonly Condition[];
}
/** A macro invocation at file scope: module_pci_driver(x), EXPORT_SYMBOL_GPL(x). */
export interface FileMacroIr extends Span {
  readonly kind: 'file-macro';
  readonly name: string;
  readonly args: readonly string[];
}
export interface CommentIr extends Span {
  readonly text: string;
}

/** One lowered document. */
export interface FileIr {
  readonly path: string;
  readonly text: string;
  readonly functions: readonly FunctionIr[];
  readonly structs: readonly StructIr[];
  readonly variables: readonly VariableIr[];
  readonly macros: readonly MacroIr[];
  readonly includes: readonly IncludeIr[];
  readonly prototypes: readonly PrototypeIr[];
  readonly fileMacros: readonly FileMacroIr[];
  readonly comments: readonly CommentIr[];
  /** `typedef struct foo foo_t;` as foo_t → foo. */
  readonly typedefs: ReadonlyMap<string, TypeName>;
  /** Stretches at file scope that were not understood. */
  readonly lost: readonly Span[];
  /** Top-level items whose lowering failed, with the reason. Missing where there are none. */
  readonly failed?: readonly (Span & { readonly reason: string })[];
}
