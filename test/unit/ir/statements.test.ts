import { describe, expect, test } from 'vitest';
import { walkStmt } from '../../../server/src/ir/visit.ts';
import { lower, printed, printedBody } from './lowering.ts';

describe('statements', () => {
  test('if and else, without braces too', () => {
    expect(printedBody('if (a) b(); else if (c) { d(); e(); } else ;')).toMatchInlineSnapshot(`
      "
        if a
          b()
        else
          if c
            d()
            e()
          else
      "
    `);
  });

  test('loops', () => {
    expect(
      printedBody(`
      while (a) { if (b) break; continue; }
      do { c(); } while (--n);
      for (int i = 0, j; i < 3; i++, j--) d(i);
      for (;;) ;
      for (a = 1; ; ) e();`),
    ).toMatchInlineSnapshot(`
        "
          while a
            if b
              break
            continue
          do (--n)
            c()
          for (int i = 0, int j; (i < 3); ((i++), (j--)))
            d(i)
          for (; ; )
          for ((a = 1); ; )
            e()
        "
      `);
  });

  test('loop macros, with their types and members as arguments', () => {
    expect(
      printedBody(`
      list_for_each_entry(p, &x->list, node)
        f(p);
      list_for_each_entry_safe(p, t, &x->list, node) { g(p); }
      for_each_set_bit(i, mask, 8) if (a) break;
      my_iterate(x, y) { h(); }
      list_for_each_fn(x);`),
    ).toMatchInlineSnapshot(`
        "
          loop list_for_each_entry(p, (&x->list), node)
            f(p)
          loop list_for_each_entry_safe(p, t, (&x->list), node)
            g(p)
          loop for_each_set_bit(i, mask, 8)
            if a
              break
          loop my_iterate(x, y)
            h()
          list_for_each_fn(x)
        "
      `);
  });

  test('guards', () => {
    expect(
      printedBody(`
      guard(mutex)(&x->lock);
      scoped_guard(rcu) f();
      scoped_guard(mutex, &x->lock) { g(); }
      scoped_cond_guard(mutex_intr, return -EINTR, &x->lock) { h(); }
      scoped_cond_guard(mutex_try, goto busy, &x->lock) h();
      busy: ;`),
    ).toMatchInlineSnapshot(`
        "
          guard guard(mutex, (&x->lock))
          scoped scoped_guard(rcu)
            f()
          scoped scoped_guard(mutex, (&x->lock))
            g()
          if ?<>
            return (-EINTR)
          else
            scoped scoped_cond_guard(mutex_intr, (&x->lock))
              h()
          if ?<>
            goto busy
          else
            scoped scoped_cond_guard(mutex_try, (&x->lock))
              h()
          busy:
        "
      `);
  });

  test('switch: labels stand among the statements of its block', () => {
    expect(
      printedBody(`
      switch (cmd) {
      case A:
      case B ... C: {
        f();
        break;
      }
      case 1 ... 3:
      case 'a' ... 'f':
        g();
        fallthrough;
      default:
        return -ENOTTY;
      }`),
    ).toMatchInlineSnapshot(`
        "
          switch cmd
            case A:
            case B ... C:
            block
              f()
              break
            case 1 ... 3:
            case 'a' ... 'f':
            g()
            fallthrough
            default:
            return (-ENOTTY)
        "
      `);
  });

  test('labels: before a directive, in a block too', () => {
    expect(
      printedBody(`
      if (x) goto out;
     a: b :
#undef X
      f();
      {
     out:
#if IS_ENABLED(Y)
        g();
#endif
      }
    `),
    ).toMatchInlineSnapshot(`
      "
        if x
          goto out
        a:
        b:
        f()
        block
          out:
          preproc
           arm #if IS_ENABLED(Y)
            g()
           arm #if !(IS_ENABLED(Y))
      "
    `);
  });

  test('a bitmap with an initialiser', () => {
    expect(printedBody('DECLARE_BITMAP(mask, 8) = { 0 };\n f(mask);')).toMatchInlineSnapshot(`
      "
        DECLARE_BITMAP mask = { 0 }
        f(mask)
      "
    `);
  });

  test('labels: two in one place, before a declaration, before the end of the block', () => {
    expect(
      printedBody(`
      goto b;
     a: b:
      f();
     c: {
        g();
      }
     d:
      int x = 1;
      if (x) e: h();
     out:
    `),
    ).toMatchInlineSnapshot(`
      "
        goto b
        a:
        b:
        f()
        c:
        block
          g()
        d:
        int x = 1
        if x
          e:
          h()
        out:
      "
    `);
  });

  test('declarations: one statement for each declarator', () => {
    const text =
      'void f(void) { static const struct foo *p = g(), a[2][3], **q; int (*fp)(int) = h; extern int proto(void); struct s { int a; } v = { 1 }; enum { X } e; typedef int t; }';
    expect(printed(text)).toMatchInlineSnapshot(`
      "
      function void f()
        static struct foo *p = g()
        static struct foo a[][]
        static struct foo **q
        ? *fp = h
        struct s v = { 1 }
        enum ? e
      struct s
        int a
      "
    `);
    const [first, second] = lower(text).functions[0]!.body.body;
    expect(first).toMatchObject({ kind: 'decl', name: 'p' });
    expect(second).toMatchObject({ kind: 'decl', name: 'a' });
    expect(first!.kind === 'decl' && text.slice(first.statement.start, first.statement.end)).toBe(
      'static const struct foo *p = g(), a[2][3], **q;',
    );
    expect(first!.kind === 'decl' && second!.kind === 'decl' && second.statement).toEqual(
      first!.kind === 'decl' && first.statement,
    );
  });

  test('__free belongs to the declarator that carries it', () => {
    expect(printedBody('struct foo *a = f(), *p __free(kfree) = g(), *q __free(put) = NULL, *r;'))
      .toMatchInlineSnapshot(`
      "
        struct foo *a = f()
        struct foo *p __free(kfree) = g()
        struct foo *q __free(put) = NULL
        struct foo *r
      "
    `);
  });

  test('a macro that declares is a call', () => {
    expect(printedBody('static DEFINE_MUTEX(lock);\nDEFINE_WAIT(wait);')).toMatchInlineSnapshot(`
      "
        DEFINE_MUTEX(lock)
        DEFINE_WAIT(wait)
      "
    `);
  });

  test('typeof has no name', () => {
    expect(printedBody('typeof(*p) *a = b; __typeof__(x) c;')).toMatchInlineSnapshot(`
      "
        ? *a = b
        ? c
      "
    `);
  });

  test('asm', () => {
    expect(
      printedBody(`
      asm volatile("nop" : "=r"(a) : "r"(b) : "memory");
      asm goto("1:" : : : : out);
      asm("" : : [b] "Q" (b));
     out: ;`),
    ).toMatchInlineSnapshot(`
       "
         asm <a b>
         asm goto <out>
         asm <b b>
         out:
       "
     `);
  });
});

