import { CorruptDataError, topicPartitionKey, type TopicPartition } from '@millrace/core';
import { ProtocolReader, ProtocolWriter } from '@millrace/wire';
import { type Transaction, type TransactionState, transactionStates } from './transaction.ts';

/**
 * The records of `__transaction_state`, in the form that Kafka gives them.
 *
 * Source: Kafka `TransactionLogKey` 0, `TransactionLogValue` 0.
 */
const VERSION = 0;

const stateNames = new Map<number, TransactionState>(
  Object.entries(transactionStates).map(([name, number]) => [number, name as TransactionState]),
);

export function encodeTransactionKey(transactionalId: string): Buffer {
  const writer = new ProtocolWriter(64);
  writer.int16(VERSION);
  writer.string(transactionalId, false);
  return writer.take();
}

export function encodeTransactionValue(transaction: Transaction): Buffer {
  const writer = new ProtocolWriter(128);
  writer.int16(VERSION);
  writer.int64(transaction.producerId);
  writer.int16(transaction.producerEpoch);
  writer.int32(transaction.timeoutMs);
  writer.int8(transactionStates[transaction.state]);
  const byTopic = partitionsByTopic(transaction);
  writer.arrayLength(byTopic.size, false);
  for (const [topic, partitions] of byTopic) {
    writer.string(topic, false);
    writer.arrayLength(partitions.length, false);
    for (const partition of partitions) writer.int32(partition);
  }
  writer.int64(transaction.updatedMs);
  writer.int64(transaction.startedMs);
  return writer.take();
}

export function decodeTransactionKey(key: Buffer): string {
  const reader = new ProtocolReader(key);
  reader.int16();
  return reader.utf8(reader.stringLength(false));
}

export function decodeTransactionValue(transactionalId: string, value: Buffer): Transaction {
  const reader = new ProtocolReader(value);
  reader.int16();
  return {
    transactionalId,
    producerId: reader.int64(),
    producerEpoch: reader.int16(),
    lastProducerEpoch: -1,
    timeoutMs: reader.int32(),
    state: readState(reader),
    partitions: readPartitions(reader),
    updatedMs: reader.int64(),
    startedMs: reader.int64(),
    nextProducerId: undefined,
    previousProducerId: undefined,
  };
}

/** The partitions of a transaction as the protocol groups them. */
export function partitionsByTopic({ partitions }: Transaction): Map<string, number[]> {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions.values()) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  return byTopic;
}

function readState(reader: ProtocolReader): TransactionState {
  const number = reader.int8();
  const state = stateNames.get(number);
  if (state === undefined) throw new CorruptDataError('CORRUPT_TRANSACTION_STATE', `${number} is no state of a transaction`);
  return state;
}

function readPartitions(reader: ProtocolReader): Map<string, TopicPartition> {
  const partitions = new Map<string, TopicPartition>();
  for (let topics = reader.arrayLength(false); topics > 0; topics--) {
    const topic = reader.utf8(reader.stringLength(false));
    for (let count = reader.arrayLength(false, 4); count > 0; count--) {
      const partition = reader.int32();
      partitions.set(topicPartitionKey(topic, partition), { topic, partition });
    }
  }
  return partitions;
}
