import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { countWhile, shareTasks } from './shared-work.ts';
import { MORTAL, STEADY, TestApplication, type TestApplicationOptions } from './test-application.ts';
import type { Worker } from './worker.ts';

const KEYS = 40;
const PARTITIONS = 4;
/** How often a second worker joins until calls are cut off by that: the first time, unless all of them happen to end just then. */
const JOINS_MAX = 5;

const sharing = (...workers: Worker[]): Promise<void> => shareTasks(PARTITIONS, workers);

describeWithKafka('asynchronous operators', (brokers) => {
  const create = (options: Partial<TestApplicationOptions>): Promise<TestApplication> =>
    TestApplication.create({ brokers, partitions: PARTITIONS, topology: 'asyncCounting', ...options });

  it('count exactly once, each key in order, while one worker is killed and another one joins', async () => {
    await using application = await create({});
    const [first, second] = [application.worker(MORTAL), application.worker(STEADY)];
    await sharing(first, second);
    await countWhile(application, { keys: KEYS, perKey: 60, perSecond: 400 }, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 300);
      await first.kill();
      await sharing(second);
      const third = application.worker(STEADY);
      await sharing(second, third);
      return [second, third];
    });
  });

  it('are cut off when a rebalance cannot wait for them; what they had not finished is done again, once', async () => {
    await using application = await create({ topology: 'slowAsyncCounting', settings: { ...STEADY, asyncDrainMs: 50 } });
    const first = application.worker();
    await sharing(first);
    await countWhile(application, { keys: KEYS, perKey: 10, perSecond: 40 }, async () => {
      // Calls are under way from here on, for longer than a rebalance takes.
      await application.cluster.readUntil(application.output, ({ length }) => length > 20);
      const isCutOff = (): boolean => first.logged('going back to the last commit') !== undefined;
      let joins = 0;
      do {
        const second = application.worker();
        await sharing(first, second);
        expect(await second.stop(), second.output).toEqual({ code: 0, signal: null });
        await sharing(first);
      } while (!isCutOff() && ++joins < JOINS_MAX);
      expect(isCutOff(), first.output).toBe(true);
      return [first];
    });
  });

  it('are finished by a worker that is told to stop, as far as they are quick', async () => {
    // More time than a machine stands still; the calls take 40 ms.
    await using application = await create({ settings: { ...STEADY, asyncDrainMs: 15_000 } });
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
