/** Files as the client sees them. */
import type { Connection } from 'vscode-languageserver';
import type { FileSystem } from '../engine/types.ts';

/** Files as a host sees them. */
export interface HostFiles extends FileSystem {
  /** Tells which folders the workspace has: what a link leads to outside of them is not read. */
  within?(folders: readonly string[]): void;
  /** The C sources and headers of the workspace, as URIs in no order. Never throws. */
  findSources(): Promise<readonly string[]>;
  /**
   * Those of some files, by their URIs, that have the word `vfio`; what cannot be read has not.
   * Never throws.
   */
  mentioning(uris: readonly string[]): Promise<readonly string[]>;
}

/**
 * Files as the client sees them: the only way to a virtual workspace, and in a browser to any. Keys
 * are URIs.
 * @param mentioningOnDisk looks through files of this machine, where the server has a disk;
 * undefined where it has none.
 */
export function clientFileSystem(
  connection: Connection,
  mentioningOnDisk: HostFiles['mentioning'] | undefined,
): HostFiles {
  const ask = async (method: string, params: object): Promise<readonly string[]> => {
    try {
      const answer = await connection.sendRequest<{ uris?: unknown } | null>(method, params);
      return Array.isArray(answer?.uris)
        ? answer.uris.filter((one) => typeof one === 'string')
        : [];
    } catch {
      return [];
    }
  };
  return {
    findSources: () => ask('vfioLifecycle/findSources', {}),
    async mentioning(uris) {
      const isHere = (uri: string): boolean =>
        mentioningOnDisk !== undefined && uri.startsWith('file:');
      const here = (await mentioningOnDisk?.(uris.filter(isHere))) ?? [];
      const others = uris.filter((uri) => !isHere(uri));
      return others.length === 0
        ? here
        : [...here, ...(await ask('vfioLifecycle/mentioning', { uris: others }))];
    },
    async readFile(uri) {
      try {
        const answer = await connection.sendRequest<{ text?: unknown } | null>(
          'vfioLifecycle/readFile',
          { uri },
        );
        return typeof answer?.text === 'string' ? withoutMark(answer.text) : undefined;
      } catch {
        return undefined;
      }
    },
    async readDirectory(uri) {
      try {
        const answer = await connection.sendRequest<{ entries?: unknown } | null>(
          'vfioLifecycle/readDirectory',
          { uri },
        );
        return Array.isArray(answer?.entries)
          ? answer.entries.filter((one) => typeof one === 'string')
          : [];
      } catch {
        return [];
      }
    },
  };
}

/**
 * Editors keep the byte order mark out of a document's text; files read beside it must look the
 * same.
 */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
