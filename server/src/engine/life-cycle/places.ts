/** A life with other places: those of a client in place of those of the engine. */
import type { LifeCall, LifeCycle } from './types.ts';

/** Every place turned into another by `turn`. */
export function withPlaces<From, To>(
  life: LifeCycle<From>,
  turn: (place: From) => To,
): LifeCycle<To> {
  const orNull = (place: From | null): To | null => (place === null ? null : turn(place));
  const callOf = (call: LifeCall<From>): LifeCall<To> => ({
    ...call,
    place: turn(call.place),
    undoneAt: call.undoneAt.map(turn),
  });
  return {
    ...life,
    drivers: life.drivers.map((driver) => ({
      ...driver,
      steps: driver.steps.map((step) => ({
        ...step,
        place: orNull(step.place),
        calls: step.calls.map(callOf),
      })),
      edges: driver.edges.map((edge) => ({
        ...edge,
        place: orNull(edge.place),
        undone: edge.undone.map((one) => ({ ...one, place: turn(one.place) })),
      })),
      findings: driver.findings.map((finding) => ({
        ...finding,
        place: turn(finding.place),
        path: finding.path.map((one) => ({ ...one, place: turn(one.place) })),
      })),
      functions: driver.functions.map((fn) => ({
        ...fn,
        place: turn(fn.place),
        namePlace: turn(fn.namePlace),
      })),
    })),
  };
}
