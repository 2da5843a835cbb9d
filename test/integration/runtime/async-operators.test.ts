import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { countWhile, shareTasks } from './shared-work.ts';
import { TestApplication, type TestApplicationOptions } from './test-application.ts';
import type { Worker } from './worker.ts';

const KEYS = 40;
const PARTITIONS = 4;

const sharing = (...workers: Worker[]): Promise<void> => shareTasks(PARTITIONS, workers);

describeWithKafka('asynchronous operators', (brokers) => {
  const create = (options: Partial<TestApplicationOptions>): Promise<TestApplication> =>
    TestApplication.create({ brokers, partitions: PARTITIONS, topology: 'asyncCounting', ...options });

  it('count exactly once, each key in order, while one worker is killed and another one joins', async () => {
    await using application = await create({});
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, { keys: KEYS, perKey: 60, perSecond: 400 }, async () => {
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
    await countWhile(application, { keys: KEYS, perKey: 10, perSecond: 80 }, async () => {
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
    await countWhile(application, { keys: KEYS, perKey: 30, perSecond: 400 }, async () => {
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
