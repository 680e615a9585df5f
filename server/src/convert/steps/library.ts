/** Converts a library that initialises devices, together with the drivers that call it. */
import { compareVersions } from '../../kernel/version.ts';
import type { Module } from '../../lifecycle/types.ts';
import { rootOf } from '../plan/allocation.ts';
import { RefusedError, refuse } from '../refusal-error.ts';
import { callsOf, isExported, prototypesOf } from '../modules/helpers.ts';
import { callSites, type CallSite } from '../query/call-sites.ts';
import { baseName } from '../../lifecycle/module/types-of.ts';
import { moveOut } from './helper-init.ts';
import { toCallback } from './library-callback.ts';
import type { Library, LibraryFunction } from './library-rewrite.ts';
import type { Step, StepInput, StepResult } from './types.ts';

/**
 * Converts a library that initialises devices for drivers in other modules
 * (`foo_core_init_device(vdev, pdev, ops)`, exported) as the core of
 * vfio-pci was: the function becomes an `.init`, its counterpart a `.release`, and the drivers at
 * hand name both in their ops tables. Both get
 * new names, so that a driver that was not found fails to build instead of failing at run time.
 */
export const convertLibrary: Step = (step) => {
  if (compareVersions(step.input.kernel, [6, 1]) < 0) return null;
  const { module } = step.input;
  for (const source of module.sources) {
    for (const site of callSites(module, source)) {
      const library = site.op === 'init' ? libraryAt(module, site) : null;
      if (library && concerns(step, library)) return convertOne(step, library);
    }
  }
  return null;
};

function libraryAt(module: Module, site: CallSite): Library | null {
  const root = rootOf(site.scope, site.target);
  if (!root || !site.fn.params.some((param) => param.name === root.name)) return null;
  const init: LibraryFunction = { file: site.scope.file, fn: site.fn, site, root: root.name };
  if (!isExported(module, init)) return null;
  const calls = callsOf(module, init, true);
  return calls && { init, calls };
}

/** The document that was asked for is the library or one of its drivers. */
function concerns({ file, functionName }: StepInput, { init, calls }: Library): boolean {
  const places = [
    { file: init.file, fn: init.fn },
    ...calls.map(({ scope }) => ({ file: scope.file, fn: scope.fn })),
  ];
  return places.some(
    (place) =>
      place.file === file && (functionName === undefined || place.fn.name === functionName),
  );
}

/**
 * The function becomes an `.init` where nobody can see a difference. Else its drivers have the
 * device initialised with the allocation, and
 * the function goes on doing the rest, under a new name, when it did.
 */
function convertOne(step: StepInput, library: Library): StepResult {
  const {
    init: { file, fn, site, root },
    calls,
  } = library;
  if (calls.length === 0) {
    refuse(
      'library',
      `${fn.name}() initialises devices for drivers in other modules. Convert it together with them: name their files beside ${baseName(file.path)} on the command line.`,
      file,
      fn.nameSpan,
    );
  }
  try {
    return toCallback(step, library);
  } catch (error) {
    if (
      !(error instanceof RefusedError) ||
      site.call.args.length !== 3 ||
      fn.opaque ||
      calls.some((one) => one.scope.fn === fn)
    )
      throw error;
    // The header that others know it by would still have the old name.
    if (
      prototypesOf(step.input.module, { file, fn }).length === 0 &&
      calls.some((one) => one.scope.file !== file)
    )
      throw error;
    try {
      const moved = moveOut(
        step.input.module,
        { file, fn },
        site,
        root,
        calls,
        newName(step.input.module, library),
      );
      // Why it is no callback, as a person would ask who has seen what the kernel did to its own
      // libraries.
      const why = error.refusal.reason.replace(
        'initialises devices for drivers in other modules, and cannot become',
        'did not become',
      );
      return {
        ...moved,
        notes: [...moved.notes, { text: why, site: { path: file.path, ...fn.nameSpan } }],
      };
    } catch (second) {
      if (!(second instanceof RefusedError)) throw second;
      // The library's author asked for the first; why the second way is barred as well comes behind
      // it.
      throw new RefusedError({
        ...error.refusal,
        reason: `${error.refusal.reason} Nor can its drivers initialise the device: ${second.refusal.reason}`,
      });
    }
  }
}

/** For a function that no longer initialises: `foo_probe_common` gives `foo_setup_common`. */
function newName(module: Module, { init: { file, fn } }: Library): string {
  const taken = (name: string): boolean =>
    [...module.sources, ...module.headers].some((one) =>
      new RegExp(`\\b${name}\\b`).test(one.text),
    );
  // As long as the old ones, so that parameters stay aligned.
  const names = [
    fn.name.replace(/_init(?=_|$)/, '_prep').replace(/_probe(?=_|$)/, '_setup'),
    `${fn.name}_dev`,
    `${fn.name}_vdev`,
  ];
  return (
    names.find((name) => !taken(name)) ??
    refuse(
      'same-name',
      `No name is free for the new form of ${fn.name}(): ${names.join(', ')} are taken.`,
      file,
      fn.nameSpan,
    )
  );
}
