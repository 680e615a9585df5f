/** The mask for macros in the place of statements, declarations and fields. */
import { blank, isPunctuation, replaceWord, tokenText, type MaskState } from './mask-state.ts';
import { BLOCK_MACROS, FIELD_GROUPS, FIELD_MACROS, LOOP_NAME, Word } from './mask-tables.ts';
import { CHAR, Kind } from './tokens.ts';

/** A declaration has few words before its name; the bound keeps the mask linear. */
const MAX_HEAD_TOKENS = 32;

/**
 * A macro that takes a statement, in a function at the start of a statement. Returns whether the
 * argument list at index + 1 is now
 * a condition. A plain call that ends in `;` is left alone, whatever its name.
 */
export function maskStatementMacro(state: MaskState, index: number): boolean {
  const {
    tokens: { kinds, starts, ends, partners },
  } = state;
  if (!isPunctuation(state, index + 1, CHAR.openParenthesis)) return false;
  const close = partners[index + 1]!;
  if (close < 0) return false;
  const next = close + 1;
  const block = isPunctuation(state, next, CHAR.openBrace);
  if (!block && kinds[next] !== Kind.word && !isPunctuation(state, next, CHAR.star)) return false;
  const name = tokenText(state, index);
  if (LOOP_NAME.test(name)) {
    replaceWord(state, starts[index]!, ends[index]!, 'while', 'loop-macro');
    return true;
  }
  // Without a brace only the indentation tells a macro that controls the next line from a call
  // whose semicolon is not typed yet.
  if (
    !BLOCK_MACROS.has(name) &&
    !block &&
    indentation(state.text, starts[next]!) <= indentation(state.text, starts[index]!)
  )
    return false;
  if (name.length < 2) return false;
  replaceWord(state, starts[index]!, ends[index]!, 'if', 'block-macro');
  return true;
}

/**
 * A label that no statement follows but a preprocessor line or the end of the block: the grammar
 * wants a statement behind a label, and a
 * directive is none. The parser sees `name;`, which the lowering reads back. @param index the name,
 * at the start of a statement.
 */
export function maskBareLabel(state: MaskState, index: number): void {
  const {
    tokens: { kinds, starts, ends },
  } = state;
  if (!isPunctuation(state, index + 1, CHAR.colon)) return;
  if (kinds[index + 2] !== Kind.directive && !isPunctuation(state, index + 2, CHAR.closeBrace))
    return;
  state.changes.push({
    start: starts[index + 1]!,
    end: ends[index + 1]!,
    replacement: ';',
    kind: 'label',
  });
}

/** More attributes than this has no variable. */
const MAX_ATTRIBUTES = 4;

/**
 * Names in the place of attributes of a local variable, on its line: `auto_foo struct foo *p` and
 * `struct foo *p auto_foo = NULL`, with arguments or without.
 * @param index the first token of a statement
 */
export function maskAttributeMacros(state: MaskState, index: number): void {
  const {
    tokens: { kinds, values },
  } = state;
  let at = attributesFrom(state, index, index);
  if (kinds[at] !== Kind.word || values[at] !== Word.aggregate) return;
  blankAttributes(state, index, at);
  if (kinds[at + 1] !== Kind.word || values[at + 1] !== Word.none) return;
  at += 2;
  if (!isPunctuation(state, at, CHAR.star)) return;
  while (isPunctuation(state, at, CHAR.star)) at++;
  if (kinds[at] !== Kind.word || values[at] !== Word.none) return;
  const behind = attributesFrom(state, at, at + 1);
  const isEnd = [CHAR.equals, CHAR.semicolon, CHAR.comma].some((code) =>
    isPunctuation(state, behind, code),
  );
  if (isEnd) blankAttributes(state, at + 1, behind);
}

/** The token after the names from `index` on that stand on the line of the token `line`. */
function attributesFrom(state: MaskState, line: number, index: number): number {
  const {
    text,
    tokens: { kinds, starts, values, partners },
  } = state;
  let at = index;
  for (let left = MAX_ATTRIBUTES; left > 0; left--) {
    if (kinds[at] !== Kind.word || values[at] !== Word.none) return at;
    const close = isPunctuation(state, at + 1, CHAR.openParenthesis) ? partners[at + 1]! : at;
    if (close < 0 || kinds[close + 1] === undefined) return at;
    if (!sameLine(text, starts[line]!, starts[close + 1]!)) return at;
    at = close + 1;
  }
  return at;
}

function blankAttributes(state: MaskState, from: number, to: number): void {
  const {
    tokens: { starts, ends, partners },
  } = state;
  for (let at = from; at < to; at++) {
    const first = at;
    if (isPunctuation(state, at + 1, CHAR.openParenthesis)) at = partners[at + 1]!;
    blank(state, starts[first]!, ends[at]!, 'attribute-macro');
  }
}

/**
 * `static DEFINE_RATELIMIT_STATE(name, a, b);` in a function becomes `int name;` with blanks.
 * @param index the token `static`.
 */
