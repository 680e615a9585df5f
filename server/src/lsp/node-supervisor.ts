/**
 * The first thread of a server in Node. It hands messages on between the client and the thread that
 * serves, and answers by itself what must be
 * answered whatever is being worked out there: `shutdown`, `exit`, the end of the input and of the
 * client's process.
 */
import type { Worker } from 'node:worker_threads';
import {
  createServerPipeTransport,
  createServerSocketTransport,
  ErrorCodes,
  IPCMessageReader,
  IPCMessageWriter,
  Message,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageReader,
  type MessageWriter,
  type RequestMessage,
  type ResponseMessage,
} from 'vscode-jsonrpc/node';

/** Of the protocol: the request was cancelled. */
const REQUEST_CANCELLED = -32800;

/**
 * How often the client's process is looked for, in milliseconds. Whose input ends, ends at once:
 * this is for the pipe that another process of the client's has too, and leaves open. So it may be
 * rare, and an idle server sleeps.
 */
const GLANCE = 60_000;

type Transport = readonly [MessageReader, MessageWriter];

/**
 * Serves over the transport that the process' arguments name: --stdio, --node-ipc, --socket=N or
 * --pipe=NAME. Ends the process.
 * @param thread has just been started by startServerThread().
 * @throws Error when the arguments name no transport.
 */
export function superviseServer(thread: Worker): void {
  const [reader, writer] = transportOf(process.argv.slice(2));
  // What a library prints is no message.
  thread.stdout.pipe(process.stderr);
  const unanswered = new Set<RequestMessage['id']>();
  let isShutDown = false;

  const end = (): never => process.exit(isShutDown ? 0 : 1);
  const answer = (response: Omit<ResponseMessage, 'jsonrpc'>): void =>
    void writer.write({ jsonrpc: '2.0', ...response });
  const refuse = (id: RequestMessage['id'], code: number, message: string): void =>
    answer({ id, error: { code, message } });

  function shutDown(id: RequestMessage['id']): void {
    isShutDown = true;
    void thread.terminate();
    for (const other of unanswered) refuse(other, REQUEST_CANCELLED, 'the server shuts down');
    answer({ id, result: null });
  }

  function requested(request: RequestMessage): void {
    if (isShutDown) refuse(request.id, ErrorCodes.InvalidRequest, 'the server is shut down');
    else if (request.method === 'shutdown') shutDown(request.id);
    else {
      if (request.method === 'initialize') watch(request.params, end);
      unanswered.add(request.id);
      thread.postMessage(request);
    }
  }

  thread.on('message', (message: Message) => {
    if (isShutDown) return;
    if (Message.isResponse(message)) unanswered.delete(message.id);
    void writer.write(message);
  });
  thread.on('error', (error) => console.error(error));
  thread.on('exit', () => {
    if (!isShutDown) end();
  });
  reader.onClose(end);
  process.on('disconnect', end);
  reader.listen((message) => {
    if (Message.isRequest(message)) requested(message);
    else if (Message.isNotification(message) && message.method === 'exit') end();
    else if (!isShutDown) thread.postMessage(message);
  });
}

/** Calls `end` when the process that the client names in its first message is gone. */
function watch(params: unknown, end: () => never): void {
  const { processId } = (params ?? {}) as { processId?: unknown };
  if (typeof processId !== 'number') return;
  setInterval(() => {
    try {
      process.kill(processId, 0);
    } catch {
      end();
    }
  }, GLANCE).unref();
}

function transportOf(args: readonly string[]): Transport {
  const valueOf = (name: string): string | undefined => {
    const at = args.findIndex((one) => one === name || one.startsWith(`${name}=`));
    return at < 0 ? undefined : (args[at]!.split('=')[1] ?? args[at + 1]);
  };
  if (args.includes('--node-ipc'))
    return [new IPCMessageReader(process), new IPCMessageWriter(process)];
  if (args.includes('--stdio'))
    return [new StreamMessageReader(process.stdin), new StreamMessageWriter(process.stdout)];
  const port = Number(valueOf('--socket'));
  if (port > 0) return createServerSocketTransport(port);
  const pipe = valueOf('--pipe');
  if (pipe !== undefined) return createServerPipeTransport(pipe);
  throw new Error(
    'say how to speak with the client: --stdio, --node-ipc, --socket=PORT or --pipe=NAME',
  );
}
