import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { LEAKY } from '../support/drivers.ts';
import { temporaryFolder, type Folder } from '../support/folder.ts';
import { CLI, run } from './run.ts';

let folder: Folder | undefined;
afterEach(() => {
  folder?.remove();
  folder = undefined;
});
const make = (files: Record<string, string | Uint8Array>): Folder =>
  (folder = temporaryFolder(files));

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
  ])('knows %s', (name, expected) => {
    const { status, stdout, stderr } = run(make({}).path, 'explain', name);
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
  ])('proposes for %s', (name, proposed) => {
    const { status, stderr } = run(make({}).path, 'explain', name);
    expect({ status, stderr: stderr.join('') }).toEqual({
      status: 2,
      stderr: expect.stringContaining(`; did you mean ${proposed}`),
    });
  });

  it('is Markdown in a pipe, and in colours what they stand for', () => {
    const { path } = make({});
    expect(run(path, 'explain', 'missing-put').stdout).toBe(
      readFileSync(new URL('../../docs/rules/missing-put.md', import.meta.url), 'utf8'),
    );
    const shown = run(path, '--color=always', 'explain', 'missing-put').stdout;
    expect(shown).toMatch(
      /^\x1b\[1mmissing-put\x1b\[22m\n\nSeverity: error [^]*\nA path returns with the reference of \x1b\[36mvfio_alloc_device\(\)\x1b\[39m/,
    );
    const plain = shown.replace(/\x1b\[[\d;]*m/g, '').split('\n');
    expect(plain.filter((line) => line.length > 80 && !line.startsWith('    '))).toEqual(
      plain.filter((line) => line.startsWith('https:')),
    );
  });

  it('needs no known kernel for what no kernel changes', () => {
    const { path } = make({
      Makefile: 'VERSION = 4\nPATCHLEVEL = 19\nSUBLEVEL = 0\n',
      'arch/x': '',
      'scripts/x': '',
    });
    expect(run(path, 'explain', 'missing-put').status).toBe(0);
    expect(run(path, 'explain', 'member-not-first').status).toBe(0);
    expect(run(path, 'explain', 'vfio_put_device')).toMatchObject({ status: 2, stdout: '' });
    expect(run(path, 'explain', '--kernel', '6.6', 'vfio_put_device').status).toBe(0);
  });

  it('says when it does not know a name', () => {
    expect(run(make({}).path, 'explain', 'printk')).toEqual(
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
  it.each([[['--help']], [['help']], [['convert', '--help']], [['check', '-h']]])('%j', (args) => {
    const { status, stdout } = run(make({}).path, ...args);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^Usage: vfio-lifecycle /),
    });
  });
});

describe('rules', () => {
  it('lists the catalogue as text and as JSON', () => {
    const { path } = make({});
    const { rules } = JSON.parse(run(path, 'rules', '--format', 'json').stdout);
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
    const lines = run(path, 'rules').stdout.trimEnd().split('\n');
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
  ])('shows the %s', (stage, expected) => {
    const { status, stdout } = run(
      make({ 'foo.c': LEAKY }).path,
      'dump',
      '--stage',
      stage,
      'foo.c',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(expected);
  });

  it('shows one function', () => {
    const { path } = make({ 'foo.c': LEAKY });
    expect(run(path, 'dump', '--stage', 'cfg', 'foo.c', 'foo_remove').stdout).toMatch(
      /^foo_remove:\nb0:/,
    );
    expect(run(path, 'dump', '--stage', 'cfg', 'foo.c', 'none')).toMatchObject({
      status: 2,
      stderr: ['vfio-lifecycle: foo.c: no function none'],
    });
    expect(run(path, 'dump', '--stage', 'cfg', 'foo.c', 'foo_prob').stderr).toEqual([
      'vfio-lifecycle: foo.c: no function foo_prob; did you mean foo_probe?',
    ]);
    expect(run(path, 'dump', 'foo.c')).toMatchObject({ status: 2 });
  });
});

describe('the program', () => {
  it('has help and a version', () => {
    const { path } = make({});
    expect(run(path, '--help')).toMatchObject({
      status: 0,
      stderr: [],
      stdout: expect.stringContaining('\n  check  '),
    });
    expect(run(path, '--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('ends without a word when its reader goes away', async () => {
    const { path, write } = make({});
    for (let i = 0; i < 40; i++) write(`${i}.c`, LEAKY);
    const child = spawn(process.execPath, [CLI, 'check', '--format', 'json', '.'], {
      cwd: path,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    child.stdout.destroy();
    await once(child, 'close');
    expect(stderr).toMatch(/^(?:vfio-lifecycle: target kernel [^\n]*\n)?$/);
  });

  it('reads many files on several threads, with the same result', () => {
    const files: Record<string, string> = {};
    for (let i = 0; i < 2_500; i++)
      files[`d${i % 50}/f${i}.c`] = i % 500 === 0 ? LEAKY : 'int x;\n';
    const { path } = make(files);
    const report = JSON.parse(run(path, 'check', '--format', 'json', '.').stdout);
    expect(report.files.map((one: { path: string }) => one.path)).toEqual([
      'd0/f0.c',
      'd0/f1000.c',
      'd0/f1500.c',
      'd0/f2000.c',
      'd0/f500.c',
    ]);
    expect(report.summary.error).toBe(5);
  });

  it('finds the word wherever it stands in a large file', () => {
    const size = 1 << 18;
    const files: Record<string, string> = {};
    for (const at of [size - 4, size - 3, size - 2, size - 1, size, 2 * size - 6, 3 * size])
      files[`at${at}.c`] = `${' '.repeat(at)}vfio${' '.repeat(10)}`;
    const { path } = make({ ...files, 'none.c': ' '.repeat(3 * size) });
    expect(JSON.parse(run(path, 'check', '--format', 'json', '.').stdout).summary.files).toBe(7);
  });
});
