import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import Ajv from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createConfigurationFiles,
  mergeConfigurations,
  readSection,
} from '../../../server/src/engine/settings/read.ts';
import { ruleSettings } from '../../../server/src/engine/settings/rule-settings.ts';
import { DECLARED, FILE, type Wrapper } from '../../../server/src/engine/settings/schema.ts';
import { validate } from '../../../server/src/engine/settings/validate.ts';
import { OPERATIONS } from '../../../server/src/engine/settings/wrapper-words.ts';
import { rowsOf } from '../../../server/src/engine/settings/wrappers.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { memoryFileSystem } from '../../support/files.ts';
import { jsonSchemaOf } from '../../support/json-schema.ts';

const root = resolve(import.meta.dirname, '../../..');
/** What VS Code adds to JSON Schema; a validator has to be told. */
const ajv = new Ajv({ strict: true, allowUnionTypes: true });
for (const word of ['markdownDescription', 'markdownEnumDescriptions', 'patternErrorMessage'])
  ajv.addKeyword(word);

interface FileSchema {
  readonly properties: Readonly<Record<string, { readonly items?: unknown }>>;
}

const file = jsonSchemaOf(FILE) as FileSchema & ReturnType<typeof jsonSchemaOf>;

function propertiesOf(schema: unknown): Readonly<Record<string, unknown>> {
  return (schema as FileSchema).properties;
}

