import { describe, expect, it } from 'vitest';
import { compilerFlags } from '../../../server/src/lsp/node-compiler-flags.ts';

describe('the flags of the compiler', () => {
  it.each([
    ['11.3.244.8-node.33', /^--interrupt-budget=/],
    ['12.4.254.21-node.33', /^--invocation-count-for-/],
    ['13.6.233.17-electron.0', /^--invocation-count-for-/],
  ])('are those that V8 %s knows', (version, later) => {
    expect(compilerFlags(version).filter((flag) => later.test(flag))).not.toEqual([]);
    expect(compilerFlags(version).filter((flag) => !later.test(flag))).toEqual([
      '--no-flush-bytecode',
    ]);
  });

  it('are no more than what all know for a version that was not tried', () => {
    expect(compilerFlags('99.1')).toEqual(['--no-flush-bytecode']);
  });
});
