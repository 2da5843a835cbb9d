import type { BrokerStorage } from '../storage/broker-storage.ts';

/** So many are reserved at once, as Kafka does: a restart skips the rest, and no id is ever given twice. */
const BLOCK = 1000;

/** Gives out producer ids. */
export class ProducerIds {
  readonly #storage: BrokerStorage;
  #next = 0;
  #end = 0;

  constructor(storage: BrokerStorage) {
    this.#storage = storage;
  }

  next(): number {
    if (this.#next === this.#end) {
      this.#next = this.#storage.reserveProducerIds(BLOCK);
      this.#end = this.#next + BLOCK;
    }
    return this.#next++;
  }
}
