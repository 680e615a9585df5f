/** The members that an ops table can have in a kernel, with what to put in for each. */
import { apiEntry, apiMember } from '../../kernel/lifecycle-api.ts';
import { membersOf } from '../../kernel/hover.ts';
import { familyRegisteredBy, IOMMUFD_MEMBERS } from '../../kernel/iommu-families.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import { pciCoreHelper } from '../../kernel/needed-members.ts';
import { inRange, nearest } from '../../kernel/version.ts';
import { wrapped } from '../new-driver/c-text.ts';
import type { CodePlace } from './code-place.ts';
import type { Completion } from './types.ts';

const TABLE = /\bstruct\s+vfio_device_ops\s+(\w+)(?:\s*\[[^\]]*\])?\s*=\s*$/;
/** Longer tables are of no driver. */
const LONGEST_TABLE = 8000;

/** The members that the table around a caret does not have yet; none where it is in no table. */
export function opsMembers(
  text: string,
  offset: number,
  place: CodePlace,
  kernel: KernelVersion,
): Completion[] {
  const { bracket } = place;
  const table = bracket?.bracket === '{' ? TABLE.exec(bracket.before) : null;
  const typed = /(?:^|[{,\s])(\.?\w*)$/.exec(bracket?.inside ?? '')?.[1];
  if (!bracket || !table || typed === undefined) return [];
  // A value is being typed.
  if (bracket.inside.lastIndexOf('=') > bracket.inside.lastIndexOf(',')) return [];
  const body = bodyOf(text, bracket.at);
  const present = new Set([...body.matchAll(/\.(\w+)\s*=/g)].map((match) => match[1]));
  const prefix = prefixOf(body, table[1]!);
  return membersOf('vfio_device_ops', kernel)
    .filter((member) => !present.has(member))
    .flatMap((member): Completion[] => {
      const signature = signatureOf(member, kernel);
      if (signature === undefined) return [];
      const { value, isOwn } = valueOf(text, member, prefix, kernel);
      const hasStub = isOwn && signature.includes('(*') && !new RegExp(`\\b${value}\\b`).test(text);
      return [
        {
          label: `.${member}`,
          kind: 'member',
          detail: signature,
          insert: `.${member} = ${value},`,
          span: { start: offset - typed.length, end: offset },
          entry: { owner: 'vfio_device_ops', member },
          ...(hasStub && {
            stub: {
              at: stubPlace(text, bracket.before.length - table[0].length),
              newText: stubOf(text, member, value, signature, kernel),
            },
          }),
        },
      ];
    });
}

function bodyOf(text: string, from: number): string {
  const end = text.indexOf('\n};', from);
  return text.slice(from, end < 0 || end - from > LONGEST_TABLE ? from + LONGEST_TABLE : end);
}

/** What the names of the driver's callbacks begin with, by those of the table, else by its name. */
function prefixOf(body: string, table: string): string {
  for (const [, member, value] of body.matchAll(/\.(\w+)\s*=\s*&?(\w+)/g)) {
    const end = `_${member}`;
    if (value!.endsWith(end) && apiEntry(value!) === undefined) return value!.slice(0, -end.length);
  }
  return table.replace(/_?(?:vfio_)?(?:dev(?:ice)?_)?ops$/, '') || table;
}

function signatureOf(member: string, kernel: KernelVersion): string | undefined {
  const entry = apiMember('vfio_device_ops', member, kernel);
  return entry && nearest(kernel, entry.signatures)?.text.replace(/\s+/g, ' ');
}

function valueOf(
  text: string,
  member: string,
  prefix: string,
  kernel: KernelVersion,
): { readonly value: string; readonly isOwn: boolean } {
  if (member === 'name') return { value: `"${prefix}"`, isOwn: false };
  const iommufd = IOMMUFD_MEMBERS.find(({ name }) => name === member);
  const helpers = [
    ...(iommufd ? [`vfio_iommufd_${familyIn(text)}_${iommufd.suffix}`] : []),
    ...(/\bvfio_pci_core_/.test(text) ? [pciCoreHelper(member)] : []),
  ];
  const helper = helpers.find((name) => {
    const entry = apiEntry(name);
    return entry !== undefined && inRange(kernel, entry.kernels);
  });
  return helper === undefined
    ? { value: `${prefix}_${member}`, isOwn: true }
    : { value: helper, isOwn: false };
}

function familyIn(text: string): 'physical' | 'emulated' {
  const calls = text.match(/\bvfio_\w*register\w*/g) ?? [];
  return calls.map(familyRegisteredBy).find((one) => one !== undefined) ?? 'physical';
}

/** The line of the declaration, or the comment on it. */
function stubPlace(text: string, declaration: number): number {
  const start = text.lastIndexOf('\n', declaration) + 1;
  const above = text.slice(0, start);
  if (!/\*\/[ \t]*\r?\n$/.test(above)) return start;
  const comment = above.lastIndexOf('/*');
  return text.lastIndexOf('\n', comment) + 1;
}

function stubOf(
  text: string,
  member: string,
  name: string,
  signature: string,
  kernel: KernelVersion,
): string {
  const head = `static ${signature.replace(/\(\*\w+\)/, ` ${name}`).replace(/;$/, '')}`;
  const lines = bodyLines(member, head, kernel).map((line) => `\t${line}\n`);
  const newline = /\r\n/.test(text) ? '\r\n' : '\n';
  const stub = `${wrapped(head.replace(/ {2,}/g, ' ').replace('* ', '*'))}\n{\n${lines.join('')}}\n\n`;
  return stub.replaceAll('\n', newline);
}

/** What does no harm: a refusal, or success where there is nothing to do. */
function bodyLines(member: string, head: string, kernel: KernelVersion): string[] {
  const frees = apiEntry('vfio_free_device')!;
  if (member === 'release' && inRange(kernel, frees.kernels)) return ['vfio_free_device(vdev);'];
  if (member === 'init' || member === 'open_device' || member === 'match') return ['return 0;'];
  if (/^static (?:ssize_t|int)\b/.test(head)) return ['return -EINVAL;'];
  if (/^static long\b/.test(head)) return ['return -ENOTTY;'];
  return /^static struct file \*/.test(head) ? ['return ERR_PTR(-EOPNOTSUPP);'] : [];
}
