import type { Headers } from '@millrace/core';
import type { TimestampedKeyValueStore } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import { dropReasons } from '../drop-reasons.ts';
import { ForeignKeyBytes, type ForeignKeySerdes } from './foreign-key-serdes.ts';
import { instructions, type Subscription } from './subscription.ts';

/** Subscriptions by `{length of the foreign key}{foreign key}{primary key}`. */
export type SubscriptionStore = TimestampedKeyValueStore<Uint8Array, Subscription>;

export interface SubscriptionReceiveOptions<K, L, FK> {
  /** A {@link SubscriptionStore}. */
  readonly store: string;
  readonly serdes: ForeignKeySerdes<K, L, FK>;
}

/**
 * Where subscriptions of a foreign-key join arrive, in the task of the right row: keeps or forgets them, and hands them on to be
 * answered. One without foreign key is answered (with nothing) if its instruction demands that, else dropped.
 *
 * Source: Kafka Streams `SubscriptionReceiveProcessorSupplier`.
 */
export function subscriptionReceiveOperator<K, L, FK>(options: SubscriptionReceiveOptions<K, L, FK>): NodeProcessorSupplier {
  return () => new SubscriptionReceiveProcessor(options);
}

class SubscriptionReceiveProcessor<K, L, FK> implements NodeProcessor {
  readonly #options: SubscriptionReceiveOptions<K, L, FK>;
  #context!: NodeContext;
  #store!: SubscriptionStore;
  #bytes!: ForeignKeyBytes<K, L, FK>;

  constructor(options: SubscriptionReceiveOptions<K, L, FK>) {
    this.#options = options;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#store = context.getStore<SubscriptionStore>(this.#options.store);
    this.#bytes = new ForeignKeyBytes(this.#options.serdes, context);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const subscription = value as Subscription;
    const { instruction } = subscription;
    if (key == null && instruction !== instructions.answerAlways) {
      this.#context.dropped(dropReasons.nullForeignKey);
      return;
    }
    if (key != null) {
      const ends = instruction === instructions.deleteSilently || instruction === instructions.deleteAndAnswer;
      const row = this.#store.find(this.#bytes.subscriptionKey(key as FK, subscription.primaryKey));
      this.#store.write(row, ends ? undefined : subscription, timestamp);
    }
    this.#context.forward(key, subscription, timestamp, headers, undefined, true);
  }
}
