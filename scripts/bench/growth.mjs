// How one answer grows with its input: the processor time and the memory of the server over the
// functions, the paths, the files, the documents and the edits, each over decades, and the exponent
// that fits them: 1 is in proportion. A budget of work ends the growth where it is used up.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { editsOf } from './measure.mjs';
import { processorTime, residentMegabytes } from './process.mjs';

/** Sizes of each kind. A module has 48 sources at most. */
const SIZES = {
  functions: [10, 100, 1_000, 10_000],
  paths: [3, 30, 300, 3_000],
  files: [3, 12, 48],
  documents: [1, 10, 100, 1_000],
  edits: [10, 100, 1_000],
};

const HEAD = `#include <linux/vfio.h>
struct foo { struct vfio_device vdev; int option; };
static const struct vfio_device_ops foo_ops = { .name = "foo" };
`;

/** A probe with a body of its own after the allocation. */
function probe(body, name = 'foo') {
  return `int ${name}_probe(struct device *dev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	int ret;

	if (IS_ERR(foo))
		return PTR_ERR(foo);
${body}	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
`;
}

function helper(i) {
  return `static int foo_step_${i}(struct foo *foo, int n)
{
	if (n > foo->option)
		return -EINVAL;
	foo->option = n + ${i};
	return vfio_device_try_get_registration(&foo->vdev) ? 0 : -ENODEV;
}
`;
}

function times(count, one) {
  return Array.from({ length: count }, (_, i) => one(i)).join('');
}

/** A row for each kind of growth: the processor time of the largest input, and the exponents. */
export async function measureGrowth([program]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-growth-'));
  try {
    const rows = [];
    for (const kind of Object.keys(SIZES)) {
      const points = [];
      for (const size of SIZES[kind]) points.push(await measured(program, folder, kind, size));
      rows.push(
        rowOf(program, `growth, ${kind} ${SIZES[kind].join(', ')}: CPU`, 'ms', points, 'time'),
        rowOf(program, `growth, ${kind}: memory`, 'MB', points, 'memory'),
      );
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Values in the order of the sizes; the name ends with the exponent of the last step. */
function rowOf({ label }, name, unit, points, key) {
  const [before, last] = points.slice(-2);
  const exponent = Math.log(last[key] / before[key]) / Math.log(last.size / before.size);
  const values = points.map((point) => point[key]);
  console.error(`${name}: ${values.map((value) => value.toFixed(1)).join(', ')} ${unit}`);
  return {
    name: `${name}, exponent ${exponent.toFixed(2)}`,
    budget: 'exponent ≤ 1.1',
    unit,
    sides: [{ label, values, processor: [] }],
  };
}

/** The answer for an input of a size, in a server that has answered for a small driver before. */
async function measured(program, folder, kind, size) {
  const tree = path.join(folder, `${kind}-${size}`);
  mkdirSync(tree);
  const client = await program.start(tree);
  const uriOf = (name) => pathToFileURL(path.join(tree, name)).href;
  // Elsewhere, so that nothing is known yet of the folder that is measured.
  const warm = pathToFileURL(path.join(folder, 'warm.c')).href;
  await program.opened(client, warm, HEAD + times(100, helper) + probe(''));
  await client.close(warm);
  const point = await KINDS[kind]({ program, client, tree, uriOf, size });
  await client.stop();
  return { size, ...point };
}

/** The processor time of some work of the server, and its memory after that. */
async function costOf(client, work) {
  const begin = processorTime(client.pid);
  await work();
  return { time: processorTime(client.pid) - begin, memory: residentMegabytes(client.pid) };
}

const KINDS = {
  functions: ({ program, client, uriOf, size }) =>
    costOf(client, () =>
      program.opened(client, uriOf('foo.c'), HEAD + times(size, helper) + probe('')),
    ),
  paths: ({ program, client, uriOf, size }) =>
    costOf(client, () =>
      program.opened(
        client,
        uriOf('foo.c'),
        HEAD + probe(times(size, (i) => `\tif (foo->option == ${i})\n\t\tret = more(${i});\n`)),
      ),
    ),
  files({ program, client, tree, uriOf, size }) {
    const names = Array.from({ length: size }, (_, i) => `part${i}`);
    writeFileSync(
      path.join(tree, 'Makefile'),
      `obj-m += foo.o\nfoo-y := ${names.map((name) => `${name}.o`).join(' ')}\n`,
    );
    const textOf = (i) => HEAD + times(20, (at) => helper(100 * i + at)) + probe('', `foo${i}`);
    names.forEach((name, i) => writeFileSync(path.join(tree, `${name}.c`), textOf(i)));
    return costOf(client, () => program.opened(client, uriOf('part0.c'), textOf(0)));
  },
  // A key in one of many that are open.
  async documents({ program, client, uriOf, size }) {
    const text = HEAD + times(20, helper) + probe('');
    for (let i = 0; i < size; i++) await program.opened(client, uriOf(`foo${i}.c`), text);
    let version = 1;
    return costOf(client, async () => {
      for (const edit of editsOf(text, 50))
        await program.edited(client, uriOf('foo0.c'), ++version, edit);
    });
  },
  // The last ten of many keys.
  async edits({ program, client, uriOf, size }) {
    const text = HEAD + times(100, helper) + probe('');
    await program.opened(client, uriOf('foo.c'), text);
    const edits = [...editsOf(text, size)];
    let version = 1;
    const type = async (list) => {
      for (const edit of list) await program.edited(client, uriOf('foo.c'), ++version, edit);
    };
    await type(edits.slice(0, -10));
    return costOf(client, () => type(edits.slice(-10)));
  },
};
