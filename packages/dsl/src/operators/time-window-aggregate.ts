import type { Headers } from '@millrace/core';
import type { ClosingStore, TimestampedWindowStore, WindowedKey } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { AlignedWindows } from '../windows/aligned-windows.ts';
import type { Emit } from '../windows/windowed-options.ts';
import type { Aggregator, Initializer } from './callbacks.ts';
import { ChangeForwarder } from './change-forwarder.ts';
import { ClosedWindowEmitter } from './closed-window-emitter.ts';
import { dropReasons } from './drop-reasons.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface TimeWindowAggregateOptions<K, V, A> {
  /** A timestamped window store with a retention of at least size + grace; it must know when windows close to emit then. */
  readonly store: string;
  readonly windows: AlignedWindows;
  readonly emit: Emit;
  readonly initializer: Initializer<A>;
  readonly aggregator: Aggregator<K, V, A>;
  /** Whether something downstream needs the aggregate before each change. */
  readonly sendOldValues: boolean;
}

/**
 * Aggregates per key and aligned window (tumbling, hopping, unlimited), forwarded under a `WindowedKey`.
 *
 * A record without key is dropped and does not move stream time; an absent value is given to the aggregator. Each window of
 * the record is updated while `stream time < end + grace`, and counts as one drop otherwise. Stream time is what this node
 * has seen in this task; it starts anew with the task.
 *
 * Source: Kafka Streams `KStreamWindowAggregate`.
 */
export function timeWindowAggregateOperator<K, V, A>(options: TimeWindowAggregateOptions<K, V, A>): NodeProcessorSupplier {
  return () => new TimeWindowAggregateProcessor(options);
}

class TimeWindowAggregateProcessor<K, V, A> implements NodeProcessor {
  readonly #options: TimeWindowAggregateOptions<K, V, A>;
  readonly #windows: AlignedWindows;
  #context!: NodeContext;
  #store!: TimestampedWindowStore<K, A>;
  /** Absent when results are emitted on window close. */
  #forwarder: ChangeForwarder<WindowedKey<K>, A> | undefined;
  #emitter: ClosedWindowEmitter<K, A> | undefined;
  #streamTime = -1;
  /** Most records fall into the window of the record before: its object is shared. */
  #lastWindow: WindowedKey<K>['window'] = { start: -1, end: -1 };

  constructor(options: TimeWindowAggregateOptions<K, V, A>) {
    this.#options = options;
    this.#windows = options.windows;
  }

  init(context: NodeContext): void {
    this.#context = context;
    const { store, emit, sendOldValues } = this.#options;
    this.#store = context.getStore(store);
    if (emit === 'on-window-close') this.#emitter = new ClosedWindowEmitter(context, context.getStore<ClosingStore<K, A>>(store));
    else this.#forwarder = new ChangeForwarder(context, this.#store, sendOldValues);
    this.#streamTime = -1;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (key == null) {
      this.#context.dropped(dropReasons.nullKey);
      return;
    }
    if (timestamp > this.#streamTime) this.#streamTime = timestamp;
    const { sizeMs, advanceMs, graceMs } = this.#windows;
    let closeTime = this.#streamTime - graceMs;
    if (this.#emitter !== undefined) closeTime = this.#emitter.atLeastEmitted(closeTime);
    for (let start = this.#windows.firstStart(timestamp); start <= timestamp; start += advanceMs) {
      if (start + sizeMs > closeTime) this.#update(key as K, value as V, timestamp, headers, start);
      else this.#context.dropped(dropReasons.expiredWindow);
    }
    this.#emitter?.emit(closeTime, headers);
  }

  #update(key: K, value: V, timestamp: number, headers: Headers, windowStart: number): void {
    const store = this.#store;
    const row = store.find(key, windowStart);
    const stored = store.read(row);
    const current = stored ?? this.#options.initializer();
    const resultTimestamp = stored == null ? timestamp : Math.max(timestamp, row.timestamp);
    // An aggregator may change the aggregate in place, so the old value is a second reading of the row.
    const forwarder = this.#forwarder;
    const old = forwarder?.needsOldValue === true && stored != null ? store.read(row) : current;
    const result = this.#options.aggregator(current, value, key);
    assertSynchronous(result, 'aggregate');
    store.write(row, result, resultTimestamp);
    if (forwarder?.cached === false) {
      forwarder.forward({ key, window: this.#windowAt(windowStart) }, result, old, resultTimestamp, headers);
    }
  }

  #windowAt(start: number): WindowedKey<K>['window'] {
    if (this.#lastWindow.start !== start) this.#lastWindow = { start, end: start + this.#windows.sizeMs };
    return this.#lastWindow;
  }
}
