/**
 * The settings as one valibot schema: what `validate()` checks, the types of what was read, and the
 * JSON Schema that editors complete by (`test/support/json-schema.ts` writes
 * `schemas/vfio-lifecycle.schema.json` and package.json from it).
 */
import {
  array,
  boolean,
  custom,
  exactOptional,
  integer,
  looseObject,
  maxValue,
  metadata,
  minLength,
  minValue,
  never,
  number,
  objectWithRest,
  picklist,
  pipe,
  readonly,
  regex,
  string,
  union,
  type GenericSchema,
  type InferOutput,
  type ObjectEntries,
  type StrictObjectSchema,
} from 'valibot';
import { rules } from '../../rules/index.ts';
import { ALL, SEVERITY_WORDS, type SeverityWord } from './rule-settings.ts';
import { ERROR_WORDS, ERRORS, OPERATION_WORDS, OPERATIONS } from './wrapper-words.ts';

/** For valibot a list is an object too. */
const OBJECT = custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/**
 * An object with these keys and no others. `strictObject()` would report the first other key alone.
 * The message of a key that is not known lists those that are, for `validate()` to propose one.
 */
function closed<const Entries extends ObjectEntries>(
  entries: Entries,
): GenericSchema<unknown, Readonly<InferOutput<StrictObjectSchema<Entries, undefined>>>> {
  return pipe(OBJECT, objectWithRest(entries, never(Object.keys(entries).join(' '))));
}

/** The schema with what an editor shows of it: `text`, which is Markdown, and what else is given. */
function described<Schema extends GenericSchema>(
  schema: Schema,
  text: string,
  more: Readonly<Record<string, unknown>> = {},
): Schema {
  return pipe(schema as GenericSchema, metadata({ markdownDescription: text, ...more })) as never;
}

/** A string of a form; `problem` completes "… is". */
function matching(pattern: RegExp, problem: string) {
  return pipe(string(), regex(pattern, problem), metadata({ patternErrorMessage: problem }));
}

/** A severity, as a rule of that default may be given one. */
function severity(text: string, standard?: string) {
  return exactOptional(
    described(picklist(SEVERITY_WORDS), text, standard === undefined ? {} : { default: standard }),
  );
}

/**
 * `vfioLifecycle.rules`. A key may be a list with commas, so that `ruleSettings()` reads the keys;
 * JSON Schema can say what a list looks like.
 */
export const RULES: GenericSchema<unknown, Readonly<Record<string, SeverityWord>>> = described(
  pipe(
    OBJECT,
    objectWithRest(
      {
        [ALL]: severity('Every rule without an entry of its own.'),
        ...Object.fromEntries(
          rules.map((rule) => [rule.id, severity(rule.docs.what, rule.severity)]),
        ),
      },
      picklist(SEVERITY_WORDS),
    ),
  ) as never,
  'The severity of each rule: `error`, `warning`, `information`, `hint` or `off`. `all` means every other rule, and a list of rules has commas: `{ "missing-put": "warning", "removed-api": "off" }`. An uncertain finding stays a hint.',
  {
    patternProperties: {
      '^[^,]*(,[^,]*)+$': {
        type: 'string',
        enum: SEVERITY_WORDS,
        markdownDescription: 'Several rules, with commas between them.',
      },
    },
    additionalProperties: false,
  },
);

const OPERATION = pipe(
  picklist(OPERATION_WORDS),
  metadata({ markdownEnumDescriptions: Object.values(OPERATIONS).map((one) => one.text) }),
);

/** One word, or several that happen in this order. */
function operations(text: string) {
  return described(
    union([OPERATION, pipe(array(OPERATION), minLength(1, 'the list is empty'), readonly())]),
    text,
  );
}

/** The position of an argument, counted from 1. */
function position(text: string, more: Readonly<Record<string, unknown>> = {}) {
  const outside = ({ input }: { readonly input: number }): string =>
    `${input} is not between 1 and 32`;
  return exactOptional(
    described(
      pipe(
        number(),
        integer(({ input }) => `${input} is no whole number`),
        minValue(1, outside),
        maxValue(32, outside),
      ),
      text,
      more,
    ),
  );
}

