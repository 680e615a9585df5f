/**
 * The table of hostile inputs: what nobody would write, and what a repository may hold all the
 * same. A row makes its input in any size and says
 * what is done with it; main.ts does that with a size and with twice the size, and compares the
 * work. New inputs go in here.
 */
import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { createEngine, type Engine } from '../../server/src/engine/analyse.ts';
import { fixAll } from '../../server/src/engine/fix.ts';
import { convert, conversionTarget } from '../../server/src/engine/convert.ts';
import { parseKbuild } from '../../server/src/engine/project/kbuild.ts';
import { createModuleLoader } from '../../server/src/engine/project/load.ts';
import { canonicalUri } from '../../server/src/engine/project/paths.ts';
import { kernelsOfHeader } from '../../server/src/engine/project/kernel-tree.ts';
import { detectTarget } from '../../server/src/engine/project/target.ts';
import { createConfigurationFiles } from '../../server/src/engine/settings/read.ts';
import { createNodeFiles } from '../../server/src/lsp/node-files.ts';
import { KERNEL_API } from '../../server/src/engine/pipeline.ts';
import type { FileSystem, ModuleInput, TargetKernel } from '../../server/src/engine/types.ts';
import type { SyntaxParser } from '../../server/src/syntax/node.ts';
import { BAR_H, OLD } from '../support/drivers.ts';
import { temporaryFolder } from '../support/folder.ts';

export interface Hostile {
  readonly name: string;
  /** How many of what is repeated; twice as many are tried too. */
  readonly size: number;
  /** Does what is to be counted. Throws when the answer is wrong. */
  readonly run: (size: number, parser: SyntaxParser) => void | Promise<void>;
  /**
   * How often the work for twice the size may be that for the size. A bound of the work itself
   * makes it 1, a square 4.
   */
  readonly growth?: number;
}

/** A driver that is analysed, with something more in it. */
const DRIVER = `#include <linux/vfio.h>

struct ferry {
	struct vfio_device vdev;
	void *buf;
};

static int ferry_probe(struct device *dev)
{
	struct ferry *ferry = vfio_alloc_device(ferry, vdev, dev, &ferry_ops);
	int ret;

	if (IS_ERR(ferry))
		return PTR_ERR(ferry);
	/*BODY*/
	ret = vfio_register_group_dev(&ferry->vdev);
	if (ret) {
		vfio_put_device(&ferry->vdev);
		return ret;
	}
	dev_set_drvdata(dev, ferry);
	return 0;
}
/*FILE*/
`;

const target: TargetKernel = { version: [6, 1], text: '6.1', source: 'option', reason: '' };

function inputOf(text: string): ModuleInput {
  return {
    file: '/w/a.c',
    sources: [{ path: '/w/a.c', text }],
    headers: [{ path: '/w/bar.h', text: BAR_H }],
  };
}

/** What a person asks of a file: its findings, its fixes and its conversion. */
function ask(engine: Engine, text: string): void {
  const input = inputOf(text);
  const { notAnalysed } = engine.analyse(input, {}, target);
  const internal = notAnalysed.filter((one) => one.reason.startsWith('internal error'));
  if (internal.length > 0) throw new Error(internal[0]!.reason);
  fixAll(engine, input, {}, target, { unsafe: false });
  const result = convert(engine, input, conversionTarget(target), undefined);
  if (result.status === 'refused' && result.reason.includes('internal error'))
    throw new Error(result.reason);
}

function asked(parser: SyntaxParser, text: string): void {
  const engine = createEngine(parser);
  try {
    ask(engine, text);
  } finally {
    engine.dispose();
  }
}

/** A row whose text stands in the driver's probe. */
function inBody(
  name: string,
  size: number,
  make: (size: number) => string,
  growth?: number,
): Hostile {
  return {
    name,
    size,
    run: (count, parser) =>
      asked(
        parser,
        DRIVER.replace('/*BODY*/', () => make(count)),
      ),
    growth,
  };
}

/** A row whose text stands behind the driver. */
function inFile(
  name: string,
  size: number,
  make: (size: number) => string,
  growth?: number,
): Hostile {
  return {
    name,
    size,
    run: (count, parser) =>
      asked(
        parser,
        DRIVER.replace('/*FILE*/', () => make(count)),
      ),
    growth,
  };
}

const times = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join('');

/** A file system of these texts, which counts what is asked and what is handed out. */
function filesOf(
  texts: Readonly<Record<string, string>>,
): FileSystem & { asked: number; read: number } {
  const counted = {
    asked: 0,
    read: 0,
    async readFile(path: string): Promise<string | undefined> {
      counted.asked++;
      counted.read += texts[path]?.length ?? 0;
      return texts[path];
    },
    async readDirectory(): Promise<readonly string[]> {
      return [];
    },
  };
  return counted;
}

function atMost(what: string, found: number, bound: number): void {
  if (found > bound) throw new Error(`${what}: ${found}, and not more than ${bound}`);
}

