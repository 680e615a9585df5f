/**
 * All guesses from names. For functions that no table knows the words of their names are all there
 * is to tell what they do: whoever asks here asks for more evidence than a name, or says less.
 */
import type { Touch } from './functions/row.ts';
import { words } from './behaviour-builders.ts';

/** A class of functions that are taken to be harmless, for one reason. */
interface Family {
  /** Why its functions neither free, put nor register what they are given. */
  readonly reason: string;
  /**
   * Beginnings of names, each up to and including an underscore. Only those of a kernel subsystem
   * that nobody else uses: a driver may
   * well have a `device_teardown()` or a `write_state()` of its own.
   */
  readonly prefixes?: readonly string[];
  /** Ends of names, each from an underscore. */
  readonly suffixes?: readonly string[];
  /** What its functions touch; `kernel` where it does not say. */
  readonly touches?: Touch;
}

/**
 * Functions of the wider kernel that may be given a driver's container or its vfio_device and
 * neither free, put nor register it, by how their names begin or end. A row of functions/ says
 * otherwise where one does.
 */
export const FAMILIES: readonly Family[] = [
  {
    reason: 'Logging and tracing read their arguments.',
    prefixes: words(
      'pr_ dev_err_ dev_warn_ dev_info_ dev_dbg_ dev_notice_ dev_crit_ drm_dbg_ drm_err_ drm_info_ drm_warn_ netdev_ trace_ seq_',
    ),
  },
  {
    reason:
      'They name, describe, lock or announce a struct device. device_unregister() and its like may drop its last reference and stay unknown.',
    prefixes: words(
      'device_property_ device_create_ device_remove_ device_iommu_ device_get_ device_set_ dev_pm_ dev_iommu_ dev_is_ acpi_ of_ fwnode_',
    ),
  },
  {
    reason: 'Locks and barriers live in the object and protect it; they do not own it.',
    touches: 'everything',
    prefixes: words(
      'mutex_ ww_mutex_ rt_mutex_ spin_ raw_spin_ rwsem_ seqcount_ seqlock_ lockdep_ srcu_ rcu_read_ percpu_down_ percpu_up_ local_irq_ local_bh_ preempt_ smp_mb__',
    ),
  },
  {
    reason: 'Lists, trees and tables link the object; who unlinks it does not free it.',
    touches: 'arguments',
    prefixes: words(
      'list_ hlist_ llist_ hash_ rb_ interval_tree_ radix_tree_ xa_ __xa_ xas_ xarray_ idr_ ida_ mas_ mtree_ kfifo_ klist_',
    ),
  },
  {
    reason: 'Deferred work runs later, and what it does is judged where its function is.',
    touches: 'everything',
    prefixes: words('timer_ hrtimer_ del_timer_ tasklet_ kthread_ irq_work_'),
  },
  {
    reason: 'They wait, or wake who waits.',
    touches: 'everything',
    prefixes: words(
      'wait_event_ wait_for_completion_ wait_on_ wake_up_ swait_ swake_up_ prepare_to_wait_',
    ),
  },
  {
    reason: 'Memory, strings, bits and numbers are read or written in place.',
    touches: 'arguments',
    prefixes: words(
      'bitmap_ uuid_ guid_ sg_ crc32_ cpu_to_ le16_ le32_ le64_ be16_ be32_ be64_ find_first_ find_next_ find_last_',
    ),
  },
  {
    reason: 'Device registers.',
    prefixes: words('regmap_ readl_ readq_ readb_ readw_ writel_ writeq_ writeb_ writew_'),
  },
  {
    reason:
      'Counters in the object. kref_put() and kobject_put() run a release function and stay unknown.',
    touches: 'arguments',
    prefixes: words(
      'atomic_ atomic64_ atomic_long_ refcount_ percpu_counter_ this_cpu_ static_branch_',
    ),
  },
  {
    reason: 'Files in sysfs, procfs and debugfs. They point to the object until they are removed.',
    touches: 'everything',
    prefixes: words('sysfs_ debugfs_'),
  },
  {
    reason: 'Power management of the parent.',
    touches: 'everything',
    prefixes: words('pm_runtime_ pm_wakeup_ genpd_'),
  },
  {
    reason:
      'Clocks, regulators, resets and the like are objects of their own; they are given the parent.',
    prefixes: words('clk_ regulator_ reset_control_ gpiod_ icc_'),
  },
  {
    reason:
      'Interrupts and event descriptors are given the object as an argument, and the handler gets it back.',
    touches: 'everything',
    prefixes: words('irq_ eventfd_ msi_ platform_msi_'),
  },
  {
    reason: 'Buses act on the parent device.',
    prefixes: words(
      'pci_ pcie_ pcim_ __pci_ pcibios_ fsl_mc_ dprc_ cdx_ amba_ platform_ eeh_ virtio_pci_admin_',
    ),
    suffixes: words('_driver_register _driver_unregister _register_driver _unregister_driver'),
  },
  {
    reason: 'User memory, pages and DMA mappings are not the container.',
    prefixes: words(
      'dma_ dmam_ iommu_ iommufd_ iova_bitmap_ pin_user_ unpin_user_ get_user_ mmap_read_ mmap_write_ vm_flags_ vma_ vmf_ io_remap_ pgprot_ kmap_ kunmap_ swiotlb_',
    ),
  },
  {
    reason: 'Character devices, classes and files refer to the object; they do not own it.',
    touches: 'everything',
    prefixes: words('anon_inode_'),
  },
  {
    reason:
      'Managed resources of the parent end with it. What runs or removes a deferred action stays unknown.',
    prefixes: words('devm_ devres_ drmm_'),
  },
  {
    reason:
      'VFIO helpers that read the device, or act on its users and its memory, while it lives.',
    touches: 'everything',
    prefixes: words('vfio_iommufd_ vfio_info_ vfio_virqfd_ vfio_file_'),
  },
  {
    reason: 'KVM is told of the object, or asked about its memory.',
    touches: 'everything',
    prefixes: words('kvm_ gfn_to_'),
  },
];