describe('#if inside a function', () => {
  test('arms are alternatives; without #else the last one is empty', () => {
    expect(
      printedBody(`
#ifdef CONFIG_A
      a();
#elif defined(CONFIG_B) && X > 1
      b();
#else
      c();
#endif
#ifndef CONFIG_D
      d();
#endif`),
    ).toMatchInlineSnapshot(`
  "
    preproc
     arm #if CONFIG_A
      a()
     arm #if !(CONFIG_A) && defined(CONFIG_B) && X > 1
      b()
     arm #if !(CONFIG_A) && !(defined(CONFIG_B) && X > 1)
      c()
    preproc
     arm #if !(CONFIG_D)
      d()
     arm #if CONFIG_D
  "
`);
  });

  test('around case labels and around declarations', () => {
    expect(
      printedBody(`
#if IS_ENABLED(CONFIG_A)
      int x;
#endif
      switch (y) {
#ifdef CONFIG_B
      case 1:
        f();
        break;
#endif
      default: ;
      }`),
    ).toMatchInlineSnapshot(`
        "
          preproc
           arm #if IS_ENABLED(CONFIG_A)
            int x
           arm #if !(IS_ENABLED(CONFIG_A))
          switch y
            preproc
             arm #if CONFIG_B
              case 1:
              f()
              break
             arm #if !(CONFIG_B)
            default:
        "
      `);
  });

  test('without an end hides control flow', () => {
    expect(printedBody('a();\n#if X\nb();')).toMatchInlineSnapshot(`
      "
      opaque
        a()
        preproc
         arm #if X
          b()
         arm #if !(X)
        unknown opaque <>
      "
    `);
  });

  test('around half a statement: the function is opaque and says what was not seen', () => {
    expect(
      printedBody(`
#ifdef CONFIG_A
      if (a)
#else
      if (vfio_put_device(b))
#endif
        c();
      d();`),
    ).toMatchInlineSnapshot(`
        "
        opaque
          if a
            c()
          unknown opaque <vfio_put_device b> calls <vfio_put_device>
          d()
        "
      `);
    expect(
      printedBody(`
      if (a) {
        b();
#ifdef CONFIG_A
      } else {
        c();
#endif
      }
      d();`),
    ).toMatchInlineSnapshot(`
        "
        opaque
          if a
            b()
          else
            c()
          unknown opaque <>
          d()
        "
      `);
    expect(
      printedBody(`
      f(a,
#ifdef CONFIG_A
        g(b),
#endif
        c);`),
    ).toMatchInlineSnapshot(`
          "
          opaque
            f(a, g(b), c)
            unknown opaque <>
          "
        `);
  });
});

