/**
 * The words that the kernel mask knows. tree-sitter-c 0.24.1 parses C without running the
 * preprocessor, so every macro that
 * is not an expression or a type by itself is either in these tables or recognised by its place.
 */

/**
 * Attributes without arguments (include/linux/compiler_types.h, compiler_attributes.h, init.h,
 * cache.h of v6.12 and older).
 */
export const ANNOTATIONS: readonly string[] = [
  // sparse address spaces and checks
  '__user',
  '__iomem',
  '__kernel',
  '__rcu',
  '__percpu',
  '__force',
  '__nocast',
  '__safe',
  '__private',
  '__bitwise',
  '__bitwise__',
  // sections of modules and of start-up code
  '__init',
  '__exit',
  '__initdata',
  '__initconst',
  '__exitdata',
  '__exitconst',
  '__init_or_module',
  '__initdata_or_module',
  '__initconst_or_module',
  '__exit_p',
  '__net_init',
  '__net_exit',
  '__net_initdata',
  '__meminit',
  '__memexit',
  '__meminitdata',
  '__cpuinit',
  '__cpuexit',
  '__devinit',
  '__devexit',
  '__devinitdata',
  '__devinitconst',
  '__devexitdata',
  '__ref',
  '__refdata',
  '__refconst',
  '__sched',
  '__kprobes',
  '__cpuidle',
  '__lockfunc',
  '__irq_entry',
  '__exception_irq_entry',
  '__noinitretpoline',
  '__read_mostly',
  '__ro_after_init',
  '__initmemblock',
  '__earlyinitdata',
  // compiler attributes
  '__must_check',
  '__maybe_unused',
  '__always_unused',
  '__unused',
  '__used',
  '__visible',
  '__packed',
  '__pure',
  '__attribute_const__',
  '__cold',
  '__hot',
  '__weak',
  '__malloc',
  '__deprecated',
  '__noreturn',
  '_Noreturn',
  '__always_inline',
  '__inline_maybe_unused',
  '__no_inline',
  '__noclone',
  '__flatten',
  '__naked',
  '__mode',
  '__nonstring',
  '__no_profile',
  '__no_kcsan',
  '__no_kasan_or_inline',
  '__no_sanitize_address',
  '__no_sanitize_memory',
  '__no_sanitize_undefined',
  '__no_sanitize_or_inline',
  '__no_kmsan_checks',
  '__no_stack_protector',
  '__no_randomize_layout',
  '__randomize_layout',
  '__designated_init',
  '__nocfi',
  '__noendbr',
  '__retain',
  '__signed_wrap',
  '__no_caller_saved_registers',
  '__latent_entropy',
  '__no_instrument_function',
  '__gnu_inline',
  '__transparent_union',
  '__assume_aligned_page',
  '__uninitialized',
  '__counted_by_ptr',
  '__restrict_arr',
  '__no_context_analysis',
  '____cacheline_aligned',
  '____cacheline_aligned_in_smp',
  '____cacheline_internodealigned_in_smp',
  '__cacheline_aligned',
  '__cacheline_aligned_in_smp',
  '__page_aligned_data',
  '__page_aligned_bss',
  'asmlinkage',
  'noinline',
  'notrace',
  'noinline_for_stack',
  'noinline_for_tracing',
  'noinstr',
  '__bpf_kfunc',
  '__bpf_hook_start',
  '__init_memblock',
  'randomized_struct_fields_start',
  'randomized_struct_fields_end',
];

/** Attributes that take an argument list; without one they are attributes all the same. */
export const ANNOTATION_CALLS: readonly string[] = [
  '__free',
  '__cleanup',
  '__aligned',
  '__section',
  '__printf',
  '__scanf',
  '__alloc_size',
  '__realloc_size',
  '__assume_aligned',
  '__counted_by',
  '__counted_by_le',
  '__counted_by_be',
  '__sized_by',
  '__acquires',
  '__releases',
  '__must_hold',
  '__must_not_hold',
  '__acquires_shared',
  '__releases_shared',
  '__must_hold_shared',
  '__cond_acquires',
  '__cond_releases',
  '__guarded_by',
  '__rt_guarded_by',
  '__pt_guarded_by',
  '__attribute__',
  '__attribute',
  '__alias',
  '__copy',
  '__diagnose_as',
  '__compiletime_error',
  '__compiletime_warning',
  '__no_sanitize',
  '__alloc_align',
  '__nonnull',
  '__target',
  '__DEFINE_KFUNC',
];

