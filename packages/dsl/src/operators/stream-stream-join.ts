import type { Headers } from '@millrace/core';
import type { JoinSide, JoinStore, OuterJoinStore } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { JoinWindows } from '../windows/join-windows.ts';
import type { Joiner } from './callbacks.ts';
import { dropReasons } from './drop-reasons.ts';
import { type JoinTimeTracker, JoinTimeTrackers } from './join-time-tracker.ts';
import { assertSynchronous } from './synchronous-result.ts';

export type StreamJoinKind = 'inner' | 'left' | 'outer';

export interface StreamStreamJoinOptions<K, L, R, Out> {
  readonly kind: StreamJoinKind;
  readonly windows: JoinWindows;
  readonly joiner: Joiner<K, L | undefined, R | undefined, Out>;
  /** Join store with the records of the left stream. */
  readonly leftStore: string;
  readonly rightStore: string;
  /** Outer join store for the records that wait for a partner; needed unless the join is inner. */
  readonly outerStore?: string | undefined;
}

/** The two join nodes; each stands below the `streamJoinWindowOperator` of its side. */
export interface StreamStreamJoinOperators {
  /** Needs the stores `rightStore` and `outerStore`. */
  readonly left: NodeProcessorSupplier;
  /** Needs the stores `leftStore` and `outerStore`. */
  readonly right: NodeProcessorSupplier;
}

/**
 * `KStream.join`, `leftJoin` and `outerJoin` with another stream.
 *
 * A record is joined with every record of its key on the other side whose time is within the window, in order of time, then
 * arrival; the result has the later of the two times and the headers of the record that arrived last. On an outer side a
 * record that finds no partner waits until stream time (of both sides) has passed the end of its window plus grace; its
 * result then comes before those of the record that moved the time. If its window has passed already when it arrives, its
 * result comes at once, grace or not.
 *
 * Records without value, and without key on a side that is not outer, are dropped, yet they move stream time. On an outer
 * side a record without key is joined with nothing at once.
 *
 * Source: Kafka Streams `KStreamKStreamJoin`, timing of emissions included (kafka-streams §3.2).
 */
export function streamStreamJoinOperators<K, L, R, Out>(
  options: StreamStreamJoinOptions<K, L, R, Out>,
): StreamStreamJoinOperators {
  const trackers = new JoinTimeTrackers();
  return {
    left: () => new StreamStreamJoinProcessor('left', options, trackers),
    right: () => new StreamStreamJoinProcessor('right', options, trackers),
  };
}

class StreamStreamJoinProcessor<K, L, R, Out> implements NodeProcessor {
  readonly #side: JoinSide;
  readonly #otherSide: JoinSide;
  /** True when an unmatched record of this side gives a result of its own. */
  readonly #outer: boolean;
  /** True when records of the other side may be waiting for this one. */
  readonly #otherOuter: boolean;
  readonly #windows: JoinWindows;
  /** Bounds as this side sees them: the right side looks through the window from the other end. */
  readonly #beforeMs: number;
  readonly #afterMs: number;
  readonly #otherStoreName: string;
  readonly #outerStoreName: string | undefined;
  readonly #joiner: Joiner<K, L | undefined, R | undefined, Out>;
  readonly #trackers: JoinTimeTrackers;
  #context!: NodeContext;
  #otherStore!: JoinStore<K, L | R>;
  #outerStore: OuterJoinStore<K, L, R> | undefined;
  #tracker!: JoinTimeTracker;

