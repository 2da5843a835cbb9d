import { deleteGroups, describeGroups, listGroups, type DescribeGroupsResponse } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../errors/broker-error.ts';
import { PROTOCOL_TYPE, readAssignment } from '../group/member-protocol.ts';
import type { Admin, DescribedMember } from '../port/kafka-client.ts';
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

  #check(errorCode: number, api: string, groupId: string): void {
    if (errorCode === 0) return;
    this.#cluster.noteCoordinatorError(errorCode, 'group', groupId);
    throw brokerError(errorCode, { api, subject: `group ${groupId}` });
  }
}

type Member = DescribeGroupsResponse['groups'][number]['members'][number];

/** Between two assignments, and in groups of another type than consumers, there are no bytes that name partitions. */
function describedMember({ memberId, clientId, clientHost, memberAssignment }: Member, isConsumer: boolean): DescribedMember {
  const partitions = isConsumer && memberAssignment.length > 0 ? readAssignment(memberAssignment).partitions : [];
  return { memberId, clientId, host: clientHost, partitions };
}
