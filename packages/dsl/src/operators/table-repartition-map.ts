import { type Headers, ProcessingError, type Serde } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { RecordMapper } from './callbacks.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface TableRepartitionMapOptions<K, V, K2, V2> {
  /** A pair, or a key or value in it, may be absent: that half of the change is then left out. */
  readonly mapper: RecordMapper<K, V, K2 | undefined, V2 | undefined>;
  /** Tells whether two groups are one: their keys have the same bytes. */
  readonly key: Serde<K2>;
}

/**
 * `KTable.groupBy` before the repartition topic: maps old and new value of each change to their groups. When both belong to one
 * group the change stays whole; otherwise the old value leaves its group first, and then the new one enters its own.
 *
 * Changes of versioned tables that are older than the row are left out; they are not counted as dropped.
 *
 * Source: Kafka Streams `KTableRepartitionMap` (KIP-904, KIP-914).
 */
export function tableRepartitionMapOperator<K, V, K2, V2>(
  options: TableRepartitionMapOptions<K, V, K2, V2>,
): NodeProcessorSupplier {
  return () => new TableRepartitionMapProcessor(options);
}

/** A group and the value that it gets or loses; both are there. */
type Member<K, V> = readonly [key: K, value: V];

class TableRepartitionMapProcessor<K, V, K2, V2> implements NodeProcessor {
  readonly #mapper: RecordMapper<K, V, K2 | undefined, V2 | undefined>;
  readonly #key: Serde<K2>;
  #context!: NodeContext;

  constructor({ mapper, key }: TableRepartitionMapOptions<K, V, K2, V2>) {
    this.#mapper = mapper;
    this.#key = key;
  }

  init(context: NodeContext): void {
    this.#context = context;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    if (key == null) {
      throw new ProcessingError('NULL_KEY', 'a change without key cannot be grouped; filter such records before', {
        node: this.#context.nodeName,
      });
    }
    if (!isLatest) return;
    const added = this.#map(key as K, value);
    const removed = this.#map(key as K, oldValue);
    const context = this.#context;
    if (added !== undefined && removed !== undefined && this.#sameKey(added[0], removed[0])) {
      context.forward(added[0], added[1], timestamp, headers, removed[1], true);
      return;
    }
    if (removed !== undefined) context.forward(removed[0], undefined, timestamp, headers, removed[1], true);
    if (added !== undefined) context.forward(added[0], added[1], timestamp, headers, undefined, true);
  }

  #map(key: K, value: unknown): Member<K2, V2> | undefined {
    if (value == null) return undefined;
    const pair = this.#mapper(value as V, key);
    assertSynchronous(pair, 'groupBy');
    return pair?.[0] == null || pair[1] == null ? undefined : (pair as Member<K2, V2>);
  }

  #sameKey(a: K2, b: K2): boolean {
    if (a === b) return true;
    if (typeof a !== 'object' || typeof b !== 'object') return false;
    const { nodeName } = this.#context;
    return Buffer.compare(this.#key.serialize(a, nodeName), this.#key.serialize(b, nodeName)) === 0;
  }
}
