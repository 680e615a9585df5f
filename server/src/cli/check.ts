/** The command `check`. */
import type { CheckedFile, CheckResult } from './check-result.ts';
import type { Finding, Severity } from '../rules/types.ts';
import type { AnswerCache } from './answer-cache.ts';
import { createAnswerPool, type AnswerPool } from './answer-pool.ts';
import type { ChangeScope } from './change-scope.ts';
import type { CheckCommand, FailOn, ShownLevel } from './command.ts';
import { createBuilds, readConfiguration, type BuildOf } from './build.ts';
import { compareWithBaselines } from './baseline.ts';
import type { FileAnswer, FileQuestion, ToldFinding } from './file-answer.ts';
import { findInputs, nothingThere, type InputFile, type Inputs } from './inputs.ts';
import type { Output } from './output.ts';
import type { Program } from './process-needs.ts';
import { createRowCheck, type FileRows } from './row-check.ts';
import { compareText } from '../text/words.ts';
import { jsonReport } from './report-json.ts';
import { shortReport, sumText, textReport } from './report-text.ts';
import { nameSources } from './stdin.ts';
import { announceTargets, readingText } from './targets.ts';
import { UsageError } from './usage-error.ts';
import { openWorkspace, type Workspace } from './workspace.ts';

/** The formats that say whether a fix is safe, or count those: only for them it is proved. */
const TELLS_FIXES: ReadonlySet<CheckCommand['format']> = new Set<CheckCommand['format']>([
  'text',
  'json',
  'sarif',
]);

/**
 * Analyses files and folders and prints what was found.
 * @param buildOf what is known of the build of a file.
 */
