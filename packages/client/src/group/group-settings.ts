import { SettingsError } from '@millrace/core';
import type { GroupMemberOptions } from '../port/kafka-client.ts';

/** {@link GroupMemberOptions} with nothing left open. */
export interface GroupSettings extends GroupMemberOptions {
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

const SESSION_TIMEOUT_MS = 45_000;
const REBALANCE_TIMEOUT_MS = 300_000;
/** Others' rebalances are noticed with the next heartbeat: this is how long a group at most waits for that. */
const HEARTBEAT_INTERVAL_MAX_MS = 500;

/** @throws SettingsError naming what is out of range */
export function resolveGroupSettings(options: GroupMemberOptions): GroupSettings {
  const sessionTimeoutMs = options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS;
  const rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? REBALANCE_TIMEOUT_MS;
  const heartbeatIntervalMs =
    options.heartbeatIntervalMs ?? Math.min(HEARTBEAT_INTERVAL_MAX_MS, Math.floor(sessionTimeoutMs / 3));
  const problems: string[] = [];
  if (options.groupId === '') problems.push('groupId: must not be empty');
  if (!(sessionTimeoutMs >= 1)) problems.push(`sessionTimeoutMs: ${sessionTimeoutMs} is not ≥ 1`);
  if (!(rebalanceTimeoutMs >= 1)) problems.push(`rebalanceTimeoutMs: ${rebalanceTimeoutMs} is not ≥ 1`);
  if (!(heartbeatIntervalMs >= 1 && heartbeatIntervalMs < sessionTimeoutMs)) {
    problems.push(`heartbeatIntervalMs: ${heartbeatIntervalMs} is not between 1 and the session timeout of ${sessionTimeoutMs}`);
  }
  if (problems.length > 0) throw new SettingsError('INVALID_GROUP_OPTIONS', problems.join('; '));
  return { ...options, sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs };
}
