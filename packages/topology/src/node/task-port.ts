import type { Headers, Logger, RecordContext, Serde } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import type { Cancellable, PunctuationType, Punctuator } from '../processor/processor.ts';
import type { AsyncLane, AsyncOperator, AsyncSettings } from './async-operator.ts';

/**
 * Chooses the partition(s) of a record.
 *
 * @returns a partition; several for multicast; an empty list to drop the record; `undefined` for the default (murmur2 of the
 * key bytes; records without key spread over all partitions)
 * Source: Kafka Streams `StreamPartitioner`.
 */
export type StreamPartitioner<K, V> = (
  topic: string,
  key: K,
  value: V,
  partitions: number,
) => number | readonly number[] | undefined;

/** Chooses the topic of a record. Source: `TopicNameExtractor`. */
export type TopicNameExtractor<K, V> = (key: K, value: V, context: RecordContext) => string;

/** What a sink node writes to; made once per sink and task. */
export interface SinkWriter {
  /** Serialises and appends; nothing of it waits. */
  send(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown): void;
}

/** What a sink is, for whoever makes its writer. */
export interface SinkTarget {
  readonly node: string;
  /** Name on the broker, application prefix included; or the user's choice per record. */
  readonly topic: string | TopicNameExtractor<unknown, unknown>;
  readonly keySerde: Serde<unknown> | undefined;
  readonly valueSerde: Serde<unknown> | undefined;
  /** Serialises table changes (new and old value together) instead of plain values. */
  readonly changeSerde: ChangeSerde | undefined;
  readonly partitioner: StreamPartitioner<unknown, unknown> | undefined;
}

/** Serialises the change of a table's row for a repartition topic. */
export interface ChangeSerde {
  serialize(newValue: unknown, oldValue: unknown, topic: string): Uint8Array;
  /** Fills `target` rather than returning an object. */
  deserialize(bytes: Uint8Array, topic: string, target: { newValue: unknown; oldValue: unknown }): void;
}

/**
 * What the nodes of a task need from it. The runtime's task implements it, the test driver runs that same task.
 */
export interface TaskPort {
  readonly applicationId: string;
  readonly taskId: string;
  readonly logger: Logger;
  readonly recordContext: RecordContext;
  readonly emitIntervalMs: number;
  /** The opened store of this task, or the global store, of that name. */
  store(name: string): StateStore;
  sinkWriter(target: SinkTarget): SinkWriter;
  schedule(node: string, intervalMs: number, type: PunctuationType, punctuator: Punctuator): Cancellable;
  requestCommit(): void;
  streamTimeMs(): number;
  systemTimeMs(): number;
  dropped(node: string, reason: string): void;
  /** The task takes no further record before the work has ended. @param node whose work it is, for messages */
  waitFor(pending: Promise<void>, node?: string): void;
  /**
   * User code of that node failed on the current record. Returns when the handler chose to go on without the record;
   * otherwise throws the error that stops the task.
   */
  onProcessingError(node: string, error: unknown, key: unknown, value: unknown): void;
  /**
   * Runs an asynchronous operator: calls in parallel as its settings say, results from the task's own loop, all of them before
   * a commit. Lanes are opened in the order of the nodes, parents first. Absent where nothing asynchronous can run.
   */
  asyncLane?(node: string, operator: AsyncOperator, settings: AsyncSettings): AsyncLane;
}
