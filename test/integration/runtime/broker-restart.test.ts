import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithOwnBroker, type OwnBroker } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { TestApplication } from './test-application.ts';

// A broker of its own, since it dies.
describeWithOwnBroker('workers whose broker goes away and comes back', (start) => {
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await start();
  });
  afterAll(() => broker.stop());

  /** Two workers count the first half, the broker goes and comes, they count the second half. */
  async function countOver(interrupt: (application: TestApplication) => Promise<void>): Promise<void> {
    await using application = await TestApplication.create({ brokers: broker.brokers });
    const { cluster, input, output } = application;
    const workers = [application.worker(), application.worker()];
    for (const worker of workers) await worker.running();
    await cluster.write(input, numberedRecords(20, 100));
    await interrupt(application);
    await cluster.write(input, numberedRecords(20, 100, 101));
    await application.drained();
    for (const worker of workers) expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    expect(sorted(valuesByKey(await cluster.read(output))), application.log).toEqual(sorted(countedOnce(20, 200)));
  }

  it('go on and count exactly once when it is restarted in the middle', { timeout: 120_000 }, async () => {
    await countOver(async ({ cluster, output }) => {
      await cluster.readUntil(output, ({ length }) => length > 100);
      await broker.restart();
    });
  });

  // Between two commits, and after their last marker: a broker that is killed before it has written all markers of a transaction
  // may lose one (seen with 4.3.1, in __consumer_offsets and in a changelog), and then no client can ever read beyond it again.
  it('go on and count exactly once when it is killed while nothing is to be done', { timeout: 120_000 }, async () => {
    await countOver(async (application) => {
      await application.drained();
      await application.cluster.settled(application.prefix);
      await broker.kill();
      await broker.restart();
    });
  });
});
