import { describe, expect, test } from 'vitest';
import { lower, printed } from './lowering.ts';

describe('functions', () => {
  test('their return types, parameters and specifiers', () => {
    expect(
      printed(`
static int
split_probe(struct pci_dev *pdev, const struct pci_device_id *id) { return 0; }
static inline struct foo *to_foo(struct vfio_device *v) { return container_of(v, struct foo, vdev); }
static int __init foo_init(void) { return 0; }
STATIC int bar(int, void (*cb)(void *), char buf[8], ...) { return 0; }
unsigned long long baz() { return 0; }
int (*getter(void))(int) { return fn; }
`),
    ).toMatchInlineSnapshot(`
  "
  function static int split_probe(struct pci_dev *pdev, struct pci_device_id *id)
    return 0
  function static inline struct foo *to_foo(struct vfio_device *v)
    return container_of(v, type struct foo, vdev)
  function static int foo_init()
    return 0
  function int bar(int , ? *cb, char buf[])
    return 0
  function long baz()
    return 0
  function ? *getter()
    return fn
  "
`);
  });

  test('prototypes, with parameters or without names', () => {
    expect(
      printed(
        'int f(int, char *), *g(void);\nextern __must_check int h(struct foo *p);\n#ifdef CONFIG_A\nstatic int k(void);\n#endif\n',
      ),
    ).toMatchInlineSnapshot(`
      "
      prototype int f(int , char *)
      prototype int *g()
      prototype int h(struct foo *p)
      prototype static int k() #if CONFIG_A
      "
    `);
  });
});

describe('variables', () => {
  test('a forward declaration and its definition are two variables', () => {
    expect(
      printed(
        'static const struct vfio_device_ops ops;\nstatic const struct vfio_device_ops ops = { .name = "a", .init = f };\n',
      ),
    ).toMatchInlineSnapshot(`
      "
      variable static const struct vfio_device_ops ops
      variable static const struct vfio_device_ops ops = { .name = "a", .init = f }
      "
    `);
  });

  test('tables, several declarators, function pointers, extern', () => {
    expect(
      printed(`
static struct pci_device_id tbl[] __maybe_unused = { { PCI_DEVICE(1, 2) }, { .driver_data = 1 }, { } };
struct foo { int a; } var = { 1 }, *p;
extern int e;
int (*fp)(int) = f, (*fps[3])(int) = { g };
`),
    ).toMatchInlineSnapshot(`
  "
  variable static struct pci_device_id tbl[] = { { PCI_DEVICE(1, 2) }, { .driver_data = 1 }, { } }
  struct foo
    int a
  variable struct foo var = { 1 }
  variable struct foo *p
  variable extern int e
  variable ? *fp = f
  variable ? *fps[] = { g }
  "
`);
  });

  test('#if among the entries of a table gives them conditions, nested tables too', () => {
    expect(
      printed(`
static const struct ops o = {
#ifdef CONFIG_A
	.release = a,
#elif CONFIG_B > 1
	.release = b,
#else
	.release = c,
#endif
	.sub = {
#ifndef CONFIG_C
		.init = d,
#endif
		.x = 1,
	},
	.name = "x",
};
`),
    ).toMatchInlineSnapshot(`
  "
  variable static const struct ops o = { .release = a #if CONFIG_A, .release = b #if !(CONFIG_A) && CONFIG_B > 1, .release = c #if !(CONFIG_A) && !(CONFIG_B > 1), .sub = { .init = d #if !(CONFIG_C), .x = 1 }, .name = "x" }
  "
`);
  });

  test('a table is incomplete when an #if cuts an entry or an entry cannot be read', () => {
    expect(
      printed('struct ops o = {\n\t.a =\n#ifdef X\n\t\tf,\n#else\n\t\tg,\n#endif\n\t.b = h,\n};\n'),
    ).toContain('incomplete');
    expect(printed('struct ops o = {\n\t.a = f,\n\t.b = @,\n};\n')).toContain('incomplete');
    expect(printed('struct ops o = {\n\t.a = f,\n\t.b =\n\t.c = g,\n};\n')).toContain(
      'incomplete { .a = f, .c = g }',
    );
    expect(printed('struct ops o = { .a = f };')).not.toContain('incomplete');
  });
});

