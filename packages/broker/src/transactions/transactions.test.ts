import { systemClock } from '@millrace/core';
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  describeTransactions,
  endTxn,
  initProducerId,
  listOffsets,
  listTransactions,
  offsetFetch,
  txnOffsetCommit,
} from '@millrace/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../raw-client/raw-client.ts';
import { append, awaitCoordinators, batchOf, createTopic, initialise, read, textsIn } from '../raw-client/requests.ts';
import type { BrokerComponents } from '../broker-components.ts';
import type { BrokerSettings } from '../settings/broker-settings.ts';
import type { DevBroker } from '../dev-broker.ts';
import { startBroker } from '../start-broker.ts';

interface Producer {
  readonly producerId: number;
  readonly producerEpoch: number;
}

let broker: DevBroker;
let client: RawClient;

async function open(settings: BrokerSettings & BrokerComponents = {}): Promise<void> {
  broker = await startBroker({ transactionVersion: 2, ...settings });
  client = await RawClient.connect(broker);
  await awaitCoordinators(client);
  await createTopic(client, 't');
}

afterEach(async () => {
  client[Symbol.dispose]();
  await broker.stop();
});

async function add(id: string, { producerId, producerEpoch }: Producer, version = 3, topic = 't'): Promise<number | undefined> {
  const body = { transactionalId: id, producerId, producerEpoch, topics: [{ name: topic, partitions: [0] }] };
  const { resultsByTopic } = await client.send(addPartitionsToTxn, version, body);
  return resultsByTopic[0]?.resultsByPartition[0]?.partitionErrorCode;
}

/** Adds until the transaction before has ended everywhere. */
async function addPatiently(id: string, producer: Producer): Promise<void> {
  await expect.poll(() => add(id, producer), { interval: 2 }).toBe(0);
}

function write(id: string, producer: Producer, text: string, baseSequence: number, version = 11) {
  const { producerId, producerEpoch } = producer;
  const batch = batchOf([text], { producerId, producerEpoch, baseSequence, transactional: true });
  return append(client, 't', batch, { transactionalId: id, version });
}

function end(id: string, { producerId, producerEpoch }: Producer, committed: boolean, version = 4) {
  return client.send(endTxn, version, { transactionalId: id, producerId, producerEpoch, committed });
}

async function commitOffset(id: string, { producerId, producerEpoch }: Producer, offset: number, version = 3) {
  const member = version >= 3 ? { generationId: -1, memberId: '' } : {};
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: offset }] }];
  const body = { transactionalId: id, groupId: 'g', producerId, producerEpoch, ...member, topics } as never;
  return (await client.send(txnOffsetCommit, version, body)).topics[0]?.partitions[0]?.errorCode;
}

async function committedOffset(requireStable = true) {
  const group = { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] };
  return (await client.send(offsetFetch, 8, { groups: [group], requireStable })).groups[0]?.topics[0]?.partitions[0];
}

async function stableOffset(timestamp = -1): Promise<number | undefined> {
  const asked = { name: 't', partitions: [{ partitionIndex: 0, timestamp }] };
  return (await client.send(listOffsets, 7, { isolationLevel: 1, topics: [asked] })).topics[0]?.partitions[0]?.offset;
}

