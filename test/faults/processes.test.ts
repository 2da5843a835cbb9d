import { systemClock } from '@millrace/core';
import { describe, expect, inject, it } from 'vitest';
import type { LedgerWorker } from './ledger/ledger-worker.ts';
import type { ProxyRule } from './proxy/proxy-rule.ts';
import { FaultRun, type Seat, TIMES } from './rig/fault-run.ts';

const brokers = inject('faultBrokers');
const PER_SECOND = 400;

/** Kills the worker the moment a frame of that kind passes its proxy, which goes no further. */
function killAt({ worker, proxy }: Seat, at: Pick<ProxyRule, 'api' | 'side' | 'skip'>): void {
  const action = async (): Promise<'drop'> => {
    worker.expectedEnd = 'killed';
    worker.signal('SIGKILL');
    await worker.ended;
    return 'drop';
  };
  proxy.add({ ...at, action });
}

/** Whether a worker has found out since then that its tasks are somebody else's. */
function isAware(worker: LedgerWorker, sinceMs: number): boolean {
  return ['membership is lost', 'joining the group again'].some((text) => worker.logged(text, sinceMs) !== undefined);
}

/** The lines of a text that are JSON objects and hold these words. */
function linesWith(text: string, words: string): { readonly taskId?: string }[] {
  const lines = text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}') && line.includes(words));
  return lines.map((line) => JSON.parse(line) as { readonly taskId?: string });
}

/** Waits until a worker that others have taken the tasks of since then has found out, and is back. */
async function isBack({ worker }: Seat, sinceMs: number): Promise<void> {
  await worker.until('aware of it', (one) => isAware(one, sinceMs));
  await worker.until('running again', ({ state }) => state === 'running');
}

describe('a killed worker', () => {
  it('F1 in the middle of transactions: others go on, what it had written is aborted', async () => {
    await using run = await FaultRun.start({ brokers });
    const [a, b] = (await run.workers('a', 'b')) as [Seat, Seat];
    run.source.feed(PER_SECOND);
    killAt(a, { api: 'EndTxn', side: 'request', skip: 3 });
    await run.buried(a);
    await run.haveAllTasks(b);
    const again = await run.worker('a');
    await again.worker.running();
    killAt(b, { api: 'EndTxn', side: 'request', skip: 3 });
    await run.buried(b);
    await run.haveAllTasks(again);
    run.healed();
    const { findings, abortedRecords } = await run.conclude();
    expect(findings).toBe('');
    expect(abortedRecords).toBeGreaterThan(0);
  });

  it('F2 at each step of a commit: redone or not by what was committed, the store catches up', async () => {
    await using run = await FaultRun.start({ brokers });
    const steps: readonly (readonly [how: string, at: Pick<ProxyRule, 'api' | 'side' | 'skip'>])[] = [
      ['before its records reach the broker', { api: 'Produce', side: 'request', skip: 2 }],
      ['before it knows that they have', { api: 'Produce', side: 'response', skip: 2 }],
      ['before TxnOffsetCommit', { api: 'TxnOffsetCommit', side: 'request', skip: 1 }],
      ['after TxnOffsetCommit', { api: 'TxnOffsetCommit', side: 'response', skip: 1 }],
      ['before EndTxn', { api: 'EndTxn', side: 'request', skip: 1 }],
      ['after EndTxn, before its store', { api: 'EndTxn', side: 'response', skip: 1 }],
    ];
    run.source.feed(PER_SECOND);
    for (const [how, at] of steps) {
      const seat = await run.worker('a');
      killAt(seat, at);
      await run.buried(seat, how);
    }
    await run.buried(await run.worker('a', { dieInWrite: 20 }), 'while it wrote to its store');
    const [last] = (await run.workers('a')) as [Seat];
    await last.worker.running();
    run.healed();
    expect(await run.verdict()).toBe('');
  });
});

