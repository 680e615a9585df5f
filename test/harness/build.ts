import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Headers } from '../../scripts/lib/headers.mjs';
import { CACHE, COMMON_FLAGS, compileForKernel, gcc } from './compiler.ts';

const call = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));

/** Declares what the old model has and the headers no longer do. */
const OLD_MODEL_HEADER = fileURLToPath(
  new URL('../../examples/conversion/old-model.h', import.meta.url),
);

/** Headers of 6.1 as a kernel before it has them, for what a driver says only there. */
export const BEFORE_6_1 = `${here}before-6.1`;

/** A driver as it is given to its compiler. */
export interface Driver {
  /** The .c files of one module. */
  readonly sources: readonly string[];
  /** Whether it calls the functions that `OLD_MODEL_HEADER` declares. */
  readonly oldModel: boolean;
  /** Whether a label, a variable or a function that nothing uses is an error. */
  readonly tidy: boolean;
  /** A folder whose headers come before the kernel's. */
  readonly headers?: string;
}

/** Calls out of the driver, beside those that fake/ knows, that can fail: they return -EIO then. */
const FALLIBLE = new Set([
  'pci_enable_device',
  'pci_request_regions',
  'dma_set_mask',
  'dma_set_coherent_mask',
  '__pm_runtime_resume',
  'sysfs_create_group',
  'sysfs_create_link',
  'bus_register_notifier',
  'blocking_notifier_chain_register',
  'device_create_file',
  'misc_register',
]);

/**
 * Called by inline functions of the headers, as each kernel and configuration has them: no effects
 * of the driver.
 */
const SILENT =
  /^(?:__SCT__|__might|__x86_|__fentry__|__check_object_size|__warn|__stack_chk|rcu_|__rcu_|__cond_resched|mem_alloc_profiling|__list_|lockdep_|__ubsan|check_copy|__bad_copy|__cfi)/;

/** Variables of the kernel, of which the headers' inline functions use the address or the bytes. */
const VARIABLES =
  /^(?:kmalloc_caches|random_kmalloc_seed|system_\w*wq|pci_bus_type|platform_bus_type|vfio_pci_core_err_handlers|pv_ops|jiffies|cpu_number|pcpu_hot|__cpu_\w+_mask|x86_\w+|boot_cpu_data|page_offset_base|vmemmap_base|phys_base|__stack_chk_guard)$/;

const LIBC = new Set([
  'memcpy',
  'memset',
  'memmove',
  'memcmp',
  'memchr',
  'strlen',
  'strnlen',
  'strcmp',
  'strncmp',
  'strcasecmp',
  'strcpy',
  'strncpy',
  'strcat',
  'strchr',
  'strrchr',
  'strstr',
  'sprintf',
  'snprintf',
  'vsprintf',
  'vsnprintf',
  'sscanf',
  'strsep',
]);

/** What a conversion must not leave behind. */
const LEFT_OVER = [
  'unused-label',
  'unused-variable',
  'unused-but-set-variable',
  'unused-function',
  'uninitialized',
  'maybe-uninitialized',
].map((name) => `-Werror=${name}`);

interface ObjectSymbol {
  readonly name: string;
  /** The letter of `nm`. */
  readonly kind: string;
  readonly size: number;
}

async function symbols(object: string): Promise<readonly ObjectSymbol[]> {
  const { stdout } = await call('nm', ['-S', object], { maxBuffer: 1 << 24 });
  return stdout.split('\n').flatMap((line) => {
    const found = /^(?:[0-9a-f]{16})? *([0-9a-f]{16})? *([A-Za-z]) (\S+)$/.exec(line);
    return found
      ? [{ name: found[3]!, kind: found[2]!, size: Number.parseInt(found[1] ?? '0', 16) }]
      : [];
  });
}

interface FakeKernel {
  /** The path of the object. */
  readonly object: string;
  readonly symbols: readonly ObjectSymbol[];
}

const fakeKernels = new Map<string, Promise<FakeKernel>>();

/** The fake kernel with its symbols, which are read once for all drivers of a test file. */
function fakeKernel(headers: Headers): Promise<FakeKernel> {
  const found =
    fakeKernels.get(headers.configured) ??
    fakeKernelObject(headers).then(async (object) => ({ object, symbols: await symbols(object) }));
  fakeKernels.set(headers.configured, found);
  return found;
}

