import { describe, expect, it } from 'vitest';
import { CancelledError, type Clock } from '@millrace/core';
import { Backoff } from './backoff.ts';

function scripted(): { readonly backoff: Backoff; readonly waits: number[] } {
  const waits: number[] = [];
  const clock = {
    sleep: async (delayMs: number, signal?: AbortSignal) => {
      waits.push(delayMs);
      if (signal?.aborted === true) throw new CancelledError();
    },
  } as unknown as Clock;
  return { backoff: new Backoff(clock, 50, 300), waits };
}

describe('Backoff', () => {
  it('does not wait at first, then twice as long each time up to the limit', async () => {
    const { backoff, waits } = scripted();
    for (let attempt = 0; attempt < 6; attempt++) await backoff.wait(new AbortController().signal);
    expect(waits).toEqual([50, 100, 200, 300, 300]);
  });

  it('begins anew after a success', async () => {
    const { backoff, waits } = scripted();
    const { signal } = new AbortController();
    for (let attempt = 0; attempt < 3; attempt++) await backoff.wait(signal);
    backoff.reset();
    for (let attempt = 0; attempt < 2; attempt++) await backoff.wait(signal);
    expect(waits).toEqual([50, 100, 50]);
  });

  it('waits less next time when what it waits for may come at any time', async () => {
    const { backoff, waits } = scripted();
    const { signal } = new AbortController();
    for (let attempt = 0; attempt < 6; attempt++) {
      await backoff.wait(signal);
      backoff.hasten(120);
    }
    expect(waits).toEqual([50, 100, 120, 120, 120]);
  });

  it('passes on that the wait was cancelled', async () => {
    const { backoff } = scripted();
    const stop = new AbortController();
    stop.abort();
    await backoff.wait(stop.signal);
    await expect(backoff.wait(stop.signal)).rejects.toThrow(CancelledError);
  });
});
