import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { REFUSALS } from '../../../server/src/convert/refusals.ts';
import type { RefusalCode } from '../../../server/src/convert/types.ts';
import { fixtureNames, headersOf, plan, readFixture } from './support.ts';

const FOLDER = resolve(import.meta.dirname, '../../..', 'docs');
const codes = Object.keys(REFUSALS) as RefusalCode[];

/** Codes that one document cannot show; their own tests name them. */
const NO_EXAMPLE: readonly RefusalCode[] = ['target-too-old', 'same-name'];

interface Shown {
  readonly name: string;
  readonly code: RefusalCode;
  readonly reason: string;
  /** The lines around the place. */
  readonly excerpt: string;
}

const shown = fixtureNames()
  .filter((name) => name.startsWith('refused-'))
  .flatMap((name): Shown[] => {
    const text = readFixture(name);
    const result = plan(name, text, [6, 6], headersOf(text));
    if (result.status !== 'refused') return [];
    const { code, reason, site } = result.refusal;
    if (site === null) return [{ name, code, reason, excerpt: '' }];
    const own = site.path === name ? text : (headersOf(text)[site.path] ?? '');
    return [{ name, code, reason, excerpt: linesAround(own, site.start) }];
  });

/**
 * The line of an offset with the one before and the one after it, without their common indentation.
 */
function linesAround(text: string, offset: number): string {
  const lines = text.split('\n');
  const at = text.slice(0, offset).split('\n').length - 1;
  const some = lines.slice(Math.max(0, at - 1), at + 2);
  while (some[0]?.trim() === '') some.shift();
  while (some.at(-1)?.trim() === '') some.pop();
  const common = Math.min(
    ...some.filter((line) => line.trim() !== '').map((line) => /^\t*/.exec(line)![0].length),
  );
  return some
    .map((line) => line.slice(Math.min(common, /^\t*/.exec(line)![0].length)).trimEnd())
    .join('\n');
}

test.each(codes)('%s has an example that is refused so', (code) => {
  if (!NO_EXAMPLE.includes(code)) expect(shown.map((one) => one.code)).toContain(code);
});

// `npx vitest run test/unit/convert/refusals.test.ts -u` writes it.
test('the page of the refusals is as the code and the examples say', async () => {
  const parts = [
    '# What is not converted, and why',
    'A conversion is proved or refused. The reason names the place; this page lists the kinds of reasons. The examples are the drivers of `test/fixtures/convert` whose names begin with `refused-`.',
    [
      '| reason | obstacle | what to do |',
      '|---|---|---|',
      ...codes.map(
        (code) => `| [${code}](#${code}) | ${REFUSALS[code].what} | ${REFUSALS[code].instead} |`,
      ),
    ].join('\n'),
    ...codes.flatMap((code) => {
      const examples = shown.filter((one) => one.code === code);
      return [
        `## ${code}`,
        `${REFUSALS[code].what} ${REFUSALS[code].instead}`,
        ...examples
          .slice(0, 2)
          .flatMap((one) => [`\`\`\`c\n${one.excerpt}\n\`\`\``, `> ${one.reason}`]),
      ];
    }),
  ];
  await expect(`${parts.join('\n\n')}\n`).toMatchFileSnapshot(resolve(FOLDER, 'refusals.md'));
});
