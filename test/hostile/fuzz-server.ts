/**
 * The same edits, through the server as a process: each is sent as a change and the diagnostics are
 * asked for, at some the hover and the code
 * actions too. Every request has to be answered, a server that has seen only the last texts has to
 * find the same, and the memory may not grow.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TextDocument, type Range } from 'vscode-languageserver-textdocument';
import { startServer, type Server } from '../../scripts/lib/lsp.mjs';
import { temporaryFolder } from '../support/folder.ts';
import { driversIn, type DriverModule } from '../support/modules.ts';
import { EDITS_OF_ONE, randomEdits, randomNumbers, type Edited } from './edits.ts';

/**
 * Without a tree the kernel is the one that the text called for when it was opened or saved last:
 * here it is the same all the time.
 */
const SETTINGS = { settings: { targetKernel: '6.6' } };

/** Seconds after which a request counts as one that is never answered. */
const PATIENCE = 120;
/** Seconds after which a server that has nothing to say about its trees has not said it. */
const QUIET = 10;
/** How often the hover and the code actions are asked for: every so-manieth edit. */
const OTHERS = 5;
/**
 * Megabytes that a server which has seen thousands of edits may have more than after the first
 * drivers.
 */
const GROWTH = 40;

/**
 * @param root the project's folder, with the server built
 * @returns how many edits were answered and gave the same, and how many did not
 */
export async function runServer(
  edits: number,
  seed: number,
  root: string,
): Promise<{ passed: number; failed: number; skipped: number }> {
  const random = randomNumbers(seed);
  const drivers = driversIn(join(root, 'test/fixtures/drivers/clean'));
  const program = join(root, 'dist/server.cjs');
  const edited = await startServer(program, SETTINGS);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let early = 0;
  for (let done = 0; done < edits;) {
    const driver = drivers[Math.floor(random() * drivers.length)]!;
    const count = Math.min(edits - done, EDITS_OF_ONE);
    const problem = await driven(driver, count, random, edited, program);
    done += count;
    if (problem === null) counts.passed += count;
    else {
      counts.failed++;
      console.log(`FAILED ${driver.name}: ${problem}`);
    }
    // By then every driver was open once.
    if (early === 0 && done >= drivers.length * EDITS_OF_ONE) early = megabytes(edited.pid);
    if (done % 5_000 === 0) console.log(`${done} edits, ${megabytes(edited.pid)} MB`);
  }
  const late = megabytes(edited.pid);
  await edited.stop();
  console.log(`${early || late} MB after every driver was open once, ${late} MB at the end`);
  if (early > 0 && late > early + GROWTH) {
    counts.failed++;
    console.log(`FAILED memory: from ${early} MB to ${late} MB`);
  }
  return counts;
}

/** Opens a driver, edits it so often and closes it; what went wrong, or null. */
async function driven(
  driver: DriverModule,
  count: number,
  random: () => number,
  edited: Server,
  program: string,
): Promise<string | null> {
  const folder = temporaryFolder(driver.files);
  try {
    const names = Object.keys(driver.files);
    for (const name of names) await edited.open(folder.uriOf(name), driver.files[name]!);
    let texts = driver.files;
    let version = 1;
    for (const one of randomEdits(driver.files, count, random)) {
      texts = one.texts;
      const uri = folder.uriOf(one.name);
      const change = contentChange(one);
      await edited.change(uri, ++version, [change]);
      await answered(edited.diagnostics(uri), 'diagnostics');
      if (version % OTHERS > 0) continue;
      const start = change.range?.start ?? { line: 0, character: 0 };
      await answered(
        edited.ask('textDocument/hover', { textDocument: { uri }, position: start }),
        'hover',
      );
      await answered(
        edited.ask('textDocument/codeAction', {
          textDocument: { uri },
          range: { start, end: start },
          context: { diagnostics: [] },
        }),
        'codeAction',
      );
    }
    const fresh = await startServer(program, SETTINGS);
    for (const name of names) await fresh.open(folder.uriOf(name), texts[name]!);
    const problem = await difference(
      edited,
      fresh,
      names.map((name) => folder.uriOf(name)),
    );
    await fresh.stop();
    for (const name of names) await edited.close(folder.uriOf(name));
    return problem;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    folder.remove();
  }
}

/**
 * The edit as the protocol has it. A text with a CR in it is sent whole: the library that keeps the
 * documents of servers counts the lines wrongly where
 * an edit brings a CR and an LF together, which no editor does that has lines.
 */
function contentChange({ texts, name, before, edit: { offset, length, text } }: Edited): {
  readonly range?: Range;
  readonly text: string;
} {
  if (before.includes('\r') || text.includes('\r')) return { text: texts[name]! };
  const document = TextDocument.create('untitled:', 'c', 1, before);
  return {
    range: { start: document.positionAt(offset), end: document.positionAt(offset + length) },
    text,
  };
}

/**
 * What two servers find differently in their documents, once the edited trees have settled; null
 * when it is the same.
 */
async function difference(
  edited: Server,
  fresh: Server,
  uris: readonly string[],
): Promise<string | null> {
  for (const uri of uris) {
    const wanted = shown(await answered(fresh.diagnostics(uri), 'diagnostics'));
    let found = shown(await answered(edited.diagnostics(uri), 'diagnostics'));
    if (found === wanted) continue;
    // The server looks at the trees again when nobody types, and then asks the client to come again
    // where that changed something.
    await answered(edited.refreshed(), 'refresh', QUIET).catch(() => undefined);
    found = shown(await answered(edited.diagnostics(uri), 'diagnostics'));
    if (found !== wanted) return `${uri}:\nkept  ${found}\nfresh ${wanted}`;
  }
  return null;
}

function shown({ items }: Awaited<ReturnType<Server['diagnostics']>>): string {
  return JSON.stringify(items.map(({ code, message, range }) => ({ code, message, range })));
}

async function answered<T>(request: Promise<T>, name: string, patience = PATIENCE): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const never = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${name} was not answered`)), patience * 1_000);
  });
  try {
    return await Promise.race([request, never]);
  } finally {
    clearTimeout(timer);
  }
}

function megabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}
