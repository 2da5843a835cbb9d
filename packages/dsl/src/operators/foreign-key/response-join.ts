import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { Joiner } from '../callbacks.ts';
import { dropReasons } from '../drop-reasons.ts';
import { assertSynchronous } from '../synchronous-result.ts';
import type { TableValueGetter, TableView } from '../table-view.ts';
import { ForeignKeyBytes, type ForeignKeySerdes } from './foreign-key-serdes.ts';
import type { SubscriptionResponse } from './subscription-response.ts';

export interface ResponseJoinOptions<K, L, FK, R, Out> {
  readonly kind: 'inner' | 'left';
  /** The left table; its `stores` must be connected to the node. */
  readonly left: TableView<K, L>;
  readonly joiner: Joiner<K, L, R | undefined, Out>;
  readonly serdes: ForeignKeySerdes<K, L, FK>;
}

/**
 * The end of a foreign-key join: joins each answer with the row that the left table has now. Without right row the result is
 * deleted, unless it is a left join and the left row is there.
 *
 * An answer for another value than the current one is out of date: it is dropped, as the answer to the current one is on its
 * way. So results can be skipped, but an old one never replaces a newer one.
 *
 * Source: Kafka Streams `ResponseJoinProcessorSupplier`.
 */
export function responseJoinOperator<K, L, FK, R, Out>(options: ResponseJoinOptions<K, L, FK, R, Out>): NodeProcessorSupplier {
  return () => new ResponseJoinProcessor(options);
}

class ResponseJoinProcessor<K, L, FK, R, Out> implements NodeProcessor {
  readonly #left: boolean;
  readonly #joiner: Joiner<K, L, R | undefined, Out>;
  readonly #serdes: ForeignKeySerdes<K, L, FK>;
  readonly #getter: TableValueGetter<K, L>;
  #context!: NodeContext;
  #bytes!: ForeignKeyBytes<K, L, FK>;

  constructor({ kind, left, joiner, serdes }: ResponseJoinOptions<K, L, FK, R, Out>) {
    this.#left = kind === 'left';
    this.#joiner = joiner;
    this.#serdes = serdes;
    this.#getter = left.createGetter();
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#getter.init(context);
    this.#bytes = new ForeignKeyBytes(this.#serdes, context);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const { hash, foreignValue } = value as SubscriptionResponse<R>;
    const current = this.#getter.get(key as K) ?? undefined;
    if (!this.#isFor(current, hash)) {
      this.#context.dropped(dropReasons.staleResponse);
      return;
    }
    // Without left value there is a right one only if somebody else wrote the answer: a left row that is gone has no result.
    const joins = current !== undefined && (this.#left || foreignValue != null);
    const result = joins ? this.#join(key as K, current, foreignValue ?? undefined) : undefined;
    this.#context.forward(key, result, timestamp, headers, undefined, true);
  }

  close(): void {
    this.#getter.close?.();
  }

  #isFor(current: L | undefined, hash: Buffer | undefined): boolean {
    if (current === undefined || hash === undefined) return current === undefined && hash === undefined;
    return this.#bytes.hash(current).equals(hash);
  }

  #join(key: K, left: L, right: R | undefined): Out {
    const result = this.#joiner(left, right, key);
    assertSynchronous(result, 'the joiner');
    return result;
  }
}
