import type { TimestampedWindowStore, WindowedKey } from './stores.ts';

/** Gets a row that nothing will change any more. `timestamp` is the row's own; for a session, its end. */
export type ClosedRowVisitor<K, V> = (key: WindowedKey<K>, value: V, timestamp: number) => void;

/**
 * What a window or session store can do when its results are emitted once, when windows close: it knows which rows have not
 * been emitted yet, and keeps these beyond its retention, so that none is lost however far time jumps.
 *
 * What is emitted belongs to the running commit: a rollback brings it back.
 */
export interface ClosingStore<K, V> {
  /** The close time of the last emission; −1 before the first. */
  readonly emittedUntil: number;
  /**
   * Visits every row that has closed and has not been emitted, in the order of window start (for sessions: end, then start),
   * then key bytes. They count as emitted from now on. The visitor must not use the store.
   *
   * @param closeTime stream time less grace (for sessions: less grace and gap)
   */
  emitClosed(closeTime: number, visit: ClosedRowVisitor<K, V>): void;
  /**
   * Says what another owner of the same rows has emitted and committed: to be called before restoring, so that old rows need
   * not be restored, and in any case before the first use. A close time below {@link emittedUntil} changes nothing.
   */
  resumeEmission(closeTime: number): void;
}

/** A window store that can tell which windows a key has. */
export interface StartIndexedWindowStore<K, V> extends TimestampedWindowStore<K, V> {
  /**
   * Fills `into` (cleared first) with the starts of the windows of a key with `from ≤ start ≤ to`, ascending. The rows of some
   * may be absent.
   */
  findStarts(key: K, from: number, to: number, into: number[]): void;
}
