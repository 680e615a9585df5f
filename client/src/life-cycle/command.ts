/** The names of the view of a life cycle, apart from the view, which is loaded when it is first shown. */

/** The command that shows it. */
export const SHOW_LIFE_CYCLE = 'vfioLifecycle.showLifeCycle';
/** What VS Code knows the view by, and activates the extension for. */
export const LIFE_CYCLE_VIEW = 'vfioLifecycle.lifeCycle';
