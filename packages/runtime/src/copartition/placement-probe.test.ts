import { describe, expect, it } from 'vitest';
import { type LogFields, silentLogger } from '@millrace/core';
import { partitionForKey } from '@millrace/wire';
import { fetchedPartition } from '../task-harness/fetched-partition.ts';
import { PlacementProbe } from './placement-probe.ts';
import type { ProbedGroup } from './probed-groups.ts';

const PARTITIONS = 4;
const ENOUGH = 40;

type Partitioner = (key: string, at: number) => number;

const byDefault: Partitioner = (key) => {
  const bytes = Buffer.from(key);
  return partitionForKey(bytes, 0, bytes.length, PARTITIONS);
};
const roundRobin: Partitioner = (_key, at) => at % PARTITIONS;

function setUp(groups: readonly ProbedGroup[], partitions = PARTITIONS) {
  const warnings: LogFields[] = [];
  const asked: string[] = [];
  let isReachable = true;
  const probe = new PlacementProbe({
    groups,
    logger: { ...silentLogger, warn: (message, fields) => warnings.push({ message, ...fields }) },
    admin: {
      describeTopics: async (names) => {
        asked.push(...names);
        if (!isReachable) throw new Error('no broker');
        return new Map(names.map((name) => [name, { name, partitions }]));
      },
    },
  });
  /** Lets the probe see records with so many keys, partition by partition. */
  const see = async (topic: string, partitioner: Partitioner, keys = ENOUGH, from = 0): Promise<void> => {
    const found = Array.from({ length: keys }, (_, at) => `key-${from + at}`);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const records = found.filter((key, at) => partitioner(key, at) === partition).map((key) => ({ key, value: '' }));
      await probe.observe(fetchedPartition(records, { topic, partition }));
    }
  };
  const cutOff = (): void => {
    isReachable = false;
  };
  return { probe, warnings, asked, see, cutOff };
}

const TWO: ProbedGroup = { foreign: ['orders', 'payments'], own: [] };

describe('PlacementProbe', () => {
  it('warns once when one topic is partitioned by the hash of its keys and the other one is not, with both names and what to do', async () => {
    const { warnings, see } = setUp([TWO]);
    await see('payments', roundRobin);
    expect(warnings).toEqual([]);
    await see('orders', byDefault);
    await see('payments', roundRobin, ENOUGH, 1000);
    expect(warnings).toEqual([
      { message: expect.stringContaining('repartition()'), otherPartitioner: ['payments'], defaultPartitioner: ['orders'] },
    ]);
    expect(warnings[0]?.message).toMatch(/records of payments are not.*those of orders are/);
  });

  it.each([
    ['both are partitioned by default', byDefault, byDefault],
    ['both have a partitioner of their own', roundRobin, roundRobin],
  ])('says nothing when %s', async (_what, first, second) => {
    const { warnings, see } = setUp([TWO]);
    await see('orders', first);
    await see('payments', second);
    expect(warnings).toEqual([]);
  });

  it('compares a topic with a repartition topic that the application writes itself', async () => {
    const { warnings, see } = setUp([{ foreign: ['orders'], own: ['checkout-by-id-repartition'] }]);
    await see('orders', roundRobin);
    expect(warnings).toMatchObject([{ otherPartitioner: ['orders'], defaultPartitioner: ['checkout-by-id-repartition'] }]);
  });

  it('decides nothing by few keys, however often they come', async () => {
    const { warnings, asked, see } = setUp([TWO]);
    await see('orders', byDefault);
    for (let round = 0; round < 3; round++) await see('payments', roundRobin, 20);
    expect([warnings, asked]).toEqual([[], ['orders', 'payments']]);
  });

  it('gives up a topic that has too few keys, and with it the question', async () => {
    const { probe, asked, see } = setUp([{ foreign: ['orders'], own: ['own'] }]);
    const records = Array.from({ length: 1000 }, (_, at) => ({ key: `key-${at % 7}`, value: '' }));
    for (let round = 0; round < 5; round++) await probe.observe(fetchedPartition(records, { topic: 'orders' }));
    expect(asked).toEqual(['orders']);
    await see('orders', roundRobin);
    expect(asked).toEqual(['orders']);
  });

  it('says nothing about topics with one partition', async () => {
    const { warnings, see } = setUp([TWO], 1);
    await see('orders', () => 0);
    await see('payments', roundRobin);
    expect(warnings).toEqual([]);
  });

  it('looks at no other topics, nor at anything once it has judged', async () => {
    const { probe, asked, see } = setUp([TWO]);
    const unread = fetchedPartition([{ key: 'a', value: '' }], { topic: 'clicks' });
    expect(probe.observe(unread)).toBeUndefined();
    await see('orders', byDefault);
    await see('payments', byDefault);
    const questions = asked.length;
    await see('orders', roundRobin, ENOUGH, 1000);
    expect(asked).toHaveLength(questions);
  });

  it('is content with no answer from the broker', async () => {
    const { warnings, see, cutOff } = setUp([TWO]);
    cutOff();
    await see('orders', byDefault);
    await see('payments', roundRobin);
    expect(warnings).toEqual([]);
  });
});
