import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { CLEAN, LEAKY, OLD, UNCHECKED } from '../support/drivers.ts';
import { foldersOfTests } from '../support/folder-of-test.ts';
import { CLI, run } from './run.ts';

const make = foldersOfTests();
const withoutEscapes = (text: string): string =>
  text.replace(/\x1b\[[\d;]*m|\x1b\]8;;[^\x1b]*\x1b\\/g, '');

/** The parts of a report of the long form. */
function parts(stdout: string) {
  const lines = stdout.trimEnd().split('\n');
  return {
    findings: lines.filter((line) => /^\S+:\d+:\d+: \w+: /.test(line)),
    steps: lines.filter((line) => /^ {4}\S+:\d+:\d+: note: \S/.test(line)),
    last: lines.at(-1),
    lines,
  };
}

describe('check --format text', () => {
  it("shows the source, the range and the path below the compilers' line, and ends with the sum", () => {
    const { path } = make({ 'foo.c': LEAKY });
    const { findings, steps, last, lines } = parts(run(path, 'check', 'foo.c').stdout);
    expect(findings).toEqual([expect.stringMatching(/^foo\.c:29:3: error: .* \[missing-put\]$/)]);
    expect(lines.slice(1, 3)).toEqual([
      '   29 |                 return ret;',
      '      |                 ^~~~~~~~~~~',
    ]);
    expect(steps).toHaveLength(2);
    expect(last).toBe('1 error in 1 of 1 file (1 fixable with `vfio-lifecycle fix`)');
    expect(lines).toHaveLength(findings.length + 2 + steps.length + 1);
  });

  it('has the lines of the short form', () => {
    const { path } = make({ 'a.c': LEAKY, 'b.c': UNCHECKED, 'c.c': OLD });
    const { findings, steps } = parts(run(path, 'check', '.').stdout);
    const short = run(path, 'check', '--format', 'short', '.').stdout.trimEnd().split('\n');
    expect(findings).toEqual(short.filter((line) => !line.includes(': note: ')));
    expect(steps.map((line) => line.trim())).toEqual(
      short.filter((line) => line.includes(': note: ')),
    );
  });

  it('counts by severity, the files that are looked at, and what fix takes away', () => {
    const { path } = make({
      'a.c': LEAKY,
      'b.c': UNCHECKED,
      'c.c': CLEAN,
      'd.c': CLEAN,
      'none.c': 'int x;\n',
      '.vfio-lifecycle.json': '{ "rules": { "missing-put": "warning" } }',
    });
    expect(parts(run(path, 'check', '.').stdout).last).toBe(
      '1 error, 1 warning in 2 of 4 files (2 fixable with `vfio-lifecycle fix`)',
    );
    run(path, 'fix', '--write', '.');
    expect(run(path, 'check', '.').stdout).toBe('');
    expect(run(path, 'check', '-v', '.').stderr.at(-1)).toBe(
      'vfio-lifecycle: nothing found in 4 files',
    );
  });

  it('shows nothing of a line that a terminal would obey', () => {
    const { path } = make({
      'foo.c': LEAKY.replace('\t\treturn ret;', '\t\t/* \x1b[2J\u202e */ return ret;'),
    });
    const { stdout } = run(path, 'check', 'foo.c');
    expect(stdout).not.toMatch(/[\x1b\u202e]/);
    const [, line, mark] = stdout.split('\n');
    expect(line!.slice(mark!.indexOf('^'))).toBe('return ret;');
  });

  it('is the same text in colours', () => {
    const { path } = make({ 'foo.c': LEAKY });
    const plain = run(path, 'check', 'foo.c').stdout;
    const colored = run(path, 'check', '--color=always', 'foo.c').stdout;
    expect(colored).not.toBe(plain);
    expect(colored).not.toContain('\x1b]8');
    expect(withoutEscapes(colored)).toBe(plain);
  });
});

const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasScript)('check on a terminal', () => {
  /** Runs the program on a terminal of 80 columns: its stdout and stderr are one. */
  function onTerminal(cwd: string, env: Record<string, string>, ...args: string[]): string {
    const command = `stty cols 80; ${[process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ')}`;
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, TERM: 'xterm', ...env },
    });
    return stdout.replaceAll('\r\n', '\n');
  }

  it('has colours, a link from the rule to its page, and progress with a total', () => {
    const { path } = make({ 'foo.c': LEAKY, 'bar.c': CLEAN });
    const shown = onTerminal(path, {}, 'check', '.');
    expect(shown).toMatch(/\x1b\[1m\x1b\[31merror:\x1b\[39m\x1b\[22m/);
    expect(shown).toMatch(
      /\x1b\]8;;https:\/\/\S+\/docs\/rules\/missing-put\.md\x1b\\missing-put\x1b\]8;;\x1b\\/,
    );
    expect(shown).toMatch(/\r2 of 2 files checked/);
    const plain = onTerminal(path, { NO_COLOR: '1' }, 'check', '.');
    expect(plain).not.toContain('\x1b');
    expect(plain).toContain('foo.c:29:3: error: ');
  });

  it('cuts a line that does not fit', () => {
    const { path } = make({
      'foo.c': LEAKY.replace('\t\treturn ret;', `\t\treturn ret; /* ${'long '.repeat(40)}*/`),
    });
    const line = withoutEscapes(onTerminal(path, {}, 'check', 'foo.c'))
      .split('\n')
      .find((one) => one.startsWith('   29 |'));
    expect(line).toHaveLength(80);
    expect(line).toMatch(/return ret; .*…$/);
  });

  it('says that it is done when nothing was found', () => {
    const { path } = make({ 'foo.c': CLEAN, 'other.c': 'int x;\n' });
    expect(onTerminal(path, {}, 'check', 'foo.c')).toContain(
      'vfio-lifecycle: nothing found in 1 file\n',
    );
    expect(onTerminal(path, {}, 'check', 'other.c')).toContain(
      'vfio-lifecycle: nothing to check in 1 C file: VFIO is not mentioned\n',
    );
  });
});
