import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../server/src/engine/analyse.ts';
import { convert } from '../../../server/src/engine/convert.ts';
import { convertFolding, foldOfferOf } from '../../../server/src/engine/fold.ts';
import { allFindings, withEdits } from '../../../server/src/engine/prove.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import type { Conversion, ModuleInput, TargetKernel } from '../../../server/src/engine/types.ts';
import type { Finding } from '../../../server/src/rules/types.ts';
import { parseVersion } from '../../../server/src/kernel/version.ts';
import { unifiedDiff } from '../../../server/src/text/diff.ts';
import { loadParser } from '../../support/parser.ts';

/**
 * Drivers of the old model; beside each, its notes and its patches. Those whose name begins with
 * `nothing` have nothing to fold.
 */
const FIXTURES = fileURLToPath(new URL('../../fixtures/convert/fold/', import.meta.url));
const engine: Engine = createEngine(await loadParser(), kernelStages);
const names = readdirSync(FIXTURES)
  .filter((name) => name.endsWith('.c'))
  .map((name) => name.slice(0, -2))
  .sort();

function kernel(text: string): TargetKernel {
  return { version: parseVersion(text)!, text, source: 'option', reason: '' };
}

function load(name: string): ModuleInput {
  return {
    file: 'main.c',
    sources: [{ path: 'main.c', text: readFileSync(`${FIXTURES}${name}.c`, 'utf8') }],
    headers: [],
  };
}

function converted(result: Conversion): Extract<Conversion, { status: 'converted' }> {
  if (result.status !== 'converted')
    throw new Error(result.status === 'refused' ? result.reason : 'unchanged');
  return result;
}

const textOf = (input: ModuleInput): string => input.sources[0]!.text;

function folded(before: ModuleInput, version: string) {
  const result = converted(convertFolding(engine, before, kernel(version), undefined));
  return { ...result, after: withEdits(before, result.edits)! };
}

describe.each(names)('%s', (name) => {
  const before = load(name);
  const fold = (version: string) => folded(before, version);

  test('becomes the expected patch', async () => {
    const first = fold('6.1');
    const second = fold('6.6');
    // What rules say of the driver itself is theirs to test.
    const notes = first.notes.filter((note) => note.kind !== 'finding');
    const text = [
      ...notes.map((note) => `${note.text}\n`),
      '\n',
      unifiedDiff('main.c', textOf(before), textOf(first.after)),
      '\nfor 6.6 then\n',
      unifiedDiff('main.c', textOf(first.after), textOf(second.after)),
    ].join('');
    await expect(text).toMatchFileSnapshot(`${FIXTURES}${name}.txt`);
  });

  test('has the lines that its notes speak of', () => {
    const { notes, after } = fold('6.1');
    const lines = textOf(after).split('\n');
    for (const { text } of notes) {
      const found = /^Line (\d+) of the result, `([^\s`]+)/.exec(text);
      if (found) expect(lines[Number(found[1]) - 1]).toContain(found[2]);
    }
  });

  test.each(['6.1', '6.2', '6.6'])('is clean for %s and has nothing left to convert', (version) => {
    const { after, folded } = fold(version);
    const wordsOf = (finding: Finding): string => `${finding.functionName}: ${finding.rule}`;
    const findings = allFindings(engine, after, {}, kernel(version)).filter(
      (finding) => finding.severity === 'error' || finding.severity === 'warning',
    );
    // A fault of the driver itself stays its fault, and so does what the target does not have,
    // wherever it has moved to.
    const known = allFindings(engine, before, {}, kernel('6.0')).map(wordsOf);
    const lacking = allFindings(engine, before, {}, kernel(version))
      .filter(({ rule }) => rule === 'removed-api')
      .map(({ message }) => message);
    expect(
      findings
        .filter((finding) => !known.includes(wordsOf(finding)))
        .map(({ message }) => message)
        .filter((message) => !lacking.includes(message)),
    ).toEqual([]);
    expect(convertFolding(engine, after, kernel(version), undefined).status).toBe('unchanged');
    expect(folded !== undefined).toBe(!name.startsWith('nothing'));
    expect(foldOfferOf(engine, before, kernel(version), undefined).status).toBe(
      folded ? 'planned' : 'nothing',
    );
    const crlf = textOf(before).includes('\r\n');
    expect(textOf(after).split('\r\n').length).toBe(crlf ? textOf(after).split('\n').length : 1);
  });
});

