import { describe, expect, it } from 'vitest';
import { PunctuationQueue } from './punctuation.ts';

/** Fires what is due, and says which nodes it was, in order. */
function fire(queue: PunctuationQueue, nowMs: number): string[] {
  const fired: string[] = [];
  for (let schedule = queue.takeDue(nowMs); schedule !== undefined; schedule = queue.takeDue(nowMs)) {
    fired.push(schedule.node);
    void schedule.punctuator(nowMs);
  }
  return fired;
}

const nothing = (): void => undefined;

describe('PunctuationQueue', () => {
  it('fires missed intervals once and stays on the original grid', () => {
    const queue = new PunctuationQueue();
    queue.add('a', 0, 10, nothing);
    expect(fire(queue, 47)).toEqual(['a']);
    expect(queue.nextMs).toBe(50);
    expect(fire(queue, 49)).toEqual([]);
    expect(fire(queue, 50)).toEqual(['a']);
    expect(queue.nextMs).toBe(60);
  });

  it('fires in the order of due times, and equal ones in the order in which they were scheduled', () => {
    const queue = new PunctuationQueue();
    queue.add('late', 30, 100, nothing);
    queue.add('first', 10, 100, nothing);
    queue.add('second', 10, 100, nothing);
    expect(fire(queue, 30)).toEqual(['first', 'second', 'late']);
  });

  it('fires a schedule made inside a punctuator in the same round when it is due', () => {
    const queue = new PunctuationQueue();
    queue.add('outer', 5, 1000, () => {
      queue.add('inner', 0, 1000, nothing);
    });
    expect(fire(queue, 5)).toEqual(['outer', 'inner']);
  });

  it('stops a schedule that cancels itself inside its punctuator', () => {
    const queue = new PunctuationQueue();
    const schedule = queue.add('a', 0, 10, () => schedule.cancel());
    expect(fire(queue, 0)).toEqual(['a']);
    expect(fire(queue, 100)).toEqual([]);
    expect(queue.nextMs).toBe(Infinity);
  });

  it('refuses an interval below one millisecond', () => {
    expect(() => new PunctuationQueue().add('a', 0, 0, nothing)).toThrow(/at least 1/);
  });
});