const TEXTS: readonly Hostile[] = [
  inFile('comments that nothing closes', 4_000, (count) => '/* '.repeat(count)),
  inFile('comments in lines that nothing closes', 4_000, (count) => '/*\n'.repeat(count)),
  inFile('directives with comments that nothing closes', 4_000, (count) =>
    '#define A /*\n'.repeat(count),
  ),
  {
    name: 'escaped quotes in a string that nothing closes',
    size: 100_000,
    run: (count, parser) => asked(parser, `${OLD}enum e { E };\n"${'\\"'.repeat(count)}\n`),
  },
  inFile('attributes that nothing closes', 4_000, (count) => '__aligned('.repeat(count)),
  inFile('parentheses that nothing closes', 4_000, (count) => 'a('.repeat(count)),
  inFile('braces that nothing closes', 4_000, (count) => '{'.repeat(count)),
  inFile('brackets that nothing opened', 4_000, (count) => ')]}'.repeat(count)),
  inFile(
    'blank lines in an #if chain that cuts a statement',
    100_000,
    (count) =>
      `static int a(void)\n{\n\tb(\n#ifdef X\n\tc\n#else${'\n'.repeat(count)}\td\n#endif\n\t);\n}\n`,
  ),
  inFile('#if in #if', 2_000, (count) => '#if A\n'.repeat(count) + '#endif\n'.repeat(count)),
  inFile(
    'macros that use each other',
    2_000,
    (count) =>
      times(count, (i) => `#define M${i}(x) M${i + 1}(x)\n`) + `#define M${count}(x) return x\n`,
  ),
  inFile('a macro of one word', 300_000, (count) => `#define M ${'a'.repeat(count)}\n`),
  inFile('macros with one body', 2_000, (count) => times(count, (i) => `#define M${i}(x) f(x)\n`)),
  inFile(
    'the members of an enum',
    4_000,
    (count) => `enum e {\n${times(count, (i) => `\tE${i},\n`)}};\n`,
  ),
  inFile(
    'the fields of a struct',
    4_000,
    (count) => `struct s {\n${times(count, (i) => `\tint f${i};\n`)}};\n`,
  ),
  inFile(
    'structs in structs, the innermost last',
    2_000,
    (count) =>
      `${times(count, (i) => `struct s${i} { struct s${i + 1} a; };\n`)}struct s${count} { struct vfio_device v; };\n`,
  ),
  inFile(
    'the entries of a table',
    4_000,
    (count) => `static const int t[] = {\n${times(count, (i) => `\t[${i}] = ${i},\n`)}};\n`,
  ),
  {
    name: 'comments behind the last entry of a table',
    size: 1_000,
    run(count, parser) {
      const table = /(struct vfio_device_ops \w+ = \{\n)(\s*\.name = [^,]*),\n([^}]*)\}/;
      asked(
        parser,
        OLD.replace(
          table,
          (_, head: string, name: string, rest: string) =>
            `${head}${rest}${name} ${'/**/ '.repeat(count)}\n}`,
        ),
      );
    },
  },
  inFile('functions', 1_000, (count) =>
    times(count, (i) => `static int f${i}(void)\n{\n\treturn f${i + 1}();\n}\n`),
  ),
  inFile(
    'blanks in a type that is an argument',
    100_000,
    (count) =>
      `static void *f(void)\n{\n\treturn container_of(x, struct a${' '.repeat(count)}* const, b);\n}\n`,
  ),
  inFile(
    'suppressions in a row',
    1_000,
    (count) => `${'/* vfio-lifecycle: allow(missing-put): because */\n'.repeat(count)}int a;\n`,
  ),
  inFile(
    'suppressions in one line',
    1_000,
    (count) => `${'/* vfio-lifecycle: allow(missing-put): because */ '.repeat(count)}\nint a;\n`,
  ),
  inFile(
    'suppressions that name one rule often',
    1_000,
    (count) =>
      `/* vfio-lifecycle: allow(missing-put${', missing-put'.repeat(count)}): because */\nint a;\n`,
  ),
  inBody('the arguments of a call', 4_000, (count) => `f(0${', 0'.repeat(count)});`),
  inBody('a list of expressions', 4_000, (count) => `f()${', ret = 0'.repeat(count)};`),
  inBody('a sum', 2_000, (count) => `ret = 0${' + 1'.repeat(count)};`),
  inBody('statements', 2_000, (count) => 'ret = 0;\n\t'.repeat(count)),
  inBody('blocks in blocks', 1_000, (count) => `${'{'.repeat(count)};${'}'.repeat(count)}`),
  inBody('labels', 1_000, (count) => times(count, (i) => `l${i}: ret = ${i};\n`)),
  inBody(
    'the cases of a switch',
    1_000,
    (count) => `switch (ret) {\n${times(count, (i) => `case ${i}: ret = ${i}; break;\n`)}}\n`,
  ),
];

