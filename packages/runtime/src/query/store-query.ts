/** A question to a store, as plain data: it may be asked of another thread. Absent bounds are open. */
export type StoreQuery =
  // Key-value stores.
  | { readonly kind: 'get'; readonly key: unknown }
  | { readonly kind: 'range'; readonly from: unknown; readonly to: unknown; readonly reverse: boolean }
  | { readonly kind: 'prefix'; readonly prefix: Uint8Array }
  | { readonly kind: 'count' }
  // Versioned stores.
  | { readonly kind: 'version'; readonly key: unknown; readonly asOf: number | undefined }
  | { readonly kind: 'latest' }
  // Window stores.
  | { readonly kind: 'window'; readonly key: unknown; readonly windowStart: number }
  | {
      readonly kind: 'windows-of-key';
      readonly key: unknown;
      readonly from: number;
      readonly to: number;
      readonly reverse: boolean;
    }
  | {
      readonly kind: 'windows';
      readonly keyFrom: unknown;
      readonly keyTo: unknown;
      readonly from: number;
      readonly to: number;
      readonly reverse: boolean;
    }
  // Session stores.
  | { readonly kind: 'session'; readonly key: unknown; readonly start: number; readonly end: number }
  | {
      readonly kind: 'sessions-of-key';
      readonly key: unknown;
      readonly earliestEnd: number;
      readonly latestStart: number;
      readonly reverse: boolean;
    }
  | { readonly kind: 'sessions'; readonly keyFrom: unknown; readonly keyTo: unknown };

/** Which stores answer which questions. */
export type StoreFamily = 'keyValue' | 'versioned' | 'window' | 'session';

const FAMILIES: Readonly<{ [kind: string]: StoreFamily }> = {
  keyValue: 'keyValue',
  timestampedKeyValue: 'keyValue',
  versioned: 'versioned',
  window: 'window',
  timestampedWindow: 'window',
  session: 'session',
};

/** The family of a store, by the kind that its builder names; `undefined`: one that cannot be queried. */
export function familyOf(kind: string): StoreFamily | undefined {
  return Object.hasOwn(FAMILIES, kind) ? FAMILIES[kind] : undefined;
}

/** True for stores whose rows have values with timestamps, of which those who ask may want the values only. */
export function isTimestamped(kind: string): boolean {
  return kind === 'timestampedKeyValue' || kind === 'timestampedWindow';
}

/** The key that a question is about, when it is about one: then one partition has the answer. */
export function keyOf(query: StoreQuery): { readonly key: unknown } | undefined {
  return 'key' in query ? query : undefined;
}

/** What of a store's rows counts. */
export type QueryIsolation = 'read_committed' | 'read_uncommitted';

/** How a store is asked. */
export interface StoreQueryOptions {
  /**
   * Asks this partition only. Needed where keys were not placed by Kafka's default partitioner (murmur2 of the serialised key), and
   * a worker has not all partitions. Default: that of the key; for ranges all partitions that are here.
   * Kafka Streams: `StoreQueryParameters.withPartition`.
   */
  readonly partition?: number | undefined;
  /**
   * Lets standby tasks and tasks that are still being restored answer too. What they say may be of some time ago, and may show a part of
   * a commit. Default false. Kafka Streams: `StoreQueryParameters.enableStaleStores`.
   */
  readonly allowStale?: boolean | undefined;
  /**
   * `read_committed`: rows as of the last commit of their task. `read_uncommitted`: also what was written since, which may still be
   * taken back; only of tasks that run. Default `read_committed`. Kafka Streams reads what is uncommitted, always.
   */
  readonly isolation?: QueryIsolation | undefined;
}
