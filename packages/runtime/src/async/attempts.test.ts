import { describe, expect, it } from 'vitest';
import { AsyncStage, OpenCalls } from './async-stage.ts';

describe('the attempts for a record', () => {
  it.each([
    { attempts: 1, backoffMs: 100, maxBackoffMs: 1000, atMs: [0] },
    { attempts: 4, backoffMs: 100, maxBackoffMs: 1000, atMs: [0, 100, 300, 700] },
    { attempts: 4, backoffMs: 100, maxBackoffMs: 150, atMs: [0, 100, 250, 400] },
    { attempts: 3, backoffMs: 0, maxBackoffMs: 0, atMs: [0, 0, 0] },
  ])('are $attempts, with pauses from $backoffMs to $maxBackoffMs ms: $atMs', async ({ atMs, ...settings }) => {
    const stage = new AsyncStage();
    const made: number[] = [];
    const lane = stage.lane(async (_value, { attempt }) => {
      made.push(stage.clock.nowMs());
      throw new Error(`attempt ${attempt}`);
    }, settings);
    stage.submit(lane, 'k', 'v');
    await stage.clock.advance(100_000);
    expect(made).toEqual(atMs);
    await stage.forward();
    expect(stage.failed).toMatchObject([{ error: { message: `attempt ${settings.attempts}` } }]);
  });

  it('end with the first that succeeds', async () => {
    const stage = new AsyncStage();
    const lane = stage.lane(
      async (value, { attempt }) => {
        if (attempt < 3) throw new Error('busy');
        return `${String(value)} at attempt ${attempt}`;
      },
      { attempts: 5 },
    );
    stage.submit(lane, 'k', 'v');
    await stage.clock.advance(10_000);
    await stage.forward();
    expect([stage.results, stage.failed]).toEqual([['v at attempt 3'], []]);
  });

  it('fail when the function throws before it returns a promise, or returns none', async () => {
    const stage = new AsyncStage();
    const lane = stage.lane(((value: unknown) => {
      if (value === 'bad') throw new Error('at once');
      return value;
    }) as never);
    stage.submit(lane, 'a', 'bad');
    stage.submit(lane, 'b', 'plain');
    await stage.forward();
    expect(stage.failed).toMatchObject([{ error: { message: 'at once' } }]);
    expect(stage.results).toEqual(['plain']);
  });

  it('are given up one by one when they time out; a late answer counts for nothing', async () => {
    const stage = new AsyncStage();
    const signals: AbortSignal[] = [];
    const late: ((value: string) => void)[] = [];
    const lane = stage.lane(
      (_value, { signal }) => {
        signals.push(signal);
        return new Promise((resolve) => late.push(resolve));
      },
      { timeoutMs: 50, attempts: 2, backoffMs: 10 },
    );
    stage.submit(lane, 'k', 'v');
    await stage.clock.advance(50);
    late[0]?.('late');
    await stage.clock.advance(9);
    expect([signals.length, signals[0]?.reason.name, stage.work.openCalls]).toEqual([1, 'TimeoutError', 0]);
    await stage.clock.advance(51);
    await stage.forward();
    expect(stage.results).toEqual([]);
    expect(stage.failed).toMatchObject([{ error: { name: 'TimeoutError', message: expect.stringContaining('attempt 2 of 2') } }]);
    expect(stage.clock.pendingTimers).toBe(0);
  });

  it('tell the function where the record comes from, and which attempt it is', async () => {
    const stage = new AsyncStage();
    const told: unknown[] = [];
    const lane = stage.lane(
      (_value, { signal, ...call }) => {
        told.push({ ...call, aborted: signal.aborted });
        return call.attempt === 1 ? Promise.reject(new Error('once')) : Promise.resolve();
      },
      { attempts: 2 },
    );
    stage.submit(lane, 'k', 'v');
    await stage.clock.advance(100);
    const record = { topic: 'in', partition: 0, offset: 0, timestamp: 0, headers: [], aborted: false };
    expect(told).toEqual([
      { ...record, attempt: 1 },
      { ...record, attempt: 2 },
    ]);
  });

  it('leave the place to others of other keys only when they have ended', async () => {
    const stage = new AsyncStage();
    const calls = new OpenCalls();
    const lane = stage.lane(calls.call, { concurrency: 1, attempts: 2, backoffMs: 10 });
    stage.submit(lane, 'a', 'a');
    stage.submit(lane, 'b', 'b');
    calls.reject('a', new Error('busy'));
    await stage.clock.advance(5);
    expect(calls.started).toEqual(['a']);
    await stage.clock.advance(5);
    expect(calls.started).toEqual(['a', 'a']);
  });
});
