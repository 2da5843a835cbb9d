import type { Headers } from '@millrace/core';
import type { StateStore } from './state-store.ts';

/**
 * Receives what a buffer lets go, with the context of the record that was buffered last for it.
 *
 * @param oldValue the value before the last buffered change; `undefined` where records are buffered instead of changes
 */
export type BufferListener<K, V> = (
  key: K,
  value: V | undefined,
  oldValue: V | undefined,
  timestamp: number,
  headers: Headers,
) => void;

/**
 * Things that wait for their time. The lowest time leaves first; among equals, the lowest bytes of the key.
 *
 * The order is kept in memory; what waits is kept in memory as far as it fits, and read from the database when it leaves.
 */
interface TimeOrderedBuffer<K, V> extends StateStore {
  readonly name: string;
  /** How many are waiting. */
  readonly size: number;
  /** Roughly their bytes, in memory or not. */
  readonly bytes: number;
  /** The lowest time that something waits for; Infinity when nothing does. */
  readonly minTime: number;
  /** Must be set before anything leaves. */
  setListener(listener: BufferListener<K, V>): void;
  /**
   * Hands the first to the listener, then forgets it. While the listener runs, the task's record context is that of the record,
   * and nothing may be put.
   */
  emitFirst(): void;
}

/**
 * The last change of each key of a table. A further change of a waiting key replaces the value, and neither its time nor its
 * place.
 *
 * Source: Kafka Streams `InMemoryTimeOrderedKeyValueChangeBuffer`.
 */
export interface ChangeBuffer<K, V> extends TimeOrderedBuffer<K, V> {
  put(time: number, key: K, value: V | undefined, oldValue: V | undefined): void;
  /** True when a change of the key is waiting. */
  has(key: K): boolean;
  /** What the key was before its first waiting change: what those behind the buffer know of it. */
  priorValue(key: K): V | undefined;
}

/**
 * Records, several per key and time, which then leave in the order in which they came.
 *
 * Source: Kafka Streams `RocksDBTimeOrderedKeyValueBuffer`.
 */
export interface RecordBuffer<K, V> extends TimeOrderedBuffer<K, V> {
  readonly graceMs: number;
  /** @returns false when the record is older than the grace: it is not buffered */
  put(key: K, value: V, timestamp: number): boolean;
  /** Lets go what has waited for the grace, counted from the highest timestamp that was ever put. */
  emitExpired(): void;
}
