/** The names of the commands, apart from what they do, which is loaded when the first one is run. */

/** The command of the server's code actions for conversions: its argument is a ConversionData. */
export const APPLY_CONVERSION = 'vfioLifecycle.applyConversion';
/** That of its action that asks why there is no conversion: its argument is a RefusedData. */
export const EXPLAIN_REFUSAL = 'vfioLifecycle.explainRefusal';
/** Shows the picture of the life cycle. */
export const SHOW_LIFE_CYCLE = 'vfioLifecycle.showLifeCycle';
/** Opens an example driver: its argument is a name of `examples`; without one it asks. */
export const OPEN_EXAMPLE = 'vfioLifecycle.openExampleDriver';
/** Asks how a rule is to be reported: its arguments are the rule and the URI of a file. */
export const REPORT_AS = 'vfioLifecycle.reportRuleAs';
/**
 * Shows a page: its argument is a path under docs/, with a heading behind `#` where it is about that.
 */
export const SHOW_DOCUMENTATION = 'vfioLifecycle.showDocumentation';
/** Begins to walk a path: its arguments are a URI and a finding in it, or nothing. */
export const WALK_PATH = 'vfioLifecycle.walkPath';

/** All of them. */
export const COMMANDS = [
  APPLY_CONVERSION,
  EXPLAIN_REFUSAL,
  SHOW_LIFE_CYCLE,
  OPEN_EXAMPLE,
  REPORT_AS,
  SHOW_DOCUMENTATION,
  WALK_PATH,
  'vfioLifecycle.nextStep',
  'vfioLifecycle.previousStep',
  'vfioLifecycle.endWalk',
  'vfioLifecycle.convertDriver',
  'vfioLifecycle.convertAndFold',
  'vfioLifecycle.previewConversion',
  'vfioLifecycle.applyShownConversion',
  'vfioLifecycle.discardShownConversion',
  'vfioLifecycle.convertFolder',
  'vfioLifecycle.createDriver',
  'vfioLifecycle.checkWorkspace',
  'vfioLifecycle.checkChanges',
  'vfioLifecycle.cancelCheck',
  'vfioLifecycle.pickKernel',
  'vfioLifecycle.showMenu',
  'vfioLifecycle.copyReport',
  'vfioLifecycle.reportIssue',
  'vfioLifecycle.showRules',
  'vfioLifecycle.showOutput',
  'vfioLifecycle.restart',
] as const;

export type CommandName = (typeof COMMANDS)[number];
