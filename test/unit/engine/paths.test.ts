import { describe, expect, it } from 'vitest';
import {
  canonicalUri,
  folderOf,
  isInside,
  nameOf,
  relativeTo,
  resolve,
} from '../../../server/src/engine/project/paths.ts';

describe('paths as keys', () => {
  it.each([
    ['/a/b', 'c.h', '/a/b/c.h'],
    ['/a/b', '../c.h', '/a/c.h'],
    ['/a/b', './x/../c.h', '/a/b/c.h'],
    ['/a', '../../c.h', undefined],
    ['/a', '/etc/passwd', undefined],
    ['/a', 'http://host/x.h', undefined],
    ['/a', 'x\0y', undefined],
    ['/a', '', undefined],
    ['/', 'c.h', '/c.h'],
    ['a/b', '../c.h', 'a/c.h'],
    ['file:///a/b', '../c d.h', 'file:///a/c%20d.h'],
    ['vscode-vfs://github/o/r', '../../../c.h', undefined],
    ['/a/b', 'x\\y.h', '/a/b/x/y.h'],
  ])('%s and %s are %s', (folder, relative, expected) =>
    expect(resolve(folder, relative)).toBe(expected),
  );

  it('knows the folder and the name', () => {
    expect(folderOf('/a/b.c')).toBe('/a');
    expect(folderOf('/')).toBeUndefined();
    expect(folderOf('file:///a/b.c')).toBe('file:///a');
    expect(folderOf('untitled:Untitled-1')).toBeUndefined();
    expect(nameOf('file:///a/b%20c.h')).toBe('b c.h');
  });

  it('tells inside from beside', () => {
    expect(isInside('/a/bc', '/a/b')).toBe(false);
    expect(isInside('/a/b/c', '/a/b')).toBe(true);
    expect(isInside('/a', '/')).toBe(true);
    expect(relativeTo('file:///a', 'file:///a/x%20y/z.c')).toBe('x y/z.c');
    expect(relativeTo('/a', '/b/c')).toBeUndefined();
  });

  it('has one spelling for a URI', () => {
    expect(canonicalUri('file:///c%3A/x%20y.c')).toBe(canonicalUri('file:///c:/x y.c'));
    expect(canonicalUri('file:///a/%zz.c')).toBe('file:///a/%25zz.c');
  });
});
