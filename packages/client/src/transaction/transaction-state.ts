import { assert } from '@millrace/core';

/**
 * States of a transactional producer.
 *
 *     uninitialised ─▶ initialising ─▶ ready ⇄ in-transaction ─▶ committing ─▶ ready
 *                          ▲             ▲            │              │
 *                          │             │            ▼              ├─▶ settling (outcome unknown) ─▶ ready
 *                        failed ◀─── recovering ◀─────┴──────────────┴─────────────┘
 *
 * `recovering`: the transaction cannot be committed any more; a new epoch is on its way. Appending is possible: it belongs to
 * the next transaction. `failed`: fenced or worse; only `init` leads out.
 */
export type TransactionState =
  | 'uninitialised'
  | 'initialising'
  | 'ready'
  | 'in-transaction'
  | 'committing'
  | 'settling'
  | 'recovering'
  | 'failed'
  | 'closed';

export const TRANSITIONS: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  uninitialised: ['initialising', 'closed'],
  initialising: ['ready', 'failed', 'closed'],
  ready: ['in-transaction', 'committing', 'recovering', 'failed', 'initialising', 'closed'],
  'in-transaction': ['committing', 'recovering', 'failed', 'initialising', 'closed'],
  committing: ['ready', 'settling', 'recovering', 'failed', 'closed'],
  settling: ['ready', 'recovering', 'failed', 'closed'],
  recovering: ['ready', 'in-transaction', 'recovering', 'failed', 'closed'],
  failed: ['initialising', 'closed'],
  closed: [],
};

/** The current state; refuses transitions that are not in the table. */
export class TransactionStateMachine {
  #state: TransactionState = 'uninitialised';

  get state(): TransactionState {
    return this.#state;
  }

  /** True when the current state is one of these. */
  is(...states: readonly TransactionState[]): boolean {
    return states.includes(this.#state);
  }

  to(next: TransactionState): void {
    assert(TRANSITIONS[this.#state].includes(next), `a transactional producer cannot go from ${this.#state} to ${next}`);
    this.#state = next;
  }
}
