import { describe, expect, it } from 'vitest';
import { completionsAt } from '../../../server/src/engine/writing/completion.ts';
import { signatureAt } from '../../../server/src/engine/writing/signature.ts';
import type { Completion } from '../../../server/src/engine/writing/types.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { applyEdits } from '../../../server/src/text/edits.ts';
import { LEAKY } from '../../support/drivers.ts';
import { engineWith, kernel, single } from './support.ts';

/** `|` marks the caret. */
function caret(marked: string): { readonly text: string; readonly offset: number } {
  const offset = marked.indexOf('|');
  return { text: marked.slice(0, offset) + marked.slice(offset + 1), offset };
}

async function complete(marked: string, target = '6.1'): Promise<Completion[]> {
  const { text, offset } = caret(marked);
  const engine = await engineWith([]);
  return completionsAt(text, offset, kernel(target), () => engine.module(single(text)));
}

const labels = async (marked: string, target?: string): Promise<string[]> =>
  (await complete(marked, target)).map(({ label }) => label);

/** The text after an item was taken. */
async function taken(marked: string, label: string, target?: string): Promise<string> {
  const item = (await complete(marked, target)).find((one) => one.label === label)!;
  const edits = [
    { span: item.span, newText: item.insert },
    ...(item.stub
      ? [{ span: { start: item.stub.at, end: item.stub.at }, newText: item.stub.newText }]
      : []),
  ];
  return applyEdits(caret(marked).text, edits);
}

const IN_TABLE = LEAKY.replace('\t.name = "foo",\n', '\t.name = "foo",\n\t|\n');

describe('members of an ops table', () => {
  it('are those of the kernel that the table does not have', async () => {
    const found = await labels(IN_TABLE);
    expect(found).toContain('.init');
    expect(found).toContain('.open_device');
    for (const label of ['.name', '.release', '.bind_iommufd', '.open'])
      expect(found).not.toContain(label);
    expect(await labels(IN_TABLE, '6.6')).toContain('.detach_ioas');
    expect(await labels(IN_TABLE, '5.14')).toContain('.open');
  });

  it('are found behind a dot and a part of the name, and in the first line', async () => {
    for (const typed of ['.|', '.in|', 'in|'])
      expect(await labels(IN_TABLE.replace('|', typed))).toContain('.init');
    expect(await labels('static const struct vfio_device_ops foo_ops = { |\n};\n')).toContain(
      '.name',
    );
  });

  it.each([
    ['behind the equals sign', IN_TABLE.replace('|', '.init = |')],
    ['in another table', 'static struct pci_driver vfio_x = {\n\t|\n};\n'],
    ['in a comment', IN_TABLE.replace('|', '/* .| */')],
    ['in a string', IN_TABLE.replace('|', '.name = "vfio|"')],
    ['in a function', 'void vfio_x(void)\n{\n\tfoo.|\n}\n'],
  ])('are not offered %s', async (_, marked) => {
    expect(await labels(marked)).toEqual([]);
  });

  it('come with a function in front of the table, which has nothing to report', async () => {
    const engine = await engineWith(rules);
    for (const member of ['.init', '.open_device', '.ioctl', '.read', '.mmap', '.dma_unmap']) {
      const text = await taken(IN_TABLE, member);
      const name = `foo_${member.slice(1)}`;
      expect(text).toContain(`\t${member} = ${name},\n`);
      expect(text.indexOf(` ${name}(`)).toBeLessThan(text.indexOf('foo_ops ='));
      const { findings } = engine.analyse(single(text), {}, kernel('6.1'));
      expect(findings.map(({ rule }) => rule)).toEqual(['missing-put']);
    }
  });

  it('free the device in a new .release where the kernel asks for that', async () => {
    const marked = LEAKY.replace(/static void foo_release[^}]*}\n\n/, '').replace(
      '\t.release = foo_release,\n',
      '\t|\n',
    );
    expect(await taken(marked, '.release')).toContain(
      'static void foo_release(struct vfio_device *vdev)\n{\n\tvfio_free_device(vdev);\n}\n\nstatic const struct vfio_device_ops',
    );
    expect(await taken(marked, '.release', '6.6')).toContain('*vdev)\n{\n}\n');
  });

  it('have the helpers of the core where there is one', async () => {
    const pci = IN_TABLE.replace('vfio_register_emulated', 'vfio_pci_core_register_device');
    expect(await taken(pci, '.read')).toContain('.read = vfio_pci_core_read,');
    expect(await taken(IN_TABLE, '.bind_iommufd', '6.6')).toContain(
      '.bind_iommufd = vfio_iommufd_emulated_bind,',
    );
  });
});

describe('arguments of vfio_alloc_device()', () => {
  const call = (args: string): string =>
    LEAKY.replace(
      'vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops)',
      `vfio_alloc_device(${args})`,
    );

  it.each([
    ['|', ['foo']],
    ['f|', ['foo']],
    ['foo, |', ['vdev']],
    ['foo, vdev, &mdev->dev, |', ['&foo_ops']],
    ['foo, vdev, |', []],
    ['bar, |', []],
  ])('at %j are %j', async (args, expected) => {
    expect(await labels(call(args))).toEqual(expected);
  });

  it('go through the structs of the core and of the driver', async () => {
    const nested = call('foo, |').replace(
      'struct vfio_device vdev',
      'struct vfio_pci_core_device core',
    );
    expect(await labels(nested)).toEqual(['core.vdev']);
  });
});

