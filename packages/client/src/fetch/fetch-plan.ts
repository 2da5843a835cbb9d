import { groupByTopic } from '../cluster/topic-grouping.ts';
import type { AssignedPartition } from './assigned-partition.ts';
import type { FetchSettings } from './fetch-settings.ts';

/** A small share would make every fetch one batch long; the first batch is served whole whatever the limit. */
const PARTITION_BYTES_MIN = 16 * 1024;
const READ_COMMITTED = 1;
/** The last version that names topics. */
const NAMES_VERSION_MAX = 12;

/** What was asked of one broker, so that the answer can be told from one to an older question. */
export interface PlannedPartition {
  readonly partition: AssignedPartition;
  readonly epoch: number;
  readonly fetchOffset: number;
}

/**
 * Each partition may buffer its share of the fetcher's memory. So the bound holds for all together, and a partition that
 * nobody takes from fills its share and no more: it never keeps the others from being fetched.
 */
export function shareOf(settings: FetchSettings, assignedCount: number): number {
  return Math.floor(settings.maxBufferedBytes / Math.max(1, assignedCount));
}

/** True when the partition should be part of the next request. */
export function isWanted(partition: AssignedPartition, shareBytes: number, nowMs: number): boolean {
  return (
    !partition.paused &&
    !partition.failed &&
    !partition.inFlight &&
    partition.retryAtMs <= nowMs &&
    (partition.bufferedBytes === 0 || partition.bufferedBytes < shareBytes)
  );
}

/** Topics go by their ids when all are known: one request speaks of them in one way. `undefined`: in any version. */
export function fetchVersionMax(planned: readonly PlannedPartition[]): number | undefined {
  return planned.every(({ partition }) => partition.topicId !== undefined) ? undefined : NAMES_VERSION_MAX;
}

/** The body of a Fetch request without a session: each names all that it wants. */
export function fetchRequest(settings: FetchSettings, planned: readonly PlannedPartition[], shareBytes: number) {
  const topics = byTopicId(planned).map((same) => ({
    topic: same[0]?.partition.topic,
    topicId: same[0]?.partition.topicId,
    partitions: same.map(({ partition, fetchOffset }) => ({
      partition: partition.partition,
      fetchOffset,
      partitionMaxBytes: partitionBytes(settings, shareBytes - partition.bufferedBytes),
    })),
  }));
  return {
    maxWaitMs: settings.maxWaitMs,
    minBytes: settings.minBytes,
    maxBytes: settings.maxBytes,
    isolationLevel: settings.isolation === 'read_committed' ? READ_COMMITTED : 0,
    topics,
  };
}

/** In groups of one topic: two of the same name are two topics. */
function byTopicId(planned: readonly PlannedPartition[]): PlannedPartition[][] {
  const entries = planned.map((one) => ({ topic: one.partition.topicId ?? one.partition.topic, partition: 0, one }));
  return groupByTopic(entries, ({ one }) => one).map(({ partitions }) => partitions);
}

function partitionBytes(settings: FetchSettings, room: number): number {
  return Math.min(settings.partitionMaxBytes, Math.max(PARTITION_BYTES_MIN, room));
}
