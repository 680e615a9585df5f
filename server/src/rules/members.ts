/** Which members of which structs a function reads, writes and takes the address of. */
import { movedBy, originalOf } from '../ir/lower.ts';
import type {
  CallExpr,
  Expr,
  FileIr,
  FunctionIr,
  MacroIr,
  MemberExpr,
  StructIr,
  TypeName,
} from '../ir/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { Outline } from '../lifecycle/module/outline.ts';
import { callOfGuard } from '../lifecycle/interpret/guards.ts';
import type { Site } from '../lifecycle/types.ts';
import { keptByFunction, positionsByName } from './function-traits.ts';
import { walkWithParents, type IrNode } from './locate.ts';

/**
 * Which members of which structs a function names, by the declared types of its variables and
 * whatever the path: what a rule asks of
 * functions that no path of a device leads through, such as the callbacks.
 */
export interface MemberAccess {
  readonly file: FileIr;
  readonly function: FunctionIr;
  /**
   * The innermost struct whose definition is known, and the rest of the path in it: `foo.lock`,
   * `vfio_device.mig_ops`.
   */
  readonly key: string;
  /** The struct of the key. */
  readonly owner: string;
  /** The member's own struct when it is embedded, else null. */
  readonly embeds: string | null;
  /** `address`: `&p->m`, or an array that decays to one. */
  readonly form: 'read' | 'write' | 'address';
  readonly site: Site;
  /** The whole access, `p->m.n`. */
  readonly node: MemberExpr;
  /** The call that is given the access, or its address, as an argument. */
  readonly call: CallExpr | null;
  /** What a plain assignment gives it. */
  readonly value: Expr | null;
  /**
   * The three as the function was lowered, for questions of anything but their place: where an edit
   * has moved the function, they need not be made.
   */
  readonly lowered: Pick<MemberAccess, 'node' | 'call' | 'value'>;
}

/** The names of a module, resolved once for the analysis and all rules. */
export { indexModule as indexOf } from '../lifecycle/module/module.ts';

const known = new WeakMap<ModuleIndex, Map<FunctionIr, readonly MemberAccess[]>>();

/** The accesses of members in a function, in the order of a walk; their nodes are those of its body. */
export function memberAccesses(index: ModuleIndex, fn: FunctionIr): readonly MemberAccess[] {
  let byFunction = known.get(index);
  if (byFunction === undefined) known.set(index, (byFunction = new Map()));
  let accesses = byFunction.get(fn);
  if (accesses === undefined) {
    const file = index.fileOf(fn);
    byFunction.set(fn, (accesses = file === undefined ? [] : accessesIn(index, file, fn)));
  }
  return accesses;
}

function accessesIn(index: ModuleIndex, file: FileIr, fn: FunctionIr): readonly MemberAccess[] {
  const delta = movedBy(fn);
  return resolvedMembers(index, file, fn).map(
    (resolved) => new AccessOfToday(file, fn, resolved, delta),
  );
}

/** Those of one member: most functions do not name it, and are not looked at any closer. */
export function accessesOf(
  index: ModuleIndex,
  fn: FunctionIr,
  key: string,
): readonly MemberAccess[] {
  return mentionsIn(fn).fields.has(fieldOf(key))
    ? memberAccesses(index, fn).filter((one) => one.key === key)
    : NONE;
}

const NONE: readonly MemberAccess[] = [];

