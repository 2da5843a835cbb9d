import { assert } from '@millrace/core';
import type { GroupMember } from '../port/kafka-client.ts';

export type MembershipState = GroupMember['state'];

/**
 * States of a membership, as its owner sees them.
 *
 *     unjoined ──join──▶ stable ──heartbeat 27, requestRejoin──▶ rejoin-needed ──join──▶ stable
 *        ▲                 │                                          │
 *      leave               └── 22, 25, session expired ──▶ lost ◀─────┘   lost ──join──▶ stable
 *
 * `failed` comes from anywhere and stays. While it joins, a member keeps the state that it had: a rebalance that begins
 * during cooperative work needs no state of its own either.
 */
export const TRANSITIONS: Readonly<Record<MembershipState, readonly MembershipState[]>> = {
  unjoined: ['stable', 'failed', 'unjoined'],
  stable: ['rejoin-needed', 'lost', 'failed', 'unjoined', 'stable'],
  'rejoin-needed': ['stable', 'lost', 'failed', 'unjoined', 'rejoin-needed'],
  lost: ['stable', 'failed', 'unjoined', 'lost'],
  failed: ['failed'],
};

/** The current state; refuses transitions that are not in the table, and wakes those who wait for the end of `stable`. */
export class MembershipStateMachine {
  #state: MembershipState = 'unjoined';
  #waiting: (() => void)[] = [];

  get state(): MembershipState {
    return this.#state;
  }

  can(next: MembershipState): boolean {
    return TRANSITIONS[this.#state].includes(next);
  }

  to(next: MembershipState): void {
    assert(this.can(next), `a group member cannot go from ${this.#state} to ${next}`);
    this.#state = next;
    if (next !== 'stable') this.wake();
  }

  /** Wakes all who wait, whatever the state. */
  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves as soon as the state is not `stable`. */
  changed(): Promise<void> {
    if (this.#state !== 'stable') return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
