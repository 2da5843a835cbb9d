import { SettingsError } from '@millrace/core';
import type { TopicConfig } from '../contracts/state-store.ts';

/** Options that every kind of store has. */
export interface StoreOptions {
  /**
   * Whether updates are written to `<applicationId>-<name>-changelog`; an object adds to or overrides the configuration of
   * that topic. Without a changelog the state is lost with its disk or its task. Default true.
   * Kafka Streams: `withLoggingEnabled(map)`, `withLoggingDisabled()`.
   */
  readonly logging?: boolean | TopicConfig;
  /** Keeps the rows off the disk, whatever engine the application has. Default false. */
  readonly inMemory?: boolean;
}

/** Options of stores whose updates can be held back. */
export interface CachedStoreOptions extends StoreOptions {
  /**
   * Holds back updates until the next commit, which then forwards one per row. Default false; tables and aggregations of
   * the DSL have it on. Effective only while the application's `cacheMaxBytes` is above 0.
   * Kafka Streams: `withCachingEnabled()`.
   */
  readonly caching?: boolean;
}

/**
 * How much longer the changelog of a store with retention or history keeps records. Kafka:
 * `windowstore.changelog.additional.retention.ms`, and the same for versioned stores.
 */
const ADDITIONAL_RETENTION_MS = 24 * 60 * 60 * 1000;

/** Changelog of stores that keep the latest value of each key for ever. */
export const COMPACTED: TopicConfig = { 'cleanup.policy': 'compact' };

/** Changelog of stores with a history: a record is not replaced by a later one of its key before it has left the history. */
export function compactedAfter(historyMs: number): TopicConfig {
  return { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': retentionOfTopic(historyMs) };
}

/** Changelog of stores that forget rows after their retention. */
export function compactedWithRetention(retentionMs: number): TopicConfig {
  return { 'cleanup.policy': 'compact,delete', 'retention.ms': retentionOfTopic(retentionMs) };
}

/** Changelog of stores in which no record replaces another. */
export function deletedByRetention(retentionMs: number): TopicConfig {
  return { 'cleanup.policy': 'delete', 'retention.ms': retentionOfTopic(retentionMs) };
}

function retentionOfTopic(retentionMs: number): string {
  return String(Math.min(retentionMs + ADDITIONAL_RETENTION_MS, Number.MAX_SAFE_INTEGER));
}

/** The fields that every builder has, from its options and the changelog defaults of its kind. */
export function builderBase(name: string, kind: string, options: StoreOptions, changelogDefaults: TopicConfig) {
  if (name === '') throw new SettingsError('STORE_NAME_EMPTY', 'a store needs a name that is not empty');
  const logging = options.logging ?? true;
  return {
    name,
    kind,
    loggingEnabled: logging !== false,
    changelogConfig: typeof logging === 'object' ? { ...changelogDefaults, ...logging } : changelogDefaults,
    changelogOverrides: typeof logging === 'object' ? logging : {},
    inMemory: options.inMemory ?? false,
  };
}

/** Throws unless the option is an integer of at least `min`. */
export function assertOption(store: string, option: string, value: number, min: number): void {
  if (Number.isInteger(value) && value >= min) return;
  throw new SettingsError(
    'STORE_OPTION_INVALID',
    `${option} of store ${store} is ${value}; it must be an integer of at least ${min}`,
  );
}
