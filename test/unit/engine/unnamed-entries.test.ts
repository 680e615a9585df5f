import { describe, expect, it } from 'vitest';
import { unnamedEntries } from '../../../server/src/engine/unnamed-entries.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { CLEAN } from '../../support/drivers.ts';
import { engineWith, kernel, single } from './support.ts';

const engine = await engineWith(rules);
const told = (text: string): string | undefined =>
  unnamedEntries(engine.facts(single(text), kernel('6.1'))!, '/w/a.c');

/** The driver without the struct that names its probe and its remove. */
const BARE = CLEAN.replace(/static struct \w+_driver[^]*?\};\n/, '').replace(
  /^module_\w+\(.*\n/gm,
  '',
);

describe('a probe and a remove', () => {
  it('that no driver struct names are told', () => {
    expect(BARE).not.toBe(CLEAN);
    expect(told(BARE)).toBe(
      'no driver struct here names foo_probe() and foo_remove(): they are taken for its probe and remove',
    );
  });

  it('of which there are two are checked apart', () => {
    const twice = BARE + BARE.replaceAll('foo', 'bar');
    expect(told(twice)).toMatch(/foo_probe\(\) and foo_remove\(\): they are checked apart/);
  });

  it('of a driver struct are not', () => expect(told(CLEAN)).toBeUndefined());

  it('that others may call are not', () =>
    expect(
      told(
        BARE.replaceAll('static int foo_probe', 'int foo_probe').replaceAll(
          'static void foo_remove',
          'void foo_remove',
        ),
      ),
    ).toBeUndefined());

  it('that another function calls are not', () => {
    expect(
      told(
        `${BARE}int foo_start(struct platform_device *p)\n{\n\treturn foo_probe(p);\n}\nvoid foo_stop(struct platform_device *p)\n{\n\tfoo_remove(p);\n}\n`,
      ),
    ).toBeUndefined();
  });
});
