import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../settings/resolve-settings.ts';
import { divideBudget } from './divide-budget.ts';

const MIB = 1024 * 1024;

describe('a memory budget', () => {
  it('is divided equally, with a quarter left for outputs', () => {
    expect(divideBudget(64 * MIB, {})).toEqual({
      cacheMaxBytes: 16 * MIB,
      stateCacheBytes: 16 * MIB,
      inputBufferMaxBytes: 16 * MIB,
    });
  });

  it('leaves shares alone that are given', () => {
    expect(divideBudget(64 * MIB, { stateCacheBytes: 0, cacheMaxBytes: 40 * MIB })).toEqual({
      cacheMaxBytes: 40 * MIB,
      stateCacheBytes: 0,
      inputBufferMaxBytes: 8 * MIB,
    });
  });

  it('sets what is not set, and nothing where there is none', () => {
    const a = { applicationId: 'a' };
    expect(resolveSettings({ ...a, memoryBudgetBytes: 64 * MIB, cacheMaxBytes: 0 })).toMatchObject({
      cacheMaxBytes: 0,
      stateCacheBytes: 24 * MIB,
      inputBufferMaxBytes: 24 * MIB,
    });
    expect(resolveSettings(a)).toMatchObject({ memoryBudgetBytes: 0, cacheMaxBytes: 10 * MIB, stateCacheBytes: 32 * MIB });
  });

  it('is refused when single settings exceed it, or it is too small', () => {
    const a = { applicationId: 'a' };
    expect(() => resolveSettings({ ...a, memoryBudgetBytes: 32 * MIB, stateCacheBytes: 32 * MIB })).toThrow(
      /memoryBudgetBytes: 33554432; stateCacheBytes alone take 33554432 of the 25165824/,
    );
    expect(() => resolveSettings({ ...a, memoryBudgetBytes: MIB })).toThrow('give 0 for none, or at least 16777216');
  });
});
