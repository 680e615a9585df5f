import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryFolder, type Folder } from '../support/folder.ts';
import { run } from './run.ts';

let folder: Folder | undefined;
afterEach(() => {
  folder?.remove();
  folder = undefined;
});

type Shell = 'bash' | 'zsh' | 'fish';

/**
 * What is typed before the tab, and words that the shell then has to offer; `file` stands for the
 * names of files.
 */
const TYPED: readonly (readonly [
  line: string,
  offered: readonly string[],
  not: readonly string[],
])[] = [
  ['', ['check', 'convert', 'explain', 'completion'], ['drv.c']],
  ['con', ['convert'], ['check']],
  ['check --f', ['--format', '--fail-on'], ['--unsafe']],
  ['check --format ', ['sarif', 'gitlab'], ['drv.c']],
  ['check --format=', ['sarif', 'gitlab'], ['drv.c']],
  ['convert --format ', ['patch'], ['sarif']],
  ['check --only missing-', ['missing-put', 'missing-uninit'], ['double-put']],
  ['--color ', ['always'], ['check']],
  ['fix --color ', ['always'], ['drv.c']],
  ['explain vfio_alloc', ['vfio_alloc_device'], ['vfio_put_device']],
  ['explain member-', ['member-not-first'], []],
  ['completion ', ['bash', 'fish'], ['drv.c']],
  ['check --kernel 6.1', ['6.1', '6.12'], ['5.15']],
];

/** The last line is for the names of files, which bash leaves to readline. */
const LINES = [...TYPED.map(([line]) => line), 'check dr'];

const has = (shell: Shell): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

/**
 * Runs a script of a shell, with the path of the completion script as its argument, in a folder
 * with the file `drv.c`.
 */
function shell(program: Shell, args: readonly string[], script: string): string {
  const { path, pathOf } = (folder = temporaryFolder({
    'drv.c': '',
    complete: run('.', 'completion', program).stdout,
  }));
  const env = { ...process.env, HOME: path, TERM: 'dumb' };
  const { stdout, stderr, status } = spawnSync(program, [...args, script, pathOf('complete')], {
    cwd: path,
    encoding: 'utf8',
    env,
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout;
}

/** What follows each mark, as words. */
function parts(stdout: string): string[][] {
  return stdout
    .split('== next ==\n')
    .slice(1)
    .map((part) => part.split('\n').filter((word) => word !== ''));
}

/** Readline's own splitting of the line is done here. */
function inBash(): string[][] {
  const steps = LINES.map((line) => {
    const words = ['vfio-lifecycle', ...line.split(/ +|(=)/).filter((one) => one !== undefined)];
    const quoted = words.map((word) => `'${word}'`).join(' ');
    return `echo '== next =='; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _vfio_lifecycle; printf '%s\\n' "\${COMPREPLY[@]}"`;
  });
  return parts(shell('bash', ['--norc', '-c'], `source "$0"\n${steps.join('\n')}`));
}

/**
 * fish gives each word with its description behind a tab, and repeats the option before a value.
 */
function inFish(): string[][] {
  const steps = LINES.map((line) => `echo '== next =='; complete -C "vfio-lifecycle ${line}"`);
  const found = parts(shell('fish', ['--no-config', '-c'], `source $argv[1]\n${steps.join('\n')}`));
  return found.map((words) => words.map((word) => word.split('\t')[0]!.replace(/^--\w+=/, '')));
}

/** zsh tells nobody what it would offer: the builtin that collects the words is taken over. */
function inZsh(): string[][] {
  const steps = LINES.map(
    (line) => `
    zpty -w -n inner $'vfio-lifecycle ${line}\\t\\x18'
    zpty -r inner text '*all:done*'
    print '== next =='; print -r -- $text`,
  );
  const driver = `
    zmodload zsh/zpty
    zpty inner zsh -f -i
    zpty -w inner "PROMPT=; autoload -Uz compinit; compinit -u -D; source '$1'"
    zpty -w inner 'compadd() { local -a found; builtin compadd -O found "$@"; print -rl -- "word:"$^found; builtin compadd "$@" }'
    zpty -w inner 'done-now() { print; print all:done; BUFFER=; zle -R }; zle -N done-now; bindkey "^X" done-now; bindkey "^I" complete-word'
    zpty -w inner 'print all:"ready"'
    zpty -r inner text '*all:ready*'${steps.join('')}`;
  const found = parts(shell('zsh', ['-f', '-c', driver], 'zsh'));
  return found.map((lines) =>
    [...lines.join('\n').matchAll(/word:(\S+)/g)].map((match) => match[1]!.replace(/=$/, '')),
  );
}

describe.each<[Shell, () => string[][]]>([
  ['bash', inBash],
  ['zsh', inZsh],
  ['fish', inFish],
])('completion in %s', (name, offer) => {
  it.skipIf(!has(name))('offers what can stand there', () => {
    const found = offer();
    expect(found).toHaveLength(LINES.length);
    for (const [index, [line, words, not]] of TYPED.entries()) {
      expect({ line, found: found[index] }).toEqual({
        line,
        found: expect.arrayContaining([...words]),
      });
      expect({ line, wrong: found[index]!.filter((word) => not.includes(word)) }).toEqual({
        line,
        wrong: [],
      });
    }
    expect([...new Set(found.at(-1))]).toEqual(name === 'bash' ? [] : ['drv.c']);
  });
});
