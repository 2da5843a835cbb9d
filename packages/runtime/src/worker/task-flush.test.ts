import { describe, expect, it } from 'vitest';
import { AsyncStage, OpenCalls } from '../async/async-stage.ts';
import type { StreamTask } from '../task/stream-task.ts';
import { TaskFlush, type Tenure } from './task-flush.ts';

/** A task with asynchronous work and nothing else. */
function taskOf({ work }: AsyncStage): StreamTask {
  return {
    taskId: '0_0',
    pending: undefined,
    asyncWork: work,
    flushCaches: () => work.forward(() => true),
    get hasUnflushed() {
      return work.held > 0;
    },
    get settling() {
      return work.held > 0 ? work.progress : undefined;
    },
  } as unknown as StreamTask;
}

function stage(tenure: () => Tenure) {
  const staged = new AsyncStage();
  const calls = new OpenCalls();
  const lane = staged.lane(calls.call, { timeoutMs: 60_000 });
  for (const value of ['a', 'b']) staged.submit(lane, value, value);
  const flush = new TaskFlush({ clock: staged.clock, pollMs: 10, asyncDrainMs: 100, tenure });
  const outcome = { ended: false, error: undefined as unknown };
  const done = flush.flush([taskOf(staged)]).then(
    (isFlushed) => {
      outcome.ended = true;
      return isFlushed;
    },
    (error: unknown) => {
      Object.assign(outcome, { ended: true, error });
      return undefined;
    },
  );
  return { ...staged, staged, calls, outcome, done };
}

describe('the flush before a commit', () => {
  it('waits for all results, however long they take, while the worker keeps its tasks', async () => {
    const { staged, calls, outcome } = stage(() => 'keeps');
    await staged.clock.advance(10_000);
    calls.resolve('a');
    await staged.clock.advance(10_000);
    expect(outcome.ended).toBe(false);
    calls.resolve('b');
    await staged.clock.settle();
    expect(outcome).toEqual({ ended: true, error: undefined });
    expect(staged.results).toEqual(['a', 'b']);
  });

  it('leaves no timer behind', async () => {
    const { staged, calls } = stage(() => 'keeps');
    calls.resolve('a', 'b');
    await staged.clock.settle();
    expect(staged.clock.pendingTimers).toBe(0);
  });

  it('gives results some time when the worker has to leave, from when it has to', async () => {
    let tenure: Tenure = 'keeps';
    const { staged, outcome } = stage(() => tenure);
    await staged.clock.advance(1000);
    tenure = 'leaving';
    await staged.clock.advance(100);
    expect(outcome.ended).toBe(false);
    await staged.clock.advance(20);
    expect(outcome).toMatchObject({ ended: true, error: { code: 'ASYNC_WORK_CUT_OFF', name: 'RetriableError', taskId: '0_0' } });
  });

  it('is broken off without loss when the group waits for the worker', async () => {
    let tenure: Tenure = 'keeps';
    const { staged, calls, outcome, done } = stage(() => tenure);
    tenure = 'awaited';
    await staged.clock.advance(20);
    expect(outcome).toEqual({ ended: true, error: undefined });
    expect(await done).toBe(false);
    calls.resolve('a', 'b');
    await staged.clock.settle();
    expect([...calls.signals.values()].some(({ aborted }) => aborted)).toBe(false);
  });

  it('ends at once when the tasks belong to somebody else', async () => {
    let tenure: Tenure = 'keeps';
    const { staged, outcome } = stage(() => tenure);
    tenure = 'lost';
    await staged.clock.advance(20);
    expect(outcome).toMatchObject({ ended: true, error: { code: 'MEMBERSHIP_LOST' } });
  });
});
