import { addPartitionsToTxn, type AddPartitionsToTxnRequest, ErrorCode } from '@millrace/wire';
import { Refusal, refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { TopicRegistry } from '../topics/topic-registry.ts';
import { fencedCode } from './fenced-code.ts';
import type { TransactionCoordinator } from './transaction-coordinator.ts';

/** Versions from here on know PRODUCER_FENCED. */
const FENCED_VERSION = 2;

/** AddPartitionsToTxn: all or nothing. */
export function addPartitionsToTxnHandler(coordinator: TransactionCoordinator, topics: TopicRegistry): Handler {
  return answering(addPartitionsToTxn, (request, { apiVersion }) => {
    const asked = request.topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ topic: name, partition })));
    const isUnknown = (topic: string, partition: number) => topics.log(topic, partition) === undefined;
    if (asked.some(({ topic, partition }) => isUnknown(topic, partition))) {
      return results(request, (topic, partition) =>
        isUnknown(topic, partition) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.OPERATION_NOT_ATTEMPTED,
      );
    }
    try {
      if (request.transactionalId === '') throw new Refusal(ErrorCode.INVALID_REQUEST);
      coordinator.addPartitions(request, asked);
      return results(request, () => ErrorCode.NONE);
    } catch (error) {
      const errorCode = fencedCode(refusalOf(error), apiVersion, FENCED_VERSION);
      return results(request, () => errorCode);
    }
  });
}

function results({ topics }: AddPartitionsToTxnRequest, codeOf: (topic: string, partition: number) => number) {
  return {
    resultsByTopic: topics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({
        partitionIndex,
        partitionErrorCode: codeOf(name, partitionIndex),
      })),
    })),
  };
}
