import fc from 'fast-check';

/**
 * One driver of the old model, as choices; `render` makes it C. Every one of them can be converted.
 */
export interface Shape {
  readonly bus: 'mdev' | 'platform' | 'pci';
  readonly allocation: 'type' | 'object' | 'kvzalloc' | 'kcalloc' | 'declaration';
  readonly test: '!p' | 'p == NULL' | 'NULL == p' | 'unlikely(!p)';
  readonly branch: 'return' | 'assign-goto' | 'bare-goto' | 'message';
  /** Something is taken before the allocation and given back on every failure. */
  readonly before: boolean;
  /** Between the allocation and the init: a failing call that frees without uninit. */
  readonly gap: 'none' | 'assign' | 'free-return' | 'free-goto';
  /** Things taken between init and register, undone by a ladder. */
  readonly resources: number;
  readonly register: 'goto' | 'inline';
  readonly teardown: 'inline' | 'helper';
  /** Where the uninit stands in a teardown. */
  readonly uninit: 'before-free' | 'first' | 'none';
  readonly table: 'plain' | 'aligned' | 'forward' | 'bare';
  readonly indent: '\t' | '    ';
  readonly eol: '\n' | '\r\n';
  readonly comments: boolean;
}

export const shapes: fc.Arbitrary<Shape> = fc.record({
  bus: fc.constantFrom('mdev', 'platform', 'pci'),
  allocation: fc.constantFrom('type', 'object', 'kvzalloc', 'kcalloc', 'declaration'),
  test: fc.constantFrom('!p', 'p == NULL', 'NULL == p', 'unlikely(!p)'),
  branch: fc.constantFrom('return', 'assign-goto', 'bare-goto', 'message'),
  before: fc.boolean(),
  gap: fc.constantFrom('none', 'assign', 'free-return', 'free-goto'),
  resources: fc.integer({ min: 0, max: 3 }),
  register: fc.constantFrom('goto', 'inline'),
  teardown: fc.constantFrom('inline', 'helper'),
  uninit: fc.constantFrom('before-free', 'first', 'none'),
  table: fc.constantFrom('plain', 'aligned', 'forward', 'bare'),
  indent: fc.constantFrom('\t', '    '),
  eol: fc.constantFrom('\n', '\r\n'),
  comments: fc.boolean(),
} as const);

const BUSES = {
  mdev: {
    param: 'struct mdev_device *mdev',
    dev: '&mdev->dev',
    register: 'vfio_register_emulated_iommu_dev',
    unregister: 'vfio_unregister_group_dev',
    driver: 'mdev_driver',
  },
  platform: {
    param: 'struct platform_device *pdev',
    dev: '&pdev->dev',
    register: 'vfio_register_group_dev',
    unregister: 'vfio_unregister_group_dev',
    driver: 'platform_driver',
  },
  pci: {
    param: 'struct pci_dev *pdev, const struct pci_device_id *id',
    dev: '&pdev->dev',
    register: 'vfio_pci_core_register_device',
    unregister: 'vfio_pci_core_unregister_device',
    driver: 'pci_driver',
  },
} as const;

