import { ErrorCode, offsetForLeaderEpoch } from '@millrace/wire';
import type { LedLogs } from '../placement/led-logs.ts';
import { refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import { checkLeaderEpoch } from './leader-epoch.ts';

/**
 * OffsetForLeaderEpoch: this log is never truncated, so every epoch up to the present one ended where the log ends.
 */
export function offsetForLeaderEpochHandler(logs: LedLogs): Handler {
  return answering(offsetForLeaderEpoch, (request, { nodeId }) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((asked) => ({ partition: asked.partition, ...endOf(topic, asked, nodeId) })),
    })),
  }));

  function endOf(topic: string, asked: { partition: number; currentLeaderEpoch: number; leaderEpoch: number }, nodeId: number) {
    try {
      const log = logs.logOrThrow(topic, asked.partition, nodeId);
      checkLeaderEpoch(log, asked.currentLeaderEpoch);
      if (asked.leaderEpoch < 0 || asked.leaderEpoch > log.leaderEpoch) return { errorCode: ErrorCode.NONE };
      return { errorCode: ErrorCode.NONE, leaderEpoch: asked.leaderEpoch, endOffset: log.highWatermark };
    } catch (error) {
      return { errorCode: refusalOf(error).errorCode };
    }
  }
}
