import { FatalStreamsError } from '@millrace/core';
import type { AsyncOrder } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { AsyncStage, OpenCalls } from './async-stage.ts';

/** A value's first letter is its key. */
const keyOf = (value: string): string => value.slice(0, 1);

interface OrderCase {
  readonly order: AsyncOrder;
  readonly records: readonly string[];
  /** In which order calls end, when each that has not begun yet does so as soon as it may. */
  readonly ends: readonly string[];
  readonly startedFirst: readonly string[];
  readonly forwarded: readonly string[];
}

const cases: OrderCase[] = [
  {
    order: 'none',
    records: ['a1', 'a2', 'b1'],
    ends: ['b1', 'a2', 'a1'],
    startedFirst: ['a1', 'a2', 'b1'],
    forwarded: ['b1', 'a2', 'a1'],
  },
  {
    order: 'perKey',
    records: ['a1', 'a2', 'b1'],
    ends: ['b1', 'a1', 'a2'],
    startedFirst: ['a1', 'b1'],
    forwarded: ['b1', 'a1', 'a2'],
  },
  {
    order: 'perKey',
    records: ['a1', 'b1', 'a2', 'b2'],
    ends: ['b1', 'b2', 'a1', 'a2'],
    startedFirst: ['a1', 'b1'],
    forwarded: ['b1', 'b2', 'a1', 'a2'],
  },
  {
    order: 'perPartition',
    records: ['a1', 'b1', 'c1'],
    ends: ['c1', 'b1', 'a1'],
    startedFirst: ['a1', 'b1', 'c1'],
    forwarded: ['a1', 'b1', 'c1'],
  },
  {
    order: 'perPartition',
    records: ['a1', 'a2', 'b1'],
    ends: ['b1', 'a1', 'a2'],
    startedFirst: ['a1', 'b1'],
    forwarded: ['a1', 'a2', 'b1'],
  },
];

describe('the order of an asynchronous operator', () => {
  it.each(cases)(
    '$order: $records, ended as $ends, leave as $forwarded',
    async ({ order, records, ends, startedFirst, forwarded }) => {
      const stage = new AsyncStage();
      const calls = new OpenCalls();
      const lane = stage.lane(calls.call, { order });
      for (const value of records) stage.submit(lane, keyOf(value), value);
      expect(calls.started).toEqual(startedFirst);
      for (const value of ends) {
        calls.resolve(value);
        await stage.forward();
      }
      expect(stage.results).toEqual(forwarded);
      expect([stage.work.held, stage.work.openCalls, stage.clock.pendingTimers]).toEqual([0, 0, 0]);
    },
  );

  it('perPartition does not hold up another input topic', async () => {
    const stage = new AsyncStage();
    const calls = new OpenCalls();
    const lane = stage.lane(calls.call, { order: 'perPartition' });
    stage.submit(lane, 'a', 'slow', 'left');
    stage.submit(lane, 'b', 'quick', 'right');
    calls.resolve('quick');
    await stage.forward();
    expect(stage.results).toEqual(['quick']);
  });

  it('perKey lets records without key pass each other', () => {
    const stage = new AsyncStage();
    const calls = new OpenCalls();
    const lane = stage.lane(calls.call);
    for (const value of ['1', '2']) stage.submit(lane, undefined, value);
    expect(calls.started).toEqual(['1', '2']);
  });

  it('perKey goes on behind a record that failed', async () => {
    const stage = new AsyncStage();
    const calls = new OpenCalls();
    const lane = stage.lane(calls.call);
    for (const value of ['a1', 'a2']) stage.submit(lane, 'a', value);
    calls.reject('a1', new Error('bad'));
    await stage.forward();
    calls.resolve('a2');
    await stage.forward();
    expect(stage.failed).toMatchObject([{ key: 'a', offset: 0, error: { message: 'bad' } }]);
    expect(stage.results).toEqual(['a2']);
  });
});

