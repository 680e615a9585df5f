/** What becomes a pointer to the struct, or to its first member: it must have been one before. */
import type { Expr, TypeName } from '../../../ir/types.ts';
import { isLinkMember, returnsLink } from '../../../kernel/memory-uses.ts';
import { uncast } from '../../../lifecycle/module/statements.ts';
import { typeOf, type PointerType, type Scope } from '../../../lifecycle/module/types-of.ts';
import { isNull } from '../../query/expressions.ts';
import {
  isDrvdata,
  isFirst,
  isPlain,
  isStruct,
  kindOf,
  memberType,
  type Search,
} from './pointers.ts';

/**
 * A value that becomes a pointer to the struct: it must have been one, or a plain address that came
 * from one.
 */
export function judgeIncoming(
  search: Search,
  scope: Scope,
  value: Expr,
  to: PointerType | null,
  written: TypeName | null,
): void {
  const source = uncast(value);
  if (
    to !== null &&
    isFirst(search, to) &&
    search.first.tag !== null &&
    search.handedOut.at &&
    isPlainSource(search, scope, source)
  ) {
    search.deny('a plain address is used as the first member', scope.file, value);
  }
  if (
    written !== null &&
    to === null &&
    written.pointers > 0 &&
    !isPlain(written) &&
    isDrvdata(source)
  )
    search.deny('drvdata, which may be the object, is used as something else', scope.file, value);
  if (!isStruct(search, to) || isNull(source)) return;
  const kind = kindOf(search, scope, source);
  if (kind === 'object' || kind === 'drvdata' || JUDGED_BY_PARTS.has(source.kind)) return;
  if (kind === 'first')
    search.deny(
      'the address of the present first member is used as that of the object',
      scope.file,
      value,
    );
  if (typeOf(scope, source) !== null || !mayBePlain(scope, source))
    search.deny('a cast relies on the order', scope.file, value);
}

/** Their values are judged where they are found. */
const JUDGED_BY_PARTS: ReadonlySet<Expr['kind']> = new Set<Expr['kind']>([
  'conditional',
  'statement-expression',
  'assign',
  'comma',
]);

/** A value of no struct's type that may be a plain address. */
function mayBePlain(scope: Scope, source: Expr): boolean {
  switch (source.kind) {
    case 'call':
    case 'index':
      return true;
    case 'unary':
      return source.op === '*';
    case 'name': {
      const local =
        scope.locals.get(source.name) ??
        scope.file.variables.find((one) => one.name === source.name)?.type;
      return local === undefined || local === null || isPlain(local);
    }
    case 'member': {
      const field = memberType(scope, source);
      return field === null || isPlain(field);
    }
    default:
      return false;
  }
}

/**
 * A cast to the struct of what has a type that is not seen. Where that is an address the cast is
 * idle, and where it is the link of a list or
 * tree it relies on the link to be first.
 */
export function judgeUnseenSource(search: Search, scope: Scope, value: Expr): void {
  const source = uncast(value);
  const isLink =
    source.kind === 'member'
      ? memberType(scope, source) === null && isLinkMember(source.field)
      : source.kind === 'call' && source.name !== null && returnsLink(source.name);
  if (isLink) search.deny('a cast relies on the order', scope.file, value);
}

/** Drvdata, a `void *`, or a member of that type. */
function isPlainSource(search: Search, scope: Scope, source: Expr): boolean {
  if (isDrvdata(source)) return true;
  if (source.kind === 'name')
    return (
      isPlain(scope.locals.get(source.name)) &&
      search.aliases.get(scope.fn)?.get(source.name) !== 'first'
    );
  return source.kind === 'member' && isPlain(memberType(scope, source));
}