describe('a worker that was stopped for longer than its session', () => {
  it('F3 finds that others have its tasks, gives them up and joins again; also in the middle of EndTxn', async () => {
    await using run = await FaultRun.start({ brokers });
    const [a, b] = (await run.workers('a', 'b')) as [Seat, Seat];
    run.source.feed(PER_SECOND);
    const firstAt = systemClock.nowMs();
    a.worker.signal('SIGSTOP');
    await run.haveAllTasks(b);
    a.worker.signal('SIGCONT');
    await isBack(a, firstAt);

    const secondAt = systemClock.nowMs();
    const stopped = b.proxy.add({
      api: 'EndTxn',
      side: 'request',
      skip: 2,
      action: async () => {
        b.worker.signal('SIGSTOP');
        // The request comes through when the tasks have a new owner.
        await run.haveAllTasks(a);
        b.worker.signal('SIGCONT');
      },
    });
    await stopped.hit();
    await run.haveAllTasks(a);
    await isBack(b, secondAt);
    run.healed();
    expect(await run.verdict()).toBe('');
  });

  it('F4 and gets its old tasks back has dropped what it had not committed, and restores the rest', async () => {
    await using run = await FaultRun.start({ brokers });
    const [a, b] = (await run.workers('a', 'b')) as [Seat, Seat];
    await run.source.write(500);
    await run.drained();
    a.worker.signal('SIGSTOP');
    await run.haveAllTasks(b);
    await run.source.write(500);
    await run.drained();
    a.worker.signal('SIGCONT');
    expect(await b.worker.stop()).toEqual({ code: 0, signal: null });
    await run.haveAllTasks(a);
    run.healed();
    await run.source.write(200);
    expect(await run.verdict()).toBe('');
    expect(a.worker.restoredRecords).toBeGreaterThan(0);
  });
});

describe('user code that takes too long', () => {
  it('F5 loses its tasks when it misses a rebalance, and its work is done again elsewhere', async () => {
    await using run = await FaultRun.start({ brokers, settings: { rebalanceTimeoutMs: 2000 } });
    const [a] = (await run.workers('a')) as [Seat];
    await run.source.write(300);
    await run.drained();
    const orderedAt = systemClock.nowMs();
    await run.source.write(200, { order: 'sleep' });
    await a.worker.until('asleep', ({ isObeying }) => isObeying);
    const b = await run.worker('b');
    // The order comes with the task.
    await b.worker.until('asleep, too', ({ isObeying }) => isObeying);
    a.worker.release();
    await isBack(a, orderedAt);
    b.worker.release();
    run.healed();
    expect(await run.verdict()).toBe('');
  });

  it('F31 and blocks the event loop for longer than the session: that is reported, and the others take over', async () => {
    await using run = await FaultRun.start({ brokers });
    const [a, b] = (await run.workers('a', 'b')) as [Seat, Seat];
    await run.source.write(300);
    await run.source.write(1, { order: 'block' });
    await Promise.any([a, b].map(({ worker }) => worker.until('blocked', ({ isObeying }) => isObeying)));
    const [blocked, other] = a.worker.isObeying ? [a, b] : [b, a];
    const blockedAt = blocked.worker.orders[0]?.atMs ?? 0;
    const tasks = [...blocked.worker.openTasks.keys()];
    // A slow machine may have stood still before, which is none of a task's.
    const stalls = (): unknown[] =>
      linesWith(blocked.worker.errors, 'the event loop does not turn').filter(({ taskId }) => taskId);
    await blocked.worker.until('reported while it is blocked', () => stalls().length > 0);
    expect(stalls()[0]).toMatchObject({ level: 'warn', taskId: expect.toBeOneOf(tasks), forMs: expect.any(Number) });
    // The heir gets the same order.
    await other.worker.until('blocked, too', ({ isObeying }) => isObeying);
    await run.source.write(300);
    await systemClock.sleep(Math.max(0, blockedAt + 2 * TIMES.sessionTimeoutMs - systemClock.nowMs()));
    expect(blocked.worker.logged('the event loop turns again', blockedAt)).toBeUndefined();
    blocked.worker.release();
    await isBack(blocked, blockedAt);
    other.worker.release();
    // Who watches the loop may notice it later than the loop itself.
    const stalledForMs = (): number => Math.max(0, ...blocked.worker.events.map((event) => event.stalledForMs ?? 0));
    await blocked.worker.until('turning again', () => stalledForMs() > 1.5 * TIMES.sessionTimeoutMs);
    expect(stalledForMs()).toBeGreaterThan(1.5 * TIMES.sessionTimeoutMs);
    run.healed();
    expect(await run.verdict()).toBe('');
  });
});

