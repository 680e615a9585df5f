import type { FileIr } from '../ir/types.ts';
import type { Module } from '../lifecycle/types.ts';
import type { KernelVersion } from '../kernel/types.ts';
import { formatVersion } from '../kernel/version.ts';
import { keptAt } from './kept.ts';
import { memoryNotes } from './memory-notes.ts';
import { lineIn } from './refuse.ts';
import type { DevicePlan, Note, TablePlan } from './types.ts';

/** What a person should know of the result: what was generated, what changes its time, what is left to do. */
export function notesOf(module: Module, file: FileIr, kernel: KernelVersion, devices: readonly DevicePlan[], tables: readonly TablePlan[]): Note[] {
  const notes: Note[] = [];
  const say = (text: string, kind: 'review' | 'label' = 'review'): void => void notes.push({ kind, text });
  for (const device of devices) {
    const { unseen, path } = device.container;
    if (unseen !== null) say(`The definition of struct ${unseen} is not seen here: vfio_alloc_device() does not compile unless ${path[0]!} is its first member.`);
    const kept = keptAt(module, file, device.container);
    if (kept) say(`struct ${device.container.tag} is now freed at the last vfio_put_device(), which may be later than before: pointers to it that are kept elsewhere, as line ${lineIn(kept.file, kept.expr.start)} does, must still be gone by then.`);
    for (const label of device.labels) say(label.merged ? `Label ${label.from} in ${label.fn.name}() went: its gotos lead to ${label.to}, which followed at once.` : `Label ${label.from} in ${label.fn.name}() is now ${label.to}.`, 'label');
    for (const text of new Set(device.allocations.flatMap((one) => memoryNotes(module, device.container, one)))) say(text);
    if (device.moves.length > 0) say('Drvdata is now set before the register, which insists on it since 5.19.');
  }
  for (const table of tables) {
    const iommufd = table.members.filter((member) => member.value.startsWith('vfio_iommufd_'));
    if (table.releaseStub) notes.push({ kind: 'release', name: table.releaseStub, text: `${table.releaseStub}() was added because 6.1 calls .release without a test and leaves the free to it.` });
    if (iommufd.length > 0) say(`${table.variable.name} got the iommufd members that registering insists on in ${formatVersion(kernel)}: ${iommufd.map((member) => `.${member.name}`).join(', ')}.`);
  }
  return notes;
}

/** Sentences on what is to be looked at in the result. */
export function reviewNotes(texts: Iterable<string>): Note[] {
  return [...texts].map((text) => ({ kind: 'review', text }));
}
