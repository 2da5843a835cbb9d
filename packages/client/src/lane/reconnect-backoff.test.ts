import { type Clock, seededRandom, systemClock } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { ReconnectBackoff } from './reconnect-backoff.ts';

function setUp() {
  let now = 1_000;
  const clock: Clock = { ...systemClock, monotonicMs: () => now };
  const backoff = new ReconnectBackoff({ reconnectBackoffMs: 50, reconnectBackoffMaxMs: 1_000 }, clock, seededRandom(7));
  return { backoff, pass: (ms: number) => (now += ms) };
}

describe('ReconnectBackoff', () => {
  it('does not wait before the first attempt', () => {
    expect(setUp().backoff.remainingMs()).toBe(0);
  });

  it('doubles the wait with each failure, up to the limit, give or take 20 %', () => {
    const { backoff } = setUp();
    for (const expected of [50, 100, 200, 400, 800, 1_000, 1_000, 1_000]) {
      backoff.failed();
      expect(backoff.remainingMs()).toBeGreaterThanOrEqual(expected * 0.8);
      expect(backoff.remainingMs()).toBeLessThanOrEqual(expected * 1.2);
    }
  });

  it('counts the time that passes', () => {
    const { backoff, pass } = setUp();
    backoff.failed();
    pass(60);
    expect(backoff.remainingMs()).toBe(0);
  });

  it('starts over after a success', () => {
    const { backoff } = setUp();
    for (let i = 0; i < 5; i++) backoff.failed();
    backoff.succeeded();
    expect(backoff.remainingMs()).toBe(0);
    backoff.failed();
    expect(backoff.remainingMs()).toBeLessThanOrEqual(60);
  });
});
