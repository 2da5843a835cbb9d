import type { KnownMember } from './group-members.ts';

/**
 * The fingerprint of the topology that the group runs: of those members that own most tasks, so that a rollout never takes
 * tasks away from the version that works on them; where none are owned, that of most members; else the leader's own.
 */
export function votedFingerprint(members: readonly KnownMember[], own: string): string {
  const votes = new Map<string, { tasks: number; members: number }>();
  for (const { data, owned } of members) {
    const vote = votes.get(data.fingerprint) ?? { tasks: 0, members: 0 };
    votes.set(data.fingerprint, { tasks: vote.tasks + owned.size, members: vote.members + 1 });
  }
  let [voted, best] = [own, votes.get(own) ?? { tasks: 0, members: 0 }];
  for (const [fingerprint, vote] of votes) {
    if ((vote.tasks - best.tasks || vote.members - best.members) <= 0) continue;
    [voted, best] = [fingerprint, vote];
  }
  return voted;
}
