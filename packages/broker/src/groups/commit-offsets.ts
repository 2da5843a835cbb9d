import { ErrorCode, type OffsetCommitRequest } from '@millrace/wire';
import { type Refusal, refusalOf } from '../refusal.ts';
import type { TopicRegistry } from '../topics/topic-registry.ts';
import type { GroupRegistry } from './group-registry.ts';
import type { CommittingProducer, OffsetChange } from './offsets-log.ts';

/** Longest text that a commit may carry along, as in Kafka's default `offset.metadata.max.bytes`. */
const METADATA_LENGTH_MAX = 4096;

interface CommitRequest {
  readonly groupId: string;
  readonly topics: OffsetCommitRequest['topics'];
}

export interface CommitContext {
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly nowMs: number;
  /** @returns why nothing may be committed, if so; asked only when there is something to commit */
  readonly refusal: () => Refusal | undefined;
  /** The transaction that the commit belongs to. */
  readonly producer: CommittingProducer | undefined;
}

/** Commits what can be committed of a request, as one batch, and answers for each partition. */
export function commitEach({ groupId, topics: wanted }: CommitRequest, context: CommitContext) {
  const { topics, groups, nowMs, refusal, producer } = context;
  const isKnown = (topic: string, partition: number) => topics.log(topic, partition) !== undefined;
  const isAnyKnown = wanted.some(({ name, partitions }) => partitions.some((one) => isKnown(name, one.partitionIndex)));
  const refused = isAnyKnown ? refusal() : undefined;
  // Whoever is let in has made the group, also if nothing of what is committed can be written.
  if (isAnyKnown && refused === undefined) groups.getOrCreate(groupId);
  const changes: OffsetChange[] = [];
  const checked = wanted.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((one) => {
      const metadata = one.committedMetadata ?? '';
      const errorCode = codeFor(name, one.partitionIndex, metadata);
      if (errorCode === ErrorCode.NONE) {
        const value = { offset: one.committedOffset, leaderEpoch: one.committedLeaderEpoch, metadata, committedMs: nowMs };
        changes.push({ key: { groupId, topic: name, partition: one.partitionIndex }, value });
      }
      return { partitionIndex: one.partitionIndex, errorCode };
    }),
  }));
  const failure = write();
  if (failure === undefined) return { topics: checked };
  return {
    topics: checked.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, errorCode }) => ({ partitionIndex, errorCode: errorCode || failure })),
    })),
  };

  function codeFor(topic: string, partition: number, metadata: string): number {
    if (!isKnown(topic, partition)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (refused !== undefined) return refused.errorCode;
    return metadata.length > METADATA_LENGTH_MAX ? ErrorCode.OFFSET_METADATA_TOO_LARGE : ErrorCode.NONE;
  }

  function write(): number | undefined {
    if (changes.length === 0) return undefined;
    try {
      groups.log.write(changes, producer);
      return undefined;
    } catch (error) {
      return refusalOf(error).errorCode;
    }
  }
}
