import type { Duration, Serde, TimestampExtractor } from '@millrace/core';
import type { OffsetReset, StreamPartitioner } from '@millrace/topology';
import type { JoinWindows } from '../windows/join-windows.ts';

/** The name of the node that the operator becomes. Default: generated from its kind and a counter. */
export interface NamedOptions {
  /** 1 to 249 characters of `A–Z a–z 0–9 . _ -`, unique in the topology. */
  readonly name?: string;
}

/** Serdes of what comes out, for operators below that have to write it. Default: those that came in, where they still fit. */
export interface SerdeOptions<K, V> {
  readonly key?: Serde<K>;
  readonly value?: Serde<V>;
}

export interface ConsumedOptions<K, V> extends NamedOptions {
  /** Serdes, for topics given by name or pattern. */
  readonly key?: Serde<K>;
  readonly value?: Serde<V>;
  /** Default: the record's own timestamp; a record without one stops the worker. */
  readonly timestampExtractor?: TimestampExtractor<K, V>;
  /** Where to start without a committed offset. Default: the application's. */
  readonly offsetReset?: OffsetReset;
}

export interface RepartitionOptions<K, V> extends NamedOptions, SerdeOptions<K, V> {
  /** At least 1. Default: as many as the topic from which the records come. */
  readonly partitions?: number;
  readonly partitioner?: StreamPartitioner<K, V>;
}

/** `name` names the repartition topic, `<applicationId>-<name>-repartition`, if one becomes necessary. */
export interface GroupedOptions<K, V> extends NamedOptions, SerdeOptions<K, V> {}

export interface ProducedOptions<K, V> extends NamedOptions, SerdeOptions<K, V> {
  /** Default: murmur2 of the key's bytes; of the inner key's when keys are windowed. */
  readonly partitioner?: StreamPartitioner<K, V>;
}

export interface ProcessOptions<K, V> extends NamedOptions, SerdeOptions<K, V> {
  /** Names of stores that the processor uses, besides those that its supplier brings. */
  readonly stores?: readonly string[];
}

export interface StreamJoinOptions<K, L, R, Out> extends NamedOptions {
  /** How far apart in time two records may be: a window, or a duration that counts in both directions. */
  readonly within: JoinWindows | Duration;
  /** How long a left or outer join waits, after the window has ended, before it gives a result without partner. Default 0. */
  readonly grace?: Duration;
  /** Names the stores `<storeName>-this-join-store`, `<storeName>-other-join-store`. Default: generated. */
  readonly storeName?: string;
  /** Serde of the keys of both sides. */
  readonly key?: Serde<K>;
  /** Serde of the values of this stream. */
  readonly left?: Serde<L>;
  /** Serde of the values of the other stream. */
  readonly right?: Serde<R>;
  /** Serde of the result. */
  readonly value?: Serde<Out>;
  /** Whether the stores have changelogs. Without, a restart forgets the records that wait for partners. Default true. */
  readonly logging?: boolean;
  /** Keeps the stores off the disk. Default false. */
  readonly inMemory?: boolean;
}

export interface TableJoinOptions<K, L, Out> extends NamedOptions {
  /** Serde of the stream's keys, for its repartition topic if one becomes necessary, and for waiting records. */
  readonly key?: Serde<K>;
  /** Serde of the stream's values, likewise. */
  readonly left?: Serde<L>;
  /** Serde of the result. */
  readonly value?: Serde<Out>;
  /**
   * How long a record waits, in stream time, for changes of the table that come late; then it is joined with the row of its own
   * time. The table must be versioned, with a history of at least that. Default: records do not wait.
   * Kafka Streams: `Joined.withGracePeriod`.
   */
  readonly grace?: Duration;
}
