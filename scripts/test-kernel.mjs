// Runs the built command line over a kernel tree: `npm run test:kernel -- DIR…`. Checks that
// nothing throws, that nothing which mentions vfio_device is left unanalysed, that no driver of the
// release has an error or a warning (but for the reviewed list in test/kernel/expected.json), and
// that mask and lowering lost no life-cycle call. Prints how many warnings there are for 1,000
// lines of drivers/vfio. Needs dist/, which `npm run build` makes.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { line, tally } from './lib/counts.mjs';
import { inProject } from './lib/paths.mjs';

const cli = inProject('dist/cli.cjs');
const expected = JSON.parse(readFileSync(inProject('test/kernel/expected.json'), 'utf8'));
const folders = process.argv.slice(2);
if (folders.length === 0) fail('give the folder of a kernel tree: npm run test:kernel -- DIR');
if (!existsSync(cli)) fail('dist/cli.cjs is missing: run npm run build first');

const { counts, result } = tally();
for (const folder of folders) checkTree(path.resolve(folder));
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);

function checkTree(folder) {
  const report = JSON.parse(run(['check', '--format', 'json', '--fail-on', 'never', folder]));
  const shown = (file) => path.relative(folder, file);
  console.log(
    `${folder}: ${report.summary.files} files, ${report.summary.functions} functions, target kernel ${report.kernel}`,
  );
  if (report.summary.files === 0) {
    result('files that mention VFIO', false, 'there are none: is this a kernel tree?');
    return;
  }

  const texts = new Map();
  const mentionsDevice = (file) => {
    if (!texts.has(file)) texts.set(file, readFileSync(file, 'latin1').includes('vfio_device'));
    return texts.get(file);
  };
  const internal = report.notAnalysed.filter((one) => one.reason.startsWith('internal error'));
  result(
    'no exception',
    internal.length === 0,
    internal.map((one) => `${shown(one.path)}: ${one.reason}`),
  );
  const skipped = report.notAnalysed.filter(
    (one) => !internal.includes(one) && mentionsDevice(one.path),
  );
  result(
    'all that mentions vfio_device is analysed',
    skipped.length === 0,
    skipped.map((one) => `${shown(one.path)}: ${one.function}: ${one.reason}`),
  );

  const used = new Set();
  for (const { path: file, diagnostics } of report.files) {
    const grave = diagnostics.filter(
      (one) => one.severity === 'error' || one.severity === 'warning',
    );
    const unknown = grave.filter((one) => {
      const entry = expected.find(
        (candidate) =>
          candidate.kernel === report.kernel &&
          candidate.path === shown(file) &&
          candidate.rule === one.rule &&
          candidate.function === one.function &&
          candidate.severity === one.severity,
      );
      if (entry) used.add(entry);
      return !entry;
    });
    // Only drivers that have a life cycle count as tests: headers and users of the interface cannot
    // fail.
    if (mentionsDevice(file)) {
      result(
        `no error and no warning in ${shown(file)}`,
        unknown.length === 0,
        unknown.map(reported),
      );
    } else if (unknown.length > 0) {
      result(`no error and no warning in ${shown(file)}`, false, unknown.map(reported));
    }
  }
  // An entry for a defect that is no longer found would hide the next one.
  for (const entry of expected.filter(
    (one) =>
      one.kernel === report.kernel && !used.has(one) && existsSync(path.join(folder, one.path)),
  )) {
    result(
      `reviewed: ${entry.rule} in ${entry.path}`,
      false,
      'it is in test/kernel/expected.json and was not found',
    );
  }

  // Drivers outside of that folder use the interface too, but are no measure of it.
  const inFolder = report.files.filter(({ path: file }) => shown(file).startsWith('drivers/vfio/'));
  const warnings = inFolder.flatMap(({ diagnostics }) =>
    diagnostics.filter((one) => one.severity === 'warning'),
  ).length;
  const lines = inFolder.reduce(
    (sum, { path: file }) => sum + readFileSync(file, 'latin1').split('\n').length - 1,
    0,
  );
  if (lines > 0) {
    const rate = (1000 * warnings) / lines;
    console.log(
      `drivers/vfio: ${warnings} warnings in ${lines} lines, ${rate.toFixed(2)} for 1,000 lines`,
    );
    result('at most one warning for 1,000 lines of drivers/vfio', rate <= 1, `${rate.toFixed(2)}`);
  }

  const lost = [];
  let calls = 0;
  for (const row of run(['dump', '--stage', 'calls', folder]).split('\n').filter(Boolean)) {
    const [file, name, lowered, written] = row.split('\t');
    calls += Number(written);
    if (lowered !== written)
      lost.push(`${shown(file)}: ${name}: ${written} in the text, ${lowered} in the IR`);
  }
  result(`no life-cycle call is lost (${calls} in the text)`, lost.length === 0 && calls > 0, lost);
}

function reported({ range, severity, message, rule }) {
  return `line ${range.start.line + 1}: ${severity}: ${message} [${rule}]`;
}

function run(args) {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (error || status !== 0)
    fail(`${args.join(' ')} ended with status ${status}: ${error ?? stderr}`);
  return stdout;
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
