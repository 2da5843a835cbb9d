import type { Headers, Logger, RecordContext } from '@millrace/core';
import type { WriteBatch } from '../write-batch.ts';
import type { StateDatabase } from './engine.ts';

/** How a store's topic on Kafka is to be configured, in Kafka's own words (`cleanup.policy`, `retention.ms`, …). */
export type TopicConfig = Readonly<{ [name: string]: string }>;

/**
 * What a topology knows of a store before any task exists. Plain data and a factory.
 *
 * Source: Kafka Streams `StoreBuilder`.
 */
export interface StoreBuilder<S extends StateStore = StateStore> {
  readonly name: string;
  /** As in the conformance vocabulary: `keyValue`, `timestampedKeyValue`, `window`, `timestampedWindow`, `session`, … */
  readonly kind: string;
  /** Whether updates are backed by `<applicationId>-<name>-changelog`. */
  readonly loggingEnabled: boolean;
  /** Configuration of the changelog topic: the defaults of the store kind overridden by the user's. */
  readonly changelogConfig: TopicConfig;
  /** The part of it that the user gave: it outranks the application's settings for internal topics, which outrank the rest. */
  readonly changelogOverrides?: TopicConfig;
  /** True when the rows are never kept on disk, whatever the engine of the application. */
  readonly inMemory: boolean;
  /** How far back the past of each row is known, ms; only versioned stores know any. */
  readonly historyRetentionMs?: number;
  /** A new, closed store; one per task. */
  build(): S;
  /** How others than its task read the store. Absent: it cannot be queried. */
  readonly reader?: StoreReaderBuilder;
}

/** How a store is read from outside its task. */
export interface StoreReaderBuilder {
  /**
   * A new, closed store that is only read: opened over the database of one of the builder's own stores, with the same store id, it
   * shows what that had committed at that moment, until it is closed, and nothing of any commit since. Rows that the store itself
   * keeps beyond its retention, until they have been emitted, are not shown. Opening it costs a few point reads, whatever the size
   * of the store. It must be closed, as it holds on to a snapshot of the database.
   */
  build(): StateStore;
  /**
   * The bytes of a key as they are in the changelog's records (for a window or session store: of the key without its window): they
   * decide the partition that the key belongs to.
   *
   * @throws ProcessingError `STORE_KEY_ABSENT`
   */
  keyBytes(key: unknown, topic: string): Uint8Array;
}

/** What a store gets from its task when it is opened. */
export interface StoreContext {
  readonly database: StateDatabase;
  /** Distinguishes this store's keys from those of others in the same database: the first two bytes of each key. */
  readonly storeId: number;
  /** Passed to serdes; the name the changelog has, or would have. */
  readonly changelogTopic: string;
  /** The record that the task is working on. */
  readonly recordContext: RecordContext;
  /** Bytes of clean rows that the store may keep in memory. Dirty rows come on top until the next commit. */
  readonly cleanCacheBytes: number;
  /** False switches record caching off for every store (`cacheMaxBytes` 0). */
  readonly cachingAllowed: boolean;
  /** To be called when a write was refused because the row is older than the retention. */
  readonly onExpiredRecord: (store: string, timestamp: number) => void;
  readonly logger: Logger;
}

/** Receives changelog records at a commit. `value…` −1 means a tombstone. Most stores' records have no headers. */
export interface ChangelogWriter {
  append(
    timestamp: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    headers?: Headers,
  ): void;
}

/** Called for each row that caching held back: `oldValue` is the row's value at the previous flush. */
export type FlushListener<K, V> = (key: K, newValue: V | undefined, oldValue: V | undefined, timestamp: number) => void;

/**
 * The life of every store inside a task.
 *
 * Uncommitted rows live in memory only. A commit is: `flushCache` (may forward records, which may write to other stores) →
 * `prepareCommit` (dirty rows become changelog records and operations of the local batch) → Kafka commits →
 * the task writes the batch → `committed`. If Kafka does not commit: `rollback`, and the store is as after the last commit.
 * Between `prepareCommit` and `committed` the store may be read and written; what is written then belongs to the next commit.
 */
export interface StateStore {
  readonly name: string;
  readonly kind: string;
  /** Loads what must be in memory. Called once, before anything else. */
  open(context: StoreContext): Promise<void>;
  /** Hands the rows held back by caching to the flush listener, in the order of their last update. */
  flushCache(): void;
  /** Serialises dirty rows. `changelog` is absent when logging is off. */
  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void;
  /** The batch of `prepareCommit` is in the database: its rows are clean. */
  committed(): void;
  /** Forgets everything since the last commit, cached clean rows included (user code may have changed them in place). */
  rollback(): void;
  /** Approximate bytes held by uncommitted rows. */
  readonly dirtyBytes: number;
  /**
   * Applies one changelog record to the batch, without user code. Key and value are ranges of `source`; `valueStart` −1 is a
   * tombstone. Called only between `open` and the first read; `restored` follows after the last one has been written.
   */
  restore(
    batch: WriteBatch,
    timestamp: number,
    source: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void;
  /** All restored batches are in the database: load what must be in memory. */
  restored(): Promise<void>;
  close(): void;
}
