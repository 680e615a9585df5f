import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

interface Lock {
  packages: Record<string, { resolved?: string; integrity?: string }>;
}

function read(file: string): Lock {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8')) as Lock;
}

// With an address in it a lock file works only where that registry can be reached; the integrity
// hashes alone pin what is installed.
test.each([
  'package-lock.json',
  'test/editor-host/package-lock.json',
  'test/web/package-lock.json',
])('%s holds hashes and no registry addresses', (file) => {
  const installed = Object.entries(read(file).packages).filter(([name]) => name !== '');
  expect(installed.length).toBeGreaterThan(0);
  expect(
    installed.filter(([, entry]) => entry.resolved !== undefined).map(([name]) => name),
  ).toEqual([]);
  expect(
    installed.filter(([, entry]) => entry.integrity === undefined).map(([name]) => name),
  ).toEqual([]);
});

// Client and server would otherwise be bundled with a protocol each.
test.each(['vscode-jsonrpc', 'vscode-languageserver-protocol', 'vscode-languageserver-types'])(
  'there is one %s',
  (name) => {
    expect(
      Object.keys(read('package-lock.json').packages).filter((one) =>
        one.endsWith(`node_modules/${name}`),
      ),
    ).toHaveLength(1);
  },
);
