import type { Record } from '@millrace/core';
import type { StoreBuilder } from '@millrace/state';
import type { AsyncCall } from '../node/async-operator.ts';
import type { ProcessorContext } from './processor.ts';

/**
 * A user-defined step in two halves: `request` calls something outside, for several records at a time; `process` takes the
 * answer, one record at a time, with stores and `forward`. One instance per task.
 *
 * What `process` does belongs to the transaction of the record. What `request` does outside does not: it is called again when
 * an attempt fails, and when the record is processed again after a crash.
 *
 * @example
 * const scored = (): AsyncProcessor<string, Order, number, string, Scored> => {
 *   let context: ProcessorContext<string, Scored>;
 *   let worst: KeyValueStore<string, number>;
 *   return {
 *     init(given) { context = given; worst = given.getStateStore('worst'); },
 *     request: (record, { signal }) => scores.of(record.value, { signal }),
 *     process(record, score) {
 *       worst.put(record.key, Math.min(score, worst.get(record.key) ?? score));
 *       context.forward(record.withValue({ ...record.value, score }));
 *     },
 *   };
 * };
 */
export interface AsyncProcessor<KIn, VIn, R, KOut = never, VOut = never> {
  init?(context: ProcessorContext<KOut, VOut>): void;
  /** One attempt. It may read stores, in the order `perKey` with all that `process` did for the key before; it may not write. */
  request(record: Record<KIn, VIn>, call: AsyncCall): PromiseLike<R>;
  /** Takes what `request` answered. Synchronous: the record is done when it returns. */
  process(record: Record<KIn, VIn>, result: R): void;
  close?(): void;
}

/** Makes a processor for one task: it must return a new object each time. `stores` are added and connected by themselves. */
export interface AsyncProcessorSupplier<KIn, VIn, R, KOut = never, VOut = never> {
  (): AsyncProcessor<KIn, VIn, R, KOut, VOut>;
  readonly stores?: readonly StoreBuilder[];
}