describe('transactions of version 1', () => {
  beforeEach(() => open());

  it('show their records when they are committed, and hold readers back until then', async () => {
    const p = await initialise(client, 'a');
    await add('a', p);
    expect((await write('a', p, 'x', 0)).errorCode).toBe(0);
    expect([await stableOffset(), await stableOffset(-3)]).toEqual([0, -1]);
    expect((await read(client, 't', { isolation: 'read_committed' })).records).toHaveLength(0);
    expect(textsIn((await read(client, 't')).records)).toEqual(['0:x']);
    const waiting = read(client, 't', { isolation: 'read_committed', maxWaitMs: 3_600_000 });
    using other = await RawClient.connect(broker);
    expect((await other.send(endTxn, 4, { transactionalId: 'a', ...pick(p), committed: true })).errorCode).toBe(0);
    expect(textsIn((await waiting).records)).toEqual(['0:x', '1:control']);
    expect(await stableOffset()).toBe(2);
  });

  it('are answered before they have ended everywhere', async () => {
    const p = await initialise(client, 'a');
    let busy = 0;
    // Until it was so: a marker can come before the next request on a machine that is busy enough.
    for (let i = 0; i < 10 || busy === 0; i++) {
      let code = await add('a', p);
      while (code === 51) {
        busy++;
        code = await add('a', p);
      }
      await write('a', p, 'x', i);
      expect((await end('a', p, true)).errorCode).toBe(0);
    }
    expect(busy).toBeGreaterThan(0);
  });

  it('that were aborted are listed in the order of their markers', async () => {
    const [a, b] = [await initialise(client, 'a'), await initialise(client, 'b')];
    await add('a', a);
    await add('b', b);
    await write('a', a, 'a0', 0);
    await write('b', b, 'b0', 0);
    await end('b', b, false);
    await expect.poll(async () => (await read(client, 't')).highWatermark).toBe(3);
    await end('a', a, false);
    await expect.poll(stableOffset).toBe(4);
    const { abortedTransactions } = await read(client, 't', { isolation: 'read_committed' });
    expect(abortedTransactions).toEqual([
      { producerId: b.producerId, firstOffset: 1 },
      { producerId: a.producerId, firstOffset: 0 },
    ]);
    expect((await read(client, 't')).abortedTransactions).toBeUndefined();
  });

  it('do not begin in a partition that the coordinator does not know of', async () => {
    const p = await initialise(client, 'a');
    expect((await write('a', p, 'x', 0, 9)).errorCode).toBe(48);
    expect((await write('a', p, 'x', 0, 11)).errorCode).toBe(120);
    expect((await write('b', p, 'x', 0)).errorCode).toBe(49);
  });

  it('take offsets along', async () => {
    const p = await initialise(client, 'a');
    expect(await commitOffset('a', p, 5)).toBe(48);
    expect((await client.send(addOffsetsToTxn, 3, { transactionalId: 'a', ...pick(p), groupId: 'g' })).errorCode).toBe(0);
    expect(await commitOffset('a', p, 5)).toBe(0);
    expect(await committedOffset()).toMatchObject({ committedOffset: -1, errorCode: 88 });
    expect(await committedOffset(false)).toMatchObject({ committedOffset: -1, errorCode: 0 });
    await end('a', p, true);
    await expect.poll(() => committedOffset()).toMatchObject({ committedOffset: 5, errorCode: 0 });
  });

  it('are repeated, contradicted or ended without a beginning', async () => {
    const p = await initialise(client, 'a');
    expect((await end('a', p, true)).errorCode).toBe(48);
    await add('a', p);
    await end('a', p, true);
    expect((await end('a', p, false)).errorCode).toBe(48);
    await expect.poll(async () => (await end('a', p, true)).errorCode).toBe(0);
    expect((await end('a', p, false)).errorCode).toBe(48);
  });

  it('of a fenced producer are refused with the code of the version', async () => {
    const old = await initialise(client, 'a');
    await add('a', old);
    await write('a', old, 'x', 0);
    const successor = await initialise(client, 'a');
    expect(successor).toMatchObject({ producerId: old.producerId, producerEpoch: old.producerEpoch + 2 });
    expect(await Promise.all([1, 2, 3].map((version) => add('a', old, version)))).toEqual([47, 90, 90]);
    const ends = await Promise.all([1, 2, 4, 5].map((version) => end('a', old, true, version)));
    expect(ends.map(({ errorCode }) => errorCode)).toEqual([47, 90, 90, 90]);
    expect((await write('a', old, 'y', 1)).errorCode).toBe(47);
    expect(await commitOffset('a', old, 1)).toBe(47);
    const again = (version: number) =>
      client.send(initProducerId, version, { transactionalId: 'a', transactionTimeoutMs: 1000, ...pick(old) });
    expect([(await again(3)).errorCode, (await again(4)).errorCode]).toEqual([47, 90]);
    expect(
      (await client.send(initProducerId, 4, { transactionalId: 'a', transactionTimeoutMs: 1000, ...pick(successor) }))
        .producerEpoch,
    ).toBe(successor.producerEpoch + 1);
    const { records, abortedTransactions } = await read(client, 't', { isolation: 'read_committed' });
    expect([textsIn(records), abortedTransactions]).toEqual([
      ['0:x', '1:control'],
      [{ producerId: old.producerId, firstOffset: 0 }],
    ]);
  });

  it('are refused where something is wrong with the request', async () => {
    const init = (transactionalId: string, transactionTimeoutMs: number) =>
      client.send(initProducerId, 4, { transactionalId, transactionTimeoutMs });
    expect((await init('', 1000)).errorCode).toBe(42);
    expect((await init('a', 0)).errorCode).toBe(50);
    expect((await init('a', 900_001)).errorCode).toBe(50);
    const p = await initialise(client, 'a');
    expect(await add('a', p, 3, 'missing')).toBe(3);
    expect(await add('b', p)).toBe(49);
    expect(await add('a', { ...p, producerId: 99_999 })).toBe(49);
  });

  it('can be looked at', async () => {
    const p = await initialise(client, 'a');
    await addPatiently('a', p);
    const { transactionStates } = await client.send(describeTransactions, 0, { transactionalIds: ['a', 'b'] });
    expect(transactionStates[0]).toMatchObject({ transactionState: 'Ongoing', topics: [{ topic: 't', partitions: [0] }] });
    expect(transactionStates[1]).toMatchObject({ errorCode: 105 });
    const ongoing = await client.send(listTransactions, 1, { stateFilters: ['Ongoing', 'Nonsense'] });
    expect(ongoing.transactionStates.map(({ transactionalId }) => transactionalId)).toEqual(['a']);
    expect(ongoing.unknownStateFilters).toEqual(['Nonsense']);
  });
});

