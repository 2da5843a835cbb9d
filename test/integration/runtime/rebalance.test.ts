import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { numberedRecords, valuesByKey } from './numbered-records.ts';
import { countWhile, shareTasks } from './shared-work.ts';
import { TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

const KEYS = 20;
const PER_KEY = 150;
const PER_SECOND = 500;
const WORKLOAD = { keys: KEYS, perKey: PER_KEY, perSecond: PER_SECOND };
const PARTITIONS = 6;

const sharing = (...workers: Worker[]): Promise<void> => shareTasks(PARTITIONS, workers);

/** When the worker opened the tasks that it did not have before a moment. */
function openedAfter(worker: Worker, atMs: number): number[] {
  return worker.events.filter((event) => event.change === 'opened' && event.atMs > atMs).map((event) => event.atMs);
}

describeWithKafka('several workers of one application', (brokers) => {
  const create = (): Promise<TestApplication> => TestApplication.create({ brokers, partitions: PARTITIONS });

  it('share the tasks; when a third one joins some move, and nothing is lost or repeated', async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      const third = application.worker();
      await sharing(first, second, third);
      return [first, second, third];
    });
  });

  it('take over within 1.5 s when one is told to stop by SIGTERM', async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 200);
      const stopped = first.stop();
      await sharing(second);
      expect(await stopped, first.output).toEqual({ code: 0, signal: null });
      const askedAtMs = first.events.find(({ state }) => state === 'pending-shutdown')?.atMs ?? 0;
      const tookOver = openedAfter(second, askedAtMs);
      expect(tookOver, application.log).toHaveLength(PARTITIONS / 2);
      expect(Math.max(...tookOver) - askedAtMs, application.log).toBeLessThan(1500);
      return [second];
    });
  });

  it('go on from the changelog when one is killed', async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 500);
      await first.kill();
      await sharing(second);
      expect(second.restoredRecords, second.output).toBeGreaterThan(0);
      return [second];
    });
  });

  it('are not harmed by one that was frozen for longer than its session', async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 500);
      first.signal('SIGSTOP');
      await second.until(({ tasks, state }) => tasks.length === PARTITIONS && state === 'running');
      await application.cluster.readUntil(application.output, ({ length }) => length > 1500);
      first.signal('SIGCONT');
      await sharing(first, second);
      return [first, second];
    });
  });

  it('lose nothing at least once when one is killed', async () => {
    await using application = await create();
    const alo = { guarantee: 'at_least_once' } as const;
    const [first, second] = [application.worker(alo), application.worker(alo)];
    await sharing(first, second);
    const { cluster, input, output } = application;
    const written = cluster.writeSlowly(input, numberedRecords(KEYS, PER_KEY), PER_SECOND);
    const killed = cluster.readUntil(output, ({ length }) => length > 500).then(() => first.kill());
    await Promise.all([killed, written]);
    await application.drained();
    await second.stop();
    for (const [key, values] of valuesByKey(await cluster.read(output))) {
      const seen = new Set(values.map((value) => value.split(':')[1]));
      expect(seen.size, `${key}\n${application.log}`).toBe(PER_KEY);
      // Some may have been counted again, none may have been forgotten.
      expect(Number(values.at(-1)?.split(':')[0])).toBeGreaterThanOrEqual(PER_KEY);
    }
  });

  it('keep their tasks when a static member restarts within its session', async () => {
    await using application = await create();
    const session = { sessionTimeoutMs: 15_000 };
    const first = application.worker({ ...session, groupInstanceId: 'one' });
    const second = application.worker({ ...session, groupInstanceId: 'two' });
    await sharing(first, second);
    const before = second.events.length;
    await countWhile(application, WORKLOAD, async () => {
      await first.stop();
      const again = application.worker({ ...session, groupInstanceId: 'one' });
      await again.running();
      expect(again.tasks).toHaveLength(PARTITIONS / 2);
      expect(second.events.slice(before).filter(({ event }) => event === 'state' || event === 'task')).toEqual([]);
      return [again, second];
    });
  });
});
