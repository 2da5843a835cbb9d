import type { StoreBuilder } from '@millrace/state';
import type { ProcessingContext } from '@millrace/topology';

/**
 * Makes new values of a table's rows, with stores at hand. One instance per task, and one more per operator that looks the rows
 * up while they are not kept in a store.
 *
 * Source: Kafka Streams `ValueTransformerWithKey`. Differs: value first, key second.
 */
export interface ValueTransformer<K, V, R> {
  /** Called once, before anything else. Punctuators scheduled here cannot forward. */
  init?(context: ProcessingContext): void;
  /**
   * @param value absent when the row was deleted; unlike the function of `mapValues` this one is called then, too
   * @returns the new value; an absent one deletes the row
   */
  transform(value: V | undefined, key: K): R;
  close?(): void;
}

/** Makes a transformer: it must return a new object each time. `stores` are added and connected by themselves. */
export interface ValueTransformerSupplier<K, V, R> {
  (): ValueTransformer<K, V, R>;
  readonly stores?: readonly StoreBuilder[];
}
