import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@millrace/core';
import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { writeWhile } from './shared-work.ts';
import { STEADY, TestApplication } from './test-application.ts';
import type { Worker, WorkerEvent } from './worker.ts';

const KEYS = 20;
const SESSION_MS = 3000;
/** By its hash. */
const PARTITION_OF_BLOCKER = 3;

/** Tasks that are open. What two threads print comes in any order: a task that moves may be opened before it is closed. */
function openTasks({ events }: Worker): string[] {
  const open = new Map<string, number>();
  for (const { change, taskId } of events) {
    if (change !== undefined && taskId !== undefined) open.set(taskId, (open.get(taskId) ?? 0) + (change === 'opened' ? 1 : -1));
  }
  return [...open.keys()].filter((taskId) => open.get(taskId) === 1).sort();
}

function threadsWithTasks({ events }: Worker): Set<number | undefined> {
  return new Set(events.filter(({ change }) => change === 'opened').map(({ thread }) => thread));
}

/** What was said of the loop of a thread in which the task had its turn. On a busy machine others may stand still, too. */
function saidOf(events: readonly WorkerEvent[], what: 'does not turn' | 'turns again', taskId: string): WorkerEvent | undefined {
  return events.find(({ message, ...of }) => message?.includes(`the event loop ${what}`) === true && of.taskId === taskId);
}

