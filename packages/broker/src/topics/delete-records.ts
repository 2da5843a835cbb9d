import { deleteRecords, ErrorCode } from '@millrace/wire';
import { deleteRecordsBelow } from '../log/delete-records.ts';
import type { LedLogs } from '../placement/led-logs.ts';
import { refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';

/** DeleteRecords: moves the start of logs forward. */
export function deleteRecordsHandler(logs: LedLogs): Handler {
  return answering(deleteRecords, (request, { nodeId }) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, offset }) => ({
        partitionIndex,
        ...purge(name, partitionIndex, offset, nodeId),
      })),
    })),
  }));

  function purge(topic: string, partition: number, offset: number, nodeId: number) {
    try {
      return { lowWatermark: deleteRecordsBelow(logs.logOrThrow(topic, partition, nodeId), offset), errorCode: ErrorCode.NONE };
    } catch (error) {
      return { lowWatermark: -1, errorCode: refusalOf(error).errorCode };
    }
  }
}
