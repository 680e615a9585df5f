/** The name of the view, apart from the view, which is loaded when it is first shown. */

/** What VS Code knows the view by, and activates the extension for. */
export const LIFE_CYCLE_VIEW = 'vfioLifecycle.lifeCycle';
