/**
 * What of a file was not understood although the life cycle of a device is in it: a clean report
 * must not hide it.
 */
import type { FileIr, FunctionIr, UnknownStmt } from '../ir/types.ts';
import { calls, walkStmt } from '../ir/visit.ts';
import { apiEntry } from '../kernel/lifecycle-api.ts';
import { COMMENT_OR_LITERAL } from '../text/lexical.ts';
import { lineIndex } from '../text/position.ts';
import type { Span } from '../text/span.ts';
import type { Engine } from './analyse.ts';
import type { ModuleInput, NotAnalysed } from './types.ts';

/**
 * The functions, and the stretches between functions, that do not parse and that call, or name, a
 * function of the life cycle.
 * Of such a function findings are hints at most, and those that need all of its paths are not made.
 * Empty for a file without VFIO.
 */
export function unparsedIn(engine: Engine, input: ModuleInput): readonly NotAnalysed[] {
  const module = engine.module(input);
  const file =
    module && [...module.sources, ...module.headers].find((one) => one.path === input.file);
  return file ? unparsedParts(file) : [];
}

function unparsedParts(file: FileIr): readonly NotAnalysed[] {
  const lines = lineIndex(file.text);
  const placed = ({ start }: Span): number => lines.position(start).line + 1;
  const functions = file.functions.flatMap((fn): NotAnalysed[] => {
    const unknown = unknownStatements(fn);
    const hiding =
      unknown.find((stmt) => stmt.opaque || stmt.hides === 'test' || stmt.hides === 'end') ??
      unknown.find((stmt) => [...stmt.calls, ...stmt.names].some(isLifecycle));
    if (!(fn.opaque || hiding !== undefined) || !concernsLifecycle(fn, unknown)) return [];
    const place = hiding === undefined ? 'it' : `line ${placed(hiding)}`;
    const reason =
      hiding?.hides === 'end'
        ? `a closing brace is missing before line ${placed({ start: hiding.end, end: hiding.end })}, so blocks are read by their indentation`
        : `${place} does not parse, so not all of its paths are seen`;
    return [
      {
        path: file.path,
        function: fn.name,
        reason,
        start: fn.nameSpan.start,
      },
    ];
  });
  const lost = file.lost
    .filter((span) => namesLifecycle(file.text.slice(span.start, span.end)))
    .map((span): NotAnalysed => ({
      path: file.path,
      function: '',
      reason: `${linesText(placed(span), placed({ start: span.end, end: span.end }))} not parse`,
      start: span.start,
    }));
  return [...functions, ...lost];
}

function linesText(first: number, last: number): string {
  return first === last ? `line ${first} does` : `lines ${first} to ${last} do`;
}

function unknownStatements(fn: FunctionIr): UnknownStmt[] {
  const found: UnknownStmt[] = [];
  walkStmt(fn.body, (stmt) => {
    if (stmt.kind === 'unknown') found.push(stmt);
  });
  return found;
}

function concernsLifecycle(fn: FunctionIr, unknown: readonly UnknownStmt[]): boolean {
  return (
    calls(fn).some(
      (call) => call.name !== undefined && call.name !== null && isLifecycle(call.name),
    ) || unknown.some((stmt) => [...stmt.calls, ...stmt.names].some(isLifecycle))
  );
}

/** There is no IR of what was lost: its words are all that is known. */
function namesLifecycle(text: string): boolean {
  const words = text.replace(COMMENT_OR_LITERAL, ' ').match(/[A-Za-z_]\w*/g) ?? [];
  return words.some(isLifecycle);
}

function isLifecycle(name: string): boolean {
  return apiEntry(name) !== undefined;
}
