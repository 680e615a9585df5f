/**
 * The commands of the program with their arguments, options and examples: what is parsed, what help
 * shows and what shells complete.
 */
import { existsSync } from 'node:fs';
import { Argument, Command as Parser, CommanderError, Option } from 'commander';
import { ruleIds } from '../engine/explain.ts';
import { kernelProblem, knownKernels } from '../engine/project/target.ts';
import { ALL, namesIn, ruleProblem, ruleSettings } from '../engine/settings/rule-settings.ts';
import { RULES } from '../engine/settings/schema.ts';
import { validate } from '../engine/settings/validate.ts';
import { largest } from '../text/lists.ts';
import { nearWords } from '../text/near-words.ts';
import {
  FORMATS,
  LEVELS,
  SHELLS,
  STAGES,
  STYLES,
  WHENS,
  SHOWN_LEVELS,
  type CheckCommand,
  type Command,
  type ConvertCommand,
  type FixCommand,
  type Manner,
  type RuleOptions,
} from './command.ts';
import { UsageError } from './usage-error.ts';

/** A command line, read. */
export interface Request {
  readonly command: Command;
  readonly manner: Manner;
}

/** What an option holds before its command reads it: the library gives them by name. */
type Values = Readonly<Record<string, unknown>>;

/** One command: all that help, parsing and completion need of it. */
interface Description {
  readonly name: Exclude<Command['name'], 'print'>;
  readonly summary: string;
  /** What follows the summary in the command's own help. */
  readonly more?: string;
  readonly usage: string;
  readonly arguments?: readonly Argument[];
  readonly options: readonly Option[];
  /** Whole command lines, each with a few words; together they fit on a terminal of 80 columns. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** Throws UsageError. */
  read(values: Values, words: readonly string[]): Command;
}

/**
 * The argument that is a name of explain: shells complete it from names that help does not list.
 */
export const NAME_ARGUMENT = 'NAME';

