import { SettingsError } from '@millrace/core';
import { checkConfig } from '../configs/check-config.ts';
import { Refusal } from '../refusal.ts';
import type { BrokerSettings, ResolvedBrokerSettings } from './broker-settings.ts';

const defaults = {
  host: '127.0.0.1',
  port: 0,
  listen: true,
  dataDirectory: undefined,
  fsync: 'interval',
  nodeId: 1,
  nodes: 1,
  clusterId: undefined,
  transactionVersion: 1,
  autoCreateTopics: true,
  defaultPartitions: 1,
  topicDefaults: {},
  strictConfigs: true,
  markerDelayMaxMs: 20,
  groupInitialRebalanceDelayMs: 0,
  groupMinSessionTimeoutMs: 6000,
  groupMaxSessionTimeoutMs: 1_800_000,
  offsetsRetentionMs: 7 * 24 * 60 * 60 * 1000,
  transactionMaxTimeoutMs: 900_000,
  transactionAbortIntervalMs: 10_000,
  transactionalIdExpirationMs: 7 * 24 * 60 * 60 * 1000,
  transactionalIdCheckIntervalMs: 60 * 60 * 1000,
  retentionCheckIntervalMs: 300_000,
  compactionIntervalMs: 15_000,
  requestBytesMax: 100 * 1024 * 1024,
  connectionsMax: 2000,
} as const satisfies ResolvedBrokerSettings;

/** Smallest and largest value of each number; whole numbers all of them. */
const ranges: Readonly<Record<string, readonly [min: number, max: number]>> = {
  port: [0, 65_535],
  nodeId: [0, 2_147_483_000],
  nodes: [1, 100],
  defaultPartitions: [1, 10_000],
  markerDelayMaxMs: [0, 60_000],
  groupInitialRebalanceDelayMs: [0, 300_000],
  groupMinSessionTimeoutMs: [1, 2_147_483_647],
  groupMaxSessionTimeoutMs: [1, 2_147_483_647],
  offsetsRetentionMs: [1, Number.MAX_SAFE_INTEGER],
  transactionMaxTimeoutMs: [1, 2_147_483_647],
  transactionAbortIntervalMs: [1, 2_147_483_647],
  transactionalIdExpirationMs: [1, Number.MAX_SAFE_INTEGER],
  transactionalIdCheckIntervalMs: [1, 2_147_483_647],
  retentionCheckIntervalMs: [1, 2_147_483_647],
  compactionIntervalMs: [1, 2_147_483_647],
  requestBytesMax: [1024, 1024 * 1024 * 1024],
  connectionsMax: [1, 100_000],
};

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/**
 * Fills in the defaults.
 *
 * @throws SettingsError INVALID_SETTINGS naming everything that is wrong
 */
export function resolveBrokerSettings(given: BrokerSettings): ResolvedBrokerSettings {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const settings = { ...defaults, ...set } as ResolvedBrokerSettings;
  const problems = [...numberProblems(settings), ...hostProblems(settings), ...configProblems(settings)];
  if (problems.length > 0) throw new SettingsError('INVALID_SETTINGS', `the broker cannot start: ${problems.join('; ')}`);
  return settings;
}

function numberProblems(settings: ResolvedBrokerSettings): string[] {
  const values = settings as unknown as Record<string, unknown>;
  return Object.entries(ranges).flatMap(([name, [min, max]]) => {
    const value = values[name];
    const isIn = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
    return isIn ? [] : [`"${name}" is ${String(value)}, but must be a whole number from ${min} to ${max}`];
  });
}

function hostProblems({ host }: ResolvedBrokerSettings): string[] {
  if (loopback.test(host)) return [];
  return [`"host" is "${host}", but a development broker, which asks nobody for a password, listens on loopback addresses only`];
}

function configProblems({ topicDefaults, strictConfigs }: ResolvedBrokerSettings): string[] {
  return Object.entries(topicDefaults).flatMap(([name, value]) => {
    try {
      checkConfig(name, value, { strict: strictConfigs });
      return [];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [`"topicDefaults": ${error.message}`];
    }
  });
}
