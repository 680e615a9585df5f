/**
 * Names that say what they do: `foo_ring_create` and `foo_ring_destroy`. For functions that no
 * table knows the words are all there is to
 * tell which call undoes which; whoever uses them asks for more evidence than a name.
 */

/** A word for taking or starting something, and the words for undoing it. */
const UNDONE_BY: Readonly<Record<string, readonly string[]>> = Object.assign(Object.create(null), {
  init: ['exit', 'fini', 'uninit', 'deinit', 'cleanup', 'destroy', 'free', 'release', 'teardown'],
  initialize: ['deinitialize', 'uninitialize', 'cleanup', 'destroy'],
  setup: ['teardown', 'cleanup', 'destroy', 'free', 'release', 'exit'],
  create: ['destroy', 'free', 'delete', 'remove', 'release'],
  alloc: ['free', 'dealloc', 'release'],
  allocate: ['free', 'deallocate', 'release'],
  new: ['free', 'delete', 'destroy', 'put'],
  register: ['unregister', 'deregister'],
  add: ['del', 'remove', 'delete'],
  enable: ['disable'],
  start: ['stop'],
  open: ['close'],
  attach: ['detach'],
  map: ['unmap'],
  acquire: ['release'],
  request: ['release', 'free'],
  get: ['put'],
  bind: ['unbind'],
  probe: ['remove'],
  enter: ['exit'],
  begin: ['end'],
  connect: ['disconnect'],
  load: ['unload'],
  install: ['uninstall', 'remove'],
  join: ['leave'],
  reserve: ['unreserve', 'release'],
  claim: ['release', 'unclaim'],
  activate: ['deactivate'],
  link: ['unlink'],
  pin: ['unpin'],
  prepare: ['unprepare', 'cleanup'],
  insert: ['remove', 'erase'],
  construct: ['destruct'],
  grab: ['drop', 'release'],
  build: ['destroy', 'free'],
});

/**
 * What lives and dies with the memory it is in: nothing is lost when it is not undone. Those of
 * managed resources undo themselves.
 */
const OWES_NOTHING =
  /^(devm|pcim|drmm|dmam|devres)_|^_*(mutex|rt_mutex|ww_mutex|xa|idr|ida|spin|rwsem|seqlock|completion|lockdep|list|hlist|rb|dev|pr|kobject_init|device_init)_|(^|_)(lock|mutex|trylock)(_|$)/;

const UNDOING = new Set([
  ...Object.values(UNDONE_BY).flat(),
  'clean',
  'clear',
  'kill',
  'drain',
  'cancel',
  'undo',
  'unwind',
  'rollback',
  'reset',
  'shutdown',
  'halt',
  'flush',
  'drop',
  'purge',
  'unset',
  'finish',
  'abort',
  'revert',
  'dispose',
  'term',
  'terminate',
  'error',
  'err',
  'fail',
  'failed',
  'down',
  'deinitialise',
  'exit',
  'kfree',
  'vfree',
]);

/**
 * The names of functions that would undo a call of `name` by the words of their names; empty when
 * nothing is owed, or when the words do not tell.
 */
export function opposites(name: string): readonly string[] {
  return wordsOf(name).opposites;
}

function findOpposites(name: string, parts: readonly string[]): readonly string[] {
  if (OWES_NOTHING.test(name)) return [];
  return parts.flatMap((part, i) =>
    (UNDONE_BY[part.toLowerCase()] ?? []).map((word) =>
      [...parts.slice(0, i), inCaseOf(part, word), ...parts.slice(i + 1)].join(''),
    ),
  );
}

/** Whether the words of a name say that the function undoes or ends something. */
export function namesAnUndo(name: string): boolean {
  return wordsOf(name).isUndo;
}

/** Words for what ends an activity of an object and leaves its memory. */
const ENDS_ACTIVITY = new Set([
  'stop',
  'reset',
  'disable',
  'halt',
  'flush',
  'drain',
  'cancel',
  'clear',
  'shutdown',
  'kill',
  'deactivate',
  'down',
]);

/**
 * Whether a function that undoes something by its name may free the very object that it is given.
 */
export function mayFree(name: string): boolean {
  return splitWords(name).some(
    (part) => UNDOING.has(part.toLowerCase()) && !ENDS_ACTIVITY.has(part.toLowerCase()),
  );
}

interface Words {
  readonly isUndo: boolean;
  readonly opposites: readonly string[];
}

/**
 * The same few names are asked about again and again; an editing session makes new ones, so that
 * the memory has an end.
 */
const known = new Map<string, Words>();
const MAX_KNOWN = 4_000;

function wordsOf(name: string): Words {
  let words = known.get(name);
  if (words === undefined) {
    const parts = splitWords(name);
    words = {
      isUndo: parts.some((part) => UNDOING.has(part.toLowerCase())),
      opposites: findOpposites(name, parts),
    };
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(name, words);
  }
  return words;
}

/**
 * Words and what stands between them: `foo_Bar` is `foo`, `_`, `Bar`. Joined they are the name
 * again.
 */
function splitWords(name: string): string[] {
  // Of capitals before a small letter all but the last match, so that none is looked at twice.
  // eslint-disable-next-line regexp/no-super-linear-move
  return name.match(/_+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^]/g) ?? [];
}

function inCaseOf(model: string, word: string): string {
  if (model === model.toUpperCase() && model.length > 1) return word.toUpperCase();
  return model[0] === model[0]!.toUpperCase() ? word[0]!.toUpperCase() + word.slice(1) : word;
}
