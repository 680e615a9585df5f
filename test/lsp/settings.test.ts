import { afterEach, describe, expect, it } from 'vitest';
import {
  ConfigurationRequest,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  FileChangeType,
  LogMessageNotification,
  MessageType,
  RegistrationRequest,
  type Diagnostic,
} from 'vscode-languageserver-protocol/node';
import { LEAKY } from '../support/drivers.ts';
import { temporaryFolder, type Folder } from '../support/folder.ts';
import { CORE_WRAPPERS, OVER_CORE_LEAKY } from '../support/vendor-core.ts';
import { FULL, startClient, type ClientOptions, type TestClient } from './client.ts';

let client: TestClient | undefined;
let folder: Folder | undefined;
afterEach(async () => {
  await client?.stop();
  folder?.remove();
  client = folder = undefined;
});
const make = (files: Record<string, string>): Folder => (folder = temporaryFolder(files));
const start = async (options: ClientOptions = {}): Promise<TestClient> =>
  (client = await startClient(options));
const shown = (found: readonly Diagnostic[]): string[] =>
  found.map(({ code, severity }) => `${severity} ${code}`);
const CONFIGURABLE = {
  ...FULL,
  workspace: {
    ...FULL.workspace,
    configuration: true,
    didChangeWatchedFiles: { dynamicRegistration: true },
  },
};

describe('.vfio-lifecycle.json in a workspace', () => {
  it('counts for the files below it, after a change too', async () => {
    const { uri, uriOf, write } = make({
      '.vfio-lifecycle.json': '{ "rules": { "missing-put": "hint" }, "targetKernel": "6.1" }',
      'drv/foo.c': LEAKY,
    });
    const statuses: unknown[] = [];
    const { open, diagnostics, connection } = await start({
      workspaceFolders: [uri],
      prepare: (one) =>
        one.onNotification('vfioLifecycle/status', (status) => void statuses.push(status)),
    });
    open(uriOf('drv/foo.c'), LEAKY);
    expect(shown(await diagnostics(uriOf('drv/foo.c')))).toEqual(['4 missing-put']);
    expect(statuses).toMatchObject([{ kernel: '6.1', reason: 'from .vfio-lifecycle.json' }]);
    write('drv/.vfio-lifecycle.json', '{ "rules": { "missing-put": "information" } }');
    void connection.sendNotification(DidChangeWatchedFilesNotification.type, {
      changes: [{ uri: uriOf('drv/.vfio-lifecycle.json'), type: FileChangeType.Created }],
    });
    expect(shown(await diagnostics(uriOf('drv/foo.c')))).toEqual(['3 missing-put']);
    // The one above still says the kernel, and a change of it counts.
    expect(statuses).toMatchObject([{ kernel: '6.1' }, { kernel: '6.1' }]);
    write('.vfio-lifecycle.json', '{ "targetKernel": "6.2" }');
    void connection.sendNotification(DidChangeWatchedFilesNotification.type, {
      changes: [{ uri: uriOf('.vfio-lifecycle.json'), type: FileChangeType.Changed }],
    });
    expect(shown(await diagnostics(uriOf('drv/foo.c')))).toEqual([
      '1 removed-api',
      '3 missing-put',
    ]);
    expect(statuses[2]).toMatchObject({ kernel: '6.2' });
    write('drv/.vfio-lifecycle.json', '{ "root": true }');
    void connection.sendNotification(DidChangeWatchedFilesNotification.type, {
      changes: [{ uri: uriOf('drv/.vfio-lifecycle.json'), type: FileChangeType.Changed }],
    });
    expect(shown(await diagnostics(uriOf('drv/foo.c')))).toEqual(['1 missing-put']);
  });

  it('above the workspace is not read', async () => {
    const { uriOf } = make({
      '.vfio-lifecycle.json': '{ "rules": { "missing-put": "off" } }',
      'drv/foo.c': LEAKY,
    });
    const { open, diagnostics } = await start({ workspaceFolders: [uriOf('drv')] });
    open(uriOf('drv/foo.c'), LEAKY);
    expect(shown(await diagnostics(uriOf('drv/foo.c')))).toEqual(['1 missing-put']);
  });

  it('comes after the setting, rule by rule, and both are told of their problems once', async () => {
    const { uri, uriOf } = make({
      '.vfio-lifecycle.json':
        '{ "rules": { "missing-put": "off", "nope": "off" }, "targetKernel": "6.0" }',
      'foo.c': LEAKY,
    });
    const logs: string[] = [];
    const told: string[] = [];
    const registered: string[] = [];
    const { open, change, diagnostics } = await start({
      capabilities: CONFIGURABLE,
      workspaceFolders: [uri],
      prepare: (one) => {
        one.onRequest(ConfigurationRequest.type, ({ items }) =>
          items.map(() => ({
            targetKernel: '6.1',
            rules: { 'missing-put': 'warning', 'double-put': 'loud' },
          })),
        );
        one.onRequest(
          RegistrationRequest.type,
          ({ registrations }) => void registered.push(JSON.stringify(registrations)),
        );
        one.onNotification(
          LogMessageNotification.type,
          ({ type, message }) => void (type === MessageType.Warning ? logs : told).push(message),
        );
      },
    });
    open(uriOf('foo.c'), LEAKY);
    expect(shown(await diagnostics(uriOf('foo.c')))).toEqual(['2 missing-put']);
    change(uriOf('foo.c'), 2, [{ text: `${LEAKY}\n` }]);
    await diagnostics(uriOf('foo.c'));
    expect(told).toEqual([
      `${uriOf('foo.c')}: Linux 6.1, from the setting vfioLifecycle.targetKernel; read with it: nothing; settings: {"rules":{"missing-put":"warning"},"targetKernel":"6.1"}`,
    ]);
    expect(logs).toEqual([
      'vfioLifecycle.rules["double-put"]: "loud" is none of error, warning, information, hint, off, info',
      `${uriOf('.vfio-lifecycle.json')}: rules: "nope" is not known`,
    ]);
    expect(registered.join()).toContain('.vfio-lifecycle.json');
    // This client did not offer to be asked for it.
    expect(registered.join()).not.toContain('didChangeConfiguration');
  });

  it('are asked for anew after a change that the client offers to tell', async () => {
    let level = 'off';
    let registered = '';
    const { open, diagnostics, connection } = await start({
      capabilities: {
        ...FULL,
        workspace: {
          ...FULL.workspace,
          configuration: true,
          didChangeConfiguration: { dynamicRegistration: true },
        },
      },
      prepare: (one) => {
        one.onRequest(ConfigurationRequest.type, ({ items }) =>
          items.map(() => ({ targetKernel: '6.1', rules: { 'missing-put': level } })),
        );
        one.onRequest(
          RegistrationRequest.type,
          ({ registrations }) => void (registered += JSON.stringify(registrations)),
        );
      },
    });
    open('untitled:foo.c', LEAKY);
    expect(shown(await diagnostics('untitled:foo.c'))).toEqual([]);
    expect(registered).toContain('didChangeConfiguration');
    level = 'warning';
    void connection.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
    expect(shown(await diagnostics('untitled:foo.c'))).toEqual(['2 missing-put']);
  });
});

