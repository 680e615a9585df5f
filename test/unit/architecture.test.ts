import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  createSourceFile,
  forEachChild,
  isRegularExpressionLiteral,
  ScriptTarget,
  type Node,
} from 'typescript';
import { describe, expect, test } from 'vitest';
import { functionRow } from '../../server/src/kernel/functions/table.ts';
import { API_ENTRIES, apiEntry } from '../../server/src/kernel/lifecycle-api.ts';
import { GENERAL_FUNCTIONS } from '../support/general-functions.ts';

const root = path.resolve(import.meta.dirname, '../..');

/**
 * The rooms of server/src and what each may import beside itself: the table of
 * docs/architecture.md.
 */
const rooms: Readonly<Record<string, readonly string[]>> = {
  text: [],
  budget: [],
  kernel: [],
  syntax: ['text'],
  ir: ['text', 'budget', 'syntax'],
  flow: ['budget', 'ir'],
  lifecycle: ['text', 'budget', 'kernel', 'ir', 'flow'],
  rules: ['text', 'budget', 'kernel', 'ir', 'lifecycle'],
  convert: ['text', 'budget', 'kernel', 'ir', 'flow', 'lifecycle'],
  engine: ['text', 'budget', 'kernel', 'syntax', 'ir', 'flow', 'lifecycle', 'rules', 'convert'],
  lsp: ['text', 'budget', 'engine'],
  cli: ['text', 'engine', 'lsp'],
};

/** The files that may import a package from outside. `node:` stands for every module of Node. */
const packages: Readonly<Record<string, RegExp>> = {
  vscode: /^client\//,
  'vscode-languageclient': /^client\//,
  'vscode-jsonrpc': /^server\/src\/lsp\//,
  'vscode-languageserver': /^server\/src\/lsp\//,
  'vscode-languageserver-textdocument': /^server\/src\/lsp\//,
  commander: /^server\/src\/cli\//,
  'fastest-levenshtein': /^server\/src\/text\//,
  ignore: /^server\/src\/lsp\/node/,
  valibot: /^server\/src\/engine\/settings\//,
  diff: /^server\/src\/(?:cli|text)\//,
  'jsonc-parser': /^client\//,
  '@dagrejs/dagre': /^client\/src\/life-cycle\//,
  'web-tree-sitter': /^server\/src\/syntax\//,
  'node:': /^server\/src\/(lsp\/node|cli\/)|^client\/src\/extension\.ts/,
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const imports = ['client/src', 'server/src'].flatMap(sources).flatMap((file) =>
  [
    ...readFileSync(path.join(root, file), 'utf8').matchAll(
      /^\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^import\s+'([^']+)'/gm,
    ),
  ].map((match): Import => ({
    file,
    target: match[1] ?? match[2] ?? match[3] ?? '',
    typeOnly: /^\s*(?:import|export) type\b/.test(match[0]),
  })),
);

