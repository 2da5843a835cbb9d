import { groupByTopic } from '../cluster/topic-grouping.ts';
import type { OffsetCommit } from '../port/kafka-client.ts';

interface TopicOffsets {
  readonly name: string;
  readonly partitions: {
    readonly partitionIndex: number;
    readonly committedOffset: number;
    readonly committedMetadata: string;
  }[];
}

/** Offsets in the shape in which OffsetCommit and TxnOffsetCommit list them. */
export function offsetsByTopic(offsets: readonly OffsetCommit[]): TopicOffsets[] {
  return groupByTopic(offsets, ({ partition, offset, metadata }) => ({
    partitionIndex: partition,
    committedOffset: offset,
    committedMetadata: metadata,
  })).map(({ topic: name, partitions }) => ({ name, partitions }));
}
