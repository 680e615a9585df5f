/**
 * Gives a struct that only a typedef names the tag that vfio_alloc_device() wants: `typedef struct
 * { … } foo_t;`.
 */
import type { FileIr, StructIr } from '../../ir/types.ts';
import { compareVersions } from '../../kernel/version.ts';
import type { Module } from '../../lifecycle/types.ts';
import { rootOf } from '../plan/allocation.ts';
import { lineIn } from '../refusal-error.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { findStruct, typeOf } from '../../lifecycle/module/types-of.ts';
import type { Step, StepResult } from './types.ts';

/** The tag goes where the struct is defined; the typedef, and what uses it, stay as they are. */
export const giveTag: Step = (step) => {
  if (compareVersions(step.input.kernel, [6, 1]) < 0) return null;
  const { module } = step.input;
  for (const site of initsConcerning(step)) {
    const root = rootOf(site.scope, site.target);
    const name = root && typeOf(site.scope, root)?.tag;
    const found = name ? findStruct(module, site.scope.file, name) : undefined;
    if (found && isUntagged(found.file, found.struct))
      return tagged(module, found.file, found.struct);
  }
  return null;
};

/** The name of the struct is its typedef's: none stands in front of its body. */
function isUntagged(file: FileIr, struct: StructIr): boolean {
  const words = [...file.text.slice(struct.start, struct.bodySpan.start).matchAll(/\w+/g)].map(
    ([word]) => word,
  );
  return !words.includes(struct.name);
}

function tagged(module: Module, file: FileIr, struct: StructIr): StepResult {
  const tag = freeTag(module, struct.name);
  const head = file.text.slice(struct.start, struct.bodySpan.start).trimEnd();
  const place = struct.start + head.length;
  return {
    edits: [
      {
        path: file.path,
        edits: [{ span: { start: place, end: place }, newText: ` ${tag}`, kind: 'layout' }],
      },
    ],
    notes: [
      {
        text: `The struct at line ${lineIn(file, struct.start)} that only a typedef named now has the tag ${tag}, because vfio_alloc_device() needs one.`,
        message: `The struct that only a typedef named now has the tag ${tag}, because vfio_alloc_device() needs one.`,
        site: { path: file.path, start: struct.start, end: struct.start },
      },
    ],
    touched: [],
  };
}

/**
 * `foo_t` gives `foo`, where nothing in the module is called `struct foo` or is a macro of that
 * name.
 */
function freeTag(module: Module, name: string): string {
  const base = name.replace(/_(?:t|s|st|type|struct|p|ptr)$/i, '') || name;
  const taken = new Set<string>(
    [...module.sources, ...module.headers].flatMap((file) => [
      ...file.structs.map((struct) => struct.name),
      ...file.macros.map((macro) => macro.name),
      ...[...file.text.matchAll(/\b(?:struct|union|enum)\s+(\w+)/g)].map((found) => found[1]!),
    ]),
  );
  const names = [base, `${base}_dev`, `${base}_state`, `${base}_object`];
  return names.find((one) => !taken.has(one)) ?? `${name}_tag`;
}