const DESCRIPTIONS: readonly Description[] = [
  {
    name: 'check',
    summary: 'check C files',
    more: 'A folder means the C files in it that mention VFIO, - is stdin.',
    usage: '[options] PATH...',
    arguments: [paths('PATH')],
    options: [
      kernelOption(),
      ruleOption(),
      onlyOption(),
      choice('--format <format>', 'how findings are printed', FORMATS, 'text'),
      choice('--min-severity <level>', 'the least severity that is shown', SHOWN_LEVELS, 'hint'),
      choice('--fail-on <level>', 'the least severity that gives exit status 1', LEVELS, 'error'),
      new Option('--baseline <file>', 'hide the findings that are listed in it'),
      new Option('--update-baseline', 'write the baseline anew'),
      new Option('--fail-on-gone', 'end with 1 also if a listed finding is gone'),
      new Option('--since <rev>', 'only findings that come from changes since a commit'),
      new Option('--staged', 'the same for staged changes'),
      new Option('--diff <file>', 'the same for patches, applied or not; - for stdin').argParser(
        (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
      ),
      new Option('--config <file>', 'the .config or autoconf.h that decides #ifdef CONFIG_'),
      new Option('--cache <dir>', 'keep results there, and reuse those of unchanged files'),
      stdinOption(),
    ],
    examples: [
      ['vfio-lifecycle check drivers/vfio', 'every driver in it'],
      ['vfio-lifecycle check --kernel 6.6 foo.c', 'for Linux 6.6'],
      ['vfio-lifecycle check --only missing-put .', 'one rule, no other'],
      ['vfio-lifecycle check --format sarif . > vfio.sarif', 'for code scanning'],
      ['vfio-lifecycle check --stdin-filename foo.c -', 'what stdin holds'],
      ['vfio-lifecycle check --since origin/main', 'what a branch brings'],
      ['vfio-lifecycle check --diff 0001-foo.patch', 'what a patch brings'],
    ],
    read: (values, words) => ({
      name: 'check',
      ...checkedOf(values, words),
      kernel: text(values['kernel']),
      rules: rulesOf(values),
      format: oneOf('--format', values['format'], FORMATS),
      ...levelsOf(values),
      baseline: text(values['baseline']),
      updateBaseline: values['updateBaseline'] === true,
      failOnGone: values['failOnGone'] === true,
      config: text(values['config']),
      cache: text(values['cache']),
    }),
  },
  {
    name: 'kbuild',
    summary: "check a file in the kernel's own build, as CHECK of make C=1",
    more: "Takes the compiler's arguments from kbuild. The kernel and its configuration are those of the build: code that is not compiled is not checked. Findings go to stderr in the form of gcc.",
    usage: '[options] COMPILER-ARGUMENTS...',
    arguments: [new Argument('[ARGUMENT...]')],
    options: [
      kernelOption(),
      ruleOption(),
      onlyOption(),
      choice('--min-severity <level>', 'the least severity that is shown', SHOWN_LEVELS, 'warning'),
      choice('--fail-on <level>', 'the least severity that fails the build', LEVELS, 'never'),
    ],
    examples: [
      ['make C=1 CHECK="vfio-lifecycle kbuild"', 'what is compiled anew'],
      ['make C=2 CHECK="vfio-lifecycle kbuild" M=$PWD', 'every file of a module'],
    ],
    read: (values, words) => ({
      name: 'kbuild',
      words,
      kernel: text(values['kernel']),
      rules: rulesOf(values),
      ...levelsOf(values),
    }),
  },
  {
    name: 'convert',
    summary: 'convert drivers to vfio_alloc_device() and vfio_put_device()',
    more: 'Prints one patch for git apply, with --format patch one for each driver for git am. Refusals and their reasons are on stderr. A folder means every module in it.',
    usage: '[options] PATH...',
    arguments: [paths('PATH')],
    options: [
      kernelOption(),
      choice(
        '--style <style>',
        'minimal moves nothing; fold moves state into .init and .release; compat keeps the old model under #if for kernels before 6.1',
        STYLES,
        'minimal',
      ),
      new Option('--guard <macro>', 'the macro that compat tests instead of Linux 6.1'),
      new Option(
        '--compat-header <name>',
        'with compat: a header of inlines for old kernels, if that is shorter',
      ),
      choice('--format <format>', 'patch with a mail header, or json', ['patch', 'json']),
      new Option('--signoff', 'add a Signed-off-by line to the patches'),
      new Option('--output-directory <dir>', 'write a file there for each patch'),
      new Option('--write', 'change the files'),
      stdinOption(),
    ],
    examples: [
      ['vfio-lifecycle convert foo.c | git apply', 'with its other files'],
      ['vfio-lifecycle convert --format patch foo.c | git am', 'as a commit'],
      ['vfio-lifecycle convert --style fold --write foo.c', 'in place'],
      ['vfio-lifecycle convert --style compat foo.c', 'for many kernels'],
      ['vfio-lifecycle convert core.c one.c two.c', 'a library, its drivers'],
      ['vfio-lifecycle convert drivers/vfio', 'every module in it'],
    ],
    read: (values, words) => ({
      name: 'convert',
      ...sourcesOf(values, words, 'PATH'),
      kernel: text(values['kernel']),
      ...styleOf(values),
      write: values['write'] === true,
      format: oneOf('--format', values['format'] ?? 'patch', ['patch', 'json']),
      ...mailsOf(values),
    }),
  },
  {
    name: 'fix',
    summary: 'fix what can be fixed safely',
    more: 'Prints one patch for git apply. Ends with status 0 even if findings remain: check reports them. Fixes that are not applied are named on stderr.',
    usage: '[options] PATH...',
    arguments: [paths('PATH')],
    options: [
      kernelOption(),
      ruleOption(),
      onlyOption(),
      new Option('--unsafe', 'apply also the fixes that are not proved'),
      choice('--format <format>', 'how fixes are printed', ['patch', 'json'], 'patch'),
      new Option('--write', 'change the files'),
      new Option('--check', 'end with 1 if something would change'),
      stdinOption(),
    ],
    examples: [
      ['vfio-lifecycle fix drivers/vfio | git apply', 'every safe fix'],
      ['vfio-lifecycle fix --only unchecked-alloc --write .', 'one rule, in place'],
      ['vfio-lifecycle fix --check -q drivers/vfio', 'in CI'],
    ],
    read: (values, words) => ({
      name: 'fix',
      ...sourcesOf(values, words, 'PATH'),
      kernel: text(values['kernel']),
      rules: rulesOf(values),
      unsafe: values['unsafe'] === true,
      ...writingOf(values),
      format: oneOf('--format', values['format'], ['patch', 'json']),
    }),
  },
  {
    name: 'explain',
    summary: 'explain a rule, a refusal or a name of the kernel',
    more: 'NAME is a rule, the kind of a refusal, or a function, macro, struct or member of the kernel.',
    usage: '[options] NAME',
    arguments: [new Argument(`[${NAME_ARGUMENT}...]`)],
    options: [
      kernelOption(),
      new Option('--list', 'print every NAME, with what it is and the kernels that have it'),
    ],
    examples: [
      ['vfio-lifecycle explain missing-put', 'a rule'],
      ['vfio-lifecycle explain vfio_alloc_device', 'a function'],
      ['vfio-lifecycle explain .release', 'a member of an ops table'],
      ['vfio-lifecycle explain --list', 'every name'],
      ['vfio-lifecycle explain member-not-first', 'a kind of refusal'],
    ],
    read: (values, words) => {
      const isList = values['list'] === true;
      if (isList && words.length > 0) throw new UsageError('explain --list takes no NAME');
      if (!isList && words.length === 0)
        throw new UsageError(
          'explain takes one NAME: a rule, a kind of refusal or a kernel function',
        );
      return {
        name: 'explain',
        kernel: text(values['kernel']),
        subject: isList ? null : words.join(' '),
      };
    },
  },
  {
    name: 'rules',
    summary: 'list the rules',
    usage: '[options]',
    options: [choice('--format <format>', 'how they are printed', ['text', 'json'], 'text')],
    examples: [['vfio-lifecycle rules', 'each with its severity']],
    read: (values) => ({
      name: 'rules',
      format: oneOf('--format', values['format'], ['text', 'json']),
    }),
  },
  {
    name: 'dump',
    summary: 'print a stage of the analysis, for people who work on it',
    usage: '[options] --stage STAGE FILE [FUNCTION]',
    arguments: [new Argument('[FILE]'), new Argument('[FUNCTION]')],
    options: [kernelOption(), choice('--stage <stage>', 'which stage', STAGES)],
    examples: [['vfio-lifecycle dump --stage states foo.c foo_probe', 'one function']],
    read: (values, [file, fn]) => {
      if (file === undefined) throw new UsageError('dump takes FILE [FUNCTION]');
      return {
        name: 'dump',
        kernel: text(values['kernel']),
        stage: oneOf('--stage', values['stage'], STAGES),
        file,
        fn,
      };
    },
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    usage: `${SHELLS.join('|')}`,
    arguments: [new Argument('[SHELL]').choices(SHELLS).argParser((value: string) => value)],
    options: [],
    examples: [
      ['source <(vfio-lifecycle completion bash)', 'in ~/.bashrc'],
      ['source <(vfio-lifecycle completion zsh)', 'in ~/.zshrc, after compinit'],
      ['vfio-lifecycle completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
    read: (_, [shell]) => ({ name: 'completion', shell: oneOf('completion', shell, SHELLS) }),
  },
  {
    name: 'lsp',
    summary: 'run the language server',
    usage: '--stdio',
    options: [
      new Option('--stdio', 'speak over stdin and stdout'),
      new Option('--clientProcessId <id>').hideHelp(),
    ],
    examples: [['vfio-lifecycle lsp --stdio', 'what an editor starts']],
    read: (values) => {
      if (values['stdio'] !== true) throw new UsageError('lsp speaks over --stdio only');
      return { name: 'lsp' };
    },
  },
];

const AFTER_HELP = `
Settings of a tree are read from its .vfio-lifecycle.json.
Exit status: 0 nothing at or above --fail-on; 1 findings, or a driver that was
not converted; 2 bad usage, nothing to check, or something could not be read or
written.`;

/** The program as the library models it, with what every command has in common. */
export function commandModel(onCommand: (read: () => Command) => void, version: string): Parser {
  const program = new Parser('vfio-lifecycle')
    .description('Finds misuse of the life cycle of a struct vfio_device, and converts drivers.')
    .usage('[options] COMMAND')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [COMMAND]', 'print help for a command')
    .addOption(new Option('-q, --quiet', 'say nothing on stderr but errors'))
    .addOption(new Option('-v, --verbose', 'say what was read, and how each kernel was chosen'))
    .addOption(choice('--color <when>', 'colours and links', WHENS, 'auto'))
    .addHelpText('after', AFTER_HELP)
    // A command inherits this when it is made.
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) => command.name(),
      optionDescription,
    });
  for (const one of DESCRIPTIONS) {
    const command = program
      .command(one.name)
      .summary(one.summary)
      .description(descriptionOf(one))
      .usage(one.usage);
    for (const argument of one.arguments ?? []) command.addArgument(argument);
    for (const option of one.options) command.addOption(option);
    command
      .allowExcessArguments(false)
      .helpOption('-h, --help', 'print help')
      .addHelpText('after', examplesOf(one));
    command.action(() => onCommand(() => one.read(command.opts(), command.args)));
  }
  return program;
}

