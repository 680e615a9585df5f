/**
 * Declares a local of just the type that a member of a struct has, from the member's own
 * declaration.
 */
import type { FieldIr, FileIr, TypeName } from '../../ir/types.ts';
import type { ModuleIndex } from '../../lifecycle/module/module.ts';
import { smallest } from '../../text/lists.ts';

/**
 * The declaration `const struct foo *hw;` of a local that can be assigned the value of the member,
 * with its name, its qualifiers and its
 * address space.
 * @param tag the struct that the member is in, as `file` sees it.
 * @returns null when no such local exists or it is not known to: an array, a bit-field, a member of
 * a union, a struct by value, a type
 * without a name or that a macro makes, a type name of which only the kernel knows what it is.
 */
export function localOfMember(
  index: ModuleIndex,
  file: FileIr,
  tag: string,
  member: string,
): string | null {
  const found = index.struct(file, tag);
  const fields = found?.item.fields.filter((one) => one.name === member) ?? [];
  const [field] = fields;
  if (found === null || field === undefined || fields.length !== 1 || field.conditions.length > 0)
    return null;
  const { text } = found.file;
  const isBitField = /^\s*:/.test(text.slice(field.end, field.statement.end));
  if (field.unplaced || isBitField || field.type.arrays > 0) return null;
  const first = smallest(
    found.item.fields
      .filter((one) => one.statement.start === field.statement.start)
      .map((one) => one.start),
  );
  const specifiers = specifiersOf(text, field, first);
  const declarator = text.slice(field.start, field.end).replace(/\s+/g, ' ');
  if (specifiers === null || !isDeclarator(declarator, member)) return null;
  if (field.type.pointers === 0 && !isScalar(index, found.file, field.type)) return null;
  // What is itself const could not be assigned.
  const isPointer = field.type.pointers > 0;
  const base = isPointer ? specifiers : specifiers.replace(/\bconst\b ?/g, '');
  const name = isPointer ? declarator.replace(/\bconst\b ?(?=\w+\)|\w+$)/, '') : declarator;
  return `${base.trim()} ${name.trim()};`;
}

/**
 * The words before the first declarator, those of an enum or struct that is defined in place
 * without its body; null when they are more than words.
 */
function specifiersOf(text: string, { statement, type }: FieldIr, first: number): string | null {
  const written = text.slice(statement.start, first);
  const isInPlace = type.keyword !== null && written.includes('{');
  if (
    isInPlace &&
    (type.name === '' ||
      type.start < statement.start ||
      !/^[\w\s]*$/.test(text.slice(statement.start, type.start)))
  )
    return null;
  const words = isInPlace
    ? `${text.slice(statement.start, type.start)}${type.keyword} ${type.name}${qualifiersBehind(written)}`
    : written;
  return /^[\w\s]+$/.test(words) ? words.replace(/\s+/g, ' ') : null;
}

function qualifiersBehind(written: string): string {
  return written.slice(written.lastIndexOf('}') + 1);
}

/**
 * A plain name, a pointer, or a pointer to a function: nothing in it that a macro could have made.
 */
function isDeclarator(written: string, name: string): boolean {
  const words: readonly string[] = written.match(/\w+|[^\s\w]/g) ?? [];
  const at = words.indexOf(name);
  const before = words.slice(0, at).join(' ');
  const behind = written.slice(written.indexOf(name, 0) + name.length).trim();
  if (
    at < 0 ||
    !words.slice(0, at).every((word) => /^(?:[*(]|const|volatile|restrict|__\w+)$/.test(word))
  )
    return false;
  return behind === ''
    ? !before.includes('(')
    : before.endsWith('( *') && /^\)\s*\([^]*\)$/.test(behind) && !/\/\*|\/\//.test(behind);
}

/**
 * Whether values of the type are assigned with `=`, as far as the module and the kernel's own names
 * of numbers tell.
 */
function isScalar(index: ModuleIndex, file: FileIr, type: TypeName, depth = 0): boolean {
  if (type.arrays > 0) return false;
  if (type.pointers > 0) return true;
  if (type.name === '' || depth > MAX_DEPTH) return false;
  if (type.keyword !== null) return type.keyword === 'enum';
  if (SCALARS.test(type.name)) return true;
  const meant = [file, ...index.module.headers]
    .map((document) => document.typedefs.get(type.name))
    .find((one) => one !== undefined);
  return meant !== undefined && isScalar(index, file, meant, depth + 1);
}

/** A typedef of a typedef of a typedef is none that a person follows any further. */
const MAX_DEPTH = 8;

/**
 * The last words of basic types, and what include/linux/types.h and its like (v6.12) name numbers.
 */
const SCALARS = new RegExp(
  `^(?:${[
    'char|short|int|long|unsigned|signed|bool|_Bool|float|double',
    '(?:__)?[us](?:8|16|32|64)',
    'u?int(?:8|16|32|64)_t',
    '__(?:le|be)(?:16|32|64)',
    'u?intptr_t|s?size_t|ptrdiff_t|loff_t|off_t|pgoff_t|sector_t|blkcnt_t',
    'dma_addr_t|phys_addr_t|resource_size_t|iova_t',
    'dev_t|pid_t|umode_t|fmode_t|gfp_t|mode_t|key_t',
    'ktime_t|time64_t|timer_t|cycles_t',
    'irq_hw_number_t|irqreturn_t|pci_power_t|pci_channel_state_t|dma_cookie_t|ioasid_t|u_(?:char|short|int|long)|uint|ulong|ushort|unchar',
  ].join('|')})$`,
);