describe('settings that nobody writes', () => {
  it('are told of ten times, and then counted', () => {
    const section = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`key${i}`, 'off']));
    const { problems, configuration } = readSection({ rules: section, targetKernel: '6.1' });
    expect(problems.length).toBe(11);
    expect(problems[0]).toBe('vfioLifecycle.rules: "key0" is not known');
    expect(problems[10]).toBe('vfioLifecycle.and 2990 more');
    expect(configuration.targetKernel).toBe('6.1');
  });

  it('may be nested deeper than a stack', async () => {
    const text = `{"rules": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const { files } = await createConfigurationFiles(
      memoryFileSystem({ '/w/.vfio-lifecycle.json': text }),
    ).around('/w/a.c', '/w');
    expect(files[0]!.problems).toEqual([expect.stringMatching(/^rules: \[+… is no object$/)]);
  });
});

describe('the schema', () => {
  // `npx vitest run test/unit/engine/settings.test.ts -u` writes both files.
  it('is in schemas/', async () => {
    const text = `${JSON.stringify(jsonSchemaOf(FILE), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(resolve(root, 'schemas/vfio-lifecycle.schema.json'));
  });

  it('is that of the settings in package.json', async () => {
    const manifest = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));
    const { properties } = manifest.contributes.configuration;
    const none: Readonly<Record<string, unknown>> = { rules: {}, wrappers: [] };
    ['rules', 'wrappers', 'codeLens', 'inlayHints'].forEach((name, index) => {
      const { $schema, ...schema } = jsonSchemaOf(DECLARED[name]!);
      expect($schema).toBeDefined();
      properties[`vfioLifecycle.${name}`] = {
        order: index + 2,
        scope: 'resource',
        ...(name in none && { default: none[name] }),
        ...schema,
      };
    });
    manifest.contributes.jsonValidation = [
      { fileMatch: '.vfio-lifecycle.json', url: './schemas/vfio-lifecycle.schema.json' },
    ];
    await expect(`${JSON.stringify(manifest, null, 2)}\n`).toMatchFileSnapshot(
      resolve(root, 'package.json'),
    );
  });

  it('is described in docs/vendor-libraries.md, word for word', () => {
    const page = readFileSync(resolve(root, 'docs/vendor-libraries.md'), 'utf8');
    for (const [word, { errors }] of Object.entries(OPERATIONS))
      expect(page).toMatch(
        new RegExp(
          `^\\| \`${word}\` \\| .* \\| ${errors === 'value' ? '' : `\`${errors}\` `}\\|$`,
          'm',
        ),
      );
    for (const key of Object.keys(propertiesOf(file.properties['wrappers']!.items)))
      expect(page).toContain(`\n| \`${key}\` | `);
    const example = /```json\n(.*?)```/s.exec(page)![1]!;
    expect(validate(FILE, JSON.parse(example), '').problems).toEqual([]);
  });

  it('knows every rule and no other', () => {
    expect(Object.keys(propertiesOf(file.properties['rules']))).toEqual([
      'all',
      ...rules.map((rule) => rule.id),
    ]);
  });

  it('is a JSON Schema, and refuses what the reader refuses', () => {
    const isValid = ajv.compile(file);
    const word = fc.constantFrom(
      'missing-put',
      'double-put',
      'no-such-rule',
      'missing-put,all',
      'info',
      'error',
      'off',
      'fatal',
      'register',
      'alloc',
      'errno',
      'foo_core',
      '6.1',
      '6.x',
      '',
      '9lives',
    );
    const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        word,
        fc.integer({ min: -1, max: 40 }),
        fc.constant(null),
        fc.boolean(),
        fc.array(tie('value'), { maxLength: 3 }),
        tie('object'),
      ),
      object: fc.dictionary(
        fc.constantFrom(
          'targetKernel',
          'rules',
          'wrappers',
          'baseline',
          '$schema',
          'name',
          'does',
          'argument',
          'errors',
          'onFailure',
          'missing-put',
          'root',
          'other',
        ),
        tie('value'),
        { maxKeys: 4 },
      ),
    })).value;
    const wrapper = fc.record(
      {
        name: word,
        does: fc.oneof(word, fc.array(word, { maxLength: 2 })),
        argument: fc.integer({ min: -1, max: 40 }),
        errors: word,
        onFailure: word,
        other: word,
      },
      { requiredKeys: [] },
    );
    const typed = fc.record(
      {
        targetKernel: fc.oneof(word, value),
        rules: fc.oneof(fc.dictionary(word, word, { maxKeys: 3 }), value),
        wrappers: fc.oneof(fc.array(wrapper, { maxLength: 2 }), value),
        baseline: fc.oneof(word, value),
        other: value,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(typed, value), (input) => {
        const { value: valid, problems } = validate(FILE, input, '');
        // The names of rules are read after the schema.
        const names = ruleSettings(valid?.rules ?? {}, 'rules').problems;
        expect([...problems, ...names].length === 0, JSON.stringify(input)).toBe(isValid(input));
        // What is left is right.
        if (valid !== undefined && names.length === 0)
          expect(isValid(valid), JSON.stringify(valid)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what a user typed', () => {
  const of = (value: unknown): readonly string[] => {
    const { value: valid, problems } = validate(FILE, value, '');
    return [...problems, ...ruleSettings(valid?.rules ?? {}, 'rules').problems];
  };
  it.each([
    [{ rules: { 'mising-put': 'off' } }, ['rules: "mising-put" is not known; "missing-put" is']],
    [{ rules: { 'something-else': 'off' } }, ['rules: "something-else" is not known']],
    [
      { rules: { 'missing-put': 'fatal' } },
      ['rules["missing-put"]: "fatal" is none of error, warning, information, hint, off, info'],
    ],
    [{ rules: ['missing-put'] }, ['rules: ["missing-put"] is no object']],
    [{ targetkernel: '6.1' }, ['"targetkernel" is not known; "targetKernel" is']],
    [{ targetKernel: '6.x' }, ['targetKernel: "6.x" is not a kernel version such as 6.1']],
    [{ wrappers: [{ name: 'foo_put' }] }, ['wrappers[0]: "does" is missing']],
    [
      { wrappers: [{ name: 'foo put', does: 'put' }] },
      ['wrappers[0].name: "foo put" is not the name of a C function'],
    ],
    [
      { wrappers: [{ name: 'foo_put', does: 'put', argument: 0 }] },
      ['wrappers[0].argument: 0 is not between 1 and 32'],
    ],
    [
      { wrappers: [{ name: 'foo_put', does: 'put', argument: '1' }] },
      ['wrappers[0].argument: "1" is no whole number'],
    ],
    [{ wrappers: [{ name: 'foo_put', does: [] }] }, ['wrappers[0].does: the list is empty']],
    [
      { wrappers: [{ name: 'foo_put', does: 3 }] },
      ['wrappers[0].does: 3 is no string and no list'],
    ],
    [[], ['[] is no object']],
  ])('%j', (value, expected) => {
    expect(of(value)).toEqual(expected);
  });

  it('leaves what is right as it is', () => {
    const value = {
      rules: { 'missing-put': 'off', x: 'y', 'double-put': 'none' },
      other: 1,
      wrappers: [
        { name: 'a', does: 'put' },
        { name: 'b' },
        'c',
        { name: 'd', does: ['unregister', 'put'], argument: 2 },
      ],
    };
    expect(validate(FILE, value, '').value).toEqual({
      rules: { 'missing-put': 'off' },
      wrappers: [
        { name: 'a', does: 'put' },
        { name: 'd', does: ['unregister', 'put'], argument: 2 },
      ],
    });
  });

  it('is called by its name in the editor; what is for the client, and what is not set, is passed over', () => {
    expect(
      readSection({
        enable: 'auto',
        trace: { server: 'off' },
        targetKernel: null,
        rules: { 'missing-put': 3 },
      }),
    ).toEqual({
      configuration: { rules: {} },
      problems: ['vfioLifecycle.rules["missing-put"]: 3 is no string'],
    });
    for (const section of [undefined, null])
      expect(readSection(section)).toEqual({ configuration: {}, problems: [] });
    for (const section of ['x', 3, []]) expect(readSection(section).problems).toHaveLength(1);
  });
});

describe('wrappers', () => {
  const problems = (...wrappers: Wrapper[]): readonly string[] => rowsOf(wrappers).problems;

  it('become rows', () => {
    const { rows } = rowsOf([
      { name: 'foo_alloc', does: 'alloc' },
      { name: 'foo_register', does: ['assign-set', 'register'], argument: 2, onFailure: 'put' },
      { name: 'foo_end', does: ['unregister', 'put'] },
      { name: 'foo_log', does: 'nothing' },
      { name: 'foo_start', does: 'init', errors: 'errno' },
      { name: 'foo_make', does: 'alloc', out: 2 },
      { name: 'foo_stop', does: 'unregister', argument: 2, through: 'drvdata' },
    ]);
    expect(Object.fromEntries(rows!)).toEqual({
      foo_alloc: [{ kernels: {}, errors: 'err-ptr', success: [{ op: 'alloc', target: 'return' }] }],
      foo_register: [
        {
          kernels: {},
          errors: 'errno',
          success: [
            { op: 'assign-set', target: 1 },
            { op: 'register', target: 1 },
          ],
          failure: [{ op: 'put', target: 1 }],
        },
      ],
      foo_end: [
        {
          kernels: {},
          errors: 'void',
          success: [
            { op: 'unregister', target: 0 },
            { op: 'put', target: 0 },
          ],
        },
      ],
      foo_log: [{ kernels: {}, errors: 'value', success: [] }],
      foo_start: [{ kernels: {}, errors: 'errno', success: [{ op: 'init', target: 0 }] }],
      foo_make: [
        { kernels: {}, errors: 'errno', success: [{ op: 'alloc', target: 'return', out: 1 }] },
      ],
      foo_stop: [
        {
          kernels: {},
          errors: 'void',
          success: [{ op: 'unregister', target: 1, through: 'drvdata' }],
        },
      ],
    });
    expect(rowsOf([]).rows).toBeUndefined();
  });

  it('that cannot be are named, and the others work', () => {
    expect(problems({ name: 'vfio_put_device', does: 'nothing' })).toEqual([
      'wrappers: vfio_put_device is a function of the kernel, whose meaning is known',
    ]);
    for (const name of [
      'kfree',
      'IS_ERR',
      'container_of',
      'pci_get_drvdata',
      'mutex_lock',
      'ERR_PTR',
    ])
      expect(problems({ name, does: 'nothing' })).toEqual([
        `wrappers: ${name} is a function of the kernel, whose meaning is known`,
      ]);
    // It begins as functions of the kernel do, and is none.
    expect(problems({ name: 'pci_acme_put', does: 'put' })).toEqual([]);
    expect(problems({ name: 'a', does: 'put', out: 2 })).toEqual([
      'wrappers: a: it has "out", where it stores what it makes, and makes nothing',
    ]);
    expect(problems({ name: 'a', does: 'alloc', out: 2, errors: 'err-ptr' })).toEqual([
      'wrappers: a: it stores what it makes in its argument 2, so that "errors" is errno or void, not err-ptr',
    ]);
    expect(problems({ name: 'a', does: 'put' }, { name: 'a', does: 'get' })).toEqual([
      'wrappers: a is described twice; the first description counts',
    ]);
    expect(problems({ name: 'a', does: 'alloc', errors: 'errno' })).toEqual([
      'wrappers: a: it returns what it makes, so that "errors" is err-ptr or null-ptr, not errno; name the argument with "out" where it stores that in one',
    ]);
    expect(problems({ name: 'a', does: 'put', onFailure: 'get' })).toEqual([
      'wrappers: a: it has "onFailure" but no "errors" that tell of a failure',
    ]);
    expect(
      rowsOf([
        { name: 'kfree_foo', does: 'free' },
        { name: 'kfree_foo', does: 'put' },
      ]).rows!.get('kfree_foo'),
    ).toMatchObject([{ success: [{ op: 'free' }] }]);
  });
});

describe('configuration files', () => {
  const TREE = {
    '/.vfio-lifecycle.json': '{ "targetKernel": "5.15", "rules": { "use-after-put": "hint" } }',
    '/w/.vfio-lifecycle.json':
      '{ "root": true, "targetKernel": "6.1", "baseline": "known/findings.json", "rules": { "missing-put": "warning", "double-put": "hint" }, "wrappers": [{ "name": "core_end", "does": "put" }] }',
    '/w/a/b/.vfio-lifecycle.json':
      '{ "rules": { "missing-put": "off" }, "wrappers": [{ "name": "core_begin", "does": "alloc" }] }',
  };

  it('are merged upwards to the root, within the border', async () => {
    const files = createConfigurationFiles(memoryFileSystem(TREE));
    const found = async (file: string, border?: string): Promise<unknown> =>
      (await files.around(file, border)).configuration;
    const top = {
      targetKernel: '6.1',
      baseline: '/w/known/findings.json',
      rules: { 'missing-put': 'warning', 'double-put': 'hint' },
      wrappers: [{ name: 'core_end', does: 'put' }],
    };
    expect(await found('/w/a/x.c')).toEqual(top);
    const both = await files.around('/w/a/b/x.c', undefined);
    expect(both.configuration).toEqual({
      ...top,
      rules: { 'missing-put': 'off', 'double-put': 'hint' },
      wrappers: [
        { name: 'core_begin', does: 'alloc' },
        { name: 'core_end', does: 'put' },
      ],
    });
    expect(both.target).toEqual({ path: '/w/.vfio-lifecycle.json', targetKernel: '6.1' });
    expect(await found('/w/a/b/x.c', '/w/a')).toMatchObject({ rules: { 'missing-put': 'off' } });
    expect(await found('/v/x.c')).toEqual({
      targetKernel: '5.15',
      rules: { 'use-after-put': 'hint' },
    });
    expect(await found('/v/x.c', '/v')).toBeUndefined();
    expect(await found('untitled:x')).toBeUndefined();
  });

  it('that are there and cannot be read are told where folders are at hand', async () => {
    const fs = {
      readFile: async () => undefined,
      readDirectory: async (path: string) => (path === '/w' ? ['.vfio-lifecycle.json/'] : []),
    };
    const problems = async (tells: boolean): Promise<unknown> =>
      (await createConfigurationFiles(fs, tells).around('/w/a/x.c', undefined)).files.map((one) => [
        one.path,
        ...one.problems,
      ]);
    expect(await problems(true)).toEqual([['/w/.vfio-lifecycle.json', 'it cannot be read']]);
    expect(await problems(false)).toEqual([]);
  });

  it('are one object for one text', async () => {
    const texts: Record<string, string> = { ...TREE };
    const files = createConfigurationFiles({
      readFile: async (path) => texts[path],
      readDirectory: async () => [],
    });
    const at = async (file: string): Promise<unknown> =>
      (await files.around(file, undefined)).configuration;
    const first = await at('/w/a/b/x.c');
    expect(await at('/w/a/b/c/y.c')).toBe(first);
    texts['/w/.vfio-lifecycle.json'] = '{ "targetKernel": "6.6" }';
    expect(await at('/w/a/b/x.c')).toMatchObject({
      targetKernel: '6.6',
      rules: { 'missing-put': 'off', 'use-after-put': 'hint' },
    });
  });

  it.each([
    ['{ "all": "off", "missing-put": "info" }', 'information', 'off'],
    ['{ "missing-put": "information", "all": "hint" }', 'information', 'hint'],
    ['{ "double-put , missing-put": "off", "all": "error" }', 'off', 'off'],
    ['{ "missing-put": "warning", "double-put,missing-put": "off" }', 'warning', 'off'],
  ])('%s: what names fewer rules counts first', async (rules, missing, double) => {
    const { files, configuration } = await createConfigurationFiles(
      memoryFileSystem({ '/w/.vfio-lifecycle.json': `\ufeff{ "rules": ${rules} }` }),
    ).around('/w/x.c', undefined);
    expect(files[0]!.problems).toEqual([]);
    expect(configuration!.rules).toMatchObject({ 'missing-put': missing, 'double-put': double });
  });

  it.each([
    [
      '{',
      /^not JSON: line 1, column 2: the text ends, where there should be a key in double quotes or }$/,
    ],
    ['', /^not JSON: line 1, column 1: the text ends, where there should be a value$/],
    [
      '{ "rules": {\n<<<<<<< ours\n"missing-put": "off"\n=======\n>>>>>>> theirs\n} }',
      /^not JSON: line 2, column 1: an unresolved merge conflict$/,
    ],
    [
      '{ "rules": { "missing-put": "off",\n "missing-put": "error" } }',
      /^line 2, column 2: "missing-put" is there twice; the last counts$/,
    ],
    ['{ "root": "yes" }', /^root: "yes" is neither true nor false$/],
    [
      '{ "rules": { "missing-put, mising-uninit": "off" } }',
      /^rules: "mising-uninit" is not known; "missing-uninit" is$/,
    ],
    [
      '{ "rules": { "missing-put,double-put": "off", "missing-put,use-after-put": "error" } }',
      /^rules: two lists name missing-put, which is off in the first and error in the second; the first counts$/,
    ],
    ['[]', /^\[\] is no object$/],
    ['{ "baseline": "/etc/x" }', /^baseline: "\/etc\/x" is no path relative to this file$/],
    ['{ "rules": { "missing-put": "loud" } }', /^rules\["missing-put"\]: "loud" is none of /],
  ])('%s: one problem, and no more', async (text, expected) => {
    const { files } = await createConfigurationFiles(
      memoryFileSystem({ '/w/.vfio-lifecycle.json': text }),
    ).around('/w/x.c', undefined);
    expect(files[0]!.problems).toEqual([expect.stringMatching(expected)]);
  });
});

describe('precedence', () => {
  const over = {
    rules: { 'missing-put': 'off', 'double-put': 'hint' },
    wrappers: [{ name: 'a', does: 'put' }],
  } as const;
  const under = {
    targetKernel: '6.6',
    rules: { 'missing-put': 'error', 'use-after-put': 'warning' },
    wrappers: [
      { name: 'a', does: 'get' },
      { name: 'b', does: 'free' },
    ],
    baseline: '/w/b',
  } as const;

  it('the first counts, rule by rule and function by function', () => {
    expect(mergeConfigurations(over, under)).toEqual({
      targetKernel: '6.6',
      rules: { 'missing-put': 'off', 'double-put': 'hint', 'use-after-put': 'warning' },
      wrappers: [
        { name: 'a', does: 'put' },
        { name: 'b', does: 'free' },
      ],
      baseline: '/w/b',
    });
    expect(mergeConfigurations({ targetKernel: '6.1' }, under).targetKernel).toBe('6.1');
    expect(mergeConfigurations({ targetKernel: '' }, under).targetKernel).toBe('6.6');
  });

  it('the same two give the same object', () => {
    expect(mergeConfigurations(over, under)).toBe(mergeConfigurations(over, under));
    expect(mergeConfigurations(over, undefined)).toBe(over);
  });
});