describe('rules in a suppression', () => {
  it('are all of them but those that it names', async () => {
    const found = await labels('/* vfio-lifecycle: allow(missing-put, |) */\n');
    expect(found).toContain('use-after-put');
    expect(found).not.toContain('missing-put');
    expect(await labels('// vfio-lifecycle: allow(mis|')).toContain('missing-put');
    expect(await labels('/* vfio-lifecycle: allow(missing-put)| */')).toEqual([]);
  });
});

describe('snippets', () => {
  const FILE = '#include <linux/mdev.h>\n#include <linux/vfio.h>\n\n|\n';

  /** A snippet as it is when nobody changes a name. */
  const plainOf = (snippet: string): string =>
    snippet
      .replace(/\$\{1:foo\}|\$1/g, 'foo')
      .replace(/\$\{2:FOO\}|\$2/g, 'FOO')
      .replace(/\\([\\$}])/g, '$1');

  it('are the parts of a driver of the bus', async () => {
    expect(await labels(FILE)).toEqual([
      'vfio_container',
      'vfio_init',
      'vfio_release',
      'vfio_ops',
      'vfio_probe',
      'vfio_remove',
    ]);
    const probe = async (text: string): Promise<string> =>
      (await complete(text)).find(({ label }) => label === 'vfio_probe')!.insert;
    expect(await probe(FILE)).toMatch(/^static int \$\{1:foo\}_probe\(struct mdev_device \*mdev\)/);
    expect(await probe(FILE.replace('mdev.h', 'pci.h'))).toContain('vfio_pci_core_register_device');
  });

  it('put together are a driver with nothing to report', async () => {
    const engine = await engineWith(rules);
    for (const header of ['mdev', 'pci', 'platform_device']) {
      for (const target of ['6.1', '6.12']) {
        const parts = await complete(FILE.replace('mdev', header), target);
        const plain = parts.map(({ insert }) => plainOf(insert));
        const text = `#include <linux/vfio.h>\n${plain.join('\n\n')}\n`;
        expect(text).not.toContain('$');
        const { findings } = engine.analyse(single(text), {}, kernel(target));
        expect(findings, `${header} ${target}`).toEqual([]);
      }
    }
  });

  it.each([
    ['in a function', 'void vfio_f(void)\n{\n\t|\n}\n'],
    ['behind other code', 'int vfio_x; |\n'],
    ['in a line of the preprocessor', '#include <linux/vfio|.h>\n'],
  ])('are not offered %s', async (_, marked) => {
    expect(await labels(marked)).toEqual([]);
  });

  it('are those of the old model before 6.1, and none before 5.15', async () => {
    const engine = await engineWith(rules);
    const wanted = ['vfio_container', 'vfio_ops', 'vfio_probe', 'vfio_remove'];
    for (const header of ['mdev', 'pci', 'platform_device']) {
      for (const target of ['5.15', '6.0']) {
        const parts = await complete(FILE.replace('mdev', header), target);
        expect(parts.map(({ label }) => label)).toEqual(wanted);
        const text = parts.map(({ insert }) => plainOf(insert)).join('\n\n');
        const { findings } = engine.analyse(single(text), {}, kernel(target));
        const others = findings.filter(({ rule }) => rule !== 'deprecated-init-group-dev');
        expect(others, `${header} ${target}`).toEqual([]);
      }
    }
    expect(await labels(FILE, '5.14')).toEqual([]);
  });
});

describe('signature help', () => {
  function signature(marked: string, target = '6.1'): string | undefined {
    const { text, offset } = caret(marked);
    const { version } = kernel(target);
    const found = signatureAt(text, offset, version);
    const parameter = found?.parameters[found.active];
    return (
      found &&
      `${parameter === undefined ? '' : found.label.slice(parameter.span.start, parameter.span.end)}: ${parameter?.contract}`
    );
  }

  it('tells what each argument has to be', () => {
    const call = (args: string): string | undefined =>
      signature(`int f(void)\n{\n\tfoo = vfio_alloc_device(${args}`);
    expect(call('|')).toBe('dev_struct: The tag of the container, without the word `struct`.');
    expect(call('foo, |')).toMatch(/^member: The path of/);
    expect(call('foo, vdev, dev(a, b)|')).toMatch(/^dev: The parent/);
    expect(call('foo, vdev, &pdev->dev, &|')).toMatch(/^ops: The ops table/);
    expect(signature('void f(void)\n{\n\tvfio_put_device(|')).toMatch(
      /^struct vfio_device \*device: A device whose reference the caller holds/,
    );
  });

  it('tells of a call that the kernel does not have', () => {
    const { text, offset } = caret('void f(void)\n{\n\tvfio_init_group_dev(|);\n}\n');
    expect(signatureAt(text, offset, [6, 1])!.documentation).toMatch(/^\*\*/);
  });

  it.each([
    'void f(void)\n{\n\tother(|);\n}\n',
    'void f(void)\n{\n\tvfio_put_device(v);|\n}\n',
    'void f(void)\n{\n\t/* vfio_put_device(| */\n}\n',
    '|',
  ])('is silent in %j', (marked) => {
    expect(signature(marked)).toBeUndefined();
  });
});
