/** A device that was looked up is used after a put: whether a lock may keep it alive. */
import { describe, expect, test } from 'vitest';
import { analyseText } from '../../support/analyse.ts';
import { FOO } from '../lifecycle/support.ts';

function found(body: string): string[] {
  const text = `${FOO}struct foo *foo_find(int id);\nstatic DEFINE_MUTEX(foos);\nstatic DEFINE_MUTEX(others);\nstatic int foo_set(int id)\n{\n\tstruct foo *foo;\n\n${body}\treturn 0;\n}\n`;
  return analyseText(text, '6.6')
    .filter((one) => one.severity === 'error' || one.severity === 'warning')
    .map((one) => one.rule);
}

const FIND = '\tfoo = foo_find(id);\n';
const MISSED = '\tif (!foo) {\n\t\tmutex_unlock(&foos);\n\t\treturn -ENODEV;\n\t}\n';
const PUT = '\tvfio_put_device(&foo->vdev);\n';
const USE = '\tfoo->up = true;\n';
const LOCK = '\tmutex_lock(&foos);\n';
const UNLOCK = '\tmutex_unlock(&foos);\n';

describe('nothing is said where the lock is held', () => {
  test.each([
    ['from before the lookup to after the use', LOCK + FIND + MISSED + PUT + USE + UNLOCK],
    ['by a guard', `\tguard(mutex)(&foos);\n${FIND}\tif (!foo)\n\t\treturn -ENODEV;\n${PUT}${USE}`],
    ['by a spinlock', `\tspin_lock(&foo_lock);\n${FIND}${PUT}${USE}\tspin_unlock(&foo_lock);\n`],
    [
      'beside another one that is released',
      `${LOCK}\tmutex_lock(&others);\n${FIND}\tmutex_unlock(&others);\n${PUT}${USE}${UNLOCK}`,
    ],
  ])('%s', (_, body) => expect(found(body)).toEqual([]));
});

describe('the use is one of freed memory where', () => {
  test.each([
    ['there is no lock', FIND + PUT + USE],
    ['the lock is taken after the lookup', FIND + LOCK + PUT + USE + UNLOCK],
    ['the lock is released before the use', LOCK + FIND + PUT + UNLOCK + USE],
    ['the lock is taken again', LOCK + FIND + UNLOCK + PUT + LOCK + USE + UNLOCK],
    ['the guard has ended', `\tscoped_guard(mutex, &foos) {\n\t${FIND}\t${PUT}\t}\n${USE}`],
  ])('%s', (_, body) => expect(found(body)).toEqual(['use-after-put']));
});
