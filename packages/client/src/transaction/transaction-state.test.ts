import { describe, expect, it } from 'vitest';
import { TRANSITIONS, TransactionStateMachine, type TransactionState } from './transaction-state.ts';

/** A way from the start to each state. */
const WAYS: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  uninitialised: [],
  initialising: ['initialising'],
  ready: ['initialising', 'ready'],
  'in-transaction': ['initialising', 'ready', 'in-transaction'],
  committing: ['initialising', 'ready', 'committing'],
  settling: ['initialising', 'ready', 'committing', 'settling'],
  recovering: ['initialising', 'ready', 'recovering'],
  failed: ['initialising', 'failed'],
  closed: ['closed'],
};
const STATES = Object.keys(TRANSITIONS) as TransactionState[];

describe('the states of a transactional producer', () => {
  it.each(STATES.flatMap((from) => STATES.map((to) => [from, to] as const)))(
    'allow %s → %s only if the table says so',
    (from, to) => {
      const machine = new TransactionStateMachine();
      for (const state of WAYS[from]) machine.to(state);
      expect(machine.state).toBe(from);
      if (TRANSITIONS[from].includes(to)) {
        machine.to(to);
        expect(machine.is(to)).toBe(true);
      } else expect(() => machine.to(to)).toThrow(`from ${from} to ${to}`);
    },
  );

  it('never commit what is recovering, and never leave closed', () => {
    expect(TRANSITIONS.recovering).not.toContain('committing');
    expect(TRANSITIONS.closed).toEqual([]);
  });
});
