import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import { renderPicture } from './picture.ts';
import { progressLine } from './progress-line.ts';
import type { Standing } from './standing.ts';

const standing: Standing = {
  elapsedMs: 12_345,
  orders: 600,
  ordersInAll: 1200,
  payments: 480,
  paid: 425,
  unpaid: 34,
  partitions: [
    { owner: 'worker-1', lag: 7 },
    { owner: 'worker-2', lag: 5000 },
    { owner: undefined, lag: 0 },
  ],
  workers: [
    { name: 'worker-1', pid: 101, state: 'running', transactions: 60 },
    { name: 'worker-2', pid: 102, state: 'killed', transactions: 58 },
  ],
  recent: [{ what: 'paid', order: { orderId: 'o-0001', customer: 'anna', cents: 1205 } }],
};

describe('renderPicture', () => {
  const plain = renderPicture(standing, pc.createColors(false));

  it('shows what flows, who owns what, and how far behind', () => {
    expect(plain).toMatch(/in +600 orders +480 payments/);
    expect(plain).toMatch(/out +425 paid +34 unpaid/);
    expect(plain).toMatch(/committed +118 transactions/);
    expect(plain).toMatch(/partition 0 +worker-1 +lag ▪ 7\n/);
    expect(plain).toMatch(/partition 1 +worker-2 +lag ▪+ 5000\n/);
    expect(plain).toMatch(/worker-2 +killed +process 102, 58 transactions/);
    expect(plain).toMatch(/paid +o-0001 +anna +12\.05 €/);
  });

  it('has the same text in colour, and no line that a terminal would wrap', () => {
    expect(stripVTControlCharacters(renderPicture(standing, pc.createColors(true)))).toBe(plain);
    expect(Math.max(...plain.split('\n').map((line) => line.length))).toBeLessThan(77);
  });
});

describe('progressLine', () => {
  it('says the same in one line', () => {
    expect(progressLine(standing)).toBe(
      'in 600 orders 480 payments, out 425 paid 34 unpaid, 118 transactions | partition 0 worker-1 lag 7, 1 worker-2 lag 5000, 2 nobody lag 0',
    );
  });
});
