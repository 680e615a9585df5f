import { expect, test } from 'vitest';
import { convertText, plan, readFixture } from './support.ts';

const NAME = 'helper-creates.c';
const SOURCE = readFixture(NAME);
const CALL = `	kiln = kiln_create(&mdev->dev, KILN_COLD);
	if (!kiln)
		return -ENOMEM;
`;

function changed(from: string, to: string): string {
  if (!SOURCE.includes(from)) throw new Error(`the fixture has no ${from}`);
  return SOURCE.replace(from, to);
}

test.each<[what: string, from: string, to: string, reason: RegExp]>([
  [
    'a caller that tests later',
    CALL,
    CALL.replace('	if (', '	dev_info(&mdev->dev, "hot\\n");\n	if ('),
    /kiln_probe\(\) does not test `!kiln` in the statement after its call/,
  ],
  [
    'a caller that goes on',
    CALL,
    CALL.replace('return -ENOMEM', 'dev_info(&mdev->dev, "cold\\n")'),
    /does not test `!kiln`.* and return/,
  ],
  [
    'a caller that tests something else as well',
    CALL,
    CALL.replace('!kiln', '!kiln || kiln_count > 9'),
    /does not test `!kiln`/,
  ],
  [
    'a caller that tests it twice',
    CALL,
    `${CALL}	if (!kiln)\n		return -EIO;\n`,
    /tested for NULL once more/,
  ],
  [
    'a caller that keeps the result elsewhere',
    CALL,
    CALL.replace('kiln = kiln_create(', 'kiln_last = kiln_create('),
    /into a local variable/,
  ],
  [
    'a caller that uses the object when there is none',
    '		goto out;\n	ret = vfio',
    '		goto out_destroy;\n	ret = vfio',
    /`kiln` is used at line \d+ .*when kiln_create\(\) has failed too/,
  ],
  [
    'a caller that returns NULL itself',
    'static int kiln_probe(',
    'static void *kiln_any(struct device *dev)\n{\n	return kiln_create(dev, 1);\n}\n\nstatic int kiln_probe(',
    /kiln_any\(\) does not get its result in a statement of its own/,
  ],
  [
    'a caller that only asks',
    'static int kiln_probe(',
    'static bool kiln_works(struct device *dev)\n{\n	return kiln_create(dev, 1) != NULL;\n}\n\nstatic int kiln_probe(',
    /kiln_works\(\) does not get its result/,
  ],
  [
    'callers that nobody sees',
    'static int kiln_probe(',
    'EXPORT_SYMBOL(kiln_create);\n\nstatic int kiln_probe(',
    /not all of its callers were found/,
  ],
  [
    'an address that is taken',
    'static int kiln_probe(',
    'static struct kiln_maker kiln_maker = { kiln_create };\n\nstatic int kiln_probe(',
    /not all of its callers/,
  ],
  [
    'a return that may be NULL',
    '	return kiln;\n}\n\nstatic void kiln_destroy',
    '	return heat ? kiln : NULL;\n}\n\nstatic void kiln_destroy',
    /may return NULL, or not/,
  ],
  [
    'a variable that is made NULL',
    '		kfree(kiln);\n		return NULL;',
    '		kfree(kiln);\n		kiln = NULL;\n		return kiln;',
    /makes kiln_create\(\) return NULL by its variable/,
  ],
  [
    'a label that returns the variable',
    '	if (!kiln)\n		return NULL;\n',
    '	if (!kiln)\n		goto out;\n',
    /`return kiln;` in kiln_create\(\) may return NULL, or not/,
  ],
])('%s is refused', (what, from, to, reason) => {
  const text = changed(from, to).replace(
    '	return kiln;\n}\n\nstatic void kiln_destroy',
    what.startsWith('a label')
      ? 'out:\n	return kiln;\n}\n\nstatic void kiln_destroy'
      : '	return kiln;\n}\n\nstatic void kiln_destroy',
  );
  const result = plan(NAME, text, [6, 1]);
  if (result.status !== 'refused') throw new Error(result.status);
  expect(result.refusal.reason).toMatch(reason);
  expect(result.refusal.site).not.toBeNull();
});

test.each<[what: string, from: string, to: string, expected: string]>([
  [
    "an error of the caller's own stays",
    CALL,
    CALL.replace('-ENOMEM', '-EIO'),
    '	if (IS_ERR(kiln))\n		return -EIO;\n',
  ],
  [
    'a result that was set before gets the error',
    CALL,
    CALL.replace('	if (!kiln)\n		return -ENOMEM;', '	ret = -ENOMEM;\n	if (!kiln)\n		return ret;').replace(
      '	kiln = kiln_create(&mdev->dev, KILN_COLD);\n	ret = -ENOMEM;\n',
      '	ret = -ENOMEM;\n	kiln = kiln_create(&mdev->dev, KILN_COLD);\n',
    ),
    '	if (IS_ERR(kiln))\n		return PTR_ERR(kiln);\n',
  ],
  [
    'NULL by the variable is an error too',
    '	if (!kiln)\n		return NULL;\n',
    '	if (!kiln)\n		return kiln;\n',
    '	if (IS_ERR(kiln))\n		return kiln;\n',
  ],
])('%s', (_what, from, to, expected) => {
  const { text } = convertText(NAME, changed(from, to), [6, 1]);
  expect(text).toContain(expected);
  expect(text.slice(text.indexOf('*kiln_create('), text.indexOf('kiln_destroy('))).not.toContain(
    'return NULL',
  );
});
