import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettingsError } from '@millrace/core';
import { budgetProblems, divideBudget, SHARE_BYTES_MIN, type DividedBudget } from '../memory/divide-budget.ts';
import { applicationServerProblems } from './application-server-problems.ts';
import { clientTagProblems } from './client-tag-problems.ts';
import type { ResolvedSettings, StreamsSettings } from './settings.ts';

const MAX_INT = 2_147_483_647;
const CACHE_BYTES = 10 * 1024 * 1024;
/** Also when record caching is off: a commit for every few rows would cost more than the rows. */
const UNCOMMITTED_BYTES = 16 * 1024 * 1024;

type NumberSetting = {
  [Name in keyof ResolvedSettings]: ResolvedSettings[Name] extends number ? Name : never;
}[keyof ResolvedSettings];

/** Accepted range of each number, both ends included. */
const RANGES: Readonly<Record<NumberSetting, readonly [min: number, max: number]>> = {
  commitIntervalMs: [1, 3_600_000],
  cacheMaxBytes: [0, Number.MAX_SAFE_INTEGER],
  uncommittedMaxBytes: [SHARE_BYTES_MIN, Number.MAX_SAFE_INTEGER],
  stateCacheBytes: [0, Number.MAX_SAFE_INTEGER],
  bufferedBytesPerPartition: [1024, MAX_INT],
  inputBufferMaxBytes: [64 * 1024, Number.MAX_SAFE_INTEGER],
  outputBufferMaxBytes: [SHARE_BYTES_MIN, Number.MAX_SAFE_INTEGER],
  memoryBudgetBytes: [0, Number.MAX_SAFE_INTEGER],
  maxTaskIdleMs: [-1, MAX_INT],
  pollMs: [1, 60_000],
  sessionTimeoutMs: [100, 1_800_000],
  heartbeatIntervalMs: [50, 900_000],
  eventLoopStallWarningMs: [0, MAX_INT],
  rebalanceTimeoutMs: [1000, MAX_INT],
  transactionTimeoutMs: [100, 900_000],
  requestTimeoutMs: [100, 600_000],
  numStandbyReplicas: [0, 100],
  acceptableRecoveryLag: [0, Number.MAX_SAFE_INTEGER],
  maxWarmupReplicas: [1, MAX_INT],
  probingRebalanceIntervalMs: [1000, MAX_INT],
  stateCleanupDelayMs: [1000, Number.MAX_SAFE_INTEGER],
  replicationFactor: [-1, 32_767],
  lingerMs: [0, 60_000],
  emitIntervalMs: [0, 3_600_000],
  repartitionPurgeIntervalMs: [1, MAX_INT],
  asyncDrainMs: [0, 600_000],
  processingTimeoutMs: [100, MAX_INT],
  maxTimestampAheadMs: [0, Number.MAX_SAFE_INTEGER],
  shutdownTimeoutMs: [0, MAX_INT],
};

const CHOICES = {
  guarantee: ['at_least_once', 'exactly_once_v2'],
  offsetReset: ['earliest', 'latest', 'none'],
  onMissingOffsets: ['fail', 'reset'],
  onRecreatedInput: ['fail', 'reset'],
  onStateDiskFull: ['wait', 'fail'],
  onTopologyMismatch: ['wait', 'refuse'],
  groupProtocol: ['classic', 'streams'],
  allowChangelogRebuild: [true, false],
  compression: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
} as const;

type DecidingSettings = Pick<StreamsSettings, 'guarantee' | 'sessionTimeoutMs' | 'clientTags' | 'cacheMaxBytes'>;

function defaults(input: DecidingSettings): Omit<ResolvedSettings, 'applicationId'> {
  const sessionTimeoutMs = input.sessionTimeoutMs ?? 10_000;
  return {
    guarantee: 'at_least_once',
    commitIntervalMs: input.guarantee === 'exactly_once_v2' ? 100 : 30_000,
    stateDir: join(tmpdir(), 'millrace'),
    cacheMaxBytes: CACHE_BYTES,
    uncommittedMaxBytes: Math.max(UNCOMMITTED_BYTES, input.cacheMaxBytes ?? CACHE_BYTES),
    stateCacheBytes: 32 * 1024 * 1024,
    bufferedBytesPerPartition: 512 * 1024,
    inputBufferMaxBytes: 512 * 1024 * 1024,
    outputBufferMaxBytes: 64 * 1024 * 1024,
    memoryBudgetBytes: 0,
    maxTaskIdleMs: 0,
    pollMs: 100,
    sessionTimeoutMs,
    heartbeatIntervalMs: Math.max(50, Math.min(500, Math.floor(sessionTimeoutMs / 6))),
    eventLoopStallWarningMs: Math.min(5000, Math.floor(sessionTimeoutMs / 2)),
    rebalanceTimeoutMs: 60_000,
    transactionTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    groupInstanceId: undefined,
    offsetReset: 'earliest',
    onMissingOffsets: 'fail',
    onRecreatedInput: 'fail',
    allowChangelogRebuild: false,
    onStateDiskFull: 'wait',
    numStandbyReplicas: 0,
    acceptableRecoveryLag: 10_000,
    maxWarmupReplicas: 2,
    probingRebalanceIntervalMs: 600_000,
    clientTags: {},
    rackAwareAssignmentTags: Object.keys(input.clientTags ?? {}),
    onTopologyMismatch: 'wait',
    groupProtocol: 'classic',
    applicationServer: undefined,
    stateCleanupDelayMs: 600_000,
    replicationFactor: -1,
    topicConfig: {},
    lingerMs: 5,
    compression: 'none',
    emitIntervalMs: 1000,
    repartitionPurgeIntervalMs: 30_000,
    asyncDrainMs: 2000,
    processingTimeoutMs: 300_000,
    deadLetterTopic: undefined,
    maxTimestampAheadMs: 0,
    shutdownTimeoutMs: 20_000,
  };
}

