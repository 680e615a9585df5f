/**
 * What hosts call safe is what `fix` applies: over the examples and fixtures, as they are and with
 * lines missing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../../server/src/engine/analyse.ts';
import { fixAll } from '../../../server/src/engine/fix.ts';
import { withProof } from '../../../server/src/engine/fix-proof.ts';
import { withEdits } from '../../../server/src/engine/prove.ts';
import type { ModuleInput, TargetKernel } from '../../../server/src/engine/types.ts';
import { rules } from '../../../server/src/rules/index.ts';
import type { Finding } from '../../../server/src/rules/types.ts';
import { readAnnotations } from '../../support/analyse.ts';
import { loadParser } from '../../support/parser.ts';
import { kernel, single } from './support.ts';

interface Driver {
  readonly title: string;
  readonly code: string;
  readonly kernel: string;
}

const parser = await loadParser();

const examples: readonly Driver[] = rules.flatMap((rule) =>
  rule.examples.bad.map((one) => ({
    title: `${rule.id}: ${one.title}`,
    code: readAnnotations(one.code).code,
    kernel: one.kernel ?? '6.1',
  })),
);

function filesIn(folder: string): Driver[] {
  const root = resolve(import.meta.dirname, '../../..', folder);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.c'))
    .map((name) => {
      const text = readFileSync(join(root, name), 'utf8');
      return {
        title: name,
        code: readAnnotations(text).code,
        kernel: /kernel: ([\d.]+)/.exec(text)?.[1] ?? '6.1',
      };
    });
}

const files: readonly Driver[] = [...filesIn('test/fixtures/rules'), ...filesIn('examples/driver')];

/** The findings that a host shows with a fix that it calls safe. */
function safeIn(engine: Engine, input: ModuleInput, target: TargetKernel): Finding[] {
  return engine
    .analyse(input, {}, target)
    .findings.map((one) => withProof(engine, input, {}, target, one))
    .filter(({ fix }) => fix?.safety === 'safe');
}

const keyOf = ({ rule, functionName, message }: Finding): string =>
  `${rule} in ${functionName}: ${message}`;

/**
 * What is wrong with a driver's safe fixes: one that `fix` neither applies nor makes needless nor
 * says that it leaves, one that it applies
 * first and that no host calls safe, and one that is still called safe when `fix` is done.
 */
function disagreements(engine: Engine, { code, kernel: version }: Driver): string[] {
  const input = single(code);
  const target = kernel(version);
  // Most have nothing that any rule calls safe: then there is nothing to prove.
  if (engine.analyse(input, {}, target).findings.every(({ fix }) => fix?.safety !== 'safe'))
    return [];
  const shown = safeIn(engine, input, target);
  const { edits, fixed, skipped } = fixAll(engine, input, {}, target, { unsafe: false });
  const after = withEdits(input, edits)!;
  const left = engine.analyse(after, {}, target).findings.map(keyOf);
  const said = skipped.map(({ finding }) => keyOf(finding));
  const unkept = shown.map(keyOf).filter((one) => left.includes(one) && !said.includes(one));
  const known = new Set(shown.map(keyOf));
  const first = fixed[0];
  const unsaid = first === undefined || known.has(keyOf(first)) ? [] : [keyOf(first)];
  const still = safeIn(engine, after, target).map(keyOf);
  return [
    ...unkept.map((one) => `not applied and not named: ${one}`),
    ...unsaid.map((one) => `applied and not called safe: ${one}`),
    ...(shown.length > 0 && fixed.length === 0 && skipped.length === 0
      ? ['safe, and nothing is done']
      : []),
    ...still.map((one) => `safe when all is done: ${one}`),
  ];
}

/**
 * The driver without the line that `at` chooses among those that are statements: what a person
 * forgets.
 */
function without({ code, ...driver }: Driver, at: number): Driver {
  const lines = code.split('\n');
  const statements = lines.flatMap((line, i) => (/^\t+[a-z].*;$/.test(line) ? [i] : []));
  const chosen = statements[at % Math.max(1, statements.length)];
  return { ...driver, code: lines.filter((_, i) => i !== chosen).join('\n') };
}

describe('what hosts call safe', () => {
  it('is what fix applies, in every example and fixture', () => {
    const engine = createEngine(parser);
    const found = [...examples, ...files].flatMap((one) =>
      disagreements(engine, one).map((text) => `${one.title}: ${text}`),
    );
    engine.dispose();
    expect(found).toEqual([]);
  }, 120_000);

  it('is what fix applies where a line is missing', () => {
    const engine = createEngine(parser);
    const driver = fc.record({
      driver: fc.constantFrom(...examples, ...files),
      at: fc.nat({ max: 500 }),
    });
    fc.assert(
      fc.property(driver, ({ driver: one, at }) => {
        expect(disagreements(engine, without(one, at))).toEqual([]);
      }),
      { numRuns: Number(process.env.RUNS ?? 60) },
    );
    engine.dispose();
  }, 600_000);
});
