import { expect, test } from 'vitest';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { unparsedIn } from '../../../server/src/engine/unparsed.ts';
import { LEAKY, OLD } from '../../support/drivers.ts';
import { engineWith, single } from './support.ts';

const engine = await engineWith(kernelStages.rules);
const parts = (text: string) =>
  unparsedIn(engine, single(text)).map(({ function: name, reason }) => `${name}: ${reason}`);

test.each<[string, string, string[]]>([
  ['a driver that parses', LEAKY, []],
  ['the old model', OLD, []],
  [
    'a brace that is missing',
    LEAKY.replace('\tif (ret)\n\t\treturn ret;\n', '\tif (ret) {\n\t\treturn ret;\n'),
    [
      'foo_probe: a closing brace is missing before line 31, so blocks are read by their indentation',
    ],
  ],
  [
    'a file that ends early',
    LEAKY.slice(0, LEAKY.indexOf('if (ret)') + 6),
    [': lines 18 to 28 do not parse'],
  ],
  [
    'a register between functions',
    `${LEAKY}= vfio_register_group_dev(&foo->vdev) @\n`,
    [': line 47 does not parse'],
  ],
  ['what is no C without the life cycle', `${LEAKY}= foo(bar) @\n`, []],
  [
    'control flow in what is no C',
    LEAKY.replace('\tif (ret)\n', '\tif ret) { @ goto } else\n'),
    ['foo_probe: line 28 does not parse, so not all of its paths are seen'],
  ],
  [
    'a register in what is no C',
    LEAKY.replace('ret = vfio_register', 'ret == = @ vfio_register'),
    ['foo_probe: line 27 does not parse, so not all of its paths are seen'],
  ],
  [
    'a function whose head is no C',
    LEAKY.replace(
      'static int foo_probe(struct mdev_device *mdev)',
      'static int foo_probe(struct mdev_device *mdev',
    ),
    [],
  ],
  [
    'a function without the life cycle',
    `${LEAKY}static int foo_count(void)\n{\n\tif ret) { @ goto } else\n\treturn 0;\n}\n`,
    [],
  ],
])('%s', (_, text, expected) => {
  expect(parts(text)).toEqual(expected);
});
