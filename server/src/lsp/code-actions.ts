/** Code actions: fixes and conversions. */
import {
  CodeActionKind,
  CodeActionTriggerKind,
  LSPErrorCodes,
  ResponseError,
  type CancellationToken,
  type CodeAction,
  type CodeActionParams,
  type Diagnostic,
  type SnippetTextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver';
import {
  conversionsAt,
  conversionTarget,
  planOf,
  reasonsOf,
  whyNothing,
  type ConversionOffer,
} from '../engine/convert.ts';
import { foldOfferOf, hasOffers } from '../engine/fold.ts';
import { fixAll } from '../engine/fix.ts';
import { fixTitle, hasProof, withProof } from '../engine/fix-proof.ts';
import { suppressionFor, type SuppressionComment } from '../engine/suppress.ts';
import type { Linked } from '../engine/project/linked.ts';
import type { Finding } from '../rules/types.ts';
import { conversionCommand, converted, findConversion, type ConversionData } from './conversion.ts';
import { toDiagnostic } from './diagnostics.ts';
import type { Missing, MissingAnswers } from './missing.ts';
import type { Loaded, Session } from './session.ts';
import { workspaceEdit } from './workspace-edit.ts';
import { append } from '../text/lists.ts';

export const REWRITE = `${CodeActionKind.RefactorRewrite}.vfio`;
const FIX_ALL = `${CodeActionKind.SourceFixAll}.vfio`;
export const KINDS = [CodeActionKind.QuickFix, REWRITE, FIX_ALL];

/**
 * Fixes for the findings in the range, conversions around it, and all safe fixes when a client asks
 * for that kind.
 */
export async function codeActions(
  session: Session,
  missingAnswers: MissingAnswers,
  params: CodeActionParams,
  token: CancellationToken,
): Promise<CodeAction[]> {
  if (!session.client.codeActionLiterals) return [];
  const { uri } = params.textDocument;
  const loaded = await session.load(uri, token);
  if (!loaded) return [];
  const missing: Missing[] = [];
  const mayMiss =
    params.context.triggerKind === CodeActionTriggerKind.Automatic &&
    missingAnswers.canComeAgain(uri);
  const isThere: IsThere = (known, one) => {
    if (!mayMiss || known() || missingAnswers.wasDone(loaded, one.key)) return true;
    missing.push(one);
    return false;
  };
  const actions = await session.inTurn(() => actionsOf(session, loaded, params, isThere));
  missingAnswers.workOut(loaded, missing);
  return actions;
}

/**
 * Whether an answer may have a part. One that nobody has asked for goes without what is not known
 * yet, and the part is worked out after it.
 */
type IsThere = (known: () => boolean, missing: Missing) => boolean;

async function actionsOf(
  session: Session,
  loaded: Loaded,
  params: CodeActionParams,
  isThere: IsThere,
): Promise<CodeAction[]> {
  const { only } = params.context;
  const wants = (kind: string): boolean =>
    only === undefined ||
    only.some((one) => one === '' || kind === one || kind.startsWith(`${one}.`));
  const span = {
    start: loaded.document.offsetAt(params.range.start),
    end: loaded.document.offsetAt(params.range.end),
  };
  const actions: CodeAction[] = [];
  const remedies = wants(CodeActionKind.QuickFix)
    ? await quickFixes(session, loaded, span, params.context.diagnostics, isThere)
    : undefined;
  let rewrites: readonly CodeAction[] = [];
  if (wants(REWRITE) || (remedies && remedies.convertible.length > 0)) {
    // Several modules are a second's work: for a person who asks, and not at every move of the
    // cursor.
    const linked =
      params.context.triggerKind === CodeActionTriggerKind.Automatic
        ? { loaded, missed: null }
        : await session.linked(loaded);
    rewrites = await conversions(session, linked, span, isThere);
  }
  // What mends a call of the old model is its conversion: it comes before the comment that would
  // silence the finding.
  const cure =
    remedies && remedies.convertible.length > 0 ? rewrites.find((one) => !one.disabled) : undefined;
  if (remedies) {
    append(actions, remedies.fixes);
    if (cure)
      actions.push({ ...cure, kind: CodeActionKind.QuickFix, diagnostics: remedies.convertible });
    append(actions, explanation(session, rewrites, remedies.convertible));
    append(actions, remedies.comments);
  }
  if (wants(REWRITE))
    append(
      actions,
      rewrites.filter((one) => one !== cure),
    );
  // Who asks for the conversions of the whole file and nothing else is told why there is none.
  const isWhole = span.start === 0 && span.end === loaded.document.getText().length;
  if (
    isWhole &&
    only?.length === 1 &&
    only[0] === REWRITE &&
    rewrites.length === 0 &&
    session.client.disabledActions
  )
    actions.push(noConversion(session, (await session.linked(loaded)).loaded));
  // A command that changes the whole file is no answer to a light bulb: only for those who ask for
  // its kind.
  if (only !== undefined && wants(FIX_ALL)) {
    await loaded.analysis();
    const { edits } = fixAll(loaded.engine, loaded.input, loaded.config, loaded.kernel, {
      unsafe: false,
    });
    if (edits.length > 0)
      actions.push({
        title: 'Fix all safe VFIO life-cycle problems',
        kind: FIX_ALL,
        edit: workspaceEdit(session, loaded, edits),
      });
  }
  return actions;
}

/** What there is to do about the findings in a range. */
interface Remedies {
  readonly fixes: readonly CodeAction[];
  /** Comments that allow the findings instead. */
  readonly comments: readonly CodeAction[];
  /** The findings that go away with the conversion of the device. */
  readonly convertible: Diagnostic[];
}

async function quickFixes(
  session: Session,
  loaded: Loaded,
  span: { start: number; end: number },
  shown: readonly Diagnostic[],
  isThere: IsThere,
): Promise<Remedies> {
  const fixes: CodeAction[] = [];
  const comments: CodeAction[] = [];
  const rulesHere = new Set<string>();
  const convertible: Diagnostic[] = [];
  const { findings } = await loaded.analysis();
  const { engine, input, config, kernel } = loaded;
  const proved = (finding: Finding): Finding => withProof(engine, input, config, kernel, finding);
  for (const finding of findings) {
    if (finding.site.end < span.start || finding.site.start > span.end) continue;
    await loaded.pause();
    const own = toDiagnostic(session, loaded, finding);
    if (!own) continue;
    // The client matches by the object it sent, which may carry fields of its own.
    const same = shown.filter(
      (one) => one.code === finding.rule && JSON.stringify(one.range) === JSON.stringify(own.range),
    );
    const diagnostics = same.length > 0 ? same : [own];
    if (finding.convertible) append(convertible, diagnostics);
    const fix = isThere(() => hasProof(engine, input, kernel, finding), {
      key: `${finding.rule} ${finding.site.start} ${finding.site.end}`,
      work: () => proved(finding).fix !== null,
    })
      ? proved(finding).fix
      : null;
    if (fix) {
      const safe = fix.safety === 'safe';
      if (safe) rulesHere.add(finding.rule);
      fixes.push({
        title: fixTitle(fix),
        kind: CodeActionKind.QuickFix,
        diagnostics,
        ...(safe && session.client.preferredActions && { isPreferred: true }),
        edit: workspaceEdit(session, loaded, fix.edits),
      });
    }
    const comment = suppressionFor(loaded.document.getText(), finding);
    if (comment)
      comments.push({
        title: `Suppress ${finding.rule} with a comment…`,
        kind: CodeActionKind.QuickFix,
        diagnostics,
        edit: commentEdit(session, loaded, comment),
      });
  }
  const ofKind = [...rulesHere].flatMap((rule) => fixesOfKind(session, loaded, findings, rule));
  return { fixes: [...fixes, ...ofKind], comments, convertible };
}

/** What a later request needs to make all safe fixes of a rule. */
interface FixesOfKind {
  readonly uri: string;
  readonly version: number;
  readonly fixRule: string;
}

/**
 * All safe fixes of a rule in the file, proved together when they are asked for; none where the
 * rule has one alone, or the client cannot ask.
 */
function fixesOfKind(
  session: Session,
  loaded: Loaded,
  findings: readonly Finding[],
  rule: string,
): CodeAction[] {
  const count = findings.filter((one) => one.rule === rule && one.fix?.safety === 'safe').length;
  if (count < 2 || !session.client.resolveEdits) return [];
  const data: FixesOfKind = { uri: loaded.document.uri, version: loaded.version, fixRule: rule };
  return [{ title: `Fix all of ${rule} in this file`, kind: CodeActionKind.QuickFix, data }];
}

/**
 * The edit of all safe fixes of a rule. Throws the protocol's error when the document is another by
 * now, or nothing is left to fix.
 */
async function resolveFixes(
  session: Session,
  action: CodeAction,
  data: FixesOfKind,
  token: CancellationToken,
): Promise<CodeAction> {
  const loaded = await session.load(data.uri, token);
  if (!loaded || loaded.version !== data.version)
    throw new ResponseError(LSPErrorCodes.ContentModified, 'the document changed');
  return session.inTurn(async () => {
    await loaded.analysis();
    const { engine, input, config, kernel } = loaded;
    const { edits } = fixAll(engine, input, config, kernel, { unsafe: false, rule: data.fixRule });
    if (edits.length === 0)
      throw new ResponseError(
        LSPErrorCodes.RequestFailed,
        `no safe fix of ${data.fixRule} is left`,
      );
    return { ...action, edit: workspaceEdit(session, loaded, edits) };
  });
}

/**
 * Where the client can, the cursor waits for the reason. Without one the comment allows nothing,
 * and a warning says so.
 */
function commentEdit(
  session: Session,
  loaded: Loaded,
  { at, before, after }: SuppressionComment,
): WorkspaceEdit {
  const path = loaded.input.file;
  if (!session.client.snippetEdits)
    return workspaceEdit(session, loaded, [
      { path, edits: [{ span: { start: at, end: at }, newText: before + after }] },
    ]);
  const position = loaded.document.positionAt(at);
  const edit: SnippetTextEdit = {
    range: { start: position, end: position },
    snippet: { kind: 'snippet', value: `${before}$0${after}` },
  };
  return {
    documentChanges: [
      { textDocument: { uri: loaded.document.uri, version: loaded.version }, edits: [edit] },
    ],
  };
}

async function conversions(
  session: Session,
  { loaded, missed }: Awaited<ReturnType<Session['linked']>>,
  span: { start: number; end: number },
  isThere: IsThere,
): Promise<CodeAction[]> {
  const { findings } = await loaded.analysis();
  const facts = loaded.engine.facts(loaded.input, loaded.kernel);
  if (!facts) return [];
  const target = conversionTarget(loaded.kernel);
  const actions: CodeAction[] = [];
  const seen = new Set<string>();
  for (const offer of conversionsAt(facts, loaded.input.file, span, findings)) {
    await loaded.pause();
    const { engine, input } = loaded;
    const isOffered = isThere(() => hasOffers(engine, input, target, offer.functionName), {
      key: `conversion ${offer.functionName}`,
      work() {
        const { status } = planOf(engine, input, target, offer.functionName);
        if (status === 'planned') foldOfferOf(engine, input, target, offer.functionName);
        return status !== 'unchanged';
      },
    });
    if (!isOffered) continue;
    const plan = planOf(engine, input, target, offer.functionName);
    if (plan.status === 'unchanged') continue;
    const allocates = plan.status === 'planned' ? plan.allocates : offer.model === 'old';
    const action: CodeAction = { title: title(offer, allocates, target.text), kind: REWRITE };
    // Probe and remove of one device lead to one conversion.
    const same = plan.status === 'planned' ? plan.probes.join('\n') : plan.reason;
    if (seen.has(same)) continue;
    seen.add(same);
    if (plan.status === 'refused') {
      const data = conversionData(loaded, offer.functionName, 'minimal');
      const reason = reasonsOf(plan) + (plan.code === 'library' ? lookedFor(missed) : '');
      if (session.client.disabledActions)
        actions.push({ ...action, disabled: { reason }, ...whyData(session, data) });
      continue;
    }
    append(actions, offered(session, loaded, action, offer.functionName, 'minimal'));
    const folding: CodeAction = {
      ...action,
      title: title(offer, allocates, target.text, 'folding state into .init and .release'),
    };
    const fold = foldOfferOf(loaded.engine, loaded.input, target, offer.functionName);
    if (fold.status === 'planned')
      append(actions, offered(session, loaded, folding, offer.functionName, 'fold'));
    else if (session.client.disabledActions)
      actions.push({ ...folding, disabled: { reason: fold.reason } });
    if (offer.model === 'old' && plan.allocates) {
      const how = 'keeping the old model under #if for kernels before 6.1';
      const keeping = { ...action, title: title(offer, allocates, target.text, how) };
      append(actions, keepingOld(session, loaded, keeping, offer.functionName));
    }
  }
  return actions;
}

/**
 * The conversion for old and new kernels alike. It is proved for each of them, which takes seconds:
 * only a client that asks for the edits when a person wants them has it.
 */
function keepingOld(
  session: Session,
  loaded: Loaded,
  action: CodeAction,
  functionName: string | undefined,
): CodeAction[] {
  const { conversionCommand: command, resolveEdits } = session.client;
  if (command === undefined && !resolveEdits) return [];
  return offered(session, loaded, action, functionName, 'compat');
}

/** The conversion of a file that has none to offer, disabled with the reason. */
function noConversion(session: Session, loaded: Loaded): CodeAction {
  const target = conversionTarget(loaded.kernel);
  const plan = planOf(loaded.engine, loaded.input, target, undefined);
  const reason =
    plan.status === 'refused'
      ? reasonsOf(plan)
      : whyNothing(loaded.engine, loaded.input, target).reason;
  const data = conversionData(loaded, undefined, 'minimal');
  const title = `Convert the devices of this file for Linux ${target.text}`;
  return {
    title,
    kind: REWRITE,
    disabled: { reason },
    ...whyData(session, data),
  };
}

/** Where callers of a library were looked for in vain. */
function lookedFor(missed: Linked['missed']): string {
  if (!missed) return '';
  const names =
    missed.names
      .slice(0, 3)
      .map((name) => `${name}()`)
      .join(', ') + (missed.names.length > 3 ? ` and ${missed.names.length - 3} others` : '');
  return ` No caller of ${names} was found in the ${missed.files} other C files of the folders around it.`;
}

function conversionData(
  loaded: Loaded,
  functionName: string | undefined,
  style: ConversionData['style'],
): ConversionData {
  return { uri: loaded.document.uri, version: loaded.version, functionName, style };
}

/**
 * What a client that shows why a conversion cannot be done asks about, as part of the disabled
 * action.
 */
function whyData({ client }: Session, data: ConversionData): { readonly data?: ConversionData } {
  return client.refusalCommand === undefined ? {} : { data };
}

/**
 * Editors show no disabled action where the cursor is: a client with a command for it gets an
 * action that tells why the first conversion
 * there cannot be done.
 */
function explanation(
  { client }: Session,
  rewrites: readonly CodeAction[],
  diagnostics: Diagnostic[],
): CodeAction[] {
  const refused = rewrites.find((one) => one.disabled && one.data !== undefined);
  if (client.refusalCommand === undefined || !refused) return [];
  const title = 'Why can this driver not be converted?';
  const command = { title, command: client.refusalCommand, arguments: [refused.data] };
  return [
    {
      title,
      kind: CodeActionKind.QuickFix,
      command,
      ...(diagnostics.length > 0 && { diagnostics }),
    },
  ];
}

/**
 * The action with the client's own command, with what its edit is resolved from, or with the edit
 * for a client that knows neither.
 */
function offered(
  session: Session,
  loaded: Loaded,
  action: CodeAction,
  functionName: string | undefined,
  style: ConversionData['style'],
): CodeAction[] {
  const data = conversionData(loaded, functionName, style);
  const command = conversionCommand(session, action.title, data);
  if (command) return [{ ...action, command }];
  if (session.client.resolveEdits) return [{ ...action, data }];
  const result = converted(loaded, data);
  return result.status === 'converted'
    ? [{ ...action, edit: workspaceEdit(session, loaded, result.edits) }]
    : [];
}

/** A driver of the new model already is brought on to the target, and its allocation stays. */
function title(
  { functionName }: ConversionOffer,
  allocates: boolean,
  kernel: string,
  how?: string,
): string {
  const device =
    functionName === undefined ? 'the devices of this file' : `the device of ${functionName}()`;
  const goal = allocates ? 'vfio_alloc_device() for' : 'the life cycle of';
  const what = `${device} to ${goal} Linux ${kernel}`;
  // A menu cuts a title off at its end: what tells it from the others comes first.
  if (how !== undefined) return `Convert, ${how}: ${what}`;
  return allocates ? `Convert ${what}` : `Bring ${what}`;
}

/**
 * Fills in the edit of a conversion. Throws the protocol's error with the reason when it can no
 * longer be done.
 */
export async function resolveCodeAction(
  session: Session,
  action: CodeAction,
  token: CancellationToken,
): Promise<CodeAction> {
  const data = action.data as Partial<ConversionData> | undefined;
  if (typeof data?.uri !== 'string' || action.edit || action.disabled) return action;
  if ('fixRule' in data)
    return resolveFixes(session, action, data as unknown as FixesOfKind, token);
  const { loaded, result } = await findConversion(session, data, token);
  return { ...action, edit: workspaceEdit(session, loaded, result.edits) };
}