const byPrefix = new Map(
  FAMILIES.flatMap((family) => (family.prefixes ?? []).map((prefix) => [prefix, family] as const)),
);
const suffixes = FAMILIES.flatMap((family) => family.suffixes ?? []);

/**
 * What a function touches that is taken to be harmless by its name; undefined for any other.
 * Drivers are probed while one is registered.
 */
export function guessedTouch(name: string): Touch | undefined {
  // A prefix ends at an underscore, so that few need to be looked up.
  for (let end = name.indexOf('_', 1); end >= 0; end = name.indexOf('_', end + 1)) {
    const family = byPrefix.get(name.slice(0, end + 1));
    if (family) return family.touches ?? 'kernel';
  }
  return suffixes.some((suffix) => name.endsWith(suffix)) ? 'everything' : undefined;
}

const FAILING_KEEPERS =
  /^(?:(?:__)?xa_(?:alloc|insert)|idr_alloc|(?:pci_|devm_)?request_(?:threaded_|any_context_|percpu_)?irq$|radix_tree_insert$|mtree_(?:insert|alloc)|mas_insert$)/;

/** True for a function that, by its name, returns a negative error code and has kept nothing then. */
export function soundsLikeFailingKeeper(name: string): boolean {
  return FAILING_KEEPERS.test(name);
}

/** Beginnings of the names of functions that only look. */
const QUERY_PREFIXES = words('container_of to_ is_ dev_is_ pci_is_ IS_ERR');

