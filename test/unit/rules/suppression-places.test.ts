/** What a suppression comment covers, with directives and attributes around it. */
import { describe, expect, it } from 'vitest';
import { analyseText } from '../../support/analyse.ts';
import { LEAKY } from '../../support/drivers.ts';

const HEAD = 'static int foo_probe';
const BEHIND = '\nstatic void foo_remove';
const RETURN = '\t\treturn ret;\n';
const ALLOW = '/* vfio-lifecycle: allow(missing-put): the bus drops it */';

/** The rules that speak of the driver with a text before its leaking function. */
function above(text: string, behind = ''): string[] {
  return found(LEAKY.replace(HEAD, text + HEAD).replace(BEHIND, behind + BEHIND));
}

/** The same with a text before its leaking return. */
function before(text: string, behind = ''): string[] {
  return found(LEAKY.replace(RETURN, text + RETURN + behind));
}

function found(code: string): string[] {
  return analyseText(code, '6.1').map(({ rule }) => rule);
}

describe('a comment above a function', () => {
  it.each([
    ['attributes', `${ALLOW}\n__attribute__((cold, section(".text;x")))\n`],
    ['words of the kernel', `${ALLOW}\nnoinline __cold\n`],
    ['kernel-doc and a pragma', `${ALLOW}\n/** foo_probe - it; = */\n#pragma GCC push\n`],
  ])('covers it over %s', (_, text) => expect(above(text)).toEqual([]));

  it('covers it over a test that may hold, or that holds', () => {
    for (const test of ['ifdef CONFIG_FOO', 'if 1', 'ifndef FOO \\\n // two lines'])
      expect(above(`${ALLOW}\n#${test}\n`, '#endif\n')).toEqual([]);
    expect(above(`#if 1\n${ALLOW}\n#endif\n`)).toEqual([]);
  });

  it('does nothing, and is no mistake, where no compiler sees it', () => {
    expect(above(`#if 0\n${ALLOW}\n#endif\n`)).toEqual(['missing-put']);
    expect(above(`#if 1\n#else\n${ALLOW}\n#endif\n`)).toEqual(['missing-put']);
    const late = `#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)\n${ALLOW}\n#endif\n`;
    expect(above(late)).toEqual(['missing-put']);
  });

  it.each(['int x;\n', 'struct y {\n\tint x;\n};\n', '#define X 1\n', 'static int z = 1;\n'])(
    'covers no function behind %j',
    (text) =>
      expect(above(`${ALLOW}\n${text}`).sort()).toEqual(['missing-put', 'unused-suppression']),
  );
});

describe('a comment above a line', () => {
  it('covers it over a test of the configuration', () => {
    expect(before(`${ALLOW}\n#ifdef CONFIG_FOO\n`, '#endif\n')).toEqual([]);
    expect(before(`#if 0\n${ALLOW}\n#endif\n`)).toEqual(['missing-put']);
  });

  it('of several names covers it, each form for its rules', () => {
    expect(
      before(
        `\t\t/*\n\t\t * vfio-lifecycle: allow(double-put,\n\t\t *   missing-put): why\n\t\t */\n`,
      ),
    ).toEqual(['unused-suppression']);
    expect(before(`\t\t// vfio-lifecycle: allow(missing-put):\n\t\t// the bus drops it\n`)).toEqual(
      [],
    );
    expect(
      before(`\t\t// vfio-lifecycle: allow(missing-put)\n\t\t// the bus drops it\n`).sort(),
    ).toEqual(['missing-put', 'suppression-without-reason']);
  });
});