/**
 * Parses the arguments after the program's name. Throws UsageError.
 * @param version what `--version` prints.
 */
export function parseCommandLine(argv: readonly string[], version: string): Request {
  let read: (() => Command) | undefined;
  const program = commandModel((one) => (read = one), version);
  const printed: string[] = [];
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ writeOut: (line) => printed.push(line), writeErr: () => undefined });
  }
  if (argv.length === 0) throw new UsageError('no command; try --help');
  try {
    program.parse(separated(argv, program), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw new UsageError(complaint(error, argv, program));
    return { command: { name: 'print', text: printed.join('') }, manner: mannerOf(program.opts()) };
  }
  if (read === undefined) throw new UsageError('no command; try --help');
  return { command: read(), manner: mannerOf(program.opts()) };
}

/**
 * The arguments with `--` before those of the compiler, which may look like options of ours. The
 * program's own come first.
 */
function separated(argv: readonly string[], program: Parser): string[] {
  const at = argv.indexOf('kbuild');
  if (at < 0 || argv.slice(0, at).some((word) => !word.startsWith('-'))) return [...argv];
  const kbuild = program.commands.find((one) => one.name() === 'kbuild');
  const own = new Map(
    [...program.options, ...(kbuild?.options ?? [])].flatMap((option) =>
      [option.short, option.long].map((name) => [name, option.required] as const),
    ),
  );
  let from = at + 1;
  for (; from < argv.length; from++) {
    const [name = ''] = argv[from]!.split('=', 1);
    if (name === '-h' || name === '--help') continue;
    if (!own.has(name)) break;
    if (own.get(name) === true && !argv[from]!.includes('=')) from++;
  }
  return [...argv.slice(0, from), '--', ...argv.slice(from)];
}

