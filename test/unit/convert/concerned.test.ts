/** Which init calls a request is about, whatever was asked of the module before. */
import { expect, test } from 'vitest';
import { initsConcerning } from '../../../server/src/convert/modules/concerned.ts';
import { factsOf } from '../../support/analyse.ts';

/** A driver whose probe initialises a device of its own. */
function driver(name: string): string {
  return `struct ${name} {\n\tstruct vfio_device vdev;\n};\nstatic int ${name}_probe(struct device *dev)\n{\n\tstruct ${name} *${name} = kzalloc(sizeof(*${name}), GFP_KERNEL);\n\n\tvfio_init_group_dev(&${name}->vdev, dev, &${name}_ops);\n\treturn 0;\n}\n`;
}

test('each document and each function has its own', () => {
  const { module, kernel } = factsOf(
    { 'one.c': driver('foo') + driver('bar'), 'two.c': driver('baz') },
    '6.1',
  );
  const [one, two] = module.sources;
  const found = (file: typeof one, functionName?: string): readonly string[] =>
    initsConcerning({ input: { module, kernel }, file: file!, functionName }).map(
      ({ fn }) => fn.name,
    );
  for (let round = 0; round < 2; round++) {
    expect(found(one)).toEqual(['foo_probe', 'bar_probe']);
    expect(found(one, 'foo_probe')).toEqual(['foo_probe']);
    expect(found(one, 'bar_probe')).toEqual(['bar_probe']);
    expect(found(two)).toEqual(['baz_probe']);
  }
});
