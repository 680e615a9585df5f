import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../server/src/engine/analyse.ts';
import { hasProof, withProof } from '../../../server/src/engine/fix-proof.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { readAnnotations } from '../../support/analyse.ts';
import { loadParser } from '../../support/parser.ts';
import { engineWith, kernel, single, textRule } from './support.ts';

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
          if (
            finding.rule !== rule.id ||
            finding.fix?.safety !== 'safe' ||
            finding.severity === 'hint'
          )
            continue;
          const { fix } = withProof(engine, input, {}, target, finding);
          if (fix!.safety !== 'safe')
            doubts.push(`${rule.id}: ${title}: ${finding.severity}: ${fix!.title}`);
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

/**
 * The title of the fix where its rule calls it safe and the proof does not; null where it is safe.
 */
function doubtOf(code: string, rule = 'missing-put'): string | null {
  const engine = createEngine(parser);
  const input = single(code);
  const target = kernel('6.1');
  const found = engine
    .analyse(input, {}, target)
    .findings.find((one) => one.rule === rule && one.fix?.safety === 'safe');
  const shown = found && withProof(engine, input, {}, target, found);
  engine.dispose();
  return shown?.fix?.safety === 'safe' ? null : (shown?.fix?.title ?? 'no fix');
}

/**
 * The same, with a call in front of the failure of which helpers that lie so deep make the undo of
 * the label.
 */
function withHelpers(depth: number, inLast = 'pci_disable_device(pdev);\n'): string {
  const driver = probeWith('', '\tpci_disable_device(pdev);\n', '\twisp_step0(pdev);\n');
  const helper = (i: number): string =>
    `static void wisp_step${i}(struct pci_dev *pdev)\n{\n\t${i === depth ? inLast : `wisp_step${i + 1}(pdev);\n`}}\n`;
  return Array.from({ length: depth + 1 }, (_, i) => helper(depth - i)).join('') + driver;
}

describe('a jump to a label', () => {
  it('is safe where the path owes all that the label undoes', () => {
    expect(doubtOf(probeWith('', '\tpci_disable_device(pdev);\n'))).toBeNull();
  });

  it('is not made where the branch undoes something itself: the put goes in front of that', () => {
    const engine = createEngine(parser);
    const found = engine
      .analyse(
        single(probeWith('\t\tpci_disable_device(pdev);\n', '\tpci_disable_device(pdev);\n')),
        {},
        kernel('6.1'),
      )
      .findings.find((one) => one.rule === 'missing-put');
    engine.dispose();
    expect(found?.fix?.safety).toBe('safe');
    expect(found?.fix?.edits[0]?.edits.map((edit) => edit.newText)).toEqual([
      '\t\tvfio_put_device(&wisp->vdev);\n',
    ]);
  });

  it.each([
    [
      'repeats an undo of the path',
      probeWith('', '\tpci_disable_device(pdev);\n', '\tpci_disable_device(pdev);\n'),
      /calls pci_disable_device\(\) for the same thing/,
    ],
    [
      'lets go a lock that is let go',
      probeWith(
        '',
        '\tmutex_unlock(&wisp_lock);\n',
        '\tmutex_lock(&wisp_lock);\n\tmutex_unlock(&wisp_lock);\n',
      ),
      /mutex_unlock\(\)/,
    ],
    [
      'lets go a lock that was never taken',
      probeWith('', '\tup_write(&wisp_sem);\n'),
      /up_write\(\) is called where it is not held/,
    ],
    [
      'comes to a macro that nobody has seen',
      probeWith('', '\tWISP_SETTLE;\n\tpci_disable_device(pdev);\n'),
      /WISP_SETTLE/,
    ],
    [
      'stores what the path did not',
      probeWith('', '\twisp_state = 3;\n'),
      /comes to `wisp_state = 3`/,
    ],
    ['repeats an undo far down', withHelpers(9), /calls pci_disable_device\(\) for the same thing/],
    [
      'may repeat an undo too far down',
      withHelpers(30),
      /wisp_step24\(\): what it undoes is not followed/,
    ],
    [
      'may repeat an undo in a function that calls itself',
      withHelpers(0, 'if (pdev->is_virtfn)\n\t\twisp_step0(pdev->physfn);\n'),
      /wisp_step0\(\): what it undoes/,
    ],
  ])('is not safe where the label %s', (_, code, doubt) => {
    expect(doubtOf(code)).toMatch(doubt);
  });
});

