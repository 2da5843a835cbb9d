import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  endTxn,
  initProducerId,
  offsetFetch,
  produce,
  txnOffsetCommit,
  type EndTxnRequest,
  type OffsetFetchRequest,
  type ResponseInput,
  type TxnOffsetCommitRequest,
} from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import { ClusterOffsets } from '../offsets/cluster-offsets.ts';
import type { GroupMetadata, OffsetCommit, TransactionalProducerOptions } from '../port/kafka-client.ts';
import { appendText } from '../scripted-transport/append-text.ts';
import { produceAnswer, scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { ScriptedLog } from '../scripted-transport/scripted-log.ts';
import { ScriptedSpill } from '../scripted-transport/scripted-spill.ts';
import { answerLost, notSent } from '../scripted-transport/scripted-transport.ts';
import { ExactlyOnceProducer } from './exactly-once-producer.ts';

const GROUP: GroupMetadata = { groupId: 'app', generationId: 3, memberId: 'm-1', groupInstanceId: undefined };

function offset(next: number): OffsetCommit[] {
  return [{ topic: 'input', partition: 0, offset: next, metadata: `t${next}` }];
}

function offsetsCommitted(request: TxnOffsetCommitRequest, errorCode = 0): ResponseInput<typeof txnOffsetCommit> {
  return {
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  };
}

function offsetsFound(request: OffsetFetchRequest, committedOffset: number): ResponseInput<typeof offsetFetch> {
  return {
    groups: request.groups.map(({ groupId, topics }) => ({
      groupId,
      errorCode: 0,
      topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({
          partitionIndex,
          committedOffset,
          metadata: `t${committedOffset}`,
          errorCode: 0,
        })),
      })),
    })),
  };
}

function ended({ producerId, producerEpoch }: EndTxnRequest): ResponseInput<typeof endTxn> {
  return { errorCode: 0, producerId, producerEpoch: producerEpoch + 1 };
}

async function transacting(version: 1 | 2, options: Partial<TransactionalProducerOptions> = {}) {
  const kafka = scriptedKafka({ orders: [1, 2], input: [1] });
  const { transport, clock, cluster } = kafka;
  transport.finalizedFeatures.set('transaction.version', version);
  const log = new ScriptedLog().attach(transport);
  transport
    .on(endTxn, ended)
    .on(addOffsetsToTxn, () => ({ errorCode: 0 }))
    .on(txnOffsetCommit, (request) => offsetsCommitted(request))
    .on(addPartitionsToTxn, ({ topics }) => ({
      resultsByTopic: topics.map(({ name, partitions }) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode: 0 })),
      })),
    }));
  const producer = new ExactlyOnceProducer(cluster, new ClusterOffsets(cluster), { transactionalId: 'app-1', ...options });
  await clock.until(producer.init());
  const topic = await producer.topic('orders');
  transport.sent.length = 0;
  const commit = (next?: number) => clock.until(producer.commit(GROUP, next === undefined ? [] : offset(next)));
  const append = (value: string, partition = 0) => appendText(producer, topic, partition, value);
  return { ...kafka, log, producer, topic, commit, append };
}

