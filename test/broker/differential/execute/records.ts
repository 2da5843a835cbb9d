import { ErrorCode, fetch, listOffsets, offsetForLeaderEpoch, produce } from '@millrace/wire';
import type { OperationOf } from '../operation.ts';
import type { Session } from '../session.ts';
import { batchFor, textOf } from './record-bytes.ts';

/** What a broker says while it has not come to terms with the transaction before. */
const transient: readonly number[] = [ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.NOT_ENOUGH_REPLICAS];

/** Later timestamps are those of appends; the records of scripts are older. */
const APPENDED_AFTER = 1_760_000_000_000;

export async function write(session: Session, operation: OperationOf<'produce'>): Promise<string> {
  const { version, topic, partition, acks } = operation;
  const producer = session.producer(operation.producer);
  const place = `${topic}-${partition}`;
  const batch = producer.choose(place, operation.sequence, operation.records);
  const records = batchFor(session, producer, operation, batch);
  const request = {
    transactionalId: operation.transactional ? producer.transactionalId : undefined,
    acks,
    timeoutMs: 30_000,
    topicData: [{ name: session.topic(topic), partitionData: [{ index: partition, records }] }],
  };
  const send = async () => (await session.connection.send(produce, version, request)).responses[0]?.partitionResponses[0];
  const answer = await session.until(send, (one) => !transient.includes(one?.errorCode ?? 0));
  if (answer === undefined) return 'nothing';
  const { errorCode, baseOffset, logStartOffset, logAppendTimeMs } = answer;
  if (errorCode === 0 && operation.epochDelta === 0) producer.accepted(place, batch);
  return `${errorCode} @${baseOffset} start=${logStartOffset} ${logAppendTimeMs === -1 ? '' : 'append-time'}`;
}

export async function read(session: Session, operation: OperationOf<'fetch'>): Promise<string> {
  const { version, topic, partition, offset, committed, bytesMax } = operation;
  const { responses } = await session.connection.send(fetch, version, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: bytesMax,
    isolationLevel: committed ? 1 : 0,
    topics: [{ topic: session.topic(topic), partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: bytesMax }] }],
  });
  const answer = responses[0]?.partitions[0];
  if (answer === undefined) return 'nothing';
  const { errorCode, highWatermark, lastStableOffset, logStartOffset, abortedTransactions, records } = answer;
  const aborted = abortedTransactions?.map(
    ({ producerId, firstOffset }) => `${session.producerSymbol(producerId)}@${firstOffset}`,
  );
  return `${errorCode} hw=${highWatermark} lso=${lastStableOffset} start=${logStartOffset} aborted=${aborted} ${textOf(session, records)}`;
}

export async function listOffset(session: Session, operation: OperationOf<'listOffset'>): Promise<string> {
  const { version, topic, partition, timestamp, committed } = operation;
  const { topics } = await session.connection.send(listOffsets, version, {
    ...(version >= 2 ? { isolationLevel: committed ? 1 : 0 } : {}),
    topics: [{ name: session.topic(topic), partitions: [{ partitionIndex: partition, timestamp }] }],
  });
  const answer = topics[0]?.partitions[0];
  const { errorCode, offset, leaderEpoch: epoch, timestamp: at = -1 } = answer ?? {};
  return `${errorCode} ${offset} at ${at > APPENDED_AFTER ? 'append' : at} epoch ${epoch}`;
}

export async function leaderEpoch(session: Session, operation: OperationOf<'leaderEpoch'>): Promise<string> {
  const { version, topic, partition, epoch, currentEpoch } = operation;
  const { topics } = await session.connection.send(offsetForLeaderEpoch, version, {
    topics: [{ topic: session.topic(topic), partitions: [{ partition, currentLeaderEpoch: currentEpoch, leaderEpoch: epoch }] }],
  });
  const answer = topics[0]?.partitions[0];
  return `${answer?.errorCode} ${answer?.leaderEpoch} ${answer?.endOffset}`;
}
