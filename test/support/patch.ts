/** What unified diffs of fixtures make of a text, for tests that keep results as differences. */

/**
 * The text that a unified diff of one file makes of another.
 * @throws when the lines that it takes out or keeps are not those of the text.
 */
function patched(before: string, diff: string): string {
  const lines = before.split('\n');
  const result: string[] = [];
  let at = 0;
  for (const line of diff.split('\n')) {
    if (line === '' || /^(?:---|\+\+\+) [ab]\//.test(line)) continue;
    const [, start] = /^@@ -(\d+)/.exec(line) ?? [];
    if (start !== undefined) {
      while (at < Number(start) - 1) result.push(lines[at++]!);
      continue;
    }
    if (line.startsWith('+')) {
      result.push(line.slice(1));
      continue;
    }
    if (lines[at] !== line.slice(1)) throw new Error(`line ${at + 1} is no \`${line.slice(1)}\``);
    if (line.startsWith(' ')) result.push(line.slice(1));
    at++;
  }
  return [...result, ...lines.slice(at)].join('\n');
}

/** Outcomes by a name each, as a text: one that is as another is named after it. */
export function outcomesText(
  outcomes: readonly { readonly label: string; readonly shown: string }[],
): string {
  return outcomes
    .map(({ label, shown }) => {
      const same = outcomes.find((one) => one.shown === shown)!;
      return same.label === label ? `== ${label}: ${shown}` : `== ${label}: as for ${same.label}\n`;
    })
    .join('\n');
}

/** One of the outcomes of a text that `outcomesText` made. */
function outcomeIn(text: string, label: string): string {
  const parts = `\n${text}`.split(/\n(?=== )/);
  const head = `== ${label}: `;
  const shown = parts.find((part) => part.startsWith(head))?.slice(head.length);
  if (shown === undefined) throw new Error(`no outcome for ${label}`);
  const [, other] = /^as for (\S+)\s*$/.exec(shown) ?? [];
  return other === undefined ? shown : outcomeIn(text, other);
}

/** What a text becomes in one of the outcomes, whose first line says what was done. */
export function textOfOutcome(before: string, outcomes: string, label: string): string {
  const shown = outcomeIn(outcomes, label);
  return patched(before, shown.slice(shown.indexOf('\n') + 1));
}
