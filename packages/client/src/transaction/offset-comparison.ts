import { topicPartitionKey } from '@millrace/core';
import type { CommittedOffset, OffsetCommit } from '../port/kafka-client.ts';

/**
 * - `committed`: all of our offsets are there, and at least one was not there before
 * - `not-committed`: some are not
 * - `overtaken`: somebody committed beyond ours, so the partitions have another owner
 * - `inconclusive`: they are there, but they were before as well, or there are none
 */
export type OffsetVerdict = 'committed' | 'not-committed' | 'overtaken' | 'inconclusive';

/** The last offsets known to be committed, by partition. */
export type CommittedBefore = ReadonlyMap<string, OffsetCommit>;

/** Tells from the stable committed offsets of the group whether a transaction that carried `ours` was committed. */
export function compareOffsets(
  ours: readonly OffsetCommit[],
  found: readonly CommittedOffset[],
  before: CommittedBefore,
): OffsetVerdict {
  const byPartition = new Map(found.map((one) => [topicPartitionKey(one.topic, one.partition), one]));
  let tells = false;
  let missing = false;
  for (const one of ours) {
    const key = topicPartitionKey(one.topic, one.partition);
    const there = byPartition.get(key);
    if (there !== undefined && there.offset > one.offset) return 'overtaken';
    if (there === undefined || !isSame(there, one)) missing = true;
    const earlier = before.get(key);
    if (earlier !== undefined && !isSame(earlier, one)) tells = true;
  }
  if (missing) return 'not-committed';
  return tells ? 'committed' : 'inconclusive';
}

function isSame(a: OffsetCommit, b: OffsetCommit): boolean {
  return a.offset === b.offset && a.metadata === b.metadata;
}
