/**
 * Where a put belongs among the statements that follow: behind what still needs the device, before
 * what the device needs.
 */
import { setsDrvdata } from '../../kernel/name-forms.ts';
import type { FunctionIr, Stmt } from '../../ir/types.ts';
import { isLog } from '../../kernel/heuristics.ts';
import type { DeviceRef, ModuleFacts } from '../../lifecycle/types.ts';
import { ancestry, contains, statementAt, walk, type PlacedStatement } from '../locate.ts';
import { beginningsOf } from '../resource-leaks.ts';

/**
 * The statement that the put goes before, null for the end of the list; and whether what follows it
 * is known to come after a put.
 */
export interface PutPlace {
  readonly before: Stmt | null;
  readonly isCertain: boolean;
}

/**
 * The place of a put in a list of statements.
 * @param device the expression of the vfio_device, as the put is going to be written: `&p->vdev`.
 * @param rest the statements behind the unregister or the failed register, without a return that
 * ends them.
 */
export function putPlace(
  facts: ModuleFacts,
  fn: FunctionIr,
  ref: DeviceRef,
  device: string,
  text: string,
  rest: readonly Stmt[],
): PutPlace {
  const object = objectOf(device);
  const aliases = aliasesOf(fn, ref);
  const needs = (statement: Stmt): boolean => {
    const written = text.slice(statement.start, statement.end).replace(/\s+/g, '');
    return (
      new RegExp(`(?<![\\w.>])${escaped(object)}(?!\\w)`).test(written) ||
      namesIn(statement).some((name) => aliases.has(name))
    );
  };
  const order = rest.map((statement) =>
    needs(statement) ? 'before the put' : orderOf(facts, fn, statement, text),
  );
  const last = order.lastIndexOf('before the put');
  const behind = order.slice(last + 1);
  return {
    before: rest[last + 1] ?? null,
    isCertain: behind.every((one) => one === 'after the put'),
  };
}

/** `s->n` of `&s->n->vdev`, `foo` of `&foo->core.vdev`, `vdev` of `vdev`. */
function objectOf(device: string): string {
  const plain = device.replace(/\s+/g, '').replace(/^&/, '');
  const arrow = plain.lastIndexOf('->');
  return arrow < 0 ? plain.split('.', 1)[0]! : plain.slice(0, arrow);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * Variables that may be other names of the device: pointers to its container or to a device in it.
 */
function aliasesOf(fn: FunctionIr, { container }: DeviceRef): ReadonlySet<string> {
  const isAlias = (tag: string): boolean =>
    tag === container || tag === 'vfio_device' || tag === 'vfio_pci_core_device';
  const declared = [...fn.params, ...[...walk(fn.body)].filter((node) => node.kind === 'decl')];
  return new Set(
    declared
      .filter(({ type }) => type.pointers === 1 && isAlias(type.name))
      .map(({ name }) => name),
  );
}

function namesIn(statement: Stmt): string[] {
  return [...walk(statement)].flatMap((node) => (node.kind === 'name' ? [node.name] : []));
}

type Order = 'before the put' | 'after the put' | 'unknown';

/** On which side of the put a statement belongs that does not name the device. */
function orderOf(facts: ModuleFacts, fn: FunctionIr, statement: Stmt, text: string): Order {
  const calls = [...walk(statement)].filter((node) => node.kind === 'call');
  if (calls.every(({ name }) => name !== null && (isLog(name) || setsDrvdata(name))))
    return 'after the put';
  // What is unlocked was locked before the put: the last reference may take the lock itself.
  if (calls.some(({ name }) => /unlock/.test(name ?? ''))) return 'before the put';
  const taken = takingSiteOf(facts, statement);
  const allocations = beginningsOf(facts).filter(({ op }) => op === 'alloc' || op === 'init');
  const begun =
    taken === null
      ? undefined
      : allocations.find(
          ({ function: other, site }) => site.path === taken.path && contains(other, taken),
        );
  if (taken !== null && begun !== undefined)
    return taken.start < begun.site.start ? 'after the put' : 'before the put';
  return ladderOrder(facts, fn, statement, text);
}

/** Where something was taken that a statement gives back. */
function takingSiteOf(
  facts: ModuleFacts,
  statement: Stmt,
): { readonly path: string; readonly start: number; readonly end: number } | null {
  const undone = facts.resources.undone.find(
    ({ site, via }) => via === 'call' && contains(statement, site),
  );
  const place = undone === undefined ? null : /^(.*?):(\d+)(?=[>@])/.exec(undone.id);
  return place === null
    ? null
    : { path: place[1]!, start: Number(place[2]), end: Number(place[2]) };
}

/**
 * What another function, or another path of this one, does with the same statement: it stands
 * behind a put there, or in front of one.
 */
function ladderOrder(facts: ModuleFacts, fn: FunctionIr, statement: Stmt, text: string): Order {
  const wanted = text.slice(statement.start, statement.end).replace(/\s+/g, ' ');
  const orders = facts.observations.flatMap((one): Order[] => {
    if (one.kind !== 'operation' || one.op !== 'put') return [];
    const placed: PlacedStatement | null = statementAt(one.function.body, one.site);
    if (placed === null || placed.siblings === null || one.site.path !== fnPath(facts, fn))
      return [];
    const at = placed.siblings.findIndex(
      (other) =>
        text.slice(other.start, other.end).replace(/\s+/g, ' ') === wanted &&
        !contains(other, statement),
    );
    if (at < 0 || ancestry(one.function.body, one.site).length === 0) return [];
    return [at > placed.index ? 'after the put' : 'before the put'];
  });
  const [first] = orders;
  return first !== undefined && orders.every((one) => one === first) ? first : 'unknown';
}

function fnPath(facts: ModuleFacts, fn: FunctionIr): string | undefined {
  return facts.module.sources.find((file) => file.functions.includes(fn))?.path;
}
