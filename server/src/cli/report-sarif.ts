/** SARIF 2.1.0 (OASIS standard of 27 March 2020), which code-scanning services and editors read. */
import { rulePage } from '../engine/explain.ts';
import { kernelStages } from '../engine/pipeline.ts';
import { fixTitle } from '../engine/fix-proof.ts';
import type { NotAnalysed } from '../engine/types.ts';
import type { Finding, Rule, Severity } from '../rules/types.ts';
import type { Span } from '../text/span.ts';
import type { Gone } from './check-result.ts';
import type { CheckResult } from './check-result.ts';
import {
  FINGERPRINT,
  FIRST_FINGERPRINT,
  fingerprintAt,
  fingerprintOf,
  firstFingerprint,
} from './fingerprint.ts';
import type { PackageFacts } from './package-facts.ts';
import { notAnalysedName } from './report-text.ts';
import { createPlaces, type Places } from './places.ts';
import type { SettingsProblem, Workspace } from './workspace.ts';
import { jsonText } from './json.ts';

const SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  error: 'error',
  warning: 'warning',
  information: 'note',
  hint: 'note',
};
const NOT_ANALYSED = 'not-analysed';
const WRONG_SETTINGS = 'wrong-settings';

/**
 * A run for each target kernel with its rules, results, paths as code flows, fixes and
 * fingerprints. Lines and columns are one-based, columns count UTF-16 code units, ends are
 * exclusive.
 */
export function sarifReport(result: CheckResult, tool: PackageFacts): string {
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: byKernel(result).map((one) => runOf(one, tool)),
  };
  return jsonText(log);
}

/** The result of each target kernel by itself, that of the first file first. */
function byKernel(result: CheckResult): readonly CheckResult[] {
  const kernels = new Set(result.files.map((one) => one.kernel));
  if (kernels.size < 2) return [result];
  return [...kernels].map((kernel) => {
    const files = result.files.filter((one) => one.kernel === kernel);
    const notAnalysed = files.flatMap(({ analysis }) => analysis.notAnalysed);
    const gone = result.baseline?.gone.filter(({ path }) => kernelOf(path, result) === kernel);
    return { ...result, kernel, files, notAnalysed, baseline: gone && { gone } };
  });
}

/** The kernel of a file that has had a finding; that of the first file where it has gone. */
function kernelOf(path: string, { files, kernel }: CheckResult): string {
  return files.find((one) => one.file.path === path)?.kernel ?? kernel;
}

function runOf(result: CheckResult, tool: PackageFacts) {
  const places = createPlaces();
  const artifacts = artifactList(places, result);
  const indexOf = new Map(kernelStages.rules.map((rule, index) => [rule.id, index]));
  const render = (finding: Finding): object =>
    resultOf(finding, indexOf.get(finding.rule), result.workspace, places, artifacts);
  const results = result.files.flatMap(({ analysis, known }) => [
    ...analysis.findings.map((one) => ({
      ...render(one),
      ...(result.baseline && { baselineState: 'new' }),
    })),
    ...known.map((one) => ({ ...render(one), baselineState: 'unchanged' })),
  ]);
  const absent = (result.baseline?.gone ?? []).map((one) =>
    absentOf(one, indexOf.get(one.entry.rule), places, artifacts),
  );
  const notifications = result.notAnalysed.map((one) => notificationOf(one, artifacts));
  return {
    tool: {
      driver: {
        name: 'vfio-lifecycle',
        fullName: 'VFIO Lifecycle',
        ...(/^\d/.test(tool.version) && { semanticVersion: tool.version }),
        ...(tool.homepage !== undefined && { informationUri: tool.homepage }),
        rules: kernelStages.rules.map((rule) => ruleOf(rule, tool.rulePages)),
        notifications: [
          {
            id: NOT_ANALYSED,
            shortDescription: {
              text: 'A function or file that was not analysed: no finding there proves nothing.',
            },
            defaultConfiguration: { level: 'warning' },
          },
          {
            id: WRONG_SETTINGS,
            shortDescription: {
              text: 'A wrong setting that was ignored, or a missing file that the settings name.',
            },
            defaultConfiguration: { level: 'error' },
          },
        ],
      },
    },
    // Runs for several kernels are several analyses of the same files, not newer versions of
    // one.
    automationDetails: { id: `vfio-lifecycle/linux-${result.kernel}/` },
    invocations: [
      {
        executionSuccessful:
          result.unreadable === 0 &&
          result.problems.length === 0 &&
          !result.notAnalysed.some((one) => one.isInternal),
        toolExecutionNotifications: notifications,
        toolConfigurationNotifications: result.problems.map((one) =>
          settingsNotification(one, artifacts),
        ),
      },
    ],
    originalUriBaseIds: Object.fromEntries(
      Object.entries(places.bases()).map(([base, uri]) => [base, { uri }]),
    ),
    artifacts: artifacts.list,
    results: [...results, ...absent],
    columnKind: 'utf16CodeUnits',
    newlineSequences: ['\r\n', '\n', '\r'],
    language: 'en',
    properties: { targetKernel: result.kernel },
  };
}

function ruleOf(rule: Rule, pages: string | undefined) {
  const { what, why, instead } = rule.docs;
  return {
    id: rule.id,
    shortDescription: { text: plain(what) },
    fullDescription: { text: plain(`${what} ${why}`) },
    help: { text: plain(`${what}\n\n${why}\n\n${instead}`), markdown: rulePage(rule.id) ?? '' },
    ...(pages !== undefined && { helpUri: `${pages}${rule.id}.md` }),
    defaultConfiguration: { level: LEVELS[rule.severity] },
    properties: {
      'problem.severity':
        rule.severity === 'error' || rule.severity === 'warning' ? rule.severity : 'recommendation',
      tags: ['correctness', 'linux', 'vfio'],
    },
  };
}

