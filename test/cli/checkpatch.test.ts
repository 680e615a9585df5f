import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './run.ts';

/**
 * The kernel's own style check, which Debian has in linux-source-6.12; VFIO_LIFECYCLE_CHECKPATCH is
 * its path.
 */
const CHECKPATCH = process.env['VFIO_LIFECYCLE_CHECKPATCH'] ?? '';
const FIXTURES = fileURLToPath(new URL('../fixtures/convert/', import.meta.url));
const missing = whatIsMissing();

function whatIsMissing(): string | undefined {
  if (!existsSync(CHECKPATCH))
    return 'VFIO_LIFECYCLE_CHECKPATCH is no path of scripts/checkpatch.pl';
  return spawnSync('perl', ['-v']).error === undefined ? undefined : 'there is no perl';
}

/**
 * A file with these keeps the style that it has, which is not the kernel's: more lines of it are no
 * more faults.
 */
const OWN_STYLE = new Set([
  'SPACING',
  'OPEN_BRACE',
  'SUSPECT_CODE_INDENT',
  'LEADING_SPACE',
  'CODE_INDENT',
  'DOS_LINE_ENDINGS',
  'TRAILING_WHITESPACE',
]);

/** The types of messages that checkpatch has for a file, and how often. */
type Messages = ReadonlyMap<string, number>;

/** By name and text: much of what one style writes for one kernel, others write too. */
const known = new Map<string, Messages>();

/** What checkpatch says of the files in a folder, by their names. */
function check(folder: string, names: readonly string[]): ReadonlyMap<string, Messages> {
  const keyOf = (name: string): string =>
    `${name}\n${readFileSync(path.join(folder, name), 'latin1')}`;
  const fresh = names.filter((name) => !known.has(keyOf(name)));
  const found = fresh.length > 0 ? runCheckpatch(folder, fresh) : new Map<string, Messages>();
  for (const name of fresh) known.set(keyOf(name), found.get(name) ?? new Map());
  return new Map(names.map((name) => [name, known.get(keyOf(name))!]));
}

function runCheckpatch(folder: string, names: readonly string[]): ReadonlyMap<string, Messages> {
  const { stdout, stderr } = spawnSync(
    'perl',
    [
      CHECKPATCH,
      '--no-tree',
      '--file',
      '--terse',
      '--show-types',
      '--ignore',
      'SPDX_LICENSE_TAG',
      ...names,
    ],
    { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 27 },
  );
  expect(
    stderr
      .split('\n')
      .filter((line) => !/^(No typos will be found|No structs that should be const|$)/.test(line)),
  ).toEqual([]);
  const found = new Map<string, Map<string, number>>();
  for (const line of stdout.split('\n')) {
    const [, file, type] = /^(.+?):\d+: (?:ERROR|WARNING|CHECK):([A-Z0-9_]+):/.exec(line) ?? [];
    if (file === undefined || type === undefined) continue;
    const types = found.get(file) ?? new Map<string, number>();
    types.set(type, (types.get(type) ?? 0) + 1);
    found.set(file, types);
  }
  return found;
}

describe.skipIf(missing !== undefined)(
  `checkpatch${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    const work = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-checkpatch-'));
    const names = ['', 'fold/', 'forms/']
      .flatMap((folder) =>
        readdirSync(FIXTURES + folder)
          .filter((name) => name.endsWith('.c') && !name.startsWith('refused-'))
          .map((name) => folder + name),
      )
      .sort();
    let before: ReadonlyMap<string, Messages>;
    afterAll(() => rmSync(work, { recursive: true, force: true }));
    beforeAll(() => void (before = check(FIXTURES, names)));

    it('finds what there is to find', () => {
      expect(names.length).toBeGreaterThan(50);
      expect(before.get('crlf.c')?.get('DOS_LINE_ENDINGS')).toBeGreaterThan(20);
    });

    it.each([
      ['minimal', '6.1'],
      ['minimal', '6.6'],
      ['fold', '6.1'],
      ['fold', '6.6'],
    ])(
      'has nothing to say of a conversion (%s, for %s) that it does not say of the original',
      (style, kernel) => {
        const folder = path.join(work, `${style}-${kernel}`);
        cpSync(FIXTURES, folder, { recursive: true });
        run(folder, 'convert', '--style', style, '--kernel', kernel, '--write', ...names);
        expect(
          names.filter(
            (name) =>
              readFileSync(path.join(folder, name), 'utf8') !==
              readFileSync(FIXTURES + name, 'utf8'),
          ).length,
        ).toBeGreaterThan(50);
        const added: string[] = [];
        for (const [file, types] of check(folder, names)) {
          for (const [type, count] of types) {
            const known = before.get(file)?.get(type) ?? 0;
            if (count > known && !(known > 0 && OWN_STYLE.has(type)))
              added.push(`${file}: ${type}`);
          }
        }
        expect(added).toEqual([]);
      },
    );
  },
);
