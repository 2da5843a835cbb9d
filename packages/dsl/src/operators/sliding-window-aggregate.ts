import { type Headers, NO_HEADERS, ProcessingError } from '@millrace/core';
import type { ClosingStore, Row, StartIndexedWindowStore, WindowedKey } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { SlidingWindows } from '../windows/sliding-windows.ts';
import type { Emit } from '../windows/windowed-options.ts';
import type { Aggregator, Initializer } from './callbacks.ts';
import { ChangeForwarder } from './change-forwarder.ts';
import { ClosedWindowEmitter } from './closed-window-emitter.ts';
import { dropReasons } from './drop-reasons.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface SlidingWindowAggregateOptions<K, V, A> {
  /** A timestamped window store with an index of starts and a retention of at least 2 × time difference + grace. */
  readonly store: string;
  readonly windows: SlidingWindows;
  readonly emit: Emit;
  readonly initializer: Initializer<A>;
  readonly aggregator: Aggregator<K, V, A>;
  /** Whether something downstream needs the aggregate before each change. */
  readonly sendOldValues: boolean;
}

/**
 * Aggregates per key and sliding window, forwarded under a `WindowedKey` whose window has both ends inclusive.
 *
 * A record with timestamp `t` is added to every window of its key that holds `t`. Three more come to be if they are missing: the
 * one just behind the record before, if that holds `t`; the one that ends with `t`, which begins with the aggregate of the window
 * before it where that reaches so far; and the one just behind `t`, a copy of an aggregate of later records. The timestamp
 * stored with an aggregate is that of the latest record in the window, and decides what lies where. Records with
 * `t < difference` share the window `[0, difference]`.
 *
 * Forwarded are: the windows there were, latest first (for early records earliest first), then the new ones. A record exactly
 * `difference + 1` after the one before it gives the same window twice.
 *
 * A record without key or value is dropped and does not move stream time; one whose last window has closed is dropped as a
 * whole, one drop more is counted per closed window of the others.
 *
 * Source: Kafka Streams `KStreamSlidingWindowAggregate`, reading backwards.
 */
export function slidingWindowAggregateOperator<K, V, A>(options: SlidingWindowAggregateOptions<K, V, A>): NodeProcessorSupplier {
  return () => new SlidingWindowAggregateProcessor(options);
}

/** Where a timestamp would stand: there is none. */
const NONE = -1;

class SlidingWindowAggregateProcessor<K, V, A> implements NodeProcessor {
  readonly #options: SlidingWindowAggregateOptions<K, V, A>;
  readonly #differenceMs: number;
  #context!: NodeContext;
  #store!: StartIndexedWindowStore<K, A>;
  /** Absent when results are emitted on window close. */
  #forwarder: ChangeForwarder<WindowedKey<K>, A> | undefined;
  #emitter: ClosedWindowEmitter<K, A> | undefined;
  #streamTime = -1;

  // The record in work.
  #key!: K;
  #value!: V;
  #timestamp = NONE;
  #headers: Headers = NO_HEADERS;
  #closeTime = NONE;

  // What is known of its windows.
  /** Starts of the windows there are, ascending; −1 where a row has gone. */
  readonly #starts: number[] = [];
  /** Timestamp of the record before it. */
  #previous = NONE;
  /** Start of the latest window that ends before it. */
  #leftStart = NONE;
  /** What the latest window that ends before it holds, if that belongs into its left window; and a second reading of it. */
  #hasLeft = false;
  #left: A | undefined;
  #leftOld: A | undefined;
  /** An aggregate with later records in it, as it was before this record, and the time of the last of these. */
  #later: A | undefined;
  #laterTimestamp = NONE;

  constructor(options: SlidingWindowAggregateOptions<K, V, A>) {
    this.#options = options;
    this.#differenceMs = options.windows.timeDifferenceMs;
  }