export async function runCheck(
  command: CheckCommand,
  program: Program,
  buildOf: BuildOf = buildsFor(command, program),
): Promise<number> {
  const { paths, stdin } = nameSources(command);
  const change = await changeOf(command, buildOf, program.output);
  const texts = change?.texts;
  const named = paths.length > 0 ? paths : [...(texts?.keys() ?? [])];
  const workspace = openWorkspace(
    { ...command, paths: named, stdin, texts, buildOf },
    program.output,
  );
  const cache = await cacheOf(command, program);
  const pool = createAnswerPool(program);
  const rows = createRowCheck(workspace);
  const found: CheckedFile[] = [];
  const said = new Set<string>();
  let failed = 0;
  const fail = (error: unknown): void => {
    failed++;
    const { message } = error as Error;
    // What is wrong with a tree is wrong with each of its files.
    if (!said.has(message)) program.output.error(message);
    said.add(message);
  };
  const asked: Asked[] = [];
  const ask = async (file: InputFile, onDone: () => void = () => undefined): Promise<void> => {
    try {
      const lists = await rows.rowsFor(file.path);
      const question: FileQuestion = {
        kernel: await workspace.target(file.path),
        input: await workspace.load(file.path),
        config: await workspace.config(file.path),
        rows: lists.map((one) => one.wrappers),
        provesFixes: TELLS_FIXES.has(command.format),
      };
      const answered = answerOf(question, { program, change, cache, pool });
      void answered.then(onDone, onDone);
      asked.push({ file, lists, question, answered });
    } catch (error) {
      fail(error);
    }
  };
  const take = ({ file, lists, question: { input, kernel } }: Asked, answer: FileAnswer): void => {
    rows.take(lists, answer.rowCalls);
    const { notAnalysed, functions } = answer;
    const findings = answer.findings.map((one) => one.finding);
    found.push({
      file,
      kernel: kernel.text,
      analysis: { findings, notAnalysed, functions },
      known: [],
    });
    program.output.detail(
      `${readingText(file.shown, input, kernel)}; ${functions} function${functions === 1 ? '' : 's'}`,
    );
  };
  let inputs: Inputs;
  try {
    inputs = change
      ? await changedInputs(change, workspace, ask)
      : await findInputs({ paths, stdin }, program, ask, cache ? undefined : pool.expect);
    await pool.settle();
    for (const one of asked)
      await one.answered.then((answer) => {
        take(one, answer);
      }, fail);
  } finally {
    // Nobody waits for them.
    void pool.close();
  }
  if (cache) {
    cache.close();
    const { kept, made } = cache.counts;
    program.output.remark(`${kept} of ${kept + made} results are those of ${command.cache}`);
  }
  const nothing = change ? undefined : nothingThere('check', { paths, stdin }, inputs);
  if (nothing !== undefined) throw new UsageError(nothing);
  failed += inputs.unreadable;
  const all = found.sort((left, right) => compareText(left.file.shown, right.file.shown));
  // The reason is on stderr already, and one line is enough.
  if (failed > 0 && all.length === 0) return 2;
  // What cannot be analysed for its kernel has been said.
  const analysed = failed > 0 ? all.map(({ file }) => file) : inputs.files;
  const kernel = await announceTargets(workspace, analysed, named, program.output);
  if (!change) rows.report(paths, program.output);
  const compared = await compareWithBaselines(
    all,
    {
      baseline: command.baseline,
      update: command.updateBaseline,
      failOnGone: command.failOnGone,
      paths,
      unreadable: failed,
    },
    workspace,
    program.output,
    () => program.engine(),
  );
  const files = compared.files.map((one) => limited(one, command.minSeverity));
  const shown = shownPaths(inputs.files);
  const result: CheckResult = {
    kernel,
    files,
    notAnalysed: files.flatMap(({ analysis }) => analysis.notAnalysed),
    problems: workspace.problems(),
    unreadable: failed,
    baseline: compared.isCompared ? compared : undefined,
    workspace,
    shown,
  };
  program.output.out(await render(result, command.format, program));
  const hidden = sumOf(compared.files) - sumOf(files);
  if (hidden > 0)
    program.output.note(
      `${hidden} finding${hidden === 1 ? '' : 's'} below ${command.minSeverity} not shown`,
    );
  if (files.length === 0)
    program.output.remark(
      `nothing to check in ${inputs.sources} C file${inputs.sources === 1 ? '' : 's'}: VFIO is not mentioned`,
    );
  else if (files.every(({ analysis }) => analysis.findings.length === 0))
    program.output.remark(sumText(result));
  const internal = result.notAnalysed.filter((one) => one.isInternal);
  // The other formats have a place for what was not analysed; an internal error is told of beside
  // them too.
  const untold =
    command.format === 'github' || command.format === 'gitlab' ? result.notAnalysed : internal;
  for (const one of untold) {
    program.output.error(
      `${shown(one.path)}: ${one.function ? `${one.function}(): ` : ''}not analysed: ${one.reason}`,
    );
  }
  if (failed > 0 || internal.length > 0 || result.problems.length > 0) return 2;
  if (command.failOnGone && compared.gone.length > 0) return 1;
  return files.some(({ analysis }) =>
    analysis.findings.some((finding) => counts(finding, command.failOn)),
  )
    ? 1
    : 0;
}

/** A file that was asked about. */
interface Asked {
  readonly file: InputFile;
  readonly lists: readonly FileRows[];
  readonly question: FileQuestion;
  readonly answered: Promise<FileAnswer>;
}

/**
 * The answer to a question, with the findings that the change has to answer for where there is one:
 * it asks what was there before, and is too small for several threads.
 */
async function answerOf(
  question: FileQuestion,
  scope: {
    readonly program: Program;
    readonly change: ChangeScope | null;
    readonly cache: AnswerCache | undefined;
    readonly pool: AnswerPool;
  },
): Promise<FileAnswer> {
  const { program, change, cache, pool } = scope;
  if (!change)
    return cache ? cache.answer(question, () => pool.answer(question)) : pool.answer(question);
  const { answerFile } = await import('./file-answer.ts');
  const { file } = question.input;
  if (!cache) {
    const engine = await program.engine();
    return answerFile(engine, question, async ({ findings }) =>
      change.caused(file, findings, async ({ input, config, kernel }) => {
        return engine.analyse(input, config, kernel).findings;
      }),
    );
  }
  const kept = (asked: FileQuestion): Promise<FileAnswer> =>
    cache.answer(asked, async () => answerFile(await program.engine(), asked));
  const answer = await kept(question);
  const plain = answer.findings.map(plainFinding);
  // The same question as that of a check of the tree before the change, whose answer may be there.
  const caused = new Set(
    await change.caused(file, plain, async (before) =>
      (await kept({ ...question, ...before })).findings.map(plainFinding),
    ),
  );
  return { ...answer, findings: answer.findings.filter((_, i) => caused.has(plain[i]!)) };
}

