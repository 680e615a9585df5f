import { describe, expect, test } from 'vitest';
import { expression, lower, printedExpression } from './lowering.ts';

describe('an expression', () => {
  test.each<[source: string, printed: string]>([
    ['a', 'a'],
    ['NULL', 'NULL'],
    ['(((a)))', 'a'],
    ['-ENOMEM', '(-ENOMEM)'],
    ['a + b * c - d', '((a + (b * c)) - d)'],
    ['!p || p->n < 0 && q', '((!p) || ((p->n < 0) && q))'],
    ['a ? b : c', '(a ? b : c)'],
    ['a ?: c', '(a ?: c)'],
    ['a = b |= c', '(a = (b |= c))'],
    ['(a, b, c)', '(a, b, c)'],
    ['++i', '(++i)'],
    ['p->n--', '(p->n--)'],
    ['&p->vdev', '(&p->vdev)'],
    ['*(u32 *)p', '(*((u32 *)p))'],
    ['a.b->c[i + 1].d', 'a.b->c[(i + 1)].d'],
    ['"a" "b"\n\t\tFMT', '"a" "b" FMT'],
    // Calls.
    ['f()', 'f()'],
    ['f(a, &b)(c)', 'f(a, (&b))(c)'],
    ['p->ops->f(p)', 'p->ops->f(p)'],
    ['(*fp)(a)', '(*fp)(a)'],
    ['(f)(a)', 'f(a)'],
    ['(u32)(a)', '((u32)a)'],
    ['likely(!p)', 'likely((!p))'],
    ['WARN_ON(a != b)', 'WARN_ON((a != b))'],
    ['f(/* one */ a, // two\n\tb)', 'f(a, b)'],
    // Types.
    ['(void __user *)arg', '((void *)arg)'],
    ['(const struct foo **)p', '((struct foo **)p)'],
    ['(int (*)(void *))p', '((? *)p)'],
    ['container_of(v, struct foo, vdev)', 'container_of(v, type struct foo, vdev)'],
    ['container_of(v, foo_t, a.b)', 'container_of(v, foo_t, a.b)'],
    [
      'container_of_const(v, const struct foo, vdev)',
      'container_of_const(v, type struct foo, vdev)',
    ],
    ['va_arg(ap, struct foo *)', 'va_arg(ap, type struct foo *)'],
    ['min_t(unsigned long, a, b)', 'min_t(type long, a, b)'],
    ['offsetof(struct foo, vdev)', 'offsetof(type struct foo, vdev)'],
    ['offsetof(struct foo, a.b)', 'offsetof(type struct foo, a.b)'],
    ['kzalloc(sizeof(*p), GFP_KERNEL)', 'kzalloc(sizeof((*p)), GFP_KERNEL)'],
    ['kzalloc(sizeof(struct foo), GFP_KERNEL)', 'kzalloc(sizeof(struct foo), GFP_KERNEL)'],
    ['kzalloc_obj(*p, GFP_KERNEL)', 'kzalloc_obj((*p), GFP_KERNEL)'],
    [
      'vfio_alloc_device(foo, vdev, &pdev->dev, &ops)',
      'vfio_alloc_device(foo, vdev, (&pdev->dev), (&ops))',
    ],
    ['sizeof p->list * 2', '(sizeof(p->list) * 2)'],
    ['sizeof(struct foo *)', 'sizeof(struct foo *)'],
    ['sizeof(unsigned int)', 'sizeof(int)'],
    ['sizeof(name)', 'sizeof(name)'],
    // Initialisers.
    [
      '(struct foo){ .a = 1, .b.c = f(), [2] = 3, [4 ... 5] = 6, 7 }',
      '((struct foo){ .a = 1, .b.c = f(), [] = 3, [] = 6, 7 })',
    ],
    ['(int[]){ 1, 2 }', '((int[]){ 1, 2 })'],
    // GNU.
    ['({ int t = f(); t; })', '({ int t = f(); t })'],
    ['__extension__ (a)', 'a'],
    ['&&out', '(&(&out))'],
    // Not understood.
    ['_Generic(a, int: f(a), default: g(a))', '?<a f a g a>calls<f g>'],
  ])('%s', (source, expected) => {
    expect(printedExpression(source)).toBe(expected);
  });

  test.each<[source: string, value: number | null]>([
    ['0', 0],
    ['12UL', 12],
    ['0x10', 16],
    ['010', 8],
    ['0b101', 5],
    ["'a'", 97],
    ['true', 1],
    ['false', 0],
    ['1.5', null],
    ["'\\n'", null],
    ['0xffffffffffffffff', null],
  ])('the number %s is %s', (source, value) => {
    expect(expression(source)).toMatchObject({ kind: 'number', value });
  });

  test('keeps its own span without the parentheses around it', () => {
    const text = 'void f(void) { x = ((a + b)); }';
    const stmt = lower(text).functions[0]?.body.body[0];
    expect(stmt).toMatchObject({
      expr: { value: { start: text.indexOf('a + b'), end: text.indexOf('a + b') + 5 } },
    });
  });

  test('a call has the span of its argument list', () => {
    const text = 'void f(void) { g (a, b); }';
    const stmt = lower(text).functions[0]?.body.body[0];
    expect(stmt).toMatchObject({
      expr: { name: 'g', argsSpan: { start: text.indexOf('(a'), end: text.indexOf('; }') } },
    });
  });

  test('a type as an argument has the span of the whole type in the original text', () => {
    const text = 'void f(void) { g(container_of(v, struct foo, vdev)); }';
    const stmt = lower(text).functions[0]?.body.body[0];
    const start = text.indexOf('struct foo');
    expect(stmt).toMatchObject({
      expr: {
        args: [{ args: [{}, { kind: 'type', start, end: start + 'struct foo'.length }, {}] }],
      },
    });
  });
});
