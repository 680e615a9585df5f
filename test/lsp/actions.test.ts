import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  CodeActionRequest,
  CodeActionResolveRequest,
  CodeActionTriggerKind,
  DiagnosticRefreshRequest,
  DiagnosticSeverity,
  DiagnosticTag,
  type CodeAction,
  type Diagnostic,
  type Range,
  type TextDocumentEdit,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import {
  BAR_H,
  BAR_H_LATE,
  BAR_H_SECOND,
  CLEAN,
  LEAKY,
  OLD,
  UNCHECKED,
} from '../support/drivers.ts';
import { temporaryFolder, type Folder } from '../support/folder.ts';
import {
  FULL,
  sharedServers,
  startClient,
  type ClientOptions,
  type SharedOptions,
  type TestClient,
} from './client.ts';

const URI = 'untitled:foo.c';
const OLD_ALONE = OLD.replace('#include "bar.h"\n', BAR_H);
const K60 = { initializationOptions: { settings: { targetKernel: '6.0' } } };
let client: TestClient | undefined;
let folder: Folder | undefined;

const share = sharedServers();
let own: TestClient | undefined;

afterEach(async () => {
  await own?.stop();
  folder?.remove();
  own = client = folder = undefined;
});

/** A server for one test, which does more than to ask. */
async function startOwn(options: ClientOptions): Promise<TestClient> {
  return (client = own = await startClient(options));
}

async function start(options?: SharedOptions): Promise<TestClient> {
  return (client = await share(options));
}

/** The range of `text` in `document`. */
function rangeOf(document: string, text: string): Range {
  const offset = document.indexOf(text);
  expect(offset).toBeGreaterThanOrEqual(0);
  const table = TextDocument.create('', 'c', 0, document);
  return { start: table.positionAt(offset), end: table.positionAt(offset + text.length) };
}

async function actions(
  uri: string,
  range: Range,
  only?: readonly string[],
  diagnostics: readonly Diagnostic[] = [],
  triggerKind?: CodeActionTriggerKind,
): Promise<CodeAction[]> {
  const found = await client!.connection.sendRequest(CodeActionRequest.type, {
    textDocument: { uri },
    range,
    context: {
      diagnostics: [...diagnostics],
      ...(only && { only: [...only] }),
      ...(triggerKind !== undefined && { triggerKind }),
    },
  });
  return (found ?? []) as CodeAction[];
}

/** A driver of the fixtures of the conversion. */
function form(name: string): string {
  return readFileSync(new URL(`../fixtures/convert/forms/${name}`, import.meta.url), 'utf8');
}

const resolve = (action: CodeAction): Promise<CodeAction> =>
  client!.connection.sendRequest(CodeActionResolveRequest.type, action);

/** The document with the edits that an action has for it. */
function apply(action: CodeAction, uri: string, text: string): string {
  const changes =
    action.edit?.changes?.[uri] ??
    (action.edit?.documentChanges as TextDocumentEdit[] | undefined)?.find(
      (one) => one.textDocument.uri === uri,
    )?.edits;
  expect(changes).toBeDefined();
  return TextDocument.applyEdits(
    TextDocument.create(uri, 'c', 0, text),
    changes as { range: Range; newText: string }[],
  );
}

describe('an editor that asks on its own', () => {
  const titles = async (range: Range, kind: CodeActionTriggerKind): Promise<string[]> =>
    (await actions(URI, range, undefined, [], kind)).map(({ title }) => title);

  it.each([
    ['a fix', UNCHECKED, {}],
    ['a conversion', OLD_ALONE, K60],
  ])('gets what is known, and %s when it was asked to come again', async (_, text, options) => {
    let refreshed: () => void = () => undefined;
    const refresh = new Promise<void>((done) => {
      refreshed = done;
    });
    const { open, pull } = await startOwn({
      ...options,
      prepare: (one) => one.onRequest(DiagnosticRefreshRequest.type, () => refreshed()),
    });
    open(URI, text);
    const first = await pull(URI);
    if (first.kind !== 'full') throw new Error('the first report is not full');
    const { range } = first.items[0]!;
    const before = await titles(range, CodeActionTriggerKind.Automatic);
    await refresh;
    // The same diagnostics once more, so that the editor asks for their actions again.
    expect(await pull(URI, first.resultId)).toMatchObject({ kind: 'full' });
    const after = await titles(range, CodeActionTriggerKind.Automatic);
    expect(after.length).toBeGreaterThan(before.length);
    expect(await titles(range, CodeActionTriggerKind.Invoked)).toEqual(after);
  });

  it('gets all at once where it cannot be asked to come again', async () => {
    const { open, diagnostics } = await start({
      capabilities: { ...FULL, workspace: { ...FULL.workspace, diagnostics: {} } },
    });
    open(URI, UNCHECKED);
    const { range } = (await diagnostics(URI))[0]!;
    const automatic = await titles(range, CodeActionTriggerKind.Automatic);
    expect(automatic).toEqual(await titles(range, CodeActionTriggerKind.Invoked));
  });
});

