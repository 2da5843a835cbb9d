import { systemClock } from '@millrace/core';
import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { numberedRecords, valuesByKey } from './numbered-records.ts';
import { writeWhile } from './shared-work.ts';
import { TestApplication } from './test-application.ts';

describeWithKafka('the internal topics of an application', (brokers) => {
  it('have names, configuration, partition counts and bytes of Kafka Streams', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 3, topology: 'dslCounting' });
    const { cluster, id, input, output } = application;
    const sinceMs = systemClock.nowMs() - 60_000;
    await cluster.write(
      input,
      numberedRecords(5, 7).map((record, index) => ({ ...record, timestamp: sinceMs + index })),
    );
    const worker = application.worker();
    await application.drained();
    await worker.stop();

    const changelog = `${id}-counts-changelog`;
    expect(await cluster.partitions(changelog)).toHaveLength(3);
    const config = await cluster.client.admin.describeConfigs(changelog);
    expect(config.get('cleanup.policy')).toBe('compact');
    expect(config.get('message.timestamp.type')).toBe('CreateTime');
    const last = new Map((await cluster.read(changelog)).map((record) => [record.key, record]));
    expect([...last.keys()].sort()).toEqual(['key-0', 'key-1', 'key-2', 'key-3', 'key-4']);
    for (const [key, { value, timestamp }] of last) {
      // The count as eight bytes; the time of the row is the time of the record.
      expect(value?.readBigInt64BE()).toBe(7n);
      expect(timestamp).toBe(sinceMs + 30 + Number(key.slice(4)));
    }
    const outputs = new Map((await cluster.read(output)).map(({ key, value }) => [key, value]));
    for (const value of outputs.values()) expect(value).toEqual(Buffer.from([0, 0, 0, 0, 0, 0, 0, 7]));
  });

  it('are purged below committed offsets, and only there, when they are for repartitioning', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 2, topology: 'countingByValue' });
    const { cluster, id, input, output } = application;
    const worker = application.worker({ repartitionPurgeIntervalMs: 200 });
    await worker.running();
    const repartition = `${id}-counts-repartition`;
    const starts = async (): Promise<number[]> => [
      ...(await cluster.client.offsets.list(await cluster.partitions(repartition), 'earliest')).values(),
    ];
    const isPurged = (found: number[]): boolean => found.length === 2 && found.every((start) => start > 0);
    // With a commit comes a purge, if it is time; what the last one left stays.
    const { rounds } = await writeWhile(application, { keys: 5, perKey: 40, perSecond: 200 }, () =>
      expect.poll(starts, { timeout: 60_000 }).toSatisfy(isPurged),
    );
    await application.drained();
    await application.drained(repartition);
    await worker.stop();

    const config = await cluster.client.admin.describeConfigs(repartition);
    expect(config.get('cleanup.policy')).toBe('delete');
    expect(config.get('retention.ms')).toBe('-1');
    const partitions = await cluster.partitions(repartition);
    const begins = await cluster.client.offsets.list(partitions, 'earliest');
    for (const { topic, partition, offset } of await cluster.client.offsets.committed(id, partitions)) {
      expect(begins.get(`${topic}-${partition}`)).toBeLessThanOrEqual(offset);
    }
    for (const start of (await cluster.client.offsets.list(await cluster.partitions(input), 'earliest')).values()) {
      expect(start).toBe(0);
    }
    // Each value stands once in the records of each of five keys.
    const counts = valuesByKey(await cluster.read(output));
    expect(counts.size).toBe(rounds);
    for (const values of counts.values()) expect(values.at(-1)).toBe('5');
  });
});
