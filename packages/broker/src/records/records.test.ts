import { deleteRecords, fetch, listOffsets, metadata } from '@millrace/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../raw-client/raw-client.ts';
import { append, batchOf, createTopic, read, textsIn } from '../raw-client/requests.ts';
import type { DevBroker } from '../dev-broker.ts';
import { startBroker } from '../start-broker.ts';

describe('records', () => {
  let broker: DevBroker;
  let client: RawClient;

  beforeEach(async () => {
    broker = await startBroker({ strictConfigs: false });
    client = await RawClient.connect(broker);
    await createTopic(client, 't');
  });
  afterEach(async () => {
    client[Symbol.dispose]();
    await broker.stop();
  });

  async function offsetAt(timestamp: number, topic = 't'): Promise<number | undefined> {
    const asked = { name: topic, partitions: [{ partitionIndex: 0, timestamp }] };
    return (await client.send(listOffsets, 7, { topics: [asked] })).topics[0]?.partitions[0]?.offset;
  }

  it('get offsets one after the other and are read from any of them, by whole batches', async () => {
    expect((await append(client, 't', batchOf(['a', 'b', 'c']))).baseOffset).toBe(0);
    expect((await append(client, 't', batchOf(['d']))).baseOffset).toBe(3);
    expect(textsIn((await read(client, 't', { offset: 1 })).records)).toEqual(['0:a', '1:b', '2:c', '3:d']);
    expect(textsIn((await read(client, 't', { offset: 3 })).records)).toEqual(['3:d']);
    expect((await read(client, 't', { offset: 4 })).records).toHaveLength(0);
    expect((await read(client, 't', { offset: 5 })).errorCode).toBe(1);
  });

  it('come whole if the first batch is too large, and cut off behind it', async () => {
    await append(client, 't', batchOf(['a'.repeat(200)]));
    await append(client, 't', batchOf(['b'.repeat(200)]));
    const one = await read(client, 't', { maxBytes: 1 });
    expect(textsIn(one.records)).toEqual([`0:${'a'.repeat(200)}`]);
    const cut = await read(client, 't', { maxBytes: (one.records?.length ?? 0) + 50 });
    expect(cut.records).toHaveLength((one.records?.length ?? 0) + 50);
  });

  it.each([
    ['an unknown topic', 'missing', () => batchOf(['a']), 3],
    ['two batches', 't', () => Buffer.concat([batchOf(['a']), batchOf(['b'])]), 87],
    ['nothing', 't', () => Buffer.alloc(0), 87],
    ['a damaged batch', 't', () => damaged(batchOf(['a'])), 2],
    ['a batch that is too large', 't', () => batchOf(['x'.repeat(1_100_000)]), 10],
    ['a control batch', 't', () => batchOf(['a'], { control: true }), 87],
    ['a batch from the future', 't', () => batchOf(['a'], {}, Date.now() + 2 * 60 * 60 * 1000), 32],
    [
      'a transactional batch without an id',
      't',
      () => batchOf(['a'], { producerId: 5, producerEpoch: 0, baseSequence: 0, transactional: true }),
      53,
    ],
    [
      'a transactional batch without an id that is cut off',
      't',
      () => batchOf(['a'], { producerId: 5, producerEpoch: 0, baseSequence: 0, transactional: true }).subarray(0, -3),
      87,
    ],
  ])('are refused: %s', async (_what, topic, records, errorCode) => {
    expect((await append(client, topic, records())).errorCode).toBe(errorCode);
    expect((await read(client, 't')).highWatermark).toBe(0);
  });

  it('need keys where they are compacted', async () => {
    await createTopic(client, 'compacted', 1, { 'cleanup.policy': 'compact' });
    expect((await append(client, 'compacted', batchOf(['k=v', 'v']))).errorCode).toBe(87);
    expect((await append(client, 'compacted', batchOf(['k=v']))).errorCode).toBe(0);
  });

  it('of an idempotent producer are appended once and in order', async () => {
    const batch = (baseSequence: number, producerEpoch = 0) =>
      batchOf(['a', 'b'], { producerId: 9, producerEpoch, baseSequence });
    expect(await append(client, 't', batch(0))).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(await append(client, 't', batch(2))).toMatchObject({ errorCode: 0, baseOffset: 2 });
    expect(await append(client, 't', batch(0))).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect((await append(client, 't', batch(6))).errorCode).toBe(45);
    expect((await append(client, 't', batch(4, 1))).errorCode).toBe(45);
    expect(await append(client, 't', batch(0, 1))).toMatchObject({ errorCode: 0, baseOffset: 4 });
    expect((await append(client, 't', batch(4, 0))).errorCode).toBe(47);
    expect((await read(client, 't')).highWatermark).toBe(6);
  });

  it('wake a reader that waits for them', async () => {
    using writer = await RawClient.connect(broker);
    // For longer than the test may take.
    const waiting = read(client, 't', { maxWaitMs: 3_600_000, minBytes: 1 });
    await append(writer, 't', batchOf(['a']));
    expect(textsIn((await waiting).records)).toEqual(['0:a']);
  });

  it('let a reader wait no longer than it wants', async () => {
    expect((await read(client, 't', { maxWaitMs: 30, minBytes: 1 })).records).toHaveLength(0);
  });

  it('are found by their time, not by that of their batch', async () => {
    await append(client, 't', batchOf(['a'], {}, 100));
    await append(client, 't', batchOf(['b'], {}, 300));
    await append(client, 't', batchOf(['c'], {}, 200));
    expect(await Promise.all([offsetAt(-2), offsetAt(-1), offsetAt(-3)])).toEqual([0, 3, 1]);
    expect(await Promise.all([offsetAt(0), offsetAt(101), offsetAt(200), offsetAt(301)])).toEqual([0, 1, 1, -1]);
  });

  it('are stamped by the broker where the topic says so', async () => {
    await createTopic(client, 'stamped', 1, { 'message.timestamp.type': 'LogAppendTime' });
    const { logAppendTimeMs } = await append(client, 'stamped', batchOf(['a'], {}, 5));
    expect(logAppendTimeMs).toBeGreaterThan(1e12);
    expect(textsIn((await read(client, 'stamped')).records)).toEqual(['0:a']);
  });

  it('are deleted up to an offset, also in the middle of a batch, but not where they are only compacted', async () => {
    const purge = async (topic: string, offset: number) => {
      const asked = { name: topic, partitions: [{ partitionIndex: 0, offset }] };
      return (await client.send(deleteRecords, 2, { topics: [asked], timeoutMs: 100 })).topics[0]?.partitions[0];
    };
    await append(client, 't', batchOf(['a', 'b', 'c']));
    expect(await purge('t', 4)).toMatchObject({ errorCode: 1 });
    expect(await purge('t', 1)).toMatchObject({ errorCode: 0, lowWatermark: 1 });
    expect((await read(client, 't', { offset: 0 })).errorCode).toBe(1);
    expect(textsIn((await read(client, 't', { offset: 1 })).records)).toEqual(['0:a', '1:b', '2:c']);
    expect(await purge('t', -1)).toMatchObject({ errorCode: 0, lowWatermark: 3 });
    expect((await append(client, 't', batchOf(['d']))).baseOffset).toBe(3);
    await createTopic(client, 'compacted', 1, { 'cleanup.policy': 'compact' });
    expect(await purge('compacted', -1)).toMatchObject({ errorCode: 44 });
  });

  it('vanish when they are too old by their own time, or too many', async () => {
    await createTopic(client, 'old', 1, { 'retention.ms': '60000' });
    await append(client, 'old', batchOf(['past'], {}, 1000));
    broker.applyRetentionNow('old');
    expect(await offsetAt(-2, 'old')).toBe(1);
    await createTopic(client, 'small', 1, { 'retention.bytes': '200', 'segment.bytes': '150' });
    for (let i = 0; i < 10; i++) await append(client, 'small', batchOf(['x'.repeat(60)], {}, Date.now()));
    broker.applyRetentionNow('small');
    expect(await offsetAt(-2, 'small')).toBeGreaterThan(5);
  });

  it('are fetched without sessions', async () => {
    const body = { maxWaitMs: 0, minBytes: 0, topics: [] };
    expect(await client.send(fetch, 12, { ...body, sessionEpoch: 0 })).toMatchObject({ errorCode: 0, sessionId: 0 });
    expect(await client.send(fetch, 12, { ...body, sessionId: 7, sessionEpoch: 1 })).toMatchObject({ errorCode: 70 });
  });

  it('have a topic that appears after it was asked for', async () => {
    const ask = async () => (await client.send(metadata, 12, { topics: [{ name: 'auto' }] })).topics[0];
    expect((await ask())?.errorCode).toBe(3);
    await expect.poll(async () => (await ask())?.errorCode).toBe(0);
  });
});

function damaged(batch: Buffer): Buffer {
  batch[batch.length - 1] = (batch.at(-1) as number) ^ 1;
  return batch;
}
