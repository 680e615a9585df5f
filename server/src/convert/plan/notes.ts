/** The notes of a plan: what a person should know of the result. */
import { reviewNotes } from './remarks.ts';
import type { FileIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { append } from '../../text/lists.ts';
import type { Span } from '../../text/span.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import { formatVersion } from '../../kernel/version.ts';
import { keptAt } from './kept.ts';
import { memoryNotes } from './memory-notes.ts';
import { lineIn } from '../refusal-error.ts';
import { siteOf } from '../modules/merge.ts';
import type { DevicePlan, Note, TablePlan } from '../types.ts';

/**
 * What a person should know of the result: what was generated, what changes its time, what is left
 * to do.
 */
export function notesOf(
  module: Module,
  file: FileIr,
  kernel: KernelVersion,
  devices: readonly DevicePlan[],
  tables: readonly TablePlan[],
): Note[] {
  const notes: Note[] = [];
  const say = (
    text: string,
    { file: where, span }: Where,
    kind: 'review' | 'label' = 'review',
  ): void => {
    notes.push({ kind, text, site: siteOf(where, span) });
  };
  for (const device of devices) {
    const { unseen, path } = device.container;
    const [first] = device.allocations;
    const start: Where = first
      ? { file: first.file, span: first.call }
      : { file, span: { start: 0, end: 0 } };
    if (unseen !== null)
      say(
        `The definition of struct ${unseen} was not found: vfio_alloc_device() does not compile unless ${path[0]!} is its first member.`,
        start,
      );
    const kept = keptAt(module, file, device.container);
    if (kept) {
      const told = (which: string): string =>
        `struct ${device.container.tag} is now freed at the last vfio_put_device(), which may be later than before: pointers to it that are kept elsewhere${which} must still be gone by then.`;
      const text = told(`, as line ${lineIn(kept.file, kept.expr.start)} does,`);
      notes.push({ kind: 'review', text, message: told(''), site: siteOf(kept.file, kept.expr) });
    }
    for (const label of device.labels)
      say(
        label.merged
          ? `Label ${label.from} in ${label.fn.name}() was removed: its gotos lead to ${label.to}, which followed at once.`
          : `Label ${label.from} in ${label.fn.name}() is now ${label.to}.`,
        { file: label.file, span: label.fn },
        'label',
      );
    const ofMemory = device.allocations.flatMap((one) =>
      memoryNotes(module, device.container, one),
    );
    append(notes, reviewNotes(new Map(ofMemory.map((one) => [one.text, one])).values()));
    const raised = new Set(device.allocations.flatMap((one) => one.before));
    const moved = device.moves.find((one) => !raised.has(one.at));
    if (moved)
      say('Drvdata is now set before the registration, which requires it since 5.19.', {
        file: moved.file,
        span: moved.before.stmt,
      });
  }
  for (const table of tables) {
    const iommufd = table.members.filter((member) => member.value.startsWith('vfio_iommufd_'));
    const site = siteOf(table.file, table.variable.nameSpan);
    if (table.releaseStub)
      notes.push({
        kind: 'release',
        name: table.releaseStub,
        site,
        text: `${table.releaseStub}() was added because 6.1 calls .release without a NULL test and expects it to free the device.`,
      });
    if (iommufd.length > 0)
      append(
        notes,
        reviewNotes([
          {
            site,
            text: `${table.variable.name} got the iommufd members that registration requires in ${formatVersion(kernel)}: ${iommufd.map((member) => `.${member.name}`).join(', ')}.`,
          },
        ]),
      );
  }
  return notes;
}

interface Where {
  readonly file: FileIr;
  readonly span: Span;
}
