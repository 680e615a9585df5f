/** The command that shows a life cycle, apart from the view, which is loaded when it is first shown. */
export const SHOW_LIFE_CYCLE = 'vfioLifecycle.showLifeCycle';
