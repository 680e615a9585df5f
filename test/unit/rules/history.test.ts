/**
 * The kernel's own bugs in the life of a vfio_device, each as a driver of our own words: which rule
 * finds it, and why nothing is said of the rest.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyseText, readAnnotations } from '../../support/analyse.ts';

const root = resolve(import.meta.dirname, '../../fixtures/history');

/** What was wrong, with the commit or the release that mended it. */
interface Found {
  readonly file: string;
  readonly bug: string;
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'hint';
  readonly function: string | null;
}

const FOUND: readonly Found[] = [
  {
    file: 'lock-after-add.c',
    bug: 'platform and fsl-mc: igate initialised after the registration (5f6c7e0831a1)',
    rule: 'init-after-register',
    severity: 'error',
    function: 'cedar_probe',
  },
  {
    file: 'token-after-add.c',
    bug: 'vfio-pci of 5.11: the token of a PF set after the registration (4aeec3984ddc)',
    rule: 'init-after-register',
    severity: 'warning',
    function: 'maple_probe',
  },
  {
    file: 'freed-while-added.c',
    bug: 'fsl-mc: probe scans after the registration and frees where that fails (2b1fe162e584)',
    rule: 'put-while-registered',
    severity: 'warning',
    function: 'hazel_probe',
  },
  {
    file: 'uninit-missed.c',
    bug: 'mdev and ap: no uninit where the register fails (42de956ca7e5)',
    rule: 'missing-uninit',
    severity: 'error',
    function: 'poplar_probe',
  },
  {
    file: 'count-kept.c',
    bug: 'mbochs: the count of memory in use is kept when probe fails (de5494af4815)',
    rule: 'unbalanced-accounting',
    severity: 'hint',
    function: 'willow_probe',
  },
  {
    file: 'drvdata-late.c',
    bug: 'variant drivers of 5.19: drvdata set after the registration (91be0bd6c6cf)',
    rule: 'drvdata-after-register',
    severity: 'error',
    function: 'yew_probe',
  },
  {
    file: 'remove-without-unregister.c',
    bug: 'i915/gvt: remove puts and does not unregister (f423fa1bc9fe)',
    rule: 'remove-without-unregister',
    severity: 'error',
    function: 'birch_remove',
  },
  {
    file: 'remove-returns-early.c',
    bug: 'i915/gvt: remove returns early while the device is attached (6.2)',
    rule: 'remove-without-unregister',
    severity: 'error',
    function: 'alder_remove',
  },
  {
    file: 'work-not-cancelled.c',
    bug: 's390/vfio_ccw: work that runs after the release (2026)',
    rule: 'async-work-outlives-object',
    severity: 'warning',
    function: 'ferry_remove',
  },
  {
    file: 'detach-missing.c',
    bug: 'pds and cdx: no .detach_ioas (fe24d5bc635e)',
    rule: 'ops-table-incomplete',
    severity: 'error',
    function: null,
  },
  {
    file: 'token-match-missing.c',
    bug: 'hisi_acc: vfio_pci_core_match() without .match_token_uuid (6.17 and 6.18)',
    rule: 'ops-table-incomplete',
    severity: 'error',
    function: null,
  },
  {
    file: 'lock-of-an-opening.c',
    bug: 'pds: a lock of open_device that reset_done takes (6.7)',
    rule: 'lock-outside-lifetime',
    severity: 'warning',
    function: 'aspen_open',
  },
  {
    file: 'eventfd-kept-by-ioctl.c',
    bug: 'mtty: eventfd contexts that an ioctl stores and nobody puts (6.7)',
    rule: 'close-leaks',
    severity: 'warning',
    function: 'bell_ioctl',
  },
  {
    file: 'eventfd-replaced.c',
    bug: 's390/vfio-ap: eventfd contexts that only another request puts (6.4 to 7.1)',
    rule: 'close-leaks',
    severity: 'warning',
    function: 'ebony_ioctl',
  },
  {
    file: 'reset-after-register.c',
    bug: 's390/vfio-ap: eventfd contexts reset after the registration (6.4 to 7.1)',
    rule: 'init-after-register',
    severity: 'warning',
    function: 'ivory_probe',
  },
  {
    file: 'mapping-kept-by-open.c',
    bug: 'hisi_acc: registers that open maps and close does not unmap',
    rule: 'close-leaks',
    severity: 'warning',
    function: 'fir_open',
  },
  {
    file: 'kvm-reference-kept-by-open.c',
    bug: 'i915/gvt: a KVM reference kept when open_device fails',
    rule: 'open-leaks-on-error',
    severity: 'warning',
    function: 'quay_open',
  },
  {
    file: 'hook-kept-by-open.c',
    bug: 's390/vfio-ap: pqap_hook not withdrawn when set_kvm fails (CVE-2026-89960)',
    rule: 'open-leaks-on-error',
    severity: 'warning',
    function: 'tally_set_kvm',
  },
  {
    file: 'client-kept-by-register.c',
    bug: 'vfio-pci core: the VGA client kept when the register fails (70a6cf63232c, CVE-2026-64475)',
    rule: 'leak-on-error-path',
    severity: 'warning',
    function: 'oak_core_register_device',
  },
  {
    file: 'release-does-not-chain.c',
    bug: 'xe: .release without vfio_pci_core_release_dev() (493c7eff3c2f)',
    rule: 'release-does-not-chain',
    severity: 'error',
    function: 'larch_release',
  },
  {
    file: 'region-info-missing.c',
    bug: 'xe: no .get_region_info_caps (1e9150503882)',
    rule: 'ops-table-incomplete',
    severity: 'warning',
    function: null,
  },
];

