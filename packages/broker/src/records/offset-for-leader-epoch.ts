import { ErrorCode, offsetForLeaderEpoch } from '@millrace/wire';
import { refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { TopicRegistry } from '../topics/topic-registry.ts';
import { checkLeaderEpoch } from './leader-epoch.ts';

/**
 * OffsetForLeaderEpoch: this log is never truncated, so every epoch up to the present one ended where the log ends.
 */
export function offsetForLeaderEpochHandler(topics: TopicRegistry): Handler {
  return answering(offsetForLeaderEpoch, (request) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((asked) => ({ partition: asked.partition, ...endOf(topic, asked) })),
    })),
  }));

  function endOf(topic: string, asked: { partition: number; currentLeaderEpoch: number; leaderEpoch: number }) {
    try {
      const log = topics.logOrThrow(topic, asked.partition);
      checkLeaderEpoch(log, asked.currentLeaderEpoch);
      if (asked.leaderEpoch < 0 || asked.leaderEpoch > log.leaderEpoch) return { errorCode: ErrorCode.NONE };
      return { errorCode: ErrorCode.NONE, leaderEpoch: asked.leaderEpoch, endOffset: log.highWatermark };
    } catch (error) {
      return { errorCode: refusalOf(error).errorCode };
    }
  }
}
