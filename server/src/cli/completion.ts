/**
 * Completion scripts for shells, made from the commands as the library models them: nothing is
 * listed a second time.
 */
import type { Command as Parser, Option } from 'commander';
import { knownKernels } from '../engine/project/target.ts';
import { explainableNames, ruleIds } from '../engine/explain.ts';
import { NAME_ARGUMENT } from './command-line.ts';
import type { Shell } from './command.ts';

/** What a shell can offer for a word: some words, or the names of files where there are none. */
interface Offer {
  readonly words: readonly string[];
}

/** An option as a shell sees it. */
interface OptionModel {
  /** With their dashes. */
  readonly names: readonly string[];
  readonly what: string;
  /** Undefined for a switch, which takes no value. */
  readonly value: Offer | undefined;
}

interface CommandModel {
  readonly name: string;
  readonly what: string;
  readonly options: readonly OptionModel[];
  /** Undefined for a command that takes no arguments. */
  readonly argument: Offer | undefined;
}

interface Model {
  readonly commands: readonly CommandModel[];
  /** The options that every command has. */
  readonly options: readonly OptionModel[];
}

/** The script of a shell, which ends with a newline. */
export function completionScript(shell: Shell, program: Parser): string {
  const model = modelOf(program);
  switch (shell) {
    case 'bash':
      return bashScript(model);
    case 'zsh':
      return zshScript(model);
    case 'fish':
      return fishScript(model);
  }
}

function modelOf(program: Parser): Model {
  const commands = program.commands.map((command): CommandModel => {
    const [argument] = command.registeredArguments;
    const words =
      argument?.name() === NAME_ARGUMENT ? explainableNames() : (argument?.argChoices ?? []);
    return {
      name: command.name(),
      what: command.summary(),
      options: command.options.filter((option) => !option.hidden).map(optionModel),
      argument: argument && { words },
    };
  });
  const help: OptionModel = { names: ['-h', '--help'], what: 'print help', value: undefined };
  const names: CommandModel = {
    name: 'help',
    what: 'print help for a command',
    options: [],
    argument: { words: commands.map((one) => one.name) },
  };
  return { commands: [...commands, names], options: [...program.options.map(optionModel), help] };
}

/** The values of options that help does not list. */
const VALUES: Readonly<Record<string, () => readonly string[]>> = {
  '--kernel': knownKernels,
  '--only': ruleIds,
  '--rule': ruleIds,
};

function optionModel(option: Option): OptionModel {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const words = VALUES[option.long ?? '']?.() ?? option.argChoices ?? [];
  return { names, what: option.description, value: option.isBoolean() ? undefined : { words } };
}

/**
 * The words are plain: no shell reads anything into letters, digits, dots, dashes and underscores.
 */
function joined(words: readonly string[]): string {
  return words.join(' ');
}

function bashScript({ commands, options }: Model): string {
  const valueCases = (command: string, list: readonly OptionModel[]): string[] =>
    list.flatMap(({ names, value }) => {
      if (value === undefined) return [];
      // A star stands for any command, and for none.
      const pattern = (name: string): string =>
        command === '*' ? `*" ${name}"` : `"${command} ${name}"`;
      const patterns = names.map(pattern).join('|');
      return [`    ${patterns}) words="${joined(value.words)}" ;;`];
    });
  const optionNames = (list: readonly OptionModel[]): string =>
    joined(list.flatMap((one) => one.names));
  const wordCases = commands.map((command) => {
    const words = command.argument?.words ?? [];
    return `    "${command.name} "-*) words="${optionNames([...command.options, ...options])}" ;;\n    "${command.name} "*) words="${joined(words)}" ;;`;
  });
  return `# bash completion of vfio-lifecycle
_vfio_lifecycle() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" words="" index
  # Readline makes a word of the = between an option and its value.
  if [[ $current == "=" ]]; then
    current=""
  elif [[ $previous == "=" ]]; then
    previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index]}" in
      ${commands.map((one) => one.name).join('|')}) command="\${COMP_WORDS[index]}"; break ;;
    esac
  done
  COMPREPLY=()
  case "$command $previous" in
${[...commands.flatMap((one) => valueCases(one.name, one.options)), ...valueCases('*', options)].join('\n')}
    *) case "$command $current" in
    " "-*) words="${optionNames(options)}" ;;
    " "*) words="${joined(commands.map((one) => one.name))}" ;;
${wordCases.join('\n')}
    esac ;;
  esac
  # Without a word to offer the shell completes the names of files.
  [[ -z $words ]] || COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _vfio_lifecycle vfio-lifecycle
`;
}

