import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

describe('Turns', () => {
  it('runs one piece of work after the other, also after one that failed', async () => {
    const turns = new Turns();
    const events: string[] = [];
    const work = (name: string) => async () => {
      events.push(`${name} starts`);
      await Promise.resolve();
      events.push(`${name} ends`);
    };
    const failing = turns.take(async () => {
      events.push('fails');
      throw new Error('disk full');
    });
    const others = [turns.take(work('a')), turns.take(work('b'))];
    await expect(failing).rejects.toThrow('disk full');
    await Promise.all(others);
    expect(events).toEqual(['fails', 'a starts', 'a ends', 'b starts', 'b ends']);
  });
});
