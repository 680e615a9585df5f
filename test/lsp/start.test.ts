import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startClient } from './client.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));

describe('the server process', () => {
  it('starts, says what it can do and ends with status 0', async () => {
    const client = await startClient();
    expect(client.result).toMatchInlineSnapshot(`
      {
        "capabilities": {
          "codeActionProvider": {
            "codeActionKinds": [
              "quickfix",
              "refactor.rewrite.vfio",
              "source.fixAll.vfio",
            ],
            "resolveProvider": true,
          },
          "diagnosticProvider": {
            "identifier": "vfio",
            "interFileDependencies": true,
            "workspaceDiagnostics": false,
          },
          "executeCommandProvider": {
            "commands": [
              "vfioLifecycle.checkWorkspace",
              "vfio-lifecycle.newDriver",
              "vfio-lifecycle.lifeCycle",
              "vfio-lifecycle.otherEnd",
              "vfio-lifecycle.check",
              "vfio-lifecycle.path",
              "vfio-lifecycle.explain",
              "vfio-lifecycle.convert",
            ],
            "workDoneProgress": true,
          },
          "hoverProvider": true,
          "positionEncoding": "utf-16",
          "textDocumentSync": 2,
          "workspace": {
            "workspaceFolders": {
              "changeNotifications": false,
              "supported": true,
            },
          },
        },
        "serverInfo": {
          "name": "vfio-lifecycle",
        },
      }
    `);
    expect(await client.stop()).toBe(0);
  });

  it('is also a command of the command line', async () => {
    const client = await startClient({ command: [CLI, 'lsp', '--stdio'] });
    client.open('untitled:Untitled-1', 'int x;');
    expect(await client.pull('untitled:Untitled-1')).toMatchObject({ kind: 'full', items: [] });
    expect(await client.stop()).toBe(0);
  });

  it('serves a client that can do nothing', async () => {
    const client = await startClient({ capabilities: {}, initializationOptions: null });
    expect(client.result.capabilities.diagnosticProvider).toBeUndefined();
    client.open('file:///nowhere/a.c', 'int vfio;');
    expect((await client.pushed('file:///nowhere/a.c')).diagnostics).toEqual([]);
    expect(await client.stop()).toBe(0);
  });
});
