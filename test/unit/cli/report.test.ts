import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import { CLEAN, LEAKY, UNCHECKED } from '../../support/drivers.ts';
import { foldersOfTests } from '../../support/folder-of-test.ts';
import { applyEdits } from '../../../server/src/text/edits.ts';
import { lineIndex } from '../../../server/src/text/position.ts';
import { run } from '../../support/command.ts';

const make = foldersOfTests();

const PACKAGE = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { version: string; homepage: string; repository: { url: string } };

interface Region {
  readonly startLine: number;
  readonly startColumn: number;
  readonly endLine: number;
  readonly endColumn: number;
}
interface Location {
  readonly physicalLocation: {
    readonly artifactLocation: {
      readonly uri: string;
      readonly uriBaseId: string;
      readonly index: number;
    };
    readonly region: Region;
  };
  readonly logicalLocations?: readonly { readonly name: string }[];
  readonly message?: { readonly text: string };
}
interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly [Location];
  readonly relatedLocations?: readonly Location[];
  readonly codeFlows?: readonly [
    {
      readonly threadFlows: readonly [
        { readonly locations: readonly { readonly location: Location }[] },
      ];
    },
  ];
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly fixes?: readonly [
    {
      readonly artifactChanges: readonly [
        {
          readonly replacements: readonly {
            readonly deletedRegion: Region;
            readonly insertedContent: { readonly text: string };
          }[];
        },
      ];
    },
  ];
}

// The schema of the standard is of JSON Schema draft 4. What it uses of that, later drafts know by
// the same words, but for its own name.
const schema: Record<string, unknown> = JSON.parse(
  readFileSync(
    createRequire(import.meta.url).resolve(
      '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json',
    ),
    'utf8',
  ),
);
delete schema['id'];
delete schema['$schema'];
const validate = new Ajv({
  strict: false,
  validateFormats: false,
  unicodeRegExp: false,
  allErrors: true,
}).compile(schema);

/** Runs check, validates what it prints, and gives back the only run in it. */
async function sarif(path: string, ...args: string[]) {
  const { stdout, status } = await run(path, 'check', '--format', 'sarif', ...args);
  const log = JSON.parse(stdout);
  validate(log);
  expect(validate.errors ?? []).toEqual([]);
  expect(log.runs).toHaveLength(1);
  return { status, log, run: log.runs[0], results: log.runs[0].results as Result[] };
}

