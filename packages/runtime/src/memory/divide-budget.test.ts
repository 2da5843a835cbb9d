import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../settings/resolve-settings.ts';
import { budgetProblems, divideBudget } from './divide-budget.ts';

const MIB = 1024 * 1024;
const a = { applicationId: 'a' };

describe('a memory budget', () => {
  it('is divided equally among uncommitted rows, clean rows, input and output', () => {
    expect(divideBudget(64 * MIB, {})).toEqual({
      cacheMaxBytes: 16 * MIB,
      uncommittedMaxBytes: 16 * MIB,
      stateCacheBytes: 16 * MIB,
      inputBufferMaxBytes: 16 * MIB,
      outputBufferMaxBytes: 16 * MIB,
    });
  });

  it('leaves shares alone that are given', () => {
    expect(divideBudget(64 * MIB, { stateCacheBytes: 0, cacheMaxBytes: 40 * MIB })).toEqual({
      cacheMaxBytes: 40 * MIB,
      uncommittedMaxBytes: 40 * MIB,
      stateCacheBytes: 0,
      inputBufferMaxBytes: 12 * MIB,
      outputBufferMaxBytes: 12 * MIB,
    });
  });

  it('sets what is not set, and nothing where there is none', () => {
    expect(resolveSettings({ ...a, memoryBudgetBytes: 64 * MIB, inputBufferMaxBytes: 4 * MIB })).toMatchObject({
      uncommittedMaxBytes: 20 * MIB,
      inputBufferMaxBytes: 4 * MIB,
      outputBufferMaxBytes: 20 * MIB,
    });
    expect(resolveSettings(a)).toMatchObject({
      memoryBudgetBytes: 0,
      cacheMaxBytes: 10 * MIB,
      stateCacheBytes: 32 * MIB,
      outputBufferMaxBytes: 64 * MIB,
    });
  });

  it('is kept by uncommitted rows, also without record caching and however small it is', () => {
    expect(resolveSettings({ ...a, memoryBudgetBytes: 16 * MIB }).uncommittedMaxBytes).toBe(4 * MIB);
    expect(resolveSettings({ ...a, memoryBudgetBytes: 16 * MIB, cacheMaxBytes: 0 })).toMatchObject({
      cacheMaxBytes: 0,
      uncommittedMaxBytes: 4 * MIB,
    });
    expect(resolveSettings({ ...a, memoryBudgetBytes: 16 * MIB, cacheMaxBytes: 300 })).toMatchObject({
      cacheMaxBytes: 300,
      uncommittedMaxBytes: MIB,
    });
  });

  it('is refused when single settings leave too little of it, with the least that would do', () => {
    expect(budgetProblems(16 * MIB, { stateCacheBytes: 14 * MIB })).toEqual([
      'memoryBudgetBytes: 16777216; stateCacheBytes alone take 14680064, and uncommittedMaxBytes, inputBufferMaxBytes, ' +
        'outputBufferMaxBytes need 1048576 each: raise it to at least 17825792, or lower them',
    ]);
    expect(budgetProblems(17 * MIB, { stateCacheBytes: 14 * MIB })).toEqual([]);
    const all = { cacheMaxBytes: 8 * MIB, stateCacheBytes: 4 * MIB, inputBufferMaxBytes: 4 * MIB, outputBufferMaxBytes: MIB };
    expect(budgetProblems(16 * MIB, all)).toEqual([
      'memoryBudgetBytes: 16777216; cacheMaxBytes, stateCacheBytes, inputBufferMaxBytes, outputBufferMaxBytes alone take ' +
        '17825792: raise it to at least 17825792, or lower them',
    ]);
  });

  it('is refused when it is too small', () => {
    expect(() => resolveSettings({ ...a, memoryBudgetBytes: MIB })).toThrow('give 0 for none, or at least 16777216');
  });
});

describe('uncommitted rows without a budget', () => {
  it('may be as many as record caches, and more when these are small or off', () => {
    expect(resolveSettings(a).uncommittedMaxBytes).toBe(16 * MIB);
    expect(resolveSettings({ ...a, cacheMaxBytes: 0 }).uncommittedMaxBytes).toBe(16 * MIB);
    expect(resolveSettings({ ...a, cacheMaxBytes: 50 * MIB }).uncommittedMaxBytes).toBe(50 * MIB);
    expect(resolveSettings({ ...a, uncommittedMaxBytes: MIB }).uncommittedMaxBytes).toBe(MIB);
    expect(() => resolveSettings({ ...a, uncommittedMaxBytes: 1000 })).toThrow(
      'uncommittedMaxBytes: 1000; give an integer from 1048576',
    );
  });
});