export function render(shape: Shape): string {
  const bus = BUSES[shape.bus];
  const isPci = shape.bus === 'pci';
  const member = isPci ? 'core' : 'vdev';
  const device = `&p->${member}`;
  const init = isPci
    ? `vfio_pci_core_init_device(${device}, pdev, &gen_ops);`
    : `vfio_init_group_dev(${device}, ${bus.dev}, &gen_ops);`;
  const uninit =
    shape.uninit === 'none'
      ? []
      : [isPci ? `vfio_pci_core_uninit_device(${device});` : `vfio_uninit_group_dev(${device});`];
  const note = (text: string): string[] => (shape.comments ? [`/* ${text} */`] : []);

  /** Undoes the first `count` resources and frees, in the order the shape has. */
  const teardown = (count: number): string[] => {
    const undo = Array.from(
      { length: count },
      (_, index) => `gen_undo${count - 1 - index}(p->r${count - 1 - index});`,
    );
    const first = shape.uninit === 'first' ? [...note('first of all'), ...uninit] : [];
    const last = shape.uninit === 'before-free' ? uninit : [];
    return [...first, ...undo, ...last, ...note('gone'), 'kfree(p);'];
  };
  const whole = (count: number): string[] =>
    shape.teardown === 'helper' && count === shape.resources ? ['gen_free(p);'] : teardown(count);
  const leave = shape.before ? 'err_before' : 'err_out';

  const size = shape.allocation === 'type' ? 'sizeof(struct gen)' : 'sizeof(*p)';
  const calls: Partial<Record<typeof shape.allocation, string>> = {
    kvzalloc: `kvzalloc(${size}, GFP_KERNEL)`,
    kcalloc: `kcalloc(1, ${size}, GFP_KERNEL)`,
  };
  const call = calls[shape.allocation] ?? `kzalloc(${size}, GFP_KERNEL)`;
  const failing = (statement: string, label: string): string[] => [
    `ret = ${statement};`,
    'if (ret)',
    `\tgoto ${label};`,
  ];
  const probe: string[] = [];
  probe.push(shape.allocation === 'declaration' ? `struct gen *p = ${call};` : 'struct gen *p;');
  probe.push(shape.branch === 'bare-goto' ? 'int ret = -ENOMEM;' : 'int ret;', '');
  const before = shape.before && shape.allocation !== 'declaration';
  if (before)
    probe.push(
      'if (atomic_dec_return(&gen_budget) < 0) {',
      '\tret = -ENOSPC;',
      `\tgoto ${leave};`,
      '}',
      '',
    );
  if (shape.allocation !== 'declaration')
    probe.push(...note('one for each device'), `p = ${call};`);
  switch (shape.branch) {
    case 'return':
      probe.push(`if (${shape.test})`, before ? `\tgoto ${leave}_nomem;` : '\treturn -ENOMEM;');
      break;
    case 'assign-goto':
      probe.push(`if (${shape.test}) {`, '\tret = -ENOMEM;', `\tgoto ${leave};`, '}');
      break;
    case 'bare-goto':
      probe.push(`if (${shape.test})`, `\tgoto ${leave};`);
      break;
    case 'message':
      probe.push(
        `if (${shape.test}) {`,
        '\tpr_err("no memory\\n");',
        '\tret = -ENOMEM;',
        `\tgoto ${leave};`,
        '}',
      );
      break;
  }
  if (shape.gap === 'assign') probe.push('p->state = 1;');
  if (shape.gap === 'free-return')
    probe.push('ret = gen_check(p->state);', 'if (ret) {', '\tkfree(p);', `\tgoto ${leave};`, '}');
  if (shape.gap === 'free-goto') probe.push(...failing('gen_check(p->state)', 'err_early'));
  probe.push('', ...note('known from here on'), init, 'p->state = 2;');
  for (let index = 0; index < shape.resources; index++)
    probe.push(
      '',
      ...failing(`gen_take(&p->r${index})`, index === 0 ? 'err_init' : `err_r${index - 1}`),
    );
  const top = shape.resources === 0 ? 'err_init' : `err_r${shape.resources - 1}`;
  if (isPci) probe.push('dev_set_drvdata(&pdev->dev, &p->core);');
  probe.push(`ret = ${bus.register}(${device});`);
  const ladder = shape.register === 'goto' || shape.resources > 0;
  if (shape.register === 'goto') probe.push('if (ret)', `\tgoto ${top};`);
  else
    probe.push(
      'if (ret) {',
      ...whole(shape.resources).map((line) => `\t${line}`),
      `\tgoto ${leave};`,
      '}',
    );
  if (!isPci) probe.push(`dev_set_drvdata(${bus.dev}, p);`);
  probe.push('return 0;', '');
  if (ladder) {
    if (shape.teardown === 'helper' && shape.register === 'goto') {
      // The helper undoes everything at once, so that an early failure has not taken what it gives
      // back; undoing nothing is harmless.
      for (let index = shape.resources - 1; index >= 0; index--) probe.push(`<err_r${index}:`);
      probe.push('<err_init:', 'gen_free(p);', `goto ${leave};`);
    } else {
      for (let index = shape.resources - 1; index >= 0; index--)
        probe.push(`<err_r${index}:`, `gen_undo${index}(p->r${index});`);
      probe.push(
        '<err_init:',
        ...(shape.teardown === 'helper' && shape.resources === 0 ? ['gen_free(p);'] : teardown(0)),
        `goto ${leave};`,
      );
    }
  }
  if (shape.gap === 'free-goto') probe.push('<err_early:', 'kfree(p);');
  if (before && shape.branch === 'return')
    probe.push(`goto ${leave};`, `<${leave}_nomem:`, 'ret = -ENOMEM;');
  probe.push(`<${leave}:`, ...(before ? ['atomic_inc(&gen_budget);'] : []), 'return ret;');

  const lines: string[] = [];
  const indented = (line: string): string =>
    line === '' ? '' : line.replace(/^\t*/, (tabs) => shape.indent.repeat(tabs.length + 1));
  const put = (line: string): void =>
    void lines.push(line.startsWith('<') ? line.slice(1) : indented(line));
  lines.push(
    '#include <linux/slab.h>',
    '#include <linux/vfio_pci_core.h>',
    '',
    'static atomic_t gen_budget;',
    '',
  );
  if (shape.table === 'forward') lines.push('static const struct vfio_device_ops gen_ops;', '');
  lines.push('struct gen {');
  put(isPci ? 'struct vfio_pci_core_device core;' : 'struct vfio_device vdev;');
  put('int state;');
  for (let index = 0; index < shape.resources; index++) put(`void *r${index};`);
  lines.push('};', '');
  const members: Partial<Record<typeof shape.table, string[]>> = {
    aligned: ['.name\t\t= "gen",', '.open_device\t= gen_open,', '.close_device\t= gen_close,'],
    bare: ['.open_device = gen_open'],
  };
  const table = [
    'static const struct vfio_device_ops gen_ops = {',
    ...(members[shape.table] ?? ['.name = "gen",', '.open_device = gen_open,']).map(
      (member) => `${shape.indent}${member}`,
    ),
    '};',
    '',
  ];
  if (shape.table !== 'forward') lines.push(...table);
  if (shape.teardown === 'helper') {
    lines.push('static void gen_free(struct gen *p)', '{');
    teardown(shape.resources).forEach(put);
    lines.push('}', '');
  }
  lines.push(`static int gen_probe(${bus.param})`, '{');
  probe.forEach(put);
  lines.push('}', '', `static void gen_remove(${bus.param.replace(/,.*/, '')})`, '{');
  put(`struct gen *p = dev_get_drvdata(${bus.dev});`);
  lines.push('');
  put(`${bus.unregister}(${device});`);
  whole(shape.resources).forEach(put);
  if (before) put('atomic_inc(&gen_budget);');
  lines.push('}', '');
  if (shape.table === 'forward') lines.push(...table);
  lines.push(
    `static struct ${bus.driver} gen_driver = {`,
    `${shape.indent}.probe = gen_probe,`,
    `${shape.indent}.remove = gen_remove,`,
    '};',
    '',
  );
  return lines.join(shape.eol);
}
