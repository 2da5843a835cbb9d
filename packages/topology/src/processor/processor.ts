import type { Headers, Logger, Record, RecordMetadata } from '@millrace/core';
import type { StateStore, StoreBuilder } from '@millrace/state';

/** Stops a punctuation; calling it again does nothing. Works from inside the punctuator too. */
export interface Cancellable {
  cancel(): void;
}

/** `stream-time`: the task's event time drives it; `wall-clock-time`: the clock does, also when no record comes. */
export type PunctuationType = 'stream-time' | 'wall-clock-time';

/**
 * Called when a schedule is due.
 *
 * @param timestamp the task's stream time, or the wall-clock time, in ms
 * It may return a promise: the task then waits for it before it takes the next record.
 */
export type Punctuator = (timestamp: number) => void | Promise<void>;

/** What a processor knows of its surroundings. Source: Kafka Streams `ProcessingContext`. */
export interface ProcessingContext {
  readonly applicationId: string;
  /** `<subtopology>_<partition>`. */
  readonly taskId: string;
  readonly logger: Logger;
  /** Where the record comes from; in a punctuator and in `init` it is `undefined`. */
  recordMetadata(): RecordMetadata | undefined;
  /**
   * A store that is connected to this processor, or a global store (read-only).
   *
   * @throws TopologyError when no such store is connected
   */
  getStateStore<S = StateStore>(name: string): S;
  /** @param intervalMs at least 1 */
  schedule(intervalMs: number, type: PunctuationType, punctuator: Punctuator): Cancellable;
  /** Asks for a commit at the next opportunity. */
  commit(): void;
  /** Highest timestamp that the task has seen, −1 before the first record. */
  currentStreamTimeMs(): number;
  currentSystemTimeMs(): number;
}

/** The context of a {@link Processor}. */
export interface ProcessorContext<KOut, VOut> extends ProcessingContext {
  /** Hands a record to all children, or to the named one; returns when the whole subtree has processed it. */
  forward(record: Record<KOut, VOut>, childName?: string): void;
  /** A new record; the timestamp must not be negative. */
  record<K, V>(key: K, value: V, timestamp: number, headers?: Headers): Record<K, V>;
}

/**
 * A user-defined step. One instance per task.
 *
 * `process` may return a promise (an async store range, for instance): the task then waits for it before it takes the next
 * record. Whoever returns nothing is never awaited.
 *
 * Source: Kafka Streams `processor.api.Processor`.
 *
 * @example
 * const dedupe = (): Processor<string, Order, string, Order> => {
 *   let context: ProcessorContext<string, Order>;
 *   let seen: KeyValueStore<string, string>;
 *   return {
 *     init(ctx) { context = ctx; seen = ctx.getStateStore('seen'); },
 *     process(record) {
 *       if (seen.get(record.key) === record.value.id) return;
 *       seen.put(record.key, record.value.id);
 *       context.forward(record);
 *     },
 *   };
 * };
 */
export interface Processor<KIn, VIn, KOut = never, VOut = never> {
  init?(context: ProcessorContext<KOut, VOut>): void;
  process(record: Record<KIn, VIn>): void | Promise<void>;
  close?(): void;
}

/** Makes a processor for one task: it must return a new object each time. `stores` are added and connected by themselves. */
export interface ProcessorSupplier<KIn, VIn, KOut = never, VOut = never> {
  (): Processor<KIn, VIn, KOut, VOut>;
  readonly stores?: readonly StoreBuilder[];
}

/** A record whose key cannot be changed. */
export interface FixedKeyRecord<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  readonly headers: Headers;
  withValue<V2>(value: V2): FixedKeyRecord<K, V2>;
  withTimestamp(timestamp: number): FixedKeyRecord<K, V>;
  withHeaders(headers: Headers): FixedKeyRecord<K, V>;
}

/** The context of a {@link FixedKeyProcessor}. */
export interface FixedKeyProcessorContext<K, VOut> extends ProcessingContext {
  forward(record: FixedKeyRecord<K, VOut>, childName?: string): void;
}

/** A processor that keeps the key, so that no repartitioning becomes necessary. Source: `FixedKeyProcessor`. */
export interface FixedKeyProcessor<KIn, VIn, VOut = never> {
  init?(context: FixedKeyProcessorContext<KIn, VOut>): void;
  process(record: FixedKeyRecord<KIn, VIn>): void | Promise<void>;
  close?(): void;
}

export interface FixedKeyProcessorSupplier<KIn, VIn, VOut = never> {
  (): FixedKeyProcessor<KIn, VIn, VOut>;
  readonly stores?: readonly StoreBuilder[];
}