  constructor(side: JoinSide, options: StreamStreamJoinOptions<K, L, R, Out>, trackers: JoinTimeTrackers) {
    const left = side === 'left';
    this.#side = side;
    this.#otherSide = left ? 'right' : 'left';
    this.#outer = options.kind === 'outer' || (options.kind === 'left' && left);
    this.#otherOuter = options.kind === 'outer' || (options.kind === 'left' && !left);
    this.#windows = options.windows;
    this.#beforeMs = left ? options.windows.beforeMs : options.windows.afterMs;
    this.#afterMs = left ? options.windows.afterMs : options.windows.beforeMs;
    this.#otherStoreName = left ? options.rightStore : options.leftStore;
    this.#outerStoreName = options.outerStore;
    this.#joiner = options.joiner;
    this.#trackers = trackers;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#otherStore = context.getStore<JoinStore<K, L | R>>(this.#otherStoreName);
    this.#outerStore =
      this.#outerStoreName === undefined ? undefined : context.getStore<OuterJoinStore<K, L, R>>(this.#outerStoreName);
    this.#tracker = this.#trackers.of(context);
    this.#tracker.reset();
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const tracker = this.#tracker;
    tracker.observe(timestamp);
    if (value == null || (key == null && !this.#outer)) {
      this.#context.dropped(dropReasons.nullKeyOrValue);
      return;
    }
    if (key == null) {
      this.#forwardUnmatched(this.#side, key as K, value as L | R, timestamp, headers);
      return;
    }
    if (this.#outerStore !== undefined && timestamp === tracker.streamTime) this.#emitExpired(this.#outerStore, headers);
    const matches = this.#joinMatches(key as K, value as L | R, timestamp, headers);
    if (matches === 0 && this.#outer) this.#keepUnmatched(key as K, value as L | R, timestamp, headers);
  }

  #joinMatches(key: K, value: L | R, timestamp: number, headers: Headers): number {
    const store = this.#otherStore;
    const from = Math.max(0, timestamp - this.#beforeMs);
    const to = Math.max(0, timestamp + this.#afterMs);
    const matches = store.fetch(key, from, to);
    for (let i = 0; i < matches; i++) {
      const matchTimestamp = store.matchTimestamp(i);
      // Several pending records of one key and time share a list: one match clears them all.
      if (this.#otherOuter) this.#outerStore?.remove(this.#otherSide, key, matchTimestamp);
      this.#forward(this.#side, key, value, store.matchValue(i), Math.max(timestamp, matchTimestamp), headers);
    }
    return matches;
  }

  #keepUnmatched(key: K, value: L | R, timestamp: number, headers: Headers): void {
    const tracker = this.#tracker;
    if (Math.max(0, timestamp + this.#afterMs) < tracker.streamTime) {
      this.#forwardUnmatched(this.#side, key, value, timestamp, headers);
      return;
    }
    tracker.minPendingTime = Math.min(tracker.minPendingTime ?? timestamp, timestamp);
    this.#outerStore?.put(this.#side, key, value, timestamp);
  }

  /** The results of pending records whose window and grace have passed, oldest first. */
  #emitExpired(store: OuterJoinStore<K, L, R>, headers: Headers): void {
    const tracker = this.#tracker;
    const graceMs = this.#windows.graceMs;
    const earliest = tracker.minPendingTime;
    if (earliest !== undefined && earliest + this.#afterMs + graceMs >= tracker.streamTime) return;
    if (!this.#mayEmitNow()) return;
    tracker.minPendingTime = undefined;
    let leftOpen = false;
    let rightOpen = false;
    store.rewind();
    while (!(leftOpen && rightOpen) && store.advance()) {
      const left = store.currentSide === 'left';
      const timestamp = store.currentTimestamp;
      tracker.minPendingTime = timestamp;
      const waitMs = left ? this.#windows.afterMs : this.#windows.beforeMs;
      if (timestamp + waitMs + graceMs >= tracker.streamTime) {
        // Entries are in order of time: none of this side that follows can have expired.
        if (left) leftOpen = true;
        else rightOpen = true;
        continue;
      }
      for (const value of store.currentValues) {
        this.#forwardUnmatched(store.currentSide, store.currentKey, value, timestamp, headers);
      }
      store.removeCurrent();
    }
  }

  /** Looking for expired records is limited by wall clock, so that catching up does not scan for every record. */
  #mayEmitNow(): boolean {
    const intervalMs = this.#context.emitIntervalMs;
    if (intervalMs <= 0) return true;
    const now = this.#context.systemTimeMs();
    if (now < this.#tracker.nextEmitTimeMs) return false;
    this.#tracker.nextEmitTimeMs = now + intervalMs;
    return true;
  }

  #forwardUnmatched(side: JoinSide, key: K, value: L | R, timestamp: number, headers: Headers): void {
    this.#forward(side, key, value, undefined, timestamp, headers);
  }

  #forward(side: JoinSide, key: K, value: L | R, other: L | R | undefined, timestamp: number, headers: Headers): void {
    const result =
      side === 'left'
        ? this.#joiner(value as L, other as R | undefined, key)
        : this.#joiner(other as L | undefined, value as R, key);
    assertSynchronous(result, 'the joiner');
    this.#context.forward(key, result, timestamp, headers, undefined, true);
  }
}
