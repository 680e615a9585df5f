import { describe, expect, it } from 'vitest';
import { CLEAN } from '../support/drivers.ts';
import { foldersOfTests } from '../support/folder-of-test.ts';
import { run } from './run.ts';

const make = foldersOfTests();

/** A leak in an arm of a test, in line 30. */
const under = (arm: string): string =>
  CLEAN.replace('if (ret) {\n', `if (ret) {\n${arm}\n\t\treturn ret;\n#endif\n`);
const LEAKS = under('#ifdef CONFIG_FOO');
const count = (text: string): number => text.match(/\[missing-put\]/g)?.length ?? 0;

describe('check --config', () => {
  it('judges the arms that are built, and no others', () => {
    const { path } = make({
      'foo.c': LEAKS,
      on: 'CONFIG_FOO=y\n',
      off: '# CONFIG_FOO is not set\n',
      'autoconf.h': '#define CONFIG_FOO 1\n',
    });
    const check = (...options: string[]) =>
      count(run(path, 'check', '--format', 'short', ...options, 'foo.c').stdout);
    expect(check('--config', 'on')).toBe(1);
    expect(check('--config', 'autoconf.h')).toBe(1);
    const off = run(path, 'check', '--format', 'short', '--config', 'off', 'foo.c').stdout;
    expect(off).not.toContain('foo.c:30:');
  });

  it('says what is no configuration', () => {
    const { path } = make({ 'foo.c': CLEAN });
    expect(run(path, 'check', '--config', 'foo.c', 'foo.c')).toMatchObject({
      status: 2,
      stderr: ['vfio-lifecycle: foo.c: not a kernel configuration (.config or autoconf.h)'],
    });
  });
});

describe('compile_commands.json', () => {
  it('gives the macros and the folders of headers of a file', () => {
    const { path, write: put } = make({
      'src/foo.c': under('#ifdef FOO'),
      'compile_commands.json': JSON.stringify([
        { directory: 'PATH', file: 'src/foo.c', command: 'gcc -UFOO -c src/foo.c' },
      ]),
    });
    const check = (): string => run(path, 'check', '--format', 'short', 'src').stdout;
    const write = (options: string): void =>
      put(
        'compile_commands.json',
        JSON.stringify([
          { directory: path, file: 'src/foo.c', command: `gcc ${options} -c src/foo.c` },
        ]),
      );
    write('-DFOO');
    expect(check()).toContain('foo.c:30:');
    write('-UFOO');
    expect(check()).not.toContain('foo.c:30:');
  });

  it('is passed over, which is said, where it cannot be read', () => {
    const { path } = make({ 'foo.c': CLEAN, 'compile_commands.json': '{' });
    const { status, stderr } = run(path, 'check', 'foo.c');
    expect(status).toBe(0);
    expect(stderr.join('\n')).toMatch(/compile_commands\.json: not used: /);
  });
});

describe('kbuild', () => {
  it('takes what kbuild passes, and speaks on stderr', () => {
    const { path, write: put } = make({
      'tree/include/linux/kconfig.h': '',
      'tree/Makefile': 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 3\nEXTRAVERSION =\n',
      'tree/include/generated/autoconf.h': '#define CONFIG_FOO 1\n',
      'foo.c': LEAKS,
      'other.c': 'int x;\n',
    });
    const words = ['-D__linux__', '-Wall', '-v', '-I./include', '-include'];
    const check = (file: string, ...own: string[]) =>
      run(
        `${path}/tree`,
        'kbuild',
        ...own,
        ...words,
        './include/linux/kconfig.h',
        '-DMODULE',
        file,
      );
    const found = check(`${path}/foo.c`);
    expect(found).toMatchObject({ status: 0, stdout: '' });
    expect(found.stderr[0]).toMatch(/\/foo\.c:30:\d+: error: .* \[missing-put\]$/);
    expect(check(`${path}/foo.c`, '--fail-on', 'error').status).toBe(1);
    expect(check(`${path}/other.c`)).toMatchObject({ status: 0, stdout: '', stderr: [] });
    put('tree/include/generated/autoconf.h', '#define CONFIG_BAR 1\n');
    expect(check(`${path}/foo.c`).stderr.join('\n')).not.toContain('foo.c:30:');
  });

  it('says what is missing', () => {
    expect(run('.', 'kbuild', '-DMODULE')).toMatchObject({
      status: 2,
      stderr: ['vfio-lifecycle: kbuild: no C file among the arguments of the compiler'],
    });
  });
});
