/** The commands `convert` and `fix`, which change files. */
import type { Outcome } from './outcome.ts';
import { dirname } from 'node:path';
import type { Conversion, ModuleInput, SourceDocument, TargetKernel } from '../engine/types.ts';
import type { Finding } from '../rules/types.ts';
import type { Engine } from '../engine/analyse.ts';
import { convert, conversionTarget, newerKernelNotes, whyNothing } from '../engine/convert.ts';
import { convertCompat } from '../engine/compat/convert.ts';
import type { CompatHeader } from '../engine/compat/header.ts';
import { convertFolding } from '../engine/fold.ts';
import { fixAll } from '../engine/fix.ts';
import { joinLinked } from '../engine/project/join.ts';
import { applyEdits } from '../text/edits.ts';
import type { FileEdits } from '../text/span.ts';
import type { ConvertCommand, FixCommand } from './command.ts';
import { modulesOf, verdictOf, verdictTable, type ModuleVerdict } from './convert-tree.ts';
import {
  findInputs,
  followLinks,
  isFolder,
  namedFiles,
  nothingThere,
  type InputFile,
  type Inputs,
} from './inputs.ts';
import { jsonText, rangeIn } from './json.ts';
import type { Program } from './process-needs.ts';
import type { Output } from './output.ts';
import { nameSources, type NamedSources } from './stdin.ts';
import {
  baseOf,
  createChangeLog,
  diffOf,
  mailbox,
  mailsOf,
  writeMails,
  type ChangeLog,
} from './patch-series.ts';
import { announceTargets, readingText } from './targets.ts';
import { writeFiles } from './write-files.ts';
import { UsageError } from './usage-error.ts';
import { openWorkspace, patchName, shownPath, type Workspace } from './workspace.ts';

type Change = ConvertCommand | FixCommand;
type StyleChoice = Pick<ConvertCommand, 'style' | 'guard' | 'compatHeader'>;

/** `convert` and `fix`: both change files, and show the change as one patch or write it. */
export async function runChange(command: Change, program: Program): Promise<number> {
  const sources = nameSources({ ...command, paths: followLinks(command.paths) });
  const inputs = await inputsOf(command, sources, program);
  const nothing = nothingThere(command.name, sources, inputs);
  if (nothing !== undefined) throw new UsageError(nothing);
  const workspace = openWorkspace({ ...command, ...sources }, program.output);
  const { output } = program;
  const log = createChangeLog(workspace);
  const job: Job = { engine: await program.engine(), workspace, output, log };
  const verdicts =
    command.name === 'convert' && inputs.hasFolders
      ? await convertModules(job, inputs.files, command)
      : [];
  const outcomes = await outcomesOf(job, command, inputs, verdicts);
  if (command.name === 'fix' || command.style !== 'compat')
    await announceTargets(workspace, inputs.files, sources.paths, program.output);
  const patch = patchOf(workspace);
  if (command.format === 'json') {
    const told: (one: Outcome) => object = command.name === 'fix' ? jsonFixes : jsonOutcome;
    program.output.out(jsonText({ files: outcomes.map(told), ...patchText(workspace, patch) }));
  } else {
    sayOutcomes(program, outcomes, inputs.hasFolders);
    if (command.name === 'convert' && command.mails) await giveMails(job, command);
    else if (!command.write) program.output.out(patch);
  }
  sayObstacles(program, outcomes);
  if (command.write) write(job);
  else if (patch.length > 0) sayBases(job, command.name === 'convert' && command.mails);
  if (command.name === 'fix')
    for (const line of sumOfFixes(outcomes, command.unsafe)) program.output.note(line);
  if (inputs.hasFolders && command.name === 'convert')
    for (const line of verdictTable(verdicts, program.stderrColumns)) program.output.line(line);
  if (inputs.unreadable > 0) return 2;
  if (command.name === 'fix') return command.check && patch.length > 0 ? 1 : 0;
  return outcomes.some(({ status, isOld }) => status === 'refused' || isOld === true) ? 1 : 0;
}

