import { expect, it } from 'vitest';
import { createEngine, type Engine } from '../../../server/src/engine/analyse.ts';
import { loadParser } from '../../support/parser.ts';
import { kernel, single } from '../engine/support.ts';

const parser = await loadParser();

/** A driver with one finding, and places for comments around it. */
function driver({ above = '', at = '', below = '' }): string {
  return `/* A driver. */
${above}
static int foo_start(struct vfio_device *vdev)
{
	/* No one looks at the result. */
	${at}
	vfio_register_group_dev(vdev);
	return 0;
}
// The end.
${below}
`;
}

const ALLOWED = '/* vfio-lifecycle: allow(register-result-ignored): a test */';

/** One text after another, as somebody may type them. */
const VERSIONS: readonly string[] = [
  driver({}),
  driver({ at: '/* vfio-lifecycle: allow(register-result-ignored) */' }),
  driver({ at: ALLOWED }),
  driver({ at: ALLOWED, above: '/* Another one. */' }),
  driver({ above: '/* Another one. */' }),
  driver({ at: '/* Another one. */' }),
  driver({ at: '// vfio-lifecycle: allow(register-result-ignored,\n\t// missing-put): a test' }),
  driver({ at: '// vfio-lifecycle: allow(register-result-ignored' }),
  driver({ at: '// missing-put): a test' }),
  driver({ below: ALLOWED }),
  driver({ below: '// A driver.\n// The end.' }),
  driver({}),
];

function said(engine: Engine, text: string): unknown {
  const { findings } = engine.analyse(single(text), {}, kernel('6.2'));
  return findings.map(({ rule, message, site }) => ({ rule, message, site }));
}

it('says of the comments of each version what it says of that version alone', () => {
  const edited = createEngine(parser);
  const rules = new Set<string>();
  for (const text of VERSIONS) {
    const fresh = createEngine(parser);
    expect(said(edited, text)).toEqual(said(fresh, text));
    for (const { rule } of fresh.analyse(single(text), {}, kernel('6.2')).findings) rules.add(rule);
    fresh.dispose();
  }
  edited.dispose();
  expect([...rules].sort()).toEqual([
    'invalid-suppression',
    'register-result-ignored',
    'suppression-without-reason',
    'unused-suppression',
  ]);
});
