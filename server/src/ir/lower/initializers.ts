import type { Condition, SyntaxNode } from '../../syntax/node.ts';
import { isPreprocChain, negate, normaliseCondition, preprocArms } from '../../syntax/conditions.ts';
import type { Expr, InitializerEntry, InitializerExpr } from '../types.ts';
import { copyConditions, createContext, field, parts, spanOf, textOf, type Context } from './context.ts';
import { lowerExpr } from './expressions.ts';
import { shiftSpans } from './shift.ts';

/** Lowers `{ … }`. Entries inside an #if chain carry its conditions; what stays unreadable makes it incomplete. */
export function lowerInitializer(node: SyntaxNode, c: Context): InitializerExpr {
  const lost = node.children.some((child) => child.type === 'ERROR' || (child.missing && child.type === '}'));
  if (lost) {
    const recovered = recoverDirectives(node, c);
    if (recovered !== null) return recovered;
  }
  const entries: InitializerEntry[] = [];
  lowerEntries(node.children, [], entries, c);
  return { kind: 'initializer', ...spanOf(node), entries, complete: !lost };
}

function lowerEntries(nodes: readonly SyntaxNode[], conditions: readonly Condition[], entries: InitializerEntry[], c: Context): void {
  for (const node of nodes) {
    if (!node.named || node.type === 'comment' || node.type === 'ERROR') continue;
    if (isPreprocChain(node.type)) {
      for (const arm of preprocArms(node, c.text)) lowerEntries(arm.body, [...conditions, ...copyConditions(arm.conditions)], entries, c);
    } else if (!node.type.startsWith('preproc_')) {
      entries.push(lowerEntry(node, conditions, c));
    }
  }
}

function lowerEntry(node: SyntaxNode, conditions: readonly Condition[], c: Context): InitializerEntry {
  if (node.type !== 'initializer_pair') return { ...spanOf(node), designators: [], value: lowerExpr(node, c), conditions };
  const designators: string[] = [];
  for (const child of node.children) {
    if (child.field !== 'designator') continue;
    if (child.type === 'field_designator') designators.push(parts(child).map((part) => textOf(part, c)).join(''));
    else designators.push(child.type === 'field_identifier' ? textOf(child, c) : '[]');
  }
  const value = field(node, 'value');
  const lowered: Expr = value === undefined ? { kind: 'unknown', start: node.end, end: node.end, names: [], calls: [] } : lowerExpr(value, c);
  return { ...spanOf(node), designators, value: lowered, conditions };
}

/** Which conditions hold from an offset on. */
interface Region { readonly start: number; readonly conditions: readonly Condition[] }

/**
 * The grammar has no #if inside an initialiser. The directive lines are blanked, the rest is parsed alone, and each entry gets the
 * conditions of the lines around it. Null when there are none, or when what remains is no initialiser either.
 */
function recoverDirectives(node: SyntaxNode, c: Context): InitializerExpr | null {
  if (c.parser === null) return null;
  const text = textOf(node, c);
  const { blanked, regions, balanced } = blankDirectives(text);
  if (regions.length === 1) return null;
  const prefix = 'struct s x = ';
  const source = `${prefix}${blanked};\n`;
  const tree = c.parser.parse(source);
  try {
    const item = tree.items()[0];
    if (item?.type !== 'declaration') return null;
    const declarator = field(item.node(), 'declarator');
    const list = declarator === undefined ? undefined : field(declarator, 'value');
    if (list?.type !== 'initializer_list' || list.start !== prefix.length || list.end !== prefix.length + text.length) return null;
    const inner = createContext(source, { start: 0, end: source.length }, tree.notes, null);
    inner.depth = c.depth;
    const lowered = lowerInitializer(list, inner);
    if (inner.opaque) c.opaque = true;
    const conditional = withConditions(shiftSpans(lowered, -prefix.length), regions, []);
    return shiftSpans({ ...conditional, complete: conditional.complete && balanced }, node.start);
  } finally {
    tree.dispose();
  }
}

/** Blanks the directive lines and block comments of a text and says which conditions hold between them. */
function blankDirectives(text: string): { blanked: string; regions: Region[]; balanced: boolean } {
  const regions: Region[] = [{ start: 0, conditions: [] }];
  const stack: { failed: Condition[]; own: Condition | null }[] = [];
  let balanced = true;
  const blank = (stretch: string): string => stretch.replace(/[^\r\n]/g, ' ');
  const blanked = text.replace(/\/\*[^]*?\*\//g, blank).replace(/^[ \t]*#[ \t]*(\w+)((?:\\\r?\n|[^\n])*)/gm, (line: string, name: string, rest: string, offset: number) => {
    const test = rest.trim();
    const top = stack.at(-1);
    if (/^if(n?def)?$/.test(name)) stack.push({ failed: [], own: ownCondition(name, test) });
    else if (top === undefined) balanced = false;
    else if (name === 'endif') stack.pop();
    else if (/^(else|elif|elifn?def)$/.test(name)) {
      if (top.own !== null) top.failed.push(negate(top.own));
      top.own = name === 'else' ? null : ownCondition(name, test);
    }
    regions.push({ start: offset + line.length, conditions: stack.flatMap(({ failed, own }) => (own === null ? failed : [...failed, own])) });
    return blank(line);
  });
  return { blanked, regions, balanced: balanced && stack.length === 0 };
}

function ownCondition(directive: string, test: string): Condition {
  if (directive.endsWith('ndef')) return { test: normaliseCondition(test).test, holds: false };
  return normaliseCondition(test);
}

/** Gives entries the conditions of their place beyond those of the list around them. */
function withConditions(list: InitializerExpr, regions: readonly Region[], outer: readonly Condition[]): InitializerExpr {
  const at = (offset: number): readonly Condition[] => regions.findLast((region) => region.start <= offset)?.conditions ?? [];
  let complete = list.complete;
  const entries = list.entries.map((entry): InitializerEntry => {
    const here = at(entry.start);
    // An entry that a directive cuts in two belongs to neither arm.
    if (JSON.stringify(here) !== JSON.stringify(at(entry.end - 1))) complete = false;
    const own = here.slice(outer.length);
    if (entry.value.kind !== 'initializer') {
      if (here !== at(entry.end - 1)) complete = false;
      return { ...entry, conditions: own };
    }
    const value = withConditions(entry.value, regions, here);
    return { ...entry, value, conditions: own };
  });
  return { ...list, entries, complete };
}
