/** What the server answers while the thread that serves hears nothing at all. */
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  createProtocolConnection,
  ErrorCodes,
  ExitNotification,
  HoverRequest,
  InitializeRequest,
  LSPErrorCodes,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type ProtocolConnection,
} from 'vscode-languageserver-protocol/node';

let folder: string;
let server: ChildProcess;
let connection: ProtocolConnection;
let exited: Promise<number | null>;

/** Starts the packed supervisor with a thread that runs `program`. */
function start(program: string): void {
  writeFileSync(join(folder, 'web/server.js'), `(function (require) {${program}\n})`);
  server = spawn(process.execPath, [join(folder, 'server.cjs'), '--stdio'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  exited = new Promise((done) => server.on('exit', done));
  connection = createProtocolConnection(
    new StreamMessageReader(server.stdout!),
    new StreamMessageWriter(server.stdin!),
  );
  connection.listen();
}

const initialize = () =>
  connection.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
  });
const hover = () =>
  connection.sendRequest(HoverRequest.type, {
    textDocument: { uri: 'untitled:a.c' },
    position: { line: 0, character: 0 },
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vfio-lifecycle-supervisor-'));
  mkdirSync(join(folder, 'web'));
  copyFileSync(
    fileURLToPath(new URL('../../dist/server.cjs', import.meta.url)),
    join(folder, 'server.cjs'),
  );
});

afterEach(() => {
  connection.dispose();
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

it('shutdown is answered, and so is what was asked before it and comes after it', async () => {
  start('for (;;);');
  const before = expect(initialize()).rejects.toMatchObject({
    code: LSPErrorCodes.RequestCancelled,
  });
  expect(await connection.sendRequest(ShutdownRequest.type)).toBeNull();
  await before;
  await expect(hover()).rejects.toMatchObject({ code: ErrorCodes.InvalidRequest });
  await connection.sendNotification(ExitNotification.type);
  expect(await exited).toBe(0);
});

it('exit without shutdown ends the process with status 1', async () => {
  start('for (;;);');
  await connection.sendNotification(ExitNotification.type);
  expect(await exited).toBe(1);
});

it('the process is gone when its input is closed', async () => {
  start('for (;;);');
  server.stdin!.end();
  expect(await exited).toBe(1);
});

it('the process ends with a thread that fails, so that the client starts another', async () => {
  start('throw new Error("a mistake of the server");');
  expect(await exited).toBe(1);
});

it('what the thread prints is no message to the client', async () => {
  start(`
    console.log('Content-Length: 9');
    require('node:worker_threads').parentPort.on('message', ({ id }) => require('node:worker_threads').parentPort.postMessage({ jsonrpc: '2.0', id, result: {} }));
  `);
  expect(await initialize()).toEqual({});
});
