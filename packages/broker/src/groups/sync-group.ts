import { ErrorCode, syncGroup, type SyncGroupRequest } from '@millrace/wire';
import { Refusal, refusalOf } from '../refusal.ts';
import { deferring, type Handler } from '../server/handler.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { GroupMember, SyncReply } from './group-member.ts';
import type { GroupRegistry } from './group-registry.ts';
import { syncedResponse, syncRefused } from './join-responses.ts';
import type { Rebalancer } from './rebalancer.ts';

/** SyncGroup: the leader brings the assignment, the others wait for it. */
export function syncGroupHandler(groups: GroupRegistry, rebalancer: Rebalancer): Handler {
  return deferring(syncGroup, (request, _call, reply) => {
    try {
      sync(request, reply);
    } catch (error) {
      reply(syncRefused(refusalOf(error).errorCode));
    }
  });

  function sync(request: SyncGroupRequest, reply: SyncReply): void {
    const group = groups.groupOfMember(request.groupId);
    const member = group.memberOrThrow(request.memberId, request.groupInstanceId);
    group.checkGeneration(request.generationId);
    checkProtocol(group, request);
    if (group.state === 'PreparingRebalance') throw new Refusal(ErrorCode.REBALANCE_IN_PROGRESS);
    if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') throw new Refusal(ErrorCode.UNKNOWN_MEMBER_ID);
    rebalancer.restartSession(group, member);
    if (group.state === 'Stable') reply(syncedResponse(group, member));
    else take(group, member, request, reply);
  }

  function take(group: ClassicGroup, member: GroupMember, request: SyncGroupRequest, reply: SyncReply): void {
    group.pendingSync.delete(member.id);
    member.awaitingSync = reply;
    if (group.leaderId === member.id) assign(group, request);
  }
}

/** Everybody who waits gets its part; whom the leader has forgotten gets nothing. */
function assign(group: ClassicGroup, { assignments }: SyncGroupRequest): void {
  const byMember = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]));
  for (const member of group.members.values()) member.assignment = Buffer.from(byMember.get(member.id) ?? []);
  group.cancelPhase?.();
  group.state = 'Stable';
  for (const member of group.members.values()) {
    const reply = member.awaitingSync;
    member.awaitingSync = undefined;
    reply?.(syncedResponse(group, member));
  }
}

/** Version 5 says which protocol it means. */
function checkProtocol(group: ClassicGroup, { protocolType, protocolName }: SyncGroupRequest): void {
  const isOther = (given: string | undefined, own: string | undefined) =>
    given !== undefined && own !== undefined && given !== own;
  if (isOther(protocolType, group.protocolType) || isOther(protocolName, group.protocolName)) {
    throw new Refusal(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  }
}
