import { describe, expect, test } from 'vitest';
import { indexModule } from '../../../server/src/lifecycle/module/module.ts';
import { writtenTables } from '../../../server/src/lifecycle/module/written-tables.ts';
import { factsOf } from '../../support/analyse.ts';

const TABLE = 'static const struct vfio_device_ops foo_ops = { .name = "foo" };\n';

/** The functions in which an allocation is given each table, `table: function`. */
function uses(source: Readonly<Record<string, string>>): string[] {
  return factsOf(source, '6.6').opsTables.flatMap((table) =>
    table.givenTo.map((use) => `${table.variable.name}: ${use.api} in ${use.function.name}`),
  );
}

describe('the table that an allocation is given', () => {
  test.each([
    [
      'by name',
      `${TABLE}struct foo *f(struct device *dev) { return vfio_alloc_device(foo, vdev, dev, &foo_ops); }`,
    ],
    [
      'by a local',
      `${TABLE}struct foo *f(struct device *dev) { const struct vfio_device_ops *ops = &foo_ops; return vfio_alloc_device(foo, vdev, dev, ops); }`,
    ],
    [
      'by a local that is set later',
      `${TABLE}struct foo *f(struct device *dev) { const struct vfio_device_ops *ops; ops = dev ? &foo_ops : NULL; return vfio_alloc_device(foo, vdev, dev, ops); }`,
    ],
    [
      'by a function that returns it',
      `${TABLE}static const struct vfio_device_ops *get(void) { return &foo_ops; }\nstruct foo *f(struct device *dev) { return vfio_alloc_device(foo, vdev, dev, get()); }`,
    ],
    [
      'by a parameter',
      `${TABLE}static struct foo *f(struct device *dev, const struct vfio_device_ops *ops) { return vfio_alloc_device(foo, vdev, dev, ops); }\nint probe(struct device *dev) { return PTR_ERR_OR_ZERO(f(dev, &foo_ops)); }`,
    ],
  ])('%s', (_, code) => {
    expect(uses({ 'main.c': code })).toEqual(['foo_ops: vfio_alloc_device in f']);
  });

  test('by a function of another source, where the table is static', () => {
    expect(
      uses({
        'main.c':
          '#include "foo.h"\nstruct foo *f(struct device *dev) { return vfio_alloc_device(foo, vdev, dev, get()); }',
        'ops.c': `${TABLE}const struct vfio_device_ops *get(void) { return &foo_ops; }`,
      }),
    ).toEqual(['foo_ops: vfio_alloc_device in f']);
  });

  test('one of two, by two getters that call each other', () => {
    expect(
      uses({
        'main.c': `${TABLE}const struct vfio_device_ops *a(void);\nconst struct vfio_device_ops *b(void) { return x ? a() : &foo_ops; }\nconst struct vfio_device_ops *a(void) { return b(); }\nstruct foo *f(struct device *dev) { return vfio_alloc_device(foo, vdev, dev, a()); }`,
      }),
    ).toEqual(['foo_ops: vfio_alloc_device in f']);
  });
});

describe('a table of which macros write members', () => {
  /** The members of `foo_ops`, whose initialiser is `inside`, below the macros. */
  const members = (macros: string, inside: string): (string | undefined)[] => {
    const text = `${macros}static const struct vfio_device_ops foo_ops = {\n${inside}};\n`;
    const { module, kernel } = factsOf(text, '6.6');
    const [table] = writtenTables(indexModule(module, kernel));
    return table!.init.entries.map(({ designators }) => designators[0]);
  };
  const nested = (depth: number): string =>
    '#define OPS0 .open_device = foo_open, .close_device = foo_close\n' +
    Array.from({ length: depth }, (_, i) => `#define OPS${i + 1} .m${i} = m${i}, OPS${i}\n`).join(
      '',
    );

  test('has those of macros in macros', () => {
    const opened = ['open_device', 'close_device'];
    expect(members(nested(4), '\tOPS4,\n')).toEqual(['m3', 'm2', 'm1', 'm0', ...opened]);
  });

  test('keeps the name of a macro that is further away than anybody writes', () => {
    const all = members(nested(30), '\tOPS30,\n');
    expect(all[0]).toBe('m29');
    expect(all.at(-1)).toBeUndefined();
  });

  test('has no more members than a thousand, whatever a macro repeats', () => {
    const used = '\tOPS0,\n';
    expect(members(nested(0), used.repeat(20))).toHaveLength(40);
    expect(members(nested(0), used.repeat(600))).toHaveLength(1_000);
  });
});

describe('probe and remove', () => {
  const functions = `struct pier {
	struct vfio_device vdev;
};

static const struct vfio_device_ops pier_ops = { .name = "pier" };

static int pier_begin(struct device *dev)
{
	struct pier *pier = vfio_alloc_device(pier, vdev, dev, &pier_ops);

	if (IS_ERR(pier))
		return PTR_ERR(pier);
	dev_set_drvdata(dev, pier);
	return 0;
}

static void pier_end(struct device *dev)
{
	struct pier *pier = dev_get_drvdata(dev);

	vfio_put_device(&pier->vdev);
}
`;
  test.each([
    ['a driver', 'struct device_driver pier = { .probe = pier_begin, .remove = pier_end };'],
    ['a bus type', 'struct bus_type pier = { .probe = pier_begin, .remove = pier_end };'],
    [
      'a typedef',
      'typedef struct auxiliary_driver aux_t;\nstatic aux_t pier = { .probe = pier_begin, .remove = pier_end };',
    ],
    [
      'a table in a table',
      'struct vendor pier = { .driver = { .probe = pier_begin, .remove = pier_end } };',
    ],
    ['ccw', 'struct ccw_driver pier = { .set_online = pier_begin, .set_offline = pier_end };'],
    ['a component', 'struct component_ops pier = { .bind = pier_begin, .unbind = pier_end };'],
    [
      'a table that is filled in at run time',
      'static struct vendor pier;\nvoid pier_setup(void)\n{\n	pier.probe = pier_begin;\n	pier.remove = pier_end;\n}',
    ],
  ])('are found in %s', (_, table) => {
    const { driverTables } = factsOf(functions + table, '6.6');
    expect(driverTables.map(({ probe, remove }) => [probe, remove])).toEqual([
      ['pier_begin', 'pier_end'],
    ]);
  });

  test.each([
    ['half of them in a table that nobody knows', 'struct vendor pier = { .remove = pier_end };'],
    ['members of other names', 'struct vendor pier = { .start = pier_begin, .stop = pier_end };'],
  ])('are not %s', (_, table) => {
    expect(factsOf(functions + table, '6.6').driverTables).toEqual([]);
  });
});