/** What the work on one command needs throughout. */
interface Job {
  readonly engine: Engine;
  readonly workspace: Workspace;
  readonly output: Output;
  readonly log: ChangeLog;
}

/** Patches for git am, to stdout or each into a file. */
async function giveMails(
  { workspace, output, log }: Job,
  { signoff, outputDirectory, style }: ConvertCommand,
): Promise<void> {
  const mails = await mailsOf(log.drivers(), signoff, style === 'compat', workspace, output);
  if (outputDirectory !== undefined) writeMails(mails, outputDirectory, output);
  else if (mails.length > 0) output.out(mailbox(mails));
}

/**
 * The files of a command, and whether a folder led to some of them. A header is no module:
 * `convert` takes one only where it is named.
 */
async function inputsOf(
  command: Change,
  sources: NamedSources,
  program: Program,
): Promise<Inputs & { readonly hasFolders: boolean }> {
  const hasFolders = sources.paths.some(isFolder);
  if (command.name === 'fix') return { ...(await findInputs(sources, program)), hasFolders };
  if (!hasFolders)
    return { files: namedFiles(sources), sources: sources.paths.length, unreadable: 0, hasFolders };
  const found = await findInputs(sources, program);
  return { ...found, files: found.files.filter((file) => file.path.endsWith('.c')), hasFolders };
}

async function outcomesOf(
  job: Job,
  command: Change,
  { files, hasFolders }: Inputs & { readonly hasFolders: boolean },
  verdicts: readonly ModuleVerdict[],
): Promise<Outcome[]> {
  if (command.name === 'convert' && hasFolders) return verdicts.flatMap((one) => one.outcomes);
  const linked = command.name === 'convert' ? await linkedFiles(job.workspace, files) : [];
  const outcomes: Outcome[] = [];
  for (const [index, file] of files.entries()) {
    job.output.progress(`${index} of ${files.length} files done`);
    const together = linked.includes(file) ? linked : [file];
    const outcome =
      command.name === 'convert'
        ? await convertFile(job, file, together, command)
        : await fixFile(job, file, command.unsafe);
    outcomes.push(outcome);
    job.log.take(together === linked ? linked : file, outcome);
  }
  return outcomes;
}

/** Converts the modules of folders one after the other, each as it is by now. */
async function convertModules(
  job: Job,
  files: readonly InputFile[],
  style: StyleChoice,
): Promise<ModuleVerdict[]> {
  const modules = await modulesOf(job.workspace, files);
  const linked = await linkedFiles(job.workspace, files);
  const verdicts: ModuleVerdict[] = [];
  for (const [index, module] of modules.entries()) {
    job.output.progress(`${index} of ${modules.length} modules done`);
    const together = module.files.filter((file) => linked.includes(file));
    const outcomes: Outcome[] = [];
    for (const file of module.files) {
      const group = together.includes(file) ? together : [file];
      const outcome = await convertFile(job, file, group, style);
      outcomes.push(outcome);
      job.log.take(module, outcome);
    }
    verdicts.push(verdictOf(module, outcomes));
  }
  return verdicts;
}

function jsonOutcome({ file, status, reason, code, others = [], notes, edits }: Outcome) {
  return {
    path: file.shown,
    status,
    ...(reason !== undefined && { reason }),
    ...(code !== undefined && { code, obstacles: [{ code, reason }, ...others] }),
    notes: notes.map((note) => note.text),
    edits,
  };
}

/** Lines are left out: a fix may stand in a text that an earlier one made. */
function jsonFixes({ file, status, edits, fixes }: Outcome) {
  const told = ({ rule, severity, message, functionName }: Finding) => ({
    rule,
    severity,
    message,
    function: functionName,
  });
  return {
    path: file.shown,
    status: status === 'converted' ? 'fixed' : 'unchanged',
    fixed: (fixes?.fixed ?? []).map(told),
    skipped: (fixes?.skipped ?? []).map(({ finding, doubt }) => ({ ...told(finding), doubt })),
    edits,
  };
}

