import { describe, expect, it } from 'vitest';
import { CLEAN, LEAKY, UNCHECKED } from '../../support/drivers.ts';
import { foldersOfTests } from '../../support/folder-of-test.ts';
import { CORE_WRAPPERS, OVER_CORE, OVER_CORE_LEAKY } from '../../support/vendor-core.ts';
import { run } from '../../support/command.ts';

const make = foldersOfTests();
const rulesIn = (stdout: string): string[] =>
  [...stdout.matchAll(/^\S+: (\w+): .* \[(\S+)\]$/gm)].map(
    ([, severity, rule]) => `${severity} ${rule}`,
  );

describe('.vfio-lifecycle.json', () => {
  it('gives a rule its severity, or switches it off', async () => {
    const { path, write } = make({
      'drv/foo.c': LEAKY,
      '.vfio-lifecycle.json': '{ "rules": { "missing-put": "warning" } }',
    });
    const { status, stdout } = await run(path, 'check', 'drv');
    expect({ status, rules: rulesIn(stdout) }).toEqual({
      status: 0,
      rules: ['warning missing-put'],
    });
    write('.vfio-lifecycle.json', '{ "rules": { "missing-put": "off" } }');
    expect(await run(path, 'check', 'drv')).toMatchObject({ status: 0, stdout: '' });
  });

  it('gives the target kernel, which --kernel overrides', async () => {
    const { path } = make({
      Makefile: 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n',
      'foo.c': CLEAN,
      '.vfio-lifecycle.json': '{ "targetKernel": "6.2" }',
    });
    expect((await run(path, 'check', 'foo.c')).stderr).toEqual([
      'vfio-lifecycle: target kernel 6.2: from .vfio-lifecycle.json',
    ]);
    expect((await run(path, 'check', '--kernel', '6.6', 'foo.c')).stderr).toEqual([
      'vfio-lifecycle: target kernel 6.6: from --kernel',
    ]);
  });

  it('counts for its tree: the nearest for each file', async () => {
    const { path } = make({
      'a/foo.c': LEAKY,
      'a/.vfio-lifecycle.json': '{ "rules": { "missing-put": "hint" } }',
      'b/foo.c': LEAKY,
      '.vfio-lifecycle.json': '{ "rules": { "missing-put": "warning" } }',
    });
    const { stdout } = await run(path, 'check', '.');
    expect(
      [...stdout.matchAll(/^(\S)\/foo\.c\S+ (\w+): .* \[missing-put\]$/gm)].map(
        ([, where, severity]) => `${where} ${severity}`,
      ),
    ).toEqual(['a hint', 'b warning']);
  });

  it('says each problem once, and the rest works', async () => {
    const { path } = make({
      'a.c': LEAKY,
      'b.c': LEAKY,
      '.vfio-lifecycle.json':
        '{ "rules": { "mising-put": "off", "missing-put": "hint" }, "targetKernel": "new" }',
    });
    const { status, stdout, stderr } = await run(path, 'check', '.');
    expect(rulesIn(stdout)).toEqual(['hint missing-put', 'hint missing-put']);
    expect(stderr).toEqual([
      'vfio-lifecycle: .vfio-lifecycle.json: targetKernel: "new" is not a kernel version such as 6.1',
      'vfio-lifecycle: .vfio-lifecycle.json: rules: "mising-put" is not known; "missing-put" is',
      'vfio-lifecycle: target kernel 6.1: the default: no kernel tree around the file',
    ]);
    expect(status).toBe(2);
  });

  it('that is no JSON is said once, and stands for an empty one', async () => {
    const { path } = make({ 'a.c': LEAKY, '.vfio-lifecycle.json': '{ rules: {} }' });
    const { status, stderr } = await run(path, 'check', 'a.c');
    expect({ status, first: stderr[0], lines: stderr.length }).toEqual({
      status: 2,
      first: expect.stringMatching(
        /^vfio-lifecycle: \.vfio-lifecycle\.json: not JSON: line 1, column 3: rules, where there should be a key/,
      ),
      lines: 2,
    });
  });

  it('are merged: a folder that switches one rule off keeps the target, the core and the baseline', async () => {
    const { path, write } = make({
      '.vfio-lifecycle.json': JSON.stringify({
        targetKernel: '6.2-rc3',
        baseline: 'ci/known.json',
        wrappers: CORE_WRAPPERS,
        rules: { all: 'warning' },
      }),
      'ci/known.json': '{ "version": 1, "findings": [] }',
      'nic/nic.c': OVER_CORE_LEAKY,
      'nic/.vfio-lifecycle.json': '{ "rules": { "use-after-put": "off" } }',
    });
    const merged = await run(path, 'check', 'nic');
    expect(rulesIn(merged.stdout)).toEqual(['warning missing-put']);
    expect(merged).toMatchObject({
      status: 0,
      stderr: ['vfio-lifecycle: target kernel 6.2: from .vfio-lifecycle.json'],
    });
    await run(path, 'check', '--update-baseline', 'nic');
    expect(await run(path, 'check', 'nic')).toMatchObject({ status: 0, stdout: '' });
    write('nic/.vfio-lifecycle.json', '{ "root": true }');
    expect(await run(path, 'check', 'nic')).toMatchObject({
      status: 0,
      stderr: ['vfio-lifecycle: target kernel 6.1: the default: no kernel tree around the file'],
    });
  });

  it('that is wrong is status 2 and stands in JSON and SARIF, with what is found all the same', async () => {
    const { path } = make({
      'drv/foo.c': LEAKY,
      'drv/.vfio-lifecycle.json':
        '{ "rules": { "missing-put": "loud" }, "baseline": "known.json" }',
    });
    const json = await run(path, 'check', '--format', 'json', 'drv');
    const problems = [
      {
        path: 'drv/.vfio-lifecycle.json',
        message:
          'rules["missing-put"]: "loud" is none of error, warning, information, hint, off, info',
      },
      { path: 'drv/known.json', message: 'no such baseline; --update-baseline writes it' },
    ];
    expect({ status: json.status, report: JSON.parse(json.stdout) }).toMatchObject({
      status: 2,
      report: { problems, summary: { error: 1 } },
    });
    const [one] = JSON.parse((await run(path, 'check', '--format', 'sarif', 'drv')).stdout).runs;
    expect(one.results).toHaveLength(1);
    expect(one.invocations).toMatchObject([
      {
        executionSuccessful: false,
        toolConfigurationNotifications: problems.map(({ path: uri, message }) => ({
          descriptor: { id: 'wrong-settings' },
          level: 'error',
          message: { text: message },
          locations: [{ physicalLocation: { artifactLocation: { uri } } }],
        })),
      },
    ]);
    expect(await run(path, 'check', '--baseline', 'gone.json', 'drv')).toMatchObject({
      status: 2,
      stderr: expect.arrayContaining([
        'vfio-lifecycle: gone.json: no such baseline; --update-baseline writes it',
      ]),
    });
    expect(await run(path, 'fix', 'drv')).toMatchObject({ status: 0 });
  });

  it("explains a vendor's core", async () => {
    const { path, write } = make({ 'nic.c': OVER_CORE_LEAKY });
    expect(
      rulesIn((await run(path, 'check', 'nic.c')).stdout).filter((one) => one.startsWith('error')),
    ).toEqual([]);
    write('.vfio-lifecycle.json', JSON.stringify({ wrappers: CORE_WRAPPERS }));
    const { status, stdout } = await run(path, 'check', 'nic.c');
    expect({ status, rules: rulesIn(stdout) }).toEqual({ status: 1, rules: ['error missing-put'] });
    expect(stdout).toContain('note: acme_core_alloc() takes the reference');
    write('nic.c', OVER_CORE);
    expect(await run(path, 'check', 'nic.c')).toMatchObject({ status: 0, stdout: '' });
  });

  it('names the rows that fit no call', async () => {
    const { path } = make({
      'drv/nic.c': OVER_CORE,
      '.vfio-lifecycle.json': JSON.stringify({
        wrappers: [
          ...CORE_WRAPPERS.slice(0, 3),
          { name: 'acme_core_put', does: 'put', argument: 2 },
          { name: 'acme_core_release', does: 'put' },
          { name: 'acme_core_find', does: 'get' },
          { name: 'kfree', does: 'put' },
        ],
      }),
    });
    const said = async (...args: string[]): Promise<[number | null, readonly string[]]> => {
      const { status, stderr } = await run(path, 'check', ...args);
      return [
        status,
        stderr
          .filter((line) => line.includes('wrappers'))
          .map((line) => line.replace(/^.*?: (?=wrappers: )/, '')),
      ];
    };
    const wrong = [
      'wrappers: kfree is a function of the kernel, whose meaning is known',
      'wrappers: acme_core_put fits no call of acme_core_put(): "argument" is 2, and the call has 1 argument',
    ];
    expect(await said('drv')).toEqual([2, wrong]);
    expect(await said('.')).toEqual([
      2,
      [...wrong, 'wrappers: acme_core_find fits no call: nothing here calls it'],
    ]);
  });

  it('counts for fixes too', async () => {
    const { path, write } = make({ 'foo.c': UNCHECKED });
    expect((await run(path, 'fix', 'foo.c')).stdout).toContain('+\tif (IS_ERR(foo))');
    write('.vfio-lifecycle.json', '{ "rules": { "null-check-on-alloc": "off" } }');
    expect((await run(path, 'fix', 'foo.c')).stdout).toBe('');
  });
});

