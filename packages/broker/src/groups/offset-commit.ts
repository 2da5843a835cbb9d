import type { Clock } from '@millrace/core';
import { ErrorCode, offsetCommit, type OffsetCommitRequest } from '@millrace/wire';
import { Refusal, refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import type { TopicRegistry } from '../topics/topic-registry.ts';
import type { ClassicGroup } from './classic-group.ts';
import { commitEach } from './commit-offsets.ts';
import type { GroupRegistry } from './group-registry.ts';
import type { Rebalancer } from './rebalancer.ts';

export interface OffsetCommitOptions {
  readonly groups: GroupRegistry;
  readonly rebalancer: Rebalancer;
  readonly topics: TopicRegistry;
  readonly clock: Clock;
}

/** OffsetCommit: by a member in its generation, or by anybody while the group has no members. */
export function offsetCommitHandler({ groups, rebalancer, topics, clock }: OffsetCommitOptions): Handler {
  return answering(
    offsetCommit,
    (request) => {
      const refusal = () => refusalFor(request);
      return commitEach(request, { topics, groups, nowMs: clock.nowMs(), refusal, producer: undefined });
    },
    { max: 8 },
  );

  function refusalFor(request: OffsetCommitRequest): Refusal | undefined {
    try {
      void groups.log.log;
      admit(request);
      return undefined;
    } catch (error) {
      return refusalOf(error);
    }
  }

  function admit({ groupId, memberId, groupInstanceId, generationIdOrMemberEpoch }: OffsetCommitRequest): void {
    const group = groups.get(groupId);
    if (group === undefined) {
      if (generationIdOrMemberEpoch >= 0) throw new Refusal(ErrorCode.ILLEGAL_GENERATION);
      return;
    }
    checkCommitter(group, { memberId, groupInstanceId, generationId: generationIdOrMemberEpoch });
    const member = group.members.get(memberId);
    if (member !== undefined) rebalancer.restartSession(group, member);
  }
}

function checkCommitter(
  group: ClassicGroup,
  who: { memberId: string; groupInstanceId: string | undefined; generationId: number },
) {
  if (who.generationId < 0 && group.state === 'Empty') return;
  if (who.generationId < 0 && who.memberId === '' && who.groupInstanceId === undefined) {
    throw new Refusal(ErrorCode.UNKNOWN_MEMBER_ID);
  }
  group.memberOrThrow(who.memberId, who.groupInstanceId);
  group.checkGeneration(who.generationId);
  // While members prepare they may still commit what they are about to give away; afterwards it is no longer theirs.
  if (group.state === 'CompletingRebalance') throw new Refusal(ErrorCode.REBALANCE_IN_PROGRESS);
}
