import { RetriableError } from '@millrace/core';

/**
 * The partition of a store is on another worker, or moves to one: ask there, or ask again a little later.
 *
 * Source: Kafka Streams `InvalidStateStorePartitionException`, `StateStoreMigratedException`, which do not say where it is.
 */
export class StoreNotHereError extends RetriableError {
  /** The partition of the store that has the answer; `undefined` when it was not about one. */
  readonly storePartition: number | undefined;
  /** `host:port` of the worker that has it, as far as it is known. */
  readonly owner: string | undefined;

  constructor(message: string, store: string, storePartition: number | undefined, owner: string | undefined) {
    super('STORE_NOT_HERE', message, { store });
    this.storePartition = storePartition;
    this.owner = owner;
  }
}
