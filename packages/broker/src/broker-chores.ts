import type { Clock } from '@millrace/core';
import type { BrokerState } from './broker-state.ts';
import { Chores } from './chores.ts';
import { cleanLog } from './log/cleaner.ts';
import type { PartitionLog } from './log/partition-log.ts';
import { applyRetention } from './log/retention.ts';
import type { ResolvedBrokerSettings } from './settings/broker-settings.ts';
import type { BrokerStorage } from './storage/broker-storage.ts';

/** How often `fsync=interval` puts appends on the disk, as long as a power failure may cost. */
const FLUSH_INTERVAL_MS = 1000;
/** How long a producer that writes nothing is remembered. Kafka: `producer.id.expiration.ms`. */
const PRODUCER_EXPIRATION_MS = 24 * 60 * 60 * 1000;

export interface BrokerChoresOptions {
  readonly state: BrokerState;
  readonly settings: ResolvedBrokerSettings;
  readonly storage: BrokerStorage;
  readonly clock: Clock;
}

/** Begins what a broker does by itself: timeouts, expiry, retention, compaction, flushing. */
export function startBrokerChores({ state, settings, storage, clock }: BrokerChoresOptions): Chores {
  const chores = new Chores(clock);
  const { topics, coordinator, groups } = state;
  const eachLog = (visit: (log: PartitionLog) => void): void => {
    for (const { partitions } of topics.all) for (const log of partitions) visit(log);
  };
  chores.every(settings.transactionAbortIntervalMs, () => coordinator.abortTimedOut());
  chores.every(settings.retentionCheckIntervalMs, () => {
    const nowMs = clock.nowMs();
    eachLog((log) => {
      applyRetention(log, nowMs);
      log.producers.expire(nowMs, PRODUCER_EXPIRATION_MS);
    });
    groups.expire(nowMs, settings.offsetsRetentionMs);
  });
  chores.every(settings.transactionalIdCheckIntervalMs, () => coordinator.expire(settings.transactionalIdExpirationMs));
  chores.every(settings.compactionIntervalMs, () => {
    const nowMs = clock.nowMs();
    eachLog((log) => cleanLog(log, nowMs));
  });
  chores.every(FLUSH_INTERVAL_MS, () => storage.flush());
  return chores;
}