  init(context: NodeContext): void {
    const { store, emit, sendOldValues } = this.#options;
    this.#context = context;
    this.#store = context.getStore(store);
    if (emit === 'on-window-close') this.#emitter = new ClosedWindowEmitter(context, context.getStore<ClosingStore<K, A>>(store));
    else this.#forwarder = new ChangeForwarder(context, this.#store, sendOldValues);
    this.#streamTime = -1;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (key == null || value == null) {
      this.#context.dropped(dropReasons.nullKeyOrValue);
      return;
    }
    if (timestamp > this.#streamTime) this.#streamTime = timestamp;
    let closeTime = this.#streamTime - this.#options.windows.graceMs;
    if (this.#emitter !== undefined) closeTime = this.#emitter.atLeastEmitted(closeTime);
    if (timestamp + this.#differenceMs < closeTime) {
      this.#context.dropped(dropReasons.expiredWindow);
      return;
    }
    this.#begin(key as K, value as V, timestamp, headers, closeTime);
    if (timestamp < this.#differenceMs) {
      this.#addEarly();
      return;
    }
    this.#add();
    this.#emitter?.emit(closeTime, headers);
  }

  #begin(key: K, value: V, timestamp: number, headers: Headers, closeTime: number): void {
    if (this.#differenceMs === 0) {
      throw new ProcessingError(
        'INVALID_WINDOW',
        'a sliding window with a time difference of 0 holds nothing; give at least 1 ms, or use tumbling windows of 1 ms',
        { node: this.#context.nodeName },
      );
    }
    this.#key = key;
    this.#value = value;
    this.#timestamp = timestamp;
    this.#headers = headers;
    this.#closeTime = closeTime;
    this.#previous = NONE;
    this.#leftStart = NONE;
    this.#later = undefined;
    this.#laterTimestamp = NONE;
    this.#store.findStarts(key, Math.max(0, timestamp - 2 * this.#differenceMs), timestamp + 1, this.#starts);
  }

  #add(): void {
    const timestamp = this.#timestamp;
    const differenceMs = this.#differenceMs;
    const rightExists = this.#hasRightWindow();
    const leftExists = this.#updateBackwards(rightExists);
    // A record of the same time has made all windows that this one needs.
    if (leftExists === 'with this time') return;
    if (leftExists === 'no') this.#readLeft(timestamp - differenceMs);
    const previousRight = this.#previous + 1;
    if (this.#previous !== NONE && previousRight + differenceMs >= timestamp && !this.#starts.includes(previousRight)) {
      this.#createEmpty(previousRight);
    }
    if (leftExists === 'no') this.#createLeft(timestamp - differenceMs);
    if (!rightExists) this.#createRight();
  }