describe('structs', () => {
  test('fields with their types; what has no offset of its own is unplaced', () => {
    expect(
      printed(`
struct foo {
	struct vfio_device vdev;
	int a, *b, c[4];
	int (*cb)(void *, int);
	unsigned int bit:1, :2, bit2:3;
	struct { int in_place; union { u32 d; u16 e; }; };
	struct { int hidden; } named[2];
	struct bar { int x; } own;
	DECLARE_BITMAP(map, 8);
	struct_group(group, int g1; int g2;);
	struct list_head list __aligned(8);
#ifdef CONFIG_A
	int cond;
#else
	long cond;
#endif
	u8 flex[] __counted_by(a);
} __attribute__((packed));
`),
    ).toMatchInlineSnapshot(`
  "
  struct foo
    struct vfio_device vdev
    int a
    int *b
    int c[]
    ? *cb
    int bit unplaced
    int bit2 unplaced
    int in_place unplaced
    u32 d unplaced
    u16 e unplaced
    struct ? named[]
    struct bar own
    DECLARE_BITMAP map
    int g1
    int g2
    struct list_head list
    int cond #if CONFIG_A
    long cond #if !(CONFIG_A)
    u8 flex[]
  struct bar
    int x
  "
`);
  });

  test('typedefs name anonymous structs; all others are listed', () => {
    expect(
      printed(
        'typedef struct { int x; } foo_t;\ntypedef struct tag { int y; } bar_t, *bar_p;\ntypedef struct tag baz_t;\ntypedef int (*fn_t)(int);\ntypedef unsigned int uint;\n',
      ),
    ).toMatchInlineSnapshot(`
      "
      typedef foo_t = struct foo_t
      typedef bar_t = struct tag
      typedef bar_p = struct tag *
      typedef baz_t = struct tag
      typedef fn_t = ? *
      typedef uint = int
      struct foo_t
        int x
      struct tag
        int y
      "
    `);
  });

  test('is incomplete when something among its fields was not understood', () => {
    expect(printed('struct a { int x; UNKNOWN_FIELDS(y); };')).toContain('struct a incomplete');
    expect(printed('struct b { int x; int @ y; };')).toContain('struct b incomplete');
    expect(printed('union c { int x; };')).not.toContain('incomplete');
  });
});

