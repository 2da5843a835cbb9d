import type { QueryIsolation, StoreQuery } from './store-query.ts';

/** What a partition of a store is on this worker. */
export type StatePhase = 'running' | 'restoring' | 'standby';

/** A place at which partitions of a store can be asked for. */
export interface StoreHost {
  /** `host:port`, see the setting `applicationServer`. */
  readonly endpoint: string;
  readonly activePartitions: readonly number[];
  readonly standbyPartitions: readonly number[];
}

/** Where the partitions of a store are, as one loop knows it. Plain data. */
export interface StorePlace {
  /** As the store's builder names it. */
  readonly kind: string;
  /** True for a global store: every process has all of it, and it has no partitions. */
  readonly isGlobal: boolean;
  /** How many partitions the store has in all. */
  readonly partitions: number;
  /** To which of them the key belongs, if it was placed by the default partitioner. */
  readonly keyPartition: number | undefined;
  readonly here: readonly { readonly partition: number; readonly phase: StatePhase }[];
  /** Members of the group that say where they can be asked. */
  readonly hosts: readonly StoreHost[];
}

/** One question to one partition. Plain data. */
export interface StoreRead {
  readonly store: string;
  /** `undefined` for a global store. */
  readonly partition: number | undefined;
  readonly query: StoreQuery;
  readonly allowStale: boolean;
  readonly isolation: QueryIsolation;
}

/** The stores that one loop has: of an application without threads, or of one thread. */
export interface StoreSource {
  /**
   * @param asked the key whose partition is wanted, if any
   * @throws SettingsError `STORE_UNKNOWN`, `STORE_NOT_QUERYABLE`; RetriableError when the broker cannot be asked for the partitions
   */
  locate(store: string, asked?: { readonly key: unknown }): Promise<StorePlace>;
  /**
   * The answer, in pages. Ending the loop early releases everything.
   *
   * @throws RetriableError `STORE_NOT_READY` when the partition is not here any more
   */
  read(request: StoreRead): AsyncIterable<readonly unknown[]>;
}
