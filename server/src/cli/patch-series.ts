/** Conversions as a series of patches for `git am`: one for each driver. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { commitMessage } from '../engine/commit-message.ts';
import { conversionTarget } from '../engine/convert.ts';
import { makeFolder } from '../lsp/node-make-folder.ts';
import { unifiedDiff } from '../text/diff.ts';
import type { Outcome } from './outcome.ts';
import { mailFileName, mailText, type Author, type Mail } from './mail.ts';
import type { Output } from './output.ts';
import { encode, unreadable, type TextFile } from './text-file.ts';
import { UsageError } from './usage-error.ts';
import { patchName, type Workspace } from './workspace.ts';

/** What a driver's conversion made of one file. */
interface ChangedFile {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** The changes of a run, driver by driver: a header may be changed for several. */
export interface ChangeLog {
  /** Notes what has changed since the last call as the work on a driver. */
  take(driver: object, outcome: Outcome): void;
  /** The drivers that changed something, in the order of the work. */
  drivers(): readonly ChangedDriver[];
}

export interface ChangedDriver {
  readonly outcomes: readonly Outcome[];
  readonly files: readonly ChangedFile[];
}

export function createChangeLog(workspace: Workspace): ChangeLog {
  const seen = new Map<string, string>();
  const drivers = new Map<object, { outcomes: Outcome[]; files: Map<string, ChangedFile> }>();
  return {
    take(driver, outcome) {
      const known = drivers.get(driver) ?? { outcomes: [], files: new Map<string, ChangedFile>() };
      drivers.set(driver, known);
      known.outcomes.push(outcome);
      for (const path of workspace.changed()) {
        const after = workspace.current(path);
        const last = seen.get(path) ?? workspace.original(path).text;
        if (after === last) continue;
        seen.set(path, after);
        known.files.set(path, { path, before: known.files.get(path)?.before ?? last, after });
      }
    },
    drivers: () =>
      [...drivers.values()]
        .map(({ outcomes, files }) => ({ outcomes, files: [...files.values()].sort(byPath) }))
        .filter(({ files }) => files.length > 0),
  };
}

function byPath(left: ChangedFile, right: ChangedFile): number {
  return left.path < right.path ? -1 : 1;
}

/** The difference of two texts of a file, in the bytes of the file. */
export function diffOf(file: TextFile, name: string, before: string, after: string): Buffer {
  const mark = file.bom ? '\uFEFF' : '';
  const text = unifiedDiff(
    name,
    file.isNew && before === '' ? undefined : mark + before,
    mark + after,
  );
  return file.encoding === 'latin1' ? encode({ ...file, bom: false }, text) : Buffer.from(text);
}

/**
 * A mail for each driver.
 * @param isSigned with a line Signed-off-by.
 * @param keepsOld whether older kernels still compile the old model.
 * @throws UsageError where it is to be signed and git knows nobody.
 */
export async function mailsOf(
  drivers: readonly ChangedDriver[],
  isSigned: boolean,
  keepsOld: boolean,
  workspace: Workspace,
  output: Output,
): Promise<readonly Mail[]> {
  const [first] = drivers;
  if (first === undefined) return [];
  const author = authorIn(baseOf(first.files[0]!.path) ?? '.');
  if (author === undefined && isSigned)
    throw new UsageError('--signoff: git config user.name and user.email are not set');
  if (author === undefined)
    output.note('the patch has no author: git config user.name and user.email are not set');
  const signature = author && isSigned ? `\n\nSigned-off-by: ${author.name} <${author.email}>` : '';
  const mails: Mail[] = [];
  for (const [index, { outcomes, files }] of drivers.entries()) {
    const converted = outcomes.filter((one) => one.status === 'converted');
    const target = conversionTarget(await workspace.target(converted[0]!.file.path));
    const text = keepsOld ? '6.1' : target.text;
    const parts = converted.map((one) => ({ ...one, shown: nameInTree(one.file.path) }));
    const message = commitMessage(parts, text, keepsOld);
    const end = message.indexOf('\n');
    mails.push({
      author,
      subject: message.slice(0, end),
      body: `${message.slice(end).trim()}${signature}`,
      number: index + 1,
      of: drivers.length,
      patch: Buffer.concat(
        files.map(({ path, before, after }) =>
          diffOf(workspace.original(path), nameInTree(path), before, after),
        ),
      ),
    });
  }
  return mails;
}

/** Writes each mail into a file of its own and prints the names. Throws UsageError. */
export function writeMails(mails: readonly Mail[], folder: string, output: Output): void {
  for (const mail of mails) {
    const path = join(folder, mailFileName(mail));
    try {
      makeFolder(folder);
      writeFileSync(path, mailText(mail));
    } catch (error) {
      throw unreadable(path, error);
    }
    output.out(`${path}\n`);
  }
}

/** All mails as one mailbox. */
export function mailbox(mails: readonly Mail[]): Buffer {
  return Buffer.concat(
    mails.flatMap((mail, index) => [...(index > 0 ? [Buffer.from('\n')] : []), mailText(mail)]),
  );
}

/** git am applies from the root of the repository, wherever in it the command ran. */
function nameInTree(path: string): string {
  const base = baseOf(path);
  return base === undefined ? patchName(path).name : relative(base, path).split(sep).join('/');
}

/** The repository of a file; undefined where it is in none. */
export function baseOf(path: string): string | undefined {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(`${folder}/.git`)) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

function authorIn(folder: string): Author | undefined {
  const [name, email] = ['user.name', 'user.email'].map((key) =>
    // Where there is no git, there is no output either.
    spawnSync('git', ['config', '--get', key], { cwd: folder, encoding: 'utf8' }).stdout?.trim(),
  );
  return name && email ? { name, email } : undefined;
}
