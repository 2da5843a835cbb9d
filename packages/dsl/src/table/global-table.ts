import type { GlobalTableOrigin } from '../origin/origins.ts';

/**
 * A table of which every process holds all rows. Streams are joined with it; it has no operators of its own.
 *
 * Source: Kafka Streams `GlobalKTable`.
 */
export class GlobalKTable<K, V> {
  /** @internal What joins build on. */
  readonly origin: GlobalTableOrigin<K, V>;

  /** @internal Global tables come from `StreamsBuilder.globalTable`. */
  constructor(origin: GlobalTableOrigin<K, V>) {
    this.origin = origin;
  }

  /** Name of the store that holds the rows. */
  get storeName(): string {
    return this.origin.storeName;
  }
}
