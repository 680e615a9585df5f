// Bundles client, server and command line into dist/. `--watch` rebuilds on change, `--dev` keeps
// names and adds source maps.
import { build, context } from 'esbuild';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { inProject, root } from './lib/paths.mjs';

const watch = process.argv.includes('--watch');
const development = watch || process.argv.includes('--dev');
const dist = inProject('dist');

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
    entryPoints: ['client/src/browser.ts'],
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
    plugins: [withoutProcesses('commander')],
    // A function of what a CommonJS module finds around it: to wrap the text when it runs would
    // copy all of it.
    banner: {
      js: `(function (program) { return typeof importScripts === 'function' ? program() : program; })(function (require, __filename, __dirname) {`,
    },
    footer: { js: '})' },
  },
  {
    ...node,
    entryPoints: ['client/src/extension.ts'],
    outfile: 'dist/extension.cjs',
    external: ['vscode'],
    supported: { 'dynamic-import': false },
    plugins: [loads('browser.ts', './web/extension.js')],
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
  rmSync(dist, { recursive: true, force: true });
  addOthers(dist);
  for (const options of bundles) await (await context({ ...options, logLevel: 'info' })).watch();
} else {
  // In memory first: a build that fails leaves the last good one.
  const built = await Promise.all(
    bundles.map((options) => build({ ...options, write: false, metafile: true })),
  );
  const stage = inProject(`out/build-${process.pid}`);
  addOthers(stage);
  writeFileSync(
    path.join(stage, 'licenses.txt'),
    licences(built.flatMap((one) => Object.keys(one.metafile.inputs))),
  );
  for (const { path: file, contents } of built.flatMap((one) => one.outputFiles)) {
    const staged = path.join(stage, path.relative(dist, file));
    mkdirSync(path.dirname(staged), { recursive: true });
    writeFileSync(staged, contents, { mode: file.endsWith('cli.cjs') ? 0o755 : 0o644 });
  }
  moveInto(dist, stage);
}

/** An entry of another bundle stays out of this one, which loads that bundle when it runs. */
function loads(entry, bundle) {
  return {
    name: 'loads',
    setup(building) {
      const filter = new RegExp(`/${entry.replaceAll('.', '\\.')}$`);
      building.onResolve({ filter }, ({ kind }) =>
        kind === 'entry-point' ? undefined : { path: bundle, external: true },
      );
    },
  };
}

/**
 * Keeps the module for processes of a package out: it starts some only for commands that are programs
 * of their own, of which there are none, and Node takes several milliseconds to load it.
 */
function withoutProcesses(name) {
  return {
    name: 'without-processes',
    setup(building) {
      const inPackage = path.join('node_modules', name);
      building.onResolve({ filter: /^node:child_process$/ }, ({ importer, path: module }) =>
        importer.includes(inPackage) ? { path: module, namespace: 'without' } : undefined,
      );
      building.onLoad({ filter: /.*/, namespace: 'without' }, () => ({ contents: '' }));
    },
  };
}

/** What is no bundle: the two wasm modules, which Node's bundles look for in dist/. */
function addOthers(folder) {
  mkdirSync(folder, { recursive: true });
  for (const file of ['web-tree-sitter/web-tree-sitter.wasm', 'tree-sitter-c/tree-sitter-c.wasm']) {
    copyFileSync(inProject('node_modules', file), path.join(folder, path.basename(file)));
  }
}

/**
 * Moves the files of `stage` into `folder`, one by one, and removes all others there. Tests that run
 * what is in it at the same time find each file at any moment, the old one or the new one. A file
 * that is as it was stays, so that what was compiled of it is still taken.
 */
function moveInto(folder, stage) {
  const files = filesIn(stage);
  for (const file of files) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    if (!isSame(path.join(stage, file), path.join(folder, file)))
      renameSync(path.join(stage, file), path.join(folder, file));
  }
  for (const file of filesIn(folder)) {
    if (!files.includes(file)) rmSync(path.join(folder, file));
  }
  rmSync(stage, { recursive: true });
}

function isSame(left, right) {
  return (
    existsSync(right) &&
    statSync(left).mode === statSync(right).mode &&
    readFileSync(left).equals(readFileSync(right))
  );
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => path.relative(folder, path.join(one.parentPath, one.name)));
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
