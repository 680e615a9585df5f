import { describe, expect, test } from 'vitest';
import type { Edit, Span } from '../../../server/src/text/span.ts';
import {
  addFunctionBefore,
  closeHoles,
  deleteStatement,
  insertAfter,
  insertBefore,
} from '../../../server/src/rules/fixes/text.ts';
import { analyseText, applyEdits, applyFix, factsOf } from '../../support/analyse.ts';
import { localOfMember } from '../../../server/src/rules/fixes/local-of-member.ts';
import { addMember } from '../../../server/src/rules/fixes/ops-table.ts';
import { indexOf } from '../../../server/src/rules/members.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { readAnnotations } from '../../support/analyse.ts';

/** The text with the part between « and » as the span. */
function marked(text: string): { text: string; span: Span } {
  const start = text.indexOf('«');
  const end = text.indexOf('»') - 1;
  return { text: text.replace('«', '').replace('»', ''), span: { start, end } };
}

function apply(source: string, make: (text: string, span: Span) => Edit): string {
  const { text, span } = marked(source);
  return applyEdits(text, [make(text, span)]);
}

describe('statements', () => {
  test.each([
    ['with a tab', '{\n\t«foo();»\n}', '{\n\tbar();\n\tfoo();\n}'],
    ['with blanks', '{\n    «foo();»\n}', '{\n    bar();\n    foo();\n}'],
    ['with CRLF', '{\r\n\t«foo();»\r\n}', '{\r\n\tbar();\r\n\tfoo();\r\n}'],
    ['behind other code', '{ x(); «foo();» }', '{ x(); bar();\nfoo(); }'],
    [
      'above its comment',
      '\tx();\n\t/* now */\n\t«foo();»',
      '\tx();\n\tbar();\n\t/* now */\n\tfoo();',
    ],
    [
      'below a comment that stands alone',
      '\t/* part two */\n\n\t«foo();»',
      '\t/* part two */\n\n\tbar();\n\tfoo();',
    ],
    [
      'below a comment that ends another line',
      '\tx(); /* y */\n\t«foo();»',
      '\tx(); /* y */\n\tbar();\n\tfoo();',
    ],
    [
      'above the comment in front of it',
      '\tx();\n\t/* now */ «foo();»',
      '\tx();\n\tbar();\n\t/* now */ foo();',
    ],
  ])('are inserted before another %s', (_, before, after) => {
    expect(apply(before, (text, span) => insertBefore(text, span, ['bar();']))).toBe(after);
  });

  test.each([
    [
      'with its comment',
      '\t«foo();» /* why */\n\tx();',
      '\tfoo(); /* why */\n\tif (y)\n\t\tz();\n\tx();',
    ],
    [
      'with the comment that goes on below it',
      '\t«foo();» /* why\n\t\t * so */\n\tx();',
      '\tfoo(); /* why\n\t\t * so */\n\tif (y)\n\t\tz();\n\tx();',
    ],
    [
      'with both of its comments',
      '\t«foo();» /* a */ // b\n\tx();',
      '\tfoo(); /* a */ // b\n\tif (y)\n\t\tz();\n\tx();',
    ],
    ['at the end of the text', '\t«foo();»', '\tfoo();\n\tif (y)\n\t\tz();'],
    [
      'in a document of four blanks',
      'f()\n{\n    «foo();»\n}',
      'f()\n{\n    foo();\n    if (y)\n        z();\n}',
    ],
  ])('are inserted behind another %s', (_, before, after) => {
    expect(apply(before, (text, span) => insertAfter(text, span, ['if (y)', '\tz();']))).toBe(
      after,
    );
  });

  test.each([
    ['with their line', 'a();\n\t«foo();»\nb();', 'a();\nb();'],
    ['with the comment behind them', 'a();\n\t«foo();» // gone\nb();', 'a();\nb();'],
    ['over two lines', 'a();\n\t«foo(1,\n\t    2);»\nb();', 'a();\nb();'],
    [
      'with the comment that goes on below them',
      'a();\n\t«foo();» /* why\n\t\t * so */\nb();',
      'a();\nb();',
    ],
    ['with the comment in front of them', 'a();\n\t/* gone */ «foo();»\nb();', 'a();\nb();'],
    ['from behind a label', 'out: «foo();»\n\tb();', 'out:\n\tb();'],
    ['without the code beside them', '{ «foo();» b(); }', '{ b(); }'],
    ['with CRLF', 'a();\r\n\t«foo();»\r\nb();', 'a();\r\nb();'],
    ['in the last line', 'a();\n\t«foo();»', 'a();\n'],
    ['from between empty lines', '\ta();\n\n\t«foo();»\n\n\tb();', '\ta();\n\n\tb();'],
    ['from behind an opening brace', '{\n\t«foo();»\n\n\tb();\n}', '{\n\tb();\n}'],
    ['from before a closing brace', '{\n\ta();\n\n\t«foo();»\n}', '{\n\ta();\n}'],
    [
      'with CRLF from between empty lines',
      '\ta();\r\n\r\n\t«foo();»\r\n\r\n\tb();',
      '\ta();\r\n\r\n\tb();',
    ],
    [
      'with the comment that speaks of them alone',
      '\ta();\n\t/* why\n\t * so */\n\t«foo();»\n\n\tb();',
      '\ta();\n\n\tb();',
    ],
    [
      'without the comment that heads what follows',
      '\t/* all down */\n\t«foo();»\n\tb();',
      '\t/* all down */\n\tb();',
    ],
  ])('are deleted %s', (_, before, after) => {
    expect(apply(before, (text, span) => deleteStatement(text, span))).toBe(after);
  });

  test('a function goes above the comment of the item', () => {
    expect(
      apply('int a;\n\n/*\n * The table.\n */\n«static int x;»\n', (text, span) =>
        addFunctionBefore(text, span, 'void f(void)\n{\n}'),
      ),
    ).toBe('int a;\n\nvoid f(void)\n{\n}\n\n/*\n * The table.\n */\nstatic int x;\n');
  });
});

