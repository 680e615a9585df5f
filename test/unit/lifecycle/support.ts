import type { DeviceState, ModuleFacts, Observation } from '../../../server/src/lifecycle/types.ts';
import { factsOf, type Source } from '../../support/analyse.ts';

/** A container, its ops table, and what they need; 6.2, so that `.release` may be missing. */
export const FOO =
  'struct foo {\n\tstruct vfio_device vdev;\n\tstruct list_head node;\n\tbool up;\n\tvoid *buf;\n};\nstatic const struct vfio_device_ops foo_ops = { .name = "foo" };\n';
export const ALLOC =
  '\tstruct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);\n\tint ret;\n\n\tif (IS_ERR(foo))\n\t\treturn PTR_ERR(foo);\n';
export const DRIVER =
  'static struct foo_driver foo_driver = { .probe = probe, .remove = remove };\n';

/** A probe function with the device allocated and tested, then `body`. */
export function probe(body: string): string {
  return `static int probe(struct device *dev)\n{\n${ALLOC}${body}}\n`;
}

/**
 * What is known of the devices in one function, one line each: where each path leaves it, and the
 * operations before. Lines are those of the function.
 */
export function states(source: Source, name: string, kernel = '6.2'): string {
  return dump(factsOf(source, kernel), name);
}

export function dump(facts: ModuleFacts, name: string): string {
  const own = facts.observations.filter(
    (one) =>
      one.function.name === name &&
      (one.kind === 'exit' ||
        (one.kind === 'operation' && one.op !== 'assign-set' && one.op !== 'set-drvdata')),
  );
  const lines = own.map((one) => ({ at: one.site.start, text: describe(facts, one) }));
  lines.sort((left, right) => left.at - right.at || (left.text < right.text ? -1 : 1));
  const given = facts.notAnalysed
    .filter((one) => one.function === name)
    .map((one) => `not analysed: ${one.reason}`);
  return ['', ...new Set(lines.map((one) => one.text)), ...given, ''].join('\n');
}

function describe(facts: ModuleFacts, one: Observation): string {
  const file = facts.module.sources.find((item) => item.path === one.site.path)!;
  const line = file.text.slice(one.function.start, one.site.start).split('\n').length;
  const doubt =
    (one.certain ? '' : ' ?') +
    (one.conditions.length
      ? ` [${one.conditions.map((condition) => (condition.holds ? '' : '!') + condition.test).join(' ')}]`
      : '');
  if (one.kind === 'operation')
    return `${line} ${one.op} ${one.text.includes('(') ? '' : one.text}: ${stateText(one.before)} -> ${stateText(one.after)}${doubt}`.replace(
      ' :',
      ':',
    );
  if (one.kind === 'exit')
    return `${line} leaves ${one.outcome}, ${one.reachable}${one.deferred.length ? `, deferred ${one.deferred.join(' ')}` : ''}: ${stateText(one.before)}${doubt}`;
  return '';
}

const INITIALISED: Partial<Record<DeviceState['initialised'], string>> = {
  yes: 'initialised',
  undone: 'uninitialised',
};

/** `new held registered live`: only what is known. */
function stateText(device: DeviceState): string {
  const words = [
    device.model,
    device.reference,
    INITIALISED[device.initialised] ?? '',
    {
      no: '',
      yes: 'registered',
      undone: 'unregistered',
      failed: 'register-failed',
      unknown: 'unknown',
    }[device.registered],
    device.memory,
    device.extraReferences > 0 ? `+${device.extraReferences}` : '',
    device.escaped ? 'escaped' : '',
  ];
  return (
    words.filter((word) => word !== '' && word !== 'none' && word !== 'unknown').join(' ') ||
    'unknown'
  );
}
