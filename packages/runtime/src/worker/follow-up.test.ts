import { describe, expect, it } from 'vitest';
import { FollowUp } from './follow-up.ts';

const never = (): ReadonlyMap<string, number> => {
  throw new Error('not to be looked at');
};

describe('FollowUp', () => {
  it('asks for nothing when nothing is expected', () => {
    expect(new FollowUp({ warmUpGoals: new Map(), nextRebalanceMs: -1 }, 0).due(1e12, never)).toBeUndefined();
  });

  it('asks for a rebalance when the time that the leader set is over', () => {
    const followUp = new FollowUp({ warmUpGoals: new Map(), nextRebalanceMs: 5000 }, 100);
    expect(followUp.due(5099, never)).toBeUndefined();
    expect(followUp.due(5100, never)).toContain('probing');
  });

  it('asks as soon as one of the states that it warms up is there, and looks once a second', () => {
    const followUp = new FollowUp(
      {
        warmUpGoals: new Map([
          ['0_1', 70],
          ['0_2', 90],
        ]),
        nextRebalanceMs: 600_000,
      },
      0,
    );
    let looks = 0;
    const at = (offset: number) => () => {
      looks++;
      return new Map([['0_2', offset]]);
    };
    expect(followUp.due(999, at(100))).toBeUndefined();
    expect(followUp.due(1000, at(89))).toBeUndefined();
    expect(followUp.due(1500, at(100))).toBeUndefined();
    expect(followUp.due(2000, at(90))).toBe('the state of task 0_2 has caught up');
    expect(looks).toBe(2);
  });

  it('asks less and less often when the task does not move all the same, and as often as before for another one', () => {
    const word = (task: string) => ({ warmUpGoals: new Map([[task, 10]]), nextRebalanceMs: -1 });
    const ready = (): ReadonlyMap<string, number> => new Map([['0_1', 10]]);
    let followUp = new FollowUp(word('0_1'), 0);
    const waits: number[] = [];
    for (let round = 0; round < 8; round++) {
      let now = 0;
      while (followUp.due(now, ready) === undefined) now += 500;
      waits.push(now);
      followUp = new FollowUp(word('0_1'), 0, followUp);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(new FollowUp(word('0_2'), 0, followUp).due(1000, () => new Map([['0_2', 10]]))).toContain('0_2');
  });
});
