/** Which members of which structs a function reads, writes and takes the address of. */
import type { CallExpr, Expr, FileIr, FunctionIr, MemberExpr, TypeName } from '../ir/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { callOfGuard } from '../lifecycle/interpret/guards.ts';
import { originalOf, scanOf } from '../lifecycle/module/function-scan.ts';
import type { Site } from '../lifecycle/types.ts';
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
  /** The whole access, `p->m.n`. */
  readonly node: MemberExpr;
  readonly site: Site;
  /** The call that is given the access, or its address, as an argument. */
  readonly call: CallExpr | null;
  /** What a plain assignment gives it. */
  readonly value: Expr | null;
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
    byFunction.set(fn, (accesses = file === undefined ? [] : collect(index, file, fn)));
  }
  return accesses;
}

/** The keys of the members that code of the module writes, or takes the address of. */
export function changedMembers(index: ModuleIndex): ReadonlySet<string> {
  let keys = changed.get(index);
  if (keys === undefined) {
    // No place is asked for, so that the bodies that an edit has moved need not be made.
    const found = index.allFunctions.flatMap(({ item, file }) =>
      collect(index, file, originalOf(item)).flatMap(({ key, form }) =>
        form === 'read' ? [] : [key],
      ),
    );
    changed.set(index, (keys = new Set(found)));
  }
  return keys;
}

const changed = new WeakMap<ModuleIndex, ReadonlySet<string>>();

/** Structs of the kernel that embed another, and that no header of a driver defines. */
const KERNEL_MEMBERS: Readonly<Record<string, string>> = {
  'vfio_pci_core_device.vdev': 'vfio_device',
  'vfio_platform_device.vdev': 'vfio_device',
};

/** What the body of a function says of members, whatever the types in the module are. */
interface Mentions {
  /** The types of parameters and variables; null for a name that is declared with several. */
  readonly locals: ReadonlyMap<string, TypeName | null>;
  readonly accesses: readonly {
    readonly node: MemberExpr;
    /** What is done with it, where it is no array and where it is one. */
    readonly form: { readonly plain: Form; readonly array: Form };
  }[];
}

const mentions = new WeakMap<FunctionIr, Mentions>();

function mentionsOf(fn: FunctionIr): Mentions {
  let found = mentions.get(fn);
  if (found === undefined) mentions.set(fn, (found = findMentions(fn)));
  return found;
}

function findMentions(fn: FunctionIr): Mentions {
  const locals = new Map<string, TypeName | null>(fn.params.map((one) => [one.name, one.type]));
  const accesses: Mentions['accesses'][number][] = [];
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
    const plain = formOf(node, parents, false);
    accesses.push({ node, form: { plain, array: formOf(node, parents, true) } });
  }
  return { locals, accesses };
}

function collect(index: ModuleIndex, file: FileIr, fn: FunctionIr): MemberAccess[] {
  const { locals, accesses } = mentionsOf(fn);
  const typing: Typing = { index, file, locals };
  return accesses.flatMap(({ node, form }) => {
    const place = placeOf(typing, node);
    if (place === null) return [];
    const type = fieldType(index, file, place.owner, place.key.slice(place.owner.length + 1));
    return [
      {
        file,
        function: fn,
        ...place,
        ...((type?.arrays ?? 0) > 0 ? form.array : form.plain),
        node,
        site: { path: file.path, start: node.start, end: node.end },
      },
    ];
  });
}

interface Typing {
  readonly index: ModuleIndex;
  readonly file: FileIr;
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
    const inner = embeddedTag(typing, tag, path[0]!);
    if (inner === null) break;
    tag = inner;
    path.shift();
  }
  const rest = path.join('.');
  return { key: `${tag}.${rest}`, owner: tag, embeds: embeddedTag(typing, tag, rest) };
}

/**
 * The key that accesses of a member have, from its path in a struct: `core.vdev.mig_ops` of `foo`
 * is `vfio_device.mig_ops`.
 */