describe('several edits', () => {
  test.each([
    ['that take neighbours away', '\ta();\n\n«\tb();\n»«\tc();\n»\n\td();', '\ta();\n\n\td();'],
    ['that take what an empty line parts', '{\n«\tb();\n»\n«\tc();\n»\n\td();', '{\n\td();'],
  ])('leave no hole: %s', (_, before, after) => {
    const spans: Span[] = [];
    let text = '';
    for (const part of before.split(/(?=«)|(?<=»)/)) {
      const code = part.replace(/[«»]/g, '');
      if (part.startsWith('«')) spans.push({ start: text.length, end: text.length + code.length });
      text += code;
    }
    expect(
      applyEdits(
        text,
        closeHoles(
          text,
          spans.map((span) => ({ span, newText: '' })),
        ),
      ),
    ).toBe(after);
  });
});

describe('a local of the type of a member', () => {
  const local = (members: string, name: string, around = ''): string | null => {
    const facts = factsOf(
      `${around}\nstruct foo {\n\tstruct vfio_device vdev;\n${members}\n};\n`,
      '6.6',
    );
    return localOfMember(
      indexOf(facts.module, facts.kernel),
      facts.module.sources[0]!,
      'foo',
      name,
    );
  };

  test.each([
    ['int id;', 'id', 'int id;'],
    ['unsigned long a, *b;', 'b', 'unsigned long *b;'],
    ['const struct hw *hw;', 'hw', 'const struct hw *hw;'],
    ['void __iomem *base;', 'base', 'void __iomem *base;'],
    ['int __user *arg;', 'arg', 'int __user *arg;'],
    ['struct cfg __rcu *cfg;', 'cfg', 'struct cfg __rcu *cfg;'],
    ['volatile u32 flags;', 'flags', 'volatile u32 flags;'],
    ['const u32 id;', 'id', 'u32 id;'],
    ['char *const name;', 'name', 'char *name;'],
    ['const char *const name;', 'name', 'const char *name;'],
    ['enum mode { IDLE, BUSY } mode;', 'mode', 'enum mode mode;'],
    ['struct ring { int n; } *ring;', 'ring', 'struct ring *ring;'],
    ['void (*log)(const char *text, int n);', 'log', 'void (*log)(const char *text, int n);'],
    ['struct page **pages;', 'pages', 'struct page **pages;'],
    ['u64\n\t\tstart;', 'start', 'u64 start;'],
    ['foo_id_t id;', 'id', 'foo_id_t id;', 'typedef u16 foo_id_t;'],
    ['foo_ref ref;', 'ref', 'foo_ref ref;', 'typedef struct hw *foo_ref;'],
    ['u32 count __aligned(8);', 'count', 'u32 count;'],
  ])('%s', (member, name, expected, around = '') => {
    expect(local(`\t${member}`, name, around)).toBe(expected);
  });

  test.each([
    ['DECLARE_BITMAP(map, 8);', 'map'],
    ['DECLARE_KFIFO(fifo, u8, 16);', 'fifo'],
    ['u8 mac[6];', 'mac'],
    ['u32 busy : 1;', 'busy'],
    ['struct { int x; } stats;', 'stats'],
    ['struct { int x; } *stats;', 'stats'],
    ['enum { A, B } mode;', 'mode'],
    ['struct hw hw;', 'hw'],
    ['union { u32 a; void *b; };', 'a'],
    ['uuid_t id;', 'id'],
    ['cpumask_var_t mask;', 'mask'],
    ['foo_mac_t mac;', 'mac', 'typedef u8 foo_mac_t[6];'],
    ['__typeof__(1) n;', 'n'],
    ['int (*rows)[4];', 'rows'],
    ['#ifdef FOO\n\tint id;\n#endif', 'id'],
  ])('none of %s', (member, name, around = '') => {
    expect(local(`\t${member}`, name, around)).toBeNull();
  });
});

