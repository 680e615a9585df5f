import type { Connection } from 'vscode-languageserver';
import type { FileSystem } from '../engine/types.ts';

/** Files as a host sees them. */
export interface HostFiles extends FileSystem {
  /** Tells which folders the workspace has: what a link leads to outside of them is not read. */
  within?(folders: readonly string[]): void;
}

/** Files as the client sees them: the only way to a virtual workspace, and in a browser to any. Keys are URIs. */
export function clientFileSystem(connection: Connection): HostFiles {
  return {
    async readFile(uri) {
      try {
        const answer = await connection.sendRequest<{ text?: unknown } | null>('vfioLifecycle/readFile', { uri });
        return typeof answer?.text === 'string' ? withoutMark(answer.text) : undefined;
      } catch {
        return undefined;
      }
    },
    async readDirectory(uri) {
      try {
        const answer = await connection.sendRequest<{ entries?: unknown } | null>('vfioLifecycle/readDirectory', { uri });
        return Array.isArray(answer?.entries) ? answer.entries.filter((one) => typeof one === 'string') : [];
      } catch {
        return [];
      }
    },
  };
}

/** Editors keep the byte order mark out of a document's text; files read beside it must look the same. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
