import { FatalStreamsError, type TopicPartition } from '@millrace/core';
import {
  deleteGroups,
  describeGroups,
  ErrorCode,
  leaveGroup,
  listGroups,
  offsetDelete,
  streamsGroupDescribe,
  type DescribeGroupsResponse,
  type StreamsGroupDescribeResponse,
} from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { groupByTopic } from '../cluster/topic-grouping.ts';
import { brokerError } from '../errors/broker-error.ts';
import { PROTOCOL_TYPE, readAssignment } from '../group/member-protocol.ts';
import type { Admin, DescribedMember } from '../port/admin.ts';
import { retrying } from '../retry/retrying.ts';
import { askAllBrokers } from './all-brokers.ts';

/** Administration of consumer groups; each is known to its own coordinator only. */
export class GroupAdmin {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async list(): Promise<string[]> {
    return retrying(this.#cluster.retryOptions(), async () => {
      const responses = await askAllBrokers(this.#cluster, listGroups, {});
      for (const { errorCode } of responses) if (errorCode !== 0) throw brokerError(errorCode, { api: 'ListGroups' });
      return responses.flatMap(({ groups }) => groups.map(({ groupId }) => groupId));
    });
  }

  async describe(groupId: string): ReturnType<Admin['describeGroup']> {
    return retrying(this.#cluster.retryOptions(), async () => {
      const to = { kind: 'group', key: groupId, lane: 'admin' } as const;
      const { groups } = await this.#cluster.sendToCoordinator(describeGroups, to, { groups: [groupId] });
      const group = groups[0];
      this.#check(group?.errorCode ?? 0, 'DescribeGroups', groupId);
      const { groupState = 'Dead', protocolType, members = [] } = group ?? {};
      // To this request a group that the broker assigns for does not exist.
      if (groupState === 'Dead') return this.#describeStreamsGroup(groupId);
      return { state: groupState, members: members.map((member) => describedMember(member, protocolType === PROTOCOL_TYPE)) };
    });
  }

  async delete(groupIds: readonly string[]): Promise<void> {
    for (const groupId of groupIds) {
      await retrying(this.#cluster.retryOptions(), async () => {
        const to = { kind: 'group', key: groupId, lane: 'admin' } as const;
        const { results } = await this.#cluster.sendToCoordinator(deleteGroups, to, { groupsNames: [groupId] });
        for (const { errorCode } of results) this.#check(errorCode, 'DeleteGroups', groupId);
      });
    }
  }

  async #describeStreamsGroup(groupId: string): ReturnType<Admin['describeGroup']> {
    const to = { kind: 'group', key: groupId, lane: 'admin' } as const;
    const none = { state: 'Dead', members: [] };
    try {
      const { groups } = await this.#cluster.sendToCoordinator(streamsGroupDescribe, to, { groupIds: [groupId] });
      const group = groups[0];
      if (group === undefined || group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND) return none;
      this.#check(group.errorCode, 'StreamsGroupDescribe', groupId);
      return { state: group.groupState, members: group.members.map(describedStreamsMember) };
    } catch (error) {
      if (error instanceof FatalStreamsError && error.code === 'UNSUPPORTED_VERSION') return none;
      throw error;
    }
  }

  async removeMembers(groupId: string, memberIds: readonly string[]): Promise<void> {
    if (memberIds.length === 0) return;
    const members = memberIds.map((memberId) => ({ memberId, reason: 'removed by an administrator' }));
    await retrying(this.#cluster.retryOptions(), async () => {
      const to = { kind: 'group', key: groupId, lane: 'admin' } as const;
      const response = await this.#cluster.sendToCoordinator(leaveGroup, to, { groupId, members });
      for (const { errorCode } of [response, ...response.members]) {
        if (errorCode !== ErrorCode.UNKNOWN_MEMBER_ID) this.#check(errorCode, 'LeaveGroup', groupId);
      }
    });
  }

  async deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const topics = groupByTopic(partitions, ({ partition }) => ({ partitionIndex: partition }));
    const body = { groupId, topics: topics.map(({ topic: name, partitions: own }) => ({ name, partitions: own })) };
    const gone: readonly number[] = [ErrorCode.GROUP_ID_NOT_FOUND, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION];
    await retrying(this.#cluster.retryOptions(), async () => {
      const to = { kind: 'group', key: groupId, lane: 'admin' } as const;
      const response = await this.#cluster.sendToCoordinator(offsetDelete, to, body);
      for (const { errorCode } of [response, ...response.topics.flatMap((topic) => topic.partitions)]) {
        if (!gone.includes(errorCode)) this.#check(errorCode, 'OffsetDelete', groupId);
      }
    });
  }

  #check(errorCode: number, api: string, groupId: string): void {
    if (errorCode === 0) return;
    this.#cluster.noteCoordinatorError(errorCode, 'group', groupId);
    throw brokerError(errorCode, { api, subject: `group ${groupId}` });
  }
}

type Member = DescribeGroupsResponse['groups'][number]['members'][number];
type StreamsMember = StreamsGroupDescribeResponse['groups'][number]['members'][number];

/** Between two assignments, and in groups of another type than consumers, there are no bytes that name partitions. */
function describedMember({ memberId, clientId, clientHost, memberAssignment }: Member, isConsumer: boolean): DescribedMember {
  const partitions = isConsumer && memberAssignment.length > 0 ? readAssignment(memberAssignment).partitions : [];
  return { memberId, clientId, host: clientHost, partitions, processId: undefined };
}

function describedStreamsMember({ memberId, clientId, clientHost, processId }: StreamsMember): DescribedMember {
  return { memberId, clientId, host: clientHost, partitions: [], processId };
}
