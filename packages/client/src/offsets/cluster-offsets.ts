import { topicPartitionKey, type TopicPartition } from '@millrace/core';
import { listOffsets, offsetCommit, offsetFetch } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { askLeaders } from '../cluster/leader-requests.ts';
import { groupByTopic } from '../cluster/topic-grouping.ts';
import { brokerError } from '../errors/broker-error.ts';
import type { CommittedOffset, GroupMetadata, OffsetCommit, OffsetPosition, Offsets } from '../port/kafka-client.ts';
import { retrying } from '../retry/retrying.ts';
import { offsetsByTopic } from './offsets-by-topic.ts';

/** Timestamps that stand for an end of the partition, in ListOffsets. */
const EARLIEST = -2;
const LATEST = -1;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

/** Offsets of groups and partitions. */
export class ClusterOffsets implements Offsets {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async committed(groupId: string, partitions: readonly TopicPartition[], signal?: AbortSignal): Promise<CommittedOffset[]> {
    if (partitions.length === 0) return [];
    const found: CommittedOffset[] = [];
    let open = partitions;
    // A partition is unstable for a moment while a transaction that touches it ends: only those are asked again.
    await retrying(this.#cluster.retryOptions(signal), async () => {
      const round = await this.#fetchCommitted(groupId, open, signal);
      found.push(...round.found);
      open = round.unstable;
      if (open.length > 0) throw brokerError(88, { api: 'OffsetFetch', subject: `group ${groupId}`, ...open[0] });
    });
    return found;
  }

  async #fetchCommitted(
    groupId: string,
    partitions: readonly TopicPartition[],
    signal: AbortSignal | undefined,
  ): Promise<{ found: CommittedOffset[]; unstable: TopicPartition[] }> {
    const cluster = this.#cluster;
    const topics = groupByTopic(partitions, ({ partition }) => partition);
    const response = await cluster.sendToCoordinator(
      offsetFetch,
      { kind: 'group', key: groupId, lane: 'admin', signal },
      {
        groups: [{ groupId, topics: topics.map((group) => ({ name: group.topic, partitionIndexes: group.partitions })) }],
        requireStable: true,
      },
    );
    const found: CommittedOffset[] = [];
    const unstable: TopicPartition[] = [];
    for (const group of response.groups) {
      this.#check(group.errorCode, 'OffsetFetch', groupId);
      for (const { name: topic, partitions: answers } of group.topics) {
        for (const { partitionIndex: partition, errorCode, committedOffset: offset, metadata } of answers) {
          if (errorCode === 88) unstable.push({ topic, partition });
          else {
            this.#check(errorCode, 'OffsetFetch', groupId, topic, partition);
            found.push({ topic, partition, offset, metadata: metadata ?? '' });
          }
        }
      }
    }
    return { found, unstable };
  }

  async commit(group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    if (offsets.length === 0) return;
    const { groupId, generationId, memberId, groupInstanceId } = group;
    const body = {
      groupId,
      memberId,
      groupInstanceId,
      generationIdOrMemberEpoch: generationId,
      topics: offsetsByTopic(offsets),
    };
    await retrying(this.#cluster.retryOptions(), async () => {
      const response = await this.#cluster.sendToCoordinator(offsetCommit, { kind: 'group', key: groupId, lane: 'data' }, body);
      for (const { name, partitions } of response.topics) {
        for (const { partitionIndex, errorCode } of partitions)
          this.#check(errorCode, 'OffsetCommit', groupId, name, partitionIndex);
      }
    });
  }

  async list(partitions: readonly TopicPartition[], which: OffsetPosition, signal?: AbortSignal): Promise<Map<string, number>> {
    const timestamp = timestampOf(which);
    const isolationLevel = which === 'latest-stable' ? READ_COMMITTED : READ_UNCOMMITTED;
    const ask = async (nodeId: number, own: readonly TopicPartition[]) => {
      const topics = groupByTopic(own, ({ partition }) => ({ partitionIndex: partition, timestamp }));
      const body = { isolationLevel, topics: topics.map((group) => ({ name: group.topic, partitions: group.partitions })) };
      const response = await this.#cluster.requests.send(listOffsets, nodeId, body, { lane: 'admin' });
      return response.topics.flatMap(({ name, partitions: answers }) =>
        answers.map(({ partitionIndex, errorCode, offset }) => ({ topic: name, partition: partitionIndex, errorCode, offset })),
      );
    };
    const answers = await askLeaders(this.#cluster, 'ListOffsets', partitions, ask, signal);
    return new Map(answers.map(({ topic, partition, offset }) => [topicPartitionKey(topic, partition), offset]));
  }

  #check(errorCode: number, api: string, groupId: string, topic?: string, partition?: number): void {
    if (errorCode === 0) return;
    this.#cluster.noteCoordinatorError(errorCode, 'group', groupId);
    throw brokerError(errorCode, { api, subject: `group ${groupId}`, topic, partition });
  }
}

function timestampOf(which: OffsetPosition): number {
  if (typeof which === 'object') return which.atMs;
  return which === 'earliest' ? EARLIEST : LATEST;
}
