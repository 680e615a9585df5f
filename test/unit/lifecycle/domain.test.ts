/** Objects, places and values: what is one, and what is another. */
import { expect, test } from 'vitest';
import {
  containerOf,
  elementOf,
  fieldOf,
  isWithin,
  pathText,
} from '../../../server/src/lifecycle/domain/access-path.ts';
import { adoptPlace, ofCall } from '../../../server/src/lifecycle/domain/adopt.ts';
import {
  allocation,
  computed,
  contentOf,
  createInterner,
  globalVariable,
  parameter,
  placeText,
} from '../../../server/src/lifecycle/domain/objects.ts';
import { int, sameValue } from '../../../server/src/lifecycle/domain/values.ts';

const own = createInterner();
const first = parameter(own, 0).start;

test('the same steps from the same object lead to the same place', () => {
  expect(fieldOf(fieldOf(first, 'core'), 'vdev')).toBe(fieldOf(fieldOf(first, 'core'), 'vdev'));
  expect(contentOf(fieldOf(first, 'wq'))).toBe(contentOf(fieldOf(first, 'wq')));
  expect(contentOf(fieldOf(first, 'wq'))).not.toBe(contentOf(fieldOf(first, 'irq')));
});

test('out to the container and back is where it began', () => {
  const steps = [
    { kind: 'field', name: 'core' },
    { kind: 'field', name: 'vdev' },
  ] as const;
  const vdev = fieldOf(fieldOf(first, 'core'), 'vdev');
  expect(containerOf(vdev, steps)).toBe(first);
  expect(fieldOf(fieldOf(containerOf(first, steps), 'core'), 'vdev')).toBe(first);
  expect(isWithin(vdev, fieldOf(first, 'core'))).toBe(true);
  expect(pathText(vdev)).toBe('core.vdev');
});

test('the container of memory that was allocated is the memory', () => {
  const made = allocation(own, 'a.c', 12).start;
  expect(containerOf(made, [{ kind: 'field', name: 'vdev' }])).toBe(made);
});

test('an element stands for many', () => {
  const element = elementOf(fieldOf(first, 'ports'));
  expect([element.hasElement, contentOf(element).isWeak]).toEqual([true, true]);
  expect(contentOf(fieldOf(first, 'ports')).isWeak).toBe(false);
});

test('values that are computed alike are one', () => {
  const flags = contentOf(fieldOf(first, 'flags')).start;
  const masked = computed(own, '&', [flags, int(4)])!.start;
  expect(computed(own, '&', [flags, int(4)])!.start).toBe(masked);
  expect(computed(own, '==', [masked, int(4)])).not.toBe(computed(own, '==', [flags, int(4)]));
  expect([sameValue(int(3), int(3)), sameValue(int(3), masked)]).toEqual([true, false]);
});

test('what lies too far away has no name of its own', () => {
  let at = globalVariable(own, 'head').start;
  const met = new Set([at]);
  for (let i = 0; i < 100; i++) met.add((at = contentOf(fieldOf(at, 'next')).start));
  expect(met.size).toBeLessThan(40);
  expect(computed(own, '+', [computed(own, '+', [at, at])!.start, int(1)])).not.toBeNull();
  let sum = computed(own, '+', [at, at]);
  for (let i = 0; sum !== null && i < 100; i++) sum = computed(own, '+', [sum.start, sum.start]);
  expect(sum).toBeNull();
});

test('another exploration has objects of its own, which are equal', () => {
  const other = createInterner();
  const place = fieldOf(contentOf(fieldOf(first, 'core')).start, 'vdev');
  const adopted = adoptPlace(other, place);
  expect(adopted).not.toBe(place);
  expect(placeText(adopted)).toBe(placeText(place));
  expect(adoptPlace(own, adopted)).toBe(place);
});

test('what a callee made is an object of the call, however often it is called there', () => {
  const made = allocation(own, 'a.c', 12);
  const here = ofCall(own, made, 40);
  expect(here).not.toBe(made);
  expect(ofCall(own, made, 40)).toBe(here);
  expect(ofCall(own, here, 40)).toBe(here);
  expect(ofCall(own, made, 60)).not.toBe(here);
});
