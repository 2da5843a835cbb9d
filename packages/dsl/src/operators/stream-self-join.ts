import type { Headers } from '@millrace/core';
import type { JoinStore } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { JoinWindows } from '../windows/join-windows.ts';
import type { Joiner } from './callbacks.ts';
import { dropReasons } from './drop-reasons.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface StreamSelfJoinOptions<K, V, Out> {
  readonly windows: JoinWindows;
  readonly joiner: Joiner<K, V, V, Out>;
  /** The join store, which the `…-windowed` node above fills. */
  readonly store: string;
}

/**
 * A join of a stream with itself over one store: gives the results of the inner join of both sides, in the same order. A
 * record is joined with itself, unless it is older than what the store keeps.
 *
 * Source: Kafka Streams `KStreamKStreamSelfJoin`.
 */
export function streamSelfJoinOperator<K, V, Out>(options: StreamSelfJoinOptions<K, V, Out>): NodeProcessorSupplier {
  return () => new StreamSelfJoinProcessor(options);
}

class StreamSelfJoinProcessor<K, V, Out> implements NodeProcessor {
  readonly #windows: JoinWindows;
  readonly #joiner: Joiner<K, V, V, Out>;
  readonly #storeName: string;
  #context!: NodeContext;
  #store!: JoinStore<K, V>;
  #streamTime = -1;

  constructor(options: StreamSelfJoinOptions<K, V, Out>) {
    this.#windows = options.windows;
    this.#joiner = options.joiner;
    this.#storeName = options.store;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#store = context.getStore(this.#storeName);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (key == null || value == null) {
      this.#context.dropped(dropReasons.nullKeyOrValue);
      return;
    }
    this.#streamTime = Math.max(this.#streamTime, timestamp);
    this.#joinAsLeft(key as K, value as V, timestamp, headers);
    this.#joinAsRight(key as K, value as V, timestamp, headers);
  }

  #joinAsLeft(key: K, value: V, timestamp: number, headers: Headers): void {
    const { beforeMs, afterMs } = this.#windows;
    const store = this.#store;
    const matches = store.fetch(key, Math.max(0, timestamp - beforeMs), Math.max(0, timestamp + afterMs));
    for (let i = 0; i < matches; i++) {
      this.#forward(key, value, store.matchValue(i), Math.max(timestamp, store.matchTimestamp(i)), headers);
    }
  }

  /** The record meets itself between the older and the newer ones, so that results come in order of time. */
  #joinAsRight(key: K, value: V, timestamp: number, headers: Headers): void {
    const { beforeMs, afterMs, retentionMs } = this.#windows;
    const store = this.#store;
    let meetsItself = timestamp > this.#streamTime - retentionMs + 1;
    const matches = store.fetch(key, Math.max(0, timestamp - afterMs), Math.max(0, timestamp + beforeMs));
    for (let i = 0; i < matches; i++) {
      const matchTimestamp = store.matchTimestamp(i);
      if (meetsItself && matchTimestamp > timestamp) {
        meetsItself = false;
        this.#forward(key, value, value, timestamp, headers);
      }
      this.#forward(key, store.matchValue(i), value, Math.max(timestamp, matchTimestamp), headers);
    }
    if (meetsItself) this.#forward(key, value, value, timestamp, headers);
  }

  #forward(key: K, left: V, right: V, timestamp: number, headers: Headers): void {
    const result = this.#joiner(left, right, key);
    assertSynchronous(result, 'the joiner');
    this.#context.forward(key, result, timestamp, headers, undefined, true);
  }
}
