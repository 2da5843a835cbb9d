import { describe, expect, it } from 'vitest';
import { expectedOutcome } from './expected.ts';
import { generateArrivals } from './generator.ts';
import { GRACE_MS, PAYMENT_WINDOW_MS } from '../topology.ts';

describe('generateArrivals', () => {
  const arrivals = generateArrivals(500, 1_000_000);

  it('repeats itself', () => {
    expect(generateArrivals(500, 1_000_000)).toEqual(arrivals);
    expect(generateArrivals(500, 1_000_000, 2)).not.toEqual(arrivals);
  });

  it('has payments that are early, late, doubled and missing, and records out of order', () => {
    const ordered = new Map(
      arrivals.flatMap(({ kind, value, timestamp }) => (kind === 'order' ? [[value.orderId, timestamp]] : [])),
    );
    const payments = arrivals.filter(({ kind }) => kind === 'payment');
    const delays = payments.map(({ value, timestamp }) => timestamp - (ordered.get(value.orderId) as number));
    expect(delays.some((delay) => delay < 0)).toBe(true);
    expect(delays.some((delay) => delay > PAYMENT_WINDOW_MS)).toBe(true);
    const paidOrders = new Set(payments.map(({ value }) => value.orderId));
    expect(paidOrders.size).toBeLessThan(500);
    expect(payments.length).toBeGreaterThan(paidOrders.size);
    const { paid, unpaid } = expectedOutcome(arrivals);
    expect(Math.min(paid.size, unpaid.size)).toBeGreaterThan(50);
  });

  it('delays no record beyond the grace', () => {
    let latest = 0;
    let delayed = 0;
    for (const { timestamp } of arrivals) {
      if (timestamp < latest) delayed++;
      expect(latest - timestamp).toBeLessThan(GRACE_MS);
      latest = Math.max(latest, timestamp);
    }
    expect(delayed).toBeGreaterThan(20);
  });
});
