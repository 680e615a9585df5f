import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startClient } from '../lsp/client.ts';

const root = path.resolve(import.meta.dirname, '../..');
const work = mkdtempSync(path.join(os.tmpdir(), 'vfio-lifecycle-npm-'));
const empty = path.join(work, 'empty');
const prefix = path.join(work, 'prefix');
const binary = path.join(
  prefix,
  process.platform === 'win32' ? 'vfio-lifecycle.cmd' : 'bin/vfio-lifecycle',
);
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  version: string;
};
/** No registry is asked for anything, and nothing of the user's npm is used. */
const env = {
  ...process.env,
  HOME: empty,
  npm_config_cache: path.join(work, 'cache'),
  npm_config_offline: 'true',
  npm_config_update_notifier: 'false',
  npm_config_userconfig: path.join(work, 'npmrc'),
  npm_config_prefix: '',
};
let tarball = '';
let files: readonly string[] = [];

function npm(cwd: string, program: 'npm' | 'npx', ...args: string[]): string {
  return execFileSync(program, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  });
}

// dist/ is there: packing the extension has built it.
beforeAll(() => {
  mkdirSync(empty);
  const [packed] = JSON.parse(
    npm(root, 'npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', work),
  ) as [{ filename: string; files: { path: string }[] }];
  tarball = path.join(work, packed.filename);
  files = packed.files.map((one) => one.path);
  npm(empty, 'npm', 'install', '--global', '--prefix', prefix, tarball);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('the package that npm installs', () => {
  it('is named by npm pack, which says nothing else: pre-commit reads its name there', () => {
    const said = npm(root, 'npm', 'pack', '--dry-run');
    expect(said).toBe(`${path.basename(tarball)}\n`);
  });

  it('holds the command line, the server and the pages, and nothing of the sources', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'dist/cli.cjs',
        'dist/server.cjs',
        'dist/web/server.js',
        'dist/licenses.txt',
        'dist/tree-sitter-c.wasm',
        'dist/web-tree-sitter.wasm',
        'docs/rules/missing-put.md',
        'package.json',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
      ]),
    );
    expect(
      files.filter((name) =>
        /^(?:client|server|test|scripts|node_modules)\/|\.ts$|\.map$/.test(name),
      ),
    ).toEqual([]);
  });

  it('gives the command, which works far from the sources and names web pages', () => {
    expect(execFileSync(binary, ['--version'], { encoding: 'utf8' })).toBe(`${manifest.version}\n`);
    writeFileSync(
      path.join(empty, 'mistakes.c'),
      readFileSync(path.join(root, 'examples/driver/mistakes.c')),
    );
    const { status, stdout } = spawnSync(binary, ['check', '--format', 'sarif', 'mistakes.c'], {
      cwd: empty,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    const [
      {
        tool: { driver },
        results,
      },
    ] = JSON.parse(stdout).runs;
    expect(results.map((one: { ruleId: string }) => one.ruleId).sort()).toEqual([
      'missing-put',
      'null-check-on-alloc',
      'use-after-put',
    ]);
    expect(driver.rules[0].helpUri).toMatch(/^https:/);
    expect(stdout).not.toContain(prefix);
    rmSync(path.join(empty, 'mistakes.c'));
  });

  it('gives the language server', async () => {
    const client = await startClient({ command: [binary, 'lsp', '--stdio'] });
    expect(await client.stop()).toBe(0);
  });

  it('runs by npx, and leaves the folder empty', () => {
    expect(npm(empty, 'npx', '--yes', '--package', tarball, 'vfio-lifecycle', '--version')).toBe(
      `${manifest.version}\n`,
    );
    expect(readdirSync(empty).filter((name) => !name.startsWith('.'))).toEqual([]);
  });
});
