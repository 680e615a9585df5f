import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { expect, inject, test } from 'vitest';
import { startClient } from '../lsp/client.ts';

const root = path.resolve(import.meta.dirname, '../..');
const dist = path.join(inject('installed'), 'dist');
const uri = 'file:///driver/mistakes.c';
const text = readFileSync(path.join(root, 'examples/driver/mistakes.c'), 'utf8');
const expected = ['missing-put', 'null-check-on-alloc', 'use-after-put'];

interface Report {
  items: { code: string }[];
}

test('the packed server runs by itself and finds the mistakes of the example', async () => {
  const client = await startClient({ command: [path.join(dist, 'server.cjs'), '--stdio'] });
  client.open(uri, text);
  expect((await client.diagnostics(uri)).map((item) => item.code).sort()).toEqual(expected);
  expect(await client.stop()).toBe(0);
});

test('the packed command line runs by itself, as the task does it', () => {
  const file = path.join(root, 'examples/driver/mistakes.c');
  const { stdout } = spawnSync(
    process.execPath,
    [path.join(dist, 'cli.cjs'), 'check', '--format', 'short', file],
    { encoding: 'utf8' },
  );
  expect(
    [...stdout.matchAll(/: error: .* \[([a-z-]+)\]$/gm)].map(([, rule]) => rule).sort(),
  ).toEqual(expected);
});

test('the packed worker runs where there is no Node and finds the same', async () => {
  const worker = startWorker(readFileSync(path.join(dist, 'web/server.js'), 'utf8'));
  const wasm = (name: string): string => readFileSync(path.join(dist, name)).toString('base64');
  await worker.request('initialize', {
    processId: null,
    rootUri: null,
    capabilities: { textDocument: { diagnostic: {} } },
    initializationOptions: {
      runtime: wasm('web-tree-sitter.wasm'),
      grammar: wasm('tree-sitter-c.wasm'),
    },
  });
  worker.notify('initialized', {});
  worker.notify('textDocument/didOpen', {
    textDocument: { uri, languageId: 'c', version: 1, text },
  });
  const report = (await worker.request('textDocument/diagnostic', {
    textDocument: { uri },
  })) as Report;
  expect(report.items.map((item) => item.code).sort()).toEqual(expected);
});

interface Message {
  id?: number;
  method?: string;
  result?: unknown;
  error?: unknown;
}

/**
 * Runs a script with what a web worker has and nothing of Node's, so that a stray `process` or
 * `require` fails as it would in a browser.
 */
function startWorker(script: string) {
  const waiting = new Map<
    number,
    { resolve(result: unknown): void; reject(error: unknown): void }
  >();
  const listeners = new Set<(event: { data: unknown }) => void>();
  const self: Record<string, unknown> & { onmessage?: (event: { data: unknown }) => void } = {
    addEventListener(type: string, listener: (event: { data: unknown }) => void) {
      if (type === 'message') listeners.add(listener);
    },
    postMessage({ id, method, result, error }: Message) {
      if (id === undefined) return;
      // The server asks its client: settings and files, of which there are none.
      if (method !== undefined) return void send({ id, result: null });
      const request = waiting.get(id);
      if (error === undefined) request?.resolve(result);
      else request?.reject(new Error(JSON.stringify(error)));
    },
    importScripts() {
      throw new Error('a worker of an extension loads no more scripts');
    },
    location: { href: 'blob:worker' },
    WebAssembly,
    TextDecoder,
    TextEncoder,
    URL,
    setTimeout,
    clearTimeout,
    queueMicrotask,
    performance,
    atob,
    btoa,
    console,
    AbortController,
  };
  self['self'] = self;
  self['globalThis'] = self;
  // A worker gets each message in a task of its own, behind all promises that its script left.
  const send = (message: object): void =>
    void setImmediate(() => {
      const event = { data: { jsonrpc: '2.0', ...message } };
      self.onmessage?.(event);
      for (const listener of listeners) listener(event);
    });
  vm.runInNewContext(script, self);
  let last = 0;
  return {
    notify: (method: string, params: object) => send({ method, params }),
    request: (method: string, params: object) =>
      new Promise<unknown>((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { resolve, reject });
        send({ id, method, params });
      }),
  };
}
