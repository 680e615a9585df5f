/** Drivers that the rule suppressions reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, FOO, PROBE, REMOVE } from './examples.ts';
import { INVALID, UNUSED, WITHOUT_REASON } from './suppressions.ts';

/** A correct driver whose remove has a comment before its last put. */
function commented(comment: string): string {
  return `${FOO}${PROBE}${REMOVE.replace('\tvfio_put_device', `\t${comment}\n\tvfio_put_device`)}${DRIVER}`;
}

/** A comment in that place with a part of it marked. */
function marked(comment: string, part: string, rule: string): string {
  return commented(
    `${comment}\n//${' '.repeat(6 + comment.indexOf(part))}${'^'.repeat(part.length)} ${rule}`,
  );
}

/**
 * A driver whose remove has no put, because something else puts the device; the comment is above
 * the function.
 */
function allowed(comment: string): string {
  return `${FOO}${PROBE}\n${comment}${REMOVE.replace('\tvfio_put_device(&foo->vdev);\n', '')}${DRIVER}`;
}

const KERNEL = '6.2';
const RIGHT =
  '/* vfio-lifecycle: allow(missing-put): foo_bus drops the reference when the device is gone */';
const OF_TWO = '/* vfio-lifecycle: allow(missing-put, double-put): foo_bus drops the reference */';
const SILENT = [
  { title: 'A comment before the function, with a reason', kernel: KERNEL, code: allowed(RIGHT) },
  {
    title: 'A line comment',
    kernel: KERNEL,
    code: allowed('// vfio-lifecycle: allow(missing-put): foo_bus drops the reference'),
  },
  {
    title: 'A reason over several lines',
    kernel: KERNEL,
    code: allowed(
      '/*\n * vfio-lifecycle: allow(missing-put): the bus of this device\n * drops the reference when the device is gone.\n */',
    ),
  },
  {
    title: 'A list and a reason over several line comments',
    kernel: KERNEL,
    code: allowed(
      '// vfio-lifecycle: allow(missing-put,\n//                       unused-suppression):\n// foo_bus drops the reference',
    ),
  },
  {
    title: 'Two of them in one comment',
    kernel: KERNEL,
    code: allowed(
      '/*\n * vfio-lifecycle: allow(missing-put): the bus drops the reference\n * vfio-lifecycle: allow(unused-suppression): not in every kernel\n */',
    ),
  },
  {
    title: 'Attributes and a test of the configuration before the function',
    kernel: KERNEL,
    code: `${allowed(`${RIGHT}\n#ifdef CONFIG_FOO\n__attribute__((cold))`)}#endif\n`,
  },
  {
    title: 'A comment that speaks of the tool',
    kernel: KERNEL,
    code: commented('/* Checked with vfio-lifecycle: no finding is allowed here. */'),
  },
];

/** Examples of the rules about suppression comments. */
export const invalidSuppressionExamples: Rule['examples'] = {
  bad: [
    {
      title: 'A wrong letter',
      kernel: KERNEL,
      code: marked(
        '/* vfio-lifecycle: allow(mising-put): foo_bus puts it */',
        'mising-put',
        INVALID,
      ),
    },
    {
      title: 'A wrong letter in the keyword',
      kernel: KERNEL,
      code: marked(
        '/* vfio-lifecyle: allow(missing-put): foo_bus puts it */',
        '/* vfio-lifecyle: allow(missing-put): foo_bus puts it */',
        INVALID,
      ),
    },
    {
      title: 'No keyword',
      kernel: KERNEL,
      code: marked(
        '/* allow(missing-put): foo_bus puts it */',
        '/* allow(missing-put): foo_bus puts it */',
        INVALID,
      ),
    },
    {
      title: 'Another word',
      kernel: KERNEL,
      code: marked(
        '/* vfio-lifecycle: ignore(missing-put): foo_bus puts it */',
        '/* vfio-lifecycle: ignore(missing-put): foo_bus puts it */',
        INVALID,
      ),
    },
    {
      title: 'No rule',
      kernel: KERNEL,
      code: marked(
        '// vfio-lifecycle: allow: foo_bus puts it',
        '// vfio-lifecycle: allow: foo_bus puts it',
        INVALID,
      ),
    },
  ],
  good: SILENT,
};

export const suppressionWithoutReasonExamples: Rule['examples'] = {
  bad: [
    '/* vfio-lifecycle: allow(missing-put) */',
    '/* vfio-lifecycle: allow(missing-put): */',
    '// vfio-lifecycle: allow(missing-put, double-put):',
    '/* vfio-lifecycle: allow(missing-put): * */',
    '// vfio-lifecycle: allow(missing-put): ...',
  ].map((comment, i) => ({
    title: [
      'Nothing after the rule',
      'A colon and nothing after it',
      'Two rules and no reason',
      'An asterisk',
      'Dots',
    ][i]!,
    kernel: KERNEL,
    code: marked(comment, comment, WITHOUT_REASON),
  })),
  good: SILENT,
};

export const unusedSuppressionExamples: Rule['examples'] = {
  bad: [
    {
      title: 'The defect is gone',
      kernel: KERNEL,
      code: marked(RIGHT, RIGHT, UNUSED),
      fixed: commented('').replace('\t\n', ''),
    },
    { title: 'Neither of two rules', kernel: KERNEL, code: marked(OF_TWO, OF_TWO, UNUSED) },
    {
      title: 'One of two rules',
      kernel: KERNEL,
      code: allowed(OF_TWO.replace('/* ', '\t/* ')).replace(
        OF_TWO,
        `${OF_TWO}\n//${' '.repeat(6 + OF_TWO.indexOf('double-put'))}${'^'.repeat('double-put'.length)} ${UNUSED}`,
      ),
    },
  ],
  good: [
    ...SILENT,
    {
      title: 'A rule that does not look for anything in this kernel',
      kernel: KERNEL,
      code: commented(
        '/* vfio-lifecycle: allow(missing-uninit): needed up to 6.0, where the core does not do it */',
      ),
    },
    {
      title: 'A comment that is needed for another kernel, and says so',
      kernel: KERNEL,
      code: commented(
        '/* vfio-lifecycle: allow(double-put, unused-suppression): 6.1 counts otherwise */',
      ),
    },
  ],
};