describe('quick fixes', () => {
  it('mend the diagnostic they are for, and are preferred when they are safe', async () => {
    const { open, change, diagnostics } = await start();
    open(URI, UNCHECKED, 3);
    const shown = await diagnostics(URI);
    const [action, ...others] = await actions(URI, shown[0]!.range, ['quickfix'], shown);
    expect(others.map((one) => one.title)).toEqual([
      'Suppress null-check-on-alloc with a comment…',
    ]);
    expect(action).toMatchObject({
      kind: 'quickfix',
      isPreferred: true,
      diagnostics: [{ code: 'null-check-on-alloc' }],
      edit: { documentChanges: [{ textDocument: { uri: URI, version: 3 } }] },
    });
    const fixed = apply(action!, URI, UNCHECKED);
    expect(fixed).toBe(CLEAN);
    change(URI, 4, [{ text: fixed }]);
    expect(await diagnostics(URI)).toEqual([]);
  });

  it('are safe where nothing else is owed on the way out', async () => {
    const { open, change, diagnostics } = await start();
    open(URI, LEAKY);
    const shown = await diagnostics(URI);
    const [action] = await actions(URI, shown[0]!.range, ['quickfix'], shown);
    expect(action!.title).toBe('Add vfio_put_device(&foo->vdev)');
    expect(action!.isPreferred).toBe(true);
    change(URI, 2, [{ text: apply(action!, URI, LEAKY) }]);
    expect(await diagnostics(URI)).toEqual([]);
  });

  it('come before a comment that allows the finding, which is not preferred and counts when it has a reason', async () => {
    const { open, change, diagnostics } = await start();
    open(URI, LEAKY);
    const shown = await diagnostics(URI);
    const found = await actions(URI, shown[0]!.range, ['quickfix'], shown);
    const action = found.at(-1)!;
    expect(action).toMatchObject({
      title: 'Suppress missing-put with a comment…',
      kind: 'quickfix',
      diagnostics: [{ code: 'missing-put' }],
    });
    expect(action.isPreferred).toBeUndefined();
    const text = apply(action, URI, LEAKY);
    expect(text).toContain(
      '\tif (ret)\n\t\t/* vfio-lifecycle: allow(missing-put):  */\n\t\treturn ret;\n',
    );
    change(URI, 2, [{ text }]);
    expect((await diagnostics(URI)).map((one) => one.code).sort()).toEqual([
      'missing-put',
      'suppression-without-reason',
    ]);
    change(URI, 3, [{ text: text.replace(':  */', ': the bus puts it */') }]);
    expect(await diagnostics(URI)).toEqual([]);
    change(URI, 4, [
      {
        text: CLEAN.replace(
          '\t\treturn ret;',
          '\t\t// vfio-lifecycle: allow(missing-put): the bus puts it\n\t\treturn ret;',
        ),
      },
    ]);
    expect(await diagnostics(URI)).toMatchObject([
      {
        code: 'unused-suppression',
        severity: DiagnosticSeverity.Hint,
        tags: [DiagnosticTag.Unnecessary],
      },
    ]);
  });

  it('leave the cursor where the reason goes, in a client with snippets', async () => {
    const { open, diagnostics } = await start({
      capabilities: {
        ...FULL,
        workspace: {
          ...FULL.workspace,
          workspaceEdit: { documentChanges: true, snippetEditSupport: true },
        },
      },
    });
    open(URI, LEAKY, 7);
    const shown = await diagnostics(URI);
    expect((await actions(URI, shown[0]!.range, ['quickfix'], shown)).at(-1)!.edit).toEqual({
      documentChanges: [
        {
          textDocument: { uri: URI, version: 7 },
          edits: [
            {
              range: { start: { line: 28, character: 0 }, end: { line: 28, character: 0 } },
              snippet: {
                kind: 'snippet',
                value: '\t\t/* vfio-lifecycle: allow(missing-put): $0 */\n',
              },
            },
          ],
        },
      ],
    });
  });

  it('are offered on the line of the diagnostic only', async () => {
    const { open } = await start();
    open(URI, LEAKY);
    expect(await actions(URI, rangeOf(LEAKY, 'int users'))).toEqual([]);
    expect(await actions(URI, rangeOf(CLEAN, 'return PTR_ERR'), ['quickfix'])).toEqual([]);
  });

  it('keep to what the client can do', async () => {
    const { open, diagnostics } = await start({
      capabilities: {
        textDocument: {
          diagnostic: {},
          codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: [] } } },
        },
      },
    });
    open(URI, UNCHECKED);
    const shown = await diagnostics(URI);
    const [action] = await actions(URI, shown[0]!.range, undefined, shown);
    expect(action!.isPreferred).toBeUndefined();
    expect(Object.keys(action!.edit!)).toEqual(['changes']);
    expect(apply(action!, URI, UNCHECKED)).toBe(CLEAN);
  });

  it('are none for a client that knows only commands', async () => {
    const { open, diagnostics } = await start({
      capabilities: { textDocument: { diagnostic: {} } },
    });
    open(URI, LEAKY);
    const shown = await diagnostics(URI);
    expect(await actions(URI, shown[0]!.range)).toEqual([]);
  });
});

