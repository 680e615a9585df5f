/** What may sleep and what holds a lock under which nothing may: neither moves over the other. */
import { describe, expect, test } from 'vitest';
import { footprintOfStmt } from '../../../server/src/lifecycle/footprint/footprint.ts';
import { mayMoveOver } from '../../../server/src/lifecycle/footprint/order.ts';
import { scopeOf } from '../../../server/src/lifecycle/module/types-of.ts';
import { factsOf } from '../../support/analyse.ts';
import { FOO } from './support.ts';

const HELPERS = `static DEFINE_SPINLOCK(foo_lock);
static void *foo_get(int size)
{
	return kzalloc(size, GFP_KERNEL);
}
static void foo_enter(void)
{
	spin_lock(&foo_lock);
}
static int foo_count(struct foo *foo)
{
	spin_lock(&foo_lock);
	if (!foo->up) {
		spin_unlock(&foo_lock);
		return 0;
	}
	foo->up = false;
	spin_unlock(&foo_lock);
	return 1;
}
static int foo_guarded(struct foo *foo)
{
	guard(spinlock)(&foo_lock);
	return foo->up;
}
`;

function footprints(...statements: readonly string[]) {
  const body = statements.map((one) => `\t${one}\n`).join('');
  const { module } = factsOf(
    `${FOO}${HELPERS}static void work(struct foo *foo)\n{\n\tunsigned long flags;\n\tvoid *one;\n\n${body}\tvfio_put_device(&foo->vdev);\n}\n`,
    '6.2',
  );
  const file = module.sources[0]!;
  const fn = file.functions.find(({ name }) => name === 'work')!;
  const scope = scopeOf(module, file, fn);
  const own = fn.body.body.slice(2, 2 + statements.length);
  return { scope, all: own.map((stmt) => footprintOfStmt(scope, stmt)) };
}

const one = (statement: string) => footprints(statement).all[0]!;

describe('a statement that may sleep', () => {
  test.each([
    'one = kzalloc(8, GFP_KERNEL);',
    'one = foo_get(8);',
    'mutex_lock(&foo->lock);',
    'if (mutex_lock_interruptible(&foo->lock)) return;',
    'one = vmalloc(8);',
    'if (copy_from_user(foo->buf, one, 8)) return;',
    'get_user(flags, (int *)one);',
    'wait_for_completion(&foo->done);',
    'cancel_work_sync(&foo->work);',
    'foo_unseen(foo);',
    'foo->op(foo);',
    'guard(mutex)(&foo->lock);',
    'vfio_unregister_group_dev(&foo->vdev);',
  ])('%s', (statement) => {
    expect(one(statement).maySleep).toBe(true);
  });

  test.each([
    'one = kzalloc(8, GFP_ATOMIC);',
    'one = kmalloc(8, GFP_NOWAIT | __GFP_NOWARN);',
    'kfree(one);',
    'flags = readl(foo->buf);',
    'mutex_unlock(&foo->lock);',
    'if (!mutex_trylock(&foo->lock)) return;',
    'schedule_work(&foo->work);',
    'complete(&foo->done);',
    'dev_set_drvdata(foo->vdev.dev, foo);',
    'pr_info("up\\n");',
    'INIT_LIST_HEAD(&foo->node);',
    'flags = foo_count(foo);',
    'foo->up = true;',
  ])('is not %s', (statement) => {
    expect(one(statement).maySleep).toBe(false);
  });
});

describe('after a statement nothing may sleep, or something may again', () => {
  test.each([
    'spin_lock(&foo_lock);',
    'spin_unlock_irqrestore(&foo_lock, flags);',
    'foo_enter();',
    'preempt_disable();',
    'rcu_read_unlock();',
    'local_irq_save(flags);',
    'guard(spinlock)(&foo_lock);',
  ])('%s', (statement) => {
    expect(one(statement).changesAtomic).toBe(true);
  });

  test.each([
    'mutex_lock(&foo->lock);',
    'flags = foo_count(foo);',
    'flags = foo_guarded(foo);',
    '{ spin_lock(&foo_lock); foo->up = true; spin_unlock(&foo_lock); }',
    'scoped_guard(spinlock, &foo_lock) foo->up = true;',
  ])('not after %s', (statement) => {
    expect(one(statement).changesAtomic).toBe(false);
  });
});

describe('what may move over what', () => {
  const moves = (passed: string, moved: string): boolean => {
    const { scope, all } = footprints(passed, moved);
    return mayMoveOver(scope, all[1]!, all[0]!);
  };

  test('nothing that may sleep comes under a lock that spins, and no such lock over it', () => {
    expect(moves('preempt_enable();', 'flags = 3;')).toBe(true);
    expect(moves('preempt_enable();', 'one = kzalloc(8, GFP_ATOMIC);')).toBe(true);
    expect(moves('preempt_enable();', 'one = kzalloc(8, GFP_KERNEL);')).toBe(false);
    expect(moves('one = kzalloc(8, GFP_KERNEL);', 'preempt_disable();')).toBe(false);
    expect(moves('one = kzalloc(8, GFP_ATOMIC);', 'preempt_disable();')).toBe(true);
  });

  test('a mutex holds nothing up that sleeps', () => {
    expect(moves('mutex_unlock(&foo->lock);', 'one = kzalloc(8, GFP_KERNEL);')).toBe(true);
  });
});
