import type { Serde } from '@millrace/core';
import type { GraphNode } from '../graph/graph-node.ts';
import type { TableView } from '../operators/table-view.ts';
import type { DslContext } from './dsl-context.ts';

/** What streams and tables have in common. */
interface Origin<K, V> {
  readonly dsl: DslContext;
  /** Name of the topology node from which the records come. */
  readonly name: string;
  readonly node: GraphNode;
  /** Absent when an operator above made new keys without saying how they are written. */
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V> | undefined;
  /** The sources of the sub-topology, which must be partitioned alike where records meet by key. */
  readonly sources: ReadonlySet<GraphNode>;
}

/** Where the records of a stream come from: what its operators build on. */
export interface StreamOrigin<K, V> extends Origin<K, V> {
  readonly kind: 'stream';
  /** True when keys changed since the records were last partitioned by key. */
  readonly repartitionRequired: boolean;
  /** The repartition topic that joins of this stream share. */
  repartition: GraphNode | undefined;
}

/** Where the changes of a table come from. */
export interface TableOrigin<K, V> extends Origin<K, V> {
  readonly kind: 'table';
  readonly changes: TableChanges<K, V>;
  /** The store in which the rows can be queried: the one that the user named. */
  readonly queryableStoreName?: string | undefined;
}

/** A global table: it is no part of a sub-topology. */
export interface GlobalTableOrigin<K, V> {
  readonly kind: 'global-table';
  readonly dsl: DslContext;
  readonly storeName: string;
  readonly view: TableView<K, V>;
}

/** How a table answers to what stands below it. */
export interface TableChanges<K, V> {
  /**
   * How far back the past of the rows is known, ms; absent when the table is not versioned. Changes of a versioned table come
   * in the order of offsets too, but those that are not the latest say so.
   */
  readonly historyRetentionMs?: number | undefined;
  /**
   * Asks for the value before each change.
   *
   * @param force also when that takes a store that the table does not have yet
   * @returns whether changes will carry it
   */
  enableOldValues(force: boolean): boolean;
  /** How another node looks rows up; may give the table a store. */
  view(): TableView<K, V>;
}

/** What an operator changes of the stream that it works on. */
export interface StreamChanges<K, V> {
  readonly name: string;
  readonly node: GraphNode;
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V> | undefined;
  readonly sources?: ReadonlySet<GraphNode>;
  readonly repartitionRequired?: boolean;
}

/** The stream below another one. */
export function deriveStream<K, V>(from: Origin<unknown, unknown>, changes: StreamChanges<K, V>): StreamOrigin<K, V> {
  return {
    kind: 'stream',
    dsl: from.dsl,
    name: changes.name,
    node: changes.node,
    key: changes.key,
    value: changes.value,
    sources: changes.sources ?? from.sources,
    repartitionRequired: changes.repartitionRequired ?? false,
    repartition: undefined,
  };
}

/** Demands that what is read on both sides is partitioned alike. @returns the sources of both */
export function copartition(a: Origin<unknown, unknown>, b: Origin<unknown, unknown>): ReadonlySet<GraphNode> {
  const sources = new Set([...a.sources, ...b.sources]);
  a.dsl.graph.copartitionGroups.push(sources);
  return sources;
}

/** The origin seen without its types, for code that handles all alike. */
export function erased<K, V>(origin: Origin<K, V>): Origin<unknown, unknown> {
  return origin as unknown as Origin<unknown, unknown>;
}

export type { Origin };
