import { createEngine, type Engine } from '../../../server/src/engine/analyse.ts';
import { kernelStages, type Stages } from '../../../server/src/engine/pipeline.ts';
import type { ModuleInput, TargetKernel } from '../../../server/src/engine/types.ts';
import { parseVersion } from '../../../server/src/kernel/version.ts';
import type { Finding, Rule } from '../../../server/src/rules/types.ts';
import { loadParser } from '../../support/parser.ts';

/** A target kernel given by option. */
export function kernel(text: string): TargetKernel {
  return { version: parseVersion(text)!, text, source: 'option', reason: 'from --kernel' };
}

/** A module of one file. */
export function single(text: string, file = '/w/a.c'): ModuleInput {
  return { file, sources: [{ path: file, text }], headers: [] };
}

export async function engineWith(
  rules: readonly Rule[],
  more: Partial<Stages> = {},
): Promise<Engine> {
  return createEngine(await loadParser(), { ...kernelStages, rules, ...more });
}

/** A rule of the test: reports each match of `pattern`, and its fix replaces the match. */
export function textRule(
  id: string,
  pattern: RegExp,
  more: Partial<Finding> & { replacement?: string; safety?: 'safe' | 'unsafe' } = {},
): Rule {
  const { replacement, safety, ...rest } = more;
  return {
    id,
    severity: 'warning',
    kernels: {},
    fixable: replacement === undefined ? 'none' : (safety ?? 'safe'),
    docs: { what: '', why: '', instead: '', knownProblems: '', references: [] },
    examples: { bad: [], good: [] },
    messages: {},
    check: ({ facts }) =>
      facts.module.sources.flatMap((file) =>
        [...file.text.matchAll(pattern)].map((match): Finding => {
          const span = { start: match.index, end: match.index + match[0].length };
          const fn = file.functions.find((one) => one.start <= span.start && span.end <= one.end);
          return {
            rule: id,
            severity: 'warning',
            message: `found ${match[0]}`,
            site: { path: file.path, ...span },
            functionName: fn?.name ?? null,
            related: [],
            fix:
              replacement === undefined
                ? null
                : {
                    title: 'replace',
                    safety: safety ?? 'safe',
                    edits: [{ path: file.path, edits: [{ span, newText: replacement }] }],
                  },
            ...rest,
          };
        }),
      ),
  };
}
