/**
 * Drivers of before 5.19 say nothing of who manages the DMA of their devices: those that hand
 * devices to user space say so now.
 */
import { usesKernelDma } from '../../kernel/name-forms.ts';
import { addressedBy, changedBy } from '../../ir/assigned.ts';
import type { Expr, FunctionIr, MemberExpr } from '../../ir/types.ts';
import { familyRegisteredBy } from '../../kernel/iommu-families.ts';
import { inRange } from '../../kernel/version.ts';
import type { Module, Site } from '../../lifecycle/types.ts';
import { indentUnit, lineEnding } from '../../text/style.ts';
import { callersOf, driversOf, isMediated, type DriverUse } from '../query/buses.ts';
import { allExpressions, statementsOf, uncast } from '../../lifecycle/module/statements.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { assignmentsOf, callSites, type CallSite } from '../query/call-sites.ts';
import { tableEdits } from '../rewrite/table-text.ts';
import { findStruct, scopeOf, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import type { Step, StepInput } from './types.ts';

const MEMBER = 'driver_managed_dma';

/**
 * What a driver of a bus with an IOMMU lacks, and why it is not given it here; `why` is null where
 * it is.
 */
interface Lacking {
  readonly use: DriverUse;
  readonly why: string | null;
}

/**
 * Adds `.driver_managed_dma = true` to the driver struct by whose probe the devices of the request
 * come, where they are devices of that bus, are
 * registered with the IOMMU group that they have, and the driver does not use the kernel's DMA API
 * itself.
 */
export const manageDma: Step = (step) => {
  const adding = driversLackingDma(step).filter(({ why }) => why === null);
  if (adding.length === 0) return null;
  return {
    edits: adding.map(({ use: { file, variable } }) => ({
      path: file.path,
      edits: tableEdits(
        file,
        {
          file,
          variable,
          members: [{ name: MEMBER, value: 'true', place: 'back' }],
          releaseStub: null,
        },
        indentUnit(file.text),
        lineEnding(file.text),
      ).map((edit) => ({ ...edit, kind: 'ops-table' as const })),
    })),
    notes: adding.map(({ use }) => ({
      text: `${use.variable.name} got \`.${MEMBER} = true\`: since 5.19 user space cannot open a device of struct ${use.bus.tag} without it.`,
      site: { path: use.file.path, ...use.variable.nameSpan },
    })),
    touched: adding.map(({ use }) => use.variable.name),
  };
};

/**
 * What a person is told of the drivers that are not given the member by `manageDma`, and where they
 * are.
 */
export function driversWithoutDma(
  step: StepInput,
): { readonly site: Site; readonly text: string }[] {
  return driversLackingDma(step).flatMap(({ use: { file, variable }, why }) =>
    why === null
      ? []
      : [
          {
            site: { path: file.path, ...variable.nameSpan },
            text: `${variable.name} has no \`.${MEMBER}\`, without which user space cannot open its devices since 5.19; it was not added, because ${why}`,
          },
        ],
  );
}

function driversLackingDma(step: StepInput): Lacking[] {
  const {
    input: { module, kernel },
  } = step;
  const inits = initsConcerning(step);
  if (inits.length === 0) return [];
  const uses = driversOf(module).filter(
    ({ bus, init }) =>
      bus.managedDma !== undefined &&
      inRange(kernel, bus.managedDma) &&
      !init.entries.some(({ designators }) => designators[0] === MEMBER),
  );
  if (uses.length === 0) return [];
  const registers = module.sources
    .flatMap((source) => callSites(module, source))
    .filter((site) => site.op === 'register');
  const leading = new Map(
    [...inits, ...registers].map((site) => [site, callersOf(module, [site.fn])]),
  );
  return uses.flatMap((use) => {
    const own = inits.filter((site) => leading.get(site)!.has(use.probe));
    const registered = registers.filter((site) => leading.get(site)!.has(use.probe));
    if (own.length === 0 || registered.length === 0) return [];
    // A device without an IOMMU of its own, on whatever bus its parent is.
    if (
      !registered.some(isPhysical) ||
      isMediated(
        module,
        registered.map((site) => site.fn),
      ) !== 'no'
    )
      return [];
    return [{ use, why: whyNot(module, use, own, registered) }];
  });
}

function isPhysical({ call }: CallSite): boolean {
  return familyRegisteredBy(call.name) === 'physical';
}

function whyNot(
  module: Module,
  use: DriverUse,
  own: readonly CallSite[],
  registered: readonly CallSite[],
): string | null {
  const { init, bus } = use;
  if (
    !init.complete ||
    init.entries.some(
      ({ designators, conditions }) => designators.length === 0 || conditions.length > 0,
    )
  )
    return 'not all members of the struct could be read';
  if (!registered.every(isPhysical)) return 'the driver registers devices without an IOMMU too';
  if (
    !own.every(
      (site) =>
        site.call.args[1] && isDeviceOf(module, site.scope, site.call.args[1], bus.device, 0),
    )
  )
    return `it could not be shown that the initialised device is the struct ${bus.device} that probe gets`;
  const user = module.sources.flatMap((file) => file.functions.flatMap(dmaCallIn))[0];
  return user === undefined
    ? null
    : `${user}, and the kernel would no longer set up the device\'s DMA for that`;
}

function dmaCallIn(fn: FunctionIr): string[] {
  return statementsOf(fn)
    .flatMap(({ stmt }) => allExpressions(stmt))
    .flatMap((expr) =>
      expr.kind === 'call' && expr.name !== null && usesKernelDma(expr.name)
        ? [`${fn.name}() calls ${expr.name}()`]
        : [],
    );
}

/** More steps than any driver takes from probe to the init. */
const MAX_STEPS = 4;

/**
 * Whether an expression is `&pdev->dev`, or `pdev` where the call takes that, with `pdev` of the
 * bus; followed through locals and to the callers of a helper.
 */
function isDeviceOf(module: Module, scope: Scope, expr: Expr, tag: string, steps: number): boolean {
  const value = uncast(expr);
  const type = typeOf(scope, value);
  if (type?.tag === tag && type.pointers === 1) return true;
  const inner = value.kind === 'unary' && value.op === '&' ? uncast(value.operand) : null;
  if (inner?.kind === 'member' && inner.field === 'dev')
    return typeOf(scope, inner.base)?.tag === tag;
  if (steps > MAX_STEPS) return false;
  if (value.kind === 'member') return isMemberOf(module, scope, value, tag, steps);
  if (value.kind !== 'name') return false;
  const values = assignmentsOf(scope.fn, value.name);
  const index = scope.fn.params.findIndex((param) => param.name === value.name);
  if (index < 0)
    return values.length === 1 && isDeviceOf(module, scope, values[0]!.value, tag, steps + 1);
  if (values.length > 0) return false;
  const calls = module.sources.flatMap((file) =>
    file.functions.flatMap((fn) =>
      fn.text.includes(scope.fn.name)
        ? statementsOf(fn)
            .flatMap(({ stmt }) => allExpressions(stmt))
            .flatMap((call) =>
              call.kind === 'call' && call.name === scope.fn.name
                ? [{ file, fn, arg: call.args[index] }]
                : [],
            )
        : [],
    ),
  );
  return (
    calls.length > 0 &&
    calls.every(
      ({ file, fn, arg }) =>
        arg !== undefined && isDeviceOf(module, scopeOf(module, file, fn), arg, tag, steps + 1),
    )
  );
}

/** Whether a member of a struct of the driver is set to such a device, and to nothing else. */
function isMemberOf(
  module: Module,
  scope: Scope,
  member: MemberExpr,
  tag: string,
  steps: number,
): boolean {
  const owner = typeOf(scope, member.base)?.tag;
  if (owner === undefined || !findStruct(module, scope.file, owner)) return false;
  const values = module.sources.flatMap((file) =>
    file.functions.flatMap((fn) => {
      if (!fn.text.includes(member.field)) return [];
      const inside = scopeOf(module, file, fn);
      return statementsOf(fn)
        .flatMap(({ stmt }) => allExpressions(stmt))
        .flatMap((expr) => {
          const place = changedBy(expr) ?? addressedBy(expr);
          const target = place && uncast(place);
          if (target?.kind !== 'member' || target.field !== member.field) return [];
          if (typeOf(inside, target.base)?.tag !== owner) return [];
          // Who is given the address of the member may set it to anything.
          return [{ inside, value: expr.kind === 'assign' ? expr.value : expr }];
        });
    }),
  );
  return (
    values.length > 0 &&
    values.every(({ inside, value }) => isDeviceOf(module, inside, value, tag, steps + 1))
  );
}
