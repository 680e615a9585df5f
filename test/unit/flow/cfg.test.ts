import { describe, expect, test } from 'vitest';
import { blocksInLoops, buildCfg, successors, type Cfg } from '../../../server/src/flow/cfg.ts';
import { printCfg, printDot } from '../../../server/src/flow/dot.ts';
import { lowered } from './support.ts';

function cfgOf(body: string): { cfg: Cfg; text: string } {
  const file = lowered(`int f(int a, int b)\n{\n${body}\n}\n`);
  return { cfg: buildCfg(file.functions[0]!), text: file.text };
}

/** The graph of a body, with a line break before it for inline snapshots. */
function printed(body: string): string {
  const { cfg, text } = cfgOf(body);
  return `\n${printCfg(cfg, text)}`;
}

describe('the shape of the graph', () => {
  test('goto, forwards and backwards, and two gotos to one label', () => {
    expect(
      printed(`
again:
	if (a)
		goto out;
	if (b)
		goto again;
	x();
out:
	return a;
`),
    ).toMatchInlineSnapshot(`
  "
  b0:
    -> b1
  b1:
    if a -> b2 else b3
  b2:
    goto out
    -> b10
  b3:
    -> b5
  b5:
    if b -> b6 else b7
  b6:
    goto again
    -> b1
  b7:
    -> b9
  b9:
    x()
    -> b10
  b10:
    result a
    return
  "
`);
  });

  test('a goto to no label, and a stray break, leave the function', () => {
    expect(printed('\tgoto nowhere;\n\tx();')).toMatchInlineSnapshot(`
      "
      b0:
        goto nowhere
        return
      "
    `);
    expect(printed('\tbreak;\n\tx();')).toMatchInlineSnapshot(`
      "
      b0:
        return
      "
    `);
  });

  test('while, with break and continue', () => {
    expect(
      printed(`
	while (a) {
		if (b)
			break;
		if (c)
			continue;
		x();
	}
	y();
`),
    ).toMatchInlineSnapshot(`
  "
  b0:
    -> b1
  b1:
    if a -> b2 else b4
  b2:
    if b -> b5 else b6
  b3:
    -> b1
  b4:
    y()
    return
  b5:
    -> b4
  b6:
    -> b8
  b8:
    if c -> b9 else b10
  b9:
    -> b3
  b10:
    -> b12
  b12:
    x()
    -> b3
  "
`);
  });

  test('for, with a declaration, a condition and a step; and for ever', () => {
    expect(printed('\tfor (int i = 0; i < a; i++)\n\t\tx(i);')).toMatchInlineSnapshot(`
      "
      b0:
        i = 0
        -> b1
      b1:
        if i < a -> b2 else b4
      b2:
        x(i)
        -> b3
      b3:
        i++
        -> b1
      b4:
        return
      "
    `);
    expect(printed('\tfor (;;) {\n\t\tif (x())\n\t\t\treturn 1;\n\t}')).toMatchInlineSnapshot(`
      "
      b0:
        -> b1
      b1:
        -> b2
      b2:
        if x() -> b5 else b6
      b3:
        -> b1
      b5:
        result 1
        return
      b6:
        -> b8
      b8:
        -> b3
      "
    `);
  });

  test('do while, whose body runs once before the test', () => {
    expect(printed('\tdo {\n\t\tx();\n\t} while (a);\n\ty();')).toMatchInlineSnapshot(`
      "
      b0:
        -> b1
      b1:
        -> b2
      b2:
        x()
        -> b3
      b3:
        if a -> b2 else b4
      b4:
        y()
        return
      "
    `);
  });

  test('do while (0) with break', () => {
    expect(printed('\tdo {\n\t\tif (a)\n\t\t\tbreak;\n\t\tx();\n\t} while (0);\n\ty();'))
      .toMatchInlineSnapshot(`
      "
      b0:
        -> b1
      b1:
        -> b2
      b2:
        if a -> b5 else b6
      b3:
        -> b4
      b4:
        y()
        return
      b5:
        -> b4
      b6:
        -> b8
      b8:
        x()
        -> b3
      "
    `);
  });

  test('switch: fallthrough, a default in the middle, a range', () => {
    expect(
      printed(`
	switch (a) {
	case 1:
		one();
		fallthrough;
	case 2:
		two();
		break;
	default:
		other();
		break;
	case 4 ... 6:
		many();
	}
	end();
`),
    ).toMatchInlineSnapshot(`
  "
  b0:
    switch a 1: b3 2: b4 4: b8 default: b6
  b1:
    end()
    return
  b3:
    one()
    fallthrough
    -> b4
  b4:
    two()
    -> b1
  b6:
    other()
    -> b1
  b8:
    many()
    -> b1
  "
`);
  });

  test('switch without a default', () => {
    expect(printed('\tswitch (a) {\n\tcase 1:\n\t\tone();\n\t}\n\tend();')).toMatchInlineSnapshot(`
      "
      b0:
        switch a 1: b3 default: b1
      b1:
        end()
        return
      b3:
        one()
        -> b1
      "
    `);
  });

  test('a case inside a loop inside the switch', () => {
    expect(
      printed(
        '\tswitch (a) {\n\tcase 0:\n\t\tdo {\n\t\t\tx();\n\tcase 1:\n\t\t\ty();\n\t\t} while (b);\n\t}',
      ),
    ).toMatchInlineSnapshot(`
      "
      b0:
        switch a 0: b3 1: b8 default: b1
      b1:
        return
      b3:
        -> b4
      b4:
        -> b5
      b5:
        x()
        -> b8
      b6:
        if b -> b5 else b7
      b7:
        -> b1
      b8:
        y()
        -> b6
      "
    `);
  });

  test('short circuits become branches, negation swaps them, the comma runs what stands before it', () => {
    expect(printed('\tif ((a && !b) || c)\n\t\tx();')).toMatchInlineSnapshot(`
      "
      b0:
        if a -> b4 else b3
      b1:
        x()
        -> b5
      b2:
        -> b5
      b3:
        if c -> b1 else b2
      b4:
        if b -> b3 else b1
      b5:
        return
      "
    `);
    expect(printed('\twhile (next(), a || b)\n\t\tx();')).toMatchInlineSnapshot(`
      "
      b0:
        -> b1
      b1:
        next()
        if a -> b2 else b5
      b2:
        x()
        -> b3
      b3:
        -> b1
      b4:
        return
      b5:
        if b -> b2 else b4
      "
    `);
  });

  test('else if', () => {
    expect(printed('\tif (a)\n\t\tx();\n\telse if (b)\n\t\ty();\n\telse\n\t\treturn 1;\n\tz();'))
      .toMatchInlineSnapshot(`
      "
      b0:
        if a -> b1 else b2
      b1:
        x()
        -> b7
      b2:
        if b -> b3 else b4
      b3:
        y()
        -> b6
      b4:
        result 1
        return
      b6:
        -> b7
      b7:
        z()
        return
      "
    `);
  });

  test('#if arms are alternatives; without #else there is an empty one', () => {
    expect(printed('#ifdef A\n\tx();\n#elif defined(B)\n\ty();\n#endif\n\tz();'))
      .toMatchInlineSnapshot(`
      "
      b0:
        choice b1 b2 b3
      b1:
        config A
        x()
        -> b4
      b2:
        config !A B
        y()
        -> b4
      b3:
        config !A !B
        -> b4
      b4:
        z()
        return
      "
    `);
    expect(printed('#ifdef A\n\tx();\n\treturn 1;\n#else\n\ty();\n#endif\n\tz();'))
      .toMatchInlineSnapshot(`
      "
      b0:
        choice b1 b3
      b1:
        config A
        x()
        result 1
        return
      b3:
        config !A
        y()
        -> b4
      b4:
        z()
        return
      "
    `);
  });

  test('a label in an arm: who jumps there is in that arm', () => {
    expect(printed('\tif (a)\n\t\tgoto out;\n#ifdef A\n\tx();\nout:\n\ty();\n#endif\n\tz();'))
      .toMatchInlineSnapshot(`
      "
      b0:
        if a -> b1 else b2
      b1:
        goto out
        -> b6
      b2:
        -> b4
      b4:
        choice b5 b7
      b5:
        config A
        x()
        -> b6
      b6:
        config A
        y()
        -> b8
      b7:
        config !A
        -> b8
      b8:
        z()
        return
      "
    `);
  });

  test('one label in two arms', () => {
    expect(
      printed(
        '\tif (a)\n\t\tgoto out;\n#ifdef A\nout:\n\tx();\n#else\nout:\n\ty();\n#endif\n\tz();',
      ),
    ).toMatchInlineSnapshot(`
      "
      b0:
        if a -> b1 else b2
      b1:
        goto out
        choice b6 b8
      b2:
        -> b4
      b4:
        choice b5 b7
      b5:
        config A
        -> b6
      b6:
        config A
        x()
        -> b9
      b7:
        config !A
        -> b8
      b8:
        config !A
        y()
        -> b9
      b9:
        z()
        return
      "
    `);
  });

  test('a loop macro may run its body any number of times, and gives its cursor a new value each time', () => {
    expect(
      printed(
        '\tlist_for_each_entry(p, &head, node) {\n\t\tif (p->x)\n\t\t\tbreak;\n\t\tx(p);\n\t}\n\ty();',
      ),
    ).toMatchInlineSnapshot(`
      "
      b0:
        -> b1
      b1:
        p
        &head
        node
        choice b2 b4
      b2:
        cursor p, &head, node
        if p->x -> b5 else b6
      b3:
        -> b1
      b4:
        y()
        return
      b5:
        -> b4
      b6:
        -> b8
      b8:
        x(p)
        -> b3
      "
    `);
  });

  test('scoped_guard is a block, guard is nothing that jumps', () => {
    expect(
      printed(
        '\tscoped_guard(mutex, &lock) {\n\t\tif (a)\n\t\t\treturn 1;\n\t}\n\tguard(mutex)(&lock);\n\tx();',
      ),
    ).toMatchInlineSnapshot(`
      "
      b0:
        enter scoped_guard(mutex, &lock)
        if a -> b1 else b2
      b1:
        result 1
        leave scoped_guard(mutex, &lock)
        return
      b2:
        -> b4
      b4:
        leave scoped_guard(mutex, &lock)
        enter guard(mutex, &lock)
        x()
        leave guard(mutex, &lock)
        return
      "
    `);
  });

  test('__free() variables are cleaned up where their scope is left, innermost first', () => {
    expect(
      printed(`
	char *p __free(kfree) = one();
	if (a) {
		char *q __free(kfree) = two();
		if (b)
			return 1;
		x(q);
	}
	return 0;
`),
    ).toMatchInlineSnapshot(`
  "
  b0:
    p = one()
    if a -> b1 else b2
  b1:
    q = two()
    if b -> b3 else b4
  b2:
    -> b7
  b3:
    result 1
    cleanup q
    cleanup p
    return
  b4:
    -> b6
  b6:
    x(q)
    cleanup q
    -> b7
  b7:
    result 0
    cleanup p
    return
  "
`);
  });

  test('__free() and goto, break, continue: what lies between is cleaned up', () => {
    expect(
      printed(`
	while (a) {
		char *p __free(kfree) = one();
		if (b)
			break;
		if (c)
			continue;
		if (d)
			goto out;
	}
out:
	return 0;
`),
    ).toMatchInlineSnapshot(`
  "
  b0:
    -> b1
  b1:
    if a -> b2 else b4
  b2:
    p = one()
    if b -> b5 else b6
  b3:
    -> b1
  b4:
    -> b17
  b5:
    cleanup p
    -> b4
  b6:
    -> b8
  b8:
    if c -> b9 else b10
  b9:
    cleanup p
    -> b3
  b10:
    -> b12
  b12:
    if d -> b13 else b14
  b13:
    goto out
    cleanup p
    -> b17
  b14:
    -> b16
  b16:
    cleanup p
    -> b3
  b17:
    result 0
    return
  "
`);
  });

  test('what nothing reaches is left out of the print', () => {
    expect(printed('\treturn 0;\n\tx();\nunused:\n\ty();')).toMatchInlineSnapshot(`
      "
      b0:
        result 0
        return
      "
    `);
  });

  test('inline assembly and what was not understood stay in their place', () => {
    expect(printed('\tx();\n\tasm volatile("nop" : : "r"(a));\n\ty();')).toMatchInlineSnapshot(`
      "
      b0:
        x()
        unknown asm volatile("nop" : : "r"(a));
        y()
        return
      "
    `);
  });

  test('conditions of the function itself', () => {
    const file = lowered('#ifdef A\nint f(void)\n{\n\treturn 1;\n}\n#endif\n');
    expect(printCfg(buildCfg(file.functions[0]!), file.text)).toBe(
      'b0:\n  config A\n  result 1\n  return\n',
    );
  });
});

