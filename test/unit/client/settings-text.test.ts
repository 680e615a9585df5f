import { expect, test } from 'vitest';
import { withSeverity } from '../../../client/src/settings-text.ts';

test.each([
  ['a new file', undefined, '{\n  "rules": {\n    "missing-put": "off"\n  }\n}\n'],
  ['an empty object', '{}\n', '{\n  "rules": {\n    "missing-put": "off"\n  }\n}\n'],
  [
    'other settings, indented by tabs, in their order',
    '{\n\t"targetKernel": "6.6",\n\t"rules": {\n\t\t"double-put": "hint"\n\t}\n}\n',
    '{\n\t"targetKernel": "6.6",\n\t"rules": {\n\t\t"double-put": "hint",\n\t\t"missing-put": "off"\n\t}\n}\n',
  ],
  [
    'a severity that was there',
    '{ "rules": { "missing-put": "error", "double-put": "hint" }, "targetKernel": "6.6" }',
    '{ "rules": { "missing-put": "off", "double-put": "hint" }, "targetKernel": "6.6" }',
  ],
  [
    'line ends of Windows and four blanks',
    '{\r\n    "rules": {}\r\n}\r\n',
    '{\r\n    "rules": {\r\n        "missing-put": "off"\r\n    }\r\n}\r\n',
  ],
])('%s', (_, before, after) => {
  expect(withSeverity(before, 'missing-put', 'off')).toBe(after);
});

test.each(['{ "rules": ', '[]', '"off"', '{ "rules": [] }', '{ "rules": "off" }'])(
  'is left to a person where it is no settings file: %s',
  (text) => {
    expect(withSeverity(text, 'missing-put', 'off')).toBeUndefined();
  },
);
