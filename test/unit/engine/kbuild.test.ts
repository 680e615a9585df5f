import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  includedMakefiles,
  moduleObjects,
  parseKbuild,
  wildcardFolders,
} from '../../../server/src/engine/project/kbuild.ts';
import { matcherOf } from '../../../server/src/engine/project/make-functions.ts';

const cases: { title: string; makefile: string; object: string; objects: string[] }[] = [
  {
    title: 'a composite',
    makefile: 'obj-m += foo.o\nfoo-y := main.o cmd.o\n',
    object: 'main',
    objects: ['main', 'cmd'],
  },
  {
    title: 'foo-objs',
    makefile: 'obj-m := foo.o\nfoo-objs := main.o cmd.o',
    object: 'cmd',
    objects: ['main', 'cmd'],
  },
  {
    title: 'an optional object',
    makefile: 'foo-y := main.o\nfoo-$(CONFIG_FOO_DEBUG) += debug.o\n',
    object: 'main',
    objects: ['main', 'debug'],
  },
  {
    title: 'continuation lines',
    makefile: 'foo-y := main.o \\\n\tcmd.o \\\n\tmig.o\n',
    object: 'mig',
    objects: ['main', 'cmd', 'mig'],
  },
  {
    title: 'CRLF',
    makefile: 'foo-y := main.o \\\r\n  cmd.o\r\n',
    object: 'main',
    objects: ['main', 'cmd'],
  },
  { title: 'a comment', makefile: 'foo-y := main.o # cmd.o\n', object: 'main', objects: ['main'] },
  {
    title: 'a variable in the list',
    makefile: 'OBJS = main.o cmd.o\nfoo-y := $(OBJS)\n',
    object: 'main',
    objects: ['main', 'cmd'],
  },
  {
    title: 'a variable that names itself',
    makefile: 'A = $(A) main.o\nfoo-y := $(A)\n',
    object: 'main',
    objects: ['main'],
  },
  {
    title: 'objects in sub-folders',
    makefile: 'kvmgt-y := gvt/kvmgt.o gvt/vgpu.o\n',
    object: 'gvt/vgpu',
    objects: ['gvt/kvmgt', 'gvt/vgpu'],
  },
  {
    title: 'the union of two composites',
    makefile: 'a-y := x.o shared.o\nb-y := y.o shared.o\n',
    object: 'shared',
    objects: ['x', 'shared', 'y'],
  },
  {
    title: 'both arms of a conditional',
    makefile: 'ifdef X\nfoo-y := main.o a.o\nelse\nfoo-y := main.o b.o\nendif\n',
    object: 'main',
    objects: ['main', 'a', 'b'],
  },
  {
    title: 'an object of its own',
    makefile: 'obj-$(CONFIG_FOO) += foo.o\n',
    object: 'foo',
    objects: [],
  },
  {
    title: 'an object that is in no list',
    makefile: 'foo-y := main.o\n',
    object: 'other',
    objects: [],
  },
  {
    title: 'obj-y, which is a list of modules',
    makefile: 'obj-y := a.o b.o\n',
    object: 'a',
    objects: [],
  },
  {
    title: 'a list of sources',
    makefile: 'SRCS := main.c cmd.c\nfoo-y := $(SRCS:.c=.o)\n',
    object: 'cmd',
    objects: ['main', 'cmd'],
  },
  {
    title: 'a pattern in a list of sources',
    makefile: 'SRCS := a/main.c a/cmd.c\nfoo-objs := ${SRCS:a/%.c=b/%.o}\n',
    object: 'b/cmd',
    objects: ['b/main', 'b/cmd'],
  },
  {
    title: 'patsubst',
    makefile: 'SRCS := main.c cmd.c\nfoo-y := $(patsubst %.c, %.o, $(SRCS))\n',
    object: 'cmd',
    objects: ['main', 'cmd'],
  },
  {
    title: 'addprefix',
    makefile: 'foo-y := $(addprefix hw/,main.o cmd.o)\n',
    object: 'hw/cmd',
    objects: ['hw/main', 'hw/cmd'],
  },
  {
    title: 'functions in functions',
    makefile: 'foo-y := $(addprefix hw/,$(addsuffix .o,main $(sort cmd cmd)))\n',
    object: 'hw/cmd',
    objects: ['hw/main', 'hw/cmd'],
  },
  {
    title: 'notdir and subst',
    makefile: 'foo-y := $(subst .c,.o,$(notdir src/main.c src/cmd.c))\n',
    object: 'cmd',
    objects: ['main', 'cmd'],
  },
  {
    title: 'wildcard',
    makefile: 'foo-y := $(patsubst $(src)/%.c,%.o,$(wildcard $(src)/foo_*.c))\n',
    object: 'foo_b',
    objects: ['foo_a', 'foo_b'],
  },
  {
    title: 'wildcard in a folder',
    makefile: 'foo-y := main.o $(patsubst %.c,%.o,$(wildcard hw/?.c))\n',
    object: 'hw/x',
    objects: ['main', 'hw/x'],
  },
  {
    title: 'the folder of the makefile',
    makefile: 'foo-y := $(src)/main.o $(PWD)/cmd.o\n',
    object: 'cmd',
    objects: ['main', 'cmd'],
  },
  {
    title: 'filter and filter-out',
    makefile:
      'OBJS := main.o cmd.o test_a.o x.c\nfoo-y := $(filter %.o,$(filter-out test_%,$(OBJS)))\n',
    object: 'cmd',
    objects: ['main', 'cmd'],
  },
  {
    title: 'a function that nobody knows',
    makefile: 'foo-y := main.o $(eval x.o,x.o) $(call f,$$x) cmd.o\n',
    object: 'cmd',
    objects: ['main', 'cmd'],
  },
];

