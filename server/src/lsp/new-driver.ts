/** The command that answers with the files of a new driver, for clients that write them. */
import { ErrorCodes, ResponseError } from 'vscode-languageserver';
import { newDriver, NEW_DRIVER_BUSSES, NEW_DRIVER_KERNELS } from '../engine/new-driver/index.ts';
import type { NewDriver } from '../engine/new-driver/types.ts';

/** The command of `workspace/executeCommand`. Its argument is a NewDriverRequest, or nothing. */
export const NEW_DRIVER_COMMAND = 'vfio-lifecycle.newDriver';

/** What a person chooses; without it the answer is what there is to choose from. */
export interface NewDriverRequest {
  readonly bus: string;
  readonly name: string;
  readonly kernel: string;
}

/** What there is to choose from. */
export interface NewDriverChoices {
  readonly busses: typeof NEW_DRIVER_BUSSES;
  /** The newest first. */
  readonly kernels: readonly string[];
}

/**
 * The files of a driver, a clause that says why there are none, or the choices. @throws ResponseError
 * where the argument is no request.
 */
export function answerNewDriver(
  request: unknown,
): NewDriver | NewDriverChoices | { readonly problem: string } {
  if (request === undefined || request === null)
    return { busses: NEW_DRIVER_BUSSES, kernels: [...NEW_DRIVER_KERNELS].reverse() };
  if (!isRequest(request))
    throw new ResponseError(ErrorCodes.InvalidParams, 'bus, name and kernel are texts');
  return newDriver(request.bus, request.name, request.kernel);
}

function isRequest(given: unknown): given is NewDriverRequest {
  const request = given as Partial<Record<keyof NewDriverRequest, unknown>>;
  return (
    typeof given === 'object' &&
    [request.bus, request.name, request.kernel].every((one) => typeof one === 'string')
  );
}
