import { FatalStreamsError, RetriableError, seededRandom, silentLogger } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../scripted-transport/manual-clock.ts';
import { Backoff } from './backoff.ts';
import { cancellable } from './cancellable.ts';
import { retrying } from './retrying.ts';

const random = seededRandom(7);

function failing(times: number, code = 'NOT_COORDINATOR') {
  let attempts = 0;
  return {
    attempt: () => (attempts++ < times ? Promise.reject(new RetriableError(code, 'not now')) : Promise.resolve('done')),
    get attempts() {
      return attempts;
    },
  };
}

describe('retrying', () => {
  it('goes on until it works', async () => {
    const clock = new ManualClock();
    const operation = failing(5);
    expect(await clock.until(retrying({ clock, random, logger: silentLogger }, operation.attempt))).toBe('done');
    expect(operation.attempts).toBe(6);
  });

  it('throws at once what does not pass', async () => {
    const clock = new ManualClock();
    const attempt = () => Promise.reject(new FatalStreamsError('X', 'no'));
    await expect(retrying({ clock, random, logger: silentLogger }, attempt)).rejects.toMatchObject({ code: 'X' });
  });

  it('throws the last error when its time is up', async () => {
    const clock = new ManualClock();
    const operation = failing(Infinity);
    await expect(
      clock.until(retrying({ clock, random, logger: silentLogger, forAtMostMs: 5000 }, operation.attempt)),
    ).rejects.toMatchObject({ code: 'NOT_COORDINATOR' });
    expect(clock.monotonicMs() - 1_000_000).toBeGreaterThanOrEqual(5000);
  });

  it('says so when it takes long, ever more rarely', async () => {
    const clock = new ManualClock();
    const warned: unknown[] = [];
    const logger = { ...silentLogger, warn: (_message: string, fields?: object) => void warned.push(fields) };
    await clock.until(retrying({ clock, random, logger, forAtMostMs: 60_000 }, failing(Infinity).attempt)).catch(() => undefined);
    expect(warned.length).toBeGreaterThanOrEqual(3);
    expect(warned.length).toBeLessThanOrEqual(4);
    expect(warned[0]).toMatchObject({ error: 'not now' });
  });

  it('waits only milliseconds for markers', async () => {
    const clock = new ManualClock();
    await clock.until(retrying({ clock, random, logger: silentLogger }, failing(3, 'CONCURRENT_TRANSACTIONS').attempt));
    expect(clock.monotonicMs() - 1_000_000).toBeLessThan(15);
  });

  it('ends when it is cancelled', async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const done = retrying({ clock, random, logger: silentLogger, signal: abort.signal }, failing(Infinity).attempt);
    await clock.settle();
    abort.abort();
    await expect(done).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('a back-off', () => {
  it('doubles up to its maximum, with jitter of half, and begins anew after a success', () => {
    const backoff = new Backoff(new ManualClock(), random, { initialMs: 10, maxMs: 100 });
    for (const full of [10, 20, 40, 80, 100, 100]) {
      const delay = backoff.nextDelayMs();
      expect(delay).toBeGreaterThanOrEqual(full / 2);
      expect(delay).toBeLessThanOrEqual(full);
    }
    backoff.reset();
    expect(backoff.nextDelayMs()).toBeLessThanOrEqual(10);
  });
});

describe('a cancellable wait', () => {
  it('passes on results and errors', async () => {
    const { signal } = new AbortController();
    expect(await cancellable(Promise.resolve(1), signal)).toBe(1);
    await expect(cancellable(Promise.reject(new Error('x')), signal)).rejects.toThrow('x');
  });

  it('ends with the signal, before and after it began', async () => {
    const abort = new AbortController();
    const waiting = cancellable(new Promise(() => undefined), abort.signal);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(cancellable(Promise.reject(new Error('late')), abort.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