/** True when a function only looks, by how its name begins. */
export function soundsLikeQuery(name: string): boolean {
  return QUERY_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** Macros and functions that only compute from their arguments. */
const COMPUTES =
  /^(?:sizeof|offsetof|ARRAY_SIZE|struct_size\w*|array_size|array3_size|size_(?:add|mul|sub)|round_?up\w*|round_?down\w*|ALIGN\w*|PAGE_ALIGN\w*|PFN_\w+|min\w*|max\w*|clamp\w*|abs|DIV_ROUND\w*|do_div|BIT\w*|GENMASK\w*|FIELD_\w+|ilog2|order_base_2|is_power_of_2|get_order|hweight\d*|BITS_TO_LONGS|strlen|le\d+_to_cpu|be\d+_to_cpu|cpu_to_[lb]e\d+|lower_32_bits|upper_32_bits|u32_\w+|container_of\w*|to_\w+|READ_ONCE|likely|unlikely)$/;

/** True when a call of `name` computes a value from its arguments and does nothing else. */
export function soundsLikeComputation(name: string): boolean {
  return COMPUTES.test(name);
}

/** Functions that only say something: what they are given is read, and nothing else happens. */
const LOGS =
  /^(?:pr_\w+|printk\w*|_printk|dev_(?:err|warn|info|dbg|vdbg|notice|crit|alert|emerg|printk)\w*|(?:pci|mdev|netdev|drm)_(?:err|warn|info|dbg|notice|crit|alert|emerg)\w*|trace_\w+|WARN\w*)$/;

/**
 * Messages: their order among other statements is nobody's concern, as far as their arguments do
 * nothing.
 */
export function isLog(name: string): boolean {
  return LOGS.test(name);
}

const WIPING =
  /(?:^|_)(?:wipe|zero|zeroi[sz]e|memzero|clear|scrub|poison|burn|shred|erase|saniti[sz]e|cleanse|bzero|memset|scramble)(?:_|$)/;

/** True where, by its name, a function that no table knows overwrites what it is given. */
export function saysItOverwrites(name: string): boolean {
  return WIPING.test(name);
}

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
  let found = known.get(name);
  if (found === undefined) {
    const parts = splitWords(name);
    found = {
      isUndo: parts.some((part) => UNDOING.has(part.toLowerCase())),
      opposites: findOpposites(name, parts),
    };
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(name, found);
  }
  return found;
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

/**
 * Functions by which others can reach an object, by which it begins to act on its own, or whose
 * resource belongs to the driver's binding and not to
 * the object: debugfs, interrupts, threads, DMA memory. What they do has to end when the driver is
 * unbound, however long the object lives.
 */
const OUTREACH = new RegExp(
  String.raw`^(?:${[
    'debugfs_',
    'sysfs_',
    'proc_',
    'tracefs_',
    'device_create',
    'device_add',
    'device_register',
    'misc_',
    'cdev_',
    'kobject_',
    'class_',
    'bus_register',
    'driver_',
    'request_',
    'free_irq',
    'irq_',
    'pci_request',
    'pci_alloc_irq',
    'pci_enable',
    'pci_set_master',
    'enable_',
    'pm_runtime_',
    'pm_',
    'dma_',
    'clk_',
    'regulator_',
    'reset_control_',
    'phy_',
    'iommu_',
    'kthread_run',
    'kthread_create',
    'wake_up',
    'queue_work',
    'queue_delayed_work',
    'schedule_work',
    'schedule_delayed_work',
    'mod_timer',
    'add_timer',
    'hrtimer_start',
    'register_',
    'blocking_notifier_',
    'atomic_notifier_',
    'raw_notifier_',
    'netlink_',
    'irq_bypass_',
    'component_',
    'auxiliary_',
  ].join('|')})`,
);

/** The words by which functions that no table knows say the same. */
const SAYS_SO = /(?:^|_)(?:register|publish|announce|expose|enqueue|notify|irq|dma)(?:_|$)/;

/**
 * True when a call of `name` lets others reach what it is given, or takes what belongs to the
 * binding of the driver.
 */
export function reachesOut(name: string): boolean {
  return OUTREACH.test(name) || SAYS_SO.test(name);
}

const FAILURE = new Set([
  'fail',
  'fails',
  'failed',
  'failure',
  'err',
  'errs',
  'error',
  'errored',
  'bad',
  'invalid',
]);
const SUCCESS = new Set(['ok', 'okay', 'good', 'success', 'successful', 'succeeded', 'valid']);
const NEGATIONS = new Set(['not', 'no', 'non']);

/**
 * For which results a test holds, by the words of its name: `FOO_FAILED`, `foo_is_err`, `foo_ok`.
 * @returns null where the name does not say.
 */
export function guessedTest(name: string): 'failure' | 'success' | null {
  const parts = name
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split('_');
  const saysFailure = parts.some((word) => FAILURE.has(word));
  const saysSuccess = parts.some((word) => SUCCESS.has(word));
  if (saysFailure === saysSuccess) return null;
  const isNegated = parts.some((word) => NEGATIONS.has(word));
  return saysFailure === isNegated ? 'success' : 'failure';
}

/**
 * Which macro of a build says whether the kernel has something, as configure scripts call them
 * (`HAVE_VFIO_PUT_DEVICE`, `NV_VFIO_UNINIT_GROUP_DEV_PRESENT`).
 */
const FEATURE_WORDS: ReadonlySet<string> = new Set([
  'HAVE',
  'HAS',
  'PRESENT',
  'SUPPORTED',
  'SUPPORTS',
  'AVAILABLE',
  'EXISTS',
  'DEFINED',
  'NEED',
  'NEEDS',
  'LACKS',
  'MISSING',
  'COMPAT',
  'BACKPORT',
  'BACKPORTED',
]);

/** Whether a macro's name has a word by which a build speaks of what the kernel has. */
export function isFeatureName(name: string): boolean {
  return name
    .toUpperCase()
    .split('_')
    .some((word) => FEATURE_WORDS.has(word));
}

/** Whether a macro is named after a function or a member of the interface. */
export function isNamedAfter(name: string, api: string): boolean {
  const stem = api.replace(/^vfio_/, '').toUpperCase();
  return stem.includes('_') && name.toUpperCase().includes(stem);
}

const CASTS = /^(?:container_of\w*|to_\w+)$/;

/** True for the container of a member, or a pointer of another type to it, by its name. */
export function soundsLikeCast(name: string): boolean {
  return CASTS.test(name);
}

/** True for another view of an object, by its name: it reads, and does nothing else. */
export function soundsLikeView(name: string): boolean {
  return soundsLikeCast(name) || /^\w+_get_drvdata$/.test(name);
}

const LOCKING = /(?:^|_)(?:lock|unlock|trylock|guard)(?:_|$)/;

/** True where, by its name, a call takes or releases a lock. */
export function soundsLikeLocking(name: string): boolean {
  return LOCKING.test(name) && !name.endsWith('_init');
}

const SETS_UP = /^(?:INIT_|init_)|_init$|^timer_setup$/;

/** True where, by its name, a call makes something of what it is given. */
export function soundsLikeSetUp(name: string): boolean {
  return SETS_UP.test(name);
}

const PREPARES = /^(?:INIT|DEFINE|init|__init)_|_init$|_set$/;

/** True where, by its name, a call or a macro makes something ready to run and does not run it. */
export function soundsLikePreparation(name: string): boolean {
  return PREPARES.test(name);
}

/** True where, by its name, a call changes a number or a bit in place. */
export function soundsAtomic(name: string): boolean {
  return /^atomic|_bit$/.test(name);
}

const GETS = /^(?:get_device|(?:kref|kobject)_get\w*|refcount_inc\w*|\w+_get)$/;

/** True where, by its name, a call takes a reference. */
export function soundsLikeGet(name: string): boolean {
  return GETS.test(name);
}

const WAITS = /^(?:wait_|synchronize_|rcu_barrier|flush_|drain_)/;

/** True where, by its name, a call waits for what runs. */
export function soundsLikeWait(name: string): boolean {
  return WAITS.test(name);
}

const QUIESCES = /^(wait_|synchronize_|.*_(quiesce|drain|shutdown|stop|halt|wait|freeze)(_|$))/;

/** True where, by its name, nothing runs any more after a call. */
export function soundsLikeQuiescing(name: string): boolean {
  return QUIESCES.test(name);
}

const SHOWS = /^(?:debugfs|sysfs|proc|kobject|class)_|^device_(?:create|destroy|del|unregister)/;

/** True where, by its name, a call makes or removes what shows a device: a file, an entry, a class. */
export function showsDevice(name: string): boolean {
  return SHOWS.test(name);
}

/** True where, by its name, a call stops the kernel. */
export function soundsLikeCrash(name: string): boolean {
  return /(?:^|_)BUG(?:_ON)?$/.test(name);
}