describe('wrappers', () => {
  it('from the settings explain a vendor core, and go with them', async () => {
    const { open, diagnostics, connection } = await start({
      initializationOptions: { settings: { wrappers: CORE_WRAPPERS } },
    });
    open('untitled:nic.c', OVER_CORE_LEAKY);
    expect(shown(await diagnostics('untitled:nic.c'))).toContain('1 missing-put');
    void connection.sendNotification(DidChangeConfigurationNotification.type, {
      settings: { vfioLifecycle: { wrappers: [] } },
    });
    expect(shown(await diagnostics('untitled:nic.c'))).not.toContain('1 missing-put');
  });
});

describe('the kernels that can be the target', () => {
  it('come with what each brings, and with the one that a document has without a setting', async () => {
    const { uri, uriOf } = make({
      Makefile: 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n',
      'include/linux/x.h': '',
      'drivers/x': '',
      'drv/foo.c': LEAKY,
    });
    const statuses: unknown[] = [];
    const { open, diagnostics, connection } = await start({
      workspaceFolders: [uri],
      initializationOptions: { settings: { targetKernel: '6.1' } },
      prepare: (one) =>
        one.onNotification('vfioLifecycle/status', (status) => void statuses.push(status)),
    });
    open(uriOf('drv/foo.c'), LEAKY);
    await diagnostics(uriOf('drv/foo.c'));
    expect(statuses).toMatchObject([
      {
        kernel: '6.1',
        reason: 'from the setting vfioLifecycle.targetKernel',
        files: [],
        settings: '{"targetKernel":"6.1"}',
      },
    ]);
    const answer = await connection.sendRequest('vfioLifecycle/kernels', {
      uri: uriOf('drv/foo.c'),
    });
    expect(answer).toMatchObject({
      found: { kernel: '6.12', reason: "from the kernel tree's Makefile" },
    });
    expect(answer).toMatchObject({
      kernels: expect.arrayContaining([{ version: '6.6', brings: '.detach_ioas' }]),
    });
  });
});

it('a probe and a remove that no driver struct names are told, until one does', async () => {
  const notices: unknown[] = [];
  const { open, change, diagnostics } = await start({
    prepare: (one) =>
      one.onNotification('vfioLifecycle/notice', (notice) => void notices.push(notice)),
  });
  const bare = LEAKY.replace(/static struct mdev_driver[^]*/, '');
  open('untitled:a.c', bare);
  await diagnostics('untitled:a.c');
  expect(notices).toEqual([
    {
      uri: 'untitled:a.c',
      text: expect.stringContaining('no driver struct here names foo_probe() and foo_remove()'),
    },
  ]);
  change('untitled:a.c', 2, [{ text: LEAKY }]);
  await diagnostics('untitled:a.c');
  expect(notices[1]).toEqual({ uri: 'untitled:a.c', text: null });
});