describe('--rule', () => {
  it('counts before the file, for the rules that it names', async () => {
    const { path } = make({
      'foo.c': LEAKY,
      '.vfio-lifecycle.json': '{ "rules": { "missing-put": "off" } }',
    });
    expect(
      rulesIn((await run(path, 'check', '--rule', 'missing-put=information', 'foo.c')).stdout),
    ).toEqual(['information missing-put']);
    expect((await run(path, 'check', '--rule', 'double-put=off', 'foo.c')).stdout).toBe('');
  });

  it('takes all, lists and both names of a severity, as a file does', async () => {
    const { path } = make({ 'foo.c': LEAKY });
    const found = async (...options: string[]): Promise<string[]> =>
      rulesIn((await run(path, 'check', ...options, 'foo.c')).stdout);
    expect(await found('--rule', 'missing-put=info', '--rule', 'all=off')).toEqual([
      'information missing-put',
    ]);
    expect(await found('--rule', 'double-put, missing-put=off,use-after-put=hint')).toEqual([]);
    expect(await found('--only', 'all', '--rule', 'all=hint')).toEqual(['hint missing-put']);
    expect(
      (await run(path, 'check', '--rule', 'all=information', '--fail-on', 'information', 'foo.c'))
        .status,
    ).toBe(1);
  });

  it.each([
    ['missing-put', '--rule: "missing-put" is not of the form ID=SEVERITY'],
    ['mising-put=off', '--rule: "mising-put" is not known; "missing-put" is'],
    [
      'missing-put=loud',
      '--rule["missing-put"]: "loud" is none of error, warning, information, hint, off, info',
    ],
  ])('%s is bad usage', async (option, message) => {
    expect(
      await run(make({ 'foo.c': LEAKY }).path, 'check', '--rule', option, 'foo.c'),
    ).toMatchObject({
      status: 2,
      stdout: '',
      stderr: [`vfio-lifecycle: ${message}`],
    });
  });
});
