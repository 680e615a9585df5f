import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findHeaders, whyNot } from '../../scripts/lib/headers.mjs';
import { compileForKernel } from './compiler.ts';

const reason = whyNot('6.1');
const INCLUDES = ['module', 'slab', 'vfio'].map((name) => `#include <linux/${name}.h>`);
const CODE = [
  'void stop(struct vfio_device *vdev);',
  'void stop(struct vfio_device *vdev)',
  '{',
  '\tvfio_unregister_group_dev(vdev);',
  '}',
];

describe.skipIf(reason !== undefined)(
  `what is compiled once for all drivers${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-compiler-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const compile = (...lines: string[]): Promise<void> => {
      const source = path.join(folder, 'driver.c');
      writeFileSync(source, [...lines, ''].join('\n'));
      return compileForKernel(source, path.join(folder, 'driver.o'), findHeaders('6.1')!);
    };

    test('is there for a driver that includes it', async () => {
      await compile(
        '// SPDX-License-Identifier: MIT',
        '/*',
        ' * A driver.',
        ' */',
        ...INCLUDES,
        '',
        ...CODE,
      );
    });

    test('gives a driver no header that it does not include', async () => {
      await expect(compile(...INCLUDES.slice(0, 2), ...CODE)).rejects.toThrow('vfio_unregister');
    });

    test('gives a driver no header before it includes it', async () => {
      const early = ['extern struct vfio_device *vdev;', 'size_t size = sizeof(vdev->group);'];
      await expect(compile(...early, ...INCLUDES, ...CODE)).rejects.toThrow('size_t');
    });

    test('does not come before what a driver defines for its headers', async () => {
      await compile('#define vfio_unregister_group_dev renamed', ...INCLUDES, ...CODE);
    });
  },
);