/** The files of a change, each asked about. */
async function changedInputs(
  change: ChangeScope,
  workspace: Workspace,
  ask: (file: InputFile) => Promise<void>,
): Promise<Inputs> {
  const files = await change.inputs(workspace);
  for (const file of files) await ask(file);
  return { files, sources: change.texts.size, unreadable: 0 };
}

async function changeOf(
  command: CheckCommand,
  buildOf: BuildOf,
  output: Output,
): Promise<ChangeScope | null> {
  if (!command.change) return null;
  const { createChangeScope } = await import('./change-scope.ts');
  return createChangeScope(command.change, command, buildOf, output);
}

async function cacheOf(
  { cache: folder }: CheckCommand,
  program: Program,
): Promise<AnswerCache | undefined> {
  if (folder === undefined) return undefined;
  const { openAnswerCache } = await import('./answer-cache.ts');
  return openAnswerCache(folder, await program.identity(), (line) => program.output.note(line));
}

/** The finding as the analysis found it, with its own places alone. */
function plainFinding({ finding, ownRelated }: ToldFinding): Finding {
  return { ...finding, related: finding.related.slice(0, ownRelated) };
}

function buildsFor({ config }: CheckCommand, { output }: Program): BuildOf {
  const configuration = config === undefined ? undefined : readConfiguration(config);
  return createBuilds(configuration, (line) => output.note(line));
}

async function render(
  result: CheckResult,
  format: CheckCommand['format'],
  program: Program,
): Promise<string> {
  switch (format) {
    case 'text':
      return textReport(result, { style: program.style, rulePages: program.facts.rulePages });
    case 'short':
      return shortReport(result);
    case 'json':
      return jsonReport(result);
    case 'sarif':
      return (await import('./report-sarif.ts')).sarifReport(result, program.facts);
    case 'github':
      return (await import('./report-github.ts')).githubReport(result);
    case 'gitlab':
      return (await import('./report-gitlab.ts')).gitlabReport(result);
  }
}

/** How paths of other documents of a module are shown: like the analysed file beside them. */
function shownPaths(files: readonly InputFile[]): (path: string) => string {
  const exact = new Map(files.map((file) => [file.path, file.shown]));
  const folders = new Map(files.map((file) => [cut(file.path), cut(file.shown)]));
  return (path) => {
    const known = exact.get(path);
    if (known !== undefined) return known;
    // The nearest folder that holds an analysed file says how the user writes it.
    for (let folder = cut(path); folder !== ''; folder = cut(folder)) {
      const shown = folders.get(folder);
      if (shown !== undefined)
        return `${shown === '' ? '' : `${shown}/`}${path.slice(folder.length + 1)}`;
    }
    return path;
  };
}

function cut(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, information: 2, hint: 3 };
const LIMIT: Readonly<Record<FailOn, number>> = {
  error: 0,
  warning: 1,
  info: 2,
  hint: 3,
  never: -1,
};

/** The file with what is to be shown of it. */
function limited(file: CheckedFile, least: ShownLevel): CheckedFile {
  const isShown = (finding: Finding): boolean => counts(finding, least);
  const findings = file.analysis.findings.filter(isShown);
  return { ...file, analysis: { ...file.analysis, findings }, known: file.known.filter(isShown) };
}

function sumOf(files: readonly CheckedFile[]): number {
  return files.reduce((sum, { analysis }) => sum + analysis.findings.length, 0);
}

function counts(finding: Finding, failOn: FailOn): boolean {
  return RANK[finding.severity] <= LIMIT[failOn];
}