/** A driver of ours with a probe and a remove of which one forgets the put. */
function moth(probe: string, remove = ''): string {
  return `struct moth { struct vfio_device vdev; struct mutex lock; void *dust; struct list_head flight; };
static LIST_HEAD(moths);
static DEFINE_MUTEX(moth_table);
static const struct vfio_device_ops moth_ops = { .name = "moth" };
int moth_light(struct pci_dev *pdev, bool on);
static void moth_unlock(void) { mutex_unlock(&moth_table); }

static int moth_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct moth *moth;
	int ret;

${probe}
}

static void moth_remove(struct pci_dev *pdev)
{
	struct moth *moth = pci_get_drvdata(pdev);

${remove}
}

static struct pci_driver moth_driver = { .probe = moth_probe, .remove = moth_remove };
`;
}

const MOTH = `	moth = vfio_alloc_device(moth, vdev, &pdev->dev, &moth_ops);
	if (IS_ERR(moth))
		return PTR_ERR(moth);
	pci_set_drvdata(pdev, moth);
`;

const REGISTER = `	ret = vfio_register_group_dev(&moth->vdev);
	if (ret)
		return ret;
	return 0;`;

describe('a put that is added', () => {
  it.each([
    ['behind a lock of the table', `${MOTH}	guard(mutex)(&moth_table);\n${REGISTER}`],
    ['below a comment', `${MOTH}${REGISTER.replace('if (ret)', 'if (ret) // no light')}`],
    [
      'for what was in a list',
      `${MOTH}	list_add(&moth->flight, &moths);
${REGISTER.replace('if (ret)', 'list_del(&moth->flight);\n\tif (ret)')}`,
    ],
    [
      'behind a block under the lock of the object',
      `${MOTH}	scoped_guard(mutex, &moth->lock)\n\t\tmoth->dust = NULL;\n${REGISTER}`,
    ],
  ])('is safe %s', (_, probe) => {
    expect(doubtOf(moth(probe))).toBeNull();
  });

  it.each([
    [
      'a lock of the object that the way out lets go',
      `${MOTH}	guard(mutex)(&moth->lock);\n${REGISTER}`,
      /use-after-put is found then/,
    ],
    [
      'a block that holds one',
      `${MOTH}	scoped_guard(spinlock, &moth->lock) {\n${REGISTER}\n\t}`,
      /use-after-put is found then/,
    ],
    [
      'a list that keeps the object',
      `${MOTH}	list_add(&moth->flight, &moths);\n${REGISTER}`,
      /^no fix$/,
    ],
    [
      'a table that keeps it',
      `${MOTH}	moth->dust = xa_store(&moth_all, 1, moth, GFP_KERNEL);\n${REGISTER}`,
      /xa_store\(\) has linked/,
    ],
    [
      'a way on which probe succeeds',
      `${MOTH}${REGISTER.replace('\t\treturn ret;', '{\n\t\tif (ret == -ENODEV)\n\t\t\treturn 0;\n\t\treturn ret;\n\t}')}`,
      /it succeeds/,
    ],
    [
      'a guard that nobody knows',
      `${MOTH}	guard(moth_wing)(&moth->lock);\n${REGISTER}`,
      /check that `end of guard\(moth_wing, .*` does not use what is gone/,
    ],
    [
      'what other ways out give back',
      `${MOTH}	ret = dma_set_mask(&pdev->dev, DMA_BIT_MASK(32));
	if (ret)
		goto err_put;
	moth->dust = kzalloc(8, GFP_KERNEL);
	ret = pci_set_power_state(pdev, PCI_D0);
	if (ret)
		goto err_dust;
${REGISTER}

err_dust:
	kfree(moth->dust);
err_put:
	vfio_put_device(&moth->vdev);
	return ret;`,
      /kzalloc\(\) is not undone/,
    ],
  ])('is not safe with %s', (_, probe, doubt) => {
    expect(doubtOf(moth(probe)) ?? 'safe').toMatch(doubt);
  });
});