export function maskStaticMacro(state: MaskState, index: number): void {
  const {
    tokens: { kinds, starts, ends, values, partners },
  } = state;
  if (
    kinds[index + 1] !== Kind.word ||
    values[index + 1] !== Word.none ||
    !isPunctuation(state, index + 2, CHAR.openParenthesis)
  )
    return;
  const close = partners[index + 2]!;
  const name = index + 3;
  if (
    close <= name + 1 ||
    kinds[name] !== Kind.word ||
    !isPunctuation(state, name + 1, CHAR.comma) ||
    !isPunctuation(state, close + 1, CHAR.semicolon)
  )
    return;
  replaceWord(state, starts[index]!, starts[name]!, 'int', 'field-macro');
  blank(state, ends[name]!, ends[close]!, 'field-macro');
}

/**
 * `DECLARE_BITMAP(name, n) = { 0 };` in a function becomes `int name = { 0 };` with blanks. @param
 * index the name of the macro, at the start of a statement.
 */
export function maskInitializedMacro(state: MaskState, index: number): void {
  const {
    tokens: { kinds, starts, ends, partners },
  } = state;
  const close = isPunctuation(state, index + 1, CHAR.openParenthesis) ? partners[index + 1]! : -1;
  if (
    close < 0 ||
    !isPunctuation(state, close + 1, CHAR.equals) ||
    isPunctuation(state, close + 2, CHAR.equals)
  )
    return;
  const argument = FIELD_MACROS.get(tokenText(state, index));
  const name = argument === undefined ? -1 : argumentStart(state, index + 1, close, argument);
  if (
    name < 0 ||
    kinds[name] !== Kind.word ||
    !isPunctuation(state, name + 1, name + 1 === close ? CHAR.closeParenthesis : CHAR.comma)
  )
    return;
  replaceWord(state, starts[index]!, starts[name]!, 'int', 'field-macro');
  blank(state, ends[name]!, ends[close]!, 'field-macro');
}

/**
 * A macro that declares a field or wraps fields. Returns the last token to skip; index - 1 when
 * there is nothing to skip.
 */
export function maskFieldMacro(state: MaskState, index: number): number {
  const {
    text,
    tokens: { starts, ends, partners },
  } = state;
  const close = isPunctuation(state, index + 1, CHAR.openParenthesis) ? partners[index + 1]! : -1;
  if (close < 0) return index - 1;
  const name = tokenText(state, index);
  const ended = isPunctuation(state, close + 1, CHAR.semicolon);
  const group = FIELD_GROUPS.get(name);
  if (group !== undefined) {
    const comma = argumentStart(state, index + 1, close, group) - 1;
    if (comma <= index + 1) return index - 1;
    const last = ended ? close + 1 : close;
    blank(state, starts[index]!, ends[comma]!, 'field-macro');
    blank(state, starts[close]!, ends[last]!, 'field-macro');
    return comma;
  }
  const field = FIELD_MACROS.get(name);
  const at = field === undefined ? -1 : argumentStart(state, index + 1, close, field);
  if (ended && at > 0 && state.tokens.kinds[at] === Kind.word) {
    // `DECLARE_BITMAP(name, n);` becomes `int name;` with blanks.
    const [start, from, to, end] = [starts[index]!, starts[at]!, ends[at]!, ends[close]!];
    replaceWord(state, start, from, 'int', 'field-macro');
    blank(state, to, end, 'field-macro');
    return close;
  }
  // Only a macro by its looks: `fn(x)` may be an old-style declaration that is being typed.
  if (
    !/^[A-Z_][A-Z0-9_]*$/.test(name) ||
    (!ended && sameLine(text, ends[close]!, starts[close + 1]!))
  )
    return index - 1;
  const last = ended ? close + 1 : close;
  blank(state, starts[index]!, ends[last]!, 'field-macro');
  return last;
}

/** The first token of the argument with this number, or -1. */
function argumentStart(state: MaskState, open: number, close: number, number: number): number {
  const {
    tokens: { partners },
  } = state;
  let at = open + 1;
  for (let left = number; left > 0; at++) {
    if (at >= close) return -1;
    if (isPunctuation(state, at, CHAR.comma)) left--;
    else if (isPunctuation(state, at, CHAR.openParenthesis) && partners[at]! > at)
      at = partners[at]!;
  }
  return at < close ? at : -1;
}

/**
 * A declaration or definition at file scope, at its first token. Blanks what would make the parser
 * lose a function (unknown attribute macros
 * before its type or its name, and after its parameters) and whole macros such as module_init(x).
 * Returns the last token to skip;
 * index - 1 when there is nothing to skip.
 */
