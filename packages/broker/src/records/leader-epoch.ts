import { ErrorCode } from '@millrace/wire';
import type { PartitionLog } from '../log/partition-log.ts';
import { Refusal } from '../refusal.ts';

/**
 * Compares the leader epoch that a client knows with the one that is; −1 means that it does not say.
 *
 * @throws Refusal FENCED_LEADER_EPOCH when the client's is old, UNKNOWN_LEADER_EPOCH when there is no such epoch yet
 */
export function checkLeaderEpoch(log: PartitionLog, currentLeaderEpoch: number): void {
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === log.leaderEpoch) return;
  const isOld = currentLeaderEpoch < log.leaderEpoch;
  throw new Refusal(isOld ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH);
}
