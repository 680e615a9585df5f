import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../server/src/engine/analyse.ts';
import { withProof } from '../../../server/src/engine/fix-proof.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { readAnnotations } from '../../support/analyse.ts';
import { loadParser } from '../../support/parser.ts';
import { kernel, single } from './support.ts';

const parser = await loadParser();

describe('the fixes that the rules call safe', () => {
  it('are proved where their documentation shows them', () => {
    const engine = createEngine(parser);
    const doubts: string[] = [];
    for (const rule of rules) {
      for (const { title, code, kernel: version, fixed } of rule.examples.bad) {
        if (fixed === undefined) continue;
        const input = single(readAnnotations(code).code);
        const target = kernel(version ?? '6.1');
        for (const finding of engine.analyse(input, {}, target).findings) {
          if (finding.rule !== rule.id || finding.fix?.safety !== 'safe' || finding.severity === 'hint') continue;
          const { fix } = withProof(engine, input, {}, target, finding);
          if (fix!.safety !== 'safe') doubts.push(`${rule.id}: ${title}: ${finding.severity}: ${fix!.title}`);
        }
      }
    }
    engine.dispose();
    expect(doubts).toEqual([]);
  });
});

/** A driver of ours whose probe forgets the put in one way out. */
function probeWith(failure: string, ladder: string, first = ''): string {
  return `struct wisp { struct vfio_device vdev; struct mutex lock; };
static const struct vfio_device_ops wisp_ops = { .name = "wisp" };
static int wisp_setup(struct wisp *wisp);

static int wisp_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct wisp *wisp;
	int ret;

	ret = pci_enable_device(pdev);
	if (ret)
		return ret;
	wisp = vfio_alloc_device(wisp, vdev, &pdev->dev, &wisp_ops);
	if (IS_ERR(wisp)) {
		pci_disable_device(pdev);
		return PTR_ERR(wisp);
	}
${first}	ret = dma_set_mask(&pdev->dev, DMA_BIT_MASK(32));
	if (ret)
		goto err_put;
	ret = vfio_register_group_dev(&wisp->vdev);
	if (ret) {
${failure}		return ret;
	}
	pci_set_drvdata(pdev, wisp);
	return 0;

err_put:
	vfio_put_device(&wisp->vdev);
${ladder}	return ret;
}

static struct pci_driver wisp_driver = { .probe = wisp_probe };
`;
}

/** The same, with a call in front of the failure of which helpers that lie so deep make the undo of the label. */
function withHelpers(depth: number, inLast = 'pci_disable_device(pdev);\n'): string {
  const driver = probeWith('', '\tpci_disable_device(pdev);\n', '\twisp_step0(pdev);\n');
  const helper = (i: number): string =>
    `static void wisp_step${i}(struct pci_dev *pdev)\n{\n\t${i === depth ? inLast : `wisp_step${i + 1}(pdev);\n`}}\n`;
  return Array.from({ length: depth + 1 }, (_, i) => helper(depth - i)).join('') + driver;
}

describe('a jump to a label', () => {
  const doubtOf = (code: string): string | null => {
    const engine = createEngine(parser);
    const input = single(code);
    const target = kernel('6.1');
    const found = engine.analyse(input, {}, target).findings.find((one) => one.rule === 'missing-put' && one.fix?.safety === 'safe');
    const shown = found && withProof(engine, input, {}, target, found);
    engine.dispose();
    return shown?.fix?.safety === 'safe' ? null : shown?.fix?.title ?? 'no fix';
  };

  it('is safe where the path owes all that the label undoes', () => {
    expect(doubtOf(probeWith('', '\tpci_disable_device(pdev);\n'))).toBeNull();
  });

  it('is not made where the branch undoes something itself: the put goes in front of that', () => {
    const engine = createEngine(parser);
    const found = engine.analyse(single(probeWith('\t\tpci_disable_device(pdev);\n', '\tpci_disable_device(pdev);\n')), {}, kernel('6.1')).findings.find((one) => one.rule === 'missing-put');
    engine.dispose();
    expect(found?.fix?.safety).toBe('safe');
    expect(found?.fix?.edits[0]?.edits.map((edit) => edit.newText)).toEqual(['\t\tvfio_put_device(&wisp->vdev);\n']);
  });

  it.each([
    ['repeats an undo of the path', probeWith('', '\tpci_disable_device(pdev);\n', '\tpci_disable_device(pdev);\n'), /calls pci_disable_device\(\) for the same thing/],
    ['lets go a lock that is let go', probeWith('', '\tmutex_unlock(&wisp->lock);\n', '\tmutex_lock(&wisp->lock);\n\tmutex_unlock(&wisp->lock);\n'), /mutex_unlock\(\)/],
    ['lets go a lock that was never taken', probeWith('', '\tup_write(&wisp_sem);\n'), /up_write\(\) is called where it is not held/],
    ['comes to a macro that nobody has seen', probeWith('', '\tWISP_SETTLE;\n\tpci_disable_device(pdev);\n'), /WISP_SETTLE/],
    ['stores what the path did not', probeWith('', '\twisp_state = 3;\n'), /comes to `wisp_state = 3`/],
    ['repeats an undo far down', withHelpers(9), /calls pci_disable_device\(\) for the same thing/],
    ['may repeat an undo too far down', withHelpers(30), /wisp_step24\(\): what it undoes is not followed/],
    ['may repeat an undo in a function that calls itself', withHelpers(0, 'if (pdev->is_virtfn)\n\t\twisp_step0(pdev->physfn);\n'), /wisp_step0\(\): what it undoes/],
  ])('is not safe where the label %s', (_, code, doubt) => {
    expect(doubtOf(code)).toMatch(doubt);
  });
});