describe('fixing all', () => {
  it('is done for those who ask for its kind, with the safe fixes', async () => {
    const { open, change, diagnostics } = await start();
    open(URI, UNCHECKED);
    const whole = rangeOf(UNCHECKED, UNCHECKED);
    expect((await actions(URI, whole)).map((one) => one.kind)).not.toContain('source.fixAll.vfio');
    for (const only of ['source', 'source.fixAll', 'source.fixAll.vfio']) {
      expect((await actions(URI, whole, [only])).map((one) => one.kind)).toEqual([
        'source.fixAll.vfio',
      ]);
    }
    const [action] = await actions(URI, whole, ['source.fixAll.vfio']);
    change(URI, 2, [{ text: apply(action!, URI, UNCHECKED) }]);
    expect(await diagnostics(URI)).toEqual([]);
    expect(await actions(URI, whole, ['source.fixAll.vfio'])).toEqual([]);
  });

  it('of one kind is offered where the rule has several safe fixes, and leaves the other rules alone', async () => {
    const probe = /static int foo_probe[^]*?\n\}\n/.exec(UNCHECKED)![0];
    const twice = UNCHECKED.replace(
      probe,
      () => `${probe}\n${probe.replace('foo_probe', 'foo_probe_hot')}`,
    ).replace('.probe = foo_probe,', '.probe = foo_probe,\n\t.remove = foo_remove,');
    const leaky = twice.replace(
      '\tif (ret) {\n\t\tvfio_put_device(&foo->vdev);\n\t\treturn ret;\n\t}',
      '\tif (ret)\n\t\treturn ret;',
    );
    const { open, change, diagnostics } = await start();
    open(URI, leaky);
    const offered = await actions(URI, rangeOf(leaky, '!foo'));
    const ofKind = offered.find(
      ({ title }) => title === 'Fix all of null-check-on-alloc in this file',
    );
    expect(ofKind).toMatchObject({ kind: 'quickfix' });
    const before = new Set((await diagnostics(URI)).map(({ code }) => code));
    expect(before).toContain('missing-put');
    change(URI, 2, [{ text: apply(await resolve(ofKind!), URI, leaky) }]);
    const after = (await diagnostics(URI)).map(({ code }) => code);
    expect(after).not.toContain('null-check-on-alloc');
    expect(after).toContain('missing-put');
  });

  it('of one kind is not offered for one fix alone', async () => {
    const { open } = await start();
    open(URI, UNCHECKED);
    const offered = await actions(URI, rangeOf(UNCHECKED, '!foo'));
    expect(offered.filter(({ title }) => title.startsWith('Fix all of'))).toEqual([]);
  });
});

