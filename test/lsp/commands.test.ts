import { afterEach, describe, expect, it } from 'vitest';
import {
  ApplyWorkspaceEditRequest,
  ExecuteCommandRequest,
  type ApplyWorkspaceEditParams,
} from 'vscode-languageserver-protocol/node';
import type { LifeCycleAnswer } from '../../server/src/lsp/life-cycle.ts';
import { BAR_H, LEAKY, OLD } from '../support/drivers.ts';
import { sharedServers, startClient, type TestClient } from './client.ts';

const URI = 'untitled:foo.c';
const share = sharedServers();
let own: TestClient | undefined;
let client: TestClient | undefined;

afterEach(async () => {
  await own?.stop();
  own = client = undefined;
});

async function run(command: string, ...args: unknown[]): Promise<unknown> {
  client ??= await share();
  return client.connection.sendRequest(ExecuteCommandRequest.type, { command, arguments: args });
}

describe('the commands of the server', () => {
  it('gives the life of a driver with places of the client', async () => {
    client = await share();
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
    client = await share();
    client.open(URI, 'int x;\n');
    expect(await run('vfio-lifecycle.lifeCycle', { uri: URI })).toBeNull();
    expect(await run('vfio-lifecycle.lifeCycle', { uri: 'untitled:b.c' })).toBeNull();
  });

  it('gives the findings of a document and the path of one', async () => {
    client = await share();
    client.open(URI, LEAKY);
    expect(await run('vfio-lifecycle.check', { uri: URI })).toMatchObject([
      { code: 'missing-put', severity: 1 },
    ]);
    const position = { line: 28, character: 4 };
    expect(await run('vfio-lifecycle.path', { uri: URI, position })).toMatchObject({
      rule: 'missing-put',
      path: [
        { place: { uri: URI, range: { start: { line: 22 } } } },
        { place: { uri: URI, range: { start: { line: 26 } } } },
        { place: { uri: URI, range: { start: { line: 28 } } } },
      ],
    });
    const elsewhere = { line: 2, character: 0 };
    expect(await run('vfio-lifecycle.path', { uri: URI, position: elsewhere })).toBeNull();
    expect(
      await run('vfio-lifecycle.otherEnd', { uri: URI, position: { line: 22, character: 10 } }),
    ).toMatchObject([{ uri: URI, range: { start: { line: 39 } } }]);
  });

  it('explains a name', async () => {
    client = await share();
    client.open(URI, LEAKY);
    const explain = (name: string): Promise<unknown> =>
      run('vfio-lifecycle.explain', { name, uri: URI });
    expect(await explain('vfio_put_device')).toMatchObject({
      markdown: expect.stringContaining('in v6.1') as unknown,
      proposals: [],
    });
    expect(await explain('missing-put')).toMatchObject({
      markdown: expect.stringContaining('missing-put') as unknown,
    });
    expect(await explain('missing-putt')).toEqual({ markdown: null, proposals: ['missing-put'] });
  });

  it('converts a driver, and has the client write it', async () => {
    const edits: ApplyWorkspaceEditParams[] = [];
    client = own = await startClient({
      initializationOptions: { settings: { targetKernel: '6.1' } },
      prepare: (connection) =>
        connection.onRequest(ApplyWorkspaceEditRequest.type, (params) => {
          edits.push(params);
          return { applied: true };
        }),
    });
    client.open(URI, OLD.replace('#include "bar.h"\n', BAR_H));
    expect(await run('vfio-lifecycle.convert', { uri: URI })).toMatchObject({
      isApplied: true,
      files: [URI],
    });
    expect(JSON.stringify(edits)).toContain('vfio_alloc_device(bar, vdev');
    client.open('untitled:new.c', LEAKY);
    await expect(run('vfio-lifecycle.convert', { uri: 'untitled:new.c' })).rejects.toThrow(/./);
  });

  it.each([
    ['vfio-lifecycle.unknown', [{ uri: URI }], /no such command/],
    ['vfio-lifecycle.lifeCycle', [], /no text "uri"/],
    ['vfio-lifecycle.lifeCycle', [null], /no text "uri"/],
    ['vfio-lifecycle.lifeCycle', [{ uri: 3 }], /no text "uri"/],
    ['vfio-lifecycle.path', [{ uri: URI, position: 3 }], /no "position"/],
    ['vfio-lifecycle.convert', [{ uri: URI }], /not open/],
    ['vfio-lifecycle.convert', [{ uri: URI, style: 'folded' }], /minimal, fold, compat/],
  ])('refuses %s %j', async (command, args, message) => {
    await expect(run(command, ...args)).rejects.toThrow(message);
  });
});
