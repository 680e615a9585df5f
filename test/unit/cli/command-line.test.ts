import { describe, expect, it, test } from 'vitest';
import { commandModel, parseCommandLine } from '../../../server/src/cli/command-line.ts';

const parse = (...words: string[]) => parseCommandLine(words, '1.2.3');
const commands = commandModel(() => undefined, '1.2.3').commands.map((one) => one.name());

/** What help prints for a command. */
function helpOf(...words: string[]): string {
  const { command } = parse(...words);
  return command.name === 'print' ? command.text : '';
}

describe('help', () => {
  it.each([[[]], ...commands.map((name) => [[name]])])(
    'of %j fits on a terminal of 80 columns',
    (words) => {
      const text = helpOf(...words, '--help');
      expect(text).toMatch(/^Usage: vfio-lifecycle /);
      expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    },
  );

  it.each(commands)('of %s has examples, each of which is right', (name) => {
    const [, examples = ''] = helpOf(name, '--help').split('\nExamples:\n');
    const lines = examples
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => /vfio-lifecycle ([^|>)#"]*)/.exec(line)?.[1] ?? '');
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(parse(...line.trim().split(/ +/)).command.name).toBe(name);
  });

  it('is the same by each name, and tells of the options that all commands have', () => {
    expect(helpOf('help', 'fix')).toBe(helpOf('fix', '-h'));
    expect(helpOf('fix', '-h')).toContain('--color <when>');
    expect(helpOf('--help')).toBe(helpOf('-h'));
  });
});

describe('a mistake', () => {
  it.each([
    [['chekc', 'x'], "unknown command 'chekc'; did you mean check?"],
    [
      [import.meta.filename],
      `unknown command '${import.meta.filename}'; did you mean check ${import.meta.filename}?`,
    ],
    [['help', 'chekc'], "unknown command 'chekc'; did you mean check?"],
    [['help', 'frobnicate'], "unknown command 'frobnicate'; try vfio-lifecycle --help"],
    [['frobnicate'], "unknown command 'frobnicate'; try vfio-lifecycle --help"],
    [['check', '--kernle', '6.1', 'x'], "unknown option '--kernle'; did you mean --kernel?"],
    [['fix', '--frob', 'x'], "unknown option '--frob'; try vfio-lifecycle fix --help"],
    [
      ['check', '--format', 'jsno', 'x'],
      '--format: "jsno" is none of text, short, json, sarif, github, gitlab; did you mean json?',
    ],
    [
      ['check', '--kernel'],
      "option '--kernel <version>' argument missing; try vfio-lifecycle check --help",
    ],
    [['check', '--only', 'mising-put', 'x'], '--only: "mising-put" is not known; "missing-put" is'],
    [['check', '--only', 'xyz', 'x'], '--only: "xyz" is not known'],
    [
      ['rules', 'x'],
      "too many arguments for 'rules'. Expected 0 arguments but got 1; try vfio-lifecycle rules --help",
    ],
    [['completion', 'fsh'], 'completion: "fsh" is none of bash, zsh, fish; did you mean zsh?'],
    [['convert', '--write', '-'], '--write: stdin cannot be written'],
    [['check', '--stdin-filename', 'a.c', 'b.c'], '--stdin-filename: name - to read stdin'],
    [['-q'], 'no command; try --help'],
    [['check', '--color', 'sometimes', 'x'], '--color: "sometimes" is none of auto, always, never'],
  ])('%j: %s', (words, message) => {
    expect(() => parse(...words)).toThrow(message);
  });
});

describe('options of all commands', () => {
  it.each([
    [['-q', 'check', 'x'], { talk: 'quiet', color: 'auto' }],
    [['check', '--quiet', 'x'], { talk: 'quiet', color: 'auto' }],
    [['check', 'x', '-v', '--color=always'], { talk: 'verbose', color: 'always' }],
    [['--color', 'never', 'rules'], { talk: 'normal', color: 'never' }],
  ])('%j', (words, manner) => {
    expect(parse(...words).manner).toEqual(manner);
  });

  test('--version prints it', () => {
    expect(parse('--version').command).toEqual({ name: 'print', text: '1.2.3\n' });
    expect(parse('-V').command).toEqual({ name: 'print', text: '1.2.3\n' });
  });
});

test('--only switches the other rules off, and --rule counts after it', () => {
  const { command } = parse(
    'check',
    '--only',
    'missing-put,double-put',
    '--rule',
    'use-after-put=hint',
    'x',
  );
  const rules = command.name === 'check' ? command.rules : {};
  expect(rules['missing-put']).toBeUndefined();
  expect(rules['double-put']).toBeUndefined();
  expect(rules).toMatchObject({ 'use-after-put': 'hint', 'missing-uninit': 'off' });
});

test('explain takes a name of several words', () => {
  expect(parse('explain', 'struct', 'vfio_device').command).toMatchObject({
    subject: 'struct vfio_device',
  });
});
