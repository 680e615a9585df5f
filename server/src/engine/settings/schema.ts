/**
 * The settings as JSON Schema: what editors complete and check, what
 * `schemas/vfio-lifecycle.schema.json` and package.json hold
 * (a test writes and compares them), and what `validate()` reads. One table, so that none of them
 * says what another does not.
 */
import { rules } from '../../rules/index.ts';
import { ALL, SEVERITY_WORDS } from './rule-settings.ts';
import { ERRORS, OPERATIONS } from './wrappers.ts';

/** The part of JSON Schema that the settings need, with the words that VS Code adds. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly title?: string;
  readonly description?: string;
  readonly markdownDescription?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly markdownEnumDescriptions?: readonly string[];
  readonly pattern?: string;
  readonly patternErrorMessage?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  /** For keys that are no property, by a regular expression. */
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false;
  readonly items?: Schema;
  /** Told apart by `type`. */
  readonly oneOf?: readonly Schema[];
}

/** A severity, as a rule of that default may be given one. */
function severity(markdownDescription: string, standard?: string): Schema {
  return {
    type: 'string',
    enum: SEVERITY_WORDS,
    ...(standard !== undefined && { default: standard }),
    markdownDescription,
  };
}

/** `vfioLifecycle.rules` */
export const RULES_SCHEMA: Schema = {
  type: 'object',
  markdownDescription:
    'How each rule reports, by its id: `error`, `warning`, `information`, `hint` or `off`. `all` means every rule that is not named, and several rules may have commas between them: `{ "missing-put": "warning", "removed-api": "off" }`. A finding that is not certain stays a hint.',
  properties: {
    [ALL]: severity('Every rule that is not named by itself.'),
    ...Object.fromEntries(
      rules.map((rule): [string, Schema] => [rule.id, severity(rule.docs.what, rule.severity)]),
    ),
  },
  patternProperties: { '^[^,]*(,[^,]*)+$': severity('Several rules, with commas between them.') },
  additionalProperties: false,
};

const OPERATION: Schema = {
  type: 'string',
  enum: Object.keys(OPERATIONS),
  markdownEnumDescriptions: Object.values(OPERATIONS).map((one) => one.text),
};

/** One word, or several that happen in this order. */
function operations(markdownDescription: string): Schema {
  return {
    oneOf: [OPERATION, { type: 'array', items: OPERATION, minItems: 1 }],
    markdownDescription,
  };
}

/** `vfioLifecycle.wrappers` */
export const WRAPPERS_SCHEMA: Schema = {
  type: 'array',
  markdownDescription:
    'Functions of a vendor\'s core library that are defined outside of the driver: what each does to a device, so that drivers over that library can be checked: `[{ "name": "acme_core_alloc", "does": "alloc" }]`.',
  items: {
    type: 'object',
    required: ['name', 'does'],
    properties: {
      name: {
        type: 'string',
        pattern: '^[A-Za-z_]\\w*$',
        patternErrorMessage: 'not the name of a C function',
        markdownDescription: 'The name of the function or macro.',
      },
      does: operations('What a successful call does; several things in their order.'),
      argument: {
        type: 'integer',
        minimum: 1,
        maximum: 32,
        default: 1,
        markdownDescription:
          'Which argument is the device, or the structure that holds it, counted from 1.',
      },
      through: {
        type: 'string',
        enum: ['drvdata'],
        markdownEnumDescriptions: [
          'The argument is the parent, such as a `struct pci_dev *`, and its drvdata is the device.',
        ],
        markdownDescription: 'How the argument leads to the device, where it is not the device.',
      },
      out: {
        type: 'integer',
        minimum: 1,
        maximum: 32,
        markdownDescription:
          'Which argument points to the variable that the new device is stored in, counted from 1, where the call does not return it.',
      },
      errors: {
        type: 'string',
        enum: Object.keys(ERRORS),
        markdownEnumDescriptions: Object.values(ERRORS),
        markdownDescription:
          'How the result shows a failure. Without it: `errno` for `register`, `assign-set` and `core-init`, `err-ptr` for `alloc`, `null-ptr` for `allocate`, `errno` with `out`, `void` for the others.',
      },
      onFailure: operations('What has happened although the call failed, such as `put`.'),
    },
    additionalProperties: false,
  },
};

const TARGET_KERNEL = 'The kernel that drivers are checked for and converted to, such as `6.1`.';

/** `.vfio-lifecycle.json` */
export const FILE_SCHEMA: Schema = {
  title: 'VFIO Lifecycle',
  description: 'Settings for a tree of drivers: in the editor, on the command line and in CI.',
  type: 'object',
  properties: {
    $schema: { type: 'string' },
    root: {
      type: 'boolean',
      default: false,
      markdownDescription: 'Settings files in the folders above this one do not count.',
    },
    targetKernel: {
      type: 'string',
      pattern: '^v?\\d{1,3}\\.\\d{1,3}(\\.\\d{1,5}){0,2}([-+_~][\\w.+~:-]{0,64})?$',
      patternErrorMessage: 'not a kernel version such as 6.1',
      markdownDescription: TARGET_KERNEL,
    },
    rules: RULES_SCHEMA,
    wrappers: WRAPPERS_SCHEMA,
    baseline: {
      type: 'string',
      markdownDescription:
        'The file of known findings that `check` hides, relative to this file. `check --update-baseline` writes it.',
    },
  },
  additionalProperties: false,
};

/** `vfioLifecycle.inlayHints` */
export const INLAY_HINTS_SCHEMA: Schema = {
  type: 'boolean',
  default: false,
  markdownDescription:
    'Shows beside the code what the device is after each call of its life cycle, and at returns and labels what is still owed: `return ret; /* owed: vfio_put_device() */`.',
};

/** `vfioLifecycle.codeLens` */
export const CODE_LENS_SCHEMA: Schema = {
  type: 'string',
  enum: ['conversion', 'all', 'off'],
  default: 'conversion',
  markdownEnumDescriptions: [
    'Above a probe of the old model: *Convert to vfio_alloc_device()*.',
    'Also the model and the number of findings above probe, remove, `.init` and `.release`.',
    'Nothing.',
  ],
  markdownDescription: 'What stands above the functions of a driver.',
};

/**
 * The section `vfioLifecycle` of an editor. What a setting of the client says is not for the
 * server, and the target kernel is read with what it may come from.
 */
export const SECTION_SCHEMA: Schema = {
  type: 'object',
  properties: {
    targetKernel: { type: 'string' },
    rules: RULES_SCHEMA,
    wrappers: WRAPPERS_SCHEMA,
    inlayHints: INLAY_HINTS_SCHEMA,
    codeLens: CODE_LENS_SCHEMA,
  },
};
