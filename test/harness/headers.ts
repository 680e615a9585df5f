import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/** Debian's headers of one kernel: what all architectures share, and what the configuration of amd64 has generated. */
export interface Headers {
  /** '6.1' or '6.12'. */
  readonly kernel: string;
  readonly common: string;
  readonly configured: string;
}

const SOURCES = '/usr/src';

/** Debian's headers of a kernel series, the newest that is installed; undefined where there are none. */
export function findHeaders(kernel: string): Headers | undefined {
  if (!existsSync(SOURCES)) return undefined;
  const names = readdirSync(SOURCES);
  const releases = names.flatMap((name) => {
    const release = /^linux-headers-(.+)-amd64$/.exec(name)?.[1];
    return release?.startsWith(`${kernel}.`) && names.includes(`linux-headers-${release}-common`) ? [release] : [];
  });
  const newest = releases.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  return newest === undefined ? undefined : { kernel, common: `${SOURCES}/linux-headers-${newest}-common`, configured: `${SOURCES}/linux-headers-${newest}-amd64` };
}

/** Why the harness cannot run here, or undefined where it can. */
export function whyNot(kernel = '6.1'): string | undefined {
  if (process.arch !== 'x64') return 'the headers of amd64 are compiled for x86 only';
  if (spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status !== 0) return 'there is no gcc';
  if (!findHeaders(kernel)) return `there are no kernel headers of ${kernel}: apt-get install linux-headers-${kernel === '6.1' ? '' : `${kernel}-`}amd64`;
  return undefined;
}
