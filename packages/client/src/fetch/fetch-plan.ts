import { groupByTopic } from '../cluster/topic-grouping.ts';
import type { AssignedPartition } from './assigned-partition.ts';
import type { FetchSettings } from './fetch-settings.ts';

/** A small share would make every fetch one batch long; the first batch is served whole whatever the limit. */
const PARTITION_BYTES_MIN = 16 * 1024;
const READ_COMMITTED = 1;

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

/** The body of a Fetch request without a session: each names all that it wants. */
export function fetchRequest(settings: FetchSettings, planned: readonly PlannedPartition[], shareBytes: number) {
  const entries = planned.map((one) => ({
    ...one,
    topic: one.partition.topic,
    partition: one.partition.partition,
    assigned: one.partition,
  }));
  const topics = groupByTopic(entries, ({ partition, fetchOffset, assigned }) => ({
    partition,
    fetchOffset,
    partitionMaxBytes: partitionBytes(settings, shareBytes - assigned.bufferedBytes),
  }));
  return {
    maxWaitMs: settings.maxWaitMs,
    minBytes: settings.minBytes,
    maxBytes: settings.maxBytes,
    isolationLevel: settings.isolation === 'read_committed' ? READ_COMMITTED : 0,
    topics,
  };
}

function partitionBytes(settings: FetchSettings, room: number): number {
  return Math.min(settings.partitionMaxBytes, Math.max(PARTITION_BYTES_MIN, room));
}
