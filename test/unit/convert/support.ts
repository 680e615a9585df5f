import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  composePlanned,
  editsOf,
  finishConversion,
  planConversion,
  prepareConversion,
  siteBefore,
  type DocumentEdits,
  type Note,
  type PlannedEdits,
  type PlanResult,
} from '../../../server/src/convert/index.ts';
import { lowerFile } from '../../../server/src/ir/lower.ts';
import type { FileIr } from '../../../server/src/ir/types.ts';
import type { KernelVersion } from '../../../server/src/kernel/types.ts';
import type { Module } from '../../../server/src/lifecycle/types.ts';
import type { SyntaxParser } from '../../../server/src/syntax/node.ts';
import { applyEdits, overlaps } from '../../../server/src/text/edits.ts';
import { loadParser } from '../../support/parser.ts';
import { textOfOutcome } from '../../support/patch.ts';

const parser: SyntaxParser = await loadParser();

/** The folder of the before/after pairs, with a trailing slash. */
export const FIXTURES = fileURLToPath(new URL('../../fixtures/convert/', import.meta.url));

export function readFixture(name: string): string {
  return readFileSync(FIXTURES + name, 'utf8');
}

/** What a fixture is expected to become for a target: its text with the diff beside it applied. */
export function convertedFixture(name: string, label: string): string {
  return textOfOutcome(readFixture(name), readFixture(name.replace(/\.c$/, '.txt')), label);
}

/** The sources to convert. */
export function fixtureNames(): string[] {
  return readdirSync(FIXTURES)
    .filter((name) => name.endsWith('.c'))
    .sort();
}

export function lower(path: string, text: string): FileIr {
  const tree = parser.parse(text);
  try {
    return lowerFile(path, tree, undefined, parser);
  } finally {
    tree.dispose();
  }
}

/** A module of one source and the headers beside it that it quotes. */
export function moduleOf(
  path: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Module {
  return {
    sources: [lower(path, text)],
    headers: Object.entries(headers).map(([name, header]) => lower(name, header)),
  };
}

/** The quoted headers of a fixture that are there. */
export function headersOf(text: string): Record<string, string> {
  const present = new Set(readdirSync(FIXTURES));
  return Object.fromEntries(
    [...text.matchAll(/^#include "(.+)"/gm)]
      .filter(([, name]) => present.has(name!))
      .map(([, name]) => [name!, readFixture(name!)]),
  );
}

/**
 * A plan for what the steps have made of the text; its spans are those of that. Sites of a refusal
 * are in the text itself.
 */
export function plan(
  path: string,
  text: string,
  kernel: KernelVersion,
  headers: Readonly<Record<string, string>> = {},
  functionName?: string,
): PlanResult {
  return prepared(path, text, kernel, headers, functionName).result;
}

function prepared(
  path: string,
  text: string,
  kernel: KernelVersion,
  headers: Readonly<Record<string, string>>,
  functionName: string | undefined,
): {
  readonly result: PlanResult;
  readonly edits: readonly DocumentEdits[];
  readonly notes: readonly Note[];
} {
  const module = moduleOf(path, text, headers);
  const request = { path, functionName };
  const ready = prepareConversion({ module, kernel }, request, (edits) =>
    changedModule(path, text, headers, edits),
  );
  if (ready.status === 'refused') return { result: ready, edits: [], notes: [] };
  const result = planConversion({ module: ready.module, kernel }, request);
  if (result.status !== 'refused') return { result, edits: ready.edits, notes: ready.notes };
  const { site } = result.refusal;
  return {
    result: {
      status: 'refused',
      refusal: { ...result.refusal, site: site && siteBefore(ready.edits, site) },
    },
    edits: ready.edits,
    notes: ready.notes,
  };
}

function changedModule(
  path: string,
  text: string,
  headers: Readonly<Record<string, string>>,
  edits: readonly DocumentEdits[],
): Module {
  const changed = (name: string, before: string): string =>
    applyEdits(
      before,
      edits.filter((item) => item.path === name).flatMap((item) => item.edits),
    );
  return moduleOf(
    path,
    changed(path, text),
    Object.fromEntries(
      Object.entries(headers).map(([name, header]) => [name, changed(name, header)]),
    ),
  );
}

export interface Converted {
  readonly text: string;
  readonly planned: PlannedEdits;
}

/** Plans and applies; throws with the reason when it is refused or there is nothing to do. */
export function convertText(
  path: string,
  text: string,
  kernel: KernelVersion,
  headers: Readonly<Record<string, string>> = {},
  functionName?: string,
): Converted {
  const { result, edits: first, notes } = prepared(path, text, kernel, headers, functionName);
  if (result.status === 'refused')
    throw new Error(`refused [${result.refusal.code}]: ${result.refusal.reason}`);
  if (result.status === 'unchanged' && first.length === 0) throw new Error('unchanged');
  const own =
    result.status === 'planned' ? editsOf(result.plan) : { edits: [], notes: [], touched: [] };
  const finished = finishConversion(
    moduleOf(path, text, headers),
    composePlanned(first, own.edits),
    (edits) => changedModule(path, text, headers, edits),
  );
  const planned = { edits: finished.edits, notes: [...notes, ...own.notes], touched: own.touched };
  const edits = planned.edits.find((file) => file.path === path)?.edits ?? [];
  if (overlaps(edits)) throw new Error('edits overlap');
  return { text: applyEdits(text, edits), planned };
}

/** What the parser and the lowering did not understand: must not grow. */
export function misunderstood(path: string, text: string): number {
  const ir = lower(path, text);
  return ir.lost.length + ir.functions.filter((fn) => fn.opaque).length;
}

/** The code without comments and strings. */
export function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"/g, ' ');
}
