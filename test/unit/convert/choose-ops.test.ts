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
  expect(text.slice(text.indexOf('	int ret;\n'), text.indexOf('	dev_set_drvdata('))).toMatchInlineSnapshot(`
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
  ['a call that may do more than look', ASKED, '	vf = buoy_claim(pdev);\n', /depends on `vf`, which line \d+ sets/],
  ['a change of what it looks at', ASKED, `	pci_enable_sriov(pdev, 2);\n${ASKED}`, /depends on `pdev`, which line \d+ sets or may change/],
  ['a change of what something before it looks at', '	pf = pci_physfn(pdev);\n', '	pci_disable_sriov(pdev);\n	pf = pci_physfn(pdev);\n', /depends on `pdev`/],
  ['a variable that is set twice', ASKED, `${ASKED}	if (vf > 7)\n		vf = -1;\n`, /depends on `vf`/],
  ['a variable with a value before', '	int vf, vfs;\n', '	int vf = -1, vfs;\n', /depends on `vf`/],
  ['a variable that is set by its address', ASKED, '	buoy_ask(pdev, &vf);\n', /depends on `vf`/],
  ['a value of the object', ASKED, '	vf = buoy->vf;\n', /asks the object itself/],
  ['a value under a condition', ASKED, '	if (vfs)\n		vf = pci_iov_vf_id(pdev);\n', /depends on `vf`/],
  ['a label in between', ASKED, `again:\n${ASKED}`, /depends on `vfs`/],
])('%s keeps the choice where it is', (_what, from, to, reason) => {
  const result = plan(NAME, changed(from, to), [6, 1]);
  if (result.status !== 'refused') throw new Error(result.status);
  expect(result.refusal.code).toBe('several-inits');
  expect(result.refusal.reason).toMatch(reason);
});
