/**
 * What package.json says of the program: it lies beside dist/ in the project and where the package
 * is installed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PackageFacts {
  /** As in package.json, or `unknown`. */
  readonly version: string;
  /** Where a person reads of the program; undefined when no package.json says so. */
  readonly homepage: string | undefined;
  /**
   * The web address of the folder of the rules' pages, with a trailing slash; undefined when no
   * package.json names the repository.
   */
  readonly rulePages: string | undefined;
}

/**
 * Reads the package.json above `folder`, which is dist/. A bundle that was copied elsewhere has
 * none, which is no error.
 */
export function readPackageFacts(folder: string): PackageFacts {
  const manifest = readManifest(join(folder, '..', 'package.json'));
  const repository = textOf((manifest['repository'] as { url?: unknown } | undefined)?.url);
  return {
    version: textOf(manifest['version']) ?? 'unknown',
    homepage: textOf(manifest['homepage']),
    rulePages: repository && `${webAddress(repository)}/blob/HEAD/docs/rules/`,
  };
}

/** `https://host/owner/name` of the ways in which npm takes the address of a repository. */
export function webAddress(repository: string): string {
  return repository
    .replace(/^git\+/, '')
    .replace(/^ssh:\/\/git@|^git:\/\//, 'https://')
    .replace(/\.git$/, '')
    .replace(/\/$/, '');
}

function readManifest(file: string): Readonly<Record<string, unknown>> {
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof manifest === 'object' && manifest !== null
      ? (manifest as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