describe('the import table', () => {
  test('it is not empty', () => {
    expect(imports.length).toBeGreaterThan(50);
  });

  test('a room imports only what the table allows', () => {
    const broken = imports.filter(({ file, target, typeOnly }) => {
      const from = roomOf(file);
      if (from === undefined || !target.startsWith('.')) return false;
      const to = roomOf(resolve(file, target));
      // A type of a room further up comes along with the values of the rooms between; code does
      // not.
      const allowed = typeOnly ? upstream(from) : (rooms[from] ?? []);
      return to === undefined || (to !== from && !allowed.includes(to));
    });
    expect(list(broken)).toEqual([]);
  });

  test('the table has no cycle', () => {
    expect(Object.keys(rooms).filter((room) => upstream(room).includes(room))).toEqual([]);
  });

  test('every folder of server/src is a room', () => {
    expect(readdirSync(path.join(root, 'server/src')).filter((name) => !(name in rooms))).toEqual(
      [],
    );
  });

  test.each(['cli', 'convert'])('no files of %s import each other in a circle', (room) => {
    const inside = imports.filter(
      ({ file, target }) => roomOf(file) === room && roomOf(resolve(file, target)) === room,
    );
    expect(inside.length).toBeGreaterThan(20);
    let left = inside.map(({ file, target }) => ({ from: file, to: resolve(file, target) }));
    // What imports nothing that is left is in no circle, and so on.
    for (let size = Infinity; left.length < size;) {
      size = left.length;
      const importing = new Set(left.map(({ from }) => from));
      left = left.filter(({ to }) => importing.has(to));
    }
    expect(left.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test('client and server do not import each other', () => {
    expect(
      list(
        imports.filter(
          ({ file, target }) =>
            target.startsWith('.') && half(file) !== half(resolve(file, target)),
        ),
      ),
    ).toEqual([]);
  });

  test('a package from outside is imported only where it belongs', () => {
    const broken = imports.filter(({ file, target }) => {
      if (target.startsWith('.')) return false;
      const where = packages[packageOf(target)];
      return where === undefined || !where.test(file);
    });
    expect(list(broken)).toEqual([]);
  });

  test('a relative import names its file with the extension', () => {
    expect(
      list(imports.filter(({ target }) => target.startsWith('.') && !/\.(ts|json)$/.test(target))),
    ).toEqual([]);
  });
});

describe('how files begin', () => {
  /** The comment at the very start of a file, without what marks it as one. */
  function beginning(file: string): string {
    const text = readFileSync(path.join(root, file), 'utf8').replace(/^#!.*\n/, '');
    const [comment = ''] = text.startsWith('/*')
      ? [text.slice(0, text.indexOf('*/'))]
      : (/^(?:\/\/.*\n)+/.exec(text) ?? []);
    return comment.replace(/[\s*/]+/g, ' ').trim();
  }

  test('with a sentence that says what they are for', () => {
    const files = [
      ...sources('client/src'),
      ...sources('server/src'),
      ...readdirSync(path.join(root, 'scripts'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.mjs'))
        .map((name) => `scripts/${name.replaceAll(path.sep, '/')}`),
    ];
    expect(files.length).toBeGreaterThan(300);
    expect(files.filter((file) => !/^\W?[A-Z\d`].+[.:]/.test(beginning(file)))).toEqual([]);
  });
});

describe('objects and values of the analysis', () => {
  const folder = 'server/src/lifecycle';
  const files = sources(folder).map((file) => ({
    file,
    text: readFileSync(path.join(root, file), 'utf8'),
  }));
  /** Files that know objects, places, values or states of paths. */
  const knowing = files.filter(
    ({ file, text }) => file.startsWith(`${folder}/domain/`) || /from '[^']*domain\//.test(text),
  );

  test('there are files that know them', () => {
    expect(knowing.length).toBeGreaterThan(10);
  });

  test('nothing takes a name apart to learn what it means', () => {
    const dissects =
      /\.(startsWith|endsWith|split|lastIndexOf|substring|charAt|match|matchAll)\(|\/[a-z]*\.(test|exec)\(/;
    const found = knowing.flatMap(({ file, text }) =>
      text
        .split('\n')
        .filter((line) => dissects.test(line) && !namesOfC.some((one) => line.includes(one)))
        .map((line) => `${file}: ${line.trim()}`),
    );
    expect(found).toEqual([]);
  });

  test('what an object is, is a kind: its id is compared and nothing else', () => {
    const found = knowing.flatMap(({ file, text }) =>
      [...text.matchAll(/(?:\bid|(?:place|value|step)Text\([^)]*\)|Key\([^)]*\))\.\w+/g)].map(
        (match) => `${file}: ${match[0]}`,
      ),
    );
    expect(found).toEqual([]);
  });
});

describe('names of kernel functions', () => {
  const knownNames = [...GENERAL_FUNCTIONS, ...API_ENTRIES.map(({ name }) => name)];

  test('are listed in kernel/ alone', () => {
    const found = sources('server/src')
      .filter((file) => !file.startsWith('server/src/kernel/') && !file.endsWith('.examples.ts'))
      .flatMap((file) =>
        listsIn(readFileSync(path.join(root, file), 'utf8')).map((list) => `${file}: ${list}`),
      );
    expect(found).toEqual([]);
  });

  test('a list is seen, however it is written', () => {
    expect(listsIn("new Set(['kfree', 'vfree', 'kvfree'])")).toHaveLength(1);
    expect(listsIn("words('kfree vfree kvfree')")).toHaveLength(1);
    expect(listsIn('/^(?:kfree|vfree|kvfree)$/')).toHaveLength(1);
    expect(listsIn("{ kfree: 'slab', vfree: 'pages', kvfree: 'both' }")).toHaveLength(1);
    expect(listsIn("['kfree', 'foo', 'bar']")).toEqual([]);
  });

  test('are told by the form of their names in kernel/ alone', () => {
    const found = sources('server/src')
      .filter((file) => !file.startsWith('server/src/kernel/') && !file.endsWith('.examples.ts'))
      .flatMap((file) =>
        familiesIn(readFileSync(path.join(root, file), 'utf8')).map((one) => `${file}: ${one}`),
      );
    expect(found).toEqual([]);
  });

  test('a form is seen, and that of any name is none', () => {
    expect(familiesIn('const MANAGED = /^devm_/;')).toHaveLength(1);
    expect(familiesIn('isGet(name) && /^\\w+alloc$/.test(name)')).toHaveLength(1);
    expect(familiesIn('/^[A-Za-z_]\\w*$/.test(name)')).toEqual([]);
    expect(familiesIn('// as in /^devm_/')).toEqual([]);
  });

  /** Of files, members, tables, labels and words of C: that names of functions fit is by chance. */
  const ofOthers = new Set([
    '/^vfio[_-]|[_-](?:main|ops|drv|core)$/g',
    '/^(?:dev|ops)$/',
    '/^(.+?)(?:_vfio)?(?:_dev|_device)?_ops$/',
    '/^(?:(out|err|error|fail|failed|exit|bail|undo)_)?(?:free|kfree|uninit)(?:_(\\w+))?$/',
    '/^\\w+$|\\(|^(?:struct|union|enum|const|static)\\b/',
    '/^(?:[*(]|const|volatile|restrict|__\\w+)$/',
  ]);

  /**
   * Patterns for the beginning of a name that at least three names of the tables fit, by more than
   * their characters.
   */
  function familiesIn(text: string): string[] {
    const found: string[] = [];
    const visit = (node: Node): void => {
      if (isRegularExpressionLiteral(node)) {
        const [, source, flags] = /^\/(.*)\/(\w*)$/s.exec(node.text)!;
        const pattern = new RegExp(source!, flags);
        const fits = knownNames.filter((name) => name.search(pattern) >= 0);
        if (/^\^.*[a-z]{3}/.test(source!) && fits.length >= 3 && !ofOthers.has(node.text))
          found.push(node.text);
      }
      forEachChild(node, visit);
    };
    visit(createSourceFile('text.ts', text, ScriptTarget.Latest));
    return found;
  }

  /** Lists of at least three names that the tables know: strings, words, keys, in a pattern. */
  function listsIn(text: string): string[] {
    const lists = [
      ...text.matchAll(/(?:'\w+',\s*){2,}'\w+'/g),
      ...text.matchAll(/['`]\w+(?:\s+\w+){2,}['`]/g),
      ...text.matchAll(/\w+(?:\|\w+){2,}/g),
    ].map(([list]) => list);
    const keys = [...text.matchAll(/(?:\b\w+: [^\n,]+,\s*){2,}\w+:/g)].map(([list]) =>
      list.match(/\w+(?=:)/g)!.join(' '),
    );
    return [...lists, ...keys].filter(
      (list) =>
        list.match(/\w+/g)!.filter((name) => functionRow(name) || apiEntry(name)).length >= 3,
    );
  }
});

/** Names that a driver or the kernel gives are read: of functions, of errors, in messages. */
const namesOfC = [
  'api.startsWith(',
  '.test(name)',
  "text.split('\\n', 1)",
  'file.text.split(test)',
];

function sources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.split(path.sep).join('/')}`);
}

function roomOf(file: string): string | undefined {
  const room = /^server\/src\/([^/]+)\//.exec(file)?.[1];
  return room !== undefined && room in rooms ? room : undefined;
}

/** All rooms that a room may import from, directly or through others. */
function upstream(room: string): string[] {
  const found = new Set<string>();
  const visit = (one: string): void => {
    for (const next of rooms[one] ?? [])
      if (!found.has(next)) {
        found.add(next);
        visit(next);
      }
  };
  visit(room);
  return [...found];
}

function resolve(file: string, target: string): string {
  return path.posix.join(path.posix.dirname(file), target);
}

function half(file: string): string | undefined {
  return file.split('/')[0];
}

/** `vscode-languageserver/node` is of the package `vscode-languageserver`. */
function packageOf(target: string): string {
  return target.startsWith('node:')
    ? 'node:'
    : target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/');
}

function list(broken: readonly Import[]): string[] {
  return broken.map(({ file, target }) => `${file} imports ${target}`);
}
