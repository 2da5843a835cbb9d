import { ErrorCode, leaveGroup } from '@millrace/wire';
import { errorCodeOf, Refusal } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { GroupRegistry } from './group-registry.ts';
import type { Rebalancer } from './rebalancer.ts';

/** Versions from here on remove several members, also by instance id alone. */
const BATCHED_VERSION = 3;

interface Leaving {
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
}

/** LeaveGroup: takes effect at once. */
export function leaveGroupHandler(groups: GroupRegistry, rebalancer: Rebalancer): Handler {
  return answering(leaveGroup, ({ groupId, memberId, members }, { apiVersion }) => {
    if (apiVersion < BATCHED_VERSION) {
      return { errorCode: errorCodeOf(() => leave(groupId, { memberId, groupInstanceId: undefined })) };
    }
    return {
      errorCode: ErrorCode.NONE,
      members: members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        errorCode: errorCodeOf(() => leave(groupId, member)),
      })),
    };
  });

  function leave(groupId: string, { memberId, groupInstanceId }: Leaving): void {
    const group = groups.groupOfMember(groupId);
    const cancelPending = group.pendingMembers.get(memberId);
    if (cancelPending !== undefined) {
      cancelPending();
      group.pendingMembers.delete(memberId);
      rebalancer.completeIfAllJoined(group);
      return;
    }
    const isByInstance = memberId === '' && groupInstanceId !== undefined;
    const id = isByInstance ? group.memberIdOf(groupInstanceId) : memberId;
    if (id === undefined) throw new Refusal(ErrorCode.UNKNOWN_MEMBER_ID);
    rebalancer.remove(group, group.memberOrThrow(id, groupInstanceId));
  }
}
