// The programs that are measured: our server and command line, of this tree or of another commit,
// and servers of others. For all of them `opened` and `edited` end when the diagnostics are there.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startServer } from '../lib/lsp.mjs';
import { inProject } from '../lib/paths.mjs';
import { hasProgram, run } from '../lib/run.mjs';

/** Of the protocol: the server wants each time the whole text. */
const FULL = 1;
/** Milliseconds that a server may take for one answer. */
const PATIENCE = 60_000;
const AST_GREP = '@ast-grep/cli@0.51.1';

/** Our own program as it was built in `folder`. */
export function ours(label, folder) {
  return {
    label,
    commandLine: path.join(folder, 'dist/cli.cjs'),
    start: (tree) =>
      startServer(path.join(folder, 'dist/server.cjs'), { rootUri: pathToFileURL(tree).href }),
    async opened(client, uri, text) {
      await client.open(uri, text);
      return client.diagnostics(uri);
    },
    async edited(client, uri, version, { change }) {
      await client.change(uri, version, [change]);
      return client.diagnostics(uri);
    },
  };
}

/**
 * Those servers of others that are here: ast-grep, which npm brings and which follows no data, and
 * clangd, which compiles the file.
 */
export function peers(tree) {
  const found = [astGrep(tree)];
  if (hasProgram('clangd')) found.push(clangd(tree));
  else console.error('clangd is not installed (Debian: apt install clangd): left out');
  return found;
}

/**
 * With one rule of one pattern, the least that it can be asked for. It looks at files of the folder
 * that it was started in.
 */
function astGrep(tree) {
  const folder = inProject('node_modules/.cache/bench-peers');
  const program = path.join(folder, 'node_modules/.bin/ast-grep');
  const configuration = path.join(folder, 'sgconfig.yml');
  mkdirSync(path.join(folder, 'rules'), { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  writeFileSync(configuration, 'ruleDirs: [rules]\n');
  writeFileSync(
    path.join(folder, 'rules/register.yml'),
    [
      'id: register',
      'language: c',
      'severity: warning',
      'message: a device is registered',
      'rule: { pattern: vfio_register_group_dev($DEVICE) }',
      '',
    ].join('\n'),
  );
  if (!existsSync(program))
    run('npm', ['install', '--no-save', '--no-audit', '--no-fund', AST_GREP], { cwd: folder });
  return pushing('ast-grep', { command: [program, 'lsp', '-c', configuration], folder: tree });
}

/** Where the tree has a compile_commands.json, with the compiler's own arguments. */
function clangd(tree) {
  const fallbackFlags = ['-D__KERNEL__', '-ferror-limit=0', `-I${path.join(tree, 'include')}`];
  return pushing('clangd', {
    command: ['clangd', '--background-index=false', '--log=error'],
    initializationOptions: { fallbackFlags },
  });
}

/** A server that pushes its diagnostics. */
function pushing(label, options) {
  const answered = async (client, uri, version, send) => {
    const pushed = client.pushed(uri, version);
    await send();
    const late = sleep(PATIENCE, 'late', { ref: false });
    if ((await Promise.race([pushed, late])) === 'late')
      throw new Error(`${label} pushed no diagnostics in ${PATIENCE} ms`);
  };
  return {
    label,
    isPeer: true,
    start: (tree) =>
      startServer('', { ...options, log: 'ignore', rootUri: pathToFileURL(tree).href }),
    opened: (client, uri, text) => answered(client, uri, 1, () => client.open(uri, text)),
    edited(client, uri, version, { change, after }) {
      const sync = client.offered.textDocumentSync;
      const wantsAll = (sync?.change ?? sync) === FULL;
      return answered(client, uri, version, () =>
        client.change(uri, version, [wantsAll ? { text: after } : change]),
      );
    },
  };
}
