import { afterEach, expect, it } from 'vitest';
import { DiagnosticRefreshRequest } from 'vscode-languageserver-protocol/node';
import { CLEAN, LEAKY } from '../support/drivers.ts';
import { FULL, startClient, type ClientOptions, type TestClient } from './client.ts';

const MEMORY = 'untitled:foo.c';
const PUT = '\t\tvfio_put_device(&foo->vdev);\n';

let client: TestClient | undefined;

afterEach(async () => {
  await client?.stop();
  client = undefined;
});

async function start(options: ClientOptions = {}): Promise<TestClient> {
  return (client = await startClient({
    initializationOptions: { waitWhileTyping: true },
    ...options,
  }));
}

const codes = (items: readonly { code?: unknown }[]): unknown[] => items.map((one) => one.code);

it('a missing put is reported when nobody types any more, and the client is asked to come again', async () => {
  let refreshed: () => void = () => undefined;
  const asked = new Promise<void>((done) => {
    refreshed = done;
  });
  const { open, change, diagnostics } = await start({
    prepare: (one) => one.onRequest(DiagnosticRefreshRequest.type, () => refreshed()),
  });
  open(MEMORY, CLEAN);
  expect(await diagnostics(MEMORY)).toEqual([]);
  change(MEMORY, 2, [{ text: CLEAN.replace(PUT, '') }]);
  expect(await diagnostics(MEMORY)).toEqual([]);
  await asked;
  expect(codes(await diagnostics(MEMORY))).toEqual(['missing-put']);
});

it('a finding that was there stays where it is while its function does not parse', async () => {
  const { open, change, diagnostics } = await start();
  open(MEMORY, LEAKY);
  const [before] = await diagnostics(MEMORY);
  const at = LEAKY.indexOf('\tret = vfio_register');
  change(MEMORY, 2, [{ text: `${LEAKY.slice(0, at)}\tswitch (\n${LEAKY.slice(at)}` }]);
  const [after, ...others] = await diagnostics(MEMORY);
  expect(others).toEqual([]);
  expect(after).toMatchObject({ code: 'missing-put', severity: before!.severity });
  expect(after!.range.start.line).toBe(before!.range.start.line + 1);
});

it('what is mended goes at once, and what is there at once is reported at once', async () => {
  const { open, change, diagnostics } = await start();
  open(MEMORY, LEAKY);
  await diagnostics(MEMORY);
  change(MEMORY, 2, [{ text: CLEAN }]);
  expect(await diagnostics(MEMORY)).toEqual([]);
  change(MEMORY, 3, [{ text: CLEAN.replace(PUT, `${PUT}${PUT}`) }]);
  expect(codes(await diagnostics(MEMORY))).toEqual(['double-put']);
});

it('is pushed to a client that does not pull', async () => {
  const { open, change, pushed } = await start({
    capabilities: { textDocument: { publishDiagnostics: FULL.textDocument!.publishDiagnostics! } },
  });
  open(MEMORY, CLEAN);
  await pushed(MEMORY);
  change(MEMORY, 2, [{ text: CLEAN.replace(PUT, '') }]);
  expect((await pushed(MEMORY, ({ version }) => version === 2)).diagnostics).toEqual([]);
  const later = await pushed(MEMORY, ({ diagnostics }) => diagnostics.length > 0);
  expect(codes(later.diagnostics)).toEqual(['missing-put']);
});

it('a client that cannot be asked to come again gets all at once', async () => {
  const { open, change, diagnostics } = await start({
    capabilities: { ...FULL, workspace: {} },
  });
  open(MEMORY, CLEAN);
  await diagnostics(MEMORY);
  change(MEMORY, 2, [{ text: CLEAN.replace(PUT, '') }]);
  expect(codes(await diagnostics(MEMORY))).toEqual(['missing-put']);
});
