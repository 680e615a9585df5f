import { expect } from 'vitest';
import { lowerFile } from '../../server/src/ir/lower.ts';
import type { FileIr } from '../../server/src/ir/types.ts';
import { parseVersion } from '../../server/src/kernel/version.ts';
import { analyseModule } from '../../server/src/lifecycle/analyse.ts';
import type { ModuleFacts } from '../../server/src/lifecycle/types.ts';
import { ruleById, runRules } from '../../server/src/rules/index.ts';
import type { Example, Finding, Fix } from '../../server/src/rules/types.ts';
import { MESSAGE_LIMIT } from '../../server/src/rules/wording.ts';
import type { SyntaxParser } from '../../server/src/syntax/node.ts';
import type { Edit } from '../../server/src/text/span.ts';
import { loadParser } from './parser.ts';

/** One document, or several of one module by path. */
export type Source = string | Readonly<Record<string, string>>;

export const MAIN = 'main.c';

const parser: SyntaxParser = await loadParser();

/** The facts of a module: `.c` files are sources, everything else is a quoted header. */
export function factsOf(source: Source, kernel: string): ModuleFacts {
  const files = typeof source === 'string' ? { [MAIN]: source } : source;
  const version = parseVersion(kernel);
  if (version === undefined) throw new Error(`not a kernel version: ${kernel}`);
  const lowered = Object.entries(files).map(([path, text]) => loweredFile(path, text));
  const isSource = (path: string): boolean => path.endsWith('.c');
  return analyseModule(
    {
      sources: lowered.filter((file) => isSource(file.path)),
      headers: lowered.filter((file) => !isSource(file.path)),
    },
    version,
  );
}

function loweredFile(path: string, text: string): FileIr {
  const tree = parser.parse(text);
  try {
    return lowerFile(path, tree, undefined, parser);
  } finally {
    tree.dispose();
  }
}

/** The sources of a module of one document. */
export function loweredSources(text: string): readonly FileIr[] {
  return [loweredFile(MAIN, text)];
}

/** What all rules say of a module for a target kernel; throws when a message is too long. */
export function analyseText(source: Source, kernel: string): Finding[] {
  const facts = factsOf(source, kernel);
  const findings = runRules({ facts, kernel: facts.kernel });
  const long = findings.find(({ message }) => message.length > MESSAGE_LIMIT);
  if (long !== undefined) throw new Error(`a message of ${long.rule} is too long: ${long.message}`);
  return findings;
}

/**
 * Applies edits of one document. Throws when two of them overlap: no caller may rely on an order of
 * overlapping edits.
 */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const sorted = edits
    .map((edit, index) => ({ edit, index }))
    .sort(
      (left, right) => left.edit.span.start - right.edit.span.start || left.index - right.index,
    );
  let result = '';
  let at = 0;
  for (const { edit } of sorted) {
    if (edit.span.start < at || edit.span.end < edit.span.start || edit.span.end > text.length)
      throw new Error(`edits overlap or leave the text at ${edit.span.start}`);
    result += text.slice(at, edit.span.start) + edit.newText;
    at = edit.span.end;
  }
  return result + text.slice(at);
}

/** Applies one fix to the main document. */
export function applyFix(text: string, fix: Fix): string {
  return applyEdits(
    text,
    fix.edits.filter((file) => file.path === MAIN).flatMap((file) => file.edits),
  );
}

/** Applies the fixes of a rule one after the other, each on the result of the one before. */
export function applyFixesOf(rule: string, text: string, kernel: string): string {
  for (let round = 0; round < 10; round++) {
    const fix = analyseText(text, kernel).find(
      (finding) => finding.rule === rule && finding.fix !== null,
    )?.fix;
    if (!fix) return text;
    text = applyFix(text, fix);
  }
  throw new Error(`the fixes of ${rule} do not come to an end`);
}

/**
 * A flagged place as the caret lines write it: one-based line of the code without caret lines,
 * display columns with tab stops of eight.
 */
interface Mark {
  readonly line: number;
  readonly from: number;
  readonly to: number;
  readonly rule: string;
  readonly severity: string;
}

const CARETS =
  /^[ \t]*\/\/[ \t]*(\^+)[ \t]+([a-z][a-z0-9-]*)(?:[ \t]+(error|warning|information|hint))?[ \t]*$/;

/** Takes the caret lines out of a piece of C. */
export function readAnnotations(annotated: string): {
  readonly code: string;
  readonly marks: readonly Mark[];
} {
  const lines: string[] = [];
  const marks: Mark[] = [];
  for (const line of annotated.split('\n')) {
    const caret = CARETS.exec(line);
    if (caret === null) {
      lines.push(line);
      continue;
    }
    const [, carets, rule, severity] = caret;
    const from = columnOf(line, line.indexOf('^'));
    marks.push({
      line: lines.length,
      from,
      to: from + carets!.length,
      rule: rule!,
      severity: severity ?? ruleById(rule!)?.severity ?? 'error',
    });
  }
  return { code: lines.join('\n'), marks };
}

function columnOf(line: string, character: number): number {
  let column = 0;
  for (const char of line.slice(0, character))
    column = char === '\t' ? column + 8 - (column % 8) : column + 1;
  return column;
}

/** Where a finding's carets would stand: a finding over several lines is marked in its first. */
function markOf(text: string, { site, rule, severity }: Finding): Mark {
  const before = text.slice(0, site.start).split('\n');
  const start = before.at(-1)!.length;
  const line = text.split('\n')[before.length - 1]!;
  const end = Math.min(line.length, start + (site.end - site.start));
  return {
    line: before.length,
    from: columnOf(line, start),
    to: columnOf(line, end),
    rule,
    severity,
  };
}

/** The code with the findings as caret lines: what an annotated piece must equal. */
function annotate(code: string, marks: readonly Mark[]): string {
  return code
    .split('\n')
    .flatMap((line, index) => [
      line,
      ...marks
        .filter((mark) => mark.line === index + 1)
        .sort(
          (left, right) =>
            left.from - right.from || left.to - right.to || (left.rule < right.rule ? -1 : 1),
        )
        .map(
          (mark) =>
            `//${' '.repeat(Math.max(0, mark.from - 2))}${'^'.repeat(mark.to - mark.from)} ${mark.rule}${mark.severity === ruleById(mark.rule)?.severity ? '' : ` ${mark.severity}`}`,
        ),
    ])
    .join('\n');
}

/**
 * Runs all rules over an annotated piece and expects exactly the findings that its carets mark;
 * then the fixes of `rule` must give `fixed`.
 */
export function expectAnnotated(example: Example, rule: string | null = null): void {
  const kernel = example.kernel ?? '6.1';
  const { code, marks } = readAnnotations(example.code);
  const found = analyseText(code, kernel);
  expect(
    annotate(
      code,
      found.map((finding) => markOf(code, finding)),
    ),
  ).toBe(annotate(code, marks));
  if (example.fixed !== undefined && rule !== null)
    expect(applyFixesOf(rule, code, kernel)).toBe(readAnnotations(example.fixed).code);
}
