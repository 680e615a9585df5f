/** The commands of `workspace/executeCommand`, for clients that have no requests of our own. */
import {
  ErrorCodes,
  ResponseError,
  type CancellationToken,
  type ExecuteCommandParams,
  type WorkDoneProgressReporter,
} from 'vscode-languageserver';
import { LIFE_CYCLE_COMMAND, lifeCycleOf } from './life-cycle.ts';
import { answerNewDriver, NEW_DRIVER_COMMAND } from './new-driver.ts';
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
];

export function createCommands(session: Session, check: WorkspaceCheck): Commands {
  return new Map<string, Command>([
    [CHECK_COMMAND, (given, token, progress) => check.run(given, token, progress)],
    [NEW_DRIVER_COMMAND, answerNewDriver],
    [LIFE_CYCLE_COMMAND, (given, token) => lifeCycleOf(session, text(given, 'uri'), token)],
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

/** A text in an argument. Throws the protocol's error where it is none. */
function text(given: unknown, name: string): string {
  const object = typeof given === 'object' && given !== null ? given : {};
  const value: unknown = Reflect.get(object, name);
  if (typeof value === 'string') return value;
  throw new ResponseError(ErrorCodes.InvalidParams, `the argument has no text "${name}"`);
}
