import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { readZip } from './zip.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Two VSIX files, each built and packed from nothing. */
    vsix: [string, string];
    /**
     * The extension as it is installed: only what the VSIX holds, in a folder far from the sources.
     */
    installed: string;
  }
}

/** Packs the extension twice, in different time zones, and unpacks it. */
export default function setup(project: TestProject): () => void {
  const root = path.resolve(import.meta.dirname, '../..');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'bundle-'));
  const vsix = ['UTC', 'Asia/Tokyo'].map((timeZone, index) => {
    const file = path.join(folder, `${index}.vsix`);
    const contents = path.join(folder, 'contents');
    execFileSync(process.execPath, [path.join(root, 'scripts/package.mjs'), file, contents], {
      env: { ...process.env, TZ: timeZone },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return file;
  }) as [string, string];
  for (const [name, content] of readZip(readFileSync(vsix[0]))) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  project.provide('vsix', vsix);
  project.provide('installed', path.join(folder, 'extension'));
  return () => rmSync(folder, { recursive: true, force: true });
}
