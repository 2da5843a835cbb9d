import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import { dropReasons } from '../drop-reasons.ts';
import { ForeignKeyBytes, type ForeignKeySerdes } from './foreign-key-serdes.ts';
import { OutgoingResponse } from './outgoing-response.ts';
import type { SubscriptionStore } from './subscription-receive.ts';

export interface ForeignTableJoinOptions<K, L, FK> {
  /** A {@link SubscriptionStore}. */
  readonly store: string;
  readonly serdes: ForeignKeySerdes<K, L, FK>;
}

/**
 * Tells all subscribers of a foreign-key join about each change of a row of the right table, in the order of the bytes of their
 * keys. Changes without key, and those of a versioned table that are older than the row, are dropped.
 *
 * The subscribers are found by a scan, which is asynchronous: the task waits for it before it takes its next record. Changes that
 * come meanwhile (a flush of the right table's cache brings several at once) wait for their turn.
 *
 * Source: Kafka Streams `ForeignTableJoinProcessorSupplier`.
 */
export function foreignTableJoinOperator<K, L, FK>(options: ForeignTableJoinOptions<K, L, FK>): NodeProcessorSupplier {
  return () => new ForeignTableJoinProcessor(options);
}

/** A change of the right table, with the place that its record came from. */
interface RightChange {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: Headers;
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number;
}

class ForeignTableJoinProcessor<K, L, FK, R> implements NodeProcessor {
  readonly #options: ForeignTableJoinOptions<K, L, FK>;
  readonly #response = new OutgoingResponse<R>();
  #context!: NodeContext;
  #store!: SubscriptionStore;
  #bytes!: ForeignKeyBytes<K, L, FK>;
  /** Changes that came during a scan; `undefined` while there is none. */
  #waiting: RightChange[] | undefined;

  constructor(options: ForeignTableJoinOptions<K, L, FK>) {
    this.#options = options;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#store = context.getStore<SubscriptionStore>(this.#options.store);
    this.#bytes = new ForeignKeyBytes(this.#options.serdes, context);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, _oldValue: unknown, isLatest: boolean): void {
    if (key == null || !isLatest) {
      this.#context.dropped(key == null ? dropReasons.nullKey : dropReasons.notLatest);
      return;
    }
    const { topic, partition, offset } = this.#context.recordContext;
    const change = { key, value, timestamp, headers, topic, partition, offset };
    if (this.#waiting !== undefined) {
      this.#waiting.push(change);
      return;
    }
    this.#waiting = [];
    this.#context.waitFor(this.#answerAll(change));
  }

  async #answerAll(first: RightChange): Promise<void> {
    try {
      for (let change: RightChange | undefined = first; change !== undefined; change = this.#waiting?.shift()) {
        await this.#answer(change);
      }
    } finally {
      this.#waiting = undefined;
    }
  }

  async #answer(change: RightChange): Promise<void> {
    try {
      const prefix = Buffer.from(this.#bytes.prefix(change.key as FK));
      for await (const [key, { value: subscription }] of this.#store.prefixScan(prefix)) {
        const primaryKey = this.#bytes.readPrimaryKey(key.subarray(prefix.length));
        this.#forward(primaryKey, this.#response.answer(subscription, (change.value ?? undefined) as R | undefined), change);
      }
    } catch (error) {
      if (this.#context.onAsyncError === undefined) throw error;
      this.#context.onAsyncError(error, change.key, change.value);
    }
  }

  /** Shows the nodes below the record that the change came with: by now the task may be at another one. */
  #forward(primaryKey: K, response: OutgoingResponse<R>, change: RightChange): void {
    const { recordContext } = this.#context;
    const { topic, partition, offset, timestamp, headers } = recordContext;
    recordContext.set(change.topic, change.partition, change.offset, change.timestamp, change.headers);
    this.#context.forward(primaryKey, response, change.timestamp, change.headers, undefined, true);
    recordContext.set(topic, partition, offset, timestamp, headers);
  }
}