describe('the conversion', () => {
  const REWRITE = ['refactor.rewrite.vfio'];
  const folds = ({ title }: CodeAction): boolean =>
    title.startsWith('Convert, folding state into .init and .release: ');

  it.each([
    ['on the deprecated call', 'vfio_init_group_dev'],
    ['anywhere in the function', 'int ret;'],
    ['in remove', 'dev_get_drvdata'],
    ['in the ops table', '.name = "bar"'],
  ])('is offered %s', async (_, place) => {
    const { open } = await start(K60);
    open(URI, OLD_ALONE);
    const found = await actions(URI, rangeOf(OLD_ALONE, place), ['refactor']);
    expect(found.map(folds)).toEqual([false, true, false]);
    expect(found[2]!.title).toMatch(
      /^Convert, keeping the old model under #if for kernels before 6\.1: /,
    );
    expect(found[0]).toMatchObject({
      kind: 'refactor.rewrite.vfio',
      title: expect.stringContaining('for Linux 6.1'),
    });
    expect(found[0]!.edit).toBeUndefined();
    expect(found[0]!.disabled).toBeUndefined();
  });

  it('is the first quick fix of the finding that it mends, and then no rewrite beside it', async () => {
    const { open, diagnostics } = await start({
      initializationOptions: { settings: { targetKernel: '6.1' } },
    });
    open(URI, OLD_ALONE);
    const place = rangeOf(OLD_ALONE, 'vfio_init_group_dev');
    const shown = await diagnostics(URI);
    const what = 'the device of bar_probe() to vfio_alloc_device() for Linux 6.1';
    const found = await actions(URI, place, undefined, shown);
    expect(found.map((one) => [one.kind, one.title])).toEqual([
      ['quickfix', `Convert ${what}`],
      ['quickfix', 'Suppress removed-api with a comment…'],
      ['refactor.rewrite.vfio', `Convert, folding state into .init and .release: ${what}`],
      [
        'refactor.rewrite.vfio',
        `Convert, keeping the old model under #if for kernels before 6.1: ${what}`,
      ],
    ]);
    expect(found[0]).toMatchObject({ diagnostics: [{ code: 'removed-api' }] });
    expect(found[0]!.isPreferred).toBeUndefined();
    expect(apply(await resolve(found[0]!), URI, OLD_ALONE)).toContain('vfio_alloc_device(');
    expect((await actions(URI, place, ['quickfix'], shown)).map((one) => one.title)).toContain(
      `Convert ${what}`,
    );
    expect((await actions(URI, place, ['refactor'], shown)).map((one) => one.title)).toContain(
      `Convert ${what}`,
    );
  });

  it('is offered once for a selection with probe and remove', async () => {
    const { open } = await start(K60);
    open(URI, OLD_ALONE);
    expect((await actions(URI, rangeOf(OLD_ALONE, OLD_ALONE), REWRITE)).map(folds)).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('is not offered elsewhere, nor in a driver of the new model', async () => {
    const { open } = await start(K60);
    open(URI, OLD_ALONE);
    expect(await actions(URI, rangeOf(OLD_ALONE, 'int users'), REWRITE)).toEqual([]);
    open('untitled:new.c', CLEAN);
    expect(await actions('untitled:new.c', rangeOf(CLEAN, 'vfio_alloc_device'), REWRITE)).toEqual(
      [],
    );
  });

  it('of a driver of the new model is named for the kernel that it is brought on to', async () => {
    const driver = form('empty-release.c');
    const { open } = await start({ initializationOptions: { settings: { targetKernel: '6.6' } } });
    open(URI, driver);
    const [offered] = await actions(
      URI,
      rangeOf(driver, 'static const struct vfio_device_ops'),
      REWRITE,
    );
    expect(offered).toMatchObject({
      title: 'Bring the devices of this file to the life cycle of Linux 6.6',
    });
    expect(apply(await resolve(offered!), URI, driver)).toContain(
      'vfio_iommufd_emulated_detach_ioas',
    );
  });

  it('is offered at vfio_add_group_dev() of the oldest model as well', async () => {
    const driver = form('add-group-dev.c');
    const { open } = await start({ initializationOptions: { settings: { targetKernel: '6.1' } } });
    open(URI, driver);
    const [offered] = await actions(URI, rangeOf(driver, 'vfio_add_group_dev('), REWRITE);
    expect(offered).toMatchObject({
      title: 'Convert the device of windmill_probe() to vfio_alloc_device() for Linux 6.1',
    });
    expect(offered!.disabled).toBeUndefined();
    expect(apply(await resolve(offered!), URI, driver)).toContain('vfio_alloc_device(');
  });

  it('gets its edit when it is resolved, and the result is clean', async () => {
    const { open, change, diagnostics } = await start({
      initializationOptions: { settings: { targetKernel: '6.1' } },
    });
    open(URI, OLD_ALONE);
    const [offered] = await actions(URI, rangeOf(OLD_ALONE, 'vfio_init_group_dev'), REWRITE);
    const converted = apply(await resolve(offered!), URI, OLD_ALONE);
    expect(converted).toContain('bar = vfio_alloc_device(bar, vdev, &mdev->dev, &bar_ops);');
    expect(converted).not.toContain('vfio_uninit_group_dev');
    change(URI, 2, [{ text: converted }]);
    expect(await diagnostics(URI)).toEqual([]);
    expect(await actions(URI, rangeOf(converted, 'vfio_alloc_device'), REWRITE)).toEqual([]);
  });

  it('comes with its edit for a client that cannot resolve', async () => {
    const { open } = await start({
      ...K60,
      capabilities: {
        textDocument: {
          codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: [] } } },
        },
      },
    });
    open(URI, OLD_ALONE);
    const [offered] = await actions(URI, rangeOf(OLD_ALONE, 'vfio_init_group_dev'), REWRITE);
    expect(apply(offered!, URI, OLD_ALONE)).toContain('vfio_alloc_device(');
  });

  it('is not resolved for a text that has changed', async () => {
    const { open, change } = await start(K60);
    open(URI, OLD_ALONE);
    const [offered] = await actions(URI, rangeOf(OLD_ALONE, 'vfio_init_group_dev'), REWRITE);
    change(URI, 2, [{ text: `\n${OLD_ALONE}` }]);
    await expect(resolve(offered!)).rejects.toThrow('the document changed');
  });

  describe('of a driver in several files', () => {
    const BAR_C = `${OLD.slice(0, OLD.indexOf('static void bar_remove'))}${OLD.slice(OLD.indexOf('static struct mdev_driver'))}`;
    const REMOVE_C = `#include "bar.h"\n\n${OLD.slice(OLD.indexOf('static void bar_remove'), OLD.indexOf('static struct mdev_driver')).replace('static void', 'void')}`;
    const FILES = {
      Makefile: 'bar-y := bar.o remove.o\n',
      'bar.c': BAR_C,
      'remove.c': REMOVE_C,
      'bar.h': `${BAR_H_SECOND}void bar_remove(struct mdev_device *mdev);\n`,
    };
    const ANNOTATED = {
      ...FULL,
      workspace: {
        ...FULL.workspace,
        workspaceEdit: { documentChanges: true, changeAnnotationSupport: { groupsOnLabel: true } },
      },
    };

    it('is one edit over all of them, each with the version that is open', async () => {
      folder = temporaryFolder(FILES);
      const { open } = await startOwn({
        ...K60,
        capabilities: ANNOTATED,
        workspaceFolders: [folder.uriOf('')],
      });
      open(folder.uriOf('bar.c'), BAR_C, 4);
      open(folder.uriOf('bar.h'), FILES['bar.h'], 9);
      const [offered, ...others] = await actions(
        folder.uriOf('bar.c'),
        rangeOf(BAR_C, 'vfio_init_group_dev'),
        REWRITE,
      );
      expect(others.map(folds)).toEqual([true, false]);
      expect(offered!.edit).toBeUndefined();
      const resolved = await resolve(offered!);
      const changes = resolved.edit!.documentChanges as TextDocumentEdit[];
      expect(
        changes
          .map(({ textDocument }) => [
            textDocument.uri.slice(folder!.uriOf('').length),
            textDocument.version,
          ])
          .sort(),
      ).toEqual([
        ['/bar.c', 4],
        ['/bar.h', 9],
        ['/remove.c', null],
      ]);
      const after = Object.fromEntries(
        ['bar.c', 'bar.h', 'remove.c'].map((name) => [
          name,
          apply(resolved, folder!.uriOf(name), FILES[name as 'bar.c']),
        ]),
      );
      expect(after['bar.h']).toMatch(/^struct bar \{\n\tstruct vfio_device vdev;\n\tint users;\n/);
      expect(after['remove.c']).toContain('vfio_put_device(&bar->vdev);');
      for (const [name, text] of Object.entries(after)) folder.write(name, text);
      await client!.stop();
      const next = await startOwn({
        initializationOptions: { settings: { targetKernel: '6.1' } },
        workspaceFolders: [folder.uriOf('')],
      });
      next.open(folder.uriOf('bar.c'), after['bar.c']!);
      expect(await next.diagnostics(folder.uriOf('bar.c'))).toEqual([]);
      expect(
        await actions(
          folder.uriOf('bar.c'),
          rangeOf(after['bar.c']!, 'vfio_alloc_device'),
          REWRITE,
        ),
      ).toEqual([]);
    });

    it('is the same from the file that only takes the device down', async () => {
      folder = temporaryFolder(FILES);
      const { open } = await startOwn({
        ...K60,
        capabilities: ANNOTATED,
        workspaceFolders: [folder.uriOf('')],
      });
      open(folder.uriOf('remove.c'), REMOVE_C);
      const [offered] = await actions(
        folder.uriOf('remove.c'),
        rangeOf(REMOVE_C, 'vfio_uninit_group_dev'),
        REWRITE,
      );
      expect((await resolve(offered!)).edit!.documentChanges).toHaveLength(3);
    });

    it('has no annotations, by which a client would let a person take a part of it', async () => {
      folder = temporaryFolder(FILES);
      const { open } = await startOwn({
        ...K60,
        capabilities: ANNOTATED,
        workspaceFolders: [folder.uriOf('')],
      });
      open(folder.uriOf('bar.c'), BAR_C);
      const [offered] = await actions(
        folder.uriOf('bar.c'),
        rangeOf(BAR_C, 'vfio_init_group_dev'),
        REWRITE,
      );
      const { edit } = await resolve(offered!);
      expect(edit).not.toHaveProperty('changeAnnotations');
      expect(JSON.stringify(edit)).not.toContain('annotationId');
    });
  });

  describe('of a library with drivers in other folders', () => {
    const quern = (name: string): string =>
      readFileSync(
        new URL(`../fixtures/convert/several-files/library-that-fails/${name}`, import.meta.url),
        'utf8',
      );
    const FILES: Readonly<Record<string, string>> = {
      'core/quern_core.c': quern('quern_core.c'),
      'core/Makefile': 'ccflags-y := -I$(src)/../include\nobj-m := quern_core.o\n',
      'include/quern/core.h': quern('include/quern/core.h'),
      'mill/quern_mill.c': quern('quern_mill.c'),
      'mill/Makefile': 'ccflags-y := -I$(src)/../include\nobj-m := quern_mill.o\n',
      'more/hand/quern_hand.c': quern('quern_hand.c'),
      'more/hand/Makefile': 'ccflags-y := -I$(src)/../../include\nobj-m := quern_hand.o\n',
      'more/other.c': '#include <linux/vfio.h>\n',
    };
    const changed = (action: CodeAction): string[] =>
      (action.edit!.documentChanges as TextDocumentEdit[])
        .map(({ textDocument }) => textDocument.uri.slice(folder!.uriOf('').length + 1))
        .sort();
    const ALL = [
      'core/quern_core.c',
      'include/quern/core.h',
      'mill/quern_mill.c',
      'more/hand/quern_hand.c',
    ];

    it.each([
      ['core/quern_core.c', 'vfio_init_group_dev'],
      ['mill/quern_mill.c', 'quern_core_init_device(&mill'],
    ])('is one edit over all of them, asked for in %s', async (name, at) => {
      folder = temporaryFolder(FILES);
      const { open } = await startOwn({ ...K60, workspaceFolders: [folder.uriOf('')] });
      open(folder.uriOf(name), FILES[name]!);
      const [offered] = await actions(folder.uriOf(name), rangeOf(FILES[name]!, at), REWRITE);
      const resolved = await resolve(offered!);
      expect(changed(resolved)).toEqual(ALL);
      const after = apply(resolved, folder.uriOf('mill/quern_mill.c'), FILES['mill/quern_mill.c']!);
      expect(after).toContain('.init\t\t= quern_core_init_dev,');
    });

    it('has the driver that came since it was asked for the last time', async () => {
      folder = temporaryFolder(
        Object.fromEntries(
          Object.entries(FILES).filter(
            ([name]) => !name.startsWith('mill/') && !name.startsWith('more/'),
          ),
        ),
      );
      const { open, connection } = await startOwn({ ...K60, workspaceFolders: [folder.uriOf('')] });
      const [name, text] = ['core/quern_core.c', FILES['core/quern_core.c']!];
      open(folder.uriOf(name), text);
      const [refused] = await actions(
        folder.uriOf(name),
        rangeOf(text, 'vfio_init_group_dev'),
        REWRITE,
      );
      expect(refused!.disabled!.reason).toMatch(
        /Convert it together with them.* No caller of quern_core_init_device\(\), quern_core_uninit_device\(\) was found in the 0 other C files/,
      );
      folder.write('mill/quern_mill.c', FILES['mill/quern_mill.c']!);
      folder.write('mill/Makefile', FILES['mill/Makefile']!);
      await connection.sendNotification('workspace/didChangeWatchedFiles', {
        changes: [
          { uri: folder.uriOf('mill/quern_mill.c'), type: 1 },
          { uri: folder.uriOf('mill/Makefile'), type: 1 },
        ],
      });
      const [offered] = await actions(
        folder.uriOf(name),
        rangeOf(text, 'vfio_init_group_dev'),
        REWRITE,
      );
      expect(changed(await resolve(offered!))).toEqual(ALL.slice(0, 3));
    });
  });

  it('is shown as disabled, with the reason, when it is refused', async () => {
    folder = temporaryFolder({ 'bar.c': OLD, 'bar.h': BAR_H_LATE });
    const { open } = await start(K60);
    open(folder.uriOf('bar.c'), OLD);
    const [offered] = await actions(
      folder.uriOf('bar.c'),
      rangeOf(OLD, 'vfio_init_group_dev'),
      REWRITE,
    );
    expect(offered!.disabled!.reason).toMatch(/`struct bar`.*first/);
    expect(offered!.edit).toBeUndefined();
  });

  it('is shown as a question that goes to what stands in the way, for a client with a command for that', async () => {
    folder = temporaryFolder({ 'bar.c': OLD, 'bar.h': BAR_H_LATE });
    const options = {
      settings: { targetKernel: '6.0' },
      conversionCommand: 'ours.apply',
      refusalCommand: 'ours.explain',
    };
    const { open } = await start({ initializationOptions: options });
    open(folder.uriOf('bar.c'), OLD);
    const at = rangeOf(OLD, 'vfio_init_group_dev');
    const asked = (await actions(folder.uriOf('bar.c'), at)).find((one) =>
      one.title.startsWith('Why'),
    );
    expect(asked).toMatchObject({
      title: 'Why can this driver not be converted?',
      kind: 'quickfix',
      command: { command: 'ours.explain' },
    });
    expect(asked!.disabled).toBeUndefined();
    const { status, obstacles } = await client!.connection.sendRequest<{
      status: string;
      obstacles: object[];
    }>('vfioLifecycle/refusal', asked!.command!.arguments![0]);
    expect(status).toBe('refused');
    expect(obstacles[0]).toMatchObject({
      kind: 'member-not-first',
      uri: folder.uriOf('bar.h'),
      reason: expect.stringMatching(/`struct bar`.*first/),
    });
    // Who asks for conversions gets the disabled one, which the palette's command asks about.
    const [disabled, ...others] = await actions(folder.uriOf('bar.c'), at, REWRITE);
    expect(disabled).toMatchObject({ disabled: {}, data: asked!.command!.arguments![0] });
    expect(others.filter((one) => one.title.startsWith('Why'))).toEqual([]);
  });

  it('is no question where it can be done', async () => {
    const options = {
      settings: { targetKernel: '6.0' },
      conversionCommand: 'ours.apply',
      refusalCommand: 'ours.explain',
    };
    const { open } = await start({ initializationOptions: options });
    open(URI, OLD_ALONE);
    const [action, ...others] = await actions(URI, rangeOf(OLD_ALONE, 'vfio_init_group_dev'));
    expect([action, ...others].filter((one) => one!.title.startsWith('Why'))).toEqual([]);
    const request = client!.connection.sendRequest(
      'vfioLifecycle/refusal',
      action!.command!.arguments![0],
    );
    expect(await request).toEqual({ status: 'converted', obstacles: [] });
  });

  it('says by its status that there is nothing to convert', async () => {
    const text = '#include <linux/vfio.h>\n';
    const { open } = await start({ initializationOptions: { refusalCommand: 'ours.explain' } });
    open(URI, text);
    const whole = { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } };
    const [none] = await actions(URI, whole, REWRITE);
    const asked = await client!.connection.sendRequest('vfioLifecycle/refusal', none!.data);
    expect(asked).toMatchObject({
      status: 'unchanged',
      obstacles: [{ kind: null, reason: none!.disabled!.reason }],
    });
  });

  it('is left out when it is refused and the client cannot show that', async () => {
    folder = temporaryFolder({ 'bar.c': OLD, 'bar.h': BAR_H_LATE });
    const { open } = await start({
      ...K60,
      capabilities: {
        ...FULL,
        textDocument: {
          ...FULL.textDocument,
          codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: [] } } },
        },
      },
    });
    open(folder.uriOf('bar.c'), OLD);
    expect(
      await actions(folder.uriOf('bar.c'), rangeOf(OLD, 'vfio_init_group_dev'), REWRITE),
    ).toEqual([]);
  });
});