test.each(names.filter((name) => name.startsWith('nothing')))(
  '%s is converted like the minimal style',
  (name) => {
    const before = load(name);
    const minimal = converted(convert(engine, before, kernel('6.1'), undefined));
    expect(textOf(folded(before, '6.1').after)).toBe(textOf(withEdits(before, minimal.edits)!));
  },
);

/** A driver whose probe builds two things, with what it does when the first of them fails. */
function kiln({
  member,
  build,
  undo,
}: {
  readonly member: string;
  readonly build: string;
  readonly undo: string;
}): ModuleInput {
  const text = `#include <linux/vfio.h>

struct kiln {
	struct vfio_device vdev;
	${member}
};

static atomic_t kilns_left = ATOMIC_INIT(4);

static const struct vfio_device_ops kiln_ops = {
	.name = "kiln",
};

static struct kiln *kiln_create(struct device *dev)
{
	struct kiln *kiln;

	if (atomic_dec_if_positive(&kilns_left) < 0)
		return ERR_PTR(-ENOSPC);
	kiln = kzalloc(sizeof(*kiln), GFP_KERNEL);
	if (!kiln) {
		atomic_inc(&kilns_left);
		return ERR_PTR(-ENOMEM);
	}
	vfio_init_group_dev(&kiln->vdev, dev, &kiln_ops);
${build}
	return kiln;
}

static void kiln_destroy(struct kiln *kiln)
{
	atomic_inc(&kilns_left);
${undo}
	vfio_uninit_group_dev(&kiln->vdev);
	kfree(kiln);
}

static int kiln_probe(struct mdev_device *mdev)
{
	struct kiln *kiln = kiln_create(&mdev->dev);
	int ret;

	if (IS_ERR(kiln))
		return PTR_ERR(kiln);
	ret = vfio_register_emulated_iommu_dev(&kiln->vdev);
	if (ret) {
		kiln_destroy(kiln);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, kiln);
	return 0;
}

static void kiln_remove(struct mdev_device *mdev)
{
	struct kiln *kiln = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&kiln->vdev);
	kiln_destroy(kiln);
}

static struct mdev_driver kiln_driver = {
	.probe = kiln_probe,
	.remove = kiln_remove,
};
`;
  return { file: 'main.c', sources: [{ path: 'main.c', text }], headers: [] };
}

test('what moved is named, and nothing that a way out does', () => {
  const brick = kiln({
    member: 'void *brick;',
    build: `	kiln->brick = vzalloc(PAGE_SIZE);
	if (!kiln->brick) {
		atomic_inc(&kilns_left);
		vfio_uninit_group_dev(&kiln->vdev);
		kfree(kiln);
		return ERR_PTR(-ENOMEM);
	}`,
    undo: '	vfree(kiln->brick);',
  });
  const [moved] = folded(brick, '6.1').folded ?? [];
  expect(moved).toMatchObject({
    built: ['vzalloc()'],
    undone: ['vfree()'],
    from: ['kiln_destroy'],
    fromErrorPath: false,
  });
});

test('members in an array of the object are named among what moved', () => {
  const flue = kiln({
    member: 'struct { int heat; } flue[2];',
    build: '	kiln->flue[0].heat = 16;\n	kiln->flue[1].heat = 24;',
    undo: '',
  });
  const [moved] = folded(flue, '6.1').folded ?? [];
  expect(moved).toMatchObject({
    built: ['kiln->flue[0].heat', 'kiln->flue[1].heat'],
    release: null,
  });
});
