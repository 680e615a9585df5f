/**
 * Holds the rows of the interface against the headers of a tree: each name exists in exactly the
 * trees that its row says, with that signature, and what the headers declare has a row or a reason.
 */
import { API_ENTRIES } from '../../../server/src/kernel/lifecycle-api.ts';
import { headerIn, titleOf } from '../../../server/src/kernel/describe-entry.ts';
import type { ApiEntry } from '../../../server/src/kernel/types.ts';
import { formatVersion, inRange, uncertainBackport } from '../../../server/src/kernel/version.ts';
import { normalised, type Declaration } from './headers.ts';
import type { KernelTree } from './tree.ts';
import { reasonFor } from './unlisted.ts';

/** One comparison: what was compared, and what is wrong with it, or null. */
export interface Check {
  readonly what: string;
  readonly wrong: string | null;
}

/** The headers that driver authors include: all they declare is in the tables, or has a reason. */
const PUBLIC_HEADERS = [
  'include/linux/vfio.h',
  'include/linux/vfio_pci_core.h',
  'include/linux/mdev.h',
];

/** Whether each row holds in the tree. */
export function rowChecks(tree: KernelTree): Check[] {
  return API_ENTRIES.flatMap((entry) => {
    const path = pathIn(entry, tree);
    // A tree that was taken out in part has no private headers.
    if (path.startsWith('drivers/') && tree.files('drivers/vfio', 'vfio.h').length === 0) return [];
    const wrong = rowProblem(entry, tree, path);
    return [{ what: `${titleOf(entry)} in ${formatVersion(tree.version)}`, wrong }];
  });
}

function pathIn(entry: ApiEntry, tree: KernelTree): string {
  const header = headerIn(entry, tree.version);
  return header.startsWith('drivers/') ? header : `include/${header}`;
}

function rowProblem(entry: ApiEntry, tree: KernelTree, path: string): string | null {
  const found = declarationOf(entry, tree, path);
  const isExpected = inRange(tree.version, entry.kernels);
  if (found === null) {
    if (!isExpected) return null;
    return `${path} does not declare it, and its row says that this kernel has it`;
  }
  const series = uncertainBackport(tree.version, entry.kernels);
  if (!isExpected && series === undefined) {
    // Declared, but nobody else's to call.
    if (reasonFor(entry.name) !== undefined) return null;
    // Another life of the name, which has a row of its own.
    const others = API_ENTRIES.filter((one) => titleOf(one) === titleOf(entry) && one !== entry);
    return others.some((one) => inRange(tree.version, one.kernels))
      ? null
      : `${path} declares it, and its row says that this kernel has it not`;
  }
  return signatureProblem(entry, tree, found);
}

function signatureProblem(
  entry: ApiEntry,
  { version }: KernelTree,
  found: readonly Declaration[],
): string | null {
  if (entry.kind === 'struct' || entry.kind === 'enum') return null;
  const row = entry.signatures.find(
    ({ kernels }) => inRange(version, kernels) || uncertainBackport(version, kernels) !== undefined,
  );
  if (!row) return 'no signature of its row is for this kernel';
  const possible = entry.signatures
    .filter((one) => one === row || uncertainBackport(version, one.kernels) !== undefined)
    .map(({ text }) => signatureOf(entry, text));
  const declared = found.map((one) => one.signature);
  return declared.some((one) => possible.includes(one))
    ? null
    : `its row says   ${possible.join(' | ')}\n    the header says ${declared.join(' | ')}`;
}

function signatureOf({ kind, name }: ApiEntry, text: string): string {
  if (kind === 'constant') return name;
  if (kind !== 'macro') return normalised(text);
  const parameters = /\(([^)]*)\)/.exec(text)?.[1] ?? '';
  return `${name}(${parameters.replaceAll(/\s/g, '')})`;
}

/** What a file declares of an entry; null for nothing. */
function declarationOf(
  entry: ApiEntry,
  tree: KernelTree,
  path: string,
): readonly Declaration[] | null {
  const all = tree.declarations(path) ?? [];
  const own = all.filter(
    (one) => one.name === entry.name && one.owner === entry.owner && fits(entry, one),
  );
  if (own.length > 0) return own;
  const text = tree.text(path) ?? '';
  const isNamed =
    (entry.kind === 'struct' && new RegExp(`\\bstruct\\s+${entry.name}\\b`).test(text)) ||
    (entry.kind === 'enum' && new RegExp(`\\benum\\s+${entry.name}\\b`).test(text)) ||
    // An enumerator.
    (entry.kind === 'constant' && new RegExp(`^\\s*${entry.name}\\s*[=,]`, 'm').test(text));
  return isNamed ? [{ name: entry.name, kind: 'struct', signature: entry.name }] : null;
}

function fits({ kind }: ApiEntry, declaration: Declaration): boolean {
  return kind === declaration.kind;
}

/** Whether each declaration of the public headers, and each export, is known. */
export function completenessChecks(tree: KernelTree): Check[] {
  const declared = PUBLIC_HEADERS.flatMap((path) =>
    (tree.declarations(path) ?? []).map((one) => ({ path, name: nameOf(one), of: one })),
  ).filter(({ of }) => isInterface(of));
  const exported = tree.files('drivers/vfio', '.c').flatMap((path) =>
    [...(tree.text(path) ?? '').matchAll(/^EXPORT_SYMBOL\w*\(\s*(\w+)/gm)].map(([, name]) => ({
      path,
      name: name!,
    })),
  );
  const names = new Map([...declared, ...exported].map(({ name, path }) => [name, path]));
  return [...names].map(([name, path]) => ({
    what: `${name} of ${path} in ${formatVersion(tree.version)}`,
    wrong:
      KNOWN.has(name) || reasonFor(name) !== undefined
        ? null
        : 'it has no row, and test/kernel/facts/unlisted.ts no reason why',
  }));
}

const KNOWN = new Set(
  API_ENTRIES.map(({ owner, name }) => (owner === undefined ? name : `${owner}.${name}`)),
);

function nameOf({ owner, name }: Declaration): string {
  return owner === undefined ? name : `${owner}.${name}`;
}

/** Include guards declare nothing. */
function isInterface({ kind, name }: Declaration): boolean {
  return !(kind === 'constant' && name.endsWith('_H'));
}

/** Whether the sources that rows name have the function that is to show the fact. */
export function sourceChecks(tree: KernelTree): Check[] {
  const [major, minor] = tree.version;
  return API_ENTRIES.flatMap((entry) =>
    (entry.sources ?? [])
      .filter(({ kernel }) => kernel === `${major}.${minor}`)
      .flatMap(({ file, shows }): Check[] => {
        const text = tree.text(file);
        if (
          text === undefined &&
          tree.files(file.split('/').slice(0, 2).join('/'), '').length === 0
        )
          return [];
        const isThere =
          text !== undefined && new RegExp(`^(?=[^\\s/*#]).*\\b${shows}\\b`, 'm').test(text);
        return [
          {
            what: `the source of ${titleOf(entry)}`,
            wrong: isThere ? null : `${file} of ${major}.${minor} has no ${shows}()`,
          },
        ];
      }),
  );
}
