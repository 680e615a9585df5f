/** The files that git says have changed: what is to be checked before a commit. */
import * as vscode from 'vscode';
import { say } from './say.ts';

/** What is used of the API of VS Code's own git extension, version 1. */
interface Git {
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
  const git = await Promise.resolve(extension?.activate()).catch(() => undefined);
  const repositories = git?.enabled === true ? git.getAPI(1).repositories : [];
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
