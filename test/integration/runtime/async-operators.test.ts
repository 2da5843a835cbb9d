import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { TestApplication, type TestApplicationOptions } from './test-application.ts';
import type { Worker } from './worker.ts';

const KEYS = 40;
const PARTITIONS = 4;

/** Waits until the workers together run every task once. */
async function sharing(...workers: Worker[]): Promise<void> {
  const share = PARTITIONS / workers.length;
  try {
    await expect
      .poll(() => workers.map(({ tasks, state }) => (state === 'running' ? tasks.length : 0)), { timeout: 20_000 })
      .toEqual(workers.map(() => share));
  } catch (cause) {
    throw new Error(`the workers do not share the tasks:\n${workers.map(({ output }) => output).join('\n---\n')}`, { cause });
  }
}

describeWithKafka('asynchronous operators', (brokers) => {
  const create = (options: Partial<TestApplicationOptions>): Promise<TestApplication> =>
    TestApplication.create({ brokers, partitions: PARTITIONS, topology: 'asyncCounting', ...options });

  /** Writes the input while `happen` goes on, stops the workers, and expects each record counted once, in the order of its key. */
  async function countWhile(
    application: TestApplication,
    perKey: number,
    perSecond: number,
    happen: () => Promise<readonly Worker[]>,
  ): Promise<void> {
    const { cluster, input, output } = application;
    const written = cluster.writeSlowly(input, numberedRecords(KEYS, perKey), perSecond);
    const [left] = await Promise.all([happen(), written]);
    await application.drained();
    for (const worker of left) expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    const counted = valuesByKey(await cluster.read(output));
    expect(sorted(counted), application.log).toEqual(sorted(countedOnce(KEYS, perKey)));
  }

  it('count exactly once, each key in order, while one worker is killed and another one joins', async () => {
    await using application = await create({});
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, 60, 400, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 300);
      await first.kill();
      await sharing(second);
      const third = application.worker();
      await sharing(second, third);
      return [second, third];
    });
  });

  it('are cut off when a rebalance cannot wait for them; what they had not finished is done again, once', async () => {
    await using application = await create({ topology: 'slowAsyncCounting', settings: { asyncDrainMs: 50 } });
    const first = application.worker();
    await sharing(first);
    await countWhile(application, 10, 80, async () => {
      // Calls are under way from here on, for longer than a rebalance takes.
      await application.cluster.readUntil(application.output, ({ length }) => length > 20);
      const second = application.worker();
      await sharing(first, second);
      expect(first.logged('going back to the last commit'), first.output).toBeDefined();
      expect(await second.stop(), second.output).toEqual({ code: 0, signal: null });
      await sharing(first);
      return [first];
    });
  });

  it('are finished by a worker that is told to stop, as far as they are quick', async () => {
    await using application = await create({});
    const first = application.worker();
    await sharing(first);
    await countWhile(application, 30, 400, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 200);
      const second = application.worker();
      await sharing(first, second);
      expect(await first.stop(), first.output).toEqual({ code: 0, signal: null });
      expect(first.logged('the last commit failed'), first.output).toBeUndefined();
      await sharing(second);
      return [second];
    });
  });
});
