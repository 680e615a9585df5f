import { describe, expect, test } from 'vitest';
import { printExpr } from '../../../server/src/ir/print.ts';
import { calls, exprText, sameExpr, walkExpr, walkStmt } from '../../../server/src/ir/visit.ts';
import { expression, lower } from './lowering.ts';

describe('walkExpr', () => {
  test('visits parents first and children in evaluation order', () => {
    const seen: string[] = [];
    walkExpr(expression('a = f(b, c ? d : e)->g[h]'), (expr) => {
      seen.push(printExpr(expr));
    });
    expect(seen).toEqual([
      '(a = f(b, (c ? d : e))->g[h])',
      'f(b, (c ? d : e))->g[h]',
      'f(b, (c ? d : e))->g',
      'f(b, (c ? d : e))',
      'b',
      '(c ? d : e)',
      'c',
      'd',
      'e',
      'f',
      'h',
      'a',
    ]);
  });

  test('leaves out what is inside when told so, and enters statement expressions', () => {
    const names = (source: string, skip: string): string[] => {
      const found: string[] = [];
      walkExpr(expression(source), (expr) => {
        if (expr.kind === 'name') found.push(expr.name);
        return expr.kind !== skip;
      });
      return found;
    };
    expect(names('f(({ g(a); b; }), sizeof(c))', 'sizeof')).toEqual(['a', 'g', 'b', 'f']);
  });
});

test('calls lists the calls of all statements in source order', () => {
  const fn = lower(`void f(void)
{
	int x = a(b()), y;
	for (y = c(); d(); e()) { if (g()) return h(); }
	switch (i()) { case 1: j(); }
#ifdef X
	k(({ l(); }));
#endif
	list_for_each(m(), n) { o(); }
	p(q)(r());
}
`).functions[0]!;
  expect(calls(fn).map((call) => call.name)).toEqual([
    'a',
    'b',
    'c',
    'd',
    'e',
    'g',
    'h',
    'i',
    'j',
    'k',
    'l',
    'm',
    'o',
    null,
    'p',
    'r',
  ]);
});

test('walkStmt visits every statement, and none below one that is left out', () => {
  const kinds: string[] = [];
  const fn = lower(
    'void f(void) { if (a) { b(); } else while (c) d(); switch (e) { case 1: g(); } }',
  ).functions[0]!;
  walkStmt(fn.body, (stmt) => {
    kinds.push(stmt.kind);
    return stmt.kind !== 'switch';
  });
  expect(kinds).toEqual(['block', 'if', 'block', 'expr', 'loop', 'expr', 'switch']);
});

test('exprText is the source of an expression', () => {
  const text = 'void f(void) { g( a + /* x */ b ); }';
  const stmt = lower(text).functions[0]!.body.body[0]!;
  expect(
    stmt.kind === 'expr' &&
      stmt.expr.kind === 'call' &&
      stmt.expr.args.map((arg) => exprText(text, arg)),
  ).toEqual(['a + /* x */ b']);
});

describe('sameExpr', () => {
  test.each<[a: string, b: string]>([
    ['a', '(a)'],
    ['p->x.y', 'p -> x . y'],
    ['f(a, &b)', 'f( a,&b )'],
    ['0x10', '16'],
    ['(struct foo *)p', '( struct foo* ) p'],
    ['sizeof(*p)', 'sizeof *p'],
    ['a ?: b', 'a?:b'],
    ['container_of(a, struct b, c)', 'container_of(a,struct b,c)'],
    ['(s){ .a = 1 }', '(s) { .a=1 }'],
  ])('%s is %s', (left, right) => {
    expect(sameExpr(expression(left), expression(right))).toBe(true);
  });

  test.each<[a: string, b: string]>([
    ['a', 'b'],
    ['p->x', 'p.x'],
    ['p->x', 'q->x'],
    ['f(a)', 'f(a, b)'],
    ['a + b', 'a - b'],
    ['!a', '~a'],
    ['a++', '++a'],
    ['a ? b : c', 'a ?: c'],
    ['(struct foo *)p', '(struct bar *)p'],
    ['sizeof(struct a)', 'sizeof(a)'],
    ['a += 1', 'a = 1'],
    ['1', '2'],
    ['"a"', '"b"'],
    ['(s){ .a = 1 }', '(s){ .b = 1 }'],
    ['({ a; })', '({ a; })'],
    ['a[1]', 'a[2]'],
    ['f(struct a, b)', 'f(struct c, b)'],
  ])('%s is not %s', (left, right) => {
    expect(sameExpr(expression(left), expression(right))).toBe(false);
  });
});
