// Builds the drivers of examples/conversion as modules, with W=1 and -Werror, against Debian's
// kernel headers: as they are, and converted for each kernel in each style; and a new driver for
// each bus. `npm run test:kbuild`; `npm run test:kbuild -- new` builds only the new ones.
// Needs dist/, gcc, make and linux-headers; kernels without headers are skipped, and counted.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { line, tally } from './lib/counts.mjs';
import { convertInPlace, copyExamples, examples } from './lib/examples.mjs';
import { findHeaders, whyNot } from './lib/headers.mjs';
import { inProject } from './lib/paths.mjs';
import { loadTypeScript } from './lib/typescript.mjs';

const kernels = ['6.1', '6.12'];
const styles = ['minimal', 'fold'];
const oldNames = /^vfio_(?:pci_core_)?(?:un)?init_(?:group_dev|device)$/;

if (!existsSync(inProject('dist/cli.cjs'))) {
  console.error('dist/cli.cjs is missing: run npm run build first');
  process.exit(2);
}
const { newDriver, NEW_DRIVER_BUSSES } = (
  await loadTypeScript('server/src/engine/new-driver/index.ts', 'new-driver')
).exports;
const onlyNew = process.argv.includes('new');
const { counts, result } = tally();
const work = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-kbuild-'));
try {
  for (const kernel of kernels) buildAll(kernel);
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);

function buildAll(kernel) {
  const reason = whyNot(kernel);
  if (reason) {
    const converted = onlyNew ? 0 : examples.length * (styles.length + 1);
    counts.skipped += converted + NEW_DRIVER_BUSSES.length;
    console.log(`skipped: ${kernel}: ${reason}`);
    return;
  }
  const headers = findHeaders(kernel);
  const exported = new Set(
    [
      ...readFileSync(`${headers.configured}/Module.symvers`, 'utf8').matchAll(/^0x\w+\t(\S+)/gm),
    ].map(([, name]) => name),
  );
  for (const { id } of NEW_DRIVER_BUSSES) buildNew(headers, id, exported);
  if (onlyNew) return;
  const judge = (form, built, isMissing) => {
    for (const { name } of examples) {
      const problems = built.problems(name, isMissing);
      result(`${name}, ${kernel}, ${form}`, problems.length === 0, problems);
    }
  };

  const before = build(headers, path.join(work, `${kernel}-before`), () => undefined);
  judge('before', before, (symbol) => !exported.has(symbol) && !oldNames.test(symbol));
  for (const style of styles) {
    const after = build(headers, path.join(work, `${kernel}-${style}`), (sources) =>
      convertInPlace(sources, kernel, style),
    );
    judge(style, after, (symbol) => !exported.has(symbol));
  }
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

/** Copies the drivers, converts them, and runs kbuild once for all. */
function build({ configured }, folder, convert) {
  copyExamples(folder);
  const refused = new Map(
    examples.map(({ name, sources }) => [
      name,
      convert(sources.map((source) => path.join(folder, source))),
    ]),
  );
  const started = [...refused.values()].some((reason) => reason === undefined);
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
    'modules',
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
      const module = path.join(folder, `${name}.ko`);
      if (told.length > 0 || !existsSync(module))
        return told.length > 0 ? told : ['there is no module'];
      return undefinedSymbols(module)
        .filter(isMissing)
        .map((symbol) => `${symbol} is not a symbol of this kernel`);
    },
  };
}
