/** Why there was nothing to convert in a document, in a sentence for the person who asked. */
import { CORE_FUNCTIONS } from '../../kernel/lifecycle-api.ts';
import type { FileIr } from '../../ir/types.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import { formatVersion } from '../../kernel/version.ts';
import type { Module } from '../../lifecycle/types.ts';
import { lineOf } from '../refusal-error.ts';
import { callSites, isLeftOut, type CallSite } from '../query/call-sites.ts';
import { baseName } from '../../lifecycle/module/types-of.ts';

/** The outcome of a conversion that changed nothing. */
export interface Unchanged {
  /** Begins in lower case, and ends a sentence that has the document's name. */
  readonly reason: string;
  /** The old model is left in the document. */
  readonly isOld: boolean;
}

/**
 * Says why a conversion changed nothing: the document has the new model already, has the old one
 * for other kernels only, is a part of VFIO
 * itself, or has no device.
 * @param module undefined where no document of the module speaks of VFIO.
 */
export function whyUnchanged(
  module: Module | undefined,
  path: string,
  kernel: KernelVersion,
): Unchanged {
  const file = module?.sources.find((source) => source.path === path);
  if (!module || !file) return { reason: 'nothing to convert: it does not use VFIO', isOld: false };
  const core = file.functions.find((fn) => CORE_FUNCTIONS.has(fn.name));
  if (core)
    return {
      reason: `nothing to convert: it defines ${core.name}(), which makes it a part of VFIO itself and no driver`,
      isOld: core.name === 'vfio_init_group_dev',
    };
  for (const one of [file, ...module.sources.filter((source) => source !== file)]) {
    const made = callSites(module, one).find(
      (site) =>
        (site.op === 'alloc' || site.op === 'init-device') && !isLeftOut(module, site, kernel),
    );
    if (made) return { reason: inNewModel(file, one, made), isOld: false };
  }
  const sites = callSites(module, file);
  const old = sites.find((site) => site.op === 'init' || site.op === 'uninit');
  if (old && isLeftOut(module, old, kernel)) {
    return {
      reason: `nothing to convert: ${nameOf(old)}() at line ${lineOf(file, old.call.start)} is for other kernels than ${formatVersion(kernel)}`,
      isOld: false,
    };
  }
  if (old)
    return {
      reason: `not converted: how ${old.fn.name}() comes to call ${nameOf(old)}(), line ${lineOf(file, old.call.start)}, is not a known form`,
      isOld: true,
    };
  const used = sites.find(
    (site) => site.op === 'register' || site.op === 'unregister' || site.op === 'put',
  );
  if (used)
    return {
      reason: `nothing to convert: ${used.fn.name}() calls ${nameOf(used)}(), which both models have, and no device is allocated or initialised here`,
      isOld: false,
    };
  return {
    reason: 'nothing to convert: it neither allocates nor initialises a VFIO device',
    isOld: false,
  };
}

function nameOf(site: CallSite): string {
  return site.call.name ?? '';
}

function inNewModel(file: FileIr, home: FileIr, site: CallSite): string {
  const where = home === file ? '' : ` of ${baseName(home.path)}`;
  return `nothing to convert: ${site.fn.name}()${where} already uses ${nameOf(site)}() (line ${lineOf(home, site.call.start)})`;
}
