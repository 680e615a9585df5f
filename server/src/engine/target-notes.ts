/**
 * What a conversion leaves in a driver that the target kernel does not know: a note each, with its
 * line, so that nobody learns of it from the compiler.
 */
import {
  driversWithoutDma,
  oldForms,
  siteBefore,
  type DocumentEdits,
  type Note,
  type OldForm,
} from '../convert/index.ts';
import { formatVersion } from '../kernel/version.ts';
import type { Module, Site } from '../lifecycle/types.ts';
import type { Finding } from '../rules/types.ts';
import { lineIn } from './lines.ts';
import type { ModuleInput, TargetKernel } from './types.ts';

/** The rules that speak of interfaces which the target kernel lacks. */
const OF_THE_TARGET = new Set(['removed-api', 'unavailable-api']);

/** Whether a finding is about an interface that the target kernel lacks. */
export function isOfTheTarget(finding: Finding): boolean {
  return OF_THE_TARGET.has(finding.rule);
}

/**
 * A note for each driver of the prepared module that leaves the DMA of its devices to the kernel,
 * and could not be changed.
 */
export function dmaNotes(
  { input, module, edits }: Changed,
  target: TargetKernel,
  functionName: string | undefined,
): Note[] {
  const file = module.sources.find((source) => source.path === input.file);
  if (!file) return [];
  return driversWithoutDma({ input: { module, kernel: target.version }, file, functionName }).map(
    ({ site, text }) => {
      const before = siteBefore(edits, site);
      return {
        kind: 'target',
        text: `${linesOf(input, [before])}: ${text}.`,
        message: `${text}.`,
        site: before,
      };
    },
  );
}

/** A module after edits, and the edits that made it from the input. */
export interface Changed {
  readonly input: ModuleInput;
  readonly module: Module;
  readonly edits: readonly DocumentEdits[];
}

/**
 * A note for each thing of older kernels that is left, with its lines in the documents as they were
 * given.
 * @param left the findings in the changed module; those of other rules are passed over.
 */
export function targetNotes(
  { input, module, edits }: Changed,
  left: readonly Finding[],
  target: TargetKernel,
): Note[] {
  const noteOn = (sites: readonly Site[], sentence: string): Note => {
    const before = sites.map((site) => siteBefore(edits, site));
    return {
      kind: 'target',
      text: `${linesOf(input, before)}: ${sentence}.`,
      message: `${sentence}.`,
      site: before[0],
    };
  };
  const forms = oldForms(module, target.version);
  const isTold = ({ path, start, end }: Site): boolean =>
    forms.some(({ sites }) =>
      sites.some((site) => site.path === path && site.start <= start && end <= site.end),
    );
  const ofFindings = left
    .filter((one) => isOfTheTarget(one) && !isTold(one.site))
    .map(({ site, message }) => noteOn([site], message));
  const ofForms = forms.map((form) => noteOn(form.sites, sentenceOn(form)));
  return [...new Map([...ofFindings, ...ofForms].map((note) => [note.text, note])).values()];
}

function sentenceOn({ name, change: { form, since, instead } }: OldForm): string {
  const kernel = formatVersion(since);
  switch (form.kind) {
    case 'returns-void':
      return `${name} returns void since Linux ${kernel}`;
    case 'parameter':
      return `${name} takes a \`struct ${form.tag} *\` since Linux ${kernel}`;
    case 'arguments':
    case 'argument-type':
      return `${name} takes other arguments since Linux ${kernel}: ${instead}`;
    default:
      return `${name} was removed in Linux ${kernel}: ${instead}`;
  }
}

/**
 * `Line 12`, `Lines 12 and 40`, in a module of several sources `Line 7 of foo.c`, whichever of them
 * was asked for.
 */
function linesOf(input: ModuleInput, sites: readonly Site[]): string {
  const byPath = new Map<string, number[]>();
  for (const site of sites)
    byPath.set(site.path, [...(byPath.get(site.path) ?? []), lineIn(input, site.path, site.start)]);
  const parts = [...byPath].map(([path, lines]) => {
    const different = [...new Set(lines)];
    const last = different.pop();
    const list = different.length === 0 ? `${last}` : `${different.join(', ')} and ${last}`;
    const where = input.sources.length === 1 ? '' : ` of ${path.slice(path.lastIndexOf('/') + 1)}`;
    return `${different.length === 0 ? 'line' : 'lines'} ${list}${where}`;
  });
  const text = parts.join(', ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