const WRAPPER = closed({
  name: described(
    matching(/^[A-Za-z_]\w*$/, 'not the name of a C function'),
    'The name of the function or macro.',
  ),
  does: operations('What a successful call does; several things in their order.'),
  argument: position(
    'Which argument is the device, or the structure that holds it, counted from 1.',
    { default: 1 },
  ),
  through: exactOptional(
    described(
      picklist(['drvdata']),
      'How the argument leads to the device, where it is not the device.',
      {
        markdownEnumDescriptions: [
          'The argument is the parent, such as a `struct pci_dev *`, and its drvdata is the device.',
        ],
      },
    ),
  ),
  out: position(
    'Which argument points to the variable that the new device is stored in, counted from 1, where the call does not return it.',
  ),
  errors: exactOptional(
    described(
      picklist(ERROR_WORDS),
      'How the result shows a failure. Without it: `errno` for `register`, `assign-set` and `core-init`, `err-ptr` for `alloc`, `null-ptr` for `allocate`, `errno` with `out`, `void` for the others.',
      { markdownEnumDescriptions: Object.values(ERRORS) },
    ),
  ),
  onFailure: exactOptional(
    operations('What has happened although the call failed, such as `put`.'),
  ),
});

/** A function as the settings describe it. */
export type Wrapper = InferOutput<typeof WRAPPER>;

const WRAPPERS = described(
  pipe(array(WRAPPER), readonly()),
  'Functions of a vendor\'s core library that are defined outside of the driver: what each does to a device, so that drivers over that library can be checked: `[{ "name": "acme_core_alloc", "does": "alloc" }]`.',
);

/** `.vfio-lifecycle.json` */
export const FILE = pipe(
  closed({
    $schema: exactOptional(string()),
    root: exactOptional(
      described(boolean(), 'Settings files in the folders above this one do not count.', {
        default: false,
      }),
    ),
    targetKernel: exactOptional(
      described(
        matching(
          /^v?\d{1,3}\.\d{1,3}(\.\d{1,5}){0,2}([-+_~][\w.+~:-]{0,64})?$/,
          'not a kernel version such as 6.1',
        ),
        'The kernel that drivers are checked for and converted to, such as `6.1`.',
      ),
    ),
    rules: exactOptional(RULES),
    wrappers: exactOptional(WRAPPERS),
    baseline: exactOptional(
      described(
        string(),
        'The file of known findings that `check` hides, relative to this file. `check --update-baseline` writes it.',
      ),
    ),
  }),
  metadata({
    title: 'VFIO Lifecycle',
    description: 'Settings for a tree of drivers: in the editor, on the command line and in CI.',
  }),
);

/**
 * What the server reads of an editor's section `vfioLifecycle`. The target kernel is read with what
 * it may come from.
 */
const SECTION_ENTRIES = {
  targetKernel: exactOptional(string()),
  rules: exactOptional(RULES),
  wrappers: exactOptional(WRAPPERS),
  codeLens: exactOptional(
    described(
      picklist(['conversion', 'all', 'off']),
      'What is shown above the functions of a driver.',
      {
        default: 'conversion',
        markdownEnumDescriptions: [
          'Above a probe of the old model: *Convert to vfio_alloc_device()*.',
          'Also the model and the number of findings above probe, remove, `.init` and `.release`.',
          'Nothing.',
        ],
      },
    ),
  ),
  inlayHints: exactOptional(
    described(
      boolean(),
      'Shows beside the code what the device is after each call of its life cycle, and at returns and labels what is still owed: `return ret; /* owed: vfio_put_device() */`.',
      { default: false },
    ),
  ),
};

/** The section, in which a setting of the client is not for the server. */
export const SECTION = pipe(OBJECT, looseObject(SECTION_ENTRIES));

/** The settings that package.json declares, by name. */
export const DECLARED: Readonly<Record<string, GenericSchema>> = SECTION_ENTRIES;

/** What either kind of settings says, when what is wrong is gone. */
export type Written = InferOutput<typeof FILE> &
  Pick<InferOutput<typeof SECTION>, 'codeLens' | 'inlayHints'>;