/** Markdown's code marks mean nothing in a text. */
function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}

function resultOf(
  finding: Finding,
  ruleIndex: number | undefined,
  workspace: Workspace,
  places: Places,
  artifacts: ArtifactList,
) {
  const physical = (path: string, span: Span) => ({
    artifactLocation: artifacts.locate(path),
    region: regionOf(workspace, path, span),
  });
  const name = places.placeOf(finding.site.path).path;
  const where = {
    physicalLocation: physical(finding.site.path, finding.site),
    ...(finding.functionName !== null && {
      logicalLocations: [{ name: finding.functionName, kind: 'function' }],
    }),
  };
  const steps = finding.related.map(({ site, message }) => ({
    physicalLocation: physical(site.path, site),
    message: { text: message },
  }));
  const flow = [...steps, { ...where, message: { text: finding.message } }].map((location) => ({
    location,
  }));
  return {
    ruleId: finding.rule,
    ...(ruleIndex !== undefined && { ruleIndex }),
    level: LEVELS[finding.severity],
    message: { text: finding.message },
    locations: [where],
    ...(steps.length > 0 && {
      relatedLocations: steps.map((step, id) => ({ id: id + 1, ...step })),
      codeFlows: [{ threadFlows: [{ locations: flow }] }],
    }),
    partialFingerprints: {
      // Beside each other, so that what an older program reported is met again.
      [FIRST_FINGERPRINT]: firstFingerprint(finding, name, finding.functionName, workspace),
      [FINGERPRINT]: fingerprintOf(finding, name, workspace),
    },
    ...(finding.fix && {
      fixes: [
        {
          description: { text: fixTitle(finding.fix) },
          artifactChanges: finding.fix.edits.map(({ path, edits }) => ({
            artifactLocation: artifacts.locate(path),
            replacements: edits.map(({ span, newText }) => ({
              deletedRegion: regionOf(workspace, path, span),
              insertedContent: { text: newText },
            })),
          })),
        },
      ],
    }),
    properties: { severity: finding.severity },
  };
}

/** What a baseline has and nobody finds any more. Where in its file it was is not known. */
function absentOf(
  { path, entry }: Gone,
  ruleIndex: number | undefined,
  places: Places,
  artifacts: ArtifactList,
) {
  const { rule, severity, function: name, fingerprint: text, owed } = entry;
  const file = places.placeOf(path).path;
  return {
    ruleId: rule,
    ...(ruleIndex !== undefined && { ruleIndex }),
    ...(severity !== null && { level: severity }),
    message: { text: `${rule}${name === null ? '' : ` in ${name}()`} is gone.` },
    locations: [
      {
        physicalLocation: { artifactLocation: artifacts.locate(path) },
        ...(name !== null && { logicalLocations: [{ name, kind: 'function' }] }),
      },
    ],
    // What an entry of version 1 was made of is not known.
    ...(severity !== null && {
      partialFingerprints: { [FINGERPRINT]: fingerprintAt(file, name, { severity, text, owed }) },
    }),
    baselineState: 'absent',
  };
}

function notificationOf(one: NotAnalysed, artifacts: ArtifactList) {
  const { path, function: name, reason, isInternal } = one;
  const what = notAnalysedName(one).replace(
    /^(?:a|the) /,
    (article) => `${article[0]!.toUpperCase()}${article.slice(1)}`,
  );
  return {
    descriptor: { id: NOT_ANALYSED, index: 0 },
    level: isInternal ? 'error' : 'warning',
    message: { text: `${what} was not analysed: ${reason}` },
    locations: [
      {
        physicalLocation: { artifactLocation: artifacts.locate(path) },
        ...(name !== '' && { logicalLocations: [{ name, kind: 'function' }] }),
      },
    ],
  };
}

function settingsNotification({ path, message }: SettingsProblem, artifacts: ArtifactList) {
  return {
    descriptor: { id: WRONG_SETTINGS, index: 1 },
    level: 'error',
    message: { text: message },
    locations: [{ physicalLocation: { artifactLocation: artifacts.locate(path, 'json') } }],
  };
}

function regionOf(workspace: Workspace, path: string, span: Span) {
  const lines = workspace.lines(path);
  const start = lines.position(span.start);
  const end = lines.position(span.end);
  return {
    startLine: start.line + 1,
    startColumn: start.character + 1,
    endLine: end.line + 1,
    endColumn: end.character + 1,
  };
}

interface ArtifactList {
  readonly list: readonly unknown[];
  locate(path: string, language?: string): { uri: string; uriBaseId: string; index: number };
}

/** The analysed files, and after them what only results name. */
function artifactList(places: Places, { files }: CheckResult): ArtifactList {
  const list: unknown[] = [];
  const known = new Map<string, { uri: string; uriBaseId: string; index: number }>();
  const analysed = new Set(files.map(({ file }) => file.path));
  const locate = (
    path: string,
    language = 'c',
  ): { uri: string; uriBaseId: string; index: number } => {
    let location = known.get(path);
    if (location) return location;
    const { path: name, base } = places.placeOf(path);
    const uri = name.split('/').map(encodeURIComponent).join('/');
    known.set(path, (location = { uri, uriBaseId: base, index: list.length }));
    list.push({
      location,
      ...(analysed.has(path) && { roles: ['analysisTarget'] }),
      sourceLanguage: language,
    });
    return location;
  };
  for (const path of analysed) locate(path);
  return { list, locate };
}
