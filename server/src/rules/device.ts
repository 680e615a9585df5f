/** How a function names a device, and the calls that it makes on it. */
import { deviceParameter } from '../kernel/lifecycle-api.ts';
import type { CallExpr, FunctionIr, Stmt } from '../ir/types.ts';
import type { KernelVersion } from '../kernel/types.ts';
import { inRange } from '../kernel/version.ts';
import type {
  DeviceRef,
  Module,
  ModuleFacts,
  Observation,
  OperationObservation,
} from '../lifecycle/types.ts';
import { callAt, documentsOf, isNull, walk } from './locate.ts';
import { quoted } from './wording.ts';

/**
 * How a function would write the `struct vfio_device *` of an object in a new call: as it writes it
 * in another call, else from
 * the variable and the member path. Null when the function has no expression for it that is known
 * to be right.
 * @param source the text of the document the function is in.
 */
export function deviceExpression(
  facts: ModuleFacts,
  fn: FunctionIr,
  device: DeviceRef,
  source: string,
): string | null {
  const expression = findExpression(facts, fn, device, source);
  return expression === null || changesMeaning(fn, expression) ? null : expression;
}

function findExpression(
  facts: ModuleFacts,
  fn: FunctionIr,
  device: DeviceRef,
  source: string,
): string | null {
  const written = callsOn(facts, fn, device);
  // An alias may not be set yet, or no longer, where the new call goes: what names the object
  // itself comes first.
  const aliases: string[] = [];
  for (const { operation, call } of written) {
    const argument = operation.argument === null ? undefined : call.args[operation.argument];
    if (!argument || deviceParameter(operation.api) !== 'vfio_device') continue;
    const text = source.slice(argument.start, argument.end);
    if (argument.kind !== 'name' || fn.params.some((param) => param.name === argument.name))
      return text;
    aliases.push(text);
  }
  for (const { operation, call } of written) {
    const argument = operation.argument === null ? undefined : call.args[operation.argument];
    if (!argument || deviceParameter(operation.api) !== 'vfio_pci_core_device') continue;
    const core = source.slice(argument.start, argument.end);
    if (/^&[\w.>-]+$/.test(core)) return `${core}.vdev`;
    if (/^\w+$/.test(core)) return `&${core}->vdev`;
  }
  for (const { operation, call } of written) {
    if (operation.op !== 'alloc' || operation.api !== 'vfio_alloc_device') continue;
    const variable = assignedName(fn.body, call);
    const member = call.args[1];
    if (variable !== null && member)
      return `&${variable}->${source.slice(member.start, member.end)}`;
  }
  return memberOfVariable(facts.module, fn, device, 'vfio_device') ?? aliases[0] ?? null;
}

/**
 * Whether the variable that an expression begins with stands for different objects in different
 * places of the function.
 */
function changesMeaning(fn: FunctionIr, expression: string): boolean {
  const variable = /[A-Za-z_]\w*/.exec(expression)?.[0];
  let values = fn.params.some((param) => param.name === variable) ? 1 : 0;
  for (const node of walk(fn.body)) {
    if (
      node.kind === 'assign' &&
      node.target.kind === 'name' &&
      node.target.name === variable &&
      !isNull(node.value)
    )
      values++;
    if (node.kind === 'decl' && node.name === variable && node.init !== null && !isNull(node.init))
      values++;
    if (node.kind === 'update' && node.operand.kind === 'name' && node.operand.name === variable)
      values++;
  }
  return values > 1;
}

/**
 * A call of a life-cycle function on an object, `name(argument)` without a semicolon: the argument
 * is what the function needs, the
 * vfio_device or the core device. Null when no expression for it is known to be right.
 */
export function callOn(
  facts: ModuleFacts,
  fn: FunctionIr,
  device: DeviceRef,
  source: string,
  name: string,
): string | null {
  const argument =
    deviceParameter(name) === 'vfio_device'
      ? findExpression(facts, fn, device, source)
      : findCoreExpression(facts, fn, device, source);
  return argument === null || changesMeaning(fn, argument) ? null : `${name}(${argument})`;
}

function findCoreExpression(
  facts: ModuleFacts,
  fn: FunctionIr,
  device: DeviceRef,
  source: string,
): string | null {
  for (const { operation, call } of callsOn(facts, fn, device)) {
    const argument = operation.argument === null ? undefined : call.args[operation.argument];
    if (argument && deviceParameter(operation.api) === 'vfio_pci_core_device')
      return source.slice(argument.start, argument.end);
  }
  return memberOfVariable(facts.module, fn, device, 'vfio_pci_core_device');
}

/**
 * The calls in a function that operate on the device there, in source order; those inside helpers
 * are left out.
 */