describe('a client that asks its user itself', () => {
  const OURS = {
    initializationOptions: { settings: { targetKernel: '6.0' }, conversionCommand: 'ours.apply' },
  };
  interface Whole {
    readonly files: {
      uri: string;
      before: string;
      after: string;
      edits: { range: Range; newText: string }[];
    }[];
    readonly wantsEyes: boolean;
    readonly notes: PlacedNote[];
    readonly message: string;
  }
  interface PlacedNote {
    readonly text: string;
    readonly message: string;
    readonly uri: string;
    readonly range: Range;
    readonly lineText: string;
  }
  const whole = (data: unknown): Promise<Whole> =>
    client!.connection.sendRequest('vfioLifecycle/conversion', data);

  /** The arguments of the commands at a text: the minimal style comes first. */
  async function commands(uri: string, text: string, at: string): Promise<unknown[]> {
    const found = await actions(uri, rangeOf(text, at), ['refactor.rewrite.vfio']);
    for (const action of found.filter((one) => !one.disabled)) {
      expect(action).toMatchObject({ command: { command: 'ours.apply' } });
      expect(action.edit).toBeUndefined();
      expect(await resolve(action)).toEqual(action);
    }
    return found.flatMap((action) => action.command?.arguments ?? []);
  }

  it('gets its command, and for what that is given the whole conversion', async () => {
    const { open } = await start(OURS);
    open(URI, OLD_ALONE);
    const [minimal] = await commands(URI, OLD_ALONE, 'vfio_init_group_dev');
    const { files, wantsEyes, message } = await whole(minimal);
    expect(files.map(({ uri, before }) => [uri, before])).toEqual([[URI, OLD_ALONE]]);
    expect(
      TextDocument.applyEdits(TextDocument.create(URI, 'c', 0, OLD_ALONE), files[0]!.edits),
    ).toBe(files[0]!.after);
    expect(files[0]!.after).toContain('vfio_alloc_device(');
    expect(message).toMatch(/^vfio\/\w+: Use vfio_alloc_device\(\)\n\n[^]+\w\.\n$/);
    // One file, and no layout changes: undo answers for that.
    expect(wantsEyes).toBe(false);
  });

  it.each([
    [
      'several files are changed',
      'test/fixtures/convert/several-files/member-in-header/dock_main.c',
      0,
    ],
    [
      'the layout of a struct changes',
      'test/fixtures/convert/several-files/member-in-one-file/wick.c',
      0,
    ],
    ['state moves', 'examples/driver/old_model.c', 1],
  ])('is told to ask first where %s', async (_, name, index) => {
    const uri = new URL(`../../${name}`, import.meta.url).href;
    const text = readFileSync(new URL(uri), 'utf8');
    const { open } = await start(OURS);
    open(uri, text);
    expect(
      (await whole((await commands(uri, text, 'vfio_init_group_dev('))[index])).wantsEyes,
    ).toBe(true);
  });

  it.each([
    [
      'in the file',
      'examples/conversion/kettle.c',
      'list_add(&kettle->node, &kettles);',
      /^struct kettle is now freed .* elsewhere must still/,
    ],
    [
      'in a header',
      'test/fixtures/convert/several-files/member-in-header/dock_main.c',
      'struct dock {',
      /^`vdev` is now the first member of struct dock: /,
    ],
  ])(
    'gets each note with the line of the result that it speaks of: %s',
    async (_, name, line, said) => {
      const uri = new URL(`../../${name}`, import.meta.url).href;
      const text = readFileSync(new URL(uri), 'utf8');
      const { open } = await start(OURS);
      open(uri, text);
      const { files, notes } = await whole((await commands(uri, text, 'vfio_init_group_dev('))[0]);
      const note = notes.find(({ message }) => said.test(message));
      expect(note).toMatchObject({ lineText: line });
      const { after } = files.find((file) => file.uri === note!.uri)!;
      expect(TextDocument.create('', 'c', 0, after).getText(note!.range)).toBe(line);
    },
  );

  it('gets nothing for a text that has changed', async () => {
    const { open, change } = await start(OURS);
    open(URI, OLD_ALONE);
    const [minimal] = await commands(URI, OLD_ALONE, 'vfio_init_group_dev');
    change(URI, 2, [{ text: `\n${OLD_ALONE}` }]);
    await expect(whole(minimal)).rejects.toThrow('the document changed');
    await expect(whole(null)).rejects.toThrow('the document changed');
  });
});

