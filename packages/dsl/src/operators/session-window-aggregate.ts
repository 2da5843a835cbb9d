import { type Headers, NO_HEADERS } from '@millrace/core';
import type { ClosingStore, SessionRow, SessionStore, WindowedKey } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { SessionWindows } from '../windows/session-windows.ts';
import type { Emit } from '../windows/windowed-options.ts';
import type { Aggregator, Initializer, SessionMerger } from './callbacks.ts';
import { ChangeForwarder } from './change-forwarder.ts';
import { ClosedWindowEmitter } from './closed-window-emitter.ts';
import { dropReasons } from './drop-reasons.ts';
import { assertSynchronous } from './synchronous-result.ts';

export interface SessionWindowAggregateOptions<K, V, A> {
  /** A session store with a retention of at least gap + grace; it must have been made for emitting on close to do so. */
  readonly store: string;
  readonly windows: SessionWindows;
  readonly emit: Emit;
  readonly initializer: Initializer<A>;
  readonly aggregator: Aggregator<K, V, A>;
  readonly merger: SessionMerger<K, A>;
  /** Whether something downstream needs the aggregate before each change. */
  readonly sendOldValues: boolean;
}

/**
 * Aggregates per key and session, forwarded under a `WindowedKey` whose window has both ends inclusive.
 *
 * A record joins all sessions that are at most `gap` away: their aggregates are merged, starting from the initializer, in
 * order of their end; then the record is added. Each session found is deleted (also when its bounds stay the same), unless
 * it is exactly `[t, t]`, and its deletion is forwarded before the merged one. Results carry the time of their session's end
 * and no headers. The record is dropped when the merged session's `end < stream time − gap − grace`.
 *
 * A record without key is dropped and does not move stream time; an absent value is given to the aggregator.
 *
 * Source: Kafka Streams `KStreamSessionWindowAggregate`.
 */
export function sessionWindowAggregateOperator<K, V, A>(options: SessionWindowAggregateOptions<K, V, A>): NodeProcessorSupplier {
  return () => new SessionWindowAggregateProcessor(options);
}

class SessionWindowAggregateProcessor<K, V, A> implements NodeProcessor {
  readonly #options: SessionWindowAggregateOptions<K, V, A>;
  readonly #gapMs: number;
  readonly #graceMs: number;
  /** Filled anew for each record. */
  readonly #found: SessionRow[] = [];
  #context!: NodeContext;
  #store!: SessionStore<K, A>;
  /** Absent when results are emitted on window close. */
  #forwarder: ChangeForwarder<WindowedKey<K>, A> | undefined;
  #emitter: ClosedWindowEmitter<K, A> | undefined;
  #streamTime = -1;

  constructor(options: SessionWindowAggregateOptions<K, V, A>) {
    this.#options = options;
    this.#gapMs = options.windows.gapMs;
    this.#graceMs = options.windows.graceMs;
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
    this.#store.find(key as K, timestamp - this.#gapMs, timestamp + this.#gapMs, this.#found);
    let start = timestamp;
    let end = timestamp;
    for (const session of this.#found) {
      if (session.start < start) start = session.start;
      if (session.end > end) end = session.end;
    }
    let closeTime = this.#streamTime - this.#gapMs - this.#graceMs;
    if (this.#emitter !== undefined) closeTime = this.#emitter.atLeastEmitted(closeTime);
    if (end < closeTime) this.#context.dropped(dropReasons.expiredWindow);
    else this.#update(key as K, value as V, start, end);
    this.#emitter?.emit(closeTime, headers);
  }

  #update(key: K, value: V, start: number, end: number): void {
    const merged = this.#mergeFound(key);
    if (start !== end) this.#deleteFound(key);
    const result = this.#options.aggregator(merged, value, key);
    assertSynchronous(result, 'aggregate');
    this.#store.put(key, start, end, result);
    this.#forward(key, start, end, result, undefined);
  }

  #mergeFound(key: K): A {
    const { initializer, merger } = this.#options;
    let merged = initializer();
    for (const session of this.#found) merged = merger(merged, this.#store.read(session) as A, key);
    return merged;
  }

  #deleteFound(key: K): void {
    for (const session of this.#found) {
      // Removing takes the row out of the store: everything needed of it is read before.
      const { start, end } = session;
      const old = this.#forwarder?.needsOldValue === true ? this.#store.read(session) : undefined;
      this.#store.remove(key, start, end);
      this.#forward(key, start, end, undefined, old);
    }
  }

  #forward(key: K, start: number, end: number, value: A | undefined, old: A | undefined): void {
    if (this.#forwarder?.cached !== false) return;
    this.#forwarder.forward({ key, window: { start, end } }, value, old, end, NO_HEADERS);
  }
}
