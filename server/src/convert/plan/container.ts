/** Proves that the vfio_device is the first member of its container. */
import type { Span } from '../../text/span.ts';
import type { FieldIr, FileIr, StructIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { missingHeaders } from '../query/missing-headers.ts';
import { lineIn, refuse } from '../refusal-error.ts';
import type { Container } from '../types.ts';
import { findStruct, resolveType } from '../../lifecycle/module/types-of.ts';
import { withoutComments } from '../../text/lexical.ts';
import { deviceMembersOf } from '../../lifecycle/module/unseen-struct.ts';

/**
 * The first member of a struct of the kernel's public headers that drivers embed. It is first in
 * every kernel since 5.15.
 */
const KERNEL_STRUCTS: ReadonlyMap<string, string> = new Map([['vfio_pci_core_device', 'vdev']]);

const MAX_LEVELS = 8;

/**
 * Proves that `struct tag` has its vfio_device at offset 0 through every level, as
 * vfio_alloc_device demands (it applies
 * container_of to an error pointer). Where no definition is seen, the one member that the code uses
 * as its device is taken: vfio_alloc_device
 * does not compile for another offset (BUILD_BUG_ON_ZERO, since 6.1). Refuses when a definition is
 * ambiguous or has something before the member.
 */
export function containerOf(module: Module, file: FileIr, tag: string, at: Span): Container {
  const path: string[] = [];
  const tags = [tag];
  let current = tag;
  let from = file;
  let unseen: string | null = null;
  while (current !== 'vfio_device') {
    const known = KERNEL_STRUCTS.get(current);
    if (known) {
      path.push(known);
      current = 'vfio_device';
    } else {
      const definition = findStruct(module, from, current);
      const member = definition
        ? firstMember(module, definition.struct, definition.file)
        : onlyDeviceMember(module, current);
      if (!member) {
        refuse(
          'struct-not-found',
          `There is no single definition of \`struct ${current}\` in this file or the headers it quotes${missingHeaders(module, from)}, so the offset of its vfio_device cannot be proved.`,
          file,
          at,
        );
      }
      if (!definition) unseen = current;
      path.push(member.name);
      current = member.tag;
      from = definition?.file ?? from;
    }
    tags.push(current);
    if (path.length > MAX_LEVELS)
      refuse(
        'struct-not-found',
        `\`struct ${tag}\` embeds its vfio_device too deep to follow.`,
        file,
        at,
      );
  }
  if (path.length === 0) {
    refuse(
      'struct-anonymous',
      'The driver allocates a bare `struct vfio_device`; vfio_alloc_device needs a struct of the driver that embeds it. Embed it as the first member of one.',
      file,
      at,
    );
  }
  return { tag, path, tags, unseen };
}

/**
 * The member that the code uses as the device of a struct that is defined where it is not seen;
 * null when it uses none, or several.
 */
function onlyDeviceMember(module: Module, tag: string): { name: string; tag: string } | null {
  const [only, ...others] = deviceMembersOf(module, tag);
  return only && others.length === 0 ? { name: only[0], tag: only[1] } : null;
}

/** The first member, which must be the vfio_device or a struct that begins with one. */
function firstMember(
  module: Module,
  struct: StructIr,
  file: FileIr,
): { name: string; tag: string } {
  const first = struct.fields[0];
  if (first && isFirst(file, struct, first)) {
    const type = resolveType(module, file, first.type);
    if (type && type.pointers === 0 && embedsDevice(module, file, type.tag))
      return { name: first.name, tag: type.tag };
  }
  for (const field of struct.fields) {
    const type = resolveType(module, file, field.type);
    if (type?.pointers !== 0 || !embedsDevice(module, file, type.tag)) continue;
    if (field.unplaced) {
      refuse(
        'member-not-first',
        `\`struct ${struct.name}\` keeps \`${field.name}\`, line ${lineIn(file, field.statement.start)}, in a union, where other members have the same bytes. Make it a member of the struct itself, the first one.`,
        file,
        field.statement,
      );
    }
    refuse(
      'member-not-first',
      `\`struct ${struct.name}\` keeps \`${field.name}\` at line ${lineIn(file, field.statement.start)}, not as its first member: vfio_alloc_device needs it at offset 0. Move it first.`,
      file,
      field.statement,
    );
  }
  const untagged = struct.fields.find(
    (field) => field.type.name === '' && field.type.pointers === 0,
  );
  if (untagged) {
    refuse(
      'struct-not-found',
      `\`struct ${struct.name}\` has no vfio_device of its own, and its member \`${untagged.name}\` at line ${lineIn(file, untagged.statement.start)} is a struct without a tag, which is not searched. First give it a tag.`,
      file,
      untagged.statement,
    );
  }
  refuse(
    'struct-not-found',
    `\`struct ${struct.name}\` does not embed a vfio_device, as far as this file shows.`,
    file,
    { start: struct.start, end: struct.end },
  );
}

/**
 * Only blanks and comments stand before the member, so nothing that was not understood can take the
 * place at offset 0.
 */
function isFirst(file: FileIr, struct: StructIr, field: FieldIr): boolean {
  if (field.unplaced || field.conditions.length > 0) return false;
  const before = file.text.slice(struct.bodySpan.start + 1, field.statement.start);
  return withoutComments(before, '').trim() === '';
}

/**
 * Whether `tag` is a struct with a vfio_device somewhere in it, by what this file and its headers
 * define.
 */
export function embedsDevice(module: Module, file: FileIr, tag: string): boolean {
  const seen = new Set<string>();
  const pending = [{ tag, from: file }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next.tag === 'vfio_device' || KERNEL_STRUCTS.has(next.tag)) return true;
    if (seen.has(next.tag)) continue;
    seen.add(next.tag);
    if (deviceMembersOf(module, next.tag).size > 0) return true;
    const definition = findStruct(module, next.from, next.tag);
    for (const field of definition?.struct.fields ?? []) {
      const type = resolveType(module, definition!.file, field.type);
      if (type?.pointers === 0) pending.push({ tag: type.tag, from: definition!.file });
    }
  }
  return false;
}
