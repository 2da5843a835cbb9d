import { beforeEach, describe, expect, it } from 'vitest';
import { isClosing } from './closing.ts';
import { Results } from './results.ts';

const order = { orderId: 'o-1', customer: 'anna', cents: 500 };
const paid = { ...order, paymentId: 'p-1' };
const unpaid = { ...order, orderId: 'o-2' };
const total = { customer: 'anna', payments: 1, cents: 500 };

describe('Results', () => {
  let results: Results;
  beforeEach(() => {
    results = new Results({
      paid: new Map([['o-1/p-1', paid]]),
      unpaid: new Map([['o-2', unpaid]]),
      totals: new Map([['anna', total]]),
    });
  });

  function addAll(): void {
    results.addPaid(paid);
    results.addUnpaid(unpaid);
    results.addTotal(total);
  }

  it('has no problem when everything came once', () => {
    expect(results.complete).toBe(false);
    addAll();
    expect([results.complete, results.problems()]).toEqual([true, []]);
  });

  it('names what is missing', () => {
    expect(results.problems()).toEqual([
      'paid orders: 1 missing, such as o-1/p-1',
      'unpaid orders: 1 missing, such as o-2',
      'totals: 1 missing, such as anna',
    ]);
  });

  it('names what came twice, came although nobody expected it, or is wrong', () => {
    addAll();
    results.addPaid(paid);
    results.addUnpaid(order);
    results.addTotal({ ...total, cents: 600 });
    expect(results.problems()).toEqual([
      'paid order o-1/p-1 came twice',
      'total of anna went from 1 to 1 payments',
      'unpaid orders: 1 too many, such as o-1',
      'totals: 1 wrong, such as anna',
    ]);
  });

  it('leaves out what only closes windows', () => {
    const closing = { ...paid, orderId: 'closing-order-0-0' };
    expect(isClosing(closing.orderId)).toBe(true);
    expect([results.addPaid(closing), results.paidCount]).toEqual([false, 0]);
  });
});
