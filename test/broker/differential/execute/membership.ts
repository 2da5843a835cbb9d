import type { Session } from '../session.ts';

/** Who sends an offset: a member with the generation that it knows, or nobody (−1). */
export function membership(session: Session, index: number, generationDelta: number) {
  const member = session.members.get(index);
  if (member === undefined) return { generationId: -1, memberId: '', groupInstanceId: undefined };
  const { generation, memberId, instanceId } = member;
  return { generationId: generation + generationDelta, memberId, groupInstanceId: instanceId };
}