describe('a free that is added to .release', () => {
  const release = (body: string): string =>
    moth(`${MOTH}	ret = vfio_register_group_dev(&moth->vdev);
	if (ret)
		vfio_put_device(&moth->vdev);
	return ret;`).replace(
      /^static const .*moth_ops.*$/m,
      `struct moth_list { struct moth *last; };
static struct moth *moth_last;
static void moth_release(struct vfio_device *vdev)
{
	struct moth *moth = container_of(vdev, struct moth, vdev);

${body}}
static const struct vfio_device_ops moth_ops = { .name = "moth", .release = moth_release };`,
    );
  const doubt = (body: string): string => doubtOf(release(body), 'release-without-free') ?? 'safe';

  it.each([
    ['nothing keeps the device', '	kfree(moth->dust);\n'],
    ['what kept it is undone', '	schedule_work(&moth->work);\n	cancel_work_sync(&moth->work);\n'],
    ['a variable that kept it is cleared', '	moth_last = moth;\n	moth_last = NULL;\n'],
    ['the device keeps itself', '	moth->dust = moth;\n'],
    ['a part of it is copied', '	moth_last = moth->dust;\n'],
  ])('is safe where %s', (_, body) => {
    expect(doubt(body)).toBe('safe');
  });

  it.each([
    [
      'a work that frees it',
      '	queue_work(system_wq, &moth->work);\n',
      /what queue_work\(\) has linked/,
    ],
    ['a list', '	list_add(&moth->flight, &moths);\n', /what list_add\(\) has linked/],
    ['a variable', '	moth_last = moth;\n', /what `moth_last` points to/],
    ['the address of a part', '	moth_part = &moth->lock;\n', /what `moth_part` points to/],
  ])('is not safe behind %s', (_, body, expected) => {
    expect(doubt(body)).toMatch(expected);
  });
});

describe('a jump past what is cleaned up at its label', () => {
  const probe = (between: string): string =>
    moth(`${MOTH}	ret = vfio_register_group_dev(&moth->vdev);
	if (ret)
		return ret;

${between}	ret = dma_set_mask(&pdev->dev, DMA_BIT_MASK(32));
	if (ret) {
		vfio_unregister_group_dev(&moth->vdev);
		goto err_put;
	}
	return 0;

err_put:
	vfio_put_device(&moth->vdev);
	return ret;`);
  const written = (between: string): string => {
    const engine = createEngine(parser);
    const found = engine
      .analyse(single(probe(between)), {}, kernel('6.1'))
      .findings.find(({ rule }) => rule === 'missing-put');
    engine.dispose();
    return found!.fix!.edits[0]!.edits.map(({ newText }) => newText.trim()).join(' ');
  };

  it.each([
    ['nothing', '', 'goto err_put;'],
    [
      'a block of its own',
      '\t{\n\t\tguard(mutex)(&moth_table);\n\t\tmoth_dark++;\n\t}\n',
      'goto err_put;',
    ],
    [
      'a variable',
      '\tvoid *dust __free(kfree) = kmalloc(8, GFP_KERNEL);\n\n',
      '{ vfio_put_device(&moth->vdev); }',
    ],
    ['a guard', '\tguard(mutex)(&moth_table);\n', '{ vfio_put_device(&moth->vdev); }'],
  ])('is made past %s only where that is right', (_, between, expected) => {
    expect(written(between)).toBe(expected);
  });
});