describeWithKafka('an application with threads', (brokers) => {
  async function expectCountedOnce(application: TestApplication, perKey: number): Promise<void> {
    const output = await application.cluster.read(application.output);
    expect(sorted(valuesByKey(output)), application.log).toEqual(sorted(countedOnce(KEYS, perKey)));
  }

  it('shares the tasks among them, counts exactly once over SIGKILL, and finds its state again', async () => {
    await using application = await TestApplication.create({ brokers });
    const { cluster } = application;
    const first = application.worker({}, { threads: 2 });
    await first.running();
    // The thread that joins first has all of them for a moment.
    await first.until((one) => openTasks(one).length === 4 && threadsWithTasks(one).size === 2);
    const { rounds } = await writeWhile(application, { keys: KEYS, perKey: 100, perSecond: 1000 }, async () => {
      await cluster.readUntil(application.output, ({ length }) => length > KEYS * 60);
      await first.kill();
    });

    const second = application.worker({}, { threads: 2 });
    await application.drained();
    expect(await second.stop(), second.output).toEqual({ code: 0, signal: null });
    expect(second.state).toBe('not-running');
    expect(openTasks(second)).toEqual([]);
    await expectCountedOnce(application, rounds);
  });

  it('gives a thread that is added its share, and takes it back from one that is removed, without losing or repeating', async () => {
    await using application = await TestApplication.create({ brokers });
    const { cluster, output } = application;
    const worker = application.worker(STEADY, { threads: 1 });
    await worker.running();
    const { rounds } = await writeWhile(application, { keys: KEYS, perKey: 150, perSecond: 600 }, async () => {
      await cluster.readUntil(output, ({ length }) => length > KEYS);
      worker.signal('SIGUSR2');
      await worker.until(({ events }) => events.some(({ added }) => added === 2));
      // Tasks that move are closed in the one thread and opened in the other.
      await worker.until(({ events }) => events.filter(({ change }) => change === 'closed').length >= 2);
      await worker.until((one) => openTasks(one).length === 4 && one.state === 'running');
      worker.signal('SIGHUP');
      await worker.until(({ events }) => events.some(({ removed }) => removed === 2));
      await worker.until((one) => openTasks(one).length === 4 && one.state === 'running');
    });
    await application.drained();
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    expect(worker.events.filter(({ level }) => level === 'error')).toEqual([]);
    await expectCountedOnce(application, rounds);
  });

  it('takes the tasks back at once from a static member that is removed', async () => {
    await using application = await TestApplication.create({ brokers });
    const { cluster, input } = application;
    // So long that nothing in this test can wait for its end.
    const worker = application.worker({ groupInstanceId: 'static', sessionTimeoutMs: 300_000 }, { threads: 2 });
    await worker.running();
    await cluster.write(input, numberedRecords(KEYS, 20));
    await worker.until((one) => openTasks(one).length === 4 && threadsWithTasks(one).size === 2);
    worker.signal('SIGHUP');
    await worker.until(({ events }) => events.some(({ removed }) => removed === 2));
    await worker.until((one) => openTasks(one).length === 4 && one.state === 'running');
    await cluster.write(input, numberedRecords(KEYS, 20, 21));
    await application.drained();
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    await expectCountedOnce(application, 40);
  });

  it('goes on in the other threads while the loop of one is blocked for three session timeouts, and says so', async () => {
    await using application = await TestApplication.create({ brokers });
    const { cluster, input } = application;
    const worker = application.worker({ sessionTimeoutMs: SESSION_MS }, { threads: 2 });
    await worker.running();
    const [once, taskId] = [join(application.stateDir, 'blocked'), `0_${PARTITION_OF_BLOCKER}`];
    const before = worker.events.length;
    const said = (what: 'does not turn' | 'turns again') => saidOf(worker.events.slice(before), what, taskId);
    await cluster.write(input, [{ key: 'blocker', value: `!block:0:${once}` }]);
    await expect.poll(() => existsSync(once), { timeout: 60_000 }).toBe(true);
    const blockedAtMs = systemClock.monotonicMs();
    await cluster.write(input, numberedRecords(KEYS, 50));
    await worker.until(() => said('does not turn') !== undefined);
    expect(said('does not turn')).toMatchObject({ taskId, thread: expect.any(Number) });
    // Whoever is not blocked counts meanwhile.
    expect((await cluster.readUntil(application.output, ({ length }) => length > 0)).length).toBeGreaterThan(0);
    await systemClock.sleep(Math.max(0, blockedAtMs + 3 * SESSION_MS - systemClock.monotonicMs()));
    expect(said('turns again')).toBeUndefined();
    writeFileSync(`${once}-over`, '');
    await worker.until(() => said('turns again') !== undefined);
    await application.drained();
    await worker.until(({ state }) => state === 'running');
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    const counted = valuesByKey(await cluster.read(application.output));
    expect(counted.get('blocker')).toHaveLength(1);
    counted.delete('blocker');
    expect(sorted(counted), application.log).toEqual(sorted(countedOnce(KEYS, 50)));
  });

  it.each([
    ['whose code ends it', '!exit:3:', 'has ended by itself with code 3'],
    ['whose code throws', '!throw:0:', 'cannot count'],
  ])('replaces a thread %s when that is the policy, and counts exactly once', async (_case, value, message) => {
    await using application = await TestApplication.create({ brokers });
    const { cluster, input } = application;
    const worker = application.worker({}, { threads: 2, onUncaughtError: 'replace-worker' });
    await worker.running();
    await cluster.write(input, numberedRecords(KEYS, 20));
    await cluster.write(input, [{ key: 'bad', value: `${value}${join(application.stateDir, 'once')}` }]);
    await cluster.write(input, numberedRecords(KEYS, 20, 21));
    await application.drained();
    await worker.until((one) => one.logged('a thread failed') !== undefined);
    expect(worker.output).toContain(message);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    const counted = valuesByKey(await cluster.read(application.output));
    counted.delete('bad');
    expect(sorted(counted), application.log).toEqual(sorted(countedOnce(KEYS, 40)));
  });

  it('ends with the error of the thread that died when that is the policy', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 2 });
    const worker = application.worker({}, { threads: 2 });
    await worker.running();
    await application.cluster.write(application.input, [{ key: 'bad', value: `!exit:3:${join(application.stateDir, 'once')}` }]);
    expect(await worker.ended, worker.output).toEqual({ code: 1, signal: null });
    const { failure } = worker.events.findLast(({ event }) => event === 'ended') ?? {};
    expect(failure, worker.output).toMatchObject({ code: 'THREAD_DIED' });
  });
});
