import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  describeTransactions,
  endTxn,
  ErrorCode,
  initProducerId,
  txnOffsetCommit,
} from '@millrace/wire';
import type { OperationOf } from '../operation.ts';
import type { ScriptProducer } from '../script-producer.ts';
import type { Session } from '../session.ts';
import { membership } from './membership.ts';

/** What producers without transactional id give; nobody has it. */
const NOBODY = 'nobody';

export async function initProducer(session: Session, operation: OperationOf<'initProducer'>): Promise<string> {
  const { version, resumes, timeoutMs } = operation;
  const producer = session.producer(operation.producer);
  const { transactionalId, producerId, epoch } = producer;
  const own = version >= 3 && resumes ? { producerId, producerEpoch: epoch } : {};
  const request = { transactionalId, transactionTimeoutMs: timeoutMs, ...own };
  const answer = await session.until(() => session.connection.send(initProducerId, version, request), isSettled);
  if (answer.errorCode === 0) producer.become(answer.producerId, answer.producerEpoch);
  await settle(session, producer);
  return `${answer.errorCode} ${session.producerSymbol(answer.producerId)} epoch ${answer.producerEpoch}`;
}

export async function addPartition(session: Session, operation: OperationOf<'addPartition'>): Promise<string> {
  const { version, topic, partition } = operation;
  const topics = [{ name: session.topic(topic), partitions: [partition] }];
  const request = { ...identity(session.producer(operation.producer)), topics };
  const send = async () => {
    const { resultsByTopic } = await session.connection.send(addPartitionsToTxn, version, request);
    return { errorCode: resultsByTopic[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1 };
  };
  return `${(await session.until(send, isSettled)).errorCode}`;
}

export async function addOffsets(session: Session, operation: OperationOf<'addOffsets'>): Promise<string> {
  const { version, group } = operation;
  const request = { ...identity(session.producer(operation.producer)), groupId: session.group(group) };
  const answer = await session.until(() => session.connection.send(addOffsetsToTxn, version, request), isSettled);
  return `${answer.errorCode}`;
}

export async function commitInTransaction(session: Session, operation: OperationOf<'commitInTransaction'>): Promise<string> {
  const { version, group, topic, partition, offset, member, generationDelta } = operation;
  const request = {
    ...identity(session.producer(operation.producer)),
    groupId: session.group(group),
    // Older versions cannot say it.
    generationId: -1,
    memberId: '',
    ...(version >= 3 ? membership(session, member, generationDelta) : {}),
    topics: [{ name: session.topic(topic), partitions: [{ partitionIndex: partition, committedOffset: offset }] }],
  };
  const send = async () => {
    const { topics } = await session.connection.send(txnOffsetCommit, version, request);
    return { errorCode: topics[0]?.partitions[0]?.errorCode ?? -1 };
  };
  return `${(await session.until(send, isSettled)).errorCode}`;
}

export async function endTransaction(session: Session, operation: OperationOf<'endTransaction'>): Promise<string> {
  const { version, commits, epochDelta } = operation;
  const producer = session.producer(operation.producer);
  const { producerEpoch, ...rest } = identity(producer);
  const request = { ...rest, producerEpoch: producerEpoch + epochDelta, committed: commits };
  const answer = await session.until(() => session.connection.send(endTxn, version, request), isSettled);
  await settle(session, producer);
  if (version < 5) return `${answer.errorCode}`;
  if (answer.errorCode === 0) producer.become(answer.producerId, answer.producerEpoch);
  return `${answer.errorCode} ${session.producerSymbol(answer.producerId)} epoch ${answer.producerEpoch}`;
}

export async function describeTransaction(session: Session, operation: OperationOf<'describeTransaction'>): Promise<string> {
  const { transactionalId = NOBODY } = session.producer(operation.producer);
  const answer = await stateOf(session, transactionalId);
  if (answer === undefined || answer.errorCode !== 0) return `${answer?.errorCode}`;
  const topics = answer.topics.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => `${topic.replace(session.prefix, '')}-${partition}`),
  );
  const { transactionState, producerId, producerEpoch, transactionTimeoutMs } = answer;
  const who = `${session.producerSymbol(producerId)} epoch ${producerEpoch}`;
  return `${transactionState} ${who} timeout ${transactionTimeoutMs} ${topics.sort().join()}`;
}

/** Waits until the markers are written: how long that takes is a broker's own affair. */
async function settle(session: Session, { transactionalId }: ScriptProducer): Promise<void> {
  if (transactionalId === undefined) return;
  await session.until(
    () => stateOf(session, transactionalId),
    (answer) => !(answer?.transactionState ?? '').startsWith('Prepare'),
  );
}

async function stateOf(session: Session, transactionalId: string) {
  const request = { transactionalIds: [transactionalId] };
  return (await session.connection.send(describeTransactions, 0, request)).transactionStates[0];
}

function identity({ transactionalId = NOBODY, producerId, epoch }: ScriptProducer) {
  return { transactionalId, producerId, producerEpoch: epoch };
}

function isSettled({ errorCode }: { readonly errorCode: number }): boolean {
  return errorCode !== ErrorCode.CONCURRENT_TRANSACTIONS;
}
