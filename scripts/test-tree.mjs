// A month of a driver tree and its CI, played through with dist/cli.cjs in a repository of its own:
// what is new is reported, what is known is not, at every step. What jobs run is taken out of
// docs/ci.md, so that what stands there works. `npm run test:tree`; ends with the line of counts.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { line, tally } from './lib/counts.mjs';
import { inProject } from './lib/paths.mjs';
import { hasProgram } from './lib/run.mjs';

const CLI = inProject('dist/cli.cjs');
if (!existsSync(CLI)) {
  console.error('dist/cli.cjs is missing: run npm run build first');
  process.exit(2);
}

const work = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-tree-'));
const tree = path.join(work, 'tree');
/** What a check gives where nothing is new. */
const NOTHING = { status: 0, found: [] };
const { counts, result } = tally();
try {
  prepare();
  createBaseline();
  mendOneAndAddOne();
  renameAndMove();
  changeTheKernel();
  mergeTwoBranches();
  runJobs();
  sendPatches();
  checkChanges();
  runPreCommit();
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(line(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;

/** A driver that leaks where `failing` says, with calls after the registration. */
function driver(name, { leaks = [], isChecked = true } = {}) {
  const failing = [
    'vfio_register_emulated_iommu_dev(&NAME->vdev)',
    'NAME_start(mdev)',
    'NAME_arm(mdev)',
  ]
    .map((call, index) => {
      const undo = [
        ...(index > 0 ? ['\t\tvfio_unregister_group_dev(&NAME->vdev);\n'] : []),
        '\t\tvfio_put_device(&NAME->vdev);\n',
      ].join('');
      return leaks.includes(index)
        ? `\tret = ${call};\n\tif (ret)\n\t\treturn ret;\n\n`
        : `\tret = ${call};\n\tif (ret) {\n${undo}\t\treturn ret;\n\t}\n\n`;
    })
    .join('');
  const test = isChecked
    ? '\tif (IS_ERR(NAME))\n\t\treturn PTR_ERR(NAME);\n'
    : '\tif (!NAME)\n\t\treturn -ENOMEM;\n';
  return `#include <linux/vfio.h>

struct NAME {
	struct vfio_device vdev;
};

static void NAME_release(struct vfio_device *vdev)
{
}

static const struct vfio_device_ops NAME_ops = {
	.name = "NAME",
	.release = NAME_release,
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
};

static int NAME_probe(struct mdev_device *mdev)
{
	struct NAME *NAME;
	int ret;

	NAME = vfio_alloc_device(NAME, vdev, &mdev->dev, &NAME_ops);
${test}
${failing}	dev_set_drvdata(&mdev->dev, NAME);
	return 0;
}

static void NAME_remove(struct mdev_device *mdev)
{
	struct NAME *NAME = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&NAME->vdev);
	vfio_put_device(&NAME->vdev);
}

static struct mdev_driver NAME_driver = {
	.probe = NAME_probe,
	.remove = NAME_remove,
};
`.replaceAll('NAME', name);
}

/** The same of the model before 6.1, which frees its object itself. */
function oldDriver(name) {
  return driver(name)
    .replace(
      `vfio_alloc_device(${name}, vdev, &mdev->dev, &${name}_ops)`,
      `kzalloc(sizeof(*${name}), GFP_KERNEL)`,
    )
    .replace(
      `\tif (IS_ERR(${name}))\n\t\treturn PTR_ERR(${name});\n`,
      `\tif (!${name})\n\t\treturn -ENOMEM;\n\n\tvfio_init_group_dev(&${name}->vdev, &mdev->dev, &${name}_ops);\n`,
    )
    .replaceAll(
      /(\t+)vfio_put_device\(&(\w+)->vdev\);/g,
      '$1vfio_uninit_group_dev(&$2->vdev);\n$1kfree($2);',
    )
    .replace(/static void \w+_release[^}]*}\n\n/, '')
    .replace(/\t\.release = .*\n(?:\t\.\w+_i.*\n)*/, '');
}

function write(name, text) {
  const file = path.join(tree, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function read(name) {
  return readFileSync(path.join(tree, name), 'utf8');
}

function edit(name, change) {
  write(name, change(read(name)));
}

/** Runs shell text as a job does: ends with the first command that fails. */
function shell(text) {
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', text], {
    cwd: tree,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${path.join(work, 'bin')}:${process.env.PATH}`,
      VFIO_LIFECYCLE: 'vfio-lifecycle.tgz',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_SYSTEM: '/dev/null',
    },
  });
  return { status, stdout, stderr };
}

function git(text) {
  const ran = shell(`git ${text}`);
  if (ran.status !== 0) throw new Error(`git ${text}: ${ran.stderr}${ran.stdout}`);
  return ran.stdout;
}

function commit(message) {
  git(`add -A && git commit -qm '${message}'`);
}

/** Counts a comparison of two values that JSON can hold. */
function expect(what, found, wanted) {
  const [text, other] = [found, wanted].map((one) => JSON.stringify(one));
  result(what, text === other, [`found  ${text}`, `wanted ${other}`]);
}

/** What a check reports as `file function rule`, and its status. */
function check(options = '') {
  const { status, stdout, stderr } = shell(
    `vfio-lifecycle check --format json ${options} drivers/vfio`,
  );
  const files = stdout === '' ? [] : JSON.parse(stdout).files;
  const found = files.flatMap((file) =>
    file.diagnostics.map((one) => `${path.basename(file.path)} ${one.function} ${one.rule}`),
  );
  return { status, found, stderr };
}

function expectCheck(what, wanted, options) {
  const { status, found } = check(options);
  expect(what, { status, found }, wanted);
}

/** A repository with three drivers, and programs as a machine of a CI has them. */
function prepare() {
  mkdirSync(tree);
  mkdirSync(path.join(work, 'bin'));
  program('vfio-lifecycle', `exec '${process.execPath}' '${CLI}' "$@"`);
  // What would install the package: that it is asked to install something is all that is looked at.
  program('npm', '[ "$1 $2" = "install --global" ] && [ -n "$3" ]');
  write('.vfio-lifecycle.json', '{ "targetKernel": "6.6", "baseline": "vfio-baseline.json" }\n');
  write('drivers/vfio/ant.c', driver('ant', { leaks: [0, 1] }));
  write('drivers/vfio/bee.c', driver('bee', { isChecked: false }));
  write('drivers/vfio/cat/main.c', driver('cat', { leaks: [2] }));
  git('init -q -b main && git config user.name Ann && git config user.email ann@example.org');
  commit('drivers');
}

function program(name, text) {
  const file = path.join(work, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

function createBaseline() {
  const known = [
    'ant.c ant_probe missing-put',
    'ant.c ant_probe missing-put',
    'bee.c bee_probe null-check-on-alloc',
    'main.c cat_probe missing-put',
  ];
  write('empty.json', '{ "version": 2, "findings": [] }\n');
  expectCheck(
    'without a baseline all is reported',
    { status: 1, found: known },
    '--baseline empty.json',
  );
  rmSync(path.join(tree, 'empty.json'));
  const commands = blocksOf('Known findings', 'sh').join('\n');
  expect('the commands of the page write a baseline and check with it', shell(commands).status, 0);
  expectCheck('what is known is not reported', NOTHING);
  commit('baseline');
}

function mendOneAndAddOne() {
  write('drivers/vfio/ant.c', driver('ant', { leaks: [1, 2] }));
  expectCheck('a leak is new beside one that was mended in the same function', {
    status: 1,
    found: ['ant.c ant_probe missing-put'],
  });
  write('drivers/vfio/ant.c', driver('ant', { leaks: [1] }));
  expectCheck('a mended leak is no finding', NOTHING);
  expectCheck(
    'and fails a job that wants the baseline to be true',
    { ...NOTHING, status: 1 },
    '--fail-on-gone',
  );
  check('--update-baseline');
  expectCheck('until it is updated', NOTHING, '--fail-on-gone');
  commit('mend ant');
}

function renameAndMove() {
  edit('drivers/vfio/bee.c', (text) => text.replaceAll('bee_probe', 'bee_bind'));
  expectCheck('a renamed function is known', NOTHING);
  mkdirSync(path.join(tree, 'drivers/vfio/dog'));
  renameSync(
    path.join(tree, 'drivers/vfio/cat/main.c'),
    path.join(tree, 'drivers/vfio/dog/core.c'),
  );
  edit('drivers/vfio/dog/core.c', (text) => `/* Moved. */\n\n${text}`);
  expectCheck('a moved file is known', NOTHING, '--fail-on-gone');
  check('--update-baseline');
  expect(
    'the baseline has the new names',
    /bee_bind/.test(read('vfio-baseline.json')) && /dog\/core/.test(read('vfio-baseline.json')),
    true,
  );
  expectCheck('and knows them', NOTHING, '--fail-on-gone');
  commit('rename and move');
}

function changeTheKernel() {
  expectCheck(
    'another kernel knows what it shares, and calls nothing gone',
    NOTHING,
    '--kernel 6.12 --fail-on-gone',
  );
  const old = check('--kernel 5.15');
  expect('a kernel without the interface has findings of its own', old.status, 1);
  expect(
    'and none that is known',
    old.found.filter((one) => one.endsWith('missing-put')),
    [],
  );
  check('--kernel 5.15 --update-baseline');
  expectCheck('it knows them once they are in the file', NOTHING, '--kernel 5.15 --fail-on-gone');
  expectCheck('which the other kernel shares', NOTHING, '--fail-on-gone');
  commit('two kernels');
}

function mergeTwoBranches() {
  for (const name of ['elk', 'fox']) {
    git(`checkout -q -b ${name} main`);
    write(`drivers/vfio/${name}.c`, driver(name, { leaks: [0] }));
    check('--update-baseline');
    commit(name);
  }
  const merged = shell('git merge -q elk');
  expect('two branches that add to the baseline conflict', merged.status, 1);
  const { status, stderr } = check();
  expect(
    'a conflict is told with its line',
    [status, /vfio-baseline\.json:\d+: a merge conflict/.test(stderr)],
    [2, true],
  );
  const conflicted = read('vfio-baseline.json');
  write('vfio-baseline.json', conflicted.replaceAll(/^[<=>]{7}.*\n/gm, ''));
  expectCheck('the lines of both sides know what both know', NOTHING);
  write('vfio-baseline.json', conflicted);
  check('--update-baseline');
  expectCheck('and so does an update', NOTHING, '--fail-on-gone');
  git('add -A && git commit -qm merge && git checkout -q -B main');
}

function runJobs() {
  const jobs = [
    [
      'GitHub',
      'vfio.sarif',
      (text) => JSON.parse(text).runs[0].results.filter((one) => one.baselineState === 'new'),
    ],
    ['GitLab', 'gl-code-quality-report.json', JSON.parse],
  ];
  for (const isClean of [true, false]) {
    if (!isClean) write('drivers/vfio/gnu.c', driver('gnu', { leaks: [1] }));
    for (const [host, report, issuesOf] of jobs) {
      const steps = stepsOf(host);
      const statuses = steps.map((step) => shell(step).status);
      const wanted = steps.map((_, index) => (isClean || index < steps.length - 1 ? 0 : 1));
      const state = isClean ? 'passes where all is known' : 'fails at its last step for a new leak';
      expect(`the job of ${host} ${state}`, statuses, wanted);
      expect(
        `and its report has ${isClean ? 'nothing new' : 'that leak'}`,
        issuesOf(read(report)).length,
        isClean ? 0 : 1,
      );
      rmSync(path.join(tree, report));
    }
  }
  rmSync(path.join(tree, 'drivers/vfio/gnu.c'));
}

function sendPatches() {
  write('drivers/vfio/hen.c', oldDriver('hen'));
  commit('hen');
  const [fix, ...others] = blocksOf('Patches', 'sh').join('\n').trimEnd().split('\n');
  expect(
    'fixes go through git apply',
    [shell(fix).status, /IS_ERR\(bee\)/.test(read('drivers/vfio/bee.c'))],
    [0, true],
  );
  rmSync(path.join(tree, 'fixes.patch'), { force: true });
  commit('fixes');
  const statuses = others.map((command) => shell(`set -o pipefail; ${command}`).status);
  expect(
    'the other commands of the page run',
    statuses,
    others.map(() => 0),
  );
  expect(
    'a conversion is a commit',
    git('log -1 --format=%s').trim(),
    'vfio/hen: Use vfio_alloc_device()',
  );
  expectCheck('and brings nothing new', NOTHING);
}

/** The commands of the page about changes: each finds the one leak that the change brings. */
function checkChanges() {
  const commands = blocksOf('Only what a change brings', 'sh').join('\n').trimEnd().split('\n');
  const ofWork = commands.filter((one) => !one.includes('.patch'));
  const ofPatch = commands.filter((one) => one.includes('.patch'));
  write('drivers/vfio/owl.c', driver('owl', { leaks: [1] }));
  git('add -A');
  const run = (command) => {
    const { status, stdout } = shell(`${command.replace('origin/main', 'HEAD')}`);
    return [status, stdout.match(/\[[\w-]+\]$/gm)?.length ?? 0, /owl\.c/.test(stdout)];
  };
  for (const command of ofWork)
    expect(`a change is checked: ${command}`, run(command), [1, 1, true]);
  commit('owl');
  git('format-patch -q -1 HEAD -o .');
  git('reset -q --hard HEAD~');
  for (const command of ofPatch)
    expect(`a patch is checked: ${command}`, run(command), [1, 1, true]);
}

/**
 * pre-commit itself, by the entry of the page for a machine where the program is installed: the
 * other one installs packages from the network.
 */
function runPreCommit() {
  if (!hasProgram('pre-commit')) {
    counts.skipped += 2;
    return;
  }
  const [, local] = blocksOf('Only what a change brings', 'yaml');
  write('.pre-commit-config.yaml', local);
  commit('pre-commit');
  const run = () => shell(`PRE_COMMIT_HOME=${path.join(work, 'pre-commit')} pre-commit run`);
  write('drivers/vfio/elk.c', driver('elk'));
  git('add -A');
  expect('pre-commit lets a clean driver pass', run().status, 0);
  write('drivers/vfio/elk.c', driver('elk', { leaks: [1] }));
  git('add -A');
  const { status, stdout } = run();
  expect('and stops a leak', [status, /elk\.c.*\[missing-put\]/.test(stdout)], [1, true]);
  git('reset -q --hard');
}

/** The fenced blocks of a language below a heading of docs/ci.md. */
function blocksOf(heading, language) {
  const text = readFileSync(inProject('docs/ci.md'), 'utf8');
  const part = text.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? '';
  const parts = part.split(/^```/m).filter((one) => one.startsWith(`${language}\n`));
  if (parts.length === 0) throw new Error(`docs/ci.md has no ${language} below ${heading}`);
  return parts.map((one) => one.slice(language.length + 1));
}

/** The shell commands of the job of a host: `run:` of GitHub, the items of `script:` of GitLab. */
function stepsOf(host) {
  const lines = blocksOf(host, 'yaml').join('').split('\n');
  const begin = lines.findIndex((one) => one.trim() === 'script:');
  const items = host === 'GitLab' ? lines.slice(begin + 1) : lines;
  const form = host === 'GitLab' ? /^\s+- (.+)$/ : /^\s+- run: (.+)$/;
  return items
    .flatMap((one) => form.exec(one)?.[1] ?? [])
    .map((one) => one.replaceAll(/\$\{\{ vars\.(\w+) \}\}/g, '$$$1'));
}