describe('the conversion that folds', () => {
  const REWRITE = ['refactor.rewrite.vfio'];
  const FOLDABLE = OLD_ALONE.replace('int users;', 'u8 *space;')
    .replace(
      '\tret = vfio_register',
      '\tbar->space = kzalloc(64, GFP_KERNEL);\n\tif (!bar->space) {\n\t\tret = -ENOMEM;\n\t\tgoto err_free;\n\t}\n\n\tret = vfio_register',
    )
    .replace('\tif (ret)\n\t\tgoto err_free;', '\tif (ret)\n\t\tgoto err_space;')
    .replace('err_free:\n', 'err_space:\n\tkfree(bar->space);\nerr_free:\n')
    .replace(
      '\tvfio_unregister_group_dev(&bar->vdev);\n',
      '\tvfio_unregister_group_dev(&bar->vdev);\n\tkfree(bar->space);\n',
    );

  it('comes second, and gets its edit when it is resolved', async () => {
    const { open, change, diagnostics } = await start({
      initializationOptions: { settings: { targetKernel: '6.1' } },
    });
    open(URI, FOLDABLE);
    const [, offered] = await actions(URI, rangeOf(FOLDABLE, 'vfio_init_group_dev'), REWRITE);
    expect(offered).toMatchObject({
      title:
        'Convert, folding state into .init and .release: the device of bar_probe() to vfio_alloc_device() for Linux 6.1',
      kind: 'refactor.rewrite.vfio',
    });
    expect(offered!.disabled).toBeUndefined();
    expect(offered!.edit).toBeUndefined();
    const resolved = await resolve(offered!);
    const converted = apply(resolved, URI, FOLDABLE);
    expect(converted).toMatch(
      /static int bar_init_dev\(struct vfio_device \*vdev\)\n\{[^}]*bar->space = kzalloc/,
    );
    expect(converted).toMatch(
      /static void bar_release_dev\(struct vfio_device \*vdev\)\n\{[^}]*kfree\(bar->space\);\n\tvfio_free_device\(vdev\);/,
    );
    change(URI, 2, [{ text: converted }]);
    expect(await diagnostics(URI)).toEqual([]);
    expect(await actions(URI, rangeOf(converted, 'vfio_alloc_device'), REWRITE)).toEqual([]);
  });

  it('comes with its edit for a client that cannot resolve', async () => {
    const { open } = await start({
      ...K60,
      capabilities: {
        textDocument: {
          codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: [] } } },
        },
      },
    });
    open(URI, FOLDABLE);
    const [, offered] = await actions(URI, rangeOf(FOLDABLE, 'vfio_init_group_dev'), REWRITE);
    expect(apply(offered!, URI, FOLDABLE)).toContain('.init = bar_init_dev,');
  });

  it('is disabled with the reason when there is nothing to fold', async () => {
    const { open } = await start(K60);
    open(URI, OLD_ALONE);
    const [minimal, offered] = await actions(
      URI,
      rangeOf(OLD_ALONE, 'vfio_init_group_dev'),
      REWRITE,
    );
    expect(minimal!.disabled).toBeUndefined();
    expect(offered!.disabled!.reason).toBe(
      'bar_probe() does nothing between the allocation and the registration.',
    );
  });
});
