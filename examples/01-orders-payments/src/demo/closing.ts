import type { Arrival } from './generator.ts';
import { GRACE_MS, PAYMENT_WINDOW_MS } from '../topology.ts';

const PREFIX = 'closing-';

/** True for orders and customers that exist only to move time on. */
export function isClosing(id: string): boolean {
  return id.startsWith(PREFIX);
}

/**
 * An order and a payment so far in the future that every window before them is closed.
 *
 * Event time stands still when no record comes, and a window that is open could still get a payment: so the last unpaid
 * orders are not known before something later has arrived, in each partition.
 *
 * @param round later rounds are later still, so that each moves time on
 */
export function closingArrivals(lastTimestamp: number, partition: number, round: number): Arrival[] {
  const timestamp = lastTimestamp + PAYMENT_WINDOW_MS + GRACE_MS + 1 + round;
  const orderId = `${PREFIX}order-${partition}-${round}`;
  return [
    { kind: 'order', value: { orderId, customer: `${PREFIX}customer`, cents: 0 }, timestamp },
    {
      kind: 'payment',
      value: { paymentId: `${PREFIX}payment`, orderId: `${PREFIX}payment-${partition}-${round}`, cents: 0 },
      timestamp,
    },
  ];
}