describe('members of an ops table', () => {
  const table = (members: string): string =>
    `static const struct vfio_device_ops foo_ops = {\n${members}};\n`;

  test.each([
    [
      'one blank',
      '\t.name = "foo",\n\t.open_device = o,\n',
      '\t.name = "foo",\n\t.release = r,\n\t.open_device = o,\n',
    ],
    [
      'tabs',
      '\t.name\t\t= "foo",\n\t.open_device\t= o,\n',
      '\t.name\t\t= "foo",\n\t.release\t= r,\n\t.open_device\t= o,\n',
    ],
    [
      'blanks',
      '    .name        = "foo",\n    .open_device = o,\n',
      '    .name        = "foo",\n    .release     = r,\n    .open_device = o,\n',
    ],
    ['no comma at the end', '\t.name = "foo"\n', '\t.name = "foo",\n\t.release = r,\n'],
    ['no name', '\t.open_device = o,\n', '\t.release = r,\n\t.open_device = o,\n'],
    [
      'behind .init',
      '\t.name = "foo",\n\t.init = i,\n\t.open_device = o,\n',
      '\t.name = "foo",\n\t.init = i,\n\t.release = r,\n\t.open_device = o,\n',
    ],
    [
      'a comment behind the neighbour',
      '\t.name = "foo", /* seen by users */\n',
      '\t.name = "foo", /* seen by users */\n\t.release = r,\n',
    ],
    [
      'a comment behind the last, which has no comma',
      '\t.name = "foo" // seen by users\n',
      '\t.name = "foo", // seen by users\n\t.release = r,\n',
    ],
  ])('stand like their neighbours: %s', (_, before, after) => {
    const text = table(before);
    const [ops] = factsOf(text, '6.1').opsTables;
    const edit = addMember(text, ops!, 'release', 'r');
    expect(applyEdits(text, [edit!])).toBe(table(after));
  });

  test('are left alone where the neighbour is under an #if', () => {
    const text = table('#ifdef FOO\n\t.name = "foo",\n#endif\n\t.open_device = o,\n');
    expect(addMember(text, factsOf(text, '6.1').opsTables[0]!, 'release', 'r')).toBeNull();
  });

  test('are left alone when several stand in one line', () => {
    const text =
      'static const struct vfio_device_ops foo_ops = { .name = "foo", .open_device = o };\n';
    expect(addMember(text, factsOf(text, '6.1').opsTables[0]!, 'release', 'r')).toBeNull();
  });
});

describe('a put before a lone return', () => {
  const probe = (way: string): string => `struct reel {
struct vfio_device vdev;
};
static const struct vfio_device_ops reel_ops = { .name = "reel" };
static int reel_probe(struct mdev_device *mdev)
{
\tstruct reel *reel = vfio_alloc_device(reel, vdev, &mdev->dev, &reel_ops);
\tint ret;

\tif (IS_ERR(reel))
\t\treturn PTR_ERR(reel);
\tdev_set_drvdata(&mdev->dev, reel);
\tret = vfio_register_emulated_iommu_dev(&reel->vdev);
${way}
\treturn 0;
}
static struct mdev_driver reel_driver = { .probe = reel_probe };
`;

  test.each([
    [
      'below its condition',
      '\tif (ret)\n\t\treturn ret;',
      '\tif (ret) {\n\t\tvfio_put_device(&reel->vdev);\n\t\treturn ret;\n\t}',
    ],
    [
      'with a comment that goes on below it',
      '\tif (ret)\n\t\treturn ret; /* no\n\t\t\t * thread */',
      '\tif (ret) {\n\t\tvfio_put_device(&reel->vdev);\n\t\treturn ret; /* no\n\t\t\t * thread */\n\t}',
    ],
    [
      'in the line of its condition',
      '\tif (ret) return ret; /* no thread */',
      '\tif (ret) {\n\t\tvfio_put_device(&reel->vdev);\n\t\treturn ret; /* no thread */\n\t}',
    ],
  ])('opens a block %s', (_, before, after) => {
    const found = analyseText(probe(before), '6.2').find(({ rule }) => rule === 'missing-put');
    expect(applyFix(probe(before), found!.fix!)).toBe(probe(after));
  });

  test('is not made where other code is behind it', () => {
    const code = probe('\tif (ret)\n\t\treturn ret; reel->vdev.dev = NULL;');
    const found = analyseText(code, '6.2').find(({ rule }) => rule === 'missing-put');
    expect(found!.fix).toBeNull();
  });
});