  #hasRightWindow(): boolean {
    const start = this.#timestamp + 1;
    return this.#starts.at(-1) === start && this.#find(this.#starts.length - 1).timestamp !== NONE;
  }

  /** The row of a window found; its start is marked when the row has gone. */
  #find(index: number): Row {
    const row = this.#store.find(this.#key, this.#starts[index] as number);
    if (row.timestamp === NONE) this.#starts[index] = NONE;
    return row;
  }

  /** Adds the record to the windows there are, and finds out about its neighbours. Says whether its left window is there. */
  #updateBackwards(rightExists: boolean): 'no' | 'yes' | 'with this time' {
    const timestamp = this.#timestamp;
    let left: 'no' | 'yes' = 'no';
    for (let i = this.#starts.length - 1; i >= 0; i--) {
      const start = this.#starts[i] as number;
      if (start > timestamp) continue;
      const row = this.#find(i);
      const latest = row.timestamp;
      if (latest === NONE) continue;
      const end = start + this.#differenceMs;
      if (end < timestamp) {
        this.#previous = latest;
        this.#leftStart = start;
        break;
      }
      if (end > timestamp && this.#laterTimestamp === NONE) this.#noteLater(row, rightExists);
      this.#update(row, start);
      if (end > timestamp) continue;
      if (latest >= timestamp) return 'with this time';
      left = 'yes';
      this.#previous = latest;
    }
    return left;
  }

  /** To be called before the row is updated: the aggregator may change the aggregate in place. */
  #noteLater(row: Row, rightExists: boolean): void {
    this.#laterTimestamp = row.timestamp;
    this.#later = !rightExists && row.timestamp > this.#timestamp ? this.#store.read(row) : undefined;
  }

  #addEarly(): void {
    const timestamp = this.#timestamp;
    const rightExists = this.#hasRightWindow();
    let combinedTimestamp = NONE;
    for (let i = 0; i < this.#starts.length; i++) {
      const start = this.#starts[i] as number;
      if (start > timestamp) continue;
      const row = this.#find(i);
      if (row.timestamp === NONE) continue;
      if (start === 0) {
        combinedTimestamp = row.timestamp;
        continue;
      }
      this.#noteLater(row, rightExists);
      this.#update(row, start);
    }
    if (combinedTimestamp < timestamp) this.#previous = combinedTimestamp;
    if (this.#laterTimestamp === NONE && combinedTimestamp > timestamp) {
      this.#noteLater(this.#store.find(this.#key, 0), rightExists);
    }
    if (!rightExists) this.#createRight();
    if (this.#previous !== NONE && !this.#starts.includes(this.#previous + 1)) this.#createEmpty(this.#previous + 1);
    if (combinedTimestamp === NONE) this.#createEmpty(0);
    else this.#update(this.#store.find(this.#key, 0), 0);
  }

  #update(row: Row, start: number): void {
    if (this.#isClosed(start)) return;
    const current = this.#store.read(row) as A;
    // An aggregator may change the aggregate in place, so the old value is a second reading of the row.
    const old = this.#forwarder?.needsOldValue === true ? this.#store.read(row) : current;
    this.#aggregate(row, start, current, old, Math.max(this.#timestamp, row.timestamp));
  }

  /** A window of which the record is the first. */
  #createEmpty(start: number): void {
    if (this.#isClosed(start)) return;
    const initial = this.#options.initializer();
    this.#aggregate(this.#store.find(this.#key, start), start, initial, initial, this.#timestamp);
  }

  /** To be called before a window is made: with that the store may forget the one that is read here. */
  #readLeft(start: number): void {
    this.#hasLeft = this.#leftStart !== NONE && this.#previous >= start;
    if (!this.#hasLeft) return;
    const before = this.#store.find(this.#key, this.#leftStart);
    this.#left = this.#store.read(before);
    this.#leftOld = this.#forwarder?.needsOldValue === true ? this.#store.read(before) : this.#left;
  }

  /** The window that ends with the record: what the window before it holds belongs to it too, if that reaches so far. */
  #createLeft(start: number): void {
    if (!this.#hasLeft) {
      this.#createEmpty(start);
      return;
    }
    if (this.#isClosed(start)) return;
    this.#aggregate(this.#store.find(this.#key, start), start, this.#left as A, this.#leftOld, this.#timestamp);
  }

  /** The window just behind the record: it holds what is known of later records, if there are any. */
  #createRight(): void {
    const timestamp = this.#laterTimestamp;
    if (timestamp <= this.#timestamp) return;
    const start = this.#timestamp + 1;
    this.#store.write(this.#store.find(this.#key, start), this.#later, timestamp);
    this.#forward(start, this.#later, undefined, timestamp);
  }

  #isClosed(start: number): boolean {
    if (start + this.#differenceMs >= this.#closeTime) return false;
    this.#context.dropped(dropReasons.expiredWindow);
    return true;
  }

  #aggregate(row: Row, start: number, current: A, old: A | undefined, timestamp: number): void {
    const result = this.#options.aggregator(current, this.#value, this.#key);
    assertSynchronous(result, 'aggregate');
    this.#store.write(row, result, timestamp);
    this.#forward(start, result, old, timestamp);
  }

  #forward(start: number, value: A | undefined, old: A | undefined, timestamp: number): void {
    if (this.#forwarder?.cached !== false) return;
    const key = { key: this.#key, window: { start, end: start + this.#differenceMs } };
    this.#forwarder.forward(key, value, old, timestamp, this.#headers);
  }
}
