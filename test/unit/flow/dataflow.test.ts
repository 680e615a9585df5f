import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildCfg, successors, type Cfg } from '../../../server/src/flow/cfg.ts';
import { liveVariables } from '../../../server/src/flow/liveness.ts';
import { solve } from '../../../server/src/flow/dataflow.ts';
import { lowered } from './support.ts';

function cfgOf(body: string): { cfg: Cfg; text: string } {
  const file = lowered(`int f(int a, int b)\n{\n${body}\n}\n`);
  return { cfg: buildCfg(file.functions[0]!), text: file.text };
}

/** The names that are live where the block with `marker` begins. */
function liveAt(body: string, marker: string): string[] {
  const { cfg, text } = cfgOf(body);
  const live = liveVariables(cfg);
  const block = cfg.blocks.find((other) =>
    other.instrs.some(
      (instr) => instr.kind === 'expr' && text.slice(instr.expr.start, instr.expr.end) === marker,
    ),
  )!;
  return [...live[block.id]!].sort();
}

describe('live variables', () => {
  test('a variable lives until its last read and dies where it is written', () => {
    expect(liveAt('\tif (a)\n\t\tm();\n\tuse(b);\n\tb = 1;\n\tuse(b);', 'm()')).toEqual([
      'b',
      'm',
      'use',
    ]);
    expect(liveAt('\tif (a)\n\t\tm();\n\tb = 1;\n\tuse(b);', 'm()')).toEqual(['m', 'use']);
  });
  test('a read on any path counts', () => {
    expect(liveAt('\tif (a)\n\t\tm();\n\tif (c)\n\t\tb = 1;\n\treturn b;', 'm()')).toEqual([
      'b',
      'c',
      'm',
    ]);
  });
  test('a loop reads in its next round', () => {
    expect(liveAt('\twhile (c()) {\n\t\tm();\n\t\tuse(a);\n\t\ta = b;\n\t}', 'm()')).toEqual([
      'a',
      'b',
      'c',
      'm',
      'use',
    ]);
  });
  test('members are read by name through any object, and writing one keeps its base alive', () => {
    expect(liveAt('\tif (a)\n\t\tm();\n\tp->x = q->y;', 'm()')).toEqual([
      '.x',
      '.y',
      'm',
      'p',
      'q',
    ]);
  });
  test('what has its address taken is always live', () => {
    expect(liveAt('\tint v;\n\tinit(&v);\n\tif (a)\n\t\tm();\n\treturn 0;', 'm()')).toEqual([
      'm',
      'v',
    ]);
  });
  test('a __free() variable is read where its scope ends', () => {
    expect(
      liveAt('\tchar *p __free(kfree) = x();\n\tif (a)\n\t\tm();\n\treturn 0;', 'm()'),
    ).toEqual(['m', 'p']);
  });
  test('a decrement, a compound assignment, an index and a stretch not understood read', () => {
    expect(liveAt('\tif (a)\n\t\tm();\n\tb--;\n\tc += 1;\n\td[e] = 0;', 'm()')).toEqual([
      'b',
      'c',
      'd',
      'e',
      'm',
    ]);
  });
});

describe('the solver', () => {
  /** Reachability as a lattice of two values. */
  const reached = (cfg: Cfg): readonly boolean[] =>
    solve<boolean>(
      cfg,
      {
        bottom: false,
        join: (left, right) => left || right,
        equal: (left, right) => left === right,
        transfer: (_, value) => value,
      },
      'forward',
      true,
    );

  test('forward: what the entry reaches', () => {
    const { cfg } = cfgOf('\tif (a)\n\t\treturn 1;\n\treturn 0;\n\tx();');
    const expected = new Set([0]);
    for (const id of expected)
      for (const successor of successors(cfg.blocks[id]!)) expected.add(successor);
    expect(reached(cfg).flatMap((isReached, id) => (isReached ? [id] : []))).toEqual(
      [...expected].sort((left, right) => left - right),
    );
  });

  test('backward: sets of blocks grow to a fixed point', () => {
    const { cfg } = cfgOf('\twhile (a) {\n\t\tif (b)\n\t\t\tcontinue;\n\t\tx();\n\t}\n\treturn 0;');
    const after = solve<ReadonlySet<number>>(
      cfg,
      {
        bottom: new Set(),
        join: (left, right) => new Set([...left, ...right]),
        equal: (left, right) => left.size === right.size,
        transfer: (block, readonlySet) => new Set([...readonlySet, block]),
      },
      'backward',
      new Set(),
    );
    for (const block of cfg.blocks) {
      const expected = new Set<number>();
      const visit = (id: number): void => {
        for (const successor of successors(cfg.blocks[id]!))
          if (!expected.has(successor)) {
            expected.add(successor);
            visit(successor);
          }
      };
      visit(block.id);
      const leaves = [...expected, block.id].some(
        (id) => cfg.blocks[id]!.terminator.kind === 'return',
      );
      if (leaves)
        expect([...after[block.id]!].sort((left, right) => left - right)).toEqual(
          [...expected].sort((left, right) => left - right),
        );
    }
  });
});

const statement: fc.Arbitrary<string> = fc.letrec<{ statement: string; block: string }>((tie) => ({
  statement: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      'x();',
      'a = b;',
      'return a;',
      'goto one;',
      'goto two;',
      'one: y();',
      'two: z();',
      'break;',
      'continue;',
      'case 1: x();',
      'default: y();',
      ';',
      'char *p __free(kfree) = q();',
      '#ifdef A\nx();\n#else\ny();\n#endif\n',
    ),
    tie('block').map((label) => `if (a && !b) ${label}`),
    fc.tuple(tie('block'), tie('block')).map(([right, char]) => `if (a) ${right} else ${char}`),
    tie('block').map((label) => `while (a) ${label}`),
    tie('block').map((label) => `do ${label} while (b);`),
    tie('block').map((label) => `for (i = 0; i < a; i++) ${label}`),
    tie('block').map((label) => `switch (a) ${label}`),
    tie('block').map((label) => `list_for_each_entry(p, &l, n) ${label}`),
    tie('block').map((label) => `scoped_guard(mutex, &m) ${label}`),
  ),
  block: fc.array(tie('statement'), { maxLength: 4 }).map((list) => `{ ${list.join('\n')} }`),
})).statement;

test('any function has a graph whose edges lead to its blocks and whose reachable blocks end', () => {
  fc.assert(
    fc.property(fc.array(statement, { maxLength: 6 }), (list) => {
      for (const fn of lowered(`int f(int a, int b)\n{\n${list.join('\n')}\n}\n`).functions) {
        const cfg = buildCfg(fn);
        cfg.blocks.forEach((block, i) => expect(block.id).toBe(i));
        const seen = new Set([0]);
        for (const id of seen) {
          const out = successors(cfg.blocks[id]!);
          // Only a return ends a path.
          if (cfg.blocks[id]!.terminator.kind !== 'return') expect(out.length).toBeGreaterThan(0);
          for (const successor of out) {
            expect(cfg.blocks[successor]).toBeDefined();
            seen.add(successor);
          }
        }
        expect(liveVariables(cfg)).toHaveLength(cfg.blocks.length);
      }
    }),
    { numRuns: 150 },
  );
});
