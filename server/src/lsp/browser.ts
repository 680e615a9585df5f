/** The entry of the server in a web worker. */
import {
  BrowserMessageReader,
  BrowserMessageWriter,
  createConnection,
} from 'vscode-languageserver/browser';
import { startServer } from './server.ts';

declare const self: DedicatedWorkerGlobalScope;

/**
 * Entry in a web worker. The client sends both wasm modules as base64 with its first message: a
 * worker cannot read the extension's folder.
 */
startServer(createConnection(new BrowserMessageReader(self), new BrowserMessageWriter(self)), {
  async loadWasm({ initializationOptions }) {
    const options = (initializationOptions ?? {}) as { runtime?: unknown; grammar?: unknown };
    return {
      runtime: bytes(options.runtime, 'runtime'),
      grammar: bytes(options.grammar, 'grammar'),
    };
  },
  files: undefined,
  rest,
  docs: undefined,
});

/**
 * A message to oneself comes after those that have arrived; a timer would wait for milliseconds.
 */
function rest(): Promise<void> {
  return new Promise((resume) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resume();
    };
    port2.postMessage(null);
  });
}

function bytes(base64: unknown, name: string): Uint8Array {
  if (typeof base64 !== 'string') throw new Error(`initializationOptions.${name} is missing`);
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