describe('a worker that is restarted', () => {
  it.each([
    ['without', false],
    ['with', true],
  ] as const)('F38 one after the other %s an instance id: what is on the disk is used again', async (_how, isStatic) => {
    // A static member that is not back within its session gives its tasks up: even a slow machine starts a process in that time.
    const restarted = { sessionTimeoutMs: 20_000, heartbeatIntervalMs: 300 };
    await using run = await FaultRun.start({ brokers, ...(isStatic ? { settings: restarted } : {}) });
    const start = (name: string): Promise<Seat> =>
      run.worker(name, isStatic ? { settings: { groupInstanceId: `${run.ledger.applicationId}-${name}` } } : {});
    const seats = new Map<string, Seat>();
    for (const name of ['a', 'b']) seats.set(name, await start(name));
    await Promise.all([...seats.values()].map(({ worker }) => worker.running()));
    run.source.feed(PER_SECOND);
    await run.drained();
    for (const name of ['a', 'b']) {
      expect(await seats.get(name)?.worker.stop()).toEqual({ code: 0, signal: null });
      const again = await start(name);
      await again.worker.running();
      // A static member keeps its tasks meanwhile; without an id they move, and what was written elsewhere comes after.
      if (isStatic) expect(again.worker.restoredRecords, again.worker.output).toBe(0);
      seats.set(name, again);
      await systemClock.sleep(1000);
    }
    run.healed();
    expect(await run.verdict()).toBe('');
  });

  it('F45 by SIGTERM during a commit and during a restore: it ends in order', async () => {
    await using run = await FaultRun.start({ brokers });
    const [a] = (await run.workers('a')) as [Seat];
    run.source.feed(PER_SECOND);
    const commit = a.proxy.add({
      api: 'EndTxn',
      side: 'request',
      skip: 3,
      action: async () => {
        a.worker.signal('SIGTERM');
        await systemClock.sleep(700);
      },
    });
    await commit.hit();
    expect(await a.worker.ended, a.worker.output).toEqual({ code: 0, signal: null });

    const b = await run.worker('b');
    const isRestoring = (): Promise<void> =>
      b.worker.until('restoring', ({ events }) => events.some(({ event }) => event === 'restoring'));
    const restore = b.proxy.add({
      api: 'Fetch',
      side: 'response',
      action: async () => {
        await isRestoring();
        b.worker.signal('SIGTERM');
        await systemClock.sleep(700);
      },
    });
    await restore.hit();
    await isRestoring();
    expect(await b.worker.ended, b.worker.output).toEqual({ code: 0, signal: null });
    await run.workers('c');
    run.healed();
    expect(await run.verdict()).toBe('');
  });

  it('F37 twice under one instance id: the newer one has the tasks, the older one says why it ends', async () => {
    // Whose session has run out is nobody's twin: it joins again, and fences the other one.
    await using run = await FaultRun.start({ brokers, settings: { sessionTimeoutMs: 10_000 } });
    const settings = { groupInstanceId: `${run.ledger.applicationId}-one` };
    const older = await run.worker('older', { settings });
    await older.worker.running();
    await run.source.write(300);
    const newer = await run.worker('newer', { settings });
    older.worker.expectedEnd = 'failed';
    expect(await older.worker.ended, older.worker.output).toEqual({ code: 1, signal: null });
    await run.haveAllTasks(newer);
    await run.source.write(300);
    run.healed();
    expect(await run.verdict()).toBe('');
    expect(older.worker.failure?.message).toMatch(/instance/);
  });

  it('F34 with a wall clock that is wrong and jumps: nothing depends on it', async () => {
    await using run = await FaultRun.start({ brokers });
    const a = await run.worker('a', { clock: { skewMs: 3_600_000, jumpMs: -7_200_000 } });
    const b = await run.worker('b', { clock: { skewMs: 11 * 365 * 86_400_000 } });
    await Promise.all([a, b].map(({ worker }) => worker.running()));
    run.source.feed(PER_SECOND);
    await run.drained();
    a.worker.signal('SIGHUP');
    await systemClock.sleep(3000);
    run.healed();
    expect(await run.verdict()).toBe('');
  });
});
