// Another commit of the project, built in a worktree of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inProject, root } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';

/** Builds a revision. Returns its folder, its short name, and what removes it again. */
export function buildRevision(revision) {
  const name = git('rev-parse', '--short', `${revision}^{commit}`);
  const folder = mkdtempSync(path.join(tmpdir(), 'vfio-bench-'));
  const remove = () => {
    spawnSync('git', ['-C', root, 'worktree', 'remove', '--force', folder], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    git('worktree', 'add', '--quiet', '--detach', folder, name);
    // The same packages are there already.
    if (lockOf(folder) === lockOf(root))
      symlinkSync(inProject('node_modules'), path.join(folder, 'node_modules'));
    else run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
    run(process.execPath, ['scripts/build.mjs'], { cwd: folder });
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, name, remove };
}

function lockOf(folder) {
  return readFileSync(path.join(folder, 'package-lock.json'), 'utf8');
}

function git(...args) {
  const { status, stdout, stderr } = spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr.trim()}`);
  return stdout.trim();
}
