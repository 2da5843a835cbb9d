import { ErrorCode, type joinGroup, type ResponseInput, type syncGroup } from '@millrace/wire';
import type { ClassicGroup } from './classic-group.ts';
import { type GroupMember, metadataFor } from './group-member.ts';

const NOTHING = Buffer.alloc(0);

/** Tells a member the generation that it is in; the leader also learns who the others are. */
export function joinedResponse(group: ClassicGroup, member: GroupMember): ResponseInput<typeof joinGroup> {
  return {
    errorCode: ErrorCode.NONE,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId ?? '',
    memberId: member.id,
    members: member.id === group.leaderId ? membersOf(group) : [],
  };
}

/** All members as the leader has to know them. */
export function membersOf(group: ClassicGroup): ResponseInput<typeof joinGroup>['members'] {
  return [...group.members.values()].map((member) => ({
    memberId: member.id,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataFor(member, group.protocolName),
  }));
}

export function joinRefused(memberId: string, errorCode: number): ResponseInput<typeof joinGroup> {
  return { errorCode, protocolName: undefined, leader: '', memberId, members: [] };
}

export function syncedResponse(group: ClassicGroup, member: GroupMember): ResponseInput<typeof syncGroup> {
  const { protocolType, protocolName } = group;
  return { errorCode: ErrorCode.NONE, protocolType, protocolName, assignment: member.assignment };
}

export function syncRefused(errorCode: number): ResponseInput<typeof syncGroup> {
  return { errorCode, assignment: NOTHING };
}