/** The last name of the path to a member, which every access of it ends with. */
function fieldOf(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

/** An access in its document, where an edit may have moved it: what has a place is made when asked for. */
class AccessOfToday implements MemberAccess {
  readonly file: FileIr;
  readonly function: FunctionIr;
  private readonly resolved: ResolvedMember;
  private readonly delta: number;

  constructor(file: FileIr, fn: FunctionIr, resolved: ResolvedMember, delta: number) {
    this.file = file;
    this.function = fn;
    this.resolved = resolved;
    this.delta = delta;
  }

  get key(): string {
    return this.resolved.key;
  }
  get owner(): string {
    return this.resolved.owner;
  }
  get embeds(): string | null {
    return this.resolved.embeds;
  }
  get form(): MemberAccess['form'] {
    return this.resolved.form;
  }
  get lowered(): MemberAccess['lowered'] {
    return this.resolved;
  }
  get site(): Site {
    const { start, end } = this.resolved.node;
    return { path: this.file.path, start: start + this.delta, end: end + this.delta };
  }
  get node(): MemberExpr {
    return this.mentionOfToday().node;
  }
  get call(): CallExpr | null {
    return this.resolved.call && this.formOfToday().call;
  }
  get value(): Expr | null {
    return this.resolved.value && this.formOfToday().value;
  }

  private formOfToday(): Form {
    const { form } = this.mentionOfToday();
    return this.resolved.isArray ? form.array : form.plain;
  }

  private mentionOfToday(): Mention {
    const { accesses } = this.delta === 0 ? mentionsIn(this.function) : mentionsOf(this.function);
    return accesses[this.resolved.at]!;
  }
}

/** Where the function is that was last seen to change each member. */
const lastChangers = new WeakMap<Outline, Map<string, number>>();

/** Whether code of the module writes a member, or takes its address. */
export function isChanged(index: ModuleIndex, key: string): boolean {
  let known = lastChangers.get(index.outline);
  if (known === undefined) lastChangers.set(index.outline, (known = new Map()));
  const isChanger = (position: number): boolean => {
    const { file, item } = index.allFunctions[position]!;
    return changesMember(index, file, item, key);
  };
  // Nearly always that one still does.
  const last = known.get(key);
  if (last !== undefined && isChanger(last)) return true;
  const changer = changersOf(index, fieldOf(key)).find(isChanger);
  if (changer === undefined) known.delete(key);
  else known.set(key, changer);
  return changer !== undefined;
}

/** Where the functions are that may change members with a last name. */
const changersOf = positionsByName((root) => mentionsIn(root).changedFields);

/** Whether a function writes a member, or takes its address. */
export function changesMember(
  index: ModuleIndex,
  file: FileIr,
  fn: FunctionIr,
  key: string,
): boolean {
  return (
    mentionsIn(fn).changedFields.has(fieldOf(key)) &&
    resolvedMembers(index, file, fn).some((one) => one.key === key && one.form !== 'read')
  );
}

/** Structs of the kernel that embed another, and that no header of a driver defines. */
const KERNEL_MEMBERS: Readonly<Record<string, string>> = {
  'vfio_pci_core_device.vdev': 'vfio_device',
  'vfio_platform_device.vdev': 'vfio_device',
};

/** One access as the body of a function has it, whatever the types in the module are. */
interface Mention {
  readonly node: MemberExpr;
  /** What is done with it, where it is no array and where it is one. */
  readonly form: Forms;
}

interface Forms {
  readonly plain: Form;
  readonly array: Form;
}

/** Nearly all accesses are one of these. */
const READ: Form = { form: 'read', call: null, value: null },
  ADDRESS: Form = { form: 'address', call: null, value: null };
const READ_ONLY: Forms = { plain: READ, array: READ },
  READ_OR_ADDRESS: Forms = { plain: READ, array: ADDRESS };

/** What the body of a function says of members, whatever the types in the module are. */
interface Mentions {
  /** The types of parameters and variables; null for a name that is declared with several. */
  readonly locals: ReadonlyMap<string, TypeName | null>;
  readonly accesses: readonly Mention[];
  /** The last names of all accesses, and of those that may be more than a read. */
  readonly fields: ReadonlySet<string>;
  readonly changedFields: ReadonlySet<string>;
}

/** Those of a function as it was lowered, for all that is no matter of places. */
const mentionsIn: (fn: FunctionIr) => Mentions = keptByFunction(findMentions);

const mentions = new WeakMap<FunctionIr, Mentions>();

/** Those of a function where it is today. */
function mentionsOf(fn: FunctionIr): Mentions {
  let found = mentions.get(fn);
  if (found === undefined) mentions.set(fn, (found = findMentions(fn)));
  return found;
}

function formsOf(plain: Form, array: Form): Forms {
  if (plain !== READ) return { plain, array };
  if (array === ADDRESS) return READ_OR_ADDRESS;
  return array === READ ? READ_ONLY : { plain, array };
}

function findMentions(fn: FunctionIr): Mentions {
  const locals = new Map<string, TypeName | null>(fn.params.map((one) => [one.name, one.type]));
  const accesses: Mention[] = [];
  for (const { node, parents } of walkWithParents(fn.body)) {
    if (node.kind === 'decl') {
      const other = locals.get(node.name);
      const isSame =
        other === undefined ||
        (other !== null && other.name === node.type.name && other.pointers === node.type.pointers);
      locals.set(node.name, isSame ? node.type : null);
    }
    if (node.kind !== 'member') continue;
    const parent = parents.at(-1);
    // `p->a.b` is one access, and `.a` no second one.
    if (parent?.kind === 'member' && !parent.arrow && parent.base === node) continue;
    const plain = formOf(node, parents, false),
      array = formOf(node, parents, true);
    accesses.push({ node, form: formsOf(plain, array) });
  }
  const mayChange = ({ form: { plain, array } }: Mention): boolean =>
    plain.form !== 'read' || array.form !== 'read';
  return {
    locals,
    accesses,
    fields: new Set(accesses.map(({ node }) => node.field)),
    changedFields: new Set(accesses.filter(mayChange).map(({ node }) => node.field)),
  };
}

/** An access of a function as it was lowered, with the member that it names by the types of a module. */
export interface ResolvedMember extends Pick<
  MemberAccess,
  'key' | 'owner' | 'embeds' | 'form' | 'node' | 'call' | 'value'
> {
  /** Its place in the list of mentions. */
  readonly at: number;
  /** The member is an array, so that its name is an address. */
  readonly isArray: boolean;
}

/** The members that a function names, for certain answers to what is asked of types. */
interface Resolution {
  readonly asked: readonly AskedType[];
  readonly list: readonly ResolvedMember[];
  /** The names of the module for which the answers were those: with these they are so again. */
  names: ModuleIndex['names'];
  /** The last version of the module, and the document there, for which they are known to be those. */
  version: ModuleIndex['version'];
  path: string;
}

const resolutions = new WeakMap<FunctionIr, Resolution>();

/**
 * The members that a function names, with the nodes of the function as it was lowered: the same list
 * for as long as what was asked of the types of the module has the same answers.
 */
export function resolvedMembers(
  index: ModuleIndex,
  file: FileIr,
  fn: FunctionIr,
): readonly ResolvedMember[] {
  return resolutionOf(index, file, fn).list;
}

function resolutionOf(index: ModuleIndex, file: FileIr, fn: FunctionIr): Resolution {
  const root = originalOf(fn);
  const before = resolutions.get(root);
  if (before !== undefined) {
    if (before.version === index.version && before.path === file.path) return before;
    const types = typesOf(index, file);
    if (
      before.names === index.names ||
      before.asked.every((one) => types.print(one) === one.print)
    ) {
      before.names = index.names;
      before.version = index.version;
      before.path = file.path;
      return before;
    }
  }
  const types = typesOf(index, file);
  const { locals, accesses } = mentionsIn(root);
  const asked: AskedType[] = [];
  const typing: Typing = { types: recorded(types, asked), locals };
  const list = accesses.flatMap((mention, at): ResolvedMember[] => {
    const { node, form } = mention;
    const place = placeOf(typing, node);
    if (place === null) return [];
    const type = memberType(typing.types, place.owner, place.key.slice(place.owner.length + 1));
    const isArray = (type?.arrays ?? 0) > 0;
    const { key, owner, embeds } = place,
      { form: done, call, value } = isArray ? form.array : form.plain;
    // Part by part: each object of two that are spread has a hidden class of its own.
    return [{ key, owner, embeds, form: done, call, value, node, at, isArray }];
  });
  const { names, version } = index;
  const resolution: Resolution = { asked, list, names, version, path: file.path };
  resolutions.set(root, resolution);
  return resolution;
}

/** What a document knows of types by name. */
interface Types {
  struct(tag: string): StructIr | null;
  /** The type of a variable outside of functions. */
  variable(name: string): TypeName | null;
  /** What a function of the module returns. */
  returned(name: string): TypeName | null;
  macro(name: string): MacroIr | null;
  typedef(name: string): TypeName | null;
}

interface DocumentTypes extends Types {
  /** The answer to a question, as what is the same for equal answers wherever they are written. */
  print(question: Question): unknown;
}

const documentTypes = new WeakMap<ModuleIndex, Map<FileIr, DocumentTypes>>();

function typesOf(index: ModuleIndex, file: FileIr): DocumentTypes {
  let byFile = documentTypes.get(index);
  if (byFile === undefined) documentTypes.set(index, (byFile = new Map()));
  let types = byFile.get(file);
  if (types === undefined) byFile.set(file, (types = makeTypes(index, file)));
  return types;
}

function makeTypes(index: ModuleIndex, file: FileIr): DocumentTypes {
  const types: Types = {
    struct: (tag) => index.struct(file, tag)?.item ?? null,
    variable: (name) => index.variable(file, name)?.item.type ?? null,
    returned: (name) => index.functions(file, name)[0]?.item.returnType ?? null,
    macro: (name) => index.macro(file, name)?.item ?? null,
    typedef(name) {
      for (const document of [file, ...index.module.headers]) {
        const meant = document.typedefs.get(name);
        if (meant) return meant;
      }
      return null;
    },
  };
  // Many functions ask the same.
  const prints = new Map<string, unknown>();
  return {
    print({ id, kind, name }) {
      let print = prints.get(id);
      if (print === undefined) prints.set(id, (print = printOf(types[kind](name))));
      return print;
    },
    ...types,
  };
}

interface Question {
  readonly kind: keyof Types;
  readonly name: string;
  /** Both as one. */
  readonly id: string;
}

/** A question with the print of its answer. */
interface AskedType extends Question {
  readonly print: unknown;
}

function printOf(answer: ReturnType<Types[keyof Types]>): unknown {
  if (answer === null) return null;
  if ('fields' in answer || 'bodyText' in answer) return originalOf(answer);
  return `${answer.keyword} ${answer.name} ${answer.pointers} ${answer.arrays}`;
}

/** The same types, with each question written down once. */
function recorded(types: DocumentTypes, asked: AskedType[]): Types {
  const seen = new Set<string>();
  const note = (kind: keyof Types, name: string): void => {
    const id = `${kind} ${name}`;
    if (seen.has(id)) return;
    seen.add(id);
    asked.push({ id, kind, name, print: types.print({ id, kind, name }) });
  };
  return {
    struct: (name) => (note('struct', name), types.struct(name)),
    variable: (name) => (note('variable', name), types.variable(name)),
    returned: (name) => (note('returned', name), types.returned(name)),
    macro: (name) => (note('macro', name), types.macro(name)),
    typedef: (name) => (note('typedef', name), types.typedef(name)),
  };
}

interface Typing {
  readonly types: Types;
  readonly locals: ReadonlyMap<string, TypeName | null>;
}

/**
 * The struct and the member that an access names, through embedded structs as far as they are
 * known.
 */
function placeOf(
  typing: Typing,
  node: MemberExpr,
): Pick<MemberAccess, 'key' | 'owner' | 'embeds'> | null {
  const path: string[] = [];
  let base: Expr = node;
  let tag: string | null = null;
  while (base.kind === 'member') {
    path.unshift(base.field);
    if (base.arrow) {
      const type = typeOf(typing, base.base);
      tag = type !== null && type.pointers === 1 && type.arrays === 0 ? type.name : null;
      break;
    }
    base = base.base;
    if (base.kind !== 'member') {
      const type = typeOf(typing, base);
      tag = type !== null && type.pointers === 0 ? type.name : null;
    }
  }
  if (tag === null || tag === '') return null;
  while (path.length > 1) {
    const inner = embeddedTag(typing.types, tag, path[0]!);
    if (inner === null) break;
    tag = inner;
    path.shift();
  }
  const rest = path.join('.');
  return { key: `${tag}.${rest}`, owner: tag, embeds: embeddedTag(typing.types, tag, rest) };
}

/**
 * The key that accesses of a member have, from its path in a struct: `core.vdev.mig_ops` of `foo`
 * is `vfio_device.mig_ops`.
 */
export function keyOf(index: ModuleIndex, file: FileIr, container: string, member: string): string {
  const path = member.split('.');
  const types = typesOf(index, file);
  let tag = container;
  while (path.length > 1) {
    const inner = embeddedTag(types, tag, path[0]!);
    if (inner === null) break;
    tag = inner;
    path.shift();
  }
  return `${tag}.${path.join('.')}`;
}

function embeddedTag(types: Types, tag: string, field: string): string | null {
  const type = memberType(types, tag, field);
  if (type !== null) return type.pointers === 0 && type.keyword === 'struct' ? type.name : null;
  return KERNEL_MEMBERS[`${tag}.${field}`] ?? null;
}

/** The type of a member, when the module defines its struct. */
export function fieldType(
  index: ModuleIndex,
  file: FileIr,
  tag: string,
  field: string,
): TypeName | null {
  return memberType(typesOf(index, file), tag, field);
}

function memberType(types: Types, tag: string, field: string): TypeName | null {
  return types.struct(tag)?.fields.find((one) => one.name === field)?.type ?? null;
}

/** The declared type of an expression, or null. A typedef of a struct is that struct. */
function typeOf(typing: Typing, expr: Expr): TypeName | null {
  switch (expr.kind) {
    case 'name': {
      const local = typing.locals.get(expr.name);
      return resolved(typing.types, local !== undefined ? local : typing.types.variable(expr.name));
    }
    case 'cast':
      return resolved(typing.types, expr.type);
    case 'member': {
      const type = typeOf(typing, expr.base);
      return type === null
        ? null
        : resolved(typing.types, memberType(typing.types, type.name, expr.field));
    }
    case 'unary': {
      if (expr.op !== '&' && expr.op !== '*') return null;
      const type = typeOf(typing, expr.operand);
      return type === null
        ? null
        : { ...type, pointers: type.pointers + (expr.op === '&' ? 1 : -1) };
    }
    case 'index': {
      const type = typeOf(typing, expr.base);
      if (type === null) return null;
      return type.arrays > 0
        ? { ...type, arrays: type.arrays - 1 }
        : { ...type, pointers: type.pointers - 1 };
    }
    case 'call':
      return callType(typing.types, expr);
    default:
      return null;
  }
}

/**
 * What `to_foo(x)` gives: the return type of a function of the module, or the container of a
 * container_of, written out or in a macro.
 */
function callType(types: Types, call: CallExpr): TypeName | null {
  if (call.name === null) return null;
  if (call.name.startsWith('container_of')) {
    const container = call.args[1];
    return container?.kind === 'type'
      ? { ...container.type, pointers: container.type.pointers + 1 }
      : null;
  }
  const returned = types.returned(call.name);
  if (returned !== null) return resolved(types, returned);
  const body = types.macro(call.name)?.body;
  return body?.kind === 'call' && body.name?.startsWith('container_of')
    ? callType(types, body)
    : null;
}

function resolved(types: Types, type: TypeName | null): TypeName | null {
  if (type === null || type.keyword !== null) return type;
  const meant = types.typedef(type.name);
  return (
    (meant && {
      ...meant,
      pointers: meant.pointers + type.pointers,
      arrays: meant.arrays + type.arrays,
    }) ??
    type
  );
}

type Form = Pick<MemberAccess, 'form' | 'call' | 'value'>;

/** What is done with an access, by what is around it. */
function formOf(access: MemberExpr, parents: readonly IrNode[], isArray: boolean): Form {
  let node: Expr = access;
  let depth = parents.length - 1;
  let isElement = false;
  const up = (): IrNode | undefined => parents[depth];
  for (let parent = up(); parent?.kind === 'index' && parent.base === node; parent = up()) {
    node = parent;
    depth--;
    isElement = true;
  }
  const parent = up();
  // To write what a pointer leads to is to read the pointer.
  if (
    isElement &&
    !isArray &&
    ((parent?.kind === 'assign' && parent.target === node) || parent?.kind === 'update')
  )
    return READ;
  if (parent?.kind === 'assign' && parent.target === node)
    return { form: 'write', call: null, value: parent.op === '=' ? parent.value : null };
  if (parent?.kind === 'update') return { form: 'write', call: null, value: null };
  const isAddress = parent?.kind === 'unary' && parent.op === '&';
  const around = isAddress ? parents[depth - 1] : parent;
  // `list_for_each_entry(x, &p->list, node)` reads the list.
  if (isAddress && around?.kind === 'loop' && /for_each/.test(around.macro ?? '')) return READ;
  // `guard(mutex)(&p->lock)` is a call that takes the lock.
  const inCall = around?.kind === 'guard' ? callOfGuard(around, true) : around;
  const call = inCall?.kind === 'call' && inCall.callee !== node ? inCall : null;
  const form = isAddress || (isArray && !isElement) ? 'address' : 'read';
  if (call !== null) return { form, call, value: null };
  return form === 'read' ? READ : ADDRESS;
}
