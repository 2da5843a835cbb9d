import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { TableValueGetter, TableView } from '../table-view.ts';
import { ForeignKeyBytes, type ForeignKeySerdes } from './foreign-key-serdes.ts';
import { OutgoingResponse } from './outgoing-response.ts';
import { instructions, type Subscription } from './subscription.ts';

export interface SubscriptionJoinOptions<K, L, FK, R> {
  /** The right table; its `stores` must be connected to the node. */
  readonly right: TableView<FK, R>;
  readonly serdes: ForeignKeySerdes<K, L, FK>;
}

/**
 * Answers each new subscription of a foreign-key join with the row that the right table has now. The key of an answer is that of
 * the left row, its timestamp the later one of subscription and right row. A row that was made since the last commit, and is deleted
 * before the next, is told to the subscribers, where Kafka Streams forgets both changes and the results stay.
 *
 * Source: Kafka Streams `SubscriptionJoinProcessorSupplier`.
 */
export function subscriptionJoinOperator<K, L, FK, R>(options: SubscriptionJoinOptions<K, L, FK, R>): NodeProcessorSupplier {
  return () => new SubscriptionJoinProcessor(options);
}

class SubscriptionJoinProcessor<K, L, FK, R> implements NodeProcessor {
  readonly #serdes: ForeignKeySerdes<K, L, FK>;
  readonly #getter: TableValueGetter<FK, R>;
  readonly #response = new OutgoingResponse<R>();
  #context!: NodeContext;
  #bytes!: ForeignKeyBytes<K, L, FK>;

  constructor({ right, serdes }: SubscriptionJoinOptions<K, L, FK, R>) {
    this.#serdes = serdes;
    this.#getter = right.createGetter();
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#getter.init(context);
    this.#bytes = new ForeignKeyBytes(this.#serdes, context);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const subscription = value as Subscription;
    const { instruction } = subscription;
    if (instruction === instructions.deleteSilently) return;
    const row = key == null ? undefined : (this.#getter.get(key as FK) ?? undefined);
    if (row === undefined && instruction === instructions.answerIfPresent) return;
    const resultTimestamp = row === undefined ? timestamp : Math.max(timestamp, this.#getter.timestamp);
    const answer = instruction === instructions.deleteAndAnswer ? undefined : row;
    if (answer !== undefined) this.#getter.markSeen?.(key as FK);
    const response = this.#response.answer(subscription, answer);
    const primaryKey = this.#bytes.readPrimaryKey(subscription.primaryKey);
    this.#context.forward(primaryKey, response, resultTimestamp, headers, undefined, true);
  }

  close(): void {
    this.#getter.close?.();
  }
}