describe('a name that a fix writes', () => {
  const fixed = `${MOTH}${REGISTER.replace('return ret;', 'goto err_put;')}

err_put:
	vfio_put_device(&moth->vdev);
	return ret;`;
  const remove = (body: string): string =>
    moth(fixed, body).replace('\tstruct moth *moth = pci_get_drvdata(pdev);\n\n', '');

  it.each([
    [
      'in the block before it',
      '\t{\n\t\tstruct moth *moth = pci_get_drvdata(pdev);\n\n\t\tvfio_unregister_group_dev(&moth->vdev);\n\t}',
    ],
    [
      'in a loop before it',
      '\tfor (struct moth *moth = pci_get_drvdata(pdev); ; ) {\n\t\tvfio_unregister_group_dev(&moth->vdev);\n\t\tbreak;\n\t}',
    ],
  ])('is no fix where it is declared %s', (_, body) => {
    expect(doubtOf(remove(body))).toBe('no fix');
  });

  it('is a fix where it is declared around it', () => {
    const body =
      '\tstruct moth *moth = pci_get_drvdata(pdev);\n\n\t{\n\t\tvfio_unregister_group_dev(&moth->vdev);\n\t}';
    expect(doubtOf(remove(body))).toBeNull();
  });
});

describe('a put under a lock', () => {
  const release = (take: string): string => `static void moth_ashes(struct moth *moth)
{
${take}	kfree(moth->dust);
}
static void moth_release(struct vfio_device *vdev) { moth_ashes(container_of(vdev, struct moth, vdev)); }
static const struct vfio_device_ops moth_ops = { .name = "moth", .release = moth_release };`;
  const jump = REGISTER.replace(
    '\t\treturn ret;\n\treturn 0;',
    `\t\tgoto err_put;
	ret = pci_enable_device(pdev);
	if (ret) {
		vfio_unregister_group_dev(&moth->vdev);
		return ret;
	}
	return 0;

err_put:
	vfio_put_device(&moth->vdev);
	return ret;`,
  );
  const doubt = (take: string, probe: string): string =>
    doubtOf(moth(probe).replace(/^static const .*moth_ops.*$/m, release(take))) ?? 'safe';

  it.each([
    [
      'that .release takes',
      '\tguard(mutex)(&moth_table);\n',
      `${MOTH}\tguard(mutex)(&moth_table);\n${REGISTER}`,
    ],
    [
      'that .release takes by a call',
      '\tmutex_lock(&moth_table);\n',
      `\tguard(mutex)(&moth_table);\n${MOTH}${REGISTER}`,
    ],
    [
      'that .release takes, by a label',
      '\tguard(mutex)(&moth_table);\n',
      `\tguard(mutex)(&moth_table);\n${MOTH}${jump}`,
    ],
  ])('%s is not safe', (_, take, probe) => {
    expect(doubt(take, probe)).toMatch(/moth_ashes\(\) takes it too/);
  });

  it('that spins is not safe', () => {
    expect(doubt('', `${MOTH}\tguard(spinlock)(&moth_spin);\n${REGISTER}`)).toMatch(
      /vfio_put_device\(\) may sleep/,
    );
  });

  it.each([
    ['that is another', `${MOTH}\tguard(mutex)(&moth_flock);\n${REGISTER}`],
    [
      'that was released',
      `${MOTH}\tmutex_lock(&moth_table);\n\tmutex_unlock(&moth_table);\n${REGISTER}`,
    ],
  ])('%s is safe', (_, probe) => {
    expect(doubt('\tguard(mutex)(&moth_table);\n', probe)).toBe('safe');
  });
});

describe('a way out that is added', () => {
  const use = `	moth->dust = NULL;
	pci_set_drvdata(pdev, moth);
	ret = vfio_register_group_dev(&moth->vdev);
	if (ret) {
		vfio_put_device(&moth->vdev);
		UNDO
		return ret;
	}
	return 0;`;
  const allocation = '	moth = vfio_alloc_device(moth, vdev, &pdev->dev, &moth_ops);\n';

  it.each([
    ['nothing was done before', `${allocation}${use.replace('UNDO', '')}`],
    [
      'a message was written',
      `\tpr_info("moth");\n${allocation}${use.replace('UNDO', 'dev_err(&pdev->dev, "no");')}`,
    ],
  ])('is safe where %s', (_, probe) => {
    expect(doubtOf(moth(probe), 'unchecked-alloc')).toBeNull();
  });

  it.each([
    [
      'another error path calls code that is not seen',
      `\tmoth_light(pdev, true);\n${allocation}${use.replace('UNDO', 'moth_light(pdev, false);')}`,
      /another error path calls moth_light\(\)/,
    ],
    [
      'a lock is held',
      `\tmutex_lock(&moth_table);\n${allocation}${use.replace('UNDO', 'mutex_unlock(&moth_table);')}`,
      /mutex_lock\(\) is not undone/,
    ],
  ])('is not safe where %s', (_, probe, doubt) => {
    expect(doubtOf(moth(probe), 'unchecked-alloc') ?? 'safe').toMatch(doubt);
  });
});

