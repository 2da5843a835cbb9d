import type { Evidence, Finding } from '../evidence/evidence.ts';

/** A group that has been left in peace settles within so many rebalances. */
const REBALANCES_MAX = 3;

/** V11: after the last fault everything was caught up in time, each task had an owner, and the group came to rest. */
export function liveness({ ledger, recovery }: Evidence): Finding[] {
  const findings: Finding[] = [];
  const fail = (message: string): number => findings.push({ check: 'V11', where: ledger.applicationId, message });
  const { drainedAfterMs, drainLimitMs, rebalancesAfter, unassignedTasks } = recovery;
  if (drainedAfterMs > drainLimitMs) fail(`drained ${drainedAfterMs} ms after the last fault, limit ${drainLimitMs} ms`);
  if (rebalancesAfter > REBALANCES_MAX) fail(`a worker rebalanced ${rebalancesAfter} times after the last fault`);
  for (const task of unassignedTasks) fail(`nobody has task ${task}`);
  return findings;
}
