import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moduleObjects, parseKbuild } from '../../../server/src/engine/project/kbuild.ts';

const cases: { title: string; makefile: string; object: string; objects: string[] }[] = [
  { title: 'a composite', makefile: 'obj-m += foo.o\nfoo-y := main.o cmd.o\n', object: 'main', objects: ['main', 'cmd'] },
  { title: 'foo-objs', makefile: 'obj-m := foo.o\nfoo-objs := main.o cmd.o', object: 'cmd', objects: ['main', 'cmd'] },
  { title: 'an optional object', makefile: 'foo-y := main.o\nfoo-$(CONFIG_FOO_DEBUG) += debug.o\n', object: 'main', objects: ['main', 'debug'] },
  { title: 'continuation lines', makefile: 'foo-y := main.o \\\n\tcmd.o \\\n\tmig.o\n', object: 'mig', objects: ['main', 'cmd', 'mig'] },
  { title: 'CRLF', makefile: 'foo-y := main.o \\\r\n  cmd.o\r\n', object: 'main', objects: ['main', 'cmd'] },
  { title: 'a comment', makefile: 'foo-y := main.o # cmd.o\n', object: 'main', objects: ['main'] },
  { title: 'a variable in the list', makefile: 'OBJS = main.o cmd.o\nfoo-y := $(OBJS)\n', object: 'main', objects: ['main', 'cmd'] },
  { title: 'a variable that names itself', makefile: 'A = $(A) main.o\nfoo-y := $(A)\n', object: 'main', objects: ['main'] },
  { title: 'objects in sub-folders', makefile: 'kvmgt-y := gvt/kvmgt.o gvt/vgpu.o\n', object: 'gvt/vgpu', objects: ['gvt/kvmgt', 'gvt/vgpu'] },
  { title: 'the union of two composites', makefile: 'a-y := x.o shared.o\nb-y := y.o shared.o\n', object: 'shared', objects: ['x', 'shared', 'y'] },
  { title: 'both arms of a conditional', makefile: 'ifdef X\nfoo-y := main.o a.o\nelse\nfoo-y := main.o b.o\nendif\n', object: 'main', objects: ['main', 'a', 'b'] },
  { title: 'an object of its own', makefile: 'obj-$(CONFIG_FOO) += foo.o\n', object: 'foo', objects: [] },
  { title: 'an object that is in no list', makefile: 'foo-y := main.o\n', object: 'other', objects: [] },
  { title: 'obj-y, which is a list of modules', makefile: 'obj-y := a.o b.o\n', object: 'a', objects: [] },
];

describe('the objects of a module', () => {
  it('are found beside variables that come to more than there is room for', () => {
    const bomb = Array.from({ length: 9 }, (_, i) => `V${i} = ${`$(V${i + 1}) `.repeat(40)}`).join('\n');
    const found = parseKbuild(`foo-y := main.o cmd.o\n${bomb}\nV9 = x.o\nbar-y := $(V0)\nbaz-y := $(V1)\n`);
    expect(moduleObjects(found, 'main')).toEqual(['main', 'cmd']);
  });

  it.each(cases)('$title', ({ makefile, object, objects }) => {
    expect(moduleObjects(parseKbuild(makefile), object)).toEqual(objects);
  });

  it('reads the include path', () => {
    const makefile = 'ccflags-y += -I$(src)/include -I $(srctree)/drivers/vfio\nsubdir-ccflags-y := -I$(srctree)/$(src) -I../common -I$(OTHER)/x\n';
    expect(parseKbuild(makefile).includeFolders).toEqual(['include', '/drivers/vfio', '.', '../common']);
  });

  it('takes any text', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', '-y', ' := ', '.o ', '\\', '\n', '$(', ')', '#', '+=', '\t', '\0') }), (text) => {
      parseKbuild(text);
    }));
  });
});
