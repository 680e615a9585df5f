/** Operators on the allocation, its test, the container and the way out of probe. */
import type { FunctionIr, Stmt } from '../../../server/src/ir/types.ts';
import type { Operator } from '../types.ts';
import {
  assignedCalls,
  callsIn,
  callsOf,
  drop,
  errorTest,
  insertInto,
  placesOf,
  replace,
  structOf,
  textOf,
} from '../places.ts';
import { ALLOC, INIT, PUT, UNINIT } from './names.ts';
import { defect } from './plant.ts';

const NEW = { since: [6, 1] } as const;

export const allocation: readonly Operator[] = [
  {
    id: 'test NULL instead of IS_ERR()',
    rules: ['null-check-on-alloc'],
    also: ['unchecked-alloc'],
    kernels: NEW,
    plant: (subject) =>
      assignedCalls(subject, ALLOC).flatMap(({ place, target }) => {
        const found = errorTest(place, target);
        return found ? [defect(subject, place, [replace(found.call, `!${target}`)])] : [];
      }),
  },
  {
    id: 'drop the test of the allocation',
    rules: ['unchecked-alloc'],
    also: ['null-check-on-alloc'],
    kernels: NEW,
    plant: (subject) =>
      assignedCalls(subject, ALLOC).flatMap(({ place, target }) => {
        const found = errorTest(place, target);
        return found && !found.test.otherwise ? [defect(subject, place, [drop(found.test)])] : [];
      }),
  },
  {
    id: 'put where the allocation failed',
    rules: ['double-put'],
    also: ['use-after-put'],
    kernels: NEW,
    plant: (subject) =>
      assignedCalls(subject, ALLOC).flatMap(({ place, target, call }) => {
        const found = errorTest(place, target);
        return found
          ? [
              defect(subject, place, [
                insertInto(
                  place.file,
                  found.test.then,
                  `vfio_put_device(&${target}->${textOf(place.file, call.args[1]!)});`,
                ),
              ]),
            ]
          : [];
      }),
  },
  {
    id: 'kzalloc() instead of the allocation',
    rules: ['register-before-init', 'mixed-models'],
    also: ['use-after-put'],
    kernels: NEW,
    plant: (subject) =>
      assignedCalls(subject, ALLOC).map(({ place, call }) =>
        defect(subject, place, [
          replace(call, `kzalloc(sizeof(struct ${textOf(place.file, call.args[0]!)}), GFP_KERNEL)`),
        ]),
      ),
  },
  {
    id: 'kzalloc() and vfio_init_device()',
    rules: ['init-device-outside-ccw'],
    also: ['mixed-models'],
    kernels: { since: [6, 1], until: [6, 2] },
    plant: (subject) =>
      assignedCalls(subject, ALLOC)
        .filter((one) => !one.isDeclaration)
        .map(({ place, target, call }) => {
          const [tag, member, dev, ops] = call.args.map((one) => textOf(place.file, one));
          const text = `${target} = kzalloc(sizeof(struct ${tag}), GFP_KERNEL); if (!${target}) return -ENOMEM; if (vfio_init_device(&${target}->${member}, ${dev}, ${ops})) return -EINVAL;`;
          return defect(subject, place, [replace(place.stmt, text)]);
        }),
  },
  {
    id: 'the member is not first',
    rules: ['device-not-first'],
    kernels: NEW,
    plant: (subject) => {
      const tags = new Map(
        callsInAll(subject).map(({ call, place }) => [
          textOf(place.file, call.args[0]!),
          textOf(place.file, call.args[1]!).split('.')[0]!,
        ]),
      );
      return [...tags].flatMap(([tag, member]) => {
        const found = structOf(subject, tag);
        const field = found?.struct.fields.find((one) => one.name === member);
        if (!found || !field) return [];
        const at = field.statement.start;
        return [
          {
            path: found.file.path,
            edits: [replace({ start: at, end: at }, 'unsigned long moved_up; ')],
            at,
            functions: null,
          },
        ];
      });
    },
  },
  {
    id: 'return instead of goto',
    rules: ['missing-put'],
    kernels: NEW,
    plant: (subject) => leaves(subject, ALLOC, PUT),
  },
  {
    id: 'return instead of goto, old model',
    rules: ['missing-uninit'],
    kernels: { since: [5, 15], until: [6, 1] },
    plant: (subject) => leaves(subject, INIT, UNINIT),
  },
  {
    id: 'drop the uninit',
    rules: ['missing-uninit'],
    kernels: { since: [5, 15], until: [6, 1] },
    plant: (subject) =>
      callsOf(subject, UNINIT).map(({ place }) => defect(subject, place, [drop(place.stmt)])),
  },
];

/** All calls of the allocation, in whatever form. */
function callsInAll(subject: Parameters<Operator['plant']>[0]) {
  return placesOf(subject)
    .filter((place) => !place.isDead)
    .flatMap((place) =>
      callsIn(place.stmt)
        .filter((call) => ALLOC.includes(call.name ?? '') && call.args.length === 4)
        .map((call) => ({ place, call })),
    );
}

/**
 * A `goto` behind a call of `begin`, to a label from which the way to the next return ends the
 * device, becomes a return.
 */
function leaves(
  subject: Parameters<Operator['plant']>[0],
  begin: readonly string[],
  end: readonly string[],
): ReturnType<Operator['plant']> {
  return placesOf(subject).flatMap((place) => {
    const { fn, stmt } = place;
    if (stmt.kind !== 'goto' || fn.returnType.name !== 'int' || fn.returnType.pointers > 0)
      return [];
    const begun = placesOf(subject).some(
      (one) =>
        one.fn === fn &&
        !one.isDead &&
        one.stmt.start < stmt.start &&
        !holds(one.stmt, stmt) &&
        callsIn(one.stmt).some((call) => begin.includes(call.name ?? '')),
    );
    return begun && ends(fn, stmt.label, end)
      ? [defect(subject, place, [replace(stmt, 'return -EINVAL;')])]
      : [];
  });
}

function holds(outer: Stmt, inner: Stmt): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

/**
 * Whether the statements from a label to the next return have a call of `names` of their own, on no
 * branch.
 */
function ends(fn: FunctionIr, label: string, names: readonly string[]): boolean {
  const list = fn.body.body;
  const from = list.findIndex((stmt) => stmt.kind === 'label' && stmt.name === label);
  if (from < 0) return false;
  const rest = list.slice(from);
  const end = rest.findIndex((stmt) => stmt.kind === 'return' || stmt.kind === 'goto');
  return rest
    .slice(0, end < 0 ? undefined : end)
    .some((stmt) => callsIn(stmt).some((call) => names.includes(call.name ?? '')));
}
