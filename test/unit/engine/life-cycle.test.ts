import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { lifeCycle } from '../../../server/src/engine/life-cycle/index.ts';
import { mermaidOf } from '../../../server/src/engine/life-cycle/mermaid.ts';
import type { LifeCycle } from '../../../server/src/engine/life-cycle/types.ts';
import type { Site } from '../../../server/src/lifecycle/types.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { BAR_H, CLEAN, LEAKY, OLD } from '../../support/drivers.ts';
import { engineWith, kernel, single } from './support.ts';

const OLD_ALONE = OLD.replace('#include "bar.h"\n', BAR_H);

async function life(text: string, target = '6.1'): Promise<LifeCycle<Site> | undefined> {
  const engine = await engineWith(rules);
  const input = single(text);
  const facts = engine.facts(input, kernel(target));
  return facts && lifeCycle(facts, engine.analyse(input, {}, kernel(target)).findings);
}

async function chart(text: string, target?: string): Promise<string> {
  const lineOf = ({ start }: Site): string => `line ${text.slice(0, start).split('\n').length}`;
  return mermaidOf((await life(text, target))!, lineOf);
}

describe('the life of a device as data', () => {
  it('has the steps of a driver in their order, and a finding on its way out', async () => {
    expect(await chart(LEAKY)).toMatchInlineSnapshot(`
      "---
      title: "foo_driver"
      ---
      flowchart TD
        subgraph in_foo_probe_allocate_1["foo_probe()"]
          allocate_1["vfio_alloc_device()<br>takes the reference of the device<br>line 23"]
          register_2["vfio_register_emulated_iommu_dev()<br>opens the device to user space<br>line 27"]
          set_up_3["set-up<br>takes what the device needs<br>dev_set_drvdata()<br>line 31"]
        end
        subgraph in_foo_remove_unregister_4["foo_remove()"]
          unregister_4["vfio_unregister_group_dev()<br>waits for the users and takes the device from user space<br>line 39"]
          put_5["vfio_put_device()<br>drops the reference of the driver<br>line 40"]
        end
        subgraph in_foo_release_release_6["foo_release()"]
          release_6[".release: foo_release()<br>runs when the last reference is dropped<br>line 8"]
          free_7["vfio_free_device()<br>frees the memory of the device<br>line 10"]
        end
        allocate_1 --> register_2
        register_2 --> set_up_3
        set_up_3 --> unregister_4
        unregister_4 --> put_5
        put_5 -.->|"calls"| release_6
        release_6 --> free_7
        allocate_1 -->|"vfio_alloc_device() fails"| out_1(["return, line 25"])
        register_2 -->|"vfio_register_emulated_iommu_dev() fails"| out_2(["return, line 29<br>owed: vfio_put_device()"])
        classDef wrong stroke:#d32f2f,stroke-width:2px
        class out_2 wrong
      "
    `);
  });

  it('has the steps of the old model, and what they take', async () => {
    expect(await chart(OLD_ALONE, '6.0')).toMatchInlineSnapshot(`
      "---
      title: "bar_driver"
      ---
      flowchart TD
        subgraph in_bar_probe_allocate_1["bar_probe()"]
          allocate_1["kzalloc()<br>allocates the memory<br>line 16"]
          initialise_2["vfio_init_group_dev()<br>initialises the device<br>line 20"]
          register_3["vfio_register_emulated_iommu_dev()<br>opens the device to user space<br>line 22"]
          set_up_4["set-up<br>takes what the device needs<br>dev_set_drvdata()<br>line 26"]
        end
        subgraph in_bar_remove_unregister_5["bar_remove()"]
          unregister_5["vfio_unregister_group_dev()<br>waits for the users and takes the device from user space<br>line 39"]
          uninitialise_6["vfio_uninit_group_dev()<br>undoes the initialisation<br>line 40"]
          free_7["kfree()<br>frees the memory of the device<br>line 41"]
        end
        allocate_1 --> initialise_2
        initialise_2 --> register_3
        register_3 --> set_up_4
        set_up_4 --> unregister_5
        unregister_5 --> uninitialise_6
        uninitialise_6 --> free_7
        register_3 -->|"vfio_register_emulated_iommu_dev() fails"| out_1(["vfio_uninit_group_dev()<br>kfree()<br>return, line 32"])
      "
    `);
  });

  it('walks the path of a finding, which ends where it is reported', async () => {
    const [driver] = (await life(LEAKY))!.drivers;
    const [finding] = driver!.findings;
    expect(finding!.path.map(({ place }) => LEAKY.slice(place.start, place.end))).toEqual([
      'vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops)',
      'vfio_register_emulated_iommu_dev(&foo->vdev)',
      'return ret;',
    ]);
    const edge = driver!.edges.find(({ id }) => id === finding!.edge);
    expect(edge).toMatchObject({ kind: 'fails', owed: ['vfio_put_device()'], undone: [] });
  });

  it('tells what a way out has undone, and that nothing is owed on it', async () => {
    const [driver] = (await life(CLEAN))!.drivers;
    expect(driver!.findings).toEqual([]);
    const out = driver!.edges.filter(({ kind, from }) => kind === 'fails' && /register/.test(from));
    expect(out).toMatchObject([{ owed: [], undone: [{ call: 'vfio_put_device()' }] }]);
  });

  it('tells the other end of a step and of what set-up takes', async () => {
    const text = CLEAN.replace(
      '\tret = vfio',
      '\tfoo->buf = kzalloc(8, GFP_KERNEL);\n\tret = vfio',
    ).replace(
      '\tvfio_put_device(&foo->vdev);\n}',
      '\tkfree(foo->buf);\n\tvfio_put_device(&foo->vdev);\n}',
    );
    const [driver] = (await life(text))!.drivers;
    const setUp = driver!.steps.find(({ kind }) => kind === 'set-up')!;
    expect(setUp.calls).toMatchObject([{ call: 'kzalloc()', undo: 'kfree()' }]);
    const { undoneAt } = setUp.calls[0]!;
    expect(undoneAt.map(({ start, end }) => text.slice(start, end))).toEqual(['kfree(foo->buf)']);
    const other = (kind: string): string[] =>
      driver!.steps.find((step) => step.kind === kind)!.undoneBy.map((id) => id.split('-')[0]!);
    expect(other('allocate')).toEqual(['put']);
    expect(other('register')).toEqual(['unregister']);
    expect(other('set-up')).toEqual(['tear']);
  });

  it('tells two drivers of one file apart', async () => {
    const two = LEAKY + CLEAN.replace(/\bfoo/g, 'baz').replace(/#include.*\n/, '');
    const { drivers } = (await life(two))!;
    expect(drivers.map(({ name, container }) => [name, container])).toEqual([
      ['foo_driver', 'foo'],
      ['baz_driver', 'baz'],
    ]);
    expect(drivers.map(({ findings }) => findings.length)).toEqual([1, 0]);
  });

  it('is empty where no device lives', async () => {
    const ops = 'static const struct vfio_device_ops *ops;\nint f(void) { return vfio_x(ops); }\n';
    expect((await life(ops))?.drivers ?? []).toEqual([]);
  });

  const folder = path.resolve(import.meta.dirname, '../../fixtures/drivers');
  const fixtures = ['clean', 'shapes'].flatMap((kind) =>
    readdirSync(path.join(folder, kind))
      .filter((name) => name.endsWith('.c'))
      .map((name) => path.join(folder, kind, name)),
  );

  it('holds together for every driver of the tests', async () => {
    const engine = await engineWith(rules);
    let known = 0;
    for (const file of fixtures) {
      const input = single(readFileSync(file, 'utf8'));
      const target = kernel(/[/]o(ld)?-/.test(file) ? '6.0' : '6.1');
      const facts = engine.facts(input, target);
      if (facts === undefined) continue;
      for (const driver of lifeCycle(facts, engine.analyse(input, {}, target).findings).drivers) {
        const ids = new Set(driver.steps.map(({ id }) => id));
        expect(ids.size, file).toBe(driver.steps.length);
        known += Number(ids.size > 2);
        const named = [
          ...driver.edges.flatMap(({ from, to }) => (to === null ? [from] : [from, to])),
          ...driver.steps.flatMap(({ undoneBy }) => undoneBy),
          ...driver.functions.flatMap(({ steps }) => steps),
          ...driver.findings.flatMap(({ step }) => step ?? []),
        ];
        expect(
          named.filter((id) => !ids.has(id)),
          file,
        ).toEqual([]);
        // What is clean has no debts that no rule reports.
        if (file.includes('/clean/'))
          expect(
            driver.edges.filter(({ owed, findings }) => owed.length > 0 && findings.length === 0),
            file,
          ).toEqual([]);
      }
    }
    expect(known).toBeGreaterThan(100);
  });
});
