import { type Serde, SettingsError } from '@millrace/core';
import type { StoreBuilder } from '../contracts/state-store.ts';
import type { ClosingStore, StartIndexedWindowStore } from '../contracts/closing-store.ts';
import type { ValueAndTimestamp, TimestampedWindowStore, WindowStore } from '../contracts/stores.ts';
import {
  assertOption,
  builderBase,
  type CachedStoreOptions,
  compactedWithRetention,
  deletedByRetention,
} from './store-options.ts';
import { storeReader } from './store-reader.ts';
import { DuplicateWindowTable } from './window/duplicate-window-table.ts';
import { WindowTable } from './window-table.ts';

/** Options of window stores. */
export interface WindowStoreOptions extends CachedStoreOptions {
  /** Length of each window, ms, ≥ 1. Only windows in results are made from it. */
  readonly windowSizeMs: number;
  /** How long a row can be read after its window start, ms, ≥ `windowSizeMs`. Default `windowSizeMs`. */
  readonly retentionMs?: number;
  /**
   * How long after its start a window can still change, ms, ≥ 1, for operators that emit a window once, when it has closed:
   * its size; for sliding windows one more. Rows are then kept beyond the retention until they have been emitted.
   */
  readonly closesAfterMs?: number;
  /**
   * About how long the ranges of time are in which operators look for the windows of a key, ms, ≥ 1. Needed by sliding
   * windows, for which it is their length.
   */
  readonly startIndexSpanMs?: number;
}

/** Options of window stores of bare values. */
export interface PlainWindowStoreOptions extends WindowStoreOptions {
  /**
   * Keeps every value that is put, also several of one key and start. Then nothing can be deleted, `fetch` is not possible, and the
   * store is never cached. Default false.
   */
  readonly retainDuplicates?: boolean;
}

/** Readers neither emit, for which opening would have to scan all rows, nor look for windows as operators do. */
const READ_ONLY = { cached: false, closesAfterMs: undefined, startIndexSpanMs: undefined };

class PlainWindowTable<K, V> extends WindowTable<K, V, V> {
  protected result(value: V): V {
    return value;
  }

  protected valueIn(result: V): V {
    return result;
  }

  protected timestampOf(): number {
    return this.recordTimestamp;
  }
}

class TimestampedWindowTable<K, V>
  extends WindowTable<K, V, ValueAndTimestamp<V>>
  implements StartIndexedWindowStore<K, V>, ClosingStore<K, V>
{
  protected result(value: V, timestamp: number): ValueAndTimestamp<V> {
    return { value, timestamp };
  }

  protected valueIn(result: ValueAndTimestamp<V>): V | undefined {
    return result.value;
  }

  protected timestampOf(result: ValueAndTimestamp<V> | undefined): number {
    return result?.value == null ? this.recordTimestamp : result.timestamp;
  }
}

/**
 * A store of values by key and window start that forgets rows after its retention.
 *
 * @throws SettingsError when the retention is shorter than the window
 *
 * Source: Kafka Streams `Stores.windowStoreBuilder` over `persistentWindowStore`.
 *
 * @example windowStore('recent', string(), int64(), { windowSizeMs: 60_000, retentionMs: 3_600_000 });
 */
export function windowStore<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: PlainWindowStoreOptions,
): StoreBuilder<WindowStore<K, V>> {
  const retainDuplicates = options.retainDuplicates ?? false;
  const { base, table } = settle(name, 'window', keySerde, valueSerde, options, retainDuplicates);
  if (retainDuplicates) {
    const build = () => new DuplicateWindowTable(table);
    return { ...base, reader: storeReader(name, keySerde, build), build };
  }
  const plain = { ...table, timestamped: false };
  const reader = storeReader(name, keySerde, () => new PlainWindowTable({ ...plain, ...READ_ONLY }));
  return { ...base, reader, build: () => new PlainWindowTable(plain) };
}

/**
 * A store of values with timestamps by key and window start: what windowed aggregations are made of.
 *
 * Source: Kafka Streams `Stores.timestampedWindowStoreBuilder`.
 */
export function timestampedWindowStore<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: WindowStoreOptions,
): StoreBuilder<TimestampedWindowStore<K, V>> {
  const { base, table } = settle(name, 'timestampedWindow', keySerde, valueSerde, options);
  const timestamped = { ...table, timestamped: true };
  const reader = storeReader(name, keySerde, () => new TimestampedWindowTable({ ...timestamped, ...READ_ONLY }));
  return { ...base, reader, build: () => new TimestampedWindowTable(timestamped) };
}

function settle<K, V>(
  name: string,
  kind: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: WindowStoreOptions,
  retainDuplicates = false,
) {
  const { windowSizeMs, retentionMs = windowSizeMs, caching = false } = options;
  assertOption(name, 'windowSizeMs', windowSizeMs, 1);
  assertOption(name, 'retentionMs', retentionMs, 1);
  if (retentionMs < windowSizeMs) {
    const message = `store ${name} would forget rows (retentionMs ${retentionMs}) before their window ends (windowSizeMs ${windowSizeMs}); raise retentionMs`;
    throw new SettingsError('STORE_OPTION_INVALID', message);
  }
  const cleanup = retainDuplicates ? deletedByRetention(retentionMs) : compactedWithRetention(retentionMs);
  const base = builderBase(name, kind, options, cleanup);
  const { closesAfterMs, startIndexSpanMs } = options;
  if (closesAfterMs !== undefined) assertOption(name, 'closesAfterMs', closesAfterMs, 1);
  if (startIndexSpanMs !== undefined) assertOption(name, 'startIndexSpanMs', startIndexSpanMs, 1);
  const indexes = { closesAfterMs, startIndexSpanMs };
  return { base, table: { name, kind, keySerde, valueSerde, windowSizeMs, retentionMs, cached: caching, ...indexes } };
}
