import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from '@millrace/testing';
import { buildTopology, GRACE_MS, PAYMENT_WINDOW_MS, topicsOf } from './topology.ts';

const ORDERED_MS = 1_000_000;
const topics = topicsOf();
const order = { orderId: 'o-1', customer: 'anna', cents: 500 };
const payment = { paymentId: 'p-1', orderId: 'o-1', cents: 500 };

async function open() {
  const driver = await TopologyTestDriver.open(buildTopology());
  const orders = driver.createInputTopic(topics.orders);
  const payments = driver.createInputTopic(topics.payments);
  return {
    driver,
    order: (timestamp = ORDERED_MS, value = order) => orders.pipeInput(value.orderId, value, { timestamp }),
    pay: (timestamp: number, value = payment) => payments.pipeInput(value.orderId, value, { timestamp }),
    paid: () => driver.createOutputTopic(topics.paidOrders).readValuesToList(),
    unpaid: () => driver.createOutputTopic(topics.unpaidOrders).readValuesToList(),
    totals: () => driver.createOutputTopic(topics.customerTotals).readValuesToList(),
    /** Event time moves beyond every window before it. */
    closeWindows: (after: number) =>
      orders.pipeInput('o-later', { ...order, orderId: 'o-later' }, { timestamp: after + PAYMENT_WINDOW_MS + GRACE_MS + 1 }),
    [Symbol.asyncDispose]: () => driver.close(),
  };
}

describe('orders and payments', () => {
  it.each([
    ['right after the order', 1000],
    ['before the order', -1000],
    ['at the last moment', PAYMENT_WINDOW_MS],
    ['as early as possible', -PAYMENT_WINDOW_MS],
  ])('pays an order with a payment %s', async (_when, difference) => {
    await using shop = await open();
    await shop.order();
    await shop.pay(ORDERED_MS + difference);
    await shop.closeWindows(ORDERED_MS);
    expect(shop.paid()).toEqual([{ ...order, paymentId: 'p-1' }]);
    expect(shop.unpaid()).toEqual([]);
  });

  it.each([
    ['too late', PAYMENT_WINDOW_MS + 1],
    ['too early', -PAYMENT_WINDOW_MS - 1],
  ])('calls an order unpaid when its payment comes %s', async (_when, difference) => {
    await using shop = await open();
    await shop.order();
    await shop.pay(ORDERED_MS + difference);
    await shop.closeWindows(ORDERED_MS);
    expect([shop.paid(), shop.unpaid()]).toEqual([[], [order]]);
  });

  it('waits for the grace before it calls an order unpaid', async () => {
    await using shop = await open();
    await shop.order();
    await shop.order(ORDERED_MS + PAYMENT_WINDOW_MS + GRACE_MS, { ...order, orderId: 'o-2' });
    expect(shop.unpaid()).toEqual([]);
    await shop.pay(ORDERED_MS + PAYMENT_WINDOW_MS);
    await shop.closeWindows(ORDERED_MS);
    expect(shop.unpaid()).toEqual([]);
    expect(shop.paid()).toHaveLength(1);
  });

  it('adds up what a customer pays, twice included', async () => {
    await using shop = await open();
    await shop.order();
    await shop.pay(ORDERED_MS + 1);
    await shop.pay(ORDERED_MS + 2, { ...payment, paymentId: 'p-1-again' });
    await shop.order(ORDERED_MS + 3, { orderId: 'o-2', customer: 'anna', cents: 70 });
    await shop.pay(ORDERED_MS + 4, { paymentId: 'p-2', orderId: 'o-2', cents: 70 });
    expect(shop.totals()).toEqual([
      { customer: 'anna', payments: 1, cents: 500 },
      { customer: 'anna', payments: 2, cents: 1000 },
      { customer: 'anna', payments: 3, cents: 1070 },
    ]);
  });
});
