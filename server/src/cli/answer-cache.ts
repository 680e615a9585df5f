/**
 * Answers that were worked out before, by all that they rest on. The module of a file is read anew
 * each time: a file that is there now and was not before makes another module, and so another key.
 */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { isInside } from '../engine/project/paths.ts';
import type { SourceDocument } from '../engine/types.ts';
import type { FileAnswer, FileQuestion } from './file-answer.ts';
import { openResultStore } from './result-store.ts';
import { findRoot, keyOf } from './workspace.ts';

export interface AnswerCache {
  /** The answer to a question, from the folder or by `work`, whose answer is kept. */
  answer(question: FileQuestion, work: () => Promise<FileAnswer>): Promise<FileAnswer>;
  /** How many answers were there already, and how many were worked out. */
  readonly counts: { kept: number; made: number };
  /** To be called once, at the end. */
  close(): void;
}

/** Another way of writing answers down has another number. */
const FORM = 1;

/**
 * @param folder as it was typed.
 * @param identity of the program: another version has answers of its own.
 * @param complain is told why nothing can be kept.
 */
export function openAnswerCache(
  folder: string,
  identity: string,
  complain: (line: string) => void,
): AnswerCache {
  const store = openResultStore(keyOf(folder), complain);
  const digestOf = createDigests();
  const roots = new Map<string, string>();
  const rootOf = (file: string): string => {
    const at = dirname(file);
    let root = roots.get(at);
    if (root === undefined) roots.set(at, (root = findRoot(at)));
    return root;
  };
  const counts = { kept: 0, made: 0 };
  return {
    counts,
    async answer(question, work) {
      const names = namesIn(question, rootOf(question.input.file));
      const key = keyOfQuestion(question, identity, names, digestOf);
      const kept = store.read(key);
      if (kept !== undefined) {
        counts.kept++;
        return names.read(kept);
      }
      const answer = await work();
      counts.made++;
      // What went wrong may go well the next time.
      const text = answer.notAnalysed.some((one) => one.isInternal)
        ? undefined
        : names.write(answer);
      if (text !== undefined) store.write(key, text);
      return answer;
    },
    close: () => store.close(),
  };
}

/** How paths are written down. */
interface Names {
  short(path: string): string;
  /** Undefined for an answer that names the tree in a sentence, or a path outside of it. */
  write(answer: FileAnswer): string | undefined;
  read(text: string): FileAnswer;
}

/**
 * Two checkouts of one tree have the same answers: paths are relative to it. A path with more than
 * that in it is written as it is: a document elsewhere, or one that an #include may name together
 * with the name of the tree's own folder.
 */
function namesIn({ input: { sources, headers } }: FileQuestion, root: string): Names {
  const documents = [...sources, ...headers];
  const inside = root.endsWith('/') ? root : `${root}/`;
  const isRelative = documents.every(
    ({ path }) =>
      isInside(path, root) &&
      !documents.some(({ text }) => text.includes(`/${path.slice(inside.length)}`)),
  );
  const short = (path: string): string =>
    isRelative && path.startsWith(inside) ? path.slice(inside.length) : path;
  return {
    short,
    write(answer) {
      let isElsewhere = false;
      const text = JSON.stringify(answer, (key, value: unknown) => {
        if (!isRelative || key !== 'path' || typeof value !== 'string') return value;
        isElsewhere ||= !value.startsWith(inside);
        return short(value);
      });
      return isElsewhere || (isRelative && text.includes(inside)) ? undefined : text;
    },
    read: (text) =>
      JSON.parse(text, (key, value: unknown) =>
        isRelative && key === 'path' && typeof value === 'string' ? inside + value : value,
      ) as FileAnswer,
  };
}

function keyOfQuestion(
  { input, config, kernel, rows, provesFixes }: FileQuestion,
  identity: string,
  { short }: Names,
  digestOf: (document: SourceDocument) => string,
): string {
  const { file, sources, headers, build } = input;
  const listed = (documents: readonly SourceDocument[]): readonly (readonly [string, string])[] =>
    documents.map((one) => [short(one.path), digestOf(one)]);
  const question = [
    FORM,
    identity,
    kernel,
    sorted(config.rules ?? {}),
    config.wrappers ?? null,
    rows,
    provesFixes,
    build
      ? [
          sorted(Object.fromEntries(build.defines)),
          [...build.undefined].sort(),
          build.hasConfiguration,
        ]
      : null,
    short(file),
    listed(sources),
    listed(headers),
  ];
  return createHash('sha256').update(JSON.stringify(question)).digest('hex');
}

function sorted(values: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1));
}

/** The files of a module have the same others: each text is looked at once. */
function createDigests(): (document: SourceDocument) => string {
  const known = new Map<string, { readonly text: string; readonly digest: string }>();
  return ({ path, text }) => {
    let one = known.get(path);
    if (one?.text !== text) {
      one = { text, digest: createHash('sha256').update(text).digest('base64') };
      known.set(path, one);
    }
    return one.digest;
  };
}
