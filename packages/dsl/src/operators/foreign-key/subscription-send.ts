import { type Headers, parseTaskId } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import { dropReasons } from '../drop-reasons.ts';
import { assertSynchronous } from '../synchronous-result.ts';
import { ForeignKeyBytes, type ForeignKeySerdes } from './foreign-key-serdes.ts';
import { type Instruction, instructions, type Subscription } from './subscription.ts';

/** Says which row of the right table a row of the left one refers to; an absent key refers to none. */
export type ForeignKeyExtractor<K, L, FK> = (value: L, key: K) => FK | null | undefined;

export interface SubscriptionSendOptions<K, L, FK> {
  readonly kind: 'inner' | 'left';
  readonly foreignKey: ForeignKeyExtractor<K, L, FK>;
  readonly serdes: ForeignKeySerdes<K, L, FK>;
}

/**
 * The beginning of a foreign-key join: turns each change of the left table into subscriptions to rows of the right one. The key
 * of what it sends is the foreign key.
 *
 * An inner join gives up its old subscription, with an answer that deletes the result, when the row goes or refers to nothing
 * any more (the latter is counted as dropped). A left join asks for an answer in any case.
 *
 * Source: Kafka Streams `SubscriptionSendProcessorSupplier` as of 4.1 (KAFKA-16407, KAFKA-16434). Differs: the answer is sent to
 * the partition of the task, so a change that comes from a punctuator finds its way, too (KAFKA-20792).
 */
export function subscriptionSendOperator<K, L, FK>(options: SubscriptionSendOptions<K, L, FK>): NodeProcessorSupplier {
  return () => new SubscriptionSendProcessor(options);
}

/** The one subscription of a node: the sink below writes it at once. */
class OutgoingSubscription implements Subscription {
  instruction: Instruction = instructions.deleteSilently;
  hash: Buffer | undefined = undefined;
  primaryKey: Buffer = Buffer.alloc(0);
  primaryPartition = 0;
}

class SubscriptionSendProcessor<K, L, FK> implements NodeProcessor {
  readonly #options: SubscriptionSendOptions<K, L, FK>;
  readonly #outgoing = new OutgoingSubscription();
  #context!: NodeContext;
  #bytes!: ForeignKeyBytes<K, L, FK>;

  constructor(options: SubscriptionSendOptions<K, L, FK>) {
    this.#options = options;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#bytes = new ForeignKeyBytes(this.#options.serdes, context);
    this.#outgoing.primaryPartition = parseTaskId(context.taskId).partition;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    if (!isLatest) {
      this.#context.dropped(dropReasons.notLatest);
      return;
    }
    if (value == null && oldValue == null) return;
    const before = this.#extract(key as K, oldValue);
    const now = this.#extract(key as K, value);
    const outgoing = this.#outgoing;
    outgoing.hash = value == null ? undefined : this.#bytes.hash(value as L);
    // The last of the bytes to be made: they are valid until the next ones are.
    outgoing.primaryKey = this.#bytes.primaryKey(key as K);
    if (this.#options.kind === 'left') this.#sendLeft(before, now, timestamp, headers);
    else this.#sendInner(before, now, value != null, timestamp, headers);
  }

  #sendLeft(before: FK | undefined, now: FK | undefined, timestamp: number, headers: Headers): void {
    if (before !== undefined && this.#changed(before, now)) {
      this.#send(before, instructions.deleteSilently, timestamp, headers);
    }
    this.#send(now, instructions.answerAlways, timestamp, headers);
  }

  #sendInner(before: FK | undefined, now: FK | undefined, present: boolean, timestamp: number, headers: Headers): void {
    if (now === undefined) {
      if (present) this.#context.dropped(dropReasons.nullForeignKey);
      if (before !== undefined) this.#send(before, instructions.deleteAndAnswer, timestamp, headers);
    } else if (before !== undefined && this.#changed(before, now)) {
      this.#send(before, instructions.deleteSilently, timestamp, headers);
      // The result of the old reference has to go, even if the new one leads nowhere.
      this.#send(now, instructions.answerAlways, timestamp, headers);
    } else {
      this.#send(now, instructions.answerIfPresent, timestamp, headers);
    }
  }

  #extract(key: K, value: unknown): FK | undefined {
    if (value == null) return undefined;
    const foreignKey = this.#options.foreignKey(value as L, key);
    assertSynchronous(foreignKey, 'foreignKey');
    return foreignKey ?? undefined;
  }

  #changed(before: FK, now: FK | undefined): boolean {
    return now === undefined || !this.#bytes.sameForeignKey(before, now);
  }

  #send(foreignKey: FK | undefined, instruction: Instruction, timestamp: number, headers: Headers): void {
    this.#outgoing.instruction = instruction;
    this.#context.forward(foreignKey, this.#outgoing, timestamp, headers, undefined, true);
  }
}
