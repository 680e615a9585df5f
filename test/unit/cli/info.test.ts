import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LEAKY } from '../../support/drivers.ts';
import { foldersOfTests } from '../../support/folder-of-test.ts';
import { run } from '../../support/command.ts';

const make = foldersOfTests();

describe('explain', () => {
  it.each([
    ['missing-put', '# missing-put'],
    ['vfio_put_device', 'vfio_put_device'],
    ['vfio_put_device()', 'vfio_put_device'],
    ['struct vfio_device', 'vfio_device'],
    ['.release', 'vfio_device_ops.release'],
    ['detach_ioas', 'vfio_device_ops.detach_ioas'],
    ['vfio_migration_ops.migration_get_state', 'migration_get_state'],
    ['vfio_device_ops->init', 'vfio_device_ops.init'],
    ['vfio_device_ops', '**Members in Linux 6.1:** `.name`, `.init`'],
    ['split-span', 'Put them in one block'],
  ])('knows %s', async (name, expected) => {
    const { status, stdout, stderr } = await run(make({}).path, 'explain', name);
    expect({ status, stderr }).toEqual({ status: 0, stderr: [] });
    expect(stdout).toContain(expected);
  });

  it.each([
    ['vfio_put_devcie', 'vfio_put_device'],
    ['missing-ptu', 'missing-put'],
    ['detach_ioaas', '.detach_ioas'],
    ['struct vfio_devise', 'vfio_device'],
    ['struct vfio_devices', 'vfio_device'],
    ['member-not-frist', 'member-not-first'],
    ['pci_core_device', 'vfio_pci_core_device'],
  ])('proposes for %s', async (name, proposed) => {
    const { status, stderr } = await run(make({}).path, 'explain', name);
    expect({ status, stderr: stderr.join('') }).toEqual({
      status: 2,
      stderr: expect.stringContaining(`; did you mean ${proposed}`),
    });
  });

  it('is Markdown in a pipe, and in colours what they stand for', async () => {
    const { path } = make({});
    expect((await run(path, 'explain', 'missing-put')).stdout).toBe(
      readFileSync(new URL('../../../docs/rules/missing-put.md', import.meta.url), 'utf8'),
    );
    const shown = (await run(path, '--color=always', 'explain', 'missing-put')).stdout;
    expect(shown).toMatch(
      /^\x1b\[1mmissing-put\x1b\[22m\n\nSeverity: error [^]*\nA path returns with the reference of \x1b\[36mvfio_alloc_device\(\)\x1b\[39m/,
    );
    const plain = shown.replace(/\x1b\[[\d;]*m/g, '').split('\n');
    expect(plain.filter((line) => line.length > 80 && !line.startsWith('    '))).toEqual(
      plain.filter((line) => line.startsWith('https:')),
    );
  });

  it('needs no known kernel for what no kernel changes', async () => {
    const { path } = make({
      Makefile: 'VERSION = 4\nPATCHLEVEL = 19\nSUBLEVEL = 0\n',
      'arch/x': '',
      'scripts/x': '',
    });
    expect((await run(path, 'explain', 'missing-put')).status).toBe(0);
    expect((await run(path, 'explain', 'member-not-first')).status).toBe(0);
    expect(await run(path, 'explain', 'vfio_put_device')).toMatchObject({ status: 2, stdout: '' });
    expect((await run(path, 'explain', '--kernel', '6.6', 'vfio_put_device')).status).toBe(0);
  });

  it('says when it does not know a name', async () => {
    expect(await run(make({}).path, 'explain', 'printk')).toEqual(
      expect.objectContaining({
        status: 2,
        stdout: '',
        stderr: [
          'vfio-lifecycle: explain: "printk" is no rule, no kind of refusal and no name of the VFIO interface; explain --list has all names',
        ],
      }),
    );
  });
});

describe('--help', () => {
  it.each([[['--help']], [['help']], [['convert', '--help']], [['check', '-h']]])(
    '%j',
    async (args) => {
      const { status, stdout } = await run(make({}).path, ...args);
      expect({ status, stdout }).toEqual({
        status: 0,
        stdout: expect.stringMatching(/^Usage: vfio-lifecycle /),
      });
    },
  );
});

describe('rules', () => {
  it('lists the catalogue as text and as JSON', async () => {
    const { path } = make({});
    const { rules } = JSON.parse((await run(path, 'rules', '--format', 'json')).stdout);
    expect(rules.map((one: { id: string }) => one.id)).toEqual(
      [...rules.map((one: { id: string }) => one.id)].sort(),
    );
    expect(rules).toContainEqual({
      id: 'missing-put',
      severity: 'error',
      since: '6.1',
      until: null,
      fix: expect.any(String),
      what: expect.any(String),
    });
    const lines = (await run(path, 'rules')).stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(rules.length);
    expect(lines.find((line) => line.startsWith('missing-put '))).toMatch(
      /^missing-put +error +\S/,
    );
  });
});

describe('dump', () => {
  it.each([
    ['tree', /^\(translation_unit/],
    ['ir', /foo_probe/],
    ['cfg', /^foo_probe:\nb0:/m],
    ['states', /^foo_probe \(probe\):\n {2}\d+: alloc/m],
    ['calls', /^foo\.c\tvfio_put_device\t1\t1$/m],
  ])('shows the %s', async (stage, expected) => {
    const { status, stdout } = await run(
      make({ 'foo.c': LEAKY }).path,
      'dump',
      '--stage',
      stage,
      'foo.c',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(expected);
  });

  it('shows one function', async () => {
    const { path } = make({ 'foo.c': LEAKY });
    expect((await run(path, 'dump', '--stage', 'cfg', 'foo.c', 'foo_remove')).stdout).toMatch(
      /^foo_remove:\nb0:/,
    );
    expect(await run(path, 'dump', '--stage', 'cfg', 'foo.c', 'none')).toMatchObject({
      status: 2,
      stderr: ['vfio-lifecycle: foo.c: no function none'],
    });
    expect((await run(path, 'dump', '--stage', 'cfg', 'foo.c', 'foo_prob')).stderr).toEqual([
      'vfio-lifecycle: foo.c: no function foo_prob; did you mean foo_probe?',
    ]);
    expect(await run(path, 'dump', 'foo.c')).toMatchObject({ status: 2 });
  });
});
