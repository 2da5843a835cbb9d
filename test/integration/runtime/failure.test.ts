import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { STEADY, TestApplication } from './test-application.ts';
import type { Worker, WorkerEvent } from './worker.ts';

/** Waits for the worker to fail; returns the error that it ended with. */
async function failureOf(worker: Worker): Promise<NonNullable<WorkerEvent['failure']>> {
  expect(await worker.ended, worker.output).toEqual({ code: 1, signal: null });
  expect(worker.state).toBe('error');
  const failure = worker.events.at(-1)?.failure;
  if (failure === undefined) throw new Error(`the worker tells no failure:\n${worker.output}`);
  return failure;
}

describeWithKafka('a worker ends with exit code 1 and says why', (brokers) => {
  it('when a source topic does not exist', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 0 });
    const failure = await failureOf(application.worker());
    expect(failure).toMatchObject({ code: 'SOURCE_TOPIC_MISSING' });
    expect(failure.message).toContain(application.input);
  });

  it('when topics whose records meet have different partition counts', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 0, topology: 'joining' });
    await application.cluster.create(`${application.prefix}left`, 2);
    await application.cluster.create(`${application.prefix}right`, 3);
    const failure = await failureOf(application.worker());
    expect(failure).toMatchObject({ code: 'NOT_COPARTITIONED' });
    expect(failure.message).toMatch(/left.*2.*right.*3|right.*3.*left.*2/);
  });

  it('when an internal topic has another partition count than the topology needs', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 4 });
    const changelog = `${application.id}-counts-changelog`;
    await application.cluster.create(changelog, 3);
    const failure = await failureOf(application.worker());
    expect(failure).toMatchObject({ code: 'INTERNAL_TOPIC_PARTITIONS', topic: changelog });
    expect(failure.message).toContain('has 3 partitions, the topology needs 4');
  });

  it('when a record cannot be deserialised, with its place, and commits nothing of it', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 1, topology: 'parsing' });
    const { cluster, id, input, output } = application;
    await cluster.write(input, [
      { key: 'a', value: '1' },
      { key: 'a', value: 'not JSON' },
      { key: 'a', value: '2' },
    ]);
    const failure = await failureOf(application.worker({ commitIntervalMs: 600_000, transactionTimeoutMs: 900_000 }));
    expect(failure).toMatchObject({ code: 'DESERIALIZATION_FAILED', topic: input, partition: 0, offset: 1 });
    expect((await cluster.client.offsets.committed(id, await cluster.partitions(input))).map(({ offset }) => offset)).toEqual([
      -1,
    ]);
    expect(await cluster.read(output)).toEqual([]);
  });

  it('when user code throws, and its successor goes on behind the last commit', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 1 });
    const { cluster, input, output } = application;
    await cluster.write(input, numberedRecords(1, 10));
    const worker = application.worker();
    await application.drained();
    await cluster.write(input, [{ key: 'key-0', value: '!bad' }]);
    const failure = await failureOf(worker);
    expect(failure.message).toContain('cannot count !bad');
    expect(failure).toMatchObject({ topic: input, offset: 10 });
    expect(sorted(valuesByKey(await cluster.read(output)))).toEqual(sorted(countedOnce(1, 10)));
  });
});

describeWithKafka('a worker goes on', (brokers) => {
  it('behind a record that cannot be deserialised when the handler says so, and counts it', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 1, topology: 'parsing' });
    const { cluster, input, output } = application;
    await cluster.write(input, [
      { key: 'a', value: '1' },
      { key: 'a', value: 'not JSON' },
      { key: 'a', value: '2' },
    ]);
    const worker = application.worker({}, { skipUnreadable: true });
    await application.drained();
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
    expect(valuesByKey(await cluster.read(output)).get('a')).toEqual(['1', '2']);
    expect(worker.logged('cannot be deserialised and is skipped')).toMatchObject({ topic: input, partition: 0, offset: 1 });
    expect(worker.events.at(-1)).toMatchObject({ dropped: 1 });
  });

  it('with a warning when one of two joined topics was written by another partitioner', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 0, topology: 'joining' });
    const { cluster, prefix } = application;
    const [left, right] = [`${prefix}left`, `${prefix}right`];
    for (const topic of [left, right, application.output]) await cluster.create(topic, 4);
    const records = Array.from({ length: 60 }, (_, at) => ({ key: `key-${at}`, value: String(at) }));
    await cluster.write(left, records);
    await cluster.write(
      right,
      records.map((record, at) => ({ ...record, partition: at % 4 })),
    );
    // Each time that it gets its tasks it looks at the partitions again, and says so again.
    const worker = application.worker(STEADY);
    await worker.until(({ events }) => events.some(({ message }) => message?.includes('not partitioned by murmur2')));
    for (const topic of [left, right]) await application.drained(topic);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    const warnings = worker.events.filter(({ message }) => message?.includes('not partitioned by murmur2'));
    expect(warnings).toMatchObject([{ level: 'warn', otherPartitioner: [right], defaultPartitioner: [left] }]);
    expect(warnings[0]?.message).toContain('repartition()');
    const joined = (await cluster.read(application.output)).length;
    expect(joined).toBeGreaterThan(0);
    expect(joined).toBeLessThan(records.length);
  });

  it('from the last commit when user code has thrown and the policy is to replace the worker', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 2 });
    const { cluster, input, output } = application;
    const worker = application.worker({}, { onUncaughtError: 'replace-worker' });
    await worker.running();
    await cluster.write(input, numberedRecords(4, 20));
    await cluster.write(input, [{ key: 'key-0', value: '!once' }]);
    await cluster.write(input, numberedRecords(4, 20, 21));
    await application.drained();
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    expect(worker.logged('the worker failed'), worker.output).toMatchObject({ response: 'replace-worker' });
    const expected = countedOnce(4, 40);
    const withThrower = Array.from({ length: 41 }, (_, n) => `${n + 1}:${n < 20 ? n + 1 : n === 20 ? '!once' : n}`);
    expect(sorted(valuesByKey(await cluster.read(output)))).toEqual(sorted(new Map(expected).set('key-0', withThrower)));
  });
});
