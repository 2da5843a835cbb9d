import { FatalStreamsError, formatTaskId } from '@millrace/core';
import type { MemberSubscription } from '@millrace/client';
import type { PlacementMember } from './placement/placement-input.ts';
import { decodeSubscriptionData, type SubscriptionData } from './subscription-data.ts';

/** A member as the leader knows it. */
export interface KnownMember {
  readonly memberId: string;
  readonly data: SubscriptionData;
  /** Tasks that nobody else may have before this member has given them up. */
  readonly owned: ReadonlySet<string>;
}

/**
 * Reads what the members say of themselves.
 *
 * What a member says it runs counts only if it comes from the newest generation: one that was out of the group in between may
 * name tasks that others have been given meanwhile (KIP-792).
 *
 * @throws FatalStreamsError `FOREIGN_MEMBER`; CorruptDataError; SettingsError
 */
export function readMembers(members: readonly MemberSubscription[]): KnownMember[] {
  const newest = newestGenerationOf(members);
  return members.map((member) => {
    const data = readData(member);
    const owned = member.generationId === newest ? data.activeTasks.map(formatTaskId) : [];
    return { memberId: member.memberId, data, owned: new Set(owned) };
  });
}

/** The newest generation that one of the members comes from; 0 when all are new. */
export function newestGenerationOf(members: readonly MemberSubscription[]): number {
  return Math.max(0, ...members.map(({ generationId }) => generationId));
}

function readData({ memberId, userData }: MemberSubscription): SubscriptionData {
  if (userData !== undefined) return decodeSubscriptionData(userData);
  throw new FatalStreamsError(
    'FOREIGN_MEMBER',
    `group member ${memberId} is not a Millrace worker; give the application an id of its own`,
  );
}

/** @param promisedTasks see `PromisedTasks` */
export function toPlacementMember({ memberId, data, owned }: KnownMember, promisedTasks: ReadonlySet<string>): PlacementMember {
  const { processId, standbyTasks, stateOffsets, clientTags } = data;
  return {
    memberId,
    processId,
    activeTasks: owned,
    standbyTasks: new Set(standbyTasks.map(formatTaskId)),
    promisedTasks,
    stateOffsets,
    clientTags,
  };
}
