import { describe, expect, it } from 'vitest';
import type { StreamTask } from '../task/stream-task.ts';
import { CommitSchedule } from './commit-schedule.ts';

const task = (commitRequested: boolean, dirtyBytes: number): StreamTask =>
  ({ commitRequested, dirtyBytes }) as unknown as StreamTask;

describe('CommitSchedule', () => {
  it('is due after the interval, and then counts from the commit', () => {
    const schedule = new CommitSchedule(100, 1000, 0);
    expect([schedule.due([], 99), schedule.due([], 100)]).toEqual([false, true]);
    schedule.committed(130);
    expect([schedule.due([], 229), schedule.due([], 230)]).toEqual([false, true]);
    expect(schedule.remainingMs(200)).toBe(30);
  });

  it('is due at once when the wall clock was put back', () => {
    const schedule = new CommitSchedule(100, 1000, 7_200_000);
    expect([schedule.due([], 50), schedule.remainingMs(50)]).toEqual([true, 0]);
    schedule.committed(50);
    expect([schedule.due([], 149), schedule.due([], 150)]).toEqual([false, true]);
  });

  it('is due when a processor asks for it', () => {
    expect(new CommitSchedule(100, 1000, 0).due([task(false, 0), task(true, 0)], 1)).toBe(true);
  });

  it('is due when the uncommitted rows of all tasks together exceed the budget', () => {
    const schedule = new CommitSchedule(100, 1000, 0);
    expect(schedule.due([task(false, 500), task(false, 500)], 1)).toBe(false);
    expect(schedule.due([task(false, 501), task(false, 500)], 1)).toBe(true);
  });
});