/** The fake kernel and the host side as one object, made once for each state of their sources. */
async function fakeKernelObject(headers: Headers): Promise<string> {
  const folders = ['', 'fake/', 'host/'];
  const files = folders
    .flatMap((folder) =>
      readdirSync(here + folder)
        .filter((name) => /\.[ch]$/.test(name))
        .map((name) => folder + name),
    )
    .sort();
  const hash = createHash('sha256').update(headers.configured);
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(here + file));
  const result = path.join(CACHE, `fake-${headers.kernel}-${hash.digest('hex').slice(0, 16)}.o`);
  if (existsSync(result)) return result;
  mkdirSync(CACHE, { recursive: true });
  const objects: string[] = [];
  for (const file of files.filter((name) => name.endsWith('.c'))) {
    const object = `${result}.${process.pid}.${path.basename(path.dirname(file))}-${path.basename(file)}.o`;
    if (file.startsWith('fake/')) await compileForKernel(here + file, object, headers);
    else await gcc([...COMMON_FLAGS, '-std=gnu11', '-c', here + file, '-o', object]);
    objects.push(object);
  }
  await call('ld', ['-r', '-o', `${result}.${process.pid}`, ...objects]);
  // Another worker may have made the same.
  renameSync(`${result}.${process.pid}`, result);
  return result;
}

/**
 * A function for everything that neither the driver nor the fake kernel defines. It records that it
 * was called and returns 0.
 */
function stub(name: string): string {
  if (VARIABLES.test(name)) return `char ${name}[8192];`;
  if (SILENT.test(name)) return `long ${name}(void) { return 0; }`;
  const fails = FALLIBLE.has(name) ? `if (host_fails("${name}")) return -5;` : '';
  return `long ${name}(const void *first) { char text[32]; ${fails} host_name(first, "${name}", text); host_event("${name}%s", text); return 0; }`;
}

/**
 * Compiles a driver without a change, against the kernel's own headers and with the address
 * sanitizer, and links it with the fake kernel. Returns
 * the path of the program; throws with the compiler's errors.
 */
export async function build(driver: Driver, headers: Headers, folder: string): Promise<string> {
  const fake = await fakeKernel(headers);
  mkdirSync(folder, { recursive: true });
  const objects: string[] = [];
  for (const source of driver.sources) {
    const object = path.join(folder, `${path.basename(source, '.c')}.o`);
    await compileForKernel(source, object, headers, {
      ...(driver.headers !== undefined && { before: driver.headers }),
      flags: [
        ...(driver.tidy ? LEFT_OVER : []),
        ...(driver.oldModel ? ['-include', OLD_MODEL_HEADER] : []),
      ],
    });
    objects.push(object);
  }
  const module = path.join(folder, 'module.o');
  await call('ld', ['-r', '-o', module, ...objects]);
  const own = await symbols(module);
  const theirs = fake.symbols;
  const defined = new Set(
    [...own, ...theirs].filter(({ kind }) => kind !== 'U').map(({ name }) => name),
  );
  const missing = [
    ...new Set([...own, ...theirs].filter(({ kind }) => kind === 'U').map(({ name }) => name)),
  ].filter(
    (name) =>
      !defined.has(name) &&
      !LIBC.has(name) &&
      !/^__(?:asan|ubsan|sanitizer|stack_chk)_|^driver_/.test(name) &&
      !HOST.has(name),
  );
  // Counters, flags and list heads: not what macros make, and not what the sanitizer adds.
  const variables = own.filter(
    ({ name, kind, size }) =>
      /^[bd]$/i.test(kind) && size > 0 && size <= 16 && /^[a-z]\w*$/.test(name),
  );
  await call('objcopy', [...variables.flatMap(({ name }) => ['--globalize-symbol', name]), module]);
  const stubs = path.join(folder, 'stubs.c');
  writeFileSync(
    stubs,
    [
      `#include "${here}harness.h"`,
      `const int driver_is_new_model = ${own.some(({ name }) => name === '_vfio_alloc_device') ? 1 : 0};`,
      ...variables.map(({ name }) => `extern char ${name}[];`),
      'const struct variable driver_variables[] = {',
      ...variables.map(({ name, size }) => `  { "${name}", ${name}, ${size} },`),
      '  { 0 }',
      '};',
      ...missing.map(stub),
      '',
    ].join('\n'),
  );
  const program = path.join(folder, 'program');
  await gcc([
    ...COMMON_FLAGS,
    '-fno-builtin',
    '-fno-sanitize=address',
    '-c',
    stubs,
    '-o',
    `${stubs}.o`,
  ]);
  await gcc(['-no-pie', '-fsanitize=address', module, fake.object, `${stubs}.o`, '-o', program]);
  return program;
}

/** What the host side takes from libc. */
const HOST = new Set([
  'calloc',
  'free',
  'exit',
  '_exit',
  'fork',
  'waitpid',
  'mmap',
  'alarm',
  'printf',
  'fprintf',
  'putchar',
  'puts',
  'fputc',
  'fwrite',
  'putc',
  'fflush',
  'stdout',
  'stderr',
  'strspn',
  'strcspn',
  'strtoul',
  '__isoc99_sscanf',
  '__errno_location',
]);
