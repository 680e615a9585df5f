import { describe, expect, it } from 'vitest';
import { createKeptModules } from '../../../server/src/engine/modules.ts';
import type { ModuleInput } from '../../../server/src/engine/types.ts';

const of = (file: string, ...others: readonly string[]): ModuleInput => ({
  file,
  sources: [file, ...others].sort().map((path) => ({ path, text: '' })),
  headers: [{ path: '/w/all.h', text: '' }],
});

/** What is kept of a module: a number that says how many were made before it. */
function counted(): {
  kept(input: ModuleInput): number;
  readonly modules: ReturnType<typeof createKeptModules<number>>;
} {
  const modules = createKeptModules<number>();
  let made = 0;
  return { modules, kept: (input) => modules.keptFor(input, () => made++) };
}

describe('what is kept of modules', () => {
  it('is the same for all files of one', () => {
    const { kept } = counted();
    expect([of('/a.c', '/b.c'), of('/b.c', '/a.c'), of('/a.c')].map(kept)).toEqual([0, 0, 1]);
  });

  it('stays while one of its documents is open', () => {
    const { modules, kept } = counted();
    kept(of('/a.c', '/b.c'));
    kept(of('/b.c', '/a.c'));
    modules.close('/a.c');
    for (const other of ['/c.c', '/d.c', '/e.c']) {
      kept(of(other));
      modules.close(other);
    }
    expect(kept(of('/b.c', '/a.c'))).toBe(0);
  });

  it('stays for the two that were closed last, and names what nobody reads any more', () => {
    const { modules, kept } = counted();
    for (const file of ['/a.c', '/b.c', '/c.c']) kept(of(file, `${file}.too`));
    expect(['/a.c', '/b.c'].map((file) => modules.close(file))).toEqual([[], []]);
    expect(modules.close('/c.c')).toEqual(['/a.c', '/a.c.too']);
    expect(['/a.c', '/b.c', '/c.c'].map((file) => kept(of(file, `${file}.too`)))).toEqual([
      3, 1, 2,
    ]);
  });

  it('names a closed document that no module has', () => {
    expect(createKeptModules().close('/a.c')).toEqual(['/a.c']);
  });

  it('goes with any of its documents', () => {
    const { modules, kept } = counted();
    kept(of('/a.c', '/b.c'));
    modules.forget('/w/all.h');
    expect(kept(of('/a.c', '/b.c'))).toBe(1);
    modules.clear();
    expect(kept(of('/a.c', '/b.c'))).toBe(2);
  });

  it('is that of the modules that were asked about last', () => {
    const { kept } = counted();
    const files = Array.from({ length: 25 }, (_, i) => `/${i}.c`);
    for (const file of files) kept(of(file));
    expect(kept(of('/1.c'))).toBe(1);
    expect(kept(of('/0.c'))).toBe(25);
  });
});
