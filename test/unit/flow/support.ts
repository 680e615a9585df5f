import { lowerFile } from '../../../server/src/ir/lower.ts';
import type { FileIr } from '../../../server/src/ir/types.ts';
import { loadParser } from '../../support/parser.ts';

const parser = await loadParser();

/** Parses and lowers a text. */
export function lowered(text: string): FileIr {
  const tree = parser.parse(text);
  try {
    return lowerFile('test.c', tree, undefined, parser);
  } finally {
    tree.dispose();
  }
}
