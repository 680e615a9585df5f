import { afterEach, describe, expect, it } from 'vitest';
import { ExecuteCommandRequest } from 'vscode-languageserver-protocol/node';
import type { LifeCycleAnswer } from '../../server/src/lsp/life-cycle.ts';
import { LEAKY } from '../support/drivers.ts';
import { startClient, type TestClient } from './client.ts';

const URI = 'untitled:foo.c';
let client: TestClient | undefined;

afterEach(async () => {
  await client?.stop();
  client = undefined;
});

async function run(command: string, ...args: unknown[]): Promise<unknown> {
  client ??= await startClient();
  return client.connection.sendRequest(ExecuteCommandRequest.type, { command, arguments: args });
}

describe('the commands of the server', () => {
  it('gives the life of a driver with places of the client', async () => {
    client = await startClient();
    client.open(URI, LEAKY, 7);
    const life = (await run('vfio-lifecycle.lifeCycle', { uri: URI })) as LifeCycleAnswer;
    expect(life).toMatchObject({ kernel: '6.1', version: 7, drivers: [{ name: 'foo_driver' }] });
    expect(life.mermaid).toContain('flowchart TD');
    const [driver] = life.drivers;
    expect(driver!.findings).toMatchObject([
      {
        rule: 'missing-put',
        place: {
          uri: URI,
          range: { start: { line: 28, character: 2 }, end: { line: 28, character: 13 } },
        },
      },
    ]);
  });

  it('has no life for a document that is not open or without VFIO', async () => {
    client = await startClient();
    client.open(URI, 'int x;\n');
    expect(await run('vfio-lifecycle.lifeCycle', { uri: URI })).toBeNull();
    expect(await run('vfio-lifecycle.lifeCycle', { uri: 'untitled:b.c' })).toBeNull();
  });

  it.each([
    ['vfio-lifecycle.unknown', [{ uri: URI }], /no such command/],
    ['vfio-lifecycle.lifeCycle', [], /no text "uri"/],
    ['vfio-lifecycle.lifeCycle', [null], /no text "uri"/],
    ['vfio-lifecycle.lifeCycle', [{ uri: 3 }], /no text "uri"/],
  ])('refuses %s %j', async (command, args, message) => {
    await expect(run(command, ...args)).rejects.toThrow(message);
  });
});
