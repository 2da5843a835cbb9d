import type { GroupMember, KafkaClient, TransactionalProducer, TransactionalProducerOptions } from '@millrace/client';
import { addPartitionsToTxn, endTxn, produce, txnOffsetCommit } from '@millrace/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import type { LossyTransport } from './lossy-transport.ts';
import { appendText, newTopic, PATIENT_MS, readAll, realClient, roundRobin, unique } from './real-client.ts';

/** Of a transaction that is to time out, and of the one after it, which is not. */
const SHORT_TRANSACTION_MS = 5000;

// Markers reach the partitions a moment after EndTxn was answered: what was committed is polled for.
describeWithKafka('transactions against a real Kafka', (brokers) => {
  describe.each([1, 2])('version %i', (version) => {
    let client: KafkaClient;
    let transport: LossyTransport;
    let producer: TransactionalProducer;
    let member: GroupMember;
    let topic: string;
    const groupId = () => member.metadata?.groupId as string;

    beforeEach(async (context) => {
      ({ client, transport } = realClient(brokers, version === 1 ? 1 : undefined));
      const finalized = (await transport.features('any')).finalizedFeatures.get('transaction.version') ?? 0;
      if (finalized < version) await client.close();
      context.skip(finalized < version, 'transactions v2 are of Kafka 4.0');
      topic = await newTopic(client, 2);
      producer = await newProducer();
      const assignor = roundRobin(topic, 2);
      member = client.createGroupMember({ groupId: unique('group'), sessionTimeoutMs: PATIENT_MS, assignor });
      await member.join();
    });
    afterEach(async () => {
      await member.leave('end of the test');
      await client.close();
    });

    async function newProducer(options: Partial<TransactionalProducerOptions> = {}): Promise<TransactionalProducer> {
      const made = client.createTransactionalProducer({
        transactionalId: unique('id'),
        transactionTimeoutMs: PATIENT_MS,
        ...options,
      });
      await made.init();
      return made;
    }

    async function append(value: string, to = producer, partition = 0): Promise<void> {
      appendText(to, await to.topic(topic), partition, value);
    }

    async function commit(offset: number, from = producer): Promise<void> {
      if (member.metadata === undefined) throw new Error('not a member');
      await from.commit(member.metadata, [{ topic, partition: 0, offset, metadata: `t${offset}` }]);
    }

    async function committedOffset(): Promise<number | undefined> {
      const [found] = await client.offsets.committed(groupId(), [{ topic, partition: 0 }]);
      return found?.offset;
    }

    it('uses the requests of its version', async () => {
      await append('a');
      await commit(1);
      const versions = new Map(transport.sent.map(({ apiKey, apiVersion }) => [apiKey, apiVersion]));
      expect(versions.has(addPartitionsToTxn.key)).toBe(version === 1);
      expect(versions.get(produce.key)).toBe(version === 1 ? 11 : 12);
      expect(versions.get(endTxn.key)).toBe(version === 1 ? 4 : 5);
    });

    it('commits records and offsets together, again and again', async () => {
      for (let i = 1; i <= 10; i++) {
        await append(`a${i}`);
        await append(`b${i}`, producer, 1);
        await commit(i);
        expect(await committedOffset()).toBe(i);
      }
      await expect.poll(() => readAll(client, topic)).toEqual(Array.from({ length: 10 }, (_, i) => `a${i + 1}`));
      await expect.poll(() => readAll(client, topic, 1)).toHaveLength(10);
    });

    it('commits offsets alone', async () => {
      await commit(5);
      expect(await committedOffset()).toBe(5);
    });

    it('aborts, and goes on', async () => {
      const eager = await newProducer({ holdBackBytes: 0 });
      for (let i = 0; i < 3; i++) {
        await append(`dropped ${i}`, eager);
        await expect.poll(() => readAll(client, topic, 0, { isolation: 'read_uncommitted' })).toContain(`dropped ${i}`);
        await eager.abort();
        await append(`kept ${i}`, eager);
        await commit(i + 1, eager);
      }
      await expect.poll(() => readAll(client, topic)).toEqual(['kept 0', 'kept 1', 'kept 2']);
      await expect.poll(() => readAll(client, topic, 0, { isolation: 'read_uncommitted' })).toHaveLength(6);
    });

    it('fences the older of two producers with one id', async () => {
      await append('old');
      const successor = await newProducer({ transactionalId: producer.transactionalId });
      await expect(commit(1)).rejects.toMatchObject({ name: 'TaskMigratedError' });
      await append('new', successor);
      await commit(1, successor);
      await expect.poll(() => readAll(client, topic)).toEqual(['new']);
    });

    it('is fenced by the administrator, with its open transaction', async () => {
      const eager = await newProducer({ holdBackBytes: 0 });
      await append('open', eager);
      await expect.poll(() => client.admin.listOpenTransactions()).toContain(eager.transactionalId);
      await client.admin.fenceTransactionalId(eager.transactionalId, 5000);
      await expect.poll(() => client.admin.listOpenTransactions()).not.toContain(eager.transactionalId);
      await expect(commit(1, eager)).rejects.toMatchObject({ name: 'TaskMigratedError' });
    });

    it('refuses offsets of an older generation', async () => {
      const stale = { ...member.metadata!, generationId: member.metadata!.generationId - 1 };
      await append('a');
      await expect(producer.commit(stale, [{ topic, partition: 0, offset: 1, metadata: '' }])).rejects.toMatchObject({
        code: 'ILLEGAL_GENERATION',
      });
      await producer.init();
      await append('b');
      await commit(1);
      await expect.poll(() => readAll(client, topic)).toEqual(['b']);
    });

    it('can go on after its transaction has timed out', async () => {
      const short = await newProducer({ holdBackBytes: 0, transactionTimeoutMs: SHORT_TRANSACTION_MS });
      await append('late', short);
      // The record tells that there was a transaction, also when its time was up before anybody could look for it.
      await expect.poll(() => readAll(client, topic, 0, { isolation: 'read_uncommitted' })).toContain('late');
      await expect.poll(() => client.admin.listOpenTransactions()).not.toContain(short.transactionalId);
      await expect(commit(1, short)).rejects.toMatchObject({ name: 'TransactionAbortedError' });
      await append('again', short);
      await commit(1, short);
      await expect.poll(() => readAll(client, topic)).toEqual(['again']);
    });

    it('appends once when the answer to Produce is lost', async () => {
      transport.lose(produce, 'answer', 'request', 'answer');
      await append('once');
      await commit(1);
      await append('twice');
      await commit(2);
      await expect.poll(() => readAll(client, topic)).toEqual(['once', 'twice']);
    });

    it.each(['answer', 'request'] as const)('commits when the %s of EndTxn is lost', async (loss) => {
      await append('a');
      await commit(1);
      transport.lose(endTxn, loss, loss);
      await append('b');
      await commit(2);
      await append('c');
      await commit(3);
      await expect.poll(() => readAll(client, topic)).toEqual(['a', 'b', 'c']);
      expect(await committedOffset()).toBe(3);
    });

    it.each(['answer', 'request'] as const)('commits when the %s of TxnOffsetCommit is lost', async (loss) => {
      transport.lose(txnOffsetCommit, loss);
      await append('a');
      await commit(1);
      await append('b');
      await commit(2);
      await expect.poll(() => readAll(client, topic)).toEqual(['a', 'b']);
      expect(await committedOffset()).toBe(2);
    });

    it('tells that it was not committed when a successor took over before the lost EndTxn was repeated', async () => {
      await append('a');
      await commit(1);
      const { transactionalId } = producer;
      transport.lose(endTxn, 'request');
      transport.beforeLossIsKnown = () => newProducer({ transactionalId }).then(() => undefined);
      await append('b');
      const sentBefore = transport.count(endTxn);
      await expect(commit(2)).rejects.toMatchObject({ name: 'TaskMigratedError' });
      expect(transport.count(endTxn)).toBeGreaterThan(sentBefore + 1);
      await expect.poll(() => readAll(client, topic)).toEqual(['a']);
      expect(await committedOffset()).toBe(1);
    });

    it('spreads a large transaction over many batches', async () => {
      const big = await newProducer({ holdBackBytes: 100_000, batchBytes: 16_000 });
      const handle = await big.topic(topic);
      for (let i = 0; i < 20_000; i++) appendText(big, handle, 0, `record ${i}`);
      await commit(1, big);
      await expect.poll(() => readAll(client, topic)).toEqual(Array.from({ length: 20_000 }, (_, i) => `record ${i}`));
    });
  });
});
