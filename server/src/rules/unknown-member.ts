/** An ops table sets a member that `struct vfio_device_ops` does not have in any release. */
import type { Finding, Rule, RuleContext } from './types.ts';
import { isKnownKernel } from '../kernel/known-kernels.ts';
import { apiMemberHistory, apiMemberNames } from '../kernel/lifecycle-api.ts';
import { isExcluded, macrosOf, undecided } from '../lifecycle/module/preprocessor.ts';
import type { ModuleFacts, OpsTable } from '../lifecycle/types.ts';
import { nearWords } from '../text/near-words.ts';
import { memberSite } from './availability.ts';
import { documentsOf } from './locate.ts';
import { say } from './wording.ts';

const messages = {
  unknown: '{member} is not a member of struct vfio_device_ops in any release',
  misspelt:
    '{member} is not a member of struct vfio_device_ops in any release; did you mean {near}?',
} as const;

export const unknownMember: Rule = {
  id: 'unknown-member',
  severity: 'warning',
  isAbsence: true,
  kernels: {},
  fixable: 'none',
  docs: {
    what: 'An ops table sets a member that `struct vfio_device_ops` does not have in any release.',
    why: 'The driver does not build for any kernel of kernel.org: the name is mistyped, or belongs to another table.',
    instead: 'Use the right member, or move the function to the table that has it.',
    knownProblems:
      'A vendor kernel may have a member of its own. Tables of a struct that the module defines itself are not checked, and nothing is checked for an unknown target kernel.',
    references: ['include/linux/vfio.h of 5.10 to 7.1'],
  },
  examples: {
    bad: [
      {
        title: 'A mistyped member',
        kernel: '6.6',
        code: `static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.open_devise = foo_open_device,
//      ^^^^^^^^^^^^ unknown-member
	.close_device = foo_close_device,
};
`,
      },
      {
        title: 'A member of the table of an mdev driver',
        kernel: '5.14',
        code: `static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.supported_type_groups = foo_type_groups,
//      ^^^^^^^^^^^^^^^^^^^^^^ unknown-member
};
`,
      },
      {
        title: 'A member for migration, which has a table of its own',
        kernel: '6.6',
        code: `static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.migration_get_data_size = foo_data_size,
//      ^^^^^^^^^^^^^^^^^^^^^^^^ unknown-member
};
`,
      },
    ],
    good: [
      {
        title: 'A kernel that is not known',
        kernel: '7.9',
        code: `static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.open_later = foo_open_later,
};
`,
      },
      {
        title: 'Members of other releases are another matter',
        kernel: '6.19',
        code: `static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.open_device = foo_open_device,
	.close_device = foo_close_device,
	.match_token_uuid = foo_match_token,
	.get_region_info_caps = foo_region_info,
};
`,
      },
      {
        title: 'A struct of the driver that has the name',
        kernel: '6.6',
        code: `struct vfio_device_ops {
	char *name;
	int (*warm_up)(struct vfio_device *vdev);
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.warm_up = foo_warm_up,
};
`,
      },
    ],
  },
  messages,
  check,
};

const OPS = 'vfio_device_ops';

function check({ facts, kernel }: RuleContext): Finding[] {
  if (!isKnownKernel(kernel)) return [];
  const isOwn = documentsOf(facts.module).some(({ structs }) =>
    structs.some(({ name }) => name === OPS),
  );
  return isOwn ? [] : facts.opsTables.flatMap((table) => membersOf(facts, table));
}

function membersOf(facts: ModuleFacts, table: OpsTable): Finding[] {
  const macros = macrosOf(facts.module, facts.kernel);
  return [...table.members].flatMap(([member, { span, conditions }]): Finding[] => {
    const all = [...table.variable.conditions, ...conditions];
    // An entry of an array of tables.
    if (!/^\w+$/.test(member)) return [];
    if (apiMemberHistory(OPS, member).length > 0 || isExcluded(all, facts.kernel, macros))
      return [];
    const [near] = nearWords(member, apiMemberNames(OPS), 3);
    return [
      {
        rule: unknownMember.id,
        severity: undecided(all, facts.kernel, macros).length > 0 ? 'hint' : 'warning',
        message:
          near === undefined
            ? say(messages.unknown, { member: `.${member}` })
            : say(messages.misspelt, { member: `.${member}`, near: `.${near}` }),
        site: memberSite(facts, { path: table.path, start: span.start, end: span.end }, member),
        functionName: null,
        related: [],
        fix: null,
      },
    ];
  });
}
