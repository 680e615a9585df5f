/** The command that makes a new driver, as a client without files of its own sees it. */
import { describe, expect, it } from 'vitest';
import { ExecuteCommandRequest } from 'vscode-languageserver-protocol/node';
import { sharedServers } from './client.ts';

const share = sharedServers();

async function ask(...given: unknown[]): Promise<unknown> {
  const { connection } = await share();
  return connection.sendRequest(ExecuteCommandRequest.type, {
    command: 'vfio-lifecycle.newDriver',
    arguments: given,
  });
}

describe('a new driver', () => {
  it('is chosen among busses and kernels', async () => {
    expect(await ask()).toMatchObject({
      busses: [{ id: 'pci' }, { id: 'mdev' }, { id: 'platform' }],
      kernels: expect.arrayContaining(['6.1', '6.12']),
    });
  });

  it('comes as files', async () => {
    expect(await ask({ bus: 'pci', name: 'foo', kernel: '6.12' })).toMatchObject({
      module: 'foo_vfio_pci',
      files: [
        { name: 'foo_vfio_pci.c', text: expect.stringContaining('vfio_alloc_device(foo_device') },
        { name: 'Makefile' },
        { name: 'Kconfig' },
      ],
    });
  });

  it('or with the reason why there is none', async () => {
    expect(await ask({ bus: 'pci', name: '2', kernel: '6.12' })).toEqual({
      problem: expect.stringContaining('the name'),
    });
    await expect(ask({ bus: 'pci' })).rejects.toThrow('bus, name and kernel are texts');
  });
});
