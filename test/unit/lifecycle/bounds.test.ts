import { describe, expect, test } from 'vitest';
import { analyseText, factsOf } from '../../support/analyse.ts';
import { FOO, probe } from './support.ts';

const many = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n') + '\n';

const GOOD =
  '\tret = vfio_register_group_dev(&foo->vdev);\n\tif (ret)\n\t\tvfio_put_device(&foo->vdev);\n\treturn ret;\n';
const BAD =
  '\tret = vfio_register_group_dev(&foo->vdev);\n\tif (ret)\n\t\treturn ret;\n\treturn 0;\n';

/**
 * Work of many kinds between the allocation and the registration: it must neither end the analysis
 * nor what it finds.
 */
const WORK: Readonly<Record<string, string>> = {
  '40 independent ifs': many(40, (i) => `\tif (a${i})\n\t\tx(${i});`),
  '40 ifs over members of the device': many(40, (i) => `\tif (foo->m${i})\n\t\tfoo->n${i} = ${i};`),
  '40 ifs that are asked again later':
    many(40, (i) => `\tif (dev->m${i})\n\t\tx(${i});`) +
    many(40, (i) => `\tif (dev->m${i})\n\t\ty(${i});`),
  '40 variables that are set or not':
    many(40, (i) => `\tint v${i} = 0;`) +
    many(40, (i) => `\tif (dev->m${i})\n\t\tv${i} = ${i};`) +
    many(40, (i) => `\tx(v${i});`),
  '40 results that may be errors':
    many(40, (i) => `\tint r${i} = x(${i});`) + many(40, (i) => `\tif (r${i} < 0)\n\t\ty(r${i});`),
  '40 allocations that may fail':
    many(40, (i) => `\tvoid *p${i} = kzalloc(${i}, GFP_KERNEL);`) +
    many(40, (i) => `\tif (!p${i})\n\t\tx(${i});`) +
    many(40, (i) => `\tkfree(p${i});`),
  '40 nested ifs': many(40, (i) => `\tif (a${i}) {`) + many(40, () => '\t}'),
  '40 else ifs': '\tif (a)\n\t\tx(0);\n' + many(40, (i) => `\telse if (b == ${i})\n\t\tx(${i});`),
  'a switch of 300 cases':
    '\tswitch (a) {\n' + many(300, (i) => `\tcase ${i}:\n\t\tx(${i});\n\t\tbreak;`) + '\t}\n',
  'three nested loops that count':
    '\tint i, j, k;\n\tfor (i = 0; i < 9; i++)\n\t\tfor (j = 0; j < 9; j += 2)\n\t\t\tfor (k = 9; k; k = k - 1)\n\t\t\t\tx(i * j + k);\n',
  'a loop that shifts':
    '\tunsigned int m = 1;\n\twhile (m << 1) {\n\t\tm <<= 1;\n\t\tif (m & a)\n\t\t\tm ^= 3;\n\t}\n',
  'a list walked through its members':
    '\tstruct foo *p = dev->first;\n\twhile (p)\n\t\tp = p->next->next;\n',
  '10 flags that collect bits':
    '\tint f = 0;\n' + many(10, (i) => `\tif (a${i})\n\t\tf |= 1 << ${i};`),
  'gotos over one another':
    many(30, (i) => `\tif (a${i})\n\t\tgoto l${i};`) + many(30, (i) => `l${i}:\n\tx(${i});`),
  'a macro and a ternary in 40 calls':
    '#define PICK(a, b) ((a) ? (b)->x : (b)->y)\n' + many(40, (i) => `\tx(PICK(a${i}, dev));`),
  '30 #ifdefs': many(30, (i) => `#ifdef A${i}\n\tx(${i});\n#endif`),
};

describe.each(Object.entries(WORK))('%s', (_, work) => {
  test('is analysed, and the mistake is found', () => {
    const facts = factsOf(FOO + probe(work + BAD), '6.2');
    expect(facts.notAnalysed).toEqual([]);
    const errors = analyseText(
      FOO + probe(work + BAD) + 'static struct foo_driver d = { .probe = probe };\n',
      '6.2',
    ).filter((one) => one.rule === 'missing-put');
    expect(errors.map((one) => one.functionName)).toContain('probe');
  });
  test('and nothing is found where there is none', () => {
    expect(
      analyseText(FOO + probe(work + GOOD), '6.2').filter((one) => one.severity === 'error'),
    ).toEqual([]);
  });
});

/** Each puts another device, whose `.release` may be any of them. */
const releases = (count: number, end: (i: number) => string): string =>
  many(
    count,
    (i) =>
      `static void release${i}(struct vfio_device *vdev)\n{\n\tstruct foo *foo = container_of(vdev, struct foo, vdev);\n\tvoid *buf = kzalloc(${i}, GFP_KERNEL);\n\n\tvfio_put_device(&foo->other->vdev);\n${end(i)}}\nstatic const struct vfio_device_ops ops${i} = { .release = release${i} };`,
  );

