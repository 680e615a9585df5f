import { describe, expect, it } from 'vitest';
import { HoverRequest, type MarkupContent } from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { LEAKY } from '../support/drivers.ts';
import { sharedServers, type SharedOptions } from './client.ts';

const URI = 'untitled:foo.c';
const share = sharedServers();

async function hover(
  text: string,
  place: string,
  options?: SharedOptions,
): Promise<{ content: MarkupContent; word: string } | null> {
  const client = await share(options);
  client.open(URI, text);
  const table = TextDocument.create(URI, 'c', 0, text);
  const found = await client.connection.sendRequest(HoverRequest.type, {
    textDocument: { uri: URI },
    position: table.positionAt(text.indexOf(place)),
  });
  return found && { content: found.contents as MarkupContent, word: table.getText(found.range) };
}

describe('hover over the protocol', () => {
  it('shows the contract of a function for the target kernel', async () => {
    const found = await hover(LEAKY, 'vfio_free_device');
    expect(found!.word).toBe('vfio_free_device');
    expect(found!.content.kind).toBe('markdown');
    expect(found!.content.value).toContain('```c\nvoid vfio_free_device(');
  });

  it('tells the state of the device at a call, after it, and what is owed then', async () => {
    const found = await hover(LEAKY, 'vfio_register_emulated_iommu_dev');
    expect(found!.word).toBe('vfio_register_emulated_iommu_dev');
    expect(found!.content.value).toMatch(
      /^\*\*State\*\* of the device allocated in line 23: the driver holds the reference, not registered\n/,
    );
    expect(found!.content.value).toContain(
      '- the driver holds the reference, registered; still owed: `vfio_unregister_group_dev()`, then `vfio_put_device()`\n\n---\n\n```c\n',
    );
  });

  it('has one block for the state and one for the contract', async () => {
    for (const word of [
      'vfio_register_emulated_iommu_dev',
      'vfio_alloc_device',
      'vfio_put_device',
    ]) {
      const { value } = (await hover(LEAKY, word))!.content;
      expect([word, ...(value.match(/\*\*(?:State|Contract)\*\*/g) ?? [])]).toEqual([
        word,
        '**State**',
        '**Contract**',
      ]);
    }
  });

  it('shows a member of an ops table', async () => {
    const found = await hover(LEAKY, 'release = ');
    expect(found!.word).toBe('release');
    expect(found!.content.value).toContain('(*release)');
  });

  it('explains the rule of a diagnostic and links to its page', async () => {
    const found = await hover(LEAKY, 'return ret;');
    expect(found!.word).toBe('return ret;');
    expect(found!.content.value).toMatch(
      /\*\*\[missing-put\]\(file:.*\/docs\/rules\/missing-put\.md\)\*\*/,
    );
  });

  it('takes the folder of the pages from the client', async () => {
    const found = await hover(LEAKY, 'return ret;', {
      initializationOptions: { docs: 'https://example.org/rules' },
    });
    expect(found!.content.value).toContain('(https://example.org/rules/missing-put.md)');
  });

  it('says nothing elsewhere', async () => {
    expect(await hover(LEAKY, 'int users')).toBeNull();
    expect(await hover('int main;', 'main')).toBeNull();
  });
});
