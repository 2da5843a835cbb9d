import { latin1Slice, type Serde } from '@millrace/core';
import type { StoreBuilder } from '../contracts/state-store.ts';
import type { Row, TimestampedKeyValueStore } from '../contracts/stores.ts';
import type { RowEntry } from '../table/row-entry.ts';
import { TimestampedKeyValueTable } from './key-value-store.ts';
import type { KeyValueRows, KeyValueTableOptions } from './key-value-table.ts';
import { builderBase, COMPACTED, type StoreOptions } from './store-options.ts';

export interface PrefixedStoreOptions extends StoreOptions {
  /** How many of a key's bytes are the prefix by which rows are scanned; the key is given as latin-1 text. */
  readonly prefixLength: (key: string) => number;
}

/**
 * A timestamped key-value store that is scanned by a part of its keys while it is written: a scan for exactly that prefix costs
 * what it finds. In other stores it also costs a look at every uncommitted row, which adds up when each record scans.
 *
 * It cannot be queried: its keys belong to the partition of another part of them than all their bytes.
 *
 * @param keySerde not one whose values serve as map keys themselves (`primitive`): prefixes are those of bytes
 *
 * Source: what Kafka Streams keeps the subscriptions of foreign-key joins in is a plain timestamped store; the changelog is alike.
 */
export function prefixedKeyValueStore<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: PrefixedStoreOptions,
): StoreBuilder<TimestampedKeyValueStore<K, V>> {
  const base = builderBase(name, 'timestampedKeyValue', options, COMPACTED);
  const table = { name, kind: base.kind, keySerde, valueSerde, timestamped: true, cached: false };
  return { ...base, build: () => new PrefixedKeyValueTable(table, options.prefixLength) };
}

class PrefixedKeyValueTable<K, V> extends TimestampedKeyValueTable<K, V> {
  readonly #prefixLength: (key: string) => number;
  /** Rows written since the commit before the last one, those that are clean by now included. */
  readonly #written = new Map<string, Set<RowEntry>>();

  constructor(options: KeyValueTableOptions<K, V>, prefixLength: (key: string) => number) {
    super(options);
    this.#prefixLength = prefixLength;
  }

  override write(row: Row, value: V | undefined, timestamp: number): void {
    super.write(row, value, timestamp);
    const entry = row as RowEntry;
    const key = entry.identity as string;
    const prefix = key.slice(0, this.#prefixLength(key));
    const rows = this.#written.get(prefix);
    if (rows === undefined) this.#written.set(prefix, new Set([entry]));
    else rows.add(entry);
  }

  protected override uncommittedRows(prefix: Uint8Array, all: KeyValueRows<V>): KeyValueRows<V> {
    const text = latin1Slice(Buffer.from(prefix.buffer, prefix.byteOffset, prefix.length), 0, prefix.length);
    // A shorter prefix is that of many rows, and a longer one of none.
    if (text.length !== this.#prefixLength(text)) return all;
    return {
      forEachUncommitted: (visit) => {
        for (const entry of this.#written.get(text) ?? []) if (entry.pins !== 0) visit(entry);
      },
      writeKey: (entry, target) => all.writeKey(entry, target),
      freeze: (entry) => all.freeze(entry),
      decode: (bytes) => all.decode(bytes),
    };
  }

  override committed(): void {
    super.committed();
    for (const [prefix, rows] of this.#written) {
      for (const entry of rows) if (entry.pins === 0) rows.delete(entry);
      if (rows.size === 0) this.#written.delete(prefix);
    }
  }

  override rollback(): void {
    super.rollback();
    this.#written.clear();
  }
}
