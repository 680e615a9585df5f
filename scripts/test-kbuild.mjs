// Builds the drivers of examples/conversion by kbuild, with W=1 and -Werror, against Debian's kernel
// headers: as they are, converted for each kernel in each style, and converted for all; a new
// driver for each bus; and kbuild itself, which checks a module with the command line. `npm run
// test:kbuild`; with `-- new`, `-- check` or `-- compat` that part alone.
// Needs dist/, gcc, make and linux-headers; kernels without headers are skipped, and counted.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { line, tally } from './lib/counts.mjs';
import { convertExamples, copyExamples, examples } from './lib/examples.mjs';
import { findHeaders, whyNot } from './lib/headers.mjs';
import { inProject } from './lib/paths.mjs';
import { loadTypeScript } from './lib/typescript.mjs';

const kernels = ['6.1', '6.12'];
const styles = ['minimal', 'fold'];
const HEADER = 'vfio-compat.h';
/** What became of the drivers that were converted for all kernels, by the name of the form. */
const allKernels = new Map();
/** What only a whole module defines. */
const ofModule = '__this_module';
const oldNames = /^vfio_(?:pci_core_)?(?:un)?init_(?:group_dev|device)$/;

if (!existsSync(inProject('dist/cli.cjs'))) {
  console.error('dist/cli.cjs is missing: run npm run build first');
  process.exit(2);
}
const { newDriver, NEW_DRIVER_BUSSES } = (
  await loadTypeScript('server/src/engine/new-driver/index.ts', 'new-driver')
).exports;
/** Whether a part is to be done: that which was named, or all. */
const does = (part) => process.argv.length === 2 || process.argv.includes(part);
const { counts, result } = tally();
const work = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-kbuild-'));
try {
  for (const kernel of kernels) {
    buildAll(kernel);
    if (does('check')) checkModule(kernel);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);

function buildAll(kernel) {
  const reason = whyNot(kernel);
  if (reason) {
    if (does('examples')) counts.skipped += examples.length * (styles.length + 1);
    if (does('compat')) counts.skipped += examples.length * 3;
    if (does('new')) counts.skipped += NEW_DRIVER_BUSSES.length;
    console.log(`skipped: ${kernel}: ${reason}`);
    return;
  }
  const headers = findHeaders(kernel);
  const exported = new Set(
    [
      ...readFileSync(`${headers.configured}/Module.symvers`, 'utf8').matchAll(/^0x\w+\t(\S+)/gm),
    ].map(([, name]) => name),
  );
  if (does('new')) for (const { id } of NEW_DRIVER_BUSSES) buildNew(headers, id, exported);
  const judge = (form, built, isMissing) => {
    for (const { name } of examples) {
      const problems = built.problems(name, isMissing);
      result(`${name}, ${kernel}, ${form}`, problems.length === 0, problems);
    }
  };

  if (does('examples')) {
    const before = build(headers, path.join(work, `${kernel}-before`), () => new Map());
    judge('before', before, (symbol) => !exported.has(symbol) && !oldNames.test(symbol));
    for (const style of styles) {
      const convert = (folder) => convertExamples(folder, kernel, style);
      // What becomes of an object is the same for all of them: whole modules are made once.
      const isWhole = style === styles[0];
      const after = build(headers, path.join(work, `${kernel}-${style}`), convert, isWhole);
      judge(style, after, (symbol) => !exported.has(symbol));
    }
  }
  if (!does('compat')) return;
  const both = build(headers, path.join(work, `${kernel}-compat`), forAllKernels('compat', []));
  judge('compat', both, (symbol) => !exported.has(symbol));
  const header = ['--compat-header', HEADER];
  const over = build(headers, path.join(work, `${kernel}-header`), forAllKernels('header', header));
  judge('compat header', over, (symbol) => !exported.has(symbol));
  // Where the macro is not defined, what the compiler sees is the old model.
  const guard = ['--guard', 'HAVE_VFIO_ALLOC_DEVICE'];
  const old = build(headers, path.join(work, `${kernel}-old-arm`), forAllKernels('guarded', guard));
  judge('old arm', old, (symbol) => !exported.has(symbol) && !oldNames.test(symbol));
}

/**
 * `make C=2 CHECK="vfio-lifecycle kbuild"` over test/fixtures/kbuild: each line that names a rule is
 * reported by it, and no other line is.
 */
function checkModule(kernel) {
  const headers = findHeaders(kernel);
  if (whyNot(kernel)) {
    counts.skipped++;
    return;
  }
  const folder = path.join(work, `${kernel}-check`);
  cpSync(inProject('test/fixtures/kbuild'), folder, { recursive: true });
  const args = [
    '-C',
    headers.configured,
    `M=${folder}`,
    'C=2',
    `CHECK=${process.execPath} ${inProject('dist/cli.cjs')} kbuild`,
    'modules',
  ];
  const { status, stdout, stderr } = spawnSync('make', args, { encoding: 'utf8' });
  const found = [...stderr.matchAll(/^\S*\/(\w+\.c):(\d+):\d+: \w+: .*\[([\w-]+)\]$/gm)]
    .filter(([text]) => !text.includes(': note: '))
    .map(([, file, row, rule]) => `${file}:${row} ${rule}`);
  const lines = readFileSync(path.join(folder, 'checked.c'), 'utf8').split('\n');
  const wanted = lines.flatMap((text, index) => {
    const rule = /; \/\* ([\w-]+) \*\/$/.exec(text)?.[1];
    return rule ? [`checked.c:${index + 1} ${rule}`] : [];
  });
  const isRight = status === 0 && wanted.length > 0 && found.join() === wanted.join();
  const checks = stdout.match(/^ {2}CHECK /gm)?.length ?? 0;
  result(`make C=2, ${kernel}`, isRight && checks === 2, [
    `status ${status}, ${checks} checks`,
    `found ${found.join(', ')}, not ${wanted.join(', ')}`,
    stderr,
  ]);
}

/** Writes a new driver and builds it by its own Makefile, as a person would. */
function buildNew({ kernel, configured }, bus, exported) {
  const { module, files } = newDriver(bus, 'kiln', kernel);
  const folder = path.join(work, `${kernel}-new-${bus}`);
  mkdirSync(folder);
  for (const { name, text } of files) writeFileSync(path.join(folder, name), text);
  const { stdout, stderr } = spawnSync(
    'make',
    ['-C', folder, `KDIR=${configured}`, 'W=1', 'KCFLAGS=-Werror', 'KBUILD_MODPOST_WARN=1'],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  const told = `${stdout}\n${stderr}`
    .split('\n')
    .filter((text) => /: (?:error|warning):/.test(text));
  const object = path.join(folder, `${module}.ko`);
  const problems =
    told.length > 0 || !existsSync(object)
      ? [...told, 'there is no module']
      : undefinedSymbols(object)
          .filter((symbol) => !exported.has(symbol))
          .map((symbol) => `${symbol} is not a symbol of this kernel`);
  result(`new ${bus} driver, ${kernel}`, problems.length === 0, problems);
}

function undefinedSymbols(object) {
  return spawnSync('nm', ['-u', object], { encoding: 'utf8' })
    .stdout.split('\n')
    .map((text) => text.trim().replace(/^U /, ''))
    .filter(Boolean);
}

/**
 * Converts by the style that has one result for all kernels, once: it is proved for each of them,
 * which takes its time.
 */
function forAllKernels(name, options) {
  const converted = path.join(work, name);
  if (!allKernels.has(name)) {
    copyExamples(converted);
    allKernels.set(name, convertExamples(converted, '', 'compat', options));
  }
  return (folder) => {
    cpSync(converted, folder, { recursive: true });
    return allKernels.get(name);
  };
}

/**
 * Copies the drivers, converts them, and runs kbuild once for all.
 * @param convert tells by the name of a module why it was refused.
 * @param isWhole whether modules are made of the objects.
 */
function build({ configured }, folder, convert, isWhole = false) {
  copyExamples(folder);
  const refused = convert(folder);
  const end = isWhole ? 'ko' : 'o';
  const started = examples.some(({ name }) => refused.get(name) === undefined);
  // What is undefined is judged by the objects: modpost stops listing after ten.
  const args = [
    '-k',
    '-j2',
    '-C',
    configured,
    `M=${folder}`,
    'W=1',
    'KCFLAGS=-Werror',
    'KBUILD_MODPOST_WARN=1',
    ...(isWhole ? ['modules'] : examples.map(({ name }) => `${name}.o`)),
  ];
  const { stdout, stderr } = started
    ? spawnSync('make', args, { encoding: 'utf8', maxBuffer: 1 << 26 })
    : { stdout: '', stderr: '' };
  const said = `${stdout}\n${stderr}`.split('\n');
  return {
    problems(name, isMissing) {
      if (refused.get(name) !== undefined) return [`refused: ${refused.get(name)}`];
      const { sources } = examples.find((one) => one.name === name);
      const told = said.filter(
        (text) =>
          /: (?:error|warning):/.test(text) &&
          sources.some((source) => text.includes(`/${source}:`)),
      );
      const object = path.join(folder, `${name}.${end}`);
      if (told.length > 0 || !existsSync(object))
        return told.length > 0 ? told : [`there is no ${name}.${end}`];
      return undefinedSymbols(object)
        .filter((symbol) => isMissing(symbol) && (isWhole || symbol !== ofModule))
        .map((symbol) => `${symbol} is not a symbol of this kernel`);
    },
  };
}