/**
 * Fills in the defaults and checks every setting.
 *
 * @throws SettingsError that lists all problems at once, each with the setting, its value and what is accepted
 */
export function resolveSettings(input: StreamsSettings): ResolvedSettings {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const settings: ResolvedSettings = { ...defaults(input), ...(given as unknown as StreamsSettings), ...sharesOf(input) };
  const problems = [
    ...unknownNames(given, settings),
    ...applicationIdProblems(settings.applicationId),
    ...deadLetterTopicProblems(settings.deadLetterTopic),
    ...rangeProblems(settings),
    ...choiceProblems(settings),
    ...clientTagProblems(settings),
    ...applicationServerProblems(settings),
    ...relationProblems(settings),
    ...(hasBudget(input) ? budgetProblems(input.memoryBudgetBytes, input) : []),
  ];
  if (problems.length > 0) {
    throw new SettingsError(
      'INVALID_SETTINGS',
      `the settings cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    );
  }
  return settings;
}

function hasBudget(input: StreamsSettings): input is StreamsSettings & { readonly memoryBudgetBytes: number } {
  return input.memoryBudgetBytes !== undefined && input.memoryBudgetBytes !== 0;
}

function sharesOf(input: StreamsSettings): Partial<DividedBudget> {
  return hasBudget(input) ? divideBudget(input.memoryBudgetBytes, input) : {};
}

function unknownNames(given: object, settings: ResolvedSettings): string[] {
  const known = new Set([...Object.keys(settings)].filter((name) => name === 'applicationId' || name in defaults(settings)));
  return Object.keys(given)
    .filter((name) => !known.has(name))
    .map((name) => `${name}: there is no such setting`);
}

function applicationIdProblems(applicationId: unknown): string[] {
  if (
    typeof applicationId === 'string' &&
    /^[A-Za-z0-9._-]{1,200}$/.test(applicationId) &&
    applicationId !== '.' &&
    applicationId !== '..'
  )
    return [];
  return [`applicationId: ${JSON.stringify(applicationId)}; give 1 to 200 characters of A-Z a-z 0-9 . _ -`];
}

function deadLetterTopicProblems(topic: unknown): string[] {
  if (topic === undefined) return [];
  if (typeof topic === 'string' && /^[A-Za-z0-9._-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..') return [];
  return [`deadLetterTopic: ${JSON.stringify(topic)}; give the name of a topic, 1 to 249 characters of A-Z a-z 0-9 . _ -`];
}

function rangeProblems(settings: ResolvedSettings): string[] {
  return Object.entries(RANGES).flatMap(([name, [min, max]]) => {
    const value: unknown = settings[name as NumberSetting];
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return [];
    return [`${name}: ${JSON.stringify(value)}; give an integer from ${min} to ${max}`];
  });
}

function choiceProblems(settings: ResolvedSettings): string[] {
  return Object.entries(CHOICES).flatMap(([name, choices]) => {
    const value = settings[name as keyof typeof CHOICES];
    if ((choices as readonly unknown[]).includes(value)) return [];
    return [`${name}: ${JSON.stringify(value)}; give one of ${choices.join(', ')}`];
  });
}

function relationProblems(settings: ResolvedSettings): string[] {
  const problems: string[] = [];
  if (settings.guarantee === 'exactly_once_v2' && settings.transactionTimeoutMs < settings.commitIntervalMs) {
    problems.push(
      `transactionTimeoutMs: ${settings.transactionTimeoutMs} is below commitIntervalMs ${settings.commitIntervalMs}: the broker would abort every transaction`,
    );
  }
  if (settings.groupProtocol === 'streams') problems.push(...streamsProtocolProblems(settings));
  if (settings.heartbeatIntervalMs * 2 > settings.sessionTimeoutMs) {
    problems.push(
      `heartbeatIntervalMs: ${settings.heartbeatIntervalMs} is more than half of sessionTimeoutMs ${settings.sessionTimeoutMs}`,
    );
  }
  return problems;
}

/** What the broker decides, or does not offer, when it assigns the tasks. */
function streamsProtocolProblems({ groupInstanceId, numStandbyReplicas }: ResolvedSettings): string[] {
  const problems: string[] = [];
  if (groupInstanceId !== undefined) {
    problems.push(`groupInstanceId: "${groupInstanceId}"; groupProtocol 'streams' has no static members, leave it out`);
  }
  if (numStandbyReplicas !== 0) {
    problems.push(
      `numStandbyReplicas: ${numStandbyReplicas}; under groupProtocol 'streams' it is a setting of the group on the broker: streams.num.standby.replicas`,
    );
  }
  return problems;
}
