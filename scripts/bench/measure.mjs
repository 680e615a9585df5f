// The measurements. Each takes the programs and the tree and returns rows of the table. What is
// compared is done in turn, step by step, another program first each time: what else the machine
// does then meets all of them.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import path from 'node:path';
import { nextEdit, randomNumbers, toContentChange } from '../lib/random-edits.mjs';
import { processorTime, residentMegabytes } from './process.mjs';
import { percentile } from './table.mjs';
import { placesIn } from './tree.mjs';

const SEED = 1;
/** Milliseconds from a key until VS Code asks for code actions, and until a person does. */
const SOON = 250;
const LATER = 750;
/** Of the protocol: who asks for code actions. */
const INVOKED = 1;
const AUTOMATIC = 2;
const KEYS = 200;
const HOVERS = 20;
const PLACES = 6;
/** Milliseconds between two keys of somebody who types quickly. */
const BETWEEN_KEYS = 80;
/** Milliseconds until a server has nothing left to do, and for which it is then looked at. */
const SETTLED = 8000;
const LOOKED_AT = 10_000;

/** Process to initialized, and the first file of a server that has just started. */
export async function measureStart(programs, { tree, drivers }) {
  const uri = pathToFileURL(drivers[0].file).href;
  // A server keeps what was compiled of it for the next one.
  for (const program of programs) {
    const client = await program.start(tree);
    await program.opened(client, uri, drivers[0].text);
    await sleep(SETTLED);
    await client.stop();
  }
  const started = newRow('server start (process to initialized)', '≤ 100 ms', programs);
  const first = newRow(`first file of a new server, ${drivers[0].name}`, '≤ 150 ms', programs);
  for (let i = 0; i < 10; i++)
    for (const at of inTurn(programs, i)) {
      const program = programs[at];
      const begin = performance.now();
      const client = await program.start(tree);
      keep(started.sides[at], performance.now() - begin, processorTime(client.pid));
      await timed(first.sides[at], client, () => program.opened(client, uri, drivers[0].text));
      await client.stop();
    }
  return [started, first];
}

/**
 * A file opened in a warm server and closed and opened again, keys in it, and what is asked about it
 * then. `others` are drivers of which a server may keep something instead.
 */
export async function measureTyping(programs, { tree, others }, { file, name, text }) {
  const uri = pathToFileURL(file).href;
  const clients = await Promise.all(programs.map((program) => program.start(tree)));
  const all = (step, i) => eachInTurn(programs, i, (program, at) => step(program, clients[at], at));
  await all(async (program, client) => {
    await program.opened(client, `${uri}.warm.c`, text);
    await client.close(`${uri}.warm.c`);
  }, 0);
  const opened = newRow(`open, warm, ${name}`, '≤ 40 ms', programs);
  const again = newRow(`open again, ${name}`, '≤ 40 ms', programs.filter(isOurs));
  for (let i = 0; i < 5; i++)
    await all(async (program, client, at) => {
      // What clangd pushes for the close would be taken for the answer.
      if (i > 0 && !isOurs(program)) return;
      if (i > 0) {
        await client.close(uri);
        await timed(again.sides[at], client, () => program.opened(client, uri, text));
        await client.close(uri);
        for (const other of others) {
          const otherUri = pathToFileURL(other.file).href;
          await program.opened(client, otherUri, other.text);
          await client.close(otherUri);
        }
      }
      await timed(opened.sides[at], client, () => program.opened(client, uri, text));
    }, i);
  const keys = newRow(`keystroke, ${name}`, 'median ≤ 4, p95 ≤ 10, max ≤ 40 ms', programs);
  let version = 1;
  let last = text;
  for (const edit of editsOf(text, KEYS)) {
    version++;
    await all(
      (program, client, at) =>
        timed(
          keys.sides[at],
          client,
          () => program.edited(client, uri, version, edit),
          BETWEEN_KEYS,
        ),
      version,
    );
    last = edit.after;
  }
  const hover = newRow(`hover, ${name}`, '≤ 3 ms', programs.filter(isOurs));
  for (const [i, offset] of placesIn(last, HOVERS).entries())
    await all(async (program, client, at) => {
      if (isOurs(program))
        await timed(hover.sides[at], client, () =>
          client.ask('textDocument/hover', {
            textDocument: { uri },
            position: positionAt(last, offset),
          }),
        );
    }, i);
  await Promise.all(clients.map((client) => client.stop()));
  return [opened, again, keys, hover];
}

/**
 * Code actions at the calls of a life cycle after a key: as an editor asks on its own, and as a
 * person does after that.
 */
export async function measureActions(programs, { tree, drivers }) {
  const clients = await Promise.all(programs.map((program) => program.start(tree)));
  const automatic = newRow('code actions, automatic', '≤ 30 ms', programs);
  const invoked = newRow('code actions, invoked', '≤ 80 ms', programs);
  for (const { file, text } of drivers) {
    const uri = pathToFileURL(file).href;
    for (const [at, client] of clients.entries()) await programs[at].opened(client, uri, text);
    const change = toContentChange(text, { offset: text.length, length: 0, text: '\n' });
    for (const [i, offset] of placesIn(text, PLACES).entries()) {
      const position = positionAt(text, offset);
      const reports = [];
      for (const [at, client] of clients.entries())
        reports.push(await programs[at].edited(client, uri, i + 2, { change }));
      const ask = (row, triggerKind) =>
        eachInTurn(programs, i, (_, at) =>
          timed(row.sides[at], clients[at], () =>
            clients[at].ask('textDocument/codeAction', {
              textDocument: { uri },
              range: { start: position, end: position },
              context: {
                triggerKind,
                diagnostics: (reports[at].items ?? []).filter(
                  ({ range }) => range.start.line === position.line,
                ),
              },
            }),
          ),
        );
      await sleep(SOON);
      await ask(automatic, AUTOMATIC);
      await sleep(LATER);
      await ask(invoked, INVOKED);
    }
    for (const client of clients) await client.close(uri);
  }
  await Promise.all(clients.map((client) => client.stop()));
  return [automatic, invoked];
}