describe('check --format sarif', () => {
  it('is a log of SARIF 2.1.0, with findings and without', async () => {
    expect(await sarif(make({ 'foo.c': LEAKY }).path, '.')).toMatchObject({
      status: 1,
      log: { version: '2.1.0' },
      results: [{ ruleId: 'missing-put', level: 'error' }],
    });
    expect(await sarif(make({ 'foo.c': CLEAN }).path, '.')).toMatchObject({
      status: 0,
      results: [],
    });
  });

  it('the schema test can fail', () => {
    expect(
      validate({
        version: '2.1.0',
        runs: [{ tool: { driver: { name: 'x' } }, results: [{ message: 'text' }] }],
      }),
    ).toBe(false);
  });

  it('describes every rule, with its page as help', async () => {
    const {
      run: {
        tool: { driver },
      },
      results,
    } = await sarif(make({ 'foo.c': LEAKY }).path, '.');
    const ids = driver.rules.map((rule: { id: string }) => rule.id);
    expect(ids).toEqual([...ids].sort());
    expect(ids[results[0]!.ruleIndex]).toBe('missing-put');
    for (const rule of driver.rules) {
      expect(rule.help.markdown).toContain(`# ${rule.id}\n`);
      expect(rule.help.text).not.toContain('`');
      expect(rule.shortDescription.text).toMatch(/\S\.$/);
      expect(rule.helpUri).toBe(
        `${PACKAGE.repository.url.replace(/\.git$/, '')}/blob/HEAD/docs/rules/${rule.id}.md`,
      );
      expect(
        readFileSync(new URL(`../../../docs/rules/${rule.id}.md`, import.meta.url), 'utf8'),
      ).toBe(rule.help.markdown);
    }
  });

  it('names the program by web addresses, and no path of where it was built', async () => {
    const {
      log,
      run: {
        tool: { driver },
      },
    } = await sarif(make({ 'foo.c': CLEAN }).path, '.');
    expect(driver.informationUri).toBe(PACKAGE.homepage);
    expect(driver.semanticVersion).toBe(PACKAGE.version);
    expect(JSON.stringify(log)).not.toContain(fileURLToPath(new URL('../../..', import.meta.url)));
  });

  it('counts lines and columns from one, and gives the function and the path to the place', async () => {
    const {
      results: [result],
    } = await sarif(make({ 'foo.c': LEAKY }).path, '.');
    const [location] = result!.locations;
    expect(location.physicalLocation.region).toEqual({
      startLine: 29,
      startColumn: 3,
      endLine: 29,
      endColumn: 14,
    });
    expect(location.logicalLocations).toEqual([{ name: 'foo_probe', kind: 'function' }]);
    const steps = result!.codeFlows![0].threadFlows[0].locations.map((one) => one.location);
    expect(steps.slice(0, -1).map((one) => one.message!.text)).toEqual(
      result!.relatedLocations!.map((one) => one.message!.text),
    );
    expect(steps.at(-1)).toMatchObject({ ...location, message: result!.message });
    expect(steps[0]!.message!.text).toContain('vfio_alloc_device()');
  });

  it('counts columns in UTF-16 code units', async () => {
    const {
      results: [result],
    } = await sarif(
      make({ 'foo.c': LEAKY.replace('\t\treturn ret;', '\t\t/* 𝄞ä */ return ret;') }).path,
      '.',
    );
    expect(result!.locations[0].physicalLocation.region).toMatchObject({
      startLine: 29,
      startColumn: 3 + '/* 𝄞ä */ '.length,
    });
  });

  it('carries fixes that give the fixed text', async () => {
    const { results } = await sarif(make({ 'foo.c': UNCHECKED }).path, '.');
    const lines = lineIndex(UNCHECKED);
    const offset = (line: number, column: number): number =>
      lines.offset({ line: line - 1, character: column - 1 });
    const edits = results
      .find((one) => one.ruleId === 'null-check-on-alloc')!
      .fixes![0].artifactChanges[0].replacements.map(
        ({ deletedRegion: { startLine, startColumn, endLine, endColumn }, insertedContent }) => ({
          span: { start: offset(startLine, startColumn), end: offset(endLine, endColumn) },
          newText: insertedContent.text,
        }),
      );
    expect(applyEdits(UNCHECKED, edits)).toContain('if (IS_ERR(foo))');
  });

  it('names files from the root of the repository, wherever it runs', async () => {
    const { path, pathOf } = make({ '.git/HEAD': '', 'drv/a b/foo.c': LEAKY });
    for (const [cwd, arg] of [
      [path, '.'],
      [pathOf('drv'), 'a b/foo.c'],
      [pathOf('drv/a b'), '.'],
    ] as const) {
      const { run: report, results } = await sarif(cwd, arg);
      expect(results[0]!.locations[0].physicalLocation.artifactLocation).toEqual({
        uri: 'drv/a%20b/foo.c',
        uriBaseId: 'SRCROOT',
        index: 0,
      });
      expect(report.originalUriBaseIds).toEqual({
        SRCROOT: { uri: `${pathToFileURL(path).href}/` },
      });
      expect(report.artifacts).toEqual([
        {
          location: { uri: 'drv/a%20b/foo.c', uriBaseId: 'SRCROOT', index: 0 },
          roles: ['analysisTarget'],
          sourceLanguage: 'c',
        },
      ]);
    }
  });

  it('names a file of another tree from the root of that', async () => {
    const { pathOf } = make({ 'here/.git/HEAD': '', 'there/.git/HEAD': '', 'there/foo.c': LEAKY });
    const { run: report, results } = await sarif(pathOf('here'), '../there/foo.c');
    const { uri, uriBaseId } = results[0]!.locations[0].physicalLocation.artifactLocation;
    expect(new URL(uri, report.originalUriBaseIds[uriBaseId].uri).href).toBe(
      pathToFileURL(pathOf('there/foo.c')).href,
    );
  });

  it('gives a finding the same fingerprint when its lines move, and another in another function', async () => {
    const { path, write } = make({ 'foo.c': LEAKY });
    const print = async (): Promise<string> =>
      (await sarif(path, '.')).results[0]!.partialFingerprints['vfioLifecycle/v2']!;
    const before = await print();
    write(
      'foo.c',
      `/* New. */\n\n${LEAKY.replace('\t\treturn ret;', '\t\t return  ret; /* here */')}`,
    );
    expect(await print()).toBe(before);
    write('foo.c', LEAKY.replaceAll('foo_probe', 'foo_bind'));
    expect(await print()).not.toBe(before);
  });

  it('tells what was not analysed, and that a file could not be read', async () => {
    const { path } = make({ 'foo.c': `/* vfio */${' '.repeat(4_000_001)}`, 'bar.c': CLEAN });
    const { run: report, status } = await sarif(path, 'foo.c', 'bar.c', 'none.c');
    expect(status).toBe(2);
    expect(report.invocations).toEqual([
      {
        executionSuccessful: false,
        toolExecutionNotifications: [
          {
            descriptor: { id: 'not-analysed', index: 0 },
            level: 'warning',
            message: { text: expect.stringMatching(/^The file was not analysed: .*4 million/) },
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri: 'foo.c', uriBaseId: 'SRCROOT', index: 1 },
                },
              },
            ],
          },
        ],
        toolConfigurationNotifications: [],
      },
    ]);
  });
});

