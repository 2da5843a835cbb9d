import { seededRandom } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { type Fault, FaultPlan, GUEST, SPARED } from './fault-plan.ts';

function rounds(count: number, plan: FaultPlan) {
  return Array.from({ length: count }, () => plan.next());
}

function seatsOf(faults: readonly Fault[]): string[] {
  return faults.flatMap((fault) => ('seat' in fault ? [fault.seat] : []));
}

describe('FaultPlan', () => {
  it('is the same for the same seed, and another one for another', () => {
    const plan = (seed: number) => rounds(50, new FaultPlan(seededRandom(seed), 2500));
    expect(plan(7)).toEqual(plan(7));
    expect(plan(7)).not.toEqual(plan(8));
  });

  it('never hits one worker twice at the same time, and never ends the one that is spared', () => {
    for (const { faults } of rounds(2000, new FaultPlan(seededRandom(1), 2500))) {
      const seats = seatsOf(faults);
      expect(new Set(seats).size).toBe(seats.length);
      for (const fault of faults)
        if (fault.kind === 'kill' || fault.kind === 'scale-in') expect([SPARED, GUEST]).not.toContain(fault.seat);
    }
  });

  it('has every kind among any so many faults, but those that are left out', () => {
    const faults = rounds(200, new FaultPlan(seededRandom(3), 2500, ['broker'])).flatMap((round) => round.faults);
    for (let from = 0; from + 7 <= faults.length; from += 7)
      expect(new Set(faults.slice(from, from + 7).map(({ kind }) => kind)).size).toBe(7);
    expect(faults.some(({ kind }) => kind === 'broker')).toBe(false);
  });

  it('keeps a paused worker still for longer than its session', () => {
    const faults = rounds(500, new FaultPlan(seededRandom(4), 2500)).flatMap((round) => round.faults);
    for (const fault of faults) if (fault.kind === 'pause') expect(fault.forMs).toBeGreaterThan(2500);
  });
});
