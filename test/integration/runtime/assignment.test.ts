import { expect, it } from 'vitest';
import { topicPartitionKey } from '@millrace/core';
import { describeWithKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { MORTAL, STEADY, TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

const KEYS = 20;
const PER_KEY = 100;
const TASKS = ['0_0', '0_1', '0_2', '0_3'];
/** Longer than all that is waited for takes on a slow machine. */
const WAIT = { timeout: 90_000 };

/** Waits until the workers run so many tasks each. */
async function running(application: TestApplication, ...expected: readonly (readonly [Worker, number])[]): Promise<void> {
  try {
    await expect
      .poll(() => expected.map(([{ tasks, state }]) => (state === 'running' ? tasks.length : -1)), WAIT)
      .toEqual(expected.map(([, tasks]) => tasks));
  } catch (cause) {
    throw new Error(`the workers do not have the tasks that they should:\n${application.log}`, { cause });
  }
}

/** How often one of the workers, as the leader, has assigned tasks. */
function assignedBy(...workers: readonly Worker[]): number {
  return workers.flatMap(({ events }) => events.filter(({ message }) => message === 'assigned tasks')).length;
}

describeWithKafka('the assignment of tasks', (brokers) => {
  const create = (options: Partial<Parameters<typeof TestApplication.create>[0]> = {}): Promise<TestApplication> =>
    TestApplication.create({ brokers, partitions: TASKS.length, ...options });

  async function expectCountedOnce({ cluster, output, log }: TestApplication): Promise<void> {
    const counted = valuesByKey(await cluster.read(output));
    expect(sorted(counted), log).toEqual(sorted(countedOnce(KEYS, PER_KEY)));
  }

  it('goes on with tasks that stay while the group waits for a member that does not answer', async () => {
    const settings = { ...STEADY, rebalanceTimeoutMs: STEADY.sessionTimeoutMs, guarantee: 'at_least_once', lingerMs: 5 } as const;
    await using application = await create({ settings });
    const [first, frozen] = [application.worker(), application.worker()];
    await running(application, [first, 2], [frozen, 2]);
    frozen.signal('SIGSTOP');
    const third = application.worker();
    await third.until(({ events }) => events.some(({ state }) => state === 'rebalancing'));
    // From here on the rebalance waits for the frozen one, for longer than this test lasts.
    const { admin } = application.cluster.client;
    const groupState = async () => (await admin.describeGroup(application.id)).state;
    await expect.poll(groupState, WAIT).toBe('PreparingRebalance');
    const before = (await application.cluster.read(application.output)).length;
    await application.cluster.write(application.input, numberedRecords(KEYS, 5));
    await application.cluster.readUntil(application.output, ({ length }) => length >= before + 20);
    // It waits still.
    expect(await groupState(), application.log).toBe('PreparingRebalance');
    expect(third.tasks).toEqual([]);
  });

  it('moves a task only when its state is warm, and then at once', async () => {
    const settings = { ...STEADY, acceptableRecoveryLag: 0, maxWarmupReplicas: 4 };
    await using application = await create({ settings });
    const first = application.worker();
    await running(application, [first, 4]);
    await application.cluster.write(application.input, numberedRecords(KEYS, PER_KEY));
    await application.drained();
    const second = application.worker();
    await running(application, [first, 2], [second, 2]);
    // What was warmed up is not read again.
    expect(second.restoredRecords, application.log).toBe(0);
    await expectCountedOnce(application);
  });

  it('lets a standby take over without a restore when a worker is killed (F40, F41)', async () => {
    await using application = await create({ settings: { numStandbyReplicas: 1 } });
    const [first, second] = [application.worker(MORTAL), application.worker(STEADY)];
    await running(application, [first, 2], [second, 2]);
    await application.cluster.write(application.input, numberedRecords(KEYS, PER_KEY));
    await application.drained();
    await application.cluster.settled(application.prefix);
    // Each has the copies of the tasks that the other runs. Last in a changelog is a marker, which need not be applied.
    const { offsets } = application.cluster.client;
    const changelog = `${application.id}-counts-changelog`;
    const ends = await offsets.list(await application.cluster.partitions(changelog), 'latest');
    const behind = (): string[] =>
      TASKS.flatMap((task, partition) => {
        const end = ends.get(topicPartitionKey(changelog, partition)) ?? 0;
        const at = [first, second].map(({ standbyOffsets }) => standbyOffsets.get(task) ?? 0);
        return Math.max(...at) >= end - 1 ? [] : [`${task} is at ${Math.max(...at)} of ${end}`];
      });
    await expect.poll(behind, WAIT).toEqual([]);
    await first.kill();
    await running(application, [second, 4]);
    expect(second.restoredRecords, application.log).toBe(0);
    await expectCountedOnce(application);
  });

  it('stays with a static member that comes back in another directory, and the group learns of it', async () => {
    await using application = await create({ settings: STEADY });
    await using elsewhere = await create({ partitions: 0 });
    const first = application.worker({ groupInstanceId: 'one' });
    const second = application.worker({ groupInstanceId: 'two' });
    await running(application, [first, 2], [second, 2]);
    await application.cluster.write(application.input, numberedRecords(KEYS, PER_KEY));
    await application.drained();
    const had = first.tasks;
    const before = assignedBy(second);
    await first.stop();
    const again = application.worker({ groupInstanceId: 'one', stateDir: elsewhere.stateDir });
    await running(application, [again, 2], [second, 2]);
    expect(again.tasks).toEqual(had);
    expect(again.restoredRecords, application.log).toBeGreaterThan(0);
    // Whichever of the two leads has assigned once more: with the state directory that the group did not know.
    await expect.poll(() => assignedBy(again, second), WAIT).toBeGreaterThan(before);
    await running(application, [again, 2], [second, 2]);
    await expectCountedOnce(application);
  });

  it('ends every worker with the same error when a source topic is missing', async () => {
    await using application = await create({ partitions: 0 });
    const workers = [application.worker(), application.worker()];
    for (const worker of workers) {
      expect((await worker.ended).code, worker.output).toBe(1);
      const failure = worker.events.find(({ event }) => event === 'ended')?.failure;
      expect(failure).toMatchObject({ code: 'SOURCE_TOPIC_MISSING', message: expect.stringContaining(application.input) });
    }
  });
});

describeWithKafka('two versions of a topology in one group (F39)', (brokers) => {
  it('do not mix: the new one waits, says what is different, and takes over when the old one is gone', async () => {
    await using application = await TestApplication.create({ brokers, partitions: TASKS.length, settings: STEADY });
    const old = application.worker();
    await running(application, [old, 4]);
    const next = application.worker({}, { topology: 'countingRenamed' });
    await next.until((worker) => worker.logged('the group runs another topology') !== undefined);
    const warning = next.logged('the group runs another topology') as { readonly difference?: string };
    expect(warning.difference).toContain('tallies');
    await running(application, [old, 4], [next, 0]);
    expect(await old.stop(), old.output).toEqual({ code: 0, signal: null });
    await running(application, [next, 4]);
  });

  it('do not mix: the new one ends with the difference, if that is the policy', async () => {
    await using application = await TestApplication.create({ brokers, partitions: TASKS.length, settings: STEADY });
    const old = application.worker();
    await running(application, [old, 4]);
    const next = application.worker({ onTopologyMismatch: 'refuse' }, { topology: 'countingRenamed' });
    expect((await next.ended).code, next.output).toBe(1);
    const failure = next.events.find(({ event }) => event === 'ended')?.failure;
    expect(failure).toMatchObject({ code: 'TOPOLOGY_MISMATCH', message: expect.stringContaining('tallies') });
    await running(application, [old, 4]);
  });

  it('come to an understanding when the new one was made the leader', async () => {
    await using application = await TestApplication.create({ brokers, partitions: TASKS.length, settings: STEADY });
    const [old, other] = [application.worker(), application.worker()];
    await running(application, [old, 2], [other, 2]);
    const next = application.worker({}, { topology: 'countingRenamed' });
    await next.until((worker) => worker.logged('the group runs another topology') !== undefined);
    // Whoever leads now leaves; sooner or later that is the new one.
    expect(await old.stop(), old.output).toEqual({ code: 0, signal: null });
    await running(application, [other, 4], [next, 0]);
    expect(await other.stop(), other.output).toEqual({ code: 0, signal: null });
    await running(application, [next, 4]);
  });
});
