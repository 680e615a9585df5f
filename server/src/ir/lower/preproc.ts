/** Lowers #if chains inside functions. */
import type { SyntaxNode } from '../../syntax/node.ts';
import { negate, preprocArms } from '../../syntax/conditions.ts';
import type { Span } from '../../text/span.ts';
import type { BlockStmt, PreprocArm, Stmt } from '../types.ts';
import { copyConditions, notesIn, takeTextInventory, textOf, type Context } from './context.ts';
import { lowerSequence, unknownStmt } from './statements.ts';

/**
 * Lowers an #if chain inside a function to one statement with alternative arms. A chain without an
 * end is followed by an opaque
 * unknown statement, since its arms then do not say what runs.
 */
export function lowerPreprocChain(chain: SyntaxNode, context: Context): Stmt[] {
  const arms: PreprocArm[] = [];
  const found = preprocArms(chain, context.text);
  for (const arm of found) {
    const first = arm.body[0];
    const last = arm.body.at(-1);
    arms.push({
      start: first?.start ?? chain.end,
      end: last?.end ?? chain.end,
      conditions: copyConditions(arm.conditions),
      body: lowerSequence(arm.body, context),
    });
  }
  const last = found.at(-1);
  // An arm with a test of its own has one condition more than arms before it; without one it is the
  // #else.
  if (last !== undefined && last.conditions.length === found.length) {
    const own = last.conditions.at(-1)!;
    const conditions = [...last.conditions.slice(0, -1), negate(own)];
    arms.push({
      start: chain.end,
      end: chain.end,
      conditions: copyConditions(conditions),
      body: [],
    });
  }
  const statement: Stmt = { kind: 'preproc', start: chain.start, end: chain.end, arms };
  if (!hasLostEnd(chain)) return [statement];
  const end: SyntaxNode = {
    type: 'ERROR',
    named: true,
    field: undefined,
    missing: false,
    start: chain.end,
    end: chain.end,
    children: [],
  };
  return [statement, unknownStmt([end], context, true)];
}

/**
 * A body with an opaque statement for each #if chain of which the parser saw the first arm only,
 * because the chain cuts a statement
 * or an argument list. They stand among the statements of the body itself, near their place.
 */
export function withSplitChains(body: BlockStmt, whole: Span, context: Context): BlockStmt {
  const unseen: Stmt[] = [];
  for (const note of notesIn(whole, 'split', context)) {
    const { start, end } = note;
    const text = textOf(note, context);
    if (/^#\s*if/.test(text)) continue;
    const { names, calls } = takeTextInventory(text.replace(/^[ \t]*#(?:\\\r?\n|[^\n])*/gm, ''));
    unseen.push({
      kind: 'unknown',
      start: Math.max(start, body.start),
      end: Math.max(end, body.start),
      names,
      calls,
      opaque: true,
    });
  }
  if (unseen.length === 0) return body;
  context.opaque = true;
  return {
    ...body,
    body: [...body.body, ...unseen].sort((left, right) => left.start - right.start),
  };
}

/** The #endif was inserted by the parser: the real one is somewhere inside another statement. */
function hasLostEnd(chain: SyntaxNode): boolean {
  return chain.children.some((child) => child.missing && child.type.startsWith('#'));
}