describe('transactions of version 2', () => {
  beforeEach(() => open());

  it('add their partitions themselves, and get a new epoch with every end', async () => {
    let p: Producer = await initialise(client, 'a');
    for (let i = 0; i < 3; i++) {
      await expect.poll(async () => (await write('a', p, `x${i}`, 0, 12)).errorCode).toBe(0);
      expect(await commitOffset('a', p, i, 5)).toBe(0);
      const next = await end('a', p, true, 5);
      expect(next).toMatchObject({ errorCode: 0, producerId: p.producerId, producerEpoch: p.producerEpoch + 1 });
      p = next;
    }
    await expect.poll(stableOffset).toBe(6);
    await expect.poll(() => committedOffset()).toMatchObject({ committedOffset: 2 });
  });

  it('are ended once, however often that is asked for', async () => {
    const p = await initialise(client, 'a');
    await write('a', p, 'x', 0, 12);
    const next = await end('a', p, true, 5);
    await expect.poll(() => end('a', p, true, 5)).toMatchObject({ errorCode: 0, producerEpoch: next.producerEpoch });
    expect((await end('a', p, false, 5)).errorCode).toBe(48);
    expect((await write('a', p, 'late', 1, 12)).errorCode).toBe(47);
    await write('a', next, 'y', 0, 12);
    expect((await end('a', p, true, 5)).errorCode).toBe(90);
    expect((await write('a', next, 'z', 5, 12)).errorCode).toBe(45);
  });

  it('without a beginning can be aborted, not committed', async () => {
    const p = await initialise(client, 'a');
    expect((await end('a', p, true, 5)).errorCode).toBe(48);
    expect(await end('a', p, false, 5)).toMatchObject({ errorCode: 0, producerEpoch: p.producerEpoch + 1 });
  });
});

/** A clock on which an hour can pass at once: what has to happen before it does so happens before, however slow the machine is. */
function clockThatSkips() {
  let skippedMs = 0;
  return {
    clock: { ...systemClock, nowMs: () => systemClock.nowMs() + skippedMs },
    skipAnHour: () => (skippedMs += 3_600_000),
  };
}

describe('a transaction that takes too long', () => {
  it('is aborted; its producer can go on if nobody else has come', async () => {
    const { clock, skipAnHour } = clockThatSkips();
    await open({ transactionAbortIntervalMs: 10, markerDelayMaxMs: 0, clock });
    const p = await client.send(initProducerId, 4, { transactionalId: 'a', transactionTimeoutMs: 600_000 });
    await add('a', p);
    await write('a', p, 'x', 0);
    expect(await stableOffset()).toBe(0);
    skipAnHour();
    await expect.poll(stableOffset).toBe(2);
    expect((await write('a', p, 'y', 1)).errorCode).toBe(47);
    expect(await add('a', p)).toBe(90);
    expect([(await end('a', p, true, 4)).errorCode, (await end('a', p, true, 5)).errorCode]).toEqual([90, 48]);
    const again = await client.send(initProducerId, 4, { transactionalId: 'a', transactionTimeoutMs: 600_000, ...pick(p) });
    expect(again).toMatchObject({ errorCode: 0, producerEpoch: p.producerEpoch + 1 });
  });
});

function pick({ producerId, producerEpoch }: Producer): Producer {
  return { producerId, producerEpoch };
}

describe('a transactional id that nobody uses', () => {
  it('is forgotten, with a record that says so, and its producer with it', async () => {
    const { clock, skipAnHour } = clockThatSkips();
    const transactionAbortIntervalMs = 3_600_000;
    await open({ transactionalIdExpirationMs: 600_000, transactionalIdCheckIntervalMs: 10, transactionAbortIntervalMs, clock });
    const p = await initialise(client, 'a');
    const busy = await initialise(client, 'busy');
    expect(await add('busy', busy)).toBe(0);
    skipAnHour();
    await expect.poll(() => broker.inspect().transactions.map(({ transactionalId }) => transactionalId)).toEqual(['busy']);
    expect(await add('a', p)).toBe(49);
    const records = broker.readLog('__transaction_state', 0).flatMap((batch) => batch.records);
    expect(records.at(-1)?.value).toBeUndefined();
    expect((await initialise(client, 'a')).producerId).not.toBe(p.producerId);
  });
});
