/**
 * What the headers of a kernel tree declare, read with the project's own parser: each declaration
 * with its text in a form in which two spellings of one signature are equal.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lowerFile } from '../../../server/src/ir/lower.ts';
import type { FileIr, MacroIr } from '../../../server/src/ir/types.ts';
import type { SyntaxParser } from '../../../server/src/syntax/node.ts';

/** What is declared, whatever it is called in C. */
export type DeclarationKind = 'function' | 'macro' | 'constant' | 'member' | 'struct' | 'variable';

export interface Declaration {
  readonly name: string;
  readonly kind: DeclarationKind;
  /** The struct of a member. */
  readonly owner?: string;
  /** As normalised() writes it; empty for a struct. */
  readonly signature: string;
  /** Parameters of a function, each normalised. */
  readonly parameters?: readonly string[];
}

/** The declarations of a file of a tree; undefined where the tree has no such file. */
export function declarationsOf(
  parser: SyntaxParser,
  root: string,
  path: string,
): readonly Declaration[] | undefined {
  const full = join(root, path);
  return existsSync(full) ? declarationsIn(parser, readFileSync(full, 'latin1')) : undefined;
}

/** The declarations of a header's text. */
export function declarationsIn(parser: SyntaxParser, text: string): readonly Declaration[] {
  const tree = parser.parse(text);
  try {
    const file = lowerFile('header.h', tree);
    return [...ownDeclarations(file, text), ...pasted(parser, file)];
  } finally {
    tree.dispose();
  }
}

function ownDeclarations(file: FileIr, text: string): Declaration[] {
  const functions = [...file.prototypes, ...file.functions].map((one): Declaration => {
    const end = 'body' in one ? one.body.start : one.end;
    return {
      name: one.name,
      kind: 'function',
      signature: normalised(text.slice(one.start, end)),
      parameters: one.params.map((param) => normalised(text.slice(param.start, param.end))),
    };
  });
  const macros = file.macros.map((one): Declaration => ({
    name: one.name,
    kind: one.params === null ? 'constant' : 'macro',
    signature: macroSignature(one),
  }));
  const variables = file.variables.map((one): Declaration => ({
    name: one.name,
    kind: 'variable',
    signature: normalised(text.slice(one.start, one.end)),
  }));
  const structs = file.structs.flatMap((one): Declaration[] => [
    { name: one.name, kind: 'struct', signature: '' },
    ...one.fields.map((field): Declaration => ({
      name: field.name,
      kind: 'member',
      owner: one.name,
      signature: normalised(text.slice(field.statement.start, field.statement.end)),
    })),
  ]);
  return [...functions, ...macros, ...variables, ...structs];
}

function macroSignature({ name, params }: MacroIr): string {
  return params === null ? name : `${name}(${params.join(',')})`;
}

/** Functions that a macro of the header declares, by pasting its argument into a name. */
function pasted(parser: SyntaxParser, file: FileIr): Declaration[] {
  return file.fileMacros.flatMap(({ name, args }) => {
    const macro = file.macros.find((one) => one.name === name && one.params?.length === 1);
    if (!macro?.bodyText.includes('##')) return [];
    const parameter = new RegExp(`(?:##)?\\b${macro.params![0]}\\b`, 'g');
    const body = macro.bodyText.replaceAll(/\\\n/g, ' ').replaceAll(/##/g, '## ');
    const written = body.replaceAll(parameter, args[0] ?? '').replaceAll(/\s*##\s*/g, '');
    return declarationsIn(parser, `${written}\n`);
  });
}

/** Words that are a type when they stand alone. */
const BASIC = new Set(['int', 'long', 'short', 'char', 'unsigned', 'signed', 'bool', 'void']);
const DROPPED = new Set([
  'extern',
  'static',
  'inline',
  '__user',
  '__iomem',
  '__rcu',
  '__must_check',
]);

/**
 * A declaration without what two spellings of it may differ in: blanks, storage classes,
 * annotations and the names of parameters.
 */
export function normalised(text: string): string {
  const tokens = text
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, ' ')
    .match(/\w+|\S/g)!
    .filter((one) => !DROPPED.has(one));
  while (tokens.at(-1) === ';') tokens.pop();
  const kept = tokens.filter((token, at) => !isParameterName(tokens, at, token));
  return kept.join(' ');
}

function isParameterName(tokens: readonly string[], at: number, token: string): boolean {
  const before = tokens[at - 1];
  const after = tokens[at + 1];
  if (before === undefined || after === undefined || !/^[a-z_]\w*$/i.test(token)) return false;
  if (![',', ')'].includes(after) || BASIC.has(token)) return false;
  if (before === '*') return tokens[at - 2] !== '(' || after === ',';
  return /^\w+$/.test(before) && !['struct', 'enum', 'union', 'const'].includes(before);
}