/**
 * Memory of a server at rest, before and after many edits of open drivers, by tenths of the edits,
 * and what the server does when nobody asks it for anything.
 */
export async function measureMemory(programs, { tree, drivers }, count) {
  const unit = 'MB';
  const what = `${drivers.length} open drivers`;
  const rows = {
    before: newRow(`memory with ${what}`, '≤ 120 MB', programs, unit),
    after: newRow(`memory after ${count} edits`, '≤ 120 MB', programs, unit),
    growth: newRow('the last tenth of the edits against the first', '≤ 103 %', programs, '%'),
    idle: newRow(`CPU in ${LOOKED_AT / 1000} s of an idle server, ${what}`, '0 ms', programs),
  };
  for (const [at, program] of programs.entries()) {
    const client = await program.start(tree);
    for (const { file, text } of drivers)
      await program.opened(client, pathToFileURL(file).href, text);
    await sleep(SETTLED);
    keep(rows.before.sides[at], residentMegabytes(client.pid));
    const begin = processorTime(client.pid);
    await sleep(LOOKED_AT);
    if (begin !== undefined) keep(rows.idle.sides[at], processorTime(client.pid) - begin);
    // Round after round over all drivers, so that each tenth has the same ones.
    const edits = drivers.map(({ text }) => [...editsOf(text, Math.ceil(count / drivers.length))]);
    const memory = [];
    for (let i = 0; i < edits[0].length; i++)
      for (const [one, { file }] of drivers.entries()) {
        await program.edited(client, pathToFileURL(file).href, i + 2, edits[one][i]);
        await sleep(BETWEEN_KEYS);
        memory.push(residentMegabytes(client.pid));
      }
    if (begin !== undefined) {
      const tenth = Math.ceil(memory.length / 10);
      await sleep(SETTLED);
      keep(rows.after.sides[at], residentMegabytes(client.pid));
      keep(
        rows.growth.sides[at],
        (100 * percentile(memory.slice(-tenth), 50)) / percentile(memory.slice(0, tenth), 50),
      );
    }
    await client.stop();
  }
  return [rows.before, rows.after, rows.growth, rows.idle];
}

/** The command line over drivers/vfio, and over all of the tree against a bare read and parse. */
export async function measureCheck(programs, { tree }) {
  const folder = newRow('check drivers/vfio', '≤ 700 ms', programs);
  const bare = { label: 'read, filter, parse' };
  const whole = newRow('check of the whole tree', '≤ 1.5 × read, filter, parse', [
    ...programs,
    bare,
  ]);
  const check = (program, where) => [
    program.commandLine,
    'check',
    '--fail-on',
    'never',
    '--format',
    'json',
    where,
  ];
  for (let i = 0; i < 5; i++) {
    for (const at of inTurn(programs, i))
      await timedProgram(folder.sides[at], check(programs[at], path.join(tree, 'drivers/vfio')));
    for (const at of inTurn(whole.sides, i))
      await timedProgram(
        whole.sides[at],
        at < programs.length
          ? check(programs[at], tree)
          : [fileURLToPath(new URL('whole-tree.mjs', import.meta.url)), tree],
      );
  }
  return [folder, whole];
}

function isOurs(program) {
  return program.isPeer !== true;
}

function newRow(name, budget, programs, unit = 'ms') {
  return {
    name,
    budget,
    unit,
    sides: programs.map(({ label }) => ({ label, values: [], processor: [] })),
  };
}

function keep(side, value, processor) {
  if (value !== undefined) side.values.push(value);
  if (processor !== undefined) side.processor.push(processor);
}

/** The indices of a list, beginning with another one each time. */
function inTurn(list, i) {
  return list.map((_, at) => (at + i) % list.length);
}

async function eachInTurn(list, i, step) {
  for (const at of inTurn(list, i)) await step(list[at], at);
}

/**
 * Does something with a server and keeps how long it took, and what processor time, with what the
 * server does in the `rest` of so many milliseconds after it.
 */
async function timed(side, client, step, rest = 0) {
  const processor = processorTime(client.pid);
  const begin = performance.now();
  await step();
  const time = performance.now() - begin;
  if (rest > 0) await sleep(rest);
  keep(side, time, processor === undefined ? undefined : processorTime(client.pid) - processor);
}

/** Runs a program of ours to its end. */
async function timedProgram(side, args) {
  const begin = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const status = await new Promise((resolve) => {
    child.once('exit', resolve);
  });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`);
  keep(side, performance.now() - begin);
}

/** The same edits for all: each as a change of the protocol, and the text after it. */
export function* editsOf(original, count) {
  const random = randomNumbers(SEED);
  let text = original;
  let last;
  for (let i = 0; i < count; i++) {
    const edit = nextEdit(text, random, last);
    const change = toContentChange(text, edit);
    const removed = text.slice(edit.offset, edit.offset + edit.length);
    // An undo is not undone: that would go back and forth between two texts.
    last =
      last && edit.text === last.removed && edit.offset === last.offset
        ? undefined
        : { ...edit, removed };
    text = text.slice(0, edit.offset) + edit.text + text.slice(edit.offset + edit.length);
    yield { change, after: text };
  }
}

function positionAt(text, offset) {
  const before = text.slice(0, offset);
  return {
    line: before.split('\n').length - 1,
    character: offset - (before.lastIndexOf('\n') + 1),
  };
}
