/**
 * The parts of a driver as snippets: cut out of the new driver for the bus and the kernel, so that
 * they are what builds there and has nothing to report; before 6.1 those of the old model.
 */
import type { TargetKernel } from '../types.ts';
import { newDriver } from '../new-driver/index.ts';
import type { NewDriverBus } from '../new-driver/types.ts';
import type { CodePlace } from './code-place.ts';
import { oldModelParts } from './old-model-parts.ts';
import type { Completion } from './types.ts';

/** A part of a driver of the name `foo`, by the first line of it. */
const PARTS: readonly {
  readonly label: string;
  readonly detail: string;
  readonly begins: RegExp;
}[] = [
  {
    label: 'vfio_container',
    detail: 'The struct with the device in it',
    begins: /^struct foo_device \{/m,
  },
  { label: 'vfio_init', detail: 'The .init callback', begins: /^static int foo_init\(/m },
  { label: 'vfio_release', detail: 'The .release callback', begins: /^static void foo_release\(/m },
  {
    label: 'vfio_ops',
    detail: 'The ops table',
    begins: /^static const struct vfio_device_ops foo_ops = \{/m,
  },
  { label: 'vfio_probe', detail: 'The probe function', begins: /^static int foo_probe\(/m },
  { label: 'vfio_remove', detail: 'The remove function', begins: /^static \w+ foo_remove\(/m },
];

const BUS_NAMES: Readonly<Record<NewDriverBus, string>> = {
  pci: 'vfio-pci variant',
  mdev: 'mediated device',
  platform: 'platform device',
};

/** The parts that can begin at a caret: at file scope, in a line of its own. */
export function snippetsAt(
  text: string,
  offset: number,
  { bracket, word, code }: CodePlace,
  kernel: TargetKernel,
): Completion[] {
  const line = code.slice(code.lastIndexOf('\n') + 1);
  if (bracket !== undefined || line.trim() !== word) return [];
  const bus = busOf(text);
  return partsOf(bus, kernel).map(({ label, detail, snippet }) => ({
    label,
    kind: 'snippet',
    detail: `${detail}: ${BUS_NAMES[bus]}, Linux ${kernel.text}`,
    insert: snippet,
    isSnippet: true,
    span: { start: offset - word.length, end: offset },
  }));
}

/** By what the file includes and calls. */
function busOf(text: string): NewDriverBus {
  if (/\bvfio_pci_core|\blinux\/pci\.h|\bpci_driver\b/.test(text)) return 'pci';
  return /\bmdev_/.test(text) || /linux\/mdev\.h/.test(text) ? 'mdev' : 'platform';
}

function partsOf(
  bus: NewDriverBus,
  kernel: TargetKernel,
): { readonly label: string; readonly detail: string; readonly snippet: string }[] {
  const driver = newDriver(bus, 'foo', kernel.text);
  const text = 'problem' in driver ? oldModelParts(bus, kernel.version) : driver.files[0]!.text;
  if (text === undefined) return [];
  return PARTS.flatMap(({ label, detail, begins }) => {
    const start = begins.exec(text)?.index;
    if (start === undefined) return [];
    const end = /^\};?\n/m.exec(text.slice(start));
    if (end === null) return [];
    return [
      { label, detail, snippet: asSnippet(text.slice(start, start + end.index + end[0].length)) },
    ];
  });
}

/** `foo` and `FOO` are asked for once each. */
function asSnippet(code: string): string {
  const escaped = code.trimEnd().replace(/[\\$}]/g, '\\$&');
  return escaped
    .replace(/(?<![A-Za-z0-9])foo(?![a-z0-9])/, '${1:foo}')
    .replace(/(?<![A-Za-z0-9:])foo(?![a-z0-9])/g, '$1')
    .replace(/\bFOO(?=_)/, '${2:FOO}')
    .replace(/(?<!:)\bFOO(?=_)/g, '$2');
}