/**
 * What the library says of a mistake, on one line: with the word that was meant, or where help is.
 */
function complaint(error: CommanderError, argv: readonly string[], program: Parser): string {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const meant = /^\(Did you mean (.*)\?\)$/.exec(rest.join(' '))?.[1];
  if (meant !== undefined) return `${first}; did you mean ${meant}?`;
  const word = argv.find((one) => !one.startsWith('-'));
  if (error.code === 'commander.unknownCommand' && word !== undefined && existsSync(word))
    return `${first}; did you mean check ${word}?`;
  const command = program.commands.find((one) => one.name() === word);
  if (error.code === 'commander.help') return withoutCommand(argv, program);
  return `${first.replace(/\.$/, '')}; try vfio-lifecycle ${command ? `${command.name()} ` : ''}--help`;
}

/**
 * The library shows all help where it knows no command: after options alone, and after `help` and a
 * word that is none.
 */
function withoutCommand(argv: readonly string[], program: Parser): string {
  const [command, word] = argv.filter((one) => !one.startsWith('-'));
  if (command !== 'help' || word === undefined) return 'no command; try --help';
  const [near] = nearWords(
    word,
    program.commands.map((one) => one.name()),
  );
  return `unknown command '${word}'; ${near === undefined ? 'try vfio-lifecycle --help' : `did you mean ${near}?`}`;
}

function descriptionOf({ summary, more }: Description): string {
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return more === undefined ? sentence : `${sentence} ${more}`;
}

/** What an option is for, the words that it takes, and which of them it has when it is left out. */
function optionDescription({ description, argChoices, defaultValue }: Option): string {
  const words = argChoices ? `: ${argChoices.join(', ')}` : '';
  return `${description}${words}${typeof defaultValue === 'string' ? ` (default ${defaultValue})` : ''}`;
}

/** The examples below the options: the command line first, what it does behind it. */
function examplesOf({ examples }: Description): string {
  const width = largest(examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}  # ${what}`);
  return `\nExamples:\n${lines.join('\n')}`;
}

