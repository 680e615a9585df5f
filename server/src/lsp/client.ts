/** What the client can do, read from its first message. */
import type {
  DiagnosticTag,
  InitializeParams,
  TextDocumentClientCapabilities,
} from 'vscode-languageserver';
import { readSection, type Settings } from '../engine/settings/read.ts';

/** What the client can do, read once from its first message. */
export interface Client {
  readonly pullDiagnostics: boolean;
  readonly refreshDiagnostics: boolean;
  readonly relatedInformation: boolean;
  readonly codeDescription: boolean;
  readonly tags: ReadonlySet<DiagnosticTag>;
  readonly markdownHover: boolean;
  readonly codeActionLiterals: boolean;
  readonly resolveEdits: boolean;
  readonly disabledActions: boolean;
  readonly preferredActions: boolean;
  readonly versionedEdits: boolean;
  readonly snippetEdits: boolean;
  /** Completion, and items that are snippets, that are completed later, that are Markdown. */
  readonly completion: boolean;
  readonly completionSnippets: boolean;
  readonly resolvesItems: boolean;
  readonly markdownItems: boolean;
  readonly signatureHelp: boolean;
  readonly markdownSignatures: boolean;
  /** A parameter may be told by its place in the signature. */
  readonly parameterOffsets: boolean;
  readonly references: boolean;
  readonly documentLinks: boolean;
  readonly inlayHints: boolean;
  readonly refreshInlayHints: boolean;
  readonly codeLens: boolean;
  readonly refreshCodeLens: boolean;
  /** The client's command that shows the life cycle of the document in its argument. */
  readonly lifeCycleCommand: string | undefined;
  readonly configuration: boolean;
  /** Tells of changed settings when it is asked to; others do so unasked, or never. */
  readonly watchConfiguration: boolean;
  readonly watchFiles: boolean;
  readonly workspaceFolders: boolean;
  /** Files are asked for from the client instead of the disk. */
  readonly fileRequests: boolean;
  /**
   * What a check of the workspace finds in an open document is published too: the client shows what
   * it pulls instead, at once and as long as it does.
   */
  readonly hidesChecked: boolean;
  /** Findings of what is missing wait until nobody types; `waitWhileTyping: false` turns it off. */
  readonly waitsWhileTyping: boolean;
  /** The client's command that shows and writes a conversion, for clients that have one. */
  readonly conversionCommand: string | undefined;
  /** The client's command that shows why a conversion cannot be done, for clients that have one. */
  readonly refusalCommand: string | undefined;
  /** The settings of the first message: used when the client cannot be asked. */
  readonly settings: Settings;
  /**
   * Folder of the rule pages as a URI with a trailing slash, if the client knows a better one than
   * the server.
   */
  readonly docs: string | undefined;
  /** Canonical form is made by the workspace. */
  readonly folders: readonly string[];
}

export function readClient(params: InitializeParams): Client {
  // Clients outside VS Code leave out whole sections of what the protocol calls mandatory.
  const { textDocument, workspace } = params.capabilities ?? {};
  return {
    ...diagnosticsOf(params.capabilities),
    ...actionsOf(textDocument),
    markdownHover:
      textDocument?.hover?.contentFormat === undefined ||
      textDocument.hover.contentFormat.includes('markdown'),
    versionedEdits: workspace?.workspaceEdit?.documentChanges === true,
    snippetEdits:
      workspace?.workspaceEdit?.documentChanges === true &&
      workspace.workspaceEdit.snippetEditSupport === true,
    ...writingOf(textDocument),
    references: textDocument?.references !== undefined,
    documentLinks: textDocument?.documentLink !== undefined,
    inlayHints: textDocument?.inlayHint !== undefined,
    refreshInlayHints: workspace?.inlayHint?.refreshSupport === true,
    codeLens: textDocument?.codeLens !== undefined,
    refreshCodeLens: workspace?.codeLens?.refreshSupport === true,
    configuration: workspace?.configuration === true,
    watchConfiguration: workspace?.didChangeConfiguration?.dynamicRegistration === true,
    watchFiles: workspace?.didChangeWatchedFiles?.dynamicRegistration === true,
    workspaceFolders: workspace?.workspaceFolders === true,
    ...optionsOf(params.initializationOptions),
    folders:
      params.workspaceFolders?.map((folder) => folder.uri) ??
      (params.rootUri ? [params.rootUri] : []),
  };
}

/** What the client shows of a diagnostic, and how it comes to them. */
function diagnosticsOf(capabilities: InitializeParams['capabilities'] | undefined) {
  const { textDocument, workspace } = capabilities ?? {};
  const published = textDocument?.publishDiagnostics;
  const pulled = textDocument?.diagnostic;
  return {
    pullDiagnostics: pulled !== undefined,
    refreshDiagnostics: workspace?.diagnostics?.refreshSupport === true,
    relatedInformation: (published?.relatedInformation ?? pulled?.relatedInformation) === true,
    codeDescription: (published?.codeDescriptionSupport ?? pulled?.codeDescriptionSupport) === true,
    tags: new Set((published?.tagSupport ?? pulled?.tagSupport)?.valueSet),
  };
}

function actionsOf(textDocument: InitializeParams['capabilities']['textDocument']) {
  const action = textDocument?.codeAction;
  return {
    codeActionLiterals: action?.codeActionLiteralSupport !== undefined,
    resolveEdits:
      action?.dataSupport === true && action.resolveSupport?.properties?.includes('edit') === true,
    disabledActions: action?.disabledSupport === true,
    preferredActions: action?.isPreferredSupport === true,
  };
}

/** The project's own options; anything may be in their place. */
function optionsOf(given: unknown) {
  const options = (typeof given === 'object' && given !== null ? given : {}) as Record<
    string,
    unknown
  >;
  const textOf = (name: string): string | undefined =>
    typeof options[name] === 'string' ? options[name] : undefined;
  return {
    fileRequests: options['fileRequests'] === true,
    hidesChecked: options['hidesChecked'] === true,
    waitsWhileTyping: options['waitWhileTyping'] !== false,
    lifeCycleCommand: textOf('lifeCycleCommand'),
    conversionCommand: textOf('conversionCommand'),
    refusalCommand: textOf('refusalCommand'),
    settings: readSection(options['settings']),
    docs: textOf('docs')?.replace(/\/?$/, '/'),
  };
}

/** What the client can do while a person writes. */
function writingOf(
  textDocument: TextDocumentClientCapabilities | undefined,
): Pick<
  Client,
  | 'completion'
  | 'completionSnippets'
  | 'resolvesItems'
  | 'markdownItems'
  | 'signatureHelp'
  | 'markdownSignatures'
  | 'parameterOffsets'
> {
  const item = textDocument?.completion?.completionItem;
  const resolvable = item?.resolveSupport?.properties ?? [];
  const signature = textDocument?.signatureHelp?.signatureInformation;
  return {
    completion: textDocument?.completion !== undefined,
    completionSnippets: item?.snippetSupport === true,
    resolvesItems: ['additionalTextEdits', 'documentation'].every((one) =>
      resolvable.includes(one),
    ),
    markdownItems: item?.documentationFormat?.includes('markdown') === true,
    signatureHelp: textDocument?.signatureHelp !== undefined,
    markdownSignatures: signature?.documentationFormat?.includes('markdown') === true,
    parameterOffsets: signature?.parameterInformation?.labelOffsetSupport === true,
  };
}
