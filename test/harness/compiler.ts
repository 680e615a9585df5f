/** The compiler, with what drivers share compiled only once. */
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

const call = promisify(execFile);

/** What is made once for all drivers. */
export const CACHE = fileURLToPath(new URL('../../out/harness/', import.meta.url));

/** The sanitizer, and the same for everything: objects of both sides meet in one program. */
export const COMMON_FLAGS = ['-O1', '-fno-pie', '-fno-omit-frame-pointer', '-fsanitize=address'];

/** What the kernel's own build puts before each source. */
const FORCED = ['compiler-version', 'kconfig', 'compiler_types'].map(include);

/** What nearly every driver includes: reading these is most of what its compiler does. */
const SHARED = ['module', 'slab', 'vfio'].map(include);

function include(name: string): string {
  return `#include <linux/${name}.h>`;
}

/** Runs gcc. Throws with its errors. */
export async function gcc(args: readonly string[]): Promise<void> {
  try {
    await call('gcc', [...args], { maxBuffer: 1 << 24 });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(
      `gcc failed: ${
        stderr
          ?.split('\n')
          .filter((line) => /error|undefined|multiple/.test(line))
          .slice(0, 5)
          .join('\n') || String(error)
      }`,
    );
  }
}

/** What only some sources need. */
export interface Needs {
  /** A folder whose headers come before the kernel's. */
  readonly before?: string;
  readonly flags?: readonly string[];
}

/** Compiles a source against the kernel's own headers. Throws with the compiler's errors. */
export async function compileForKernel(
  source: string,
  object: string,
  headers: Headers,
  { before, flags = [] }: Needs = {},
): Promise<void> {
  const shared = beginsWithShared(readFileSync(source, 'utf8')) ? SHARED : [];
  const beginning = await precompiled([...FORCED, ...shared], headers, before);
  await gcc([
    ...kernelFlags(headers, before),
    '-include',
    beginning,
    ...flags,
    '-c',
    source,
    '-o',
    object,
  ]);
}

/**
 * Whether a source includes all that is shared before it has any code, so that it sees nothing more
 * than it asks for, and nothing of its own comes too late.
 */
function beginsWithShared(text: string): boolean {
  const lines = text.split('\n');
  const code = lines.findIndex((line) => !/^(?:#include <|\s*$|\/[/*]| \*)/.test(line));
  return SHARED.every((line) => lines.slice(0, code).includes(line));
}

const beginnings = new Map<string, Promise<string>>();

/** A header with these lines, precompiled. A test file makes or finds each of them once. */
function precompiled(
  lines: readonly string[],
  headers: Headers,
  before: string | undefined,
): Promise<string> {
  const flags = kernelFlags(headers, before);
  const hash = createHash('sha256').update([...flags, ...lines].join('\0'));
  for (const [name, content] of before === undefined ? [] : filesIn(before))
    hash.update(`\0${name}\0`).update(content);
  const key = hash.digest('hex').slice(0, 16);
  const header = path.join(CACHE, `begin-${headers.kernel}-${key}.h`);
  const found = beginnings.get(header) ?? precompile(header, lines, flags);
  beginnings.set(header, found);
  return found;
}

/** What gcc cannot use, because another gcc made it, it passes over, and reads the header itself. */
async function precompile(
  header: string,
  lines: readonly string[],
  flags: readonly string[],
): Promise<string> {
  const result = `${header}.gch`;
  if (existsSync(result)) return header;
  mkdirSync(CACHE, { recursive: true });
  // Another worker may be making the same.
  const own = `${header}.${process.pid}`;
  writeFileSync(own, `${lines.join('\n')}\n`);
  await gcc([...flags, '-x', 'c-header', own, '-o', `${own}.gch`]);
  renameSync(own, header);
  renameSync(`${own}.gch`, result);
  return header;
}

/** The files below a folder, with their content. */
function filesIn(folder: string): [name: string, content: Buffer][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((name) => [name, readFileSync(name)]);
}

function kernelFlags({ common, configured }: Headers, before: string | undefined): string[] {
  const arch = 'arch/x86/include';
  const folders = [
    ...(before === undefined ? [] : [before]),
    `${common}/${arch}`,
    `${configured}/${arch}/generated`,
    `${common}/include`,
    `${configured}/include`,
    `${common}/${arch}/uapi`,
    `${configured}/${arch}/generated/uapi`,
    `${common}/include/uapi`,
    `${configured}/include/generated/uapi`,
  ];
  const names = [
    '-DKBUILD_MODNAME="driver"',
    '-DKBUILD_BASENAME="driver"',
    '-D__KBUILD_MODNAME=kmod_driver',
    '-DKBUILD_MODFILE="driver"',
  ];
  const switches = [
    '-D__KERNEL__',
    '-DMODULE',
    '-DCC_USING_FENTRY',
    '-std=gnu11',
    '-fno-strict-aliasing',
    '-fno-common',
    '-fcf-protection=none',
    '-fno-stack-protector',
    '-fshort-wchar',
    '-U_FORTIFY_SOURCE',
    '-ftrivial-auto-var-init=pattern',
    '-Werror=implicit-function-declaration',
  ];
  return [
    '-nostdinc',
    ...folders.map((folder) => `-I${folder}`),
    ...switches,
    ...names,
    ...COMMON_FLAGS,
  ];
}
