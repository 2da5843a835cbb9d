import { FatalStreamsError, type StreamsError } from '@millrace/core';
import { ErrorCode } from '@millrace/wire';
import type { FetchFailure } from '../port/kafka-client.ts';
import type { AssignedPartition } from './assigned-partition.ts';

/** Reasons for which a partition falls silent; undefined for error codes that pass by themselves. */
export function failureReason(errorCode: number): FetchFailure['reason'] | undefined {
  switch (errorCode) {
    case ErrorCode.OFFSET_OUT_OF_RANGE:
      return 'offset-out-of-range';
    case ErrorCode.TOPIC_AUTHORIZATION_FAILED:
    case ErrorCode.CLUSTER_AUTHORIZATION_FAILED:
      return 'unauthorized';
    default:
      return undefined;
  }
}

/** What is read belongs to a topic that is no more: its name has another one. */
export function topicRecreated({ topic, partition, topicId }: AssignedPartition, found: string): FatalStreamsError {
  return new FatalStreamsError(
    'TOPIC_RECREATED',
    `the topic was deleted and made again: its id was ${topicId}, now it is ${found}; offsets of the one mean nothing in the other`,
    { topic, partition },
  );
}

export function fetchFailure(partition: AssignedPartition, reason: FetchFailure['reason'], error: StreamsError): FetchFailure {
  return { topic: partition.topic, partition: partition.partition, position: partition.fetchPosition, reason, error };
}