describe('a statement that is moved', () => {
  const fixed = `${MOTH}	ret = vfio_register_group_dev(&moth->vdev);
	if (ret)
		vfio_put_device(&moth->vdev);
	return ret;`;

  it.each([
    ['passes what is known', 'pci_clear_master(pdev);', null],
    ['passes a message', 'dev_info(&pdev->dev, "dark");', null],
    [
      'passes code that is not seen',
      'moth_light(pdev, false);',
      /check the order of .* and `moth_light\(/,
    ],
    [
      'passes a call through a pointer',
      'moth_hooks->dark(pdev);',
      /check the order of .* and `moth_hooks->dark\(/,
    ],
    [
      'leaves what a lock covers',
      'mutex_lock(&moth_table);',
      /check the order of .* and `mutex_lock\(&moth_table\)/,
    ],
    [
      'comes under a lock',
      'mutex_unlock(&moth_table);',
      /check the order of .* and `mutex_unlock\(&moth_table\)/,
    ],
    [
      'comes under a lock that a helper releases',
      'moth_unlock();',
      /check the order of .* and `moth_unlock\(/,
    ],
  ])('%s', (_, between, doubt) => {
    const remove = `	vfio_put_device(&moth->vdev);\n\t${between}\n\tvfio_unregister_group_dev(&moth->vdev);`;
    const found = doubtOf(moth(fixed, remove), 'put-while-registered');
    if (doubt === null) expect(found).toBeNull();
    else expect(found).toMatch(doubt);
  });
});

describe('an unregister that is added', () => {
  const remove = (before: string): string =>
    moth(
      `${MOTH}	ret = vfio_register_group_dev(&moth->vdev);
	if (ret)
		vfio_put_device(&moth->vdev);
	return ret;`,
      `${before}	vfio_put_device(&moth->vdev);`,
    );

  it.each([
    ['behind nothing', ''],
    ['behind a message', '\tdev_info(&pdev->dev, "dark");\n'],
    ['in front of what takes it out of a list', '\tlist_del(&moth->flight);\n'],
  ])('is safe %s', (_, before) => {
    expect(doubtOf(remove(before), 'remove-without-unregister')).toBeNull();
  });

  it.each([
    [
      'what powers down',
      '\tpm_runtime_disable(&pdev->dev);\n',
      /`pm_runtime_disable\(.*may come before the unregister/,
    ],
  ])('is not safe behind %s', (_, before, doubt) => {
    expect(doubtOf(remove(before), 'remove-without-unregister') ?? 'safe').toMatch(doubt);
  });
});

describe('an editor that asks at every move of the cursor', () => {
  it('can ask what is proved, and each proof is made once', () => {
    const engine = createEngine(parser);
    let proofs = 0;
    const counting = {
      ...engine,
      prover: () => {
        proofs++;
        return engine.prover();
      },
    };
    const wings = ['a', 'b', 'c', 'd'].map((name) =>
      moth(`${MOTH}${REGISTER}`).replaceAll('moth', `moth_${name}`),
    );
    const input = single(wings.join(''));
    const target = kernel('6.1');
    const found = engine
      .analyse(input, {}, target)
      .findings.filter((one) => one.fix?.safety === 'safe');
    expect(found.length).toBeGreaterThanOrEqual(4);
    const known = (): number =>
      found.filter((finding) => hasProof(counting, input, target, finding)).length;
    expect([known(), proofs]).toEqual([0, 0]);
    for (const finding of found.slice(0, 2)) withProof(counting, input, {}, target, finding);
    expect([known(), proofs]).toEqual([2, 2]);
    for (let i = 0; i < 5; i++)
      for (const finding of found) withProof(counting, input, {}, target, finding);
    expect([known(), proofs]).toEqual([found.length, found.length]);
    engine.dispose();
  });
});

describe('a test that can hold only when it is fixed', () => {
  const probe = (
    failing: string,
    ending = 'return ret;',
  ): string => `struct sloe { struct vfio_device vdev; };
static const struct vfio_device_ops sloe_ops = { .name = "sloe" };

static int sloe_probe(struct mdev_device *mdev)
{
	struct sloe *sloe;
	int ret = 0;

	sloe = vfio_alloc_device(sloe, vdev, &mdev->dev, &sloe_ops);
	${failing}
	dev_set_drvdata(&mdev->dev, sloe);
	ret = vfio_register_emulated_iommu_dev(&sloe->vdev);
	if (ret)
		vfio_put_device(&sloe->vdev);
out:
	${ending}
}

static struct mdev_driver sloe_driver = { .probe = sloe_probe };
`;

  it.each([
    ['a constant error', 'if (!sloe)\n\t\treturn -ENOMEM;'],
    [
      'one that is reported',
      'if (!sloe)\n\t\treturn dev_err_probe(&mdev->dev, -ENOMEM, "none\\n");',
    ],
    ['a variable', 'if (!sloe)\n\t\tgoto out;'],
    ['a variable that the branch sets', 'if (sloe == NULL) {\n\t\tret = -1;\n\t\tgoto out;\n\t}'],
  ])('is safe where the path returns an error: %s', (_, failing) => {
    expect(doubtOf(probe(failing), 'null-check-on-alloc')).toBeNull();
  });

  it.each([
    ['0', 'if (!sloe)\n\t\treturn 0;'],
    ['a variable that the branch sets to 0', 'if (!sloe) {\n\t\tret = 0;\n\t\tgoto out;\n\t}'],
    ['what two tests leave', 'if (!sloe || !mdev)\n\t\tgoto out;'],
    ['what the label sets', 'if (!sloe)\n\t\tgoto out;', 'ret = sloe_last();\n\treturn ret;'],
    ['another pointer', 'if (!sloe)\n\t\treturn mdev ? 0 : 1;'],
  ])('is not safe where it may not: %s', (_, failing, ending = 'return ret;') => {
    expect(doubtOf(probe(failing, ending), 'null-check-on-alloc')).toBe(
      'Test with IS_ERR() (check what sloe_probe() returns when the test holds: it may be no error)',
    );
  });
});

describe('a fix that leaves its problem', () => {
  const code = `static int fig_probe(struct mdev_device *mdev)
{
	struct fig *fig = vfio_alloc_device(fig, vdev, &mdev->dev, &fig_ops);

	fig_use(fig->size);
	return 0;
}
static struct mdev_driver fig_driver = { .probe = fig_probe };
`;
  const at = code.indexOf('\treturn 0');

  it.each([
    [
      'elsewhere',
      { start: at, end: at },
      '\tfig_stop();\n',
      'check the other paths of fig_probe() to `fig->size`: this fix alone does not cure it there',
    ],
    [
      'in its own text',
      { start: code.indexOf('fig->size'), end: code.indexOf(');\n\treturn') },
      'fig->size + 1',
      'check fig_probe(): another path has the same problem in what this fix writes',
    ],
  ])('says where to look: %s', async (_, span, newText, said) => {
    const fix = {
      title: 'stop',
      safety: 'safe' as const,
      edits: [{ path: '/w/a.c', edits: [{ span, newText }] }],
    };
    const engine = await engineWith([textRule('left', /fig->size/g, { fix })]);
    const input = single(code);
    const [found] = engine.analyse(input, {}, kernel('6.1')).findings;
    expect(withProof(engine, input, {}, kernel('6.1'), found!).fix!.title).toBe(`stop (${said})`);
    engine.dispose();
  });
});