export function maskFileStatement(state: MaskState, index: number): number {
  const {
    text,
    tokens: { kinds, starts, ends, values, partners },
  } = state;
  const names: number[] = [];
  let typed = false;
  let at = index;
  for (; ; at++) {
    if (at >= index + MAX_HEAD_TOKENS) return index - 1;
    if (isPunctuation(state, at, CHAR.star)) {
      typed ||= names.length === 0;
      continue;
    }
    if (kinds[at] !== Kind.word) break;
    switch (values[at]) {
      case Word.none:
        names.push(at);
        break;
      case Word.aggregate:
        typed = true;
        if (kinds[at + 1] === Kind.word && values[at + 1] === Word.none) at++;
        break;
      case Word.basicType:
        typed = true;
        break;
      case Word.qualifier:
      case Word.storage:
        break;
      case Word.typeOf: {
        const close = isPunctuation(state, at + 1, CHAR.openParenthesis) ? partners[at + 1]! : -1;
        if (close < 0) return index - 1;
        typed = true;
        at = close;
        break;
      }
      default:
        return index - 1;
    }
    // `__BEGIN_DECLS` and `STATIC` on a line of their own.
    if (
      at === index &&
      names.length === 1 &&
      !sameLine(text, ends[at]!, starts[at + 1]!) &&
      startsDeclaration(state, at + 1)
    ) {
      blank(state, starts[at]!, ends[at]!, 'file-macro');
      return at;
    }
  }
  const name = names.at(-1);
  if (name !== at - 1 || !isPunctuation(state, at, CHAR.openParenthesis)) return index - 1;
  const close = partners[at]!;
  if (close < 0) return index - 1;
  if (names.length === 1 && !typed) return maskFileMacro(state, index, close);
  blankExtraNames(state, names.slice(0, -1), typed);
  blankAfterParameters(state, close + 1);
  return index - 1;
}

/**
 * `module_init(x)`, `static DEFINE_MUTEX(x);`: a name with arguments and without a type. Only in
 * the first column: behind a stray
 * brace the calls of a function would look the same.
 */
function maskFileMacro(state: MaskState, index: number, close: number): number {
  const {
    text,
    tokens: { kinds, starts, ends, values, partners },
  } = state;
  if (starts[index]! > 0 && text.charCodeAt(starts[index]! - 1) !== 10) return index - 1;
  const next = close + 1;
  if (isPunctuation(state, next, CHAR.semicolon)) {
    blank(state, starts[index]!, ends[next]!, 'file-macro');
    return next;
  }
  if (kinds[next] === Kind.punctuation) return index - 1;
  if (kinds[next] === Kind.word && values[next] === Word.none) {
    // `MACRO_TYPE(x) f(…) {` and `MACRO_TYPE(x) y;`: the macro is the type.
    if (sameLine(text, ends[close]!, starts[next]!)) return index - 1;
    const end = isPunctuation(state, next + 1, CHAR.openParenthesis) ? partners[next + 1]! : -1;
    if (end >= 0 && isPunctuation(state, end + 1, CHAR.openBrace)) return index - 1;
  }
  blank(state, starts[index]!, ends[close]!, 'file-macro');
  return close;
}

/**
 * Attribute macros between the words of a declaration. @param names the names before the declared
 * one that are not tags.
 */
function blankExtraNames(state: MaskState, names: readonly number[], typed: boolean): void {
  const {
    tokens: { starts, ends },
  } = state;
  let type = -1;
  if (!typed) {
    // Of several names one is the type: the last that does not look like an attribute.
    const last = (pattern: RegExp): number | undefined =>
      names.findLast((at) => pattern.test(tokenText(state, at)));
    type = last(/^(?!__)(?![A-Z][A-Z0-9_]*$)/) ?? last(/^(?!__)/) ?? names.at(-1) ?? -1;
  }
  for (const at of names) {
    if (at !== type) blank(state, starts[at]!, ends[at]!, 'annotation');
  }
}

/** Attribute macros between the parameters and the body. */
function blankAfterParameters(state: MaskState, first: number): void {
  const {
    tokens: { kinds, starts, ends, values, partners },
  } = state;
  let at = first;
  while (at < first + 8 && kinds[at] === Kind.word && values[at] === Word.none) {
    at++;
    if (isPunctuation(state, at, CHAR.openParenthesis)) {
      if (partners[at]! < 0) return;
      at = partners[at]! + 1;
    }
  }
  if (
    at > first &&
    (isPunctuation(state, at, CHAR.openBrace) || isPunctuation(state, at, CHAR.semicolon))
  )
    blank(state, starts[first]!, ends[at - 1]!, 'annotation');
}

function startsDeclaration({ tokens: { kinds, values } }: MaskState, index: number): boolean {
  if (kinds[index] === Kind.directive) return true;
  if (kinds[index] !== Kind.word) return false;
  return (
    values[index] === Word.aggregate ||
    values[index] === Word.basicType ||
    values[index] === Word.qualifier ||
    values[index] === Word.storage
  );
}

function sameLine(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (text.charCodeAt(i) === 10) return false;
  return true;
}

/**
 * The width of the blanks before an offset when nothing else stands before it on its line, else 0.
 * A tab counts eight.
 */
function indentation(text: string, offset: number): number {
  let width = 0;
  for (let at = offset - 1; at >= 0; at--) {
    const code = text.charCodeAt(at);
    if (code === 9) width += 8;
    else if (code === 32) width++;
    else return code === 10 ? width : 0;
  }
  return width;
}
