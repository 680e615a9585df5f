import { describe, expect, it, test } from 'vitest';
import {
  buildMacros,
  compilerArguments,
  configurationIn,
  shellWords,
} from '../../../server/src/engine/project/build-options.ts';
import { evaluateTest, macrosOf } from '../../../server/src/lifecycle/module/preprocessor.ts';

describe('the arguments of a compiler', () => {
  it('are those that matter, glued to their option or after it', () => {
    const found = compilerArguments(
      '-nostdinc -I./include -I /a -isystem /b -include ./include/linux/kconfig.h -D__KERNEL__ -D A=2 -UB -DMODULE -Wp,-MMD,x.d -o x.o -c -x c drv/foo.c'.split(
        ' ',
      ),
    );
    expect(found.includeFolders).toEqual(['./include', '/a', '/b']);
    expect(found.forcedHeaders).toEqual(['./include/linux/kconfig.h']);
    expect([...found.defines]).toEqual([
      ['__KERNEL__', '1'],
      ['A', '2'],
      ['MODULE', '1'],
    ]);
    expect([...found.undefined]).toEqual(['B']);
    expect(found.file).toBe('drv/foo.c');
  });

  test.each<[string, string[]]>([
    [`gcc -DA=\\"x\\" 'b c' "d \\"e\\""`, ['gcc', '-DA="x"', 'b c', 'd "e"']],
    ['', []],
    [`a'b'"c"\\ d`, ['abc d']],
    [`'unclosed`, ['unclosed']],
  ])('%j is split as a shell does', (command, words) => {
    expect(shellWords(command)).toEqual(words);
  });
});

test.each<[string, readonly (readonly [string, string])[] | null]>([
  [
    '#define CONFIG_A 1\n#define CONFIG_B_MODULE 1\n#define CONFIG_C 250\n',
    [
      ['CONFIG_A', '1'],
      ['CONFIG_B_MODULE', '1'],
      ['CONFIG_C', '250'],
    ],
  ],
  [
    'CONFIG_A=y\nCONFIG_B=m\n# CONFIG_D is not set\nCONFIG_C=250\nCONFIG_E="x y"\n',
    [
      ['CONFIG_A', '1'],
      ['CONFIG_B_MODULE', '1'],
      ['CONFIG_C', '250'],
      ['CONFIG_E', '"x y"'],
    ],
  ],
  ['# CONFIG_D is not set\n', []],
  ['int main(void);\n', null],
])('%j is a configuration', (text, expected) => {
  const found = configurationIn(text);
  expect(found && [...found]).toEqual(expected);
});

describe('a test of the configuration', () => {
  const compiled = {
    defines: new Map([
      ['MODULE', '1'],
      ['LEVEL', '3'],
      ['NONE', '0'],
    ]),
    undefined: new Set(['GONE']),
  };
  const configuration = configurationIn(
    'CONFIG_YES=y\nCONFIG_MOD=m\nCONFIG_HZ=250\nCONFIG_NAME="x"\n',
  );
  const truth = (expression: string, build = buildMacros(compiled, configuration)) => {
    const module = { sources: [], headers: [], build };
    return evaluateTest(expression, [6, 1], macrosOf(module, [6, 1]));
  };

  test.each([
    ['CONFIG_YES', 'true'],
    ['CONFIG_MOD', 'false'],
    ['CONFIG_MOD_MODULE', 'true'],
    ['CONFIG_NO', 'false'],
    ['CONFIG_NAME', 'true'],
    ['defined(CONFIG_YES) && !defined(CONFIG_NO)', 'true'],
    ['IS_ENABLED(CONFIG_YES)', 'true'],
    ['IS_ENABLED(CONFIG_MOD)', 'true'],
    ['IS_ENABLED(CONFIG_NO)', 'false'],
    ['IS_BUILTIN(CONFIG_MOD)', 'false'],
    ['IS_MODULE(CONFIG_MOD)', 'true'],
    ['IS_MODULE(CONFIG_YES)', 'false'],
    ['IS_REACHABLE(CONFIG_MOD)', 'true'],
    ['IS_ENABLED(CONFIG_HZ)', 'false'],
    ['CONFIG_HZ > 100', 'true'],
    ['CONFIG_HZ == 100', 'false'],
    ['LEVEL >= 2', 'true'],
    ['NONE', 'unknown'],
    ['defined(NONE) && 1', 'true'],
    ['GONE', 'false'],
    ['ELSEWHERE', 'unknown'],
    ['IS_ENABLED(ELSEWHERE)', 'unknown'],
  ])('%s is %s', (expression, expected) => {
    expect(truth(expression)).toBe(expected);
  });

  it('is unknown where there is no configuration, and where nobody says how the file is linked', () => {
    expect(truth('CONFIG_YES', buildMacros(compiled, null))).toBe('unknown');
    expect(truth('IS_REACHABLE(CONFIG_MOD)', buildMacros(null, configuration))).toBe('unknown');
    const builtIn = buildMacros({ defines: new Map(), undefined: new Set() }, configuration);
    expect(truth('IS_REACHABLE(CONFIG_MOD)', builtIn)).toBe('false');
  });
});
