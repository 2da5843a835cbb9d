import { assert } from '@millrace/core';

/**
 * Life of an application.
 *
 * ```
 *  created ──► rebalancing ◄──► running
 *                  │               │
 *                  ├───────────────┤
 *                  ▼               ▼
 *            pending-shutdown   pending-error
 *                  │               │
 *                  ▼               ▼
 *             not-running        error
 * ```
 * `running` means that the worker has its tasks and all of them are restored. Source: Kafka Streams `KafkaStreams.State`.
 */
export type AppState = 'created' | 'rebalancing' | 'running' | 'pending-shutdown' | 'not-running' | 'pending-error' | 'error';

const TRANSITIONS: Readonly<Record<AppState, readonly AppState[]>> = {
  created: ['rebalancing', 'pending-shutdown'],
  rebalancing: ['running', 'pending-shutdown', 'pending-error'],
  running: ['rebalancing', 'pending-shutdown', 'pending-error'],
  'pending-shutdown': ['not-running', 'pending-error'],
  'pending-error': ['error'],
  'not-running': [],
  error: [],
};

export type AppStateListener = (now: AppState, before: AppState) => void;

/** Holds the state, checks each change against the table and tells the listeners. */
export class AppStateMachine {
  #state: AppState = 'created';
  readonly #listeners = new Set<AppStateListener>();

  get state(): AppState {
    return this.#state;
  }

  /** Returns a function that removes the listener. */
  listen(listener: AppStateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes the state; staying in the same one does nothing. */
  transition(to: AppState): void {
    const before = this.#state;
    if (before === to) return;
    assert(TRANSITIONS[before].includes(to), `application state ${before} → ${to}`);
    this.#state = to;
    for (const listener of this.#listeners) listener(to, before);
  }

  /** True when work goes on: neither stopped nor stopping. */
  get alive(): boolean {
    return this.#state === 'created' || this.#state === 'rebalancing' || this.#state === 'running';
  }
}
