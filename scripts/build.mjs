// Bundles client, server and command line into dist/. `--watch` rebuilds on change, `--dev` keeps
// names and adds source maps.
import { build, context } from 'esbuild';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { inProject, root } from './lib/paths.mjs';

const watch = process.argv.includes('--watch');
const development = watch || process.argv.includes('--dev');

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: !development,
  sourcemap: development ? 'linked' : false,
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
};
// The ES module of web-tree-sitter calls createRequire(import.meta.url), which is undefined in a
// CommonJS bundle.
const treeSitter = {
  'web-tree-sitter': inProject('node_modules/web-tree-sitter/web-tree-sitter.cjs'),
};
const node = { ...common, platform: 'node', format: 'cjs' };
// One file for both: nearly all of it is the same. Where it runs in a worker, what asks for Node's
// modules is never called.
const anywhere = {
  ...common,
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['node', 'browser'],
  external: ['node:*', ...builtinModules],
};

const bundles = [
  {
    ...anywhere,
    entryPoints: ['client/src/main.ts'],
    outfile: 'dist/web/extension.js',
    format: 'cjs',
    external: ['vscode', ...anywhere.external],
    supported: { 'dynamic-import': false },
  },
  {
    ...anywhere,
    format: 'iife',
    entryPoints: ['server/src/cli/anywhere.ts'],
    outfile: 'dist/web/server.js',
    alias: treeSitter,
  },
  { ...node, entryPoints: ['server/src/lsp/node-main.ts'], outfile: 'dist/server.cjs' },
  {
    ...common,
    entryPoints: ['client/view/life-cycle.mjs'],
    outfile: 'dist/web/life-cycle-view.js',
    format: 'iife',
  },
  {
    ...node,
    entryPoints: ['server/src/cli/cli-main.ts'],
    outfile: 'dist/cli.cjs',
    banner: { js: '#!/usr/bin/env node' },
  },
];

if (watch) {
  emptyDist();
  for (const options of bundles) await (await context({ ...options, logLevel: 'info' })).watch();
} else {
  // In memory first: a build that fails leaves the last good one.
  const built = await Promise.all(
    bundles.map((options) => build({ ...options, write: false, metafile: true })),
  );
  emptyDist();
  writeFileSync(
    inProject('dist/licenses.txt'),
    licences(built.flatMap((one) => Object.keys(one.metafile.inputs))),
  );
  for (const { path: file, contents } of built.flatMap((one) => one.outputFiles)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, contents, { mode: file.endsWith('cli.cjs') ? 0o755 : 0o644 });
  }
}

/**
 * Leaves nothing in dist/ but what is no bundle: the two wasm modules, which Node's bundles look
 * for in dist/, and the name that the extension
 * has for Node.
 */
function emptyDist() {
  const dist = inProject('dist');
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  writeFileSync(
    path.join(dist, 'extension.cjs'),
    "module.exports = require('./web/extension.js');\n",
  );
  for (const file of ['web-tree-sitter/web-tree-sitter.wasm', 'tree-sitter-c/tree-sitter-c.wasm']) {
    copyFileSync(inProject('node_modules', file), path.join(dist, path.basename(file)));
  }
}

/** The licence texts of the packages whose files are in the bundles, and of the grammar. */
function licences(files) {
  const names = files
    .map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1])
    .filter((name) => name !== undefined);
  // The bundle of dagre has graphlib in it.
  return [...new Set([...names, '@dagrejs/graphlib', 'tree-sitter-c'])]
    .sort()
    .map((name) => {
      const folder = inProject('node_modules', name);
      const text = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
      return `${name}\n\n${readFileSync(path.join(folder, text), 'utf8').trim()}\n`;
    })
    .join(`\n${'-'.repeat(72)}\n\n`);
}
