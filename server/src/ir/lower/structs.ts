/** Lowers struct and union definitions. */
import type { Condition, MaskNote, SyntaxNode } from '../../syntax/node.ts';
import { isPreprocChain, preprocArms } from '../../syntax/conditions.ts';
import type { FieldIr, StructIr } from '../types.ts';
import {
  copyConditions,
  field,
  MAX_DEPTH,
  notesIn,
  spanOf,
  textOf,
  type Context,
} from './context.ts';
import { readDeclared, readSpecifiers } from './declarators.ts';

/**
 * Lowers a struct or union definition; null for a mere mention of one and for enums.
 * @param name the tag, or for an anonymous one the name that a typedef gives it.
 */
export function lowerStruct(
  node: SyntaxNode,
  name: string,
  conditions: readonly Condition[],
  context: Context,
): StructIr | null {
  const body = field(node, 'body');
  if (
    body === undefined ||
    name === '' ||
    (node.type !== 'struct_specifier' && node.type !== 'union_specifier')
  )
    return null;
  const fields: FieldIr[] = [];
  const whole = lowerFields(
    body,
    fields,
    { conditions: [], unplaced: node.type === 'union_specifier' },
    context,
  );
  const complete =
    whole &&
    notesIn(body, 'split', context).length === 0 &&
    areFieldMacrosSeen(notesIn(body, 'field-macro', context), fields);
  const keyword = node.type === 'union_specifier' ? 'union' : 'struct';
  return {
    kind: 'struct',
    start: node.start,
    end: node.end,
    keyword,
    name,
    fields,
    conditions,
    complete,
    bodySpan: spanOf(body),
  };
}

/**
 * Whether all that the mask blanked among fields is one of them, or the brackets of a group whose
 * fields it left. Both lists are in source order.
 */
function areFieldMacrosSeen(notes: readonly MaskNote[], fields: readonly FieldIr[]): boolean {
  let next = 0;
  return notes.every(({ start, text }) => {
    while (next < fields.length && fields[next]!.statement.end <= start) next++;
    const statement = fields[next]?.statement;
    return (
      text.startsWith(')') ||
      /^_*struct_group/.test(text) ||
      (statement !== undefined && statement.start <= start)
    );
  });
}

/** The tag of a struct, union or enum node, or ''. */
export function tagOf(node: SyntaxNode, context: Context): string {
  const name = field(node, 'name');
  return name === undefined ? '' : textOf(name, context);
}

interface Place {
  readonly conditions: readonly Condition[];
  readonly unplaced: boolean;
}

/** Adds the fields of a body; false when some may be missing. */
function lowerFields(list: SyntaxNode, fields: FieldIr[], place: Place, context: Context): boolean {
  if (context.depth >= MAX_DEPTH) return false;
  context.depth++;
  let complete = true;
  for (const node of list.children) {
    if (node.type === 'field_declaration')
      complete = lowerField(node, fields, place, context) && complete;
    else if (isPreprocChain(node.type)) {
      if (node.children.some((child) => child.missing)) complete = false;
      for (const arm of preprocArms(node, context.text)) {
        const conditions = [...place.conditions, ...copyConditions(arm.conditions)];
        complete =
          lowerFields({ ...node, children: arm.body }, fields, { ...place, conditions }, context) &&
          complete;
      }
    } else if (node.type === 'ERROR' || node.missing) complete = false;
    // A lost half of an #if chain, or fields from another file.
    else if (node.type === 'preproc_call' || node.type === 'preproc_include')
      complete = complete && /^#\s*(?:undef|pragma|line|warning)/.test(textOf(node, context));
    else if (node.type === 'preproc_def' || node.type === 'preproc_function_def')
      context.hoisted.push(node);
  }
  context.depth--;
  return complete;
}

function lowerField(node: SyntaxNode, fields: FieldIr[], place: Place, context: Context): boolean {
  const specifiers = readSpecifiers(node, context);
  const typeNode = specifiers.typeNode;
  const body = typeNode === undefined ? undefined : field(typeNode, 'body');
  const declared = readDeclared(node, specifiers.type, context);
  const statement = spanOf(node);
  if (typeNode !== undefined && body !== undefined) {
    if (tagOf(typeNode, context) !== '') context.hoisted.push(typeNode);
    // Only an anonymous one without a declarator makes its members those of the outer struct.
    if (declared.length === 0)
      return lowerFields(body, fields, { ...place, unplaced: true }, context);
  }
  for (const one of declared) {
    if (one.declarator.name === '') continue;
    const after = node.children.find(
      (child) => child.start >= one.span.end && child.type !== 'comment',
    );
    const unplaced = place.unplaced || after?.type === 'bitfield_clause';
    fields.push({
      start: one.span.start,
      end: one.span.end,
      name: one.declarator.name,
      type: one.type,
      statement,
      unplaced,
      conditions: place.conditions,
    });
  }
  return !node.children.some(
    (child) => child.type === 'ERROR' && !/^\w*$/.test(textOf(child, context).trim()),
  );
}
