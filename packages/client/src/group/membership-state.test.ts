import { describe, expect, it } from 'vitest';
import { MembershipStateMachine, TRANSITIONS, type MembershipState } from './membership-state.ts';

const WAYS: Readonly<Record<MembershipState, readonly MembershipState[]>> = {
  unjoined: [],
  stable: ['stable'],
  'rejoin-needed': ['stable', 'rejoin-needed'],
  lost: ['stable', 'lost'],
  failed: ['failed'],
};
const STATES = Object.keys(TRANSITIONS) as MembershipState[];

describe('the states of a group member', () => {
  it.each(STATES.flatMap((from) => STATES.map((to) => [from, to] as const)))(
    'allow %s → %s only if the table says so',
    (from, to) => {
      const machine = new MembershipStateMachine();
      for (const state of WAYS[from]) machine.to(state);
      if (TRANSITIONS[from].includes(to)) {
        machine.to(to);
        expect(machine.state).toBe(to);
      } else expect(() => machine.to(to)).toThrow(`from ${from} to ${to}`);
    },
  );

  it('wake those who wait as soon as it is not stable', async () => {
    const machine = new MembershipStateMachine();
    await machine.changed();
    machine.to('stable');
    const changed = machine.changed();
    machine.to('lost');
    await changed;
  });
});
