import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { convertText, FIXTURES, plan } from './support.ts';

const NAME = 'choice-asked-late.c';
const SOURCE = readFileSync(`${FIXTURES}forms/${NAME}`, 'utf8');
const ASKED = '	vf = pci_iov_vf_id(pdev);\n';

function changed(from: string, to: string): string {
  if (!SOURCE.includes(from)) throw new Error(`the fixture has no ${from}`);
  return SOURCE.replace(from, to);
}

test('what the choice depends on moves up with it, in its order and with its comments', () => {
  const { text } = convertText(NAME, SOURCE, [6, 1]);
  expect(text.slice(text.indexOf('	int ret;\n'), text.indexOf('	dev_set_drvdata(')))
    .toMatchInlineSnapshot(`
    "	int ret;

    	/* The physical function knows how many there are. */
    	pf = pci_physfn(pdev);
    	vfs = pci_num_vf(pf);	/* 0 without SR-IOV */
    	vf = pci_iov_vf_id(pdev);
    	if (vf >= 0 && vf < vfs)
    		ops = &buoy_migration_ops;

    	buoy = vfio_alloc_device(buoy, core.vdev, &pdev->dev, ops);
    	if (IS_ERR(buoy))
    		return PTR_ERR(buoy);

    	buoy->vfs = BUOY_VFS;

    	if (vf >= 0 && vf < vfs) {
    		mutex_init(&buoy->lock);
    		buoy->vf = vf;
    	}

    "
  `);
});

test.each<[what: string, from: string, to: string, reason: RegExp]>([
  [
    'a call that may do more than look',
    ASKED,
    '	vf = buoy_claim(pdev);\n',
    /depends on `vf`, which line \d+ sets/,
  ],
  [
    'a change of what it looks at',
    ASKED,
    '	pci_enable_sriov(pdev, 2);\n	vf = pci_num_vf(pdev);\n',
    /depends on `pdev`, which line \d+ sets or may change/,
  ],
  [
    'a change of what something before it looks at',
    '	pf = pci_physfn(pdev);\n',
    '	pci_disable_sriov(pdev);\n	pf = pci_physfn(pdev);\n',
    /depends on `pf`/,
  ],
  ['a variable that is set twice', ASKED, `${ASKED}	if (vf > 7)\n		vf = -1;\n`, /depends on `vf`/],
  ['a variable with a value before', '	int vf, vfs;\n', '	int vf = -1, vfs;\n', /depends on `vf`/],
  ['a variable that is set by its address', ASKED, '	buoy_ask(pdev, &vf);\n', /depends on `vf`/],
  ['a value of the object', ASKED, '	vf = buoy->vf;\n', /depends on the object itself/],
  ['a value under a condition', ASKED, '	if (vfs)\n		vf = pci_iov_vf_id(pdev);\n', /depends on `vf`/],
  ['a label in between', ASKED, `again:\n${ASKED}`, /depends on `vfs`/],
])('%s keeps the choice where it is', (_what, from, to, reason) => {
  const result = plan(NAME, changed(from, to), [6, 1]);
  if (result.status !== 'refused') throw new Error(result.status);
  expect(result.refusal.code).toBe('several-inits');
  expect(result.refusal.reason).toMatch(reason);
});

const HELPER = 'choice-by-helper.c';
const BY_HELPER = readFileSync(`${FIXTURES}forms/${HELPER}`, 'utf8');

test('what a helper finds out by looking is asked before the allocation, and the helper is called behind it', () => {
  const { text } = convertText(HELPER, BY_HELPER, [6, 1]);
  expect(text.slice(text.indexOf('	int ret;\n'), text.indexOf('	dev_set_drvdata(')))
    .toMatchInlineSnapshot(`
    "	int ret;

    	/* Only the driver of the PF knows how to migrate. */
    	pf = gauge_find_pf(pdev);
    	if (pf && pf->version >= 3) {
    		if (pci_iov_vf_id(pdev) >= 0)
    			ops = &gauge_migration_ops;
    	}

    	gauge = vfio_alloc_device(gauge, core.vdev, &pdev->dev, ops);
    	if (IS_ERR(gauge))
    		return PTR_ERR(gauge);

    	if (pf && pf->version >= 3) {
    		ret = gauge_migration_init(gauge, pdev, pf);
    		if (!ret)
    			gauge->core.vdev.mig_ops = &gauge_mig_ops;
    		else
    			pci_warn(pdev, "cannot migrate: %d\\n", ret);
    	}

    "
  `);
});

