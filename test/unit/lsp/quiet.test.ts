import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createQuiet } from '../../../server/src/lsp/quiet.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('calls back once, when nothing has happened for a while', () => {
  const onQuiet = vi.fn();
  const quiet = createQuiet(100, onQuiet);
  quiet.disturb();
  vi.advanceTimersByTime(60);
  quiet.disturb();
  vi.advanceTimersByTime(99);
  expect(onQuiet).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onQuiet).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1000);
  expect(onQuiet).toHaveBeenCalledTimes(1);
});

it('waits again after it has called back', () => {
  const onQuiet = vi.fn();
  const quiet = createQuiet(100, onQuiet);
  quiet.disturb();
  vi.advanceTimersByTime(100);
  quiet.disturb();
  vi.advanceTimersByTime(100);
  expect(onQuiet).toHaveBeenCalledTimes(2);
});

it('does not call back after a stop, until something happens again', () => {
  const onQuiet = vi.fn();
  const quiet = createQuiet(100, onQuiet);
  quiet.disturb();
  quiet.stop();
  vi.advanceTimersByTime(1000);
  expect(onQuiet).not.toHaveBeenCalled();
  quiet.disturb();
  vi.advanceTimersByTime(100);
  expect(onQuiet).toHaveBeenCalledTimes(1);
});
