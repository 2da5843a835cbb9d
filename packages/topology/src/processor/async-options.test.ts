import { describe, expect, it } from 'vitest';
import { resolveAsyncOptions, type AsyncOptions } from './async-options.ts';

const DEFAULTS = { concurrency: 16, timeoutMs: 10_000, attempts: 1, backoffMs: 100, maxBackoffMs: 10_000, order: 'perKey' };

describe('the options of asynchronous operators', () => {
  it.each<[AsyncOptions, object]>([
    [{}, {}],
    [
      { concurrency: 1, timeoutMs: 5, order: 'none' },
      { concurrency: 1, timeoutMs: 5, order: 'none' },
    ],
    [{ retry: {} }, { attempts: 3 }],
    [{ retry: { attempts: 5, backoffMs: 1, maxBackoffMs: 1 } }, { attempts: 5, backoffMs: 1, maxBackoffMs: 1 }],
    [{ retry: { backoffMs: 60_000 } }, { attempts: 3, backoffMs: 60_000, maxBackoffMs: 60_000 }],
  ])('%j are completed with the defaults', (options, changes) => {
    expect(resolveAsyncOptions(options, 'node')).toEqual({ ...DEFAULTS, ...changes });
  });

  it.each<[AsyncOptions, RegExp]>([
    [{ concurrency: 0 }, /concurrency is 0, give an integer from 1 to 100000/],
    [{ timeoutMs: Infinity }, /timeoutMs is Infinity/],
    [{ retry: { attempts: 1.5 } }, /attempts is 1.5/],
    [{ retry: { backoffMs: 10, maxBackoffMs: 5 } }, /maxBackoffMs is 5, give at least backoffMs, which is 10/],
    [{ order: 'any' as never, concurrency: -1 }, /concurrency is -1.*; order is "any", give one of perKey, perPartition, none/],
  ])('%j are refused', (options, message) => {
    expect(() => resolveAsyncOptions(options, 'quote')).toThrow(
      expect.objectContaining({ code: 'INVALID_ASYNC_OPTIONS', node: 'quote' }),
    );
    expect(() => resolveAsyncOptions(options, 'quote')).toThrow(message);
  });
});
