import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../server/src/engine/analyse.ts';
import { withProof } from '../../../server/src/engine/fix-proof.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { readAnnotations } from '../../support/analyse.ts';
import { loadParser } from '../../support/parser.ts';
import { kernel, single } from './support.ts';

const parser = await loadParser();

describe('the fixes that the rules call safe', () => {
  it('are proved where their documentation shows them', () => {
    const engine = createEngine(parser);
    const doubts: string[] = [];
    for (const rule of rules) {
      for (const { title, code, kernel: version, fixed } of rule.examples.bad) {
        if (fixed === undefined) continue;
        const input = single(readAnnotations(code).code);
        const target = kernel(version ?? '6.1');
        for (const finding of engine.analyse(input, {}, target).findings) {
          if (finding.rule !== rule.id || finding.fix?.safety !== 'safe' || finding.severity === 'hint') continue;
          const { fix } = withProof(engine, input, {}, target, finding);
          if (fix!.safety !== 'safe') doubts.push(`${rule.id}: ${title}: ${finding.severity}: ${fix!.title}`);
        }
      }
    }
    engine.dispose();
    expect(doubts).toEqual([]);
  });
});