describe('macros', () => {
  test('bodies that hold a call are lowered as what they are', () => {
    expect(
      printed(`
#define to_foo(v) container_of(v, struct foo, vdev)
#define drv_put(p) vfio_put_device(&(p)->vdev)
#define ALLOC(p) ((p) = vfio_alloc_device(foo, vdev, dev, &ops))
#define FREE(p) do { \\
	if (p) \\
		kfree(p); \\
} while (0)
#define TWO(a) f(a); g(a)
#define SAFE(x) ({ typeof(x) _y = (x); f(_y); })
#define BRANCH(x) if (x) return f(x)
`),
    ).toMatchInlineSnapshot(`
  "
  macro to_foo(v) = container_of(v, type struct foo, vdev)
  macro drv_put(p) = vfio_put_device((&p->vdev))
  macro ALLOC(p) = (p = vfio_alloc_device(foo, vdev, dev, (&ops)))
  macro FREE(p)
    do 0
      if p
        kfree(p)
  macro TWO(a)
    f(a)
    g(a)
  macro SAFE(x) = ({ ? _y = x; f(_y) })
  macro BRANCH(x)
    if x
      return f(x)
  "
`);
  });

  test('bodies that lead from one pointer to another, and tests, are lowered too', () => {
    expect(
      printed(`
#define foo_vdev(f) (&(f)->vdev)
#define to_foo(v) ((struct foo *)(v))
#define FOO_DEV(f) f->vdev.dev
#define MASK(x) ((x) & 0xff)
#define FAILED (ret < 0)
#define BAIL goto err
`),
    ).toMatchInlineSnapshot(`
      "
      macro foo_vdev(f) = (&f->vdev)
      macro to_foo(v) = ((struct foo *)v)
      macro FOO_DEV(f) = f->vdev.dev
      macro MASK(x) = (x & 0xff)
      macro FAILED = (ret < 0)
      macro BAIL
        goto err
      "
    `);
  });

  test('a comment in a body is a blank', () => {
    expect(
      printed(`
#define FAILED(r) ((r) /* any "errno" */ != 0)
#define CHECK(r, label) do { \\
	if (r) /* it
failed */ \\
		goto label; /* the last \\
		 * word */ \\
} while (0) /* behind */
#define SLASHES(p) foo_put(p, "/* text */") // behind
`),
    ).toMatchInlineSnapshot(`
      "
      macro FAILED(r) = (r != 0)
      macro CHECK(r, label)
        do 0
          if r
            goto label
      macro SLASHES(p) = foo_put(p, "/* text */")
      "
    `);
  });

  test('texts of arguments, pasted names and the rest of the arguments', () => {
    expect(
      printed(`
#define TRACE(e) ({ int r = (e); if (r) printk("%s %d", #e, r); r; })
#define PASTE(a, b) a##_f ## b(1)
#define VA(fmt, ...) printk(fmt, ##__VA_ARGS__)
`),
    ).toMatchInlineSnapshot(`
      "
      macro TRACE(e) = ({ int r = e; if r; printk("%s %d", "", r); r })
      macro PASTE(a, b) = a$$_f$$$$b(1)
      macro VA(fmt) = printk(fmt, __VA_ARGS__)
      "
    `);
  });

  test('all others keep their text only', () => {
    expect(
      printed(`
#define N 3
#define SHIFTED (1 << 3)
#define EMPTY
#define TYPE(a) struct foo
#define INIT(f) { .a = f(1) }
#define OPEN(a) if (f(a)) {
#define PASTED_STRING(a) f(a ## "x")
`),
    ).toMatchInlineSnapshot(`
      "
      macro N = ?"3"
      macro SHIFTED = ?"(1 << 3)"
      macro EMPTY
      macro TYPE(a) = ?"struct foo"
      macro INIT(f) = ?"{ .a = f(1) }"
      macro OPEN(a) = ?"if (f(a)) {"
      macro PASTED_STRING(a) = ?"f(a ## "x")"
      "
    `);
  });

  test('spans in a body are those of the definition', () => {
    const text = '#define a 1\n\n#define put(p) /* why */ vfio_put_device( \\\n\t&(p)->vdev)\n';
    const macro = lower(text).macros[1]!;
    expect(macro.body).toMatchObject({
      kind: 'call',
      start: text.indexOf('vfio_put'),
      end: text.length - 1,
    });
    expect(
      macro.body?.kind === 'call' && text.slice(macro.body.args[0]!.start, macro.body.args[0]!.end),
    ).toBe('&(p)->vdev');
  });
});

test('includes, file macros, conditions, comments', () => {
  const text = `/* head */
#include <linux/vfio.h>
#include "foo.h"
#ifdef CONFIG_A
#include PATH
#endif
static DEFINE_MUTEX(lock); // tail
EXPORT_SYMBOL_GPL(foo);
module_driver(foo, f(a, b), g)
MODULE_LICENSE("GPL, v2");
void f(void) { /* inside */ g("/* no */", '"'); }
`;
  expect(printed(text)).toMatchInlineSnapshot(`
    "
    include <linux/vfio.h>
    include "foo.h"
    include <PATH> #if CONFIG_A
    file-macro DEFINE_MUTEX(lock)
    file-macro EXPORT_SYMBOL_GPL(foo)
    file-macro module_driver(foo, f(a, b), g)
    file-macro MODULE_LICENSE("GPL, v2")
    function void f()
      g("/* no */", '"')
    "
  `);
  expect(lower(text).comments.map((comment) => comment.text)).toEqual([
    '/* head */',
    '// tail',
    '/* inside */',
  ]);
});

test('what is no C at file scope is lost and noted', () => {
  const text = 'int a;\n} ) @\nint f(void) { return 1; }\n';
  const ir = lower(text);
  expect(ir.functions.map((fn) => fn.name)).toEqual(['f']);
  expect(ir.lost.length).toBeGreaterThan(0);
});

test('all structs below a function without an end are there', () => {
  const structs = Array.from({ length: 4 }, (_, i) => `struct s${i} { int n; };\n`).join('');
  const ir = lower(`void f(void)\n{\n\tif (a) {\n${structs}`);
  expect(ir.lost).toHaveLength(1);
  expect(ir.structs.map(({ name }) => name)).toEqual(['s0', 's1', 's2', 's3']);
});