describe.each([1, 2] as const)('a transactional producer under transactions v%i', (version) => {
  it('holds records back until the commit', async () => {
    const { clock, log, append, commit } = await transacting(version);
    append('a');
    await clock.advance(5000);
    expect(log.values('orders', 0)).toEqual([]);
    await commit(1);
    expect(log.values('orders', 0)).toEqual(['a']);
    expect(log.batches('orders', 0)[0]?.isTransactional).toBe(true);
  });

  it('sends early what is too much to hold back', async () => {
    const { clock, log, producer, append, commit } = await transacting(version, { holdBackBytes: 200 });
    for (let i = 0; i < 10; i++) append(`record ${i}`.padEnd(50));
    await clock.settle();
    expect(log.values('orders', 0).length).toBeGreaterThan(2);
    await commit(1);
    expect(log.values('orders', 0)).toHaveLength(10);
    expect(producer.bufferedBytes).toBe(0);
  });

  it('commits what memory has no room for, and drops it with an abort', async () => {
    const spill = new ScriptedSpill();
    const small = { spill, batchBytes: 200, bufferBytes: 500, memoryBytes: 1000, holdBackBytes: 400 };
    const { log, producer, append, commit, clock } = await transacting(version, small);
    for (let i = 0; i < 100; i++) append(`dropped ${i}`.padEnd(50));
    expect(spill.size).toBeGreaterThan(4000);
    await clock.until(producer.abort());
    expect([spill.size, producer.bufferedBytes]).toEqual([0, 0]);
    const kept = Array.from({ length: 100 }, (_, i) => `kept ${i}`.padEnd(50));
    for (const value of kept) append(value);
    expect(spill.size).toBeGreaterThan(4000);
    await commit(1);
    expect(log.values('orders', 0).filter((value) => value.startsWith('kept'))).toEqual(kept);
    expect(log.batches('orders', 0).every(({ isTransactional }) => isTransactional)).toBe(true);
  });

  it('aborts when output cannot be put aside, and goes on afterwards', async () => {
    const spill = new ScriptedSpill();
    const small = { spill, batchBytes: 200, bufferBytes: 500, memoryBytes: 1000 };
    const { log, producer, append, commit, clock } = await transacting(version, small);
    spill.failing.write = new Error('ENOSPC');
    const appendMany = () => Array.from({ length: 100 }, (_, i) => append(`${i}`.padEnd(50)));
    expect(appendMany).toThrow(expect.objectContaining({ code: 'OUTPUT_SPILL_FAILED', topic: 'orders' }));
    await clock.until(producer.abort());
    delete spill.failing.write;
    appendMany();
    await commit(1);
    expect(log.values('orders', 0)).toHaveLength(100);
  });

  it('commits nothing when output does not come back', async () => {
    const spill = new ScriptedSpill();
    const { transport, producer, append, clock } = await transacting(version, { spill, batchBytes: 200, memoryBytes: 1000 });
    for (let i = 0; i < 100; i++) append(`${i}`.padEnd(50));
    spill.damage();
    const committed = clock.until(producer.commit(GROUP, offset(1)));
    await expect(committed).rejects.toMatchObject({ code: 'OUTPUT_SPILL_FAILED', topic: 'orders' });
    expect(transport.bodies(endTxn).filter(({ committed: isCommit }) => isCommit)).toEqual([]);
  });

  it('drains even when all that is buffered is in open batches', async () => {
    const { clock, producer, append } = await transacting(version, { bufferBytes: 100, holdBackBytes: 1_000_000 });
    append('x'.repeat(200));
    expect(producer.backPressure).toBe(true);
    await clock.until(producer.drained());
    expect(producer.backPressure).toBe(false);
  });

  it('commits nothing, with no request at all, when there is nothing', async () => {
    const { transport, commit } = await transacting(version);
    await commit();
    expect(transport.conversation).toEqual([]);
  });

  it('always names member and generation when it commits offsets', async () => {
    const { transport, append, commit } = await transacting(version);
    append('a');
    await commit(7);
    expect(transport.bodies(txnOffsetCommit)).toMatchObject([
      { groupId: 'app', generationId: 3, memberId: 'm-1', transactionalId: 'app-1' },
    ]);
  });

  it('keeps on going through many transactions', async () => {
    const { log, producer, append, commit } = await transacting(version);
    for (let i = 0; i < 5; i++) {
      append(`a${i}`);
      append(`b${i}`, 1);
      await commit(i + 1);
      expect(producer.dirty).toBe(false);
    }
    expect(log.values('orders', 0)).toEqual(['a0', 'a1', 'a2', 'a3', 'a4']);
    expect(log.values('orders', 1)).toHaveLength(5);
  });

  it.each([51, 14, 15, 16])('retries every request that is answered with %i', async (errorCode) => {
    const { transport, log, append, commit } = await transacting(version);
    transport
      .once(produce, (request) => produceAnswer(request, errorCode === 51 ? 51 : 7))
      .once(txnOffsetCommit, (request) => offsetsCommitted(request, errorCode))
      .once(addOffsetsToTxn, () => ({ errorCode }))
      .once(endTxn, () => ({ errorCode }));
    append('a');
    await commit(1);
    expect(log.values('orders', 0)).toEqual(['a']);
    expect(transport.bodies(endTxn)).toHaveLength(2);
  });

  it('aborts by taking a new epoch, and never uses a sequence range again', async () => {
    const { transport, clock, log, producer, append, commit } = await transacting(version, { holdBackBytes: 0 });
    append('old');
    await clock.settle();
    await clock.until(producer.abort());
    expect(producer.dirty).toBe(false);
    expect(transport.bodies(initProducerId)).toMatchObject([{ transactionalId: 'app-1', producerId: 100, producerEpoch: 0 }]);
    append('new');
    await commit(1);
    expect(log.batches('orders', 0).at(-1)).toMatchObject({ producerEpoch: 1, baseSequence: 0, values: ['new'] });
    expect(transport.bodies(endTxn).every(({ committed }) => committed)).toBe(true);
  });

  it('aborts nothing without a request', async () => {
    const { transport, producer } = await transacting(version);
    await producer.abort();
    expect(transport.conversation).toEqual([]);
  });

  it('does not ask for the commit after a record was refused', async () => {
    const { transport, producer, append, commit, log } = await transacting(version);
    transport.once(produce, (request) => produceAnswer(request, 87));
    append('bad');
    await expect(commit(1)).rejects.toMatchObject({ name: 'TransactionAbortedError' });
    expect(producer.takeFailure()).toMatchObject({ topic: 'orders', partition: 0, error: { code: 'INVALID_RECORD' } });
    expect(transport.bodies(endTxn)).toEqual([]);
    append('good');
    await commit(1);
    expect(log.values('orders', 0)).toEqual(['good']);
  });

  it.each([45, 48, 49, 59, 120])('aborts and begins anew after Produce error %i', async (errorCode) => {
    const { transport, producer, append, commit, log } = await transacting(version);
    transport.once(produce, (request) => produceAnswer(request, errorCode));
    append('a');
    await expect(commit(1)).rejects.toMatchObject({ name: 'TransactionAbortedError' });
    expect(producer.takeFailure(), 'nothing is wrong with the record').toBeUndefined();
    append('again');
    await commit(1);
    expect(log.values('orders', 0)).toEqual(['again']);
  });

  it('takes a timeout of the transaction for what it is when it gets its epoch back (47)', async () => {
    const { transport, append, commit } = await transacting(version);
    transport.once(produce, (request) => produceAnswer(request, 47));
    append('a');
    await expect(commit(1)).rejects.toMatchObject({ name: 'TransactionAbortedError' });
    append('b');
    await commit(1);
  });

  it.each([47, 90])('gives up its tasks when another incarnation holds the id (%i)', async (errorCode) => {
    const { transport, clock, producer, append, commit } = await transacting(version);
    transport
      .once(produce, (request) => produceAnswer(request, 47))
      .once(initProducerId, () => ({ errorCode, producerEpoch: -1 }));
    append('a');
    await expect(commit(1)).rejects.toMatchObject({ name: 'TaskMigratedError' });
    expect(() => append('b')).toThrow(expect.objectContaining({ name: 'TaskMigratedError' }));
    await expect(commit(1)).rejects.toMatchObject({ name: 'TaskMigratedError' });
    await clock.until(producer.init());
    append('c');
    await commit(1);
  });

  it.each([22, 25, 82])('gives up its tasks when the group has fenced it (%i), without another attempt', async (errorCode) => {
    const { transport, append, commit } = await transacting(version);
    transport.once(txnOffsetCommit, (request) => offsetsCommitted(request, errorCode));
    append('a');
    await expect(commit(1)).rejects.toMatchObject({ name: 'TaskMigratedError' });
    expect(transport.bodies(endTxn)).toEqual([]);
    expect(transport.bodies(initProducerId)).toEqual([]);
  });

  it.each([29, 53])('stops when it has no permission (%i)', async (errorCode) => {
    const { transport, append, commit } = await transacting(version);
    transport.once(produce, (request) => produceAnswer(request, errorCode));
    append('a');
    await expect(commit(1)).rejects.toMatchObject({ name: 'FatalStreamsError' });
  });

  it('tells the next append of a failure in the background, and takes records again after it', async () => {
    const { transport, clock, log, append, commit } = await transacting(version, { holdBackBytes: 0 });
    transport.once(produce, (request) => produceAnswer(request, 87));
    append('bad');
    await clock.settle();
    expect(() => append('more')).toThrow(expect.objectContaining({ name: 'TransactionAbortedError' }));
    append('good');
    await commit(1);
    expect(log.values('orders', 0)).toEqual(['good']);
  });

  it('sends the identical EndTxn again when its answer is lost, and believes the second answer', async () => {
    const { transport, append, commit } = await transacting(version);
    transport.once(endTxn, answerLost);
    append('a');
    await commit(1);
    const [first, second] = transport.sent.filter(({ name }) => name === 'EndTxn');
    expect(second?.bytes).toEqual(first?.bytes);
    expect(transport.bodies(offsetFetch)).toEqual([]);
    append('b');
    await commit(2);
  });

  it('retries an EndTxn that was not sent, without a doubt about it', async () => {
    const { transport, append, commit } = await transacting(version);
    transport.once(endTxn, notSent).once(endTxn, () => ({ errorCode: 48 }));
    append('a');
    await expect(commit(1)).rejects.toMatchObject({ name: 'TransactionAbortedError' });
    expect(transport.bodies(offsetFetch)).toEqual([]);
  });

  describe('when the outcome of a commit is unknown', () => {
    it.each([48, 90])('finds out by the offsets that it was committed, whatever the coordinator says (%i)', async (errorCode) => {
      const { transport, producer, append, commit } = await transacting(version);
      append('a');
      await commit(1);
      transport
        .once(endTxn, answerLost)
        .once(endTxn, () => ({ errorCode }))
        .on(offsetFetch, (request) => offsetsFound(request, 2));
      append('b');
      await commit(2);
      expect(transport.bodies(offsetFetch)).toMatchObject([{ requireStable: true }]);
      expect(producer.dirty).toBe(false);
      append('c');
      await commit(3);
    });

    it.each([-1, 7, 15])('does not take error %i for a no', async (errorCode) => {
      const { transport, append, commit } = await transacting(version);
      append('a');
      await commit(1);
      transport
        .once(endTxn, () => ({ errorCode }))
        .once(endTxn, () => ({ errorCode: 48 }))
        .on(offsetFetch, (request) => offsetsFound(request, 2));
      append('b');
      await commit(2);
      expect(transport.bodies(offsetFetch)).toHaveLength(1);
    });

    it('finds out by the offsets that it was not committed', async () => {
      const { transport, append, commit } = await transacting(version);
      append('a');
      await commit(1);
      transport
        .once(endTxn, answerLost)
        .once(endTxn, () => ({ errorCode: 48 }))
        .on(offsetFetch, (request) => offsetsFound(request, 1));
      append('b');
      await expect(commit(2)).rejects.toMatchObject({ name: 'TransactionAbortedError' });
      append('b');
      await commit(2);
    });

    it('gives up its tasks when the offsets are beyond its own: the partition has another owner', async () => {
      const { transport, append, commit } = await transacting(version);
      transport
        .once(endTxn, answerLost)
        .once(endTxn, () => ({ errorCode: 48 }))
        .on(offsetFetch, (request) => offsetsFound(request, 9));
      append('a');
      await expect(commit(2)).rejects.toMatchObject({ name: 'TaskMigratedError' });
    });

    it('believes the refusal of a transaction without offsets', async () => {
      const { transport, append, commit } = await transacting(version);
      transport.once(endTxn, answerLost).once(endTxn, () => ({ errorCode: 48 }));
      append('a');
      await expect(commit()).rejects.toMatchObject({ name: 'TransactionAbortedError' });
    });

    it('gives up its tasks when nobody answers for long and there are no offsets to tell', async () => {
      const { transport, append, commit } = await transacting(version);
      transport.on(endTxn, answerLost);
      append('a');
      await expect(commit()).rejects.toMatchObject({ name: 'TaskMigratedError', code: 'OUTCOME_UNKNOWN' });
    });

    it('gives up its tasks when the offsets were the same before', async () => {
      const { transport, append, commit } = await transacting(version);
      append('a');
      await commit(1);
      transport.on(endTxn, answerLost).on(offsetFetch, (request) => offsetsFound(request, 1));
      append('b');
      await expect(commit(1)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    });

    it('gives up its tasks when another incarnation took over meanwhile', async () => {
      const { transport, append, commit } = await transacting(version);
      transport
        .once(endTxn, answerLost)
        .once(endTxn, () => ({ errorCode: 90 }))
        .once(initProducerId, () => ({ errorCode: 90, producerEpoch: -1 }));
      append('a');
      await expect(commit(1)).rejects.toMatchObject({ name: 'TaskMigratedError' });
    });

    it('gives up its tasks when it gets no new epoch for long', async () => {
      const { transport, append, commit } = await transacting(version);
      transport.on(endTxn, answerLost).on(initProducerId, answerLost);
      append('a');
      await expect(commit(1)).rejects.toMatchObject({ name: 'TaskMigratedError', code: 'TRANSACTION_UNSETTLED' });
    });
  });

  it('ends its open transaction when it closes', async () => {
    const { transport, clock, producer, append } = await transacting(version, { holdBackBytes: 0 });
    append('a');
    await clock.settle();
    await clock.until(producer.close());
    expect(transport.bodies(initProducerId)).toHaveLength(1);
    expect(() => append('b')).toThrow(/closed/);
  });

  it('refuses to be used before init', async () => {
    const { cluster } = scriptedKafka();
    const producer = new ExactlyOnceProducer(cluster, new ClusterOffsets(cluster), { transactionalId: 'x' });
    const topic = await producer.topic('orders');
    expect(() => appendText(producer, topic, 0, 'a')).toThrow(/init\(\)/);
  });
});

describe('transactions v1', () => {
  it('adds all partitions in one request before it produces, and offsets before it commits them', async () => {
    const { transport, append, commit } = await transacting(1);
    append('a', 0);
    append('b', 1);
    await commit(1);
    expect(transport.conversation).toEqual([
      'AddPartitionsToTxn',
      'Produce',
      'Produce',
      'AddOffsetsToTxn',
      'TxnOffsetCommit',
      'EndTxn',
    ]);
    expect(transport.bodies(addPartitionsToTxn)).toMatchObject([{ topics: [{ name: 'orders', partitions: [0, 1] }] }]);
    const versions = Object.fromEntries(transport.sent.map(({ name, version }) => [name, version]));
    expect(versions).toMatchObject({ Produce: 11, TxnOffsetCommit: 4, EndTxn: 4, AddPartitionsToTxn: 3 });
  });

  it('continues the sequence in the next transaction', async () => {
    const { log, append, commit } = await transacting(1);
    append('a');
    await commit(1);
    append('b');
    await commit(2);
    expect(log.batches('orders', 0)).toMatchObject([
      { producerEpoch: 0, baseSequence: 0 },
      { producerEpoch: 0, baseSequence: 1 },
    ]);
  });

  it('takes a new epoch after a commit during which an answer was lost, against the stray copy of the request', async () => {
    const { transport, log, append, commit } = await transacting(1);
    transport.once(txnOffsetCommit, answerLost);
    append('a');
    await commit(1);
    append('b');
    await commit(2);
    expect(log.batches('orders', 0)).toMatchObject([{ producerEpoch: 0 }, { producerEpoch: 1, baseSequence: 0 }]);
  });

  it('aborts when a partition cannot be added', async () => {
    const { transport, append, commit } = await transacting(1);
    transport.once(addPartitionsToTxn, () => ({
      resultsByTopic: [{ name: 'orders', resultsByPartition: [{ partitionIndex: 0, partitionErrorCode: 120 }] }],
    }));
    append('a');
    await expect(commit(1)).rejects.toMatchObject({ name: 'TransactionAbortedError' });
    expect(transport.bodies(produce)).toEqual([]);
  });
});

describe('transactions v2', () => {
  it('needs no requests to add partitions and offsets', async () => {
    const { transport, append, commit } = await transacting(2);
    append('a');
    await commit(1);
    expect([...transport.conversation].sort()).toEqual(['EndTxn', 'Produce', 'TxnOffsetCommit']);
    const versions = Object.fromEntries(transport.sent.map(({ name, version }) => [name, version]));
    expect(versions).toMatchObject({ Produce: 12, TxnOffsetCommit: 5, EndTxn: 5 });
  });

  it('takes producer id and epoch from every EndTxn and counts from 0 again', async () => {
    const { transport, log, append, commit } = await transacting(2);
    transport.once(endTxn, () => ({ errorCode: 0, producerId: 777, producerEpoch: 0 }));
    append('a');
    await commit(1);
    append('b');
    await commit(2);
    expect(log.batches('orders', 0)).toMatchObject([
      { producerId: 100, baseSequence: 0 },
      { producerId: 777, producerEpoch: 0, baseSequence: 0 },
    ]);
  });

  it('is not used, whatever versions the broker offers, unless the feature is finalized', async () => {
    const { transport, append, commit } = await transacting(1);
    append('a');
    await commit(1);
    expect(transport.bodies(addPartitionsToTxn)).toHaveLength(1);
  });
});