function paths(name: string): Argument {
  return new Argument(`[${name}...]`);
}

function kernelOption(): Option {
  return new Option(
    '--kernel <version>',
    `the target kernel, ${knownKernels()[0]} to ${knownKernels().at(-1)} (default that of the tree)`,
  ).argParser(kernelVersion);
}

function ruleOption(): Option {
  return new Option(
    '--rule <id=severity>',
    'report rules as error, warning, info, hint or off; all means every other',
  ).argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
}

function onlyOption(): Option {
  return new Option(
    '--only <rules>',
    'report these rules and no others; commas between them',
  ).argParser((value: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    ...namesIn(value),
  ]);
}

function stdinOption(): Option {
  return new Option('--stdin-filename <file>', 'the file that stdin holds').default(undefined);
}

/**
 * The words are checked by oneOf(), which says the same of all options, and proposes what was
 * meant.
 */
function choice(flags: string, what: string, words: readonly string[], standard?: string): Option {
  const option = new Option(flags, what).choices(words).argParser((value: string) => value);
  return standard === undefined ? option : option.default(standard);
}

function mannerOf(values: Values): Manner {
  const talk = values['quiet'] === true ? 'quiet' : 'normal';
  return {
    talk: values['verbose'] === true ? 'verbose' : talk,
    color: oneOf('--color', values['color'], WHENS),
  };
}

function sourcesOf(
  values: Values,
  words: readonly string[],
  what: string,
): { paths: readonly string[]; stdinName: string | undefined } {
  if (words.length === 0) throw new UsageError(`no ${what} given`);
  const stdinName = text(values['stdinFilename']);
  const usesStdin = words.includes('-');
  if (stdinName !== undefined && !usesStdin)
    throw new UsageError('--stdin-filename: name - to read stdin');
  if (usesStdin && values['write'] === true)
    throw new UsageError('--write: stdin cannot be written');
  return { paths: words, stdinName };
}

/** What is checked: PATHs, or a change, which needs none and keeps to them where there are some. */
function checkedOf(
  values: Values,
  words: readonly string[],
): Pick<CheckCommand, 'paths' | 'stdinName' | 'change'> {
  const revision = text(values['since']);
  const diffs = listOf(values['diff']);
  const isStaged = values['staged'] === true;
  const given = [
    revision !== undefined && '--since',
    isStaged && '--staged',
    diffs.length > 0 && '--diff',
  ];
  const [first, second] = given.filter((one) => one !== false);
  if (first === undefined) return { ...sourcesOf(values, words, 'PATH'), change: null };
  if (second !== undefined) throw new UsageError(`${first} and ${second} exclude each other`);
  if (values['updateBaseline'] === true)
    throw new UsageError(`--update-baseline: ${first} is not all that there is`);
  if (words.includes('-')) throw new UsageError(`${first}: stdin is no part of a change`);
  if (text(values['stdinFilename']) !== undefined)
    throw new UsageError('--stdin-filename: name - to read stdin');
  if (revision !== undefined)
    return { paths: words, stdinName: undefined, change: { kind: 'since', revision } };
  if (isStaged) return { paths: words, stdinName: undefined, change: { kind: 'staged' } };
  // A shell makes several words of 0001-*.patch.
  const isPatch = (word: string): boolean => /\.(?:patch|diff|mbox|eml)$/.test(word);
  return {
    paths: words.filter((word) => !isPatch(word)),
    stdinName: undefined,
    change: { kind: 'diff', files: [...diffs, ...words.filter(isPatch)] },
  };
}

function styleOf(values: Values): Pick<ConvertCommand, 'style' | 'guard' | 'compatHeader'> {
  const style = oneOf('--style', values['style'], STYLES);
  const guard = text(values['guard']);
  if (guard !== undefined && style !== 'compat')
    throw new UsageError('--guard: only --style compat has arms of #if');
  if (guard !== undefined && !/^[A-Za-z_]\w*$/.test(guard))
    throw new UsageError(`--guard: ${JSON.stringify(guard)} is not the name of a macro`);
  const compatHeader = text(values['compatHeader']);
  if (compatHeader !== undefined && style !== 'compat')
    throw new UsageError('--compat-header: only --style compat has a header for old kernels');
  if (compatHeader !== undefined && !/^[\w-]+\.h$/.test(compatHeader))
    throw new UsageError(
      `--compat-header: ${JSON.stringify(compatHeader)} is not the name of a header, such as vfio-compat.h`,
    );
  if (style === 'compat' && values['kernel'] !== undefined)
    throw new UsageError(
      '--kernel: --style compat has no target kernel, its result is for all of them',
    );
  return { style, guard, compatHeader };
}