describe('text that is being typed', () => {
  test('a missing semicolon leaves the function whole', () => {
    expect(printedBody('a();\nreturn -ENOMEM')).toMatchInlineSnapshot(`
      "
        a()
        return (-ENOMEM)
      "
    `);
  });

  test('an unfinished call is not understood, the rest is', () => {
    expect(printedBody('\ta();\n\tfoo(x,\n\tb();\n\tc();')).toMatchInlineSnapshot(`
      "
        a()
        unknown <foo x> calls <foo>
        b()
        c()
      "
    `);
  });

  test('an unfinished condition controls nothing yet, an unfinished return hides control flow', () => {
    expect(printedBody('\ta();\n\tif (vdev->\n\tb();')).toMatchInlineSnapshot(`
      "
        a()
        unknown <>
        b()
      "
    `);
    expect(printedBody('\ta();\n\treturn f(\n\tb();')).toMatchInlineSnapshot(`
      "
      opaque
        a()
        unknown opaque <f> calls <f>
        b()
      "
    `);
  });

  test('an unfinished member access is not understood, the rest is', () => {
    expect(printedBody('a();\nif (vdev->) {\n}\nc();')).toMatchInlineSnapshot(`
      "
        a()
        if ?<vdev>
        c()
      "
    `);
  });

  test('a missing brace makes one function opaque; what follows it still belongs to the file', () => {
    expect(
      printed(
        'void f(void)\n{\n\tif (x) {\n\t\ta();\n}\n\nint g(void)\n{\n\treturn 0;\n}\n\nstatic const struct ops o = { .a = g };\ntypedef int t;\n#define G g()\n',
      ),
    ).toMatchInlineSnapshot(`
      "
      typedef t = int
      function opaque void f()
        if x
          a()
      function int g()
        return 0
      variable static const struct ops o = { .a = g }
      macro G = g()
      "
    `);
  });

  test('a missing brace is where the indentation says', () => {
    const brace = '\tif (x) {\n\t\ta();\n\tdo {\n\t\tb();\n\twhile (y);\n\tc();';
    expect(printedBody(brace)).toMatchInlineSnapshot(`
      "
        if x
          a()
          unknown <>
        do y
          b()
          unknown <>
        c()
      "
    `);
    expect(printedBody('\tif (x) {\n\t\ta();\n\t\treturn;')).toMatchInlineSnapshot(`
      "
        if x
          a()
          return
          unknown <>
      "
    `);
    // The case labels of a switch are beside it.
    const labels = '\tswitch (x) {\n\tcase 1:\n\t\tif (y) {\n\t\t\ta();\n\tcase 2:\n\t\tb();\n\t}';
    expect(printedBody(labels)).toMatchInlineSnapshot(`
      "
        switch x
          case 1:
          if y
            a()
            unknown <>
          case 2:
          b()
      "
    `);
    // There is no room for the brace: the parser would take the call for a declaration.
    expect(printedBody('\tif (x) {\n\t\ta();')).toMatchInlineSnapshot(`
      "
      opaque
        if x
          a()
      "
    `);
  });

  test('a word, a type or a call that is being typed may become the call that is missing', () => {
    for (const line of ['vfio_put_dev', 'struct foo', 'vfio_put_device(&foo'])
      expect(hiddenBy(line)).toBe('call');
    for (const line of ['if (foo->', 'for (', 'while (foo']) expect(hiddenBy(line)).toBe('test');
    for (const line of ['foo->bar =', 'ret =']) expect(hiddenBy(line)).toBe(undefined);
  });

  test('a stray else hides control flow', () => {
    expect(printedBody('a();\nelse b();\nc();')).toMatchInlineSnapshot(`
      "
      opaque
        a()
        unknown opaque <b> calls <b>
        c()
      "
    `);
  });
});

/** What a line in the middle of a function may hide. */
function hiddenBy(line: string): string | undefined {
  const file = lower(`void f(void)\n{\n\ta();\n\t${line}\n\n\tb();\n}\n`);
  const found: (string | undefined)[] = [];
  walkStmt(file.functions[0]!.body, (stmt) => {
    if (stmt.kind === 'unknown') found.push(stmt.hides);
  });
  expect(found).toHaveLength(1);
  return found[0];
}
