import { ErrorCode, heartbeat, type HeartbeatRequest } from '@millrace/wire';
import { errorCodeOf, Refusal } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { GroupRegistry } from './group-registry.ts';
import type { Rebalancer } from './rebalancer.ts';

/** Heartbeat: the member is alive; it hears when it has to join again. */
export function heartbeatHandler(groups: GroupRegistry, rebalancer: Rebalancer): Handler {
  return answering(heartbeat, (request) => ({ errorCode: errorCodeOf(() => beat(request)) }));

  function beat({ groupId, memberId, groupInstanceId, generationId }: HeartbeatRequest): void {
    const group = groups.groupOfMember(groupId);
    const member = group.memberOrThrow(memberId, groupInstanceId);
    group.checkGeneration(generationId);
    rebalancer.restartSession(group, member);
    if (group.state === 'PreparingRebalance') throw new Refusal(ErrorCode.REBALANCE_IN_PROGRESS);
  }
}
