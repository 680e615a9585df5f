/**
 * The file of a baseline: an entry a line and in order, so that a change of one finding is a change
 * of one line, and so that two branches that git merges line by line stay a baseline.
 */
import { realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../lsp/node-make-folder.ts';
import { readRegularFile } from '../lsp/node-read.ts';
import type { SeverityClass } from './fingerprint.ts';
import { compareText } from '../text/words.ts';
import { decode, unreadable } from './text-file.ts';
import { UsageError } from './usage-error.ts';
import { shownPath } from './workspace.ts';

/** Findings that are alike in all of this. */
export interface Entry {
  /** Relative to the baseline's folder, with `/`. */
  readonly path: string;
  readonly function: string | null;
  readonly rule: string;
  /** Null in a file of version 1, which does not say. */
  readonly severity: SeverityClass | null;
  /** Identity.text; in a file of version 1 what firstFingerprint() makes. */
  readonly fingerprint: string;
  /** Identity.owed. */
  readonly owed: readonly string[];
  /** The target kernels that it was found for; empty in a file of version 1. */
  readonly kernels: readonly string[];
  readonly count: number;
}

/** Bytes. */
const MAX_BASELINE = 64_000_000;

const VERSION = 2;

/**
 * The entries of a file; undefined where there is none.
 * @param takesBoth entries of both sides of a merge conflict are taken, for a file that is to be
 * written anew.
 * @throws UsageError with the line for a file that cannot be read or is no baseline.
 */
export function readBaseline(path: string, takesBoth: boolean): readonly Entry[] | undefined {
  let text: string;
  try {
    // The mark in front of it is no part of the text.
    text = decode(readRegularFile(path, MAX_BASELINE)).text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(shownPath(path), error);
  }
  return joined(entriesOf(text) ?? entriesByLine(text, shownPath(path), takesBoth));
}

/** The entries of a text that is JSON; undefined for any other. */
function entriesOf(text: string): readonly Entry[] | undefined {
  let value: { version?: unknown; findings?: unknown } | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined;
  }
  const version = value?.version;
  if (version !== 1 && version !== VERSION) return undefined;
  if (!Array.isArray(value?.findings)) return undefined;
  const entries = value.findings.map(entryOf);
  return entries.every((one) => one !== undefined) ? entries : undefined;
}

const CONFLICT = /^(?:<{7}|\|{7}|={7}|>{7})(?: |$)/;
const FRAME = /^(?:\{|"version": *\d+,?|"findings": *\[ *\]?|\]|\}|)$/;

/** The entries of a text that lost commas in a merge. */
function entriesByLine(text: string, name: string, takesBoth: boolean): readonly Entry[] {
  const entries: Entry[] = [];
  const version = /"version": *(\d+)/.exec(text)?.[1];
  if (Number(version) > VERSION)
    throw new UsageError(`${name}: a baseline of version ${version}, which a newer program wrote`);
  let isBase = false;
  let isClosed = false;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const fail = (what: string): UsageError => new UsageError(`${name}:${index + 1}: ${what}`);
    if (CONFLICT.test(line)) {
      if (!takesBoth)
        throw fail(
          'a merge conflict; keep the lines of both sides, or write it anew with --update-baseline',
        );
      isBase = line.startsWith('|');
      continue;
    }
    const content = line.trim();
    isClosed ||= content === '}';
    if (isBase || FRAME.test(content)) continue;
    const entry = entryIn(content.replace(/,$/, ''));
    if (entry === undefined) throw fail('not a line of a baseline');
    entries.push(entry);
  }
  if (version === undefined || !isClosed)
    throw new UsageError(
      `${name}:${text.trimEnd().split('\n').length}: not a whole baseline; "version" or the end is missing`,
    );
  return entries;
}

function entryIn(line: string): Entry | undefined {
  try {
    return entryOf(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function entryOf(value: unknown): Entry | undefined {
  const one = value as Partial<Entry> | null;
  if (
    typeof one !== 'object' ||
    one === null ||
    typeof one.path !== 'string' ||
    typeof one.rule !== 'string' ||
    typeof one.fingerprint !== 'string' ||
    !(one.function === null || typeof one.function === 'string') ||
    !Number.isInteger(one.count) ||
    one.count! <= 0
  )
    return undefined;
  const { path, rule, fingerprint, function: name, count } = one as Entry;
  const common = { path, function: name, rule, fingerprint, count };
  if (one.severity === undefined) return { ...common, severity: null, owed: [], kernels: [] };
  const { severity, owed = [], kernels = [] } = one;
  if (severity !== 'error' && severity !== 'warning' && severity !== 'note') return undefined;
  return isListOfText(owed) && isListOfText(kernels)
    ? { ...common, severity, owed, kernels }
    : undefined;
}

function isListOfText(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/**
 * Of entries that nothing tells apart one, for the kernels of all and as often as the most: what
 * both sides of a merge have is one finding, not two.
 */
export function joined(entries: readonly Entry[]): readonly Entry[] {
  const known = new Map<string, Entry>();
  for (const entry of entries) {
    const key = keyOfEntry(entry);
    const other = known.get(key) ?? entry;
    const kernels = [...new Set([...other.kernels, ...entry.kernels])];
    known.set(key, { ...entry, kernels, count: Math.max(other.count, entry.count) });
  }
  return [...known.values()];
}

/** Two entries with one key are of findings that nothing tells apart. */
export function keyOfEntry(entry: Omit<Entry, 'count' | 'kernels'>): string {
  const { path, function: name, rule, severity, fingerprint, owed } = entry;
  return JSON.stringify([path, name, rule, severity, fingerprint, owed]);
}

/** Writes the file behind a link, not in the place of the link. Throws UsageError. */
export function writeBaseline(path: string, entries: readonly Entry[]): void {
  const lines = [...entries]
    .sort(
      (left, right) =>
        compareText(left.path, right.path) ||
        compareText(left.rule, right.rule) ||
        compareText(left.function ?? '', right.function ?? '') ||
        compareText(left.fingerprint, right.fingerprint) ||
        compareText(keyOfEntry(left), keyOfEntry(right)),
    )
    .map((entry) => `    ${lineOf(entry)}`);
  const text = `{\n  "version": ${VERSION},\n  "findings": [${lines.length > 0 ? `\n${lines.join(',\n')}\n  ` : ''}]\n}\n`;
  let temporary: string | undefined;
  try {
    makeFolder(dirname(path));
    const target = realTarget(path);
    temporary = `${target}.${process.pid}.tmp`;
    writeFileSync(temporary, text, { flag: 'wx' });
    renameSync(temporary, target);
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    throw unreadable(shownPath(path), error);
  }
}

/** An entry of version 1 that was not looked at stays what it was. */
function lineOf({ path, function: name, rule, severity, fingerprint, ...rest }: Entry): string {
  const { owed, kernels, count } = rest;
  return JSON.stringify({
    path,
    function: name,
    rule,
    ...(severity !== null && { severity }),
    fingerprint,
    ...(owed.length > 0 && { owed }),
    ...(kernels.length > 0 && { kernels: [...kernels].sort(byVersion) }),
    count,
  });
}

function byVersion(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}

function realTarget(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
