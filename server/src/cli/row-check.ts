/** Rows of the settings that fit no call of what was checked. */
import type { RowCall } from '../engine/wrapper-rows.ts';
import type { Wrapper } from '../engine/settings/schema.ts';
import { rowsOf } from '../engine/settings/wrappers.ts';
import type { Output } from './output.ts';
import { keyOf, shownPath, type Workspace } from './workspace.ts';

export interface RowCheck {
  /** The rows of each configuration file that counts for a file, without those that are wrong. */
  rowsFor(file: string): Promise<readonly FileRows[]>;
  /** Takes the calls of one more file, for each list of its rows. */
  take(lists: readonly FileRows[], calls: readonly (readonly RowCall[])[]): void;
  /**
   * Says which rows fit none of their calls, as a mistake, and which are called nowhere, where all
   * that their file is for was checked.
   * @param paths what was checked
   */
  report(paths: readonly string[], output: Output): void;
}

/** The rows of one configuration file. */
export interface FileRows {
  readonly path: string;
  readonly wrappers: readonly Wrapper[];
}

interface Row {
  readonly path: string;
  readonly name: string;
  isMentioned: boolean;
  fits: boolean;
  misfit: string | undefined;
}

/** For one run over a workspace. */
export function createRowCheck(workspace: Workspace): RowCheck {
  const rows = new Map<string, Row>();
  return {
    async rowsFor(file) {
      const lists = (await workspace.settingsFiles(file)).map(({ path, configuration }) => {
        const accepted = configuration.wrappers && rowsOf(configuration.wrappers).rows;
        const wrappers = configuration.wrappers?.filter(({ name }) => accepted?.has(name)) ?? [];
        return { path, wrappers };
      });
      return lists.filter(({ wrappers }) => wrappers.length > 0);
    },
    take(lists, calls) {
      for (const [i, { path, wrappers }] of lists.entries()) {
        for (const { name } of wrappers) {
          const key = `${path}\n${name}`;
          if (!rows.has(key))
            rows.set(key, { path, name, isMentioned: false, fits: false, misfit: undefined });
        }
        for (const { wrapper, misfit } of calls[i] ?? []) {
          const row = rows.get(`${path}\n${wrapper.name}`)!;
          row.isMentioned = true;
          row.fits ||= misfit === undefined;
          row.misfit ??= misfit;
        }
      }
    },
    report(paths, output) {
      const roots = paths.map(keyOf);
      for (const { path, name, isMentioned, fits, misfit } of rows.values()) {
        const folder = path.slice(0, path.lastIndexOf('/'));
        const isWhole = roots.some((root) => folder === root || folder.startsWith(`${root}/`));
        if (misfit !== undefined && !fits)
          workspace.complain({
            path,
            message: `wrappers: ${name} fits no call of ${name}(): ${misfit}`,
          });
        else if (!isMentioned && isWhole)
          output.note(`${shownPath(path)}: wrappers: ${name} fits no call: nothing here calls it`);
      }
    },
  };
}
