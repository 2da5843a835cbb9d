import type { Serde } from '@millrace/core';
import type { ChangeBuffer, RecordBuffer } from '../contracts/buffers.ts';
import type { StoreBuilder } from '../contracts/state-store.ts';
import { ChangeBufferTable } from './buffer/change-buffer-table.ts';
import { RecordBufferTable } from './buffer/record-buffer-table.ts';
import { assertOption, builderBase, COMPACTED, type StoreOptions } from './store-options.ts';

/** Options of buffers. */
export interface BufferOptions extends Omit<StoreOptions, 'inMemory'> {
  /**
   * How many bytes of what waits may stay in memory once they are in the database, ≥ 0. The rest is read again when it leaves.
   * Default: the store's part of the task's memory for clean rows.
   */
  readonly memoryBytes?: number | undefined;
}

/** Options of buffers of records. */
export interface RecordBufferOptions extends BufferOptions {
  /** How long a record waits, ms, ≥ 0. */
  readonly graceMs: number;
}

/**
 * Changes of a table that wait for their time.
 *
 * Source: Kafka Streams' store of `suppress`. There it is in memory only, and read from its changelog after each restart.
 */
export function changeBuffer<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: BufferOptions = {},
): StoreBuilder<ChangeBuffer<K, V>> {
  const { memoryBytes } = options;
  assertOption(name, 'memoryBytes', memoryBytes ?? 0, 0);
  const base = builderBase(name, 'changeBuffer', options, COMPACTED);
  return { ...base, build: () => new ChangeBufferTable({ name, keySerde, valueSerde, memoryBytes }) };
}

/**
 * Records that wait for a grace.
 *
 * Source: Kafka Streams' `<join>-Buffer` of a stream-table join with grace (KIP-923).
 */
export function recordBuffer<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: RecordBufferOptions,
): StoreBuilder<RecordBuffer<K, V>> {
  const { memoryBytes, graceMs } = options;
  assertOption(name, 'graceMs', graceMs, 0);
  assertOption(name, 'memoryBytes', memoryBytes ?? 0, 0);
  const base = builderBase(name, 'recordBuffer', options, COMPACTED);
  return { ...base, build: () => new RecordBufferTable({ name, keySerde, valueSerde, memoryBytes, graceMs }) };
}
