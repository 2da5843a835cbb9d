import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithOwnBroker, type OwnBroker } from '../kafka-under-test.ts';
import { drainedOrLost, LOST_MARKERS_MAX } from './lost-marker.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { writeWhile } from './shared-work.ts';
import { TestApplication } from './test-application.ts';

const WORKLOAD = { keys: 20, perKey: 100, perSecond: 500 };

// A broker of its own, since it dies.
describeWithOwnBroker('workers whose broker goes away and comes back', (start) => {
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await start();
  });
  afterAll(() => broker.stop());

  /**
   * Two workers count what is there before the broker goes and comes, and until then, and then more.
   *
   * @param interrupt returns how many rounds of records it has written
   */
  async function countOver(interrupt: (application: TestApplication) => Promise<number>): Promise<'counted' | 'marker lost'> {
    await using application = await TestApplication.create({ brokers: broker.brokers });
    const { cluster, input, output } = application;
    const workers = [application.worker(), application.worker()];
    for (const worker of workers) await worker.running();
    const rounds = await interrupt(application);
    const { keys, perKey } = WORKLOAD;
    await cluster.write(input, numberedRecords(keys, perKey, rounds + 1));
    if ((await drainedOrLost(application)) === 'marker lost') return 'marker lost';
    for (const worker of workers) expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    expect(sorted(valuesByKey(await cluster.read(output))), application.log).toEqual(sorted(countedOnce(keys, rounds + perKey)));
    return 'counted';
  }

  it('go on and count exactly once when it is restarted in the middle', { timeout: 600_000 }, async () => {
    for (let attempt = 1; ; attempt++) {
      const end = await countOver(async (application) => {
        const { cluster, output } = application;
        const { rounds } = await writeWhile(application, WORKLOAD, async () => {
          await cluster.readUntil(output, ({ length }) => length > 100);
          await broker.restart();
        });
        return rounds;
      });
      if (end === 'counted') return;
      expect(attempt, 'Kafka has lost a marker each time').toBeLessThan(LOST_MARKERS_MAX);
    }
  });

  // Between two commits, and after their last marker.
  it('go on and count exactly once when it is killed while nothing is to be done', { timeout: 300_000 }, async () => {
    const end = await countOver(async (application) => {
      const { keys, perKey } = WORKLOAD;
      await application.cluster.write(application.input, numberedRecords(keys, perKey));
      await application.drained();
      await application.cluster.settled(application.prefix);
      await broker.kill();
      await broker.restart();
      return perKey;
    });
    expect(end).toBe('counted');
  });
});