export function keyOf(index: ModuleIndex, file: FileIr, container: string, member: string): string {
  const path = member.split('.');
  let tag = container;
  while (path.length > 1) {
    const inner = embeddedTag({ index, file, locals: new Map() }, tag, path[0]!);
    if (inner === null) break;
    tag = inner;
    path.shift();
  }
  return `${tag}.${path.join('.')}`;
}

function embeddedTag({ index, file }: Typing, tag: string, field: string): string | null {
  const type = fieldType(index, file, tag, field);
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
  return index.struct(file, tag)?.item.fields.find((one) => one.name === field)?.type ?? null;
}

/** The declared type of an expression, or null. A typedef of a struct is that struct. */
function typeOf(typing: Typing, expr: Expr): TypeName | null {
  switch (expr.kind) {
    case 'name': {
      const local = typing.locals.get(expr.name);
      return resolved(
        typing,
        local !== undefined
          ? local
          : (typing.index.variable(typing.file, expr.name)?.item.type ?? null),
      );
    }
    case 'cast':
      return resolved(typing, expr.type);
    case 'member': {
      const type = typeOf(typing, expr.base);
      return type === null
        ? null
        : resolved(typing, fieldType(typing.index, typing.file, type.name, expr.field));
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
      return callType(typing, expr);
    default:
      return null;
  }
}

/**
 * What `to_foo(x)` gives: the return type of a function of the module, or the container of a
 * container_of, written out or in a macro.
 */
function callType(typing: Typing, call: CallExpr): TypeName | null {
  if (call.name === null) return null;
  if (call.name.startsWith('container_of')) {
    const container = call.args[1];
    return container?.kind === 'type'
      ? { ...container.type, pointers: container.type.pointers + 1 }
      : null;
  }
  const [defined] = typing.index.functions(typing.file, call.name);
  if (defined) return resolved(typing, defined.item.returnType);
  const body = typing.index.macro(typing.file, call.name)?.item.body;
  return body?.kind === 'call' && body.name?.startsWith('container_of')
    ? callType(typing, body)
    : null;
}

function resolved({ index, file }: Typing, type: TypeName | null): TypeName | null {
  if (type === null || type.keyword !== null) return type;
  for (const document of [file, ...index.module.headers]) {
    const meant = document.typedefs.get(type.name);
    if (meant)
      return {
        ...meant,
        pointers: meant.pointers + type.pointers,
        arrays: meant.arrays + type.arrays,
      };
  }
  return type;
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
    return { form: 'read', call: null, value: null };
  if (parent?.kind === 'assign' && parent.target === node)
    return { form: 'write', call: null, value: parent.op === '=' ? parent.value : null };
  if (parent?.kind === 'update') return { form: 'write', call: null, value: null };
  const isAddress = parent?.kind === 'unary' && parent.op === '&';
  const around = isAddress ? parents[depth - 1] : parent;
  // `list_for_each_entry(x, &p->list, node)` reads the list.
  if (isAddress && around?.kind === 'loop' && /for_each/.test(around.macro ?? ''))
    return { form: 'read', call: null, value: null };
  // `guard(mutex)(&p->lock)` is a call that takes the lock.
  const inCall = around?.kind === 'guard' ? callOfGuard(around, true) : around;
  const call = inCall?.kind === 'call' && inCall.callee !== node ? inCall : null;
  return { form: isAddress || (isArray && !isElement) ? 'address' : 'read', call, value: null };
}

/**
 * The functions that are reached from some others by calls by name, those included, with the
 * function each was first called in.
 */
export function reachedFrom(
  index: ModuleIndex,
  roots: Iterable<FunctionIr>,
): Map<FunctionIr, FunctionIr | null> {
  const reached = new Map<FunctionIr, FunctionIr | null>();
  for (const root of roots) reached.set(root, null);
  // A map is iterated in the order of insertion, and what is added on the way is visited too.
  for (const [fn] of reached) {
    const file = index.fileOf(fn);
    if (file === undefined) continue;
    // The scan of a function outlives the edits of others.
    for (const name of scanOf(fn).names.called)
      for (const { item } of index.functions(file, name))
        if (!reached.has(item)) reached.set(item, fn);
  }
  return reached;
}
