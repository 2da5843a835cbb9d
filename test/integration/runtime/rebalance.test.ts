import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import type { OutputRecord } from './cluster.ts';
import { quickHandOver } from './hand-over.ts';
import { valuesByKey } from './numbered-records.ts';
import { countWhile, shareTasks, writeWhile } from './shared-work.ts';
import { MORTAL, STEADY, TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

const KEYS = 20;
const PER_KEY = 150;
const PER_SECOND = 500;
const WORKLOAD = { keys: KEYS, perKey: PER_KEY, perSecond: PER_SECOND };
const PARTITIONS = 6;

const TAKE_OVER_MS = 1500;

const sharing = (...workers: Worker[]): Promise<void> => shareTasks(PARTITIONS, workers);

/** Every key has been counted by whoever has its partition: no worker that has tasks has done nothing yet. */
function hasEveryKey(records: readonly OutputRecord[]): boolean {
  return new Set(records.map(({ key }) => key)).size === KEYS;
}

describeWithKafka('several workers of one application', (brokers) => {
  const create = (): Promise<TestApplication> => TestApplication.create({ brokers, partitions: PARTITIONS });

  it('share the tasks; when a third one joins some move, and nothing is lost or repeated', async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, hasEveryKey);
      const third = application.worker();
      await sharing(first, second, third);
      return [first, second, third];
    });
  });

  it('take over within 1.5 s when one is told to stop by SIGTERM', { timeout: 300_000 }, async () => {
    await using application = await create();
    const [stops, stays] = [application.worker(STEADY), application.worker(STEADY)];
    await sharing(stops, stays);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 200);
      const { left, ms, belowMs } = await quickHandOver(application, PARTITIONS, { stops, stays }, TAKE_OVER_MS);
      expect(ms, application.log).toBeLessThan(belowMs);
      return [left];
    });
  });

  it('go on from the changelog when one is killed', async () => {
    await using application = await create();
    const [first, second] = [application.worker(MORTAL), application.worker(STEADY)];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, (records) => records.length > 500 && hasEveryKey(records));
      const before = second.restoredRecords;
      await first.kill();
      await sharing(second);
      expect(second.restoredRecords, second.output).toBeGreaterThan(before);
      return [second];
    });
  });

  it('are not harmed by one that was frozen for longer than its session', async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker(STEADY)];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      const { cluster, output } = application;
      await cluster.readUntil(output, (records) => records.length > 500 && hasEveryKey(records));
      first.signal('SIGSTOP');
      await second.until(({ tasks, state }) => tasks.length === PARTITIONS && state === 'running');
      const { length: before } = await cluster.read(output);
      await cluster.readUntil(output, ({ length }) => length > before + 500);
      first.signal('SIGCONT');
      await sharing(first, second);
      return [first, second];
    });
  });

  it('lose nothing at least once when one is killed', async () => {
    await using application = await create();
    const alo = { guarantee: 'at_least_once' } as const;
    const [first, second] = [application.worker({ ...MORTAL, ...alo }), application.worker({ ...STEADY, ...alo })];
    await sharing(first, second);
    const { cluster, output } = application;
    const { rounds } = await writeWhile(application, WORKLOAD, async () => {
      await cluster.readUntil(output, (records) => records.length > 500 && hasEveryKey(records));
      await first.kill();
    });
    await application.drained();
    await second.stop();
    const counted = valuesByKey(await cluster.read(output));
    expect(counted.size).toBe(KEYS);
    for (const [key, values] of counted) {
      const seen = new Set(values.map((value) => value.split(':')[1]));
      expect(seen.size, `${key}\n${application.log}`).toBe(rounds);
      // Some may have been counted again, none may have been forgotten.
      expect(Number(values.at(-1)?.split(':')[0])).toBeGreaterThanOrEqual(rounds);
    }
  });

  it('keep their tasks when a static member restarts within its session', async () => {
    await using application = await create();
    const first = application.worker({ ...STEADY, groupInstanceId: 'one' });
    const second = application.worker({ ...STEADY, groupInstanceId: 'two' });
    await sharing(first, second);
    const before = second.events.length;
    await countWhile(application, WORKLOAD, async () => {
      await first.stop();
      const again = application.worker({ ...STEADY, groupInstanceId: 'one' });
      await again.running();
      expect(again.tasks).toHaveLength(PARTITIONS / 2);
      expect(second.events.slice(before).filter(({ event }) => event === 'state' || event === 'task')).toEqual([]);
      return [again, second];
    });
  });
});
