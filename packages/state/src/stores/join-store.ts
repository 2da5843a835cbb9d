import type { Serde } from '@millrace/core';
import type { StoreBuilder } from '../contracts/state-store.ts';
import type { JoinStore, OuterJoinStore } from '../contracts/stores.ts';
import { JoinTable } from './join/join-table.ts';
import { OuterJoinTable } from './outer-join/outer-join-table.ts';
import { assertOption, builderBase, COMPACTED, deletedByRetention, type StoreOptions } from './store-options.ts';

/** Options of the stores of one side of a join. */
export interface JoinStoreOptions extends StoreOptions {
  /** How long a record can be found, ms, ≥ 1: `before + after + grace`. */
  readonly retentionMs: number;
  /** Width of the join window, ms, ≥ 1: `before + after`. Only the layout depends on it, and with it the cost of a fetch. */
  readonly spanMs: number;
}

/** Options of the store of records without partner. */
export interface OuterJoinStoreOptions extends StoreOptions {
  /** Width of the join window, ms, ≥ 1: `before + after`. Only the layout depends on it. */
  readonly spanMs: number;
}

/**
 * The records of one side of a stream-stream join, several per key and time. Never cached.
 *
 * Source: the window stores that Kafka Streams' `StreamJoined` makes (`retainDuplicates`; changelog `delete` only).
 */
export function joinStore<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: JoinStoreOptions,
): StoreBuilder<JoinStore<K, V>> {
  const { retentionMs, spanMs } = options;
  assertOption(name, 'retentionMs', retentionMs, 1);
  assertOption(name, 'spanMs', spanMs, 1);
  const base = builderBase(name, 'join', options, deletedByRetention(retentionMs));
  return { ...base, build: () => new JoinTable({ name, keySerde, valueSerde, retentionMs, spanMs }) };
}

/**
 * The records of a left or outer join that have found no partner yet. Never cached.
 *
 * Source: Kafka Streams' `OuterStreamJoinStoreFactory` (`KSTREAM-OUTERSHARED…-store`; changelog `compact`).
 */
export function outerJoinStore<K, L, R>(
  name: string,
  keySerde: Serde<K>,
  leftSerde: Serde<L>,
  rightSerde: Serde<R>,
  options: OuterJoinStoreOptions,
): StoreBuilder<OuterJoinStore<K, L, R>> {
  const { spanMs } = options;
  assertOption(name, 'spanMs', spanMs, 1);
  const base = builderBase(name, 'outerJoin', options, COMPACTED);
  return { ...base, build: () => new OuterJoinTable({ name, keySerde, leftSerde, rightSerde, spanMs }) };
}
