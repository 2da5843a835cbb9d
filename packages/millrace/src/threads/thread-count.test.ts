import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { threadCount } from './thread-count.ts';

describe('the number of threads', () => {
  it('is what was asked for', () => {
    expect(threadCount(3, 8)).toBe(3);
  });

  it('is that of the processors that the process may use, with auto', () => {
    expect(threadCount('auto', 8)).toBe(8);
    expect(threadCount('auto')).toBe(availableParallelism());
  });
});
