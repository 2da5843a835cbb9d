import { ErrorCode, offsetFetch, type OffsetFetchRequest } from '@millrace/wire';
import { errorCodeOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { GroupRegistry } from './group-registry.ts';

/** Versions from here on ask for several groups at once. */
const BATCHED_VERSION = 8;

type AskedTopics = OffsetFetchRequest['topics'];

/** OffsetFetch: what groups have committed; −1 where they have not. */
export function offsetFetchHandler(groups: GroupRegistry): Handler {
  return answering(
    offsetFetch,
    (request, { apiVersion }) => {
      const { requireStable } = request;
      const errorCode = errorCodeOf(() => void groups.log.log);
      if (apiVersion < BATCHED_VERSION) {
        return { topics: errorCode === 0 ? found(request.groupId, request.topics, requireStable) : [], errorCode };
      }
      return {
        groups: request.groups.map(({ groupId, topics }) => ({
          groupId,
          topics: errorCode === 0 ? found(groupId, topics, requireStable) : [],
          errorCode,
        })),
      };
    },
    { max: BATCHED_VERSION },
  );

  function found(groupId: string, asked: AskedTopics, requireStable: boolean) {
    return (asked ?? everythingOf(groupId)).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => offsetOf(groupId, name, partitionIndex, requireStable)),
    }));
  }

  function offsetOf(groupId: string, topic: string, partitionIndex: number, requireStable: boolean) {
    if (requireStable && groups.offsets.isPending(groupId, topic, partitionIndex)) {
      return { partitionIndex, committedOffset: -1, metadata: '', errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT };
    }
    const committed = groups.offsets.get(groupId, topic, partitionIndex);
    return {
      partitionIndex,
      committedOffset: committed?.offset ?? -1,
      committedLeaderEpoch: committed?.leaderEpoch ?? -1,
      metadata: committed?.metadata ?? '',
      errorCode: ErrorCode.NONE,
    };
  }

  /** All partitions with an offset; not those whose first one is still in a transaction, not even as unstable ones. */
  function everythingOf(groupId: string): NonNullable<AskedTopics> {
    const byTopic = new Map<string, number[]>();
    for (const { topic, partition } of groups.offsets.of(groupId)) {
      const partitions = byTopic.get(topic) ?? [];
      byTopic.set(topic, partitions);
      partitions.push(partition);
    }
    return [...byTopic].map(([name, partitionIndexes]) => ({ name, partitionIndexes }));
  }
}