describe('the concurrency of an asynchronous operator', () => {
  it('makes the task stop until a result has been forwarded', async () => {
    const stage = new AsyncStage();
    const calls = new OpenCalls();
    const lane = stage.lane(calls.call, { concurrency: 2 });
    stage.submit(lane, 'a', 'a1');
    expect(stage.work.isFull).toBe(false);
    stage.submit(lane, 'b', 'b1');
    expect(stage.work.isFull).toBe(true);
    calls.resolve('a1');
    await stage.clock.settle();
    expect(stage.work.isFull).toBe(true);
    await stage.forward();
    expect(stage.work.isFull).toBe(false);
  });

  it('bounds the calls when one record makes more than it allows', async () => {
    const stage = new AsyncStage();
    const calls = new OpenCalls();
    const lane = stage.lane(calls.call, { concurrency: 2 });
    for (const value of ['a', 'b', 'c', 'd']) stage.submit(lane, value, value);
    expect([calls.started, stage.work.held, stage.work.openCalls]).toEqual([['a', 'b'], 4, 2]);
    calls.resolve('a', 'b');
    await stage.forward();
    expect([calls.started, stage.work.held, stage.work.isFull]).toEqual([['a', 'b', 'c', 'd'], 2, true]);
  });

  it('holds back results of an operator above while one below is full', async () => {
    const stage = new AsyncStage();
    const [above, below] = [new OpenCalls(), new OpenCalls()];
    // A task opens lanes from the top; here the lower one is needed first.
    const target: { lane?: ReturnType<AsyncStage['lane']> } = {};
    const first = stage.lane(above.call, { concurrency: 3 }, { submit: (...record) => target.lane?.submit(...record) });
    target.lane = stage.lane(below.call, { concurrency: 1 });
    for (const value of ['a', 'b', 'c']) stage.submit(first, value, value);
    above.resolve('a', 'b', 'c');
    expect(await stage.forward()).toBe(1);
    expect([below.started, stage.work.held]).toEqual([['a'], 3]);
    // Or the task would not wait, but try again and again.
    expect(stage.work.isReady).toBe(false);
    for (const value of ['a', 'b', 'c']) {
      below.resolve(value);
      await stage.forward();
    }
    expect(stage.results).toEqual(['a', 'b', 'c']);
  });
});

describe('a result', () => {
  it('is forwarded in the context of its own record', async () => {
    const stage = new AsyncStage();
    const calls = new OpenCalls();
    const lane = stage.lane(calls.call);
    for (const value of ['a', 'b']) stage.submit(lane, value, value);
    calls.resolve('b');
    await stage.forward();
    calls.resolve('a');
    await stage.forward();
    expect(stage.forwarded).toEqual([
      { key: 'b', result: 'b', offset: 1 },
      { key: 'a', result: 'a', offset: 0 },
    ]);
  });

  it('waits while the task has to wait for something else', async () => {
    const stage = new AsyncStage();
    const lane = stage.lane((value) => Promise.resolve(value));
    stage.submit(lane, 'a', 'a');
    await stage.clock.settle();
    expect(stage.work.forward(() => false)).toBe(0);
    expect(stage.work.isReady).toBe(true);
    expect(stage.work.forward(() => true)).toBe(1);
  });

  it('that the operator cannot take goes to the handler; errors of the framework pass', async () => {
    const stage = new AsyncStage();
    for (const error of [new Error('no pair'), new FatalStreamsError('BUG', 'further down')]) {
      const lane = stage.work.addLane(
        'node',
        {
          call: () => Promise.resolve(),
          complete: () => {
            throw error;
          },
        },
        { concurrency: 1, timeoutMs: 1, attempts: 1, backoffMs: 0, maxBackoffMs: 0, order: 'none' },
      );
      stage.submit(lane, 'a', 'a');
      if (error instanceof FatalStreamsError) await expect(stage.forward()).rejects.toBe(error);
      else await stage.forward();
    }
    expect(stage.failed).toMatchObject([{ error: { message: 'no pair' } }]);
  });
});

describe('abandoned work', () => {
  it('is aborted and never forwarded, whatever the functions still answer', async () => {
    const stage = new AsyncStage();
    const calls = new OpenCalls();
    const lane = stage.lane(calls.call, { concurrency: 2 });
    for (const value of ['a', 'b', 'c']) stage.submit(lane, value, value);
    const progress = stage.work.progress;
    stage.work.abandon('revoked');
    await progress;
    expect([...calls.signals.values()].map(({ reason }) => [reason.name, reason.message])).toEqual([
      ['AbortError', 'revoked'],
      ['AbortError', 'revoked'],
    ]);
    calls.resolve('a');
    calls.reject('b', new Error('aborted'));
    expect(await stage.forward()).toBe(0);
    expect([stage.work.held, stage.work.openCalls, stage.work.isFull, stage.clock.pendingTimers]).toEqual([0, 0, false, 0]);
    expect(calls.started).toEqual(['a', 'b']);
    expect([stage.results, stage.failed]).toEqual([[], []]);
  });
});