describe('calls', () => {
  test('a chain of 200 helpers', () => {
    const chain = many(200, (i) =>
      i === 0
        ? 'static void h0(struct foo *f)\n{\n\tvfio_put_device(&f->vdev);\n}'
        : `static void h${i}(struct foo *f)\n{\n\th${i - 1}(f);\n}`,
    );
    const facts = factsOf(FOO + chain + probe('\th199(foo);\n\treturn -EIO;\n'), '6.2');
    expect(facts.notAnalysed).toEqual([]);
    expect(
      facts.observations.filter(
        (one) =>
          one.kind === 'exit' && one.function.name === 'probe' && one.before.reference === 'held',
      ),
    ).toEqual([]);
  });
  test('the last of a chain of 5,000 comes first', () => {
    const chain = many(
      5000,
      (i) =>
        `static void h${i}(struct foo *f)\n{\n\t${i === 4999 ? 'vfio_put_device(&f->vdev)' : `h${i + 1}(f)`};\n}`,
    );
    const facts = factsOf(FOO + chain + probe('\th0(foo);\n\treturn -EIO;\n'), '6.2');
    expect(facts.notAnalysed).toEqual([]);
    expect(
      facts.observations.filter(
        (one) =>
          one.kind === 'exit' && one.function.name === 'probe' && one.before.reference === 'held',
      ),
    ).toEqual([]);
  });
  test('each helper calls the next one twice, 30 levels deep', () => {
    const chain = many(30, (i) =>
      i === 0
        ? 'static int h0(struct foo *f)\n{\n\treturn vfio_register_group_dev(&f->vdev);\n}'
        : `static int h${i}(struct foo *f)\n{\n\tif (f->a${i})\n\t\treturn h${i - 1}(f);\n\treturn h${i - 1}(f);\n}`,
    );
    const facts = factsOf(FOO + chain + probe('\treturn h29(foo);\n'), '6.2');
    expect(facts.notAnalysed).toEqual([]);
  });
  test('every helper calls every other', () => {
    const names = Array.from({ length: 12 }, (_, i) => `h${i}`);
    const all = names
      .map(
        (name, i) =>
          `static int ${name}(struct foo *f, int n)\n{\n\tswitch (n) {\n${names.map((other, index) => `\tcase ${index}: return ${other}(f, n - 1);`).join('\n')}\n\t}\n\t${i === 0 ? 'vfio_put_device(&f->vdev);\n\t' : ''}return 0;\n}\n`,
      )
      .join('');
    expect(factsOf(FOO + all + probe('\treturn h3(foo, 5);\n'), '6.2').notAnalysed).toEqual([]);
  });
  test('200 `.release`s that may each be the next one to run', () => {
    const text = releases(200, (i) => (i === 0 ? '\tkfree(buf);\n' : ''));
    expect(factsOf(FOO + text, '6.2').notAnalysed).toEqual([]);
  });
  test('what `.release`s free counts for each that runs them all', () => {
    const work = (count: number) =>
      factsOf(FOO + releases(count, () => '\tkfree(buf);\n'), '6.2').work.spent;
    expect(work(40) / work(20)).toBeGreaterThan(6);
  });
  test('30 devices in one function', () => {
    const body = many(
      30,
      (i) =>
        `\tstruct foo *f${i} = vfio_alloc_device(foo, vdev, dev, &foo_ops);\n\tif (IS_ERR(f${i}))\n\t\treturn PTR_ERR(f${i});`,
    );
    const facts = factsOf(
      `${FOO}static int probe(struct device *dev)\n{\n${body}\treturn 0;\n}\n`,
      '6.2',
    );
    expect(facts.observations.length).toBeGreaterThan(30);
  });
});

test('what is given up is said to be', () => {
  // 14 devices, each registered or not: 2^14 states, and no two of them agree.
  const body = many(
    14,
    (i) =>
      `\tvfio_register_group_dev(&f[${i}]->vdev);\n\tif (vfio_register_group_dev(&g${i}->vdev))\n\t\tx();`,
  );
  const params = Array.from({ length: 14 }, (_, i) => `struct foo *g${i}`).join(', ');
  const facts = factsOf(
    `${FOO}static int probe(struct foo **f, ${params})\n{\n${body}\treturn 0;\n}\n`,
    '6.2',
  );
  expect(facts.notAnalysed.map((one) => `${one.function}: ${one.reason}`)).toEqual([
    'probe: too many different states at one place',
  ]);
});