/** What no rule can see, as one driver where it has a form of its own. */
const UNSEEN: readonly {
  readonly bug: string;
  readonly file?: string;
  readonly because: string;
}[] = [
  {
    bug: 'i915/gvt: .release removes files below a root that is gone (704f3384f322)',
    file: 'release-after-parent.c',
    because: 'the root belongs to another driver: no code of the module ends it',
  },
  {
    bug: 'platform: a reset that is not there fails the probe although none is wanted (168a9c91fe0a)',
    because: 'the code is right for another setting of a module parameter',
  },
  {
    bug: 'mtty, mdpy and ap: a failing device_register() of the parent without put_device()',
    because: 'module_init() registers a parent and makes no vfio_device: it is not followed',
  },
  {
    bug: 'vfio-pci: the saved PCI state lost on the way from D3hot to D0 (eadf88ecf6ac)',
    because: 'a callback overwrites its own pointer: nothing of the life of the device is broken',
  },
  {
    bug: 'fsl-mc: the interrupt handler called without a trigger (7447d911af69)',
    because: 'the pointer is NULL by a choice of user space, not by an order of the driver',
  },
];

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const kernelOf = (text: string): string => /^\/\* kernel: ([\d.]+) \*\//.exec(text)![1]!;
const findingsOf = (file: string) => {
  const text = textOf(file);
  return analyseText(readAnnotations(text).code, kernelOf(text)).filter(
    ({ rule }) => rule !== 'deprecated-init-group-dev',
  );
};

describe('bugs that the kernel had', () => {
  test.each(FOUND.map((one) => [one.bug, one] as const))('%s', (_, one) => {
    const found = findingsOf(one.file).map(({ rule, severity, functionName }) => ({
      rule,
      severity,
      function: functionName,
    }));
    expect(found).toEqual([{ rule: one.rule, severity: one.severity, function: one.function }]);
  });

  test.each(UNSEEN.flatMap(({ bug, file }) => (file === undefined ? [] : [[bug, file] as const])))(
    'not seen: %s',
    (_, file) => {
      expect(findingsOf(file)).toEqual([]);
    },
  );

  test('each driver is in the table', () => {
    const named = [...FOUND, ...UNSEEN].flatMap(({ file }) => file ?? []).sort();
    expect(named).toEqual(readdirSync(root).sort());
  });

  test('what is not seen has a reason', () => {
    expect(UNSEEN.filter(({ because }) => because === '')).toEqual([]);
  });
});