/** @param hasTable what has not changed is said in the table at the end. */
function sayOutcomes({ output }: Program, outcomes: readonly Outcome[], hasTable: boolean): void {
  for (const { file, status, reason, code, notes } of outcomes) {
    if (status === 'refused')
      output.error(`${file.shown}: refused: ${reason}${code ? ` [${code}]` : ''}`);
    if (status === 'unchanged' && reason !== undefined && !hasTable)
      output.note(`${file.shown}: ${reason}`);
    for (const note of notes) output.note(`${file.shown}: ${note.text}`);
  }
}

function sayObstacles({ output }: Program, outcomes: readonly Outcome[]): void {
  for (const { file, others = [] } of outcomes) {
    for (const other of others)
      output.error(`${file.shown}: refused also: ${other.reason} [${other.code}]`);
  }
}

function write({ workspace, output }: Job): void {
  writeFiles(
    workspace
      .changed()
      .map((path) => ({ path, before: workspace.original(path), text: workspace.current(path) })),
  );
  for (const path of workspace.changed()) output.note(`${patchName(path).name}: written`);
}

/**
 * Where a patch applies that is not for the working folder.
 * @param isMail git am goes to the root of the repository by itself.
 */
function sayBases({ workspace, output }: Job, isMail: boolean): void {
  const bases = new Set(
    workspace.changed().map((path) => (isMail ? baseOf(path) : undefined) ?? patchName(path).base),
  );
  if (isMail) bases.delete(baseOf(`${process.cwd()}/x`) ?? '');
  bases.delete(patchName(`${process.cwd()}/x`).base);
  for (const base of bases) output.note(`the patch applies in ${base}`);
}

/** The files that a library among them exports to, and the library: they are converted as one. */
async function linkedFiles(
  workspace: Workspace,
  files: readonly InputFile[],
): Promise<readonly InputFile[]> {
  if (files.length < 2) return [];
  const inputs = await Promise.all(files.map((file) => workspace.load(file.path)));
  const joined = joinLinked(inputs);
  return files.filter((_, i) => joined[i] !== inputs[i]);
}

/** Converts a file with what it is linked with, as it is by now. */
async function convertFile(
  { engine, workspace, output }: Job,
  file: InputFile,
  linked: readonly InputFile[],
  style: StyleChoice,
): Promise<Outcome> {
  const input = joinLinked(await Promise.all(linked.map((one) => workspace.load(one.path))))[
    linked.indexOf(file)
  ]!;
  const asked = await workspace.target(file.path);
  output.detail(readingText(file.shown, input, asked));
  const target = conversionTarget(asked);
  const result = convertedIn(style, engine, input, target);
  switch (result.status) {
    case 'unchanged': {
      const together = workspace.changed().includes(file.path);
      const { reason, isOld } = together
        ? { reason: 'converted together with an earlier file', isOld: false }
        : whyNothing(engine, input, target);
      return { file, status: 'unchanged', reason, isOld, notes: [], edits: [] };
    }
    case 'refused': {
      const { site, reason, code } = result;
      const placed = (
        one: Pick<Extract<Conversion, { status: 'refused' }>, 'reason' | 'site'>,
      ): string => {
        const line = one.site
          ? workspace.lines(one.site.path).position(one.site.start).line + 1
          : undefined;
        const where =
          line === undefined || /\blines? \d/.test(one.reason)
            ? ''
            : ` (line ${line}${one.site!.path === file.path ? '' : ` of ${shownPath(one.site!.path)}`})`;
        return `${one.reason}${where}`;
      };
      const others = (result.others ?? []).map((one) => ({ code: one.code, reason: placed(one) }));
      return {
        file,
        status: 'refused',
        reason: placed({ site, reason }),
        code,
        others,
        notes: [],
        edits: [],
      };
    }
    case 'converted':
      return {
        file,
        status: 'converted',
        notes: [...(style.style === 'compat' ? [] : newerKernelNotes(asked)), ...result.notes],
        folded: result.folded,
        edits: take(workspace, result.edits, result.created),
      };
  }
}

