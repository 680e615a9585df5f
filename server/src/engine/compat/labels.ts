/** Gives labels that a conversion renamed their old names, so that their lines are common. */
import type { SyntaxTree } from '../../syntax/node.ts';

interface Labelled {
  readonly start: number;
  readonly text: string;
  readonly labels: readonly string[];
}

/** The converted text with the labels of the old one, where as many came as went in a function. */
export function withOldLabels(before: SyntaxTree, after: SyntaxTree): string {
  const old = functionsOf(before);
  let result = '';
  let at = 0;
  for (const [name, { start, text, labels }] of functionsOf(after)) {
    const were = old.get(name)?.labels ?? labels;
    const came = labels.filter((one) => !were.includes(one));
    const went = were.filter((one) => !labels.includes(one));
    const isFree = went.every((one) => !new RegExp(`\\b${one}\\b`).test(text));
    if (came.length === 0 || came.length !== went.length || !isFree) continue;
    const renamed = came.reduce(
      (body, label, i) =>
        body.replace(
          new RegExp(`\\b(goto\\s+)${label}\\b|^([ \\t]*)${label}(?=\\s*:)`, 'gm'),
          (_, jump?: string, indent?: string) => `${jump ?? indent ?? ''}${went[i]}`,
        ),
      text,
    );
    result += after.text.slice(at, start) + renamed;
    at = start + text.length;
  }
  return result + after.text.slice(at);
}

/** The functions of a text in their order, each name once. */
function functionsOf(tree: SyntaxTree): Map<string, Labelled> {
  const found = new Map<string, Labelled>();
  for (const { type, start, end } of tree.items()) {
    const text = tree.text.slice(start, end);
    const name = /\b(\w+)\s*\(/.exec(text)?.[1];
    if (type !== 'function_definition' || name === undefined || found.has(name)) continue;
    const jumps = new Set([...text.matchAll(/\bgoto\s+(\w+)/g)].map((match) => match[1]!));
    const labels = [...text.matchAll(/^[ \t]*(\w+)\s*:/gm)].map((match) => match[1]!);
    found.set(name, { start, text, labels: labels.filter((label) => jumps.has(label)) });
  }
  return found;
}
