// Debian's kernel headers: what all architectures share, and what the configuration of amd64 has
// generated.
import { existsSync, readdirSync } from 'node:fs';
import { hasProgram } from './run.mjs';

const sources = '/usr/src';

/**
 * The newest installed headers of a kernel series such as '6.1', or undefined where there are none.
 */
export function findHeaders(kernel) {
  if (!existsSync(sources)) return undefined;
  const names = readdirSync(sources);
  const releases = names.flatMap((name) => {
    const release = /^linux-headers-(.+)-amd64$/.exec(name)?.[1];
    return release?.startsWith(`${kernel}.`) && names.includes(`linux-headers-${release}-common`)
      ? [release]
      : [];
  });
  const newest = releases
    .sort((left, right) => left.localeCompare(right, 'en', { numeric: true }))
    .at(-1);
  return newest === undefined
    ? undefined
    : {
        kernel,
        common: `${sources}/linux-headers-${newest}-common`,
        configured: `${sources}/linux-headers-${newest}-amd64`,
      };
}

/** Why no driver can be compiled for a kernel here, or undefined where it can. */
export function whyNot(kernel) {
  if (process.arch !== 'x64') return 'the headers are those of amd64';
  for (const program of ['gcc', 'ld', 'nm', 'objcopy', 'make'])
    if (!hasProgram(program)) return `there is no ${program}`;
  const name = kernel === '6.1' ? 'linux-headers-amd64' : `linux-headers-${kernel}-amd64`;
  return findHeaders(kernel)
    ? undefined
    : `there are no kernel headers of ${kernel}: apt-get install ${name}`;
}
