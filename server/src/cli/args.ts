import { parseArgs } from 'node:util';
import { isKernelVersion } from '../engine/project/target.ts';
import { RULES_SCHEMA } from '../engine/settings/schema.ts';
import { validate } from '../engine/settings/validate.ts';
import type { Configuration } from '../engine/types.ts';

/** A mistake of the caller, or an input that cannot be read: said in one line on stderr, exit status 2. */
export class UsageError extends Error {}

export type FailOn = 'error' | 'warning' | 'info' | 'hint' | 'never';

/** What `--rule` says of some rules. */
export type RuleOptions = NonNullable<Configuration['rules']>;

/** One parsed command line. `paths` are as the user typed them. */
export type Command =
  | { readonly name: 'check'; readonly kernel?: string | undefined; readonly rules: RuleOptions; readonly format: 'text' | 'json' | 'sarif' | 'github' | 'gitlab'; readonly failOn: FailOn;
    readonly baseline: string | undefined; readonly updateBaseline: boolean; readonly paths: readonly string[] }
  | { readonly name: 'convert'; readonly kernel?: string | undefined; readonly style: 'minimal' | 'fold'; readonly write: boolean; readonly format: 'patch' | 'json'; /** The patch was asked for by name: with its commit message. */ readonly message: boolean; readonly paths: readonly string[] }
  | { readonly name: 'fix'; readonly kernel?: string | undefined; readonly rules: RuleOptions; readonly unsafe: boolean; readonly write: boolean; readonly paths: readonly string[] }
  | { readonly name: 'explain'; readonly subject: string }
  | { readonly name: 'rules'; readonly format: 'text' | 'json' }
  | { readonly name: 'dump'; readonly kernel?: string | undefined; readonly stage: DumpStage; readonly file: string; readonly fn?: string | undefined }
  | { readonly name: 'lsp' }
  | { readonly name: 'help' }
  | { readonly name: 'version' };

const STAGES = ['tree', 'ir', 'cfg', 'states', 'calls'] as const;
export type DumpStage = (typeof STAGES)[number];

export const USAGE = `Usage:
  vfio-lifecycle check   [--kernel V] [--rule ID=SEVERITY]... [--format text|json|sarif|github|gitlab]
                         [--fail-on error|warning|info|hint|never] [--baseline FILE] [--update-baseline] PATH...
  vfio-lifecycle convert [--kernel V] [--style minimal|fold] [--write] [--format patch|json] FILE...
  vfio-lifecycle fix     [--kernel V] [--rule ID=SEVERITY]... [--unsafe] [--write] PATH...
  vfio-lifecycle explain NAME
  vfio-lifecycle rules   [--format text|json]
  vfio-lifecycle dump    --stage tree|ir|cfg|states FILE [FUNCTION]
  vfio-lifecycle lsp     --stdio

SEVERITY is error, warning, information, hint or off. Settings of a tree are read from its .vfio-lifecycle.json.
NAME is a rule, the kind of a refusal, or a function, struct or ops member of the kernel.
Exit status: 0 nothing at or above --fail-on; 1 findings, or a driver that was not converted; 2 bad usage or unreadable input.
fix ends with 0 also where it left findings: check tells of them.
`;