function zshScript({ commands, options }: Model): string {
  // In a description of _arguments a bracket ends it and a colon begins the next part.
  const escaped = (what: string): string =>
    what.replace(/[[\]:\\]/g, '\\$&').replaceAll("'", "'\\''");
  const offer = ({ words }: Offer, name: string): string =>
    words.length > 0 ? `${name}:(${joined(words)})` : `${name}:_files`;
  const optionSpec = ({ names, what, value }: OptionModel): string[] =>
    names.map((name) => {
      // --name=value and --name value are both right.
      const form = value !== undefined && name.startsWith('--') ? `${name}=` : name;
      return `'*${form}[${escaped(what)}]${value === undefined ? '' : `:${offer(value, 'value')}`}'`;
    });
  const cases = commands.map(({ name, options: own, argument }) => {
    const specs = [...own, ...options].flatMap(optionSpec);
    if (argument) specs.push(`'*:${offer(argument, 'argument')}'`);
    return `    ${name})\n      _arguments ${specs.join(' \\\n        ')} ;;`;
  });
  const list = commands.map(({ name, what }) => `      '${name}:${escaped(what)}'`);
  return `#compdef vfio-lifecycle
# zsh completion of vfio-lifecycle
_vfio_lifecycle() {
  local -a commands
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${options.flatMap(optionSpec).join(' \\\n    ')} \\
    '1:command:->command' '*::argument:->argument'
  case $state in
  command)
    commands=(
${list.join('\n')}
    )
    _describe command commands ;;
  argument)
    case $words[1] in
${cases.join('\n')}
    esac ;;
  esac
}
if [[ $funcstack[1] == _vfio_lifecycle || $funcstack[1] == _vfio-lifecycle ]]; then
  _vfio_lifecycle "$@"
else
  compdef _vfio_lifecycle vfio-lifecycle
fi
`;
}

function fishScript({ commands, options }: Model): string {
  const quoted = (what: string): string => `'${what.replace(/['\\]/g, '\\$&')}'`;
  const optionLine = (when: string, { names, what, value }: OptionModel): string => {
    const flags = names.map((name) =>
      name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
    );
    const words = value && value.words.length > 0 ? ` -x -a ${quoted(joined(value.words))}` : ' -r';
    return `complete -c vfio-lifecycle ${when}${flags.join(' ')}${value === undefined ? '' : words} -d ${quoted(what)}`;
  };
  const lines = [
    '# fish completion of vfio-lifecycle',
    ...options.map((option) => optionLine('', option)),
  ];
  for (const { name, what, options: own, argument } of commands) {
    const within = `-n ${quoted(`__fish_seen_subcommand_from ${name}`)} `;
    lines.push(
      `complete -c vfio-lifecycle -f -n __fish_use_subcommand -a ${name} -d ${quoted(what)}`,
    );
    for (const option of own) lines.push(optionLine(within, option));
    if (argument && argument.words.length > 0)
      lines.push(`complete -c vfio-lifecycle -f ${within}-a ${quoted(joined(argument.words))}`);
    if (argument === undefined) lines.push(`complete -c vfio-lifecycle -f ${within}`.trimEnd());
  }
  return `${lines.join('\n')}\n`;
}
