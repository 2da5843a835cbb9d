import { addPartitionsToTxn, endTxn, offsetCommit } from '@millrace/wire';
import { expect, it } from 'vitest';
import { RawClient } from '../raw-client/raw-client.ts';
import { append, awaitCoordinators, batchOf, createTopic, initialise } from '../raw-client/requests.ts';
import { startBroker } from '../start-broker.ts';

it('a broker shows what lies in it: logs with markers and aborted records, groups, transactions', async () => {
  await using broker = await startBroker({ listen: false, markerDelayMaxMs: 0, clusterId: 'c' });
  const client = new RawClient(broker.connect().socket);
  await awaitCoordinators(client);
  await createTopic(client, 't', 2, { 'retention.ms': '-1' });
  // So old that what follows begins a segment of its own.
  await append(client, 't', batchOf(['k=v', 'k='], {}, 7));
  const { producerId, producerEpoch } = await initialise(client, 'x');
  const transaction = { transactionalId: 'x', producerId, producerEpoch };
  await client.send(addPartitionsToTxn, 3, { ...transaction, topics: [{ name: 't', partitions: [0] }] });
  const batch = batchOf(['aborted'], { producerId, producerEpoch, baseSequence: 0, transactional: true });
  await append(client, 't', batch, { transactionalId: 'x' });

  const open = broker.inspect();
  const topic = open.topics.find(({ name }) => name === 't');
  expect(topic).toMatchObject({ isInternal: false, configs: { 'retention.ms': '-1' } });
  expect(topic?.partitions).toMatchObject([
    { leaderNodeId: 1, logStartOffset: 0, lastStableOffset: 2, highWatermark: 3, segments: 2 },
    { highWatermark: 0, sizeInBytes: 0 },
  ]);
  expect(open.transactions).toMatchObject([{ ...transaction, state: 'Ongoing', partitions: [{ topic: 't', partition: 0 }] }]);

  await client.send(endTxn, 3, { ...transaction, committed: false });
  const offsets = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 2, committedMetadata: 'm' }] }];
  await client.send(offsetCommit, 8, { groupId: 'g', topics: offsets });
  const { groups, transactions } = broker.inspect();
  expect(transactions).toMatchObject([{ state: 'CompleteAbort', partitions: [] }]);
  expect(groups).toMatchObject([
    { groupId: 'g', state: 'Empty', members: [], offsets: [{ topic: 't', partition: 0, offset: 2, metadata: 'm' }] },
  ]);
  expect(open.transactions[0]?.state).toBe('Ongoing');
  const [plain, aborted, marker] = broker.readLog('t', 0);
  expect(plain?.records).toEqual([
    { offset: 0, timestamp: 7, key: Buffer.from('k'), value: Buffer.from('v') },
    { offset: 1, timestamp: 7, key: Buffer.from('k'), value: undefined },
  ]);
  expect(aborted).toMatchObject({ baseOffset: 2, producerId, isTransactional: true, isAborted: true, marker: undefined });
  expect(marker).toMatchObject({ baseOffset: 3, marker: 'abort', isAborted: false, records: [] });
  expect(() => broker.readLog('t', 2)).toThrow('no partition 2 of "t"');
});