function kernelVersion(value: string): string {
  const problem = kernelProblem(value);
  if (problem !== undefined) throw new UsageError(`--kernel: ${problem}`);
  return value;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** What fails a job must be shown in its log. */
function levelsOf(values: Values): Pick<CheckCommand, 'failOn' | 'minSeverity'> {
  const failOn = levelOf('--fail-on', values['failOn'], LEVELS);
  const minSeverity = levelOf('--min-severity', values['minSeverity'], SHOWN_LEVELS);
  if (failOn !== 'never' && SHOWN_LEVELS.indexOf(failOn) > SHOWN_LEVELS.indexOf(minSeverity))
    throw new UsageError(`--fail-on ${failOn}: --min-severity ${minSeverity} does not show it`);
  return { failOn, minSeverity };
}

/** A folder for patches asks for patches. */
function mailsOf(values: Values): Pick<ConvertCommand, 'mails' | 'signoff' | 'outputDirectory'> {
  const outputDirectory = text(values['outputDirectory']);
  const signoff = values['signoff'] === true;
  const isJson = values['format'] === 'json';
  const mails = values['format'] === 'patch' || (outputDirectory !== undefined && !isJson);
  if (outputDirectory !== undefined && isJson)
    throw new UsageError('--output-directory: json is no patch');
  if (signoff && !mails) throw new UsageError('--signoff: only --format patch has a message');
  return { mails, signoff, outputDirectory };
}

function writingOf(values: Values): Pick<FixCommand, 'write' | 'check'> {
  const write = values['write'] === true;
  const check = values['check'] === true;
  if (write && check) throw new UsageError('--check: it changes nothing; leave out --write');
  return { write, check };
}

/** A level, of which one may be written out as the severity is. */
function levelOf<const Word extends string>(
  what: string,
  value: unknown,
  words: readonly Word[],
): Word {
  return oneOf(what, value === 'information' ? 'info' : value, words);
}

/**
 * `--only` switches the others off; `--rule missing-put=off`, any number of times, counts after it
 * and the last for a rule. What is said of all rules counts for those that are not named.
 */
function rulesOf(values: Values): RuleOptions {
  const only = listOf(values['only']);
  for (const id of only) {
    const problem = ruleProblem(id, true);
    if (problem !== undefined) throw new UsageError(`--only: ${problem}`);
  }
  const off =
    only.length === 0 || only.includes(ALL)
      ? []
      : ruleIds()
          .filter((id) => !only.includes(id))
          .map((id): [string, string] => [id, 'off']);
  const named = listOf(values['rule']).flatMap(severitiesIn);
  const { value = {}, problems } = validate(
    RULES,
    Object.fromEntries([...off, ...named]),
    '--rule',
  );
  const settings = ruleSettings(value, '--rule');
  const [problem] = [...problems, ...settings.problems];
  if (problem !== undefined) throw new UsageError(problem);
  return settings.rules;
}

/** `missing-put,double-put=off,all=hint`: a severity is that of the names before it. */
function severitiesIn(text: string): readonly (readonly [id: string, severity: string])[] {
  const found: [string, string][] = [];
  let names: string[] = [];
  for (const part of namesIn(text)) {
    const [name = '', severity] = part.split('=', 2);
    names.push(name.trim());
    if (severity === undefined) continue;
    for (const one of names) found.push([one, severity.trim()]);
    names = [];
  }
  if (names.length > 0)
    throw new UsageError(`--rule: ${JSON.stringify(text)} is not of the form ID=SEVERITY`);
  return found;
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** The one of `words` that `value` is. Throws UsageError for any other, and for none. */
function oneOf<const Word extends string>(
  what: string,
  value: unknown,
  words: readonly Word[],
): Word {
  if (value === undefined) throw new UsageError(`${what} is missing: one of ${words.join(', ')}`);
  const found = words.find((one) => one === value);
  if (found !== undefined) return found;
  const [near] = nearWords(String(value), words);
  throw new UsageError(
    `${what}: ${JSON.stringify(value)} is none of ${words.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}
