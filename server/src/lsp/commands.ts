/** The commands of `workspace/executeCommand`, for clients that have no requests of our own. */
import {
  ErrorCodes,
  Position,
  ResponseError,
  type CancellationToken,
  type ExecuteCommandParams,
  type WorkDoneProgressReporter,
} from 'vscode-languageserver';
import { CONVERT_COMMAND, convertNow } from './convert-command.ts';
import { EXPLAIN_COMMAND, explanationOf } from './explain-command.ts';
import {
  CHECK_DOCUMENT_COMMAND,
  checkDocument,
  findingPath,
  PATH_COMMAND,
} from './finding-path.ts';
import { LIFE_CYCLE_COMMAND, lifeCycleOf } from './life-cycle.ts';
import { answerNewDriver, NEW_DRIVER_COMMAND } from './new-driver.ts';
import { OTHER_END_COMMAND, otherEndsAt } from './other-ends.ts';
import type { Session } from './session.ts';
import { CHECK_COMMAND, type WorkspaceCheck } from './workspace-check.ts';

/** One command: it is given its first argument, whatever that is. */
type Command = (
  argument: unknown,
  token: CancellationToken,
  progress: WorkDoneProgressReporter,
) => unknown;

/** The commands by their names. */
export type Commands = ReadonlyMap<string, Command>;

/** The names of all commands, for the server's capabilities. */
export const COMMAND_NAMES: readonly string[] = [
  CHECK_COMMAND,
  NEW_DRIVER_COMMAND,
  LIFE_CYCLE_COMMAND,
  OTHER_END_COMMAND,
  CHECK_DOCUMENT_COMMAND,
  PATH_COMMAND,
  EXPLAIN_COMMAND,
  CONVERT_COMMAND,
];

export function createCommands(session: Session, check: WorkspaceCheck): Commands {
  return new Map<string, Command>([
    [CHECK_COMMAND, (given, token, progress) => check.run(given, token, progress)],
    [NEW_DRIVER_COMMAND, answerNewDriver],
    [LIFE_CYCLE_COMMAND, (given, token) => lifeCycleOf(session, text(given, 'uri'), token)],
    [
      OTHER_END_COMMAND,
      (given, token) => otherEndsAt(session, text(given, 'uri'), position(given), token),
    ],
    [CHECK_DOCUMENT_COMMAND, (given, token) => checkDocument(session, text(given, 'uri'), token)],
    [
      PATH_COMMAND,
      (given, token) => findingPath(session, text(given, 'uri'), position(given), token),
    ],
    [
      EXPLAIN_COMMAND,
      (given, token) => explanationOf(session, text(given, 'name'), optional(given, 'uri'), token),
    ],
    [
      CONVERT_COMMAND,
      (given, token) =>
        convertNow(
          session,
          {
            uri: text(given, 'uri'),
            functionName: optional(given, 'functionName'),
            style: optional(given, 'style'),
          },
          token,
        ),
    ],
  ]);
}

/** Throws the protocol's error for a command that there is not, or an argument that is missing. */
export function executeCommand(
  commands: Commands,
  { command, arguments: list }: ExecuteCommandParams,
  token: CancellationToken,
  progress: WorkDoneProgressReporter,
): unknown {
  const run = commands.get(command);
  if (run === undefined)
    throw new ResponseError(ErrorCodes.InvalidParams, `no such command: ${command}`);
  return run(list?.[0], token, progress);
}

function member(given: unknown, name: string): unknown {
  return typeof given === 'object' && given !== null ? Reflect.get(given, name) : undefined;
}

function optional(given: unknown, name: string): string | undefined {
  const value = member(given, name);
  return typeof value === 'string' ? value : undefined;
}

/** A text in an argument. Throws the protocol's error where it is none. */
function text(given: unknown, name: string): string {
  const value = optional(given, name);
  if (value !== undefined) return value;
  throw new ResponseError(ErrorCodes.InvalidParams, `the argument has no text "${name}"`);
}

/** The position in an argument. Throws the protocol's error where it is none. */
function position(given: unknown): Position {
  const value = member(given, 'position');
  if (Position.is(value)) return value;
  throw new ResponseError(ErrorCodes.InvalidParams, 'the argument has no "position"');
}