/** Macros that run the following statement once: the parser sees `if`. */
export const BLOCK_MACROS: ReadonlySet<string> = new Set([
  'scoped_guard',
  'scoped_cond_guard',
  'scoped_seqlock_read',
  'scoped_user_read_access',
  'scoped_user_write_access',
  'scoped_user_rw_access',
]);

/**
 * A name that contains one of these and is followed by a statement is a loop: list_for_each_entry,
 * for_each_set_bit.
 */
export const LOOP_NAME = /for_?each/;

/** Macros that declare a field, and which of their arguments is its name. */
export const FIELD_MACROS: ReadonlyMap<string, number> = new Map([
  ['DECLARE_BITMAP', 0],
  ['DECLARE_HASHTABLE', 0],
  ['DECLARE_KFIFO_PTR', 0],
  ['DECLARE_KFIFO', 0],
  ['DECLARE_FLEX_ARRAY', 1],
  ['__DECLARE_FLEX_ARRAY', 1],
  ['DECLARE_PER_CPU', 1],
  ['TRAILING_OVERLAP', 1],
]);

/** Macros around a list of fields, and how many arguments come before the fields. */
export const FIELD_GROUPS: ReadonlyMap<string, number> = new Map([
  ['struct_group', 1],
  ['struct_group_attr', 2],
  ['struct_group_tagged', 2],
  ['__struct_group', 3],
]);

/** What a word means to the scanner. */
export const Word = {
  none: 0,
  annotation: 1,
  annotationCall: 2,
  aggregate: 3, // struct, union, enum
  basicType: 4, // a word of a basic type, or a typedef that the grammar treats as one
  qualifier: 5, // const, volatile
  storage: 6, // static, extern, inline
  conditionHead: 7, // a keyword whose parenthesis a statement follows
  statementHead: 8, // else, do: a statement follows at once
  typeOperator: 9, // sizeof and its like, whose argument may be a type
  typeOf: 10,
  offsetOf: 11,
  caseLabel: 12,
  jump: 13, // return, goto, break, continue
  other: 14, // a keyword without a meaning of its own here
} as const;
export type Word = (typeof Word)[keyof typeof Word];

/**
 * Keywords by meaning. `basicType` lists what tree-sitter-c 0.24.1 calls primitive_type and
 * sized_type_specifier.
 */
export const WORDS: readonly (readonly [Word, readonly string[]])[] = [
  [Word.annotation, ANNOTATIONS],
  [Word.annotationCall, ANNOTATION_CALLS],
  [Word.aggregate, ['struct', 'union', 'enum']],
  [
    Word.basicType,
    [
      'void',
      'char',
      'int',
      'float',
      'double',
      'bool',
      '_Bool',
      'unsigned',
      'signed',
      'long',
      'short',
      'size_t',
      'ssize_t',
      'ptrdiff_t',
      'intptr_t',
      'uintptr_t',
      'charptr_t',
      'nullptr_t',
      'max_align_t',
      'int8_t',
      'int16_t',
      'int32_t',
      'int64_t',
      'uint8_t',
      'uint16_t',
      'uint32_t',
      'uint64_t',
      'char8_t',
      'char16_t',
      'char32_t',
      'char64_t',
    ],
  ],
  [Word.qualifier, ['const', 'volatile', 'restrict', '__restrict', '__restrict__', '_Atomic']],
  [
    Word.storage,
    [
      'static',
      'extern',
      'inline',
      '__inline',
      '__inline__',
      'register',
      'auto',
      '_Thread_local',
      'thread_local',
      '__thread',
      '__extension__',
    ],
  ],
  [Word.conditionHead, ['if', 'while', 'for', 'switch']],
  [Word.statementHead, ['else', 'do']],
  [
    Word.typeOperator,
    ['sizeof', '_Alignof', 'alignof', '__alignof__', '__alignof', '_alignof', '_Generic'],
  ],
  [Word.typeOf, ['typeof', '__typeof__', '__typeof', 'typeof_unqual']],
  [Word.offsetOf, ['offsetof']],
  [Word.caseLabel, ['case']],
  [Word.jump, ['return', 'goto', 'break', 'continue']],
  [
    Word.other,
    [
      'default',
      'typedef',
      'asm',
      '__asm__',
      '__asm',
      '_Static_assert',
      '_Alignas',
      'alignas',
      'defined',
    ],
  ],
];
