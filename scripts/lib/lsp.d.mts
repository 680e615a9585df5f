/** What of lsp.mjs the random edits use. */
export interface Server {
  readonly pid: number;
  open(uri: string, text: string): Promise<void>;
  change(uri: string, version: number, changes: readonly object[]): Promise<void>;
  close(uri: string): Promise<void>;
  diagnostics(uri: string): Promise<{
    readonly items: readonly {
      readonly code: string;
      readonly message: string;
      readonly range: object;
    }[];
  }>;
  ask(method: string, parameters: object): Promise<unknown>;
  refreshed(): Promise<void>;
  stop(): Promise<void>;
}
export function startServer(
  server: string,
  options?: { readonly settings?: object },
): Promise<Server>;
