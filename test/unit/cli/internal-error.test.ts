/**
 * A mistake of our own costs what it must and shows in the exit status: a file that was not looked
 * at is not clean.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCheck } from '../../../server/src/cli/check.ts';
import type { CheckCommand } from '../../../server/src/cli/command.ts';
import { parseCommandLine } from '../../../server/src/cli/command-line.ts';
import { PLAIN } from '../../../server/src/cli/style.ts';
import type { Rule } from '../../../server/src/rules/types.ts';
import { LEAKY } from '../../support/drivers.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';
import { engineWith, textRule } from '../engine/support.ts';

const broken: Rule = {
  ...textRule('broken', /never/),
  check() {
    throw new Error('a table has no row');
  },
};

let folder: Folder;
let printed = '';
let told: string[] = [];

beforeEach(() => {
  folder = temporaryFolder({ 'a.c': LEAKY });
  printed = '';
  told = [];
});

afterEach(() => folder.remove());

/** The exit status of `check` with these rules and options. */
async function check(rules: readonly Rule[], ...options: string[]): Promise<number> {
  const { command } = parseCommandLine(['check', ...options, folder.pathOf('a.c')], '1.2.3');
  const facts = { version: '1.2.3', homepage: undefined, rulePages: undefined };
  const ignore = (): void => undefined;
  const tell = (line: string): void => void told.push(line);
  const output = {
    out: (text: string | Uint8Array): void => void (printed += String(text)),
    note: ignore,
    error: tell,
    detail: ignore,
    remark: ignore,
    line: ignore,
    progress: ignore,
  };
  return runCheck(command as CheckCommand, {
    output,
    self: '',
    threads: 1,
    identity: () => Promise.resolve('test'),
    facts,
    style: PLAIN,
    stderrColumns: undefined,
    isVerbose: false,
    engine: () => engineWith(rules),
  });
}

const hint = textRule('device', /vfio_alloc_device/g, { severity: 'hint' });

it.each(['text', 'json', 'sarif', 'github', 'gitlab'])(
  'check ends with status 2 and says why in the format %s',
  async (format) => {
    expect(await check([broken, hint], '--format', format)).toBe(2);
    expect(told.join('\n')).toContain('internal error in rule broken: a table has no row');
    // The other rules have said what they have to say.
    if (format !== 'github') expect(printed).toContain('found vfio_alloc_device');
  },
);

it('without it the same file is clean', async () => {
  expect(await check([hint])).toBe(0);
  expect(told).toEqual([]);
});
