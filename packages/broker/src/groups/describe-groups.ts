import { describeGroups, ErrorCode, listGroups } from '@millrace/wire';
import type { Placement } from '../placement/placement.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { ClassicGroup } from './classic-group.ts';
import { metadataFor } from './group-member.ts';
import type { GroupRegistry } from './group-registry.ts';

const NOTHING = Buffer.alloc(0);

/** DescribeGroups: a group that is not there is Dead. */
export function describeGroupsHandler(groups: GroupRegistry): Handler {
  return answering(describeGroups, (request) => ({
    groups: request.groups.map((groupId) => {
      const group = groups.get(groupId);
      if (group !== undefined) return described(group);
      return { errorCode: ErrorCode.NONE, groupId, groupState: 'Dead', protocolType: '', protocolData: '', members: [] };
    }),
  }));
}

/** ListGroups: all that this node coordinates, or those of them in the states asked for. */
export function listGroupsHandler(groups: GroupRegistry, placement: Placement): Handler {
  return answering(
    listGroups,
    ({ statesFilter }, { nodeId }) => {
      const states = new Set(statesFilter.map((state) => state.toLowerCase()));
      const wanted = [...groups.all]
        .filter(({ id }) => placement.coordinatorOf('group', id) === nodeId)
        .filter(({ state }) => states.size === 0 || states.has(state.toLowerCase()));
      return {
        errorCode: ErrorCode.NONE,
        groups: wanted.map(({ id, protocolType = '', state }) => ({ groupId: id, protocolType, groupState: state })),
      };
    },
    { max: 4 },
  );
}

function described(group: ClassicGroup) {
  const isStable = group.state === 'Stable';
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.id,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? metadataFor(member, group.protocolName) : NOTHING,
      memberAssignment: member.assignment,
    })),
  };
}