function convertedIn(
  { style, guard, compatHeader }: StyleChoice,
  engine: Engine,
  input: ModuleInput,
  target: TargetKernel,
): Conversion {
  if (style === 'compat')
    return convertCompat(engine, input, undefined, {
      guard,
      header: headerFor(input, compatHeader),
    });
  return (style === 'fold' ? convertFolding : convert)(engine, input, target, undefined);
}

function headerFor({ file }: ModuleInput, name: string | undefined): CompatHeader | undefined {
  return name === undefined ? undefined : { path: `${dirname(file)}/${name}`, name };
}

async function fixFile(
  { engine, workspace, output }: Job,
  file: InputFile,
  unsafe: boolean,
): Promise<Outcome> {
  const input = await workspace.load(file.path);
  const target = await workspace.target(file.path);
  output.detail(readingText(file.shown, input, target));
  const fixes = fixAll(engine, input, await workspace.config(file.path), target, { unsafe });
  return {
    file,
    status: fixes.edits.length > 0 ? 'converted' : 'unchanged',
    notes: [],
    edits: take(workspace, fixes.edits),
    fixes,
  };
}

/** How much was fixed, and which safe fixes were not applied, and why. */
function sumOfFixes(outcomes: readonly Outcome[], unsafe: boolean): string[] {
  if (outcomes.length === 0) return [];
  const count = outcomes.reduce((sum, { fixes }) => sum + (fixes?.fixed.length ?? 0), 0);
  const changed = outcomes.filter(({ status }) => status === 'converted').length;
  const all = `${outcomes.length} file${outcomes.length === 1 ? '' : 's'}`;
  const sum =
    count === 0
      ? `${unsafe ? 'no fix' : 'no safe fix'} for ${all}`
      : `${count} fix${count === 1 ? '' : 'es'} in ${changed} of ${all}`;
  return [sum, ...leftOut(outcomes)];
}

function leftOut(outcomes: readonly Outcome[]): string[] {
  const skipped = outcomes.flatMap(
    ({ file, fixes }) => fixes?.skipped.map((one) => ({ file, ...one })) ?? [],
  );
  if (skipped.length === 0) return [];
  const applied = outcomes.reduce(
    (sum, { fixes }) =>
      sum + (fixes?.fixed.filter((one) => one.fix?.safety === 'safe').length ?? 0),
    0,
  );
  const shown = skipped.map(({ file, finding, doubt }) => {
    const place =
      finding.functionName === null ? file.shown : `${file.shown}: ${finding.functionName}()`;
    return `${place}: ${finding.rule}: ${doubt}`;
  });
  return [
    `${skipped.length} of ${applied + skipped.length} safe fixes not applied: ${shown.join('; ')}`,
  ];
}

/** Puts edits in front of the disk, so that the next file of the same module meets them. */
function take(
  workspace: Workspace,
  files: readonly FileEdits[],
  created?: SourceDocument,
): Outcome['edits'] {
  if (created) workspace.create(created.path, created.text);
  return files.flatMap(({ path, edits }) => {
    const shown = edits.map((edit) => ({
      path: patchName(path).name,
      range: rangeIn(workspace, path, edit.span),
      newText: edit.newText,
    }));
    workspace.change(path, applyEdits(workspace.current(path), edits));
    return shown;
  });
}

/**
 * The patch as JSON holds it. One over a file that is not UTF-8 is bytes and no text: each
 * character stands for one byte.
 */
function patchText(
  workspace: Workspace,
  patch: Buffer,
): { readonly patch: string; readonly patchEncoding: 'utf8' | 'latin1' } {
  const patchEncoding = workspace
    .changed()
    .some((path) => workspace.original(path).encoding === 'latin1')
    ? 'latin1'
    : 'utf8';
  return { patch: patch.toString(patchEncoding), patchEncoding };
}

/** One patch over all changed files, in the bytes of each file. */
function patchOf(workspace: Workspace): Buffer {
  return Buffer.concat(
    workspace.changed().map((path) => {
      const file = workspace.original(path);
      return diffOf(file, patchName(path).name, file.text, workspace.current(path));
    }),
  );
}