describe('check --format gitlab', () => {
  it('is a list of issues with a fingerprint each', async () => {
    const twice = LEAKY.replace(
      '\tdev_set_drvdata(&mdev->dev, foo);\n\treturn 0;',
      '\tret = foo_start(mdev);\n\tif (ret)\n\t\treturn ret;\n\tdev_set_drvdata(&mdev->dev, foo);\n\treturn 0;',
    );
    const { pathOf } = make({ '.git/HEAD': '', 'drv/foo.c': twice });
    const issues = JSON.parse(
      (await run(pathOf('drv'), 'check', '--format', 'gitlab', '.')).stdout,
    );
    expect(issues).toHaveLength(2);
    expect(issues[0]).toEqual({
      type: 'issue',
      check_name: 'missing-put',
      description: expect.stringContaining('vfio_put_device()'),
      categories: ['Bug Risk'],
      severity: 'critical',
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      location: { path: 'drv/foo.c', lines: { begin: 29, end: 29 } },
    });
    expect(issues[1].fingerprint).not.toBe(issues[0].fingerprint);
  });

  it('is an empty list without findings', async () => {
    expect(
      await run(make({ 'foo.c': CLEAN }).path, 'check', '--format', 'gitlab', '.'),
    ).toMatchObject({
      status: 0,
      stdout: '[]\n',
    });
  });
});

describe('check --format github', () => {
  it('prints a workflow command for each finding, with its path in the message', async () => {
    const { pathOf } = make({ '.git/HEAD': '', 'drv/foo.c': LEAKY });
    const { stdout, status, stderr } = await run(pathOf('drv'), 'check', '--format', 'github', '.');
    expect(stdout).toMatch(
      /^::error file=drv\/foo\.c,line=29,endLine=29,col=3,endColumn=14,title=missing-put::the reference of .* when registration fails.*%0Adrv\/foo\.c:23: vfio_alloc_device\(\).*\n$/,
    );
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect({ status, stderr: stderr.length }).toEqual({ status: 1, stderr: 1 });
  });

  it('escapes what would end a property or the command', async () => {
    const { path } = make({ 'a,b:c%\n/foo.c': LEAKY });
    expect((await run(path, 'check', '--format', 'github', '.')).stdout).toMatch(
      /^::error file=a%2Cb%3Ac%25%0A\/foo\.c,line=29/,
    );
  });
});
