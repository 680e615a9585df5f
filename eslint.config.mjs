import regexp from 'eslint-plugin-regexp';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'out/', '.vscode-test/', '.editor/', '**/node_modules/'] },
  {
    files: ['**/*.ts', '**/*.mjs', '**/*.cjs'],
    extends: [tseslint.configs.base],
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-else-return': 'error',
      'no-nested-ternary': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-unreachable': 'error',
      'max-statements-per-line': ['error', { max: 1 }],
      // The limits of today: they fall when code is made simpler, and never rise.
      complexity: ['error', 40],
      'max-params': ['error', 7],
      // A name of one letter says nothing: i counts, T, K and V are any type.
      'id-length': [
        'error',
        { min: 2, exceptions: ['i', 'T', 'K', 'V', '_'], properties: 'never' },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    },
  },
  {
    // What writes whole drivers, branch by branch as their text goes.
    files: ['test/unit/convert/grammar.ts', 'test/unit/convert/generate.ts'],
    rules: { complexity: ['error', 70] },
  },
  {
    // These read types, which only the files of tsconfig.json have.
    files: ['client/src/**/*.ts', 'server/src/**/*.ts', 'test/**/*.ts'],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
    },
  },
  {
    // What a document holds is anybody's: a pattern takes a number of steps that grows with the
    // text, and not with its square.
    files: ['client/src/**/*.ts', 'server/src/**/*.ts'],
    plugins: { regexp },
    rules: {
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential' }],
    },
  },
  {
    files: ['server/src/**/*.ts'],
    ignores: ['server/src/rules/*.examples.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'CallExpression > SpreadElement',
          message: 'A call throws with some 100,000 arguments: use append(), largest() or a loop.',
        },
        // Many unclosed comments would each be looked for to the end of the text.
        {
          selector:
            'Literal[regex.pattern=/\\\\\\/\\\\\\*(?:\\[\\^\\]|\\[\\\\s\\\\S\\]|\\.|\\[\\^\\\\n\\])\\*\\??\\\\\\*\\\\\\//]',
          message: 'What is not closed has to end too: use COMMENT of server/src/text/lexical.ts.',
        },
      ],
    },
  },
);
