/** The files that git says have changed: what is to be checked before a commit. */
import * as vscode from 'vscode';
import { say } from './say.ts';

/** What is used of the API of VS Code's own git extension, version 1. */
interface Git {
  readonly state: 'uninitialized' | 'initialized';
  readonly onDidChangeState: vscode.Event<Git['state']>;
  readonly repositories: readonly Repository[];
}

interface Repository {
  readonly state: Readonly<
    Record<
      'indexChanges' | 'workingTreeChanges' | 'mergeChanges' | 'untrackedChanges',
      readonly { readonly uri: vscode.Uri }[] | undefined
    >
  >;
  status(): Promise<void>;
}

interface GitExtension {
  readonly enabled: boolean;
  getAPI(version: 1): Git;
}

/**
 * The C files and headers of the workspace that have changed since the last commit, staged ones and
 * new ones too. Undefined, after saying why, where nobody can tell.
 */
export async function changedSources(): Promise<readonly vscode.Uri[] | undefined> {
  const extension = vscode.extensions.getExtension<GitExtension>('vscode.git');
  const found = await Promise.resolve(extension?.activate()).catch(() => undefined);
  const git = found?.enabled === true ? found.getAPI(1) : undefined;
  if (git !== undefined) await lookedAround(git);
  const repositories = git?.repositories ?? [];
  if (repositories.length === 0) {
    say('there is no git here that could tell what has changed');
    return undefined;
  }
  await Promise.all(repositories.map((one) => one.status().catch(() => undefined)));
  const changes = repositories.flatMap(({ state }) =>
    [
      state.indexChanges,
      state.workingTreeChanges,
      state.mergeChanges,
      state.untrackedChanges,
    ].flatMap((some) => some ?? []),
  );
  const sources = new Map(
    changes.filter(({ uri }) => /\.[ch]$/.test(uri.path)).map(({ uri }) => [uri.toString(), uri]),
  );
  return existing([...sources.values()]);
}

/** Just after the start of the window git still looks for repositories. */
async function lookedAround(git: Git): Promise<void> {
  if (git.state === 'initialized') return;
  await new Promise<void>((resolve) => {
    const listener = git.onDidChangeState(() => {
      listener.dispose();
      resolve();
    });
  });
}

/** A file that was deleted has changed too. */
async function existing(uris: readonly vscode.Uri[]): Promise<readonly vscode.Uri[]> {
  const found = await Promise.all(
    uris.map((uri) =>
      Promise.resolve(vscode.workspace.fs.stat(uri)).then(
        () => [uri],
        () => [],
      ),
    ),
  );
  return found.flat();
}