test('DOT output names every block and edge once', () => {
  const { cfg, text } = cfgOf('\tif (a)\n\t\tx("\\n");');
  const dot = printDot(cfg, text);
  expect(dot.startsWith('digraph "f" {')).toBe(true);
  for (const block of cfg.blocks) {
    expect(dot.split(`  b${block.id} [label=`)).toHaveLength(2);
    for (const to of successors(block)) expect(dot).toContain(`  b${block.id} -> b${to};`);
  }
});

describe('blocks in loops', () => {
  const loops = (body: string): string => {
    const { cfg, text } = cfgOf(body);
    const inside = blocksInLoops(cfg);
    return cfg.blocks
      .filter((block) => inside.has(block.id))
      .flatMap((block) =>
        block.instrs.map((instr) =>
          instr.kind === 'expr' ? text.slice(instr.expr.start, instr.expr.end) : instr.kind,
        ),
      )
      .join(' ');
  };
  test.each([
    ['nothing loops', '\tx();\n\tif (a)\n\t\ty();', ''],
    ['while', '\tx();\n\twhile (a)\n\t\ty();\n\tz();', 'y()'],
    ['nested', '\tfor (;;) {\n\t\tx();\n\t\twhile (a)\n\t\t\ty();\n\t}', 'x() y()'],
    [
      'backwards goto',
      'again:\n\tx();\n\tif (a) {\n\t\ty();\n\t\tgoto again;\n\t}\n\tz();',
      'x() y() goto',
    ],
    ['do while (0) is none', '\tdo {\n\t\tx();\n\t} while (0);', ''],
    ['a self loop', '\twhile (a)\n\t\t;\n\tx();', ''],
    ['two after another', '\twhile (a)\n\t\tx();\n\ty();\n\twhile (b)\n\t\tz();', 'x() z()'],
  ])('%s', (_, body, expected) => expect(loops(body)).toBe(expected));
});