/** Parses the arguments after the program's name. Throws UsageError. */
export function parseCommand(argv: readonly string[]): Command {
  const [name, ...rest] = argv;
  if (rest.includes('--help') || rest.includes('-h')) return { name: 'help' };
  switch (name) {
    case 'check': {
      const { values, positionals } = parse(rest, { kernel: { type: 'string' }, rule: RULE, format: { type: 'string' }, 'fail-on': { type: 'string' }, baseline: { type: 'string' }, 'update-baseline': { type: 'boolean' } });
      return {
        name, kernel: kernel(values.kernel), rules: ruleOptions(values.rule), format: choice('--format', values.format, ['text', 'json', 'sarif', 'github', 'gitlab'], 'text'),
        failOn: choice('--fail-on', values['fail-on'], ['error', 'warning', 'info', 'hint', 'never'], 'error'),
        baseline: typeof values.baseline === 'string' ? values.baseline : undefined, updateBaseline: values['update-baseline'] === true, paths: atLeastOne(positionals, 'PATH'),
      };
    }
    case 'convert': {
      const { values, positionals } = parse(rest, { kernel: { type: 'string' }, style: { type: 'string' }, write: { type: 'boolean' }, format: { type: 'string' } });
      return {
        name, kernel: kernel(values.kernel), style: choice('--style', values.style, ['minimal', 'fold'], 'minimal'), write: values.write === true,
        format: choice('--format', values.format, ['patch', 'json'], 'patch'), message: values.format === 'patch', paths: atLeastOne(positionals, 'FILE'),
      };
    }
    case 'fix': {
      const { values, positionals } = parse(rest, { kernel: { type: 'string' }, rule: RULE, unsafe: { type: 'boolean' }, write: { type: 'boolean' } });
      return { name, kernel: kernel(values.kernel), rules: ruleOptions(values.rule), unsafe: values.unsafe === true, write: values.write === true, paths: atLeastOne(positionals, 'PATH') };
    }
    case 'explain': {
      const { positionals } = parse(rest, {});
      if (positionals.length !== 1) throw new UsageError('explain takes one NAME: a rule, a kind of refusal or a kernel function');
      return { name, subject: positionals[0]! };
    }
    case 'rules': {
      const { values, positionals } = parse(rest, { format: { type: 'string' } });
      if (positionals.length > 0) throw new UsageError(`rules takes no argument: ${positionals[0]}`);
      return { name, format: choice('--format', values.format, ['text', 'json'], 'text') };
    }
    case 'dump': {
      const { values, positionals } = parse(rest, { kernel: { type: 'string' }, stage: { type: 'string' } });
      if (positionals.length < 1 || positionals.length > 2) throw new UsageError('dump takes FILE [FUNCTION]');
      return { name, kernel: kernel(values.kernel), stage: choice('--stage', values.stage, STAGES, undefined), file: positionals[0]!, fn: positionals[1] };
    }
    case 'lsp': {
      const { values } = parse(rest, { stdio: { type: 'boolean' }, clientProcessId: { type: 'string' } });
      if (values.stdio !== true) throw new UsageError('lsp speaks over --stdio only');
      return { name };
    }
    case '--version':
    case '-V':
      return { name: 'version' };
    case undefined:
      throw new UsageError('no command; try --help');
    case '--help':
    case '-h':
    case 'help':
      return { name: 'help' };
    default:
      throw new UsageError(`unknown command ${JSON.stringify(name)}; try --help`);
  }
}

type Options = Record<string, { type: 'string' | 'boolean'; multiple?: boolean }>;

const RULE = { type: 'string', multiple: true } as const;

function parse<O extends Options>(args: string[], options: O) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(firstLine(error));
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
}

function kernel(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  if (!isKernelVersion(text)) throw new UsageError(`--kernel: ${JSON.stringify(text)} is not a kernel version such as 6.1 or 6.12`);
  return text;
}

/** `missing-put=off`, any number of times; the last for a rule counts. */
function ruleOptions(values: unknown): RuleOptions {
  const pairs = Array.isArray(values) ? values.map((value): [string, string] => {
    const [id, severity] = String(value).split('=', 2);
    if (id === undefined || severity === undefined) throw new UsageError(`--rule: ${JSON.stringify(value)} is not of the form ID=SEVERITY`);
    return [id, severity];
  }) : [];
  const { value, problems } = validate(RULES_SCHEMA, Object.fromEntries(pairs), '--rule');
  if (problems[0] !== undefined) throw new UsageError(problems[0]);
  return value as RuleOptions;
}

function choice<const T extends string>(option: string, value: unknown, allowed: readonly T[], standard: NoInfer<T> | undefined): T {
  if (value === undefined) {
    if (standard === undefined) throw new UsageError(`${option} is missing: one of ${allowed.join(', ')}`);
    return standard;
  }
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new UsageError(`${option}: ${JSON.stringify(value)} is none of ${allowed.join(', ')}`);
  return found;
}

function atLeastOne(paths: readonly string[], what: string): readonly string[] {
  if (paths.length === 0) throw new UsageError(`no ${what} given`);
  return paths;
}
