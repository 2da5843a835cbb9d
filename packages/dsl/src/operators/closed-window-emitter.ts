import { type Headers, NO_HEADERS } from '@millrace/core';
import type { ClosedRowVisitor, ClosingStore } from '@millrace/state';
import type { NodeContext } from '@millrace/topology';

/**
 * Forwards the results of windows that have closed, each once: what windowed aggregations do instead of forwarding updates
 * when results are emitted on window close.
 *
 * It is asked with each record; it looks for closed windows when stream time has closed more of them, at most every
 * `emitIntervalMs` of wall clock, so that catching up does not scan for every record. A result has the timestamp of its row and
 * the headers of the record that came along.
 *
 * Source: Kafka Streams `AbstractKStreamTimeWindowAggregateProcessor`; differs: no result is lost when time jumps beyond the
 * retention of the store.
 */
export class ClosedWindowEmitter<K, A> {
  readonly #context: NodeContext;
  readonly #store: ClosingStore<K, A>;
  readonly #forward: ClosedRowVisitor<K, A>;
  #headers: Headers = NO_HEADERS;
  #nextEmitTimeMs = 0;

  constructor(context: NodeContext, store: ClosingStore<K, A>) {
    this.#context = context;
    this.#store = store;
    this.#forward = (key, value, timestamp) => context.forward(key, value, timestamp, this.#headers, undefined, true);
  }

  /** What has been emitted stays closed, also for a task that has just begun and knows little of stream time. */
  atLeastEmitted(closeTime: number): number {
    return Math.max(closeTime, this.#store.emittedUntil);
  }

  /** @param closeTime stream time less grace (for sessions: less grace and gap) */
  emit(closeTime: number, headers: Headers): void {
    if (!this.#mayEmitNow() || closeTime <= this.#store.emittedUntil) return;
    this.#headers = headers;
    this.#store.emitClosed(closeTime, this.#forward);
  }

  #mayEmitNow(): boolean {
    const intervalMs = this.#context.emitIntervalMs;
    if (intervalMs <= 0) return true;
    const now = this.#context.systemTimeMs();
    if (now < this.#nextEmitTimeMs) return false;
    this.#nextEmitTimeMs = now + intervalMs;
    return true;
  }
}