describe('a call that goes', () => {
  const remove = (end: string): string => `struct husk { struct vfio_device vdev; };
static const struct vfio_device_ops husk_ops = { .name = "husk" };
static int husk_probe(struct mdev_device *mdev)
{
\tstruct husk *husk = vfio_alloc_device(husk, vdev, &mdev->dev, &husk_ops);
\tint ret;

\tif (IS_ERR(husk))
\t\treturn PTR_ERR(husk);
\tdev_set_drvdata(&mdev->dev, husk);
\tret = vfio_register_emulated_iommu_dev(&husk->vdev);
\tif (ret)
\t\tvfio_put_device(&husk->vdev);
\treturn ret;
}
static void husk_remove(struct mdev_device *mdev)
{
\tstruct husk *husk = dev_get_drvdata(&mdev->dev);

\tvfio_unregister_group_dev(&husk->vdev);
${end}}
static struct mdev_driver husk_driver = { .probe = husk_probe, .remove = husk_remove };
`;
  const put = '\tvfio_put_device(&husk->vdev);\n';

  test.each([
    ['alone', `${put}\tkfree(husk);\n`, true],
    [
      'behind a label that keeps a statement',
      `${put}out:\n\tkfree(husk);\n\tcond_resched();\n`,
      true,
    ],
    ['with the put in one statement', '\tvfio_put_device(&husk->vdev), kfree(husk);\n', false],
    ['behind the last label', `${put}out:\n\tkfree(husk);\n`, false],
    [
      'behind the last case',
      `${put}\tswitch (husk_odd) {\n\tdefault:\n\t\tkfree(husk);\n\t}\n`,
      false,
    ],
    ['all that a branch has', `${put}\tif (husk_odd) {\n\t\tkfree(husk);\n\t}\n`, false],
    ['all that an #ifdef has', `${put}#ifdef CONFIG_HUSK\n\tkfree(husk);\n#endif\n`, false],
  ])('has a fix where nothing else goes with it: %s', (_, end, isOffered) => {
    const found = analyseText(remove(end), '6.2').find(
      ({ rule }) => rule === 'free-of-core-owned-memory',
    );
    expect(found).toBeDefined();
    expect(found!.fix !== null).toBe(isOffered);
  });

  test.each([
    ['kfree(husk);', 'safe: Delete kfree()'],
    [
      'kfree_sensitive(husk);',
      'unsafe: Delete kfree_sensitive() (check that nothing in the memory has to be wiped)',
    ],
    [
      'kfree_rcu(husk, rcu);',
      'unsafe: Delete kfree_rcu() (check that no reader under RCU is left)',
    ],
  ])('is safe where it does no more than to free: %s', (free, expected) => {
    const found = analyseText(remove(`${put}\t${free}\n`), '6.2').find(
      ({ rule }) => rule === 'free-of-core-owned-memory',
    );
    expect(`${found!.fix!.safety}: ${found!.fix!.title}`).toBe(expected);
  });
});

describe('the error of a pointer', () => {
  const probe = (branch: string): string => `struct vole { struct vfio_device vdev; };
static const struct vfio_device_ops vole_ops = { .name = "vole" };
struct vole *vole_spare(void);
static int vole_probe(struct mdev_device *mdev)
{
\tstruct vole *vole;
\tint ret;

\tvole = vfio_alloc_device(vole, vdev, &mdev->dev, &vole_ops);
\tif (${branch}
\t}
\tret = vfio_register_emulated_iommu_dev(&vole->vdev);
\tif (ret)
\t\tvfio_put_device(&vole->vdev);
\treturn ret;
}
static struct mdev_driver vole_driver = { .probe = vole_probe };
`;

  test.each([
    [
      'takes the place of the code',
      '!vole) {\n\t\tret = -ENOMEM;\n\t\treturn ret;',
      'IS_ERR(vole)) {\n\t\tret = PTR_ERR(vole);\n\t\treturn ret;',
    ],
    [
      'leaves a code that a test chooses',
      '!vole) {\n\t\tif (vole_late)\n\t\t\treturn -ENODEV;\n\t\treturn -ENOMEM;',
      'IS_ERR(vole)) {\n\t\tif (vole_late)\n\t\t\treturn -ENODEV;\n\t\treturn PTR_ERR(vole);',
    ],
    [
      'is not asked of another pointer',
      '!vole) {\n\t\tvole = vole_spare();\n\t\tpr_info("spare\\n");\n\t\treturn -ENOMEM;',
      'IS_ERR(vole)) {\n\t\tvole = vole_spare();\n\t\tpr_info("spare\\n");\n\t\treturn -ENOMEM;',
    ],
  ])('%s', (_, before, after) => {
    const found = analyseText(probe(before), '6.2').find(
      ({ rule }) => rule === 'null-check-on-alloc',
    );
    expect(applyFix(probe(before), found!.fix!)).toBe(probe(after));
  });
});

