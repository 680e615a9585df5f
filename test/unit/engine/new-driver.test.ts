import { describe, expect, test } from 'vitest';
import {
  newDriver,
  NEW_DRIVER_BUSSES,
  NEW_DRIVER_KERNELS,
} from '../../../server/src/engine/new-driver/index.ts';
import type { NewDriver } from '../../../server/src/engine/new-driver/types.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { engineWith, kernel, single } from './support.ts';

const engine = await engineWith(kernelStages.rules);
const busses = NEW_DRIVER_BUSSES.map(({ id }) => id);

function driver(bus: string, name: string, version: string): NewDriver {
  const made = newDriver(bus, name, version);
  if ('problem' in made) throw new Error(made.problem);
  return made;
}

function findings(text: string, version: string): string[] {
  const { findings: found, notAnalysed } = engine.analyse(single(text), {}, kernel(version));
  return [
    ...found.map((one) => `${one.rule}: ${one.message}`),
    ...notAnalysed.map((one) => one.reason),
  ];
}

function widthOf(line: string): number {
  let width = 0;
  for (const letter of line) width += letter === '\t' ? 8 - (width % 8) : 1;
  return width;
}

describe.each(busses)('a new driver for %s', (bus) => {
  test.each(NEW_DRIVER_KERNELS)('has nothing to report on %s', (version) => {
    const source = driver(bus, 'foo', version).files[0]!.text;
    expect(findings(source, version)).toEqual([]);
  });

  test('is a driver that is followed: without its put there is something to report', () => {
    const { text } = driver(bus, 'foo', '6.12').files[0]!;
    const broken = text.replace(/err_put:\n\tvfio_put_device\(.*\);/, 'err_put:');
    expect(broken).not.toBe(text);
    expect(findings(broken, '6.12').join('\n')).toContain('missing-put');
  });

  test('keeps to 100 columns and to tabs with a long name', () => {
    const { files } = driver(bus, 'sixteen_letters_', '6.19');
    for (const { text } of files) {
      const lines = text.split('\n');
      expect(lines.filter((line) => widthOf(line) > 100)).toEqual([]);
      expect(lines.filter((line) => /^ {8}|[ \t]$/.test(line))).toEqual([]);
      expect(text).toMatch(/[^\n]\n$/);
    }
  });

  test('has three files of its name', () => {
    const { module, files } = driver(bus, 'foo', '6.12');
    expect(files.map(({ name }) => name)).toEqual([`${module}.c`, 'Makefile', 'Kconfig']);
    expect(files[1]!.text).toContain(`obj-$(CONFIG_${module.toUpperCase()}) += ${module}.o`);
    expect(files[2]!.text).toContain(`config ${module.toUpperCase()}\n`);
  });
});

describe('the name', () => {
  test.each([
    ['pci', 'foo-vfio-pci', 'foo_vfio_pci'],
    ['pci', 'Foo', 'foo_vfio_pci'],
    ['mdev', 'foo_mdev', 'foo_mdev'],
    ['platform', ' foo ', 'foo_vfio_platform'],
  ])('for %s, %s is the module %s', (bus, name, module) => {
    expect(driver(bus, name, '6.12').module).toBe(module);
  });

  test.each(['', '1foo', 'foo bar', 'foo;', '../foo', 'x'.repeat(17), 'vfio', 'int', 'vfio-pci'])(
    '%j is none',
    (name) => {
      expect(newDriver('pci', name, '6.12')).toHaveProperty('problem');
    },
  );
});

test.each([
  ['usb', '6.12', 'the bus is one of pci, mdev, platform'],
  ['pci', '', 'the kernel is no kernel that is known'],
  ['pci', '9.1', '9.1 is no kernel that is known'],
  ['pci', '6.0', 'a new driver needs vfio_alloc_device(), which 6.1 is the first to have'],
])('for %s and %j there is none', (bus, version, problem) => {
  expect(newDriver(bus, 'foo', version)).toEqual({ problem });
});