test.each<[what: string, from: string, to: string, condition: string]>([
  [
    'a result that is tested for failure',
    'if (!ret) {',
    'if (ret == 0) {',
    'if (pci_iov_vf_id(pdev) >= 0)',
  ],
  [
    'several tests',
    '	if (vf < 0)\n		return vf;\n',
    '	if (vf < 0)\n		return vf;\n	if (!pf->queues || vf > 7)\n		return -EINVAL;\n',
    'if (pci_iov_vf_id(pdev) >= 0 && !(!pf->queues || pci_iov_vf_id(pdev) > 7))',
  ],
  [
    'a value that is set where it is declared',
    '	int vf;\n\n	vf = pci_iov_vf_id(pdev);\n',
    '	int vf = pci_iov_vf_id(pdev);\n\n',
    'if (pci_iov_vf_id(pdev) >= 0)',
  ],
])('%s is told by what decides it', (_what, from, to, condition) => {
  expect(BY_HELPER).toContain(from);
  // A condition that is too long for a line is written on two.
  const { text } = convertText(HELPER, BY_HELPER.replace(from, to), [6, 1]);
  expect(text.replaceAll(/\s+/g, ' ')).toContain(condition);
});

const FIND = '	pf = gauge_find_pf(pdev);\n';

test.each<[what: string, from: string, to: string, reason: RegExp]>([
  [
    'a helper that fails behind what it fills in',
    '	mutex_init(&gauge->lock);\n',
    '	if (gauge_claim(gauge))\n		return -EBUSY;\n	mutex_init(&gauge->lock);\n',
    /gauge_migration_init\(\) takes the object, and its result decides\. Split it/,
  ],
  [
    'a helper that fills in before it fails',
    '	vf = pci_iov_vf_id(pdev);\n',
    '	gauge->pf = pf;\n	vf = pci_iov_vf_id(pdev);\n',
    /Split it: one function that decides/,
  ],
  [
    'a helper that asks by more than looking',
    '	vf = pci_iov_vf_id(pdev);\n',
    '	vf = gauge_claim_vf(pdev);\n',
    /Split it: one function that decides/,
  ],
  [
    'a helper that may return something else than an error',
    '		return vf;\n',
    '		return 0;\n',
    /Split it: one function that decides/,
  ],
  [
    'a helper that does not end with 0',
    '	return 0;\n}\n\nstatic int gauge_probe',
    '	return gauge_start(gauge);\n}\n\nstatic int gauge_probe',
    /Split it: one function that decides/,
  ],
  [
    'a result that is changed before it is tested',
    '		if (!ret) {',
    '		ret = gauge_twist(ret);\n		if (!ret) {',
    /depends on `ret`/,
  ],
  [
    'a call whose taking is given back on the way out',
    '	kfree(gauge);\n	return ret;\n',
    '	kfree(gauge);\n	gauge_put_pf(pf);\n	return ret;\n',
    /depends on `pf`/,
  ],
  [
    'a call whose parent is given back on the way out',
    '	kfree(gauge);\n	return ret;\n',
    '	kfree(gauge);\n	pci_disable_device(pdev);\n	return ret;\n',
    /depends on `pf`/,
  ],
  [
    'a call that is given the object',
    FIND,
    '	pf = gauge_find_pf_for(gauge, pdev);\n',
    /depends on `pf`/,
  ],
  [
    'something else before the call',
    FIND,
    `	gauge_wake(pdev);\n${FIND}`,
    /depends on `pf->version`/,
  ],
])('%s keeps the choice where it is, and the reason says what to do', (_what, from, to, reason) => {
  expect(BY_HELPER).toContain(from);
  const result = plan(HELPER, BY_HELPER.replace(from, to), [6, 1]);
  if (result.status !== 'refused') throw new Error(result.status);
  expect(result.refusal.code).toBe('several-inits');
  expect(result.refusal.reason).toMatch(reason);
});