const PROJECT: readonly Hostile[] = [
  {
    name: 'Makefile variables that name each other',
    size: 12,
    growth: 1.5,
    run(count) {
      const bomb = times(count, (i) => `v${i} := ${`$(v${i + 1}) `.repeat(20)}\n`);
      parseKbuild(`${bomb}v${count} := a.o\nfoo-y := $(v${count - 8})\n`);
      parseKbuild(
        `a = $(b)$(b)$(b)$(b)$(b)$(b)$(b)$(b)\nb = $(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)\nfoo-y := $(a)\n`,
      );
    },
  },
  {
    name: 'Makefile variables that nothing closes',
    size: 300_000,
    run: (count) => void parseKbuild(`${'$('.repeat(count)} = a.o\n`),
  },
  {
    name: 'blanks in a Makefile',
    size: 300_000,
    run: (count) => void parseKbuild(`a = ${' '.repeat(count)}a\u2028a\n`),
  },
  {
    name: 'composites of one object',
    size: 2_000,
    run: (count) => void parseKbuild(times(count, (i) => `m${i}-y := a.o b${i}.o\n`)),
  },
  {
    name: 'a header of comments that nothing closes',
    size: 500_000,
    run: (count) =>
      void kernelsOfHeader(`struct vfio_device_ops { };\n${'/* '.repeat(count)}`, KERNEL_API),
  },
  {
    name: 'headers that lead to headers',
    size: 60,
    growth: 2.2,
    async run(count) {
      const text = ' '.repeat(100_000);
      const fs = filesOf(
        Object.fromEntries(
          Array.from({ length: count * 10 }, (_, i) => [
            `/w/h${i}.h`,
            `#include "h${i + 1}.h"\n${text}`,
          ]),
        ),
      );
      await createModuleLoader(fs).load('/w/a.c', '#include "h0.h"\n', { root: '/w' });
      atMost('characters read', fs.read, 13_000_000);
    },
  },
  {
    name: 'includes that lead nowhere',
    size: 40_000,
    async run(count) {
      const fs = filesOf({});
      await createModuleLoader(fs).load(
        '/w/a.c',
        times(count, (i) => `#include "h${i}.h"\n`),
        { root: '/w' },
      );
      atMost('files asked for', fs.asked, 20_100);
    },
  },
  {
    name: 'half of a surrogate pair in an include',
    size: 1,
    async run() {
      const fs = filesOf({});
      const module = await createModuleLoader(fs).load('file:///w/a.c', '#include "\ud800.h"\n', {
        root: 'file:///w',
      });
      if (module.sources.length !== 1) throw new Error('the source itself is lost');
      canonicalUri('file:///w/\ud800.c');
    },
  },
  {
    name: 'settings in settings',
    size: 50_000,
    async run(count) {
      const fs = filesOf({
        '/w/.vfio-lifecycle.json': `{"rules": ${'['.repeat(count)}${']'.repeat(count)}}`,
      });
      const [file] = (await createConfigurationFiles(fs).around('/w/a.c', '/w')).files;
      atMost('problems', file!.problems.length, 1);
    },
  },
  {
    name: 'settings that nobody knows',
    size: 20_000,
    async run(count) {
      const fs = filesOf({
        '/w/.vfio-lifecycle.json': `{${times(count, (i) => `"key${i}": 1, `)}"targetKernel": "6.1"}`,
      });
      const [file] = (await createConfigurationFiles(fs).around('/w/a.c', '/w')).files;
      if (file!.configuration.targetKernel !== '6.1') throw new Error('what is known is lost');
      if (file!.problems.at(-1) !== `and ${count - 10} more`)
        throw new Error(`the last problem is ${file!.problems.at(-1)}`);
      await detectTarget(fs, '/w/a.c', {}, KERNEL_API);
    },
  },
];

const FILES: readonly Hostile[] = [
  {
    name: 'links to devices, and pipes',
    size: 20,
    async run(count) {
      const folder = temporaryFolder({ 'w/a.c': '', 'outside/secret.h': 'vfio' });
      try {
        for (let i = 0; i < count; i++) symlinkSync('/dev/zero', folder.pathOf(`w/zero${i}.h`));
        symlinkSync('../outside', folder.pathOf('w/outside'));
        spawnSync('mkfifo', [folder.pathOf('w/Makefile'), folder.pathOf('w/pipe.h')]);
        const files = createNodeFiles();
        files.within!([folder.uriOf('w')]);
        const text = `#include "pipe.h"\n#include "outside/secret.h"\n${times(count, (i) => `#include "zero${i}.h"\n`)}`;
        const { headers } = await createModuleLoader(files).load(folder.uriOf('w/a.c'), text, {
          root: folder.uriOf('w'),
        });
        atMost('headers', headers.length, 0);
      } finally {
        folder.remove();
      }
    },
  },
];

export const HOSTILE: readonly Hostile[] = [...TEXTS, ...PROJECT, ...FILES];