describe('a document that indents with blanks', () => {
  test('has no tab in a function that is added, or in one that was empty', () => {
    const table = (release: string): string => `struct fern { struct vfio_device vdev; };
${release}static const struct vfio_device_ops fern_ops = {
    .name = "fern",${release === '' ? '' : '\n    .release = fern_gone,'}
};
static int fern_probe(struct mdev_device *mdev)
{
    struct fern *fern = vfio_alloc_device(fern, vdev, &mdev->dev, &fern_ops);

    return PTR_ERR_OR_ZERO(fern);
}
static struct mdev_driver fern_driver = { .probe = fern_probe };
`;
    const empty = 'static void fern_gone(struct vfio_device *vdev)\n{\n}\n';
    for (const [rule, code] of [
      ['missing-release-op', table('')],
      ['release-without-free', table(empty)],
    ] as const) {
      const found = analyseText(code, '6.1').find((one) => one.rule === rule);
      expect(applyFix(code, found!.fix!)).toContain('\n    vfio_free_device(vdev);\n');
    }
  });
});

describe('a callback that stands ready', () => {
  const driver = (body: string): string => `struct loom { struct vfio_device vdev; void *warp; };
static void loom_done(struct vfio_device *vdev)
{
	struct loom *loom = container_of(vdev, struct loom, vdev);

${body}}
static const struct vfio_device_ops loom_ops = {
	.name = "loom",
};
static int loom_probe(struct mdev_device *mdev)
{
	struct loom *loom = vfio_alloc_device(loom, vdev, &mdev->dev, &loom_ops);

	return PTR_ERR_OR_ZERO(loom);
}
static void loom_remove(struct mdev_device *mdev)
{
	struct loom *loom = dev_get_drvdata(&mdev->dev);

	kfree(loom->warp);
}
static struct mdev_driver loom_driver = { .probe = loom_probe, .remove = loom_remove };
`;
  const fixOf = (body: string): string => {
    const found = analyseText(driver(body), '6.1').find(
      ({ rule }) => rule === 'missing-release-op',
    );
    return found?.fix ? `${found.fix.safety}: ${found.fix.title}` : 'none';
  };

  test.each([
    [
      'that frees',
      '\tmutex_destroy(&loom->lock);\n\tvfio_free_device(vdev);\n',
      'safe: Add .release = loom_done',
    ],
    [
      'that undoes what remove does',
      '\tkfree(loom->warp);\n\tvfio_free_device(vdev);\n',
      'unsafe: Add .release = loom_done (check that nobody undoes the same)',
    ],
    ['that leaves early', '\tif (!loom->warp)\n\t\treturn;\n\tvfio_free_device(vdev);\n', 'none'],
    ['that frees in a branch', '\tif (loom->warp)\n\t\tvfio_free_device(vdev);\n', 'none'],
    [
      'that frees something else',
      '\tkfree(loom->warp);\n',
      'safe: Add .release = loom_release_dev',
    ],
  ])('is named where it is right: %s', (_, body, expected) => {
    expect(fixOf(body)).toBe(expected);
  });
});

describe('line endings', () => {
  const fixable = rules.flatMap((rule) =>
    rule.examples.bad
      .filter((example) => example.fixed !== undefined)
      .map((example) => [rule.id, example.title, example] as const),
  );

  test.each(fixable)('the fix of %s keeps CRLF: %s', (id, _, example) => {
    const code = readAnnotations(example.code).code.replaceAll('\n', '\r\n');
    for (const finding of analyseText(code, example.kernel ?? '6.1')) {
      if (finding.rule !== id || finding.fix === null) continue;
      expect(applyFix(code, finding.fix)).not.toMatch(/(?<!\r)\n|\r(?!\n)/);
    }
  });
});
