/**
 * Files that are named together on a command line and that no Makefile speaks of: those are one
 * module that call each other's functions. A scan of
 * text, as for includes.
 */
import type { SourceDocument } from '../types.ts';
import { COMMENT_OR_STRING } from '../../text/lexical.ts';

/** What a source gives to others, and what it may take from them. */
interface Linkage {
  /** Functions and variables that are not static, and not exported to other modules either. */
  readonly defines: ReadonlySet<string>;
  /** All that it names. */
  readonly names: ReadonlySet<string>;
  /** It is the one of its module that is called when the module is loaded. */
  readonly isEntry: boolean;
}

const known = new Map<string, { readonly text: string; readonly linkage: Linkage }>();
const MAX_KNOWN = 512;

/**
 * The documents that are linked with that of `path`, itself included, in the order that they were
 * given. Only itself where two of them would each
 * be loaded as a module of its own.
 */
export function linkedTogether(
  documents: readonly SourceDocument[],
  path: string,
): readonly SourceDocument[] {
  const own = documents.filter((document) => document.path === path);
  const linkages = new Map(documents.map((document) => [document, linkageOf(document)]));
  const definers = new Map<string, SourceDocument | null>();
  for (const [document, { defines }] of linkages) {
    // What two files define is not one thing: nothing follows from its use.
    for (const name of defines) definers.set(name, definers.has(name) ? null : document);
  }
  const linked = new Set(own);
  const isLinked = (from: SourceDocument, to: SourceDocument): boolean =>
    [...linkages.get(to)!.defines].some(
      (name) =>
        definers.get(name) === to &&
        linkages.get(from)!.names.has(name) &&
        !linkages.get(from)!.defines.has(name),
    );
  for (let size = -1; size < linked.size;) {
    size = linked.size;
    for (const other of documents) {
      if (
        !linked.has(other) &&
        [...linked].some((one) => isLinked(one, other) || isLinked(other, one))
      )
        linked.add(other);
    }
  }
  const entries = [...linked].filter((document) => linkages.get(document)!.isEntry);
  return entries.length > 1 ? own : documents.filter((document) => linked.has(document));
}

function linkageOf({ path, text }: SourceDocument): Linkage {
  const before = known.get(path);
  if (before?.text === text) return before.linkage;
  const code = text.replace(COMMENT_OR_STRING, ' ');
  const exported = new Set(
    [...code.matchAll(/^[ \t]*EXPORT_SYMBOL\w*\s*\(\s*(\w+)/gm)].map((match) => match[1]!),
  );
  const heads = [
    ...code.matchAll(
      /^(?!static\b|typedef\b|return\b|else\b)[A-Za-z_][\w \t*]*?[ \t*\n](\w+)\s*\([^;{}()]*(?:\([^;{}()]*\)[^;{}()]*)*\)\s*\{/gm,
    ),
    ...code.matchAll(
      /^(?!static\b|extern\b|typedef\b)(?:const\s+)?struct\s+\w+\s+(\w+)\s*=\s*\{/gm,
    ),
  ];
  const linkage = {
    defines: new Set(heads.map((match) => match[1]!).filter((name) => !exported.has(name))),
    names: new Set(code.match(/[A-Za-z_]\w*/g)),
    isEntry: /^[ \t]*(?:module_init|module_\w+_driver)\s*\(/m.test(code),
  };
  known.delete(path);
  known.set(path, { text, linkage });
  if (known.size > MAX_KNOWN) known.delete(known.keys().next().value!);
  return linkage;
}