/** The files of the folder of these makefiles. */
const FILES = ['foo_a.c', 'foo_b.c', 'bar.c', 'foo_c.h', 'hw/x.c', 'hw/long.c'];
const parse = (makefile: string): ReturnType<typeof parseKbuild> =>
  parseKbuild(makefile, (pattern) =>
    FILES.filter(matcherOf(pattern)).map((one) => (pattern.startsWith('./') ? `./${one}` : one)),
  );

it.each([
  ['*.c', ['foo_a.c', 'foo_b.c', 'bar.c']],
  ['./foo_?.*', ['foo_a.c', 'foo_b.c', 'foo_c.h']],
  ['hw/*', ['hw/x.c', 'hw/long.c']],
  ['*a*a*', []],
  ['*r*.c', ['bar.c']],
  ['', []],
])('the pattern %j', (pattern, expected) =>
  expect(FILES.filter(matcherOf(pattern))).toEqual(expected),
);

it('the makefiles that one includes, and the folders that it looks through', () => {
  expect(
    includedMakefiles(
      'include files.mk $(src)/more.mk\n-include $(KDIR)/.config\n# include no.mk\nincluded := x\n',
    ).flatMap((one) => one.names),
  ).toEqual(['files.mk', 'more.mk']);
  expect(
    wildcardFolders(
      'A := $(wildcard $(src)/*.c hw/*.c) $(wildcard *.c)\nB := ${wildcard hw/x/*.c}\n',
    ),
  ).toEqual(['.', 'hw', 'hw/x']);
});

describe('the objects of a module', () => {
  it('are found beside variables that come to more than there is room for', () => {
    const bomb = Array.from({ length: 9 }, (_, i) => `V${i} = ${`$(V${i + 1}) `.repeat(40)}`).join(
      '\n',
    );
    const found = parseKbuild(
      `foo-y := main.o cmd.o\n${bomb}\nV9 = x.o\nbar-y := $(V0)\nbaz-y := $(V1)\n`,
    );
    expect(moduleObjects(found, 'main')).toEqual(['main', 'cmd']);
  });

  it.each(cases)('$title', ({ makefile, object, objects }) => {
    expect(moduleObjects(parse(makefile), object)).toEqual(objects);
  });

  it('reads the include path', () => {
    const makefile =
      'ccflags-y += -I$(src)/include -I $(srctree)/drivers/vfio\nsubdir-ccflags-y := -I$(srctree)/$(src) -I../common -I$(OTHER)/x\n';
    expect(parseKbuild(makefile).includeFolders).toEqual([
      'include',
      '/drivers/vfio',
      '.',
      '../common',
    ]);
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(
            'a',
            '-y',
            ' := ',
            '.o ',
            '\\',
            '\n',
            '$(',
            ')',
            'patsubst ',
            'wildcard ',
            ',',
            '%',
            ':',
            '$',
            '#',
            '+=',
            '\t',
            '\0',
          ),
        }),
        (text) => {
          parseKbuild(text);
        },
      ),
    );
  });
});
