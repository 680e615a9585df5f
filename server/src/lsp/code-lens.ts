/** Code lenses: the conversion above an old probe and, by the setting, findings and models. */
import type { CancellationToken, CodeLens, CodeLensParams, Command } from 'vscode-languageserver';
import { conversionTarget, planOf, reasonsOf } from '../engine/convert.ts';
import { lifeLenses } from '../engine/life-lenses.ts';
import { CONVERT_COMMAND } from './convert-command.ts';
import type { ConversionData } from './conversion.ts';
import type { Loaded, Session } from './session.ts';

/** Throws like `Session.load`. What a lens of a conversion says is worked out when it is shown. */
export async function codeLenses(
  session: Session,
  { textDocument }: CodeLensParams,
  token: CancellationToken,
): Promise<CodeLens[]> {
  const { codeLens: wanted } = await session.shown(textDocument.uri);
  const loaded = wanted === 'off' ? undefined : await session.load(textDocument.uri, token);
  if (!loaded) return [];
  return session.inTurn(async () => {
    const { findings } = await loaded.analysis();
    // With every key this is asked: of a driver of the new model nothing more is worked out.
    const mayBeAny = wanted === 'all' || findings.some(({ convertible }) => convertible === true);
    const facts = mayBeAny ? loaded.engine.facts(loaded.input, loaded.kernel) : undefined;
    if (!facts) return [];
    return lifeLenses(facts, findings, loaded.input.file).flatMap((lens): CodeLens[] => {
      const range = loaded.positions.range(loaded.input.file, lens.span);
      if (!range || (lens.kind === 'summary' && wanted !== 'all')) return [];
      const data = { ...dataOf(loaded, lens.functionName) };
      return lens.kind === 'conversion'
        ? [{ range, data }]
        : [{ range, command: summaryCommand(session, loaded, lens.title) }];
    });
  });
}

function dataOf({ document, version }: Loaded, functionName: string): ConversionData {
  return { uri: document.uri, version, functionName, style: 'minimal' };
}

/** A click shows the life cycle where the client can. */
function summaryCommand({ client }: Session, { document }: Loaded, title: string): Command {
  return client.lifeCycleCommand === undefined
    ? { title, command: '' }
    : { title, command: client.lifeCycleCommand, arguments: [document.uri] };
}

/** The lens of a conversion with its command, or with the reason why there is none. */
export async function resolveCodeLens(
  session: Session,
  lens: CodeLens,
  token: CancellationToken,
): Promise<CodeLens> {
  const data = lens.data as ConversionData | undefined;
  const loaded = data && (await session.load(data.uri, token));
  if (!loaded || loaded.version !== data.version) return { ...lens, command: NOTHING };
  return session.inTurn(async () => {
    await loaded.analysis();
    const target = conversionTarget(loaded.kernel);
    const plan = planOf(loaded.engine, loaded.input, target, data.functionName);
    if (plan.status === 'unchanged') return { ...lens, command: NOTHING };
    // The callers of a library are looked for when the conversion is asked for.
    if (plan.status === 'planned' || plan.code === 'library')
      return { ...lens, command: convertCommand(session, data) };
    const { refusalCommand } = session.client;
    const command: Command =
      refusalCommand === undefined
        ? { title: `Not converted: ${reasonsOf(plan)}`, command: '' }
        : {
            title: 'Why can this driver not be converted?',
            command: refusalCommand,
            arguments: [data],
          };
    return { ...lens, command };
  });
}

const NOTHING: Command = { title: '', command: '' };

function convertCommand({ client }: Session, data: ConversionData): Command {
  const title = 'Convert to vfio_alloc_device()';
  return client.conversionCommand === undefined
    ? { title, command: CONVERT_COMMAND, arguments: [data] }
    : { title, command: client.conversionCommand, arguments: [data] };
}
