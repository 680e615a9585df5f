/**
 * The headers that a driver quotes and that were not found: what is missed may be defined there.
 */
import type { FileIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { lineOf } from '../refusal-error.ts';

/**
 * What ends a sentence about what was looked for in vain, with a comma before it; empty where every
 * quoted header was found.
 */
export function missingHeaders(module: Module, file: FileIr): string {
  const missing = file.includes.filter((one) => one.quoted && !isSeen(module, one.path));
  if (missing.length === 0) return '';
  const named = missing
    .slice(0, MOST)
    .map((one) => `"${one.path}" (line ${lineOf(file, one.start)})`);
  const rest = missing.length > MOST ? [`${missing.length - MOST} more`] : [];
  const list = [...named, ...rest];
  const last = list.pop()!;
  return `, of which ${list.length > 0 ? `${list.join(', ')} and ` : ''}${last} ${missing.length === 1 ? 'was' : 'were'} not found`;
}

const MOST = 3;

/**
 * A header is found in the folder of the file or in one of the compiler's: its name is all that
 * both have in common.
 */
function isSeen(module: Module, path: string): boolean {
  const name = path
    .split('/')
    .filter((part) => part !== '.' && part !== '..')
    .join('/');
  return [...module.headers, ...module.sources].some(
    (one) => one.path === name || one.path.endsWith(`/${name}`),
  );
}
