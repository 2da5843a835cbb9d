import { deleteRecords, ErrorCode } from '@millrace/wire';
import { deleteRecordsBelow } from '../log/delete-records.ts';
import { refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { TopicRegistry } from './topic-registry.ts';

/** DeleteRecords: moves the start of logs forward. */
export function deleteRecordsHandler(topics: TopicRegistry): Handler {
  return answering(deleteRecords, (request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, offset }) => ({ partitionIndex, ...purge(name, partitionIndex, offset) })),
    })),
  }));

  function purge(topic: string, partition: number, offset: number) {
    try {
      return { lowWatermark: deleteRecordsBelow(topics.logOrThrow(topic, partition), offset), errorCode: ErrorCode.NONE };
    } catch (error) {
      return { lowWatermark: -1, errorCode: refusalOf(error).errorCode };
    }
  }
}