function callsOn(
  facts: ModuleFacts,
  fn: FunctionIr,
  device: DeviceRef,
): { operation: OperationObservation; call: CallExpr }[] {
  const found: { operation: OperationObservation; call: CallExpr }[] = [];
  for (const operation of operationsOn(facts, fn, device)) {
    if (operation.inner !== null) continue;
    const call = callAt(fn.body, operation.site);
    if (call !== null && call.name === operation.api) found.push({ operation, call });
  }
  return found.sort((left, right) => left.call.start - right.call.start);
}

/** The operations that a function carries out on the device, directly or in a helper. */
export function operationsOn(
  facts: ModuleFacts,
  fn: FunctionIr,
  device: DeviceRef,
): OperationObservation[] {
  return facts.observations.filter(
    (one): one is OperationObservation =>
      one.kind === 'operation' && one.function === fn && one.device.id === device.id,
  );
}

/** `p` of `p = call` and `struct foo *p = call`. */
export function assignedName(body: Stmt, call: CallExpr): string | null {
  for (const node of walk(body)) {
    if (node.kind === 'assign' && node.op === '=' && node.value === call)
      return node.target.kind === 'name' ? node.target.name : null;
    if (node.kind === 'decl' && node.init === call) return node.name;
  }
  return null;
}

/**
 * `&p->vdev` for the function's one pointer to the container, or the pointer itself where it has
 * the wanted type.
 * @param wanted the tag of the struct that the expression must point to.
 */
function memberOfVariable(
  module: Module,
  fn: FunctionIr,
  device: DeviceRef,
  wanted: string,
): string | null {
  const { container } = device;
  if (container === null) return null;
  const path = pathTo(module, container, device.member, wanted);
  const names = new Set<string>();
  for (const { name, type } of fn.params) if (isPointerTo(type, container)) names.add(name);
  for (const node of walk(fn.body))
    if (node.kind === 'decl' && isPointerTo(node.type, container)) names.add(node.name);
  const [name] = names;
  if (path === null || names.size !== 1) return null;
  return path === '' ? name! : `&${name}->${path}`;
}

/**
 * The member path from a container to the wanted struct, along the path on which the device is
 * known to lie.
 */
function pathTo(
  module: Module,
  container: string,
  member: string | null,
  wanted: string,
): string | null {
  let tag = container;
  let path = '';
  // The path may be that of the core device or of the vfio_device in it, whichever the driver
  // named.
  for (const part of [...(member === null || member === '' ? [] : member.split('.')), 'vdev']) {
    if (tag === wanted) return path;
    const type =
      tag === 'vfio_pci_core_device' && part === 'vdev'
        ? 'vfio_device'
        : fieldTag(module, tag, part);
    if (type === null) return null;
    tag = type;
    path = path === '' ? part : `${path}.${part}`;
  }
  return tag === wanted ? path : null;
}

/** The tag of a struct that is embedded in another as a member. */
function fieldTag(module: Module, tag: string, field: string): string | null {
  for (const file of documentsOf(module)) {
    const found = file.structs
      .find((one) => one.name === tag)
      ?.fields.find((one) => one.name === field);
    if (found) return found.type.pointers === 0 && found.type.arrays === 0 ? found.type.name : null;
  }
  return null;
}

function isPointerTo(type: FunctionIr['returnType'], tag: string): boolean {
  return type.name === tag && type.pointers === 1 && type.arrays === 0;
}

/** The device as the user wrote it, for a message: here, else where it was allocated. */
export function nameOf(observation: Observation): string {
  const { function: fn, device } = observation;
  const text = observation.text.replace(/^IS_ERR(?:_OR_NULL)?\((.*)\)$/, '$1');
  if (/^[\w\s&*()[\].>-]+$/.test(text) && /^[&*(]*[a-z_]/i.test(text)) return quoted(text);
  const call = callAt(fn.body, device.origin);
  const name = call === null ? null : assignedName(fn.body, call);
  if (name !== null) return quoted(name);
  return device.container === null ? 'a vfio_device' : `a struct ${device.container}`;
}

/** The last releases in which a device is found by its parent: `vfio_del_group_dev()`. */
const FOUND_BY_PARENT = { until: [5, 13] } as const;

/** Whether the functions of a kernel name a device by its parent and not by a struct of its own. */
export function isFoundByParent(kernel: KernelVersion): boolean {
  return inRange(kernel, FOUND_BY_PARENT);
}

/** What unregisters a device in a kernel. */
export function unregisterOf(kernel: KernelVersion): string {
  return isFoundByParent(kernel) ? 'vfio_del_group_dev' : 'vfio_unregister_group_dev';
}
