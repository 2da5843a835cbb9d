import { systemClock } from '@millrace/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithOwnBroker, type OwnBroker } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { writeWhile } from './shared-work.ts';
import { TestApplication } from './test-application.ts';

/** How often the test begins again when the broker has lost a marker. */
const ATTEMPTS = 10;
const WORKLOAD = { keys: 20, perKey: 100, perSecond: 500 };
/** The looks at which nothing has to be open and the offsets undecided, and how long each waits for them. */
const LOOKS = 4;
const LOOK_MS = 2_000;

/**
 * Waits until all input is committed, or it is certain that the broker has lost a marker: no transaction of the application is open
 * or about to end, and its offsets stay undecided all the same, though their coordinator answers. No client can do anything about that.
 *
 * Seen with Kafka 4.3.1 when it ends, be it by SIGTERM, before all markers of a transaction are written; in __consumer_offsets and in
 * a changelog.
 */
async function drainedOrLost(application: TestApplication): Promise<'drained' | 'marker lost'> {
  const done = new AbortController();
  try {
    return await Promise.race([
      application.drained().then(() => 'drained' as const),
      markerLost(application, done.signal).then(() => 'marker lost' as const),
    ]);
  } finally {
    done.abort();
  }
}

/** Resolves when a marker is lost; never when `signal` comes before. */
async function markerLost({ cluster, id, input }: TestApplication, signal: AbortSignal): Promise<void> {
  const partitions = await cluster.partitions(input);
  for (let looks = 0; !signal.aborted; ) {
    const decided = await cluster.client.offsets.committed(id, partitions, AbortSignal.timeout(LOOK_MS)).then(
      () => true,
      () => false,
    );
    const open = await cluster.client.admin.listOpenTransactions().catch(() => [id]);
    // One that is still loading them, or stands still, has lost nothing: it is waited for, and asked once more.
    await cluster.client.admin.describeGroup(id);
    looks = decided || open.some((one) => one.startsWith(id)) ? 0 : looks + 1;
    if (looks === LOOKS) return;
    if (decided) await systemClock.sleep(LOOK_MS);
  }
  await new Promise<never>(() => undefined);
}

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
      expect(attempt, 'Kafka has lost a marker each time').toBeLessThan(ATTEMPTS);
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
