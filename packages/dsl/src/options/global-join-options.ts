import type { Serde } from '@millrace/core';
import type { NamedOptions } from './operator-options.ts';
import type { Sync } from './synchronous.ts';

/** How a stream is joined with a global table. */
export interface GlobalJoinOptions<K, L, GK, Out> extends NamedOptions {
  /** The key to look up. Absent: nothing to join with; an inner join drops the record then. */
  readonly keySelector: (value: NonNullable<L>, key: K) => Sync<GK | null | undefined>;
  /** Serde of the result. */
  readonly value?: Serde<Out>;
}
