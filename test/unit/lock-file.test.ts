import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

// With an address in it a lock file works only where that registry can be reached; the integrity hashes alone pin what is installed.
test.each(['package-lock.json', 'test/editor-host/package-lock.json'])('%s holds hashes and no registry addresses', (file) => {
  const { packages } = JSON.parse(readFileSync(path.join(root, file), 'utf8')) as { packages: Record<string, { resolved?: string; integrity?: string }> };
  const installed = Object.entries(packages).filter(([name]) => name !== '');
  expect(installed.length).toBeGreaterThan(100);
  expect(installed.filter(([, entry]) => entry.resolved !== undefined).map(([name]) => name)).toEqual([]);
  expect(installed.filter(([, entry]) => entry.integrity === undefined).map(([name]) => name)).toEqual([]);
});
