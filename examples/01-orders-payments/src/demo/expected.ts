import type { Arrival } from './generator.ts';
import { PAYMENT_WINDOW_MS, type CustomerTotal, type Order, type PaidOrder } from '../topology.ts';

/** What the topology must have written once every window is closed. */
export interface Outcome {
  /** By order id and payment id. */
  readonly paid: ReadonlyMap<string, PaidOrder>;
  /** By order id. */
  readonly unpaid: ReadonlyMap<string, Order>;
  /** The last total of each customer. */
  readonly totals: ReadonlyMap<string, CustomerTotal>;
}

/** The right answer, computed the slow and simple way: each order against each payment. */
export function expectedOutcome(arrivals: readonly Arrival[]): Outcome {
  const paid = new Map<string, PaidOrder>();
  const unpaid = new Map<string, Order>();
  const totals = new Map<string, CustomerTotal>();
  for (const order of arrivals) {
    if (order.kind !== 'order') continue;
    let isPaid = false;
    for (const payment of arrivals) {
      if (payment.kind !== 'payment' || payment.value.orderId !== order.value.orderId) continue;
      if (Math.abs(payment.timestamp - order.timestamp) > PAYMENT_WINDOW_MS) continue;
      isPaid = true;
      const { paymentId, cents } = payment.value;
      paid.set(pairId(order.value.orderId, paymentId), { ...order.value, cents, paymentId });
      const { customer } = order.value;
      const before = totals.get(customer) ?? { customer, payments: 0, cents: 0 };
      totals.set(customer, { customer, payments: before.payments + 1, cents: before.cents + cents });
    }
    if (!isPaid) unpaid.set(order.value.orderId, order.value);
  }
  return { paid, unpaid, totals };
}

/** Names an order together with one of its payments. */
export function pairId(orderId: string, paymentId: string): string {
  return `${orderId}/${paymentId}`;
}
