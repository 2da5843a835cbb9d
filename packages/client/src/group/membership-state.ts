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
  #error: Error | undefined;
  #waiting: (() => void)[] = [];

  get state(): MembershipState {
    return this.#state;
  }

  /** Why it has failed. */
  get error(): Error | undefined {
    return this.#error;
  }

  can(next: MembershipState): boolean {
    return TRANSITIONS[this.#state].includes(next);
  }

  to(next: MembershipState): void {
    assert(this.can(next), `a group member cannot go from ${this.#state} to ${next}`);
    this.#state = next;
    if (next !== 'stable') this.wake();
  }

  /** No further join helps. */
  fail(error: Error): void {
    this.#error = error;
    this.to('failed');
  }

  /** The membership is gone, unless there was none or it has failed. */
  lose(): void {
    if (this.#state === 'stable' || this.#state === 'rejoin-needed') this.to('lost');
  }

  /** Back to the beginning, unless it has failed. */
  end(): void {
    if (this.can('unjoined')) this.to('unjoined');
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
