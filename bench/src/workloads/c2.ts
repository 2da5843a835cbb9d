import { JoinWindows, json, StreamsBuilder, string, topic, type Topology } from 'millrace';
import type { WorkloadOptions } from '../options.ts';

interface Order {
  readonly o: string;
  readonly os: number;
  readonly c: string;
}

interface Payment {
  readonly o: string;
  readonly ps: number;
  readonly pid: string;
  readonly amt: number;
}

interface Paid extends Order {
  readonly ps: number;
  readonly amt: number;
}

interface Total {
  readonly c: string;
  readonly n: number;
  readonly sum: number;
  readonly o: string;
  readonly os: number;
  readonly ps: number;
}

/** Orders joined with payments; orders without one once their window has closed; totals per customer. */
export function c2({ windowMs, graceMs }: WorkloadOptions): Topology {
  const order = json<Order>({ immutable: true });
  const paidOrder = json<Paid>({ immutable: true });
  const total = json<Total>({ immutable: true });
  const within = JoinWindows.ofTimeDifferenceAndGrace(windowMs, graceMs);
  const builder = new StreamsBuilder();
  const orders = builder.stream(topic('orders', { key: string(), value: order }));
  const payments = builder.stream(topic('payments', { key: string(), value: json<Payment>({ immutable: true }) }));

  const paid = orders.join(payments, (one, { ps, amt }): Paid => ({ ...one, ps, amt }), {
    within,
    name: 'paid',
    storeName: 'paid',
  });
  paid.to(topic('paid-orders', { key: string(), value: paidOrder }));

  orders
    .leftJoin(payments, (one, payment) => (payment === undefined ? one : undefined), {
      within,
      name: 'unpaid',
      storeName: 'unpaid',
    })
    .filter((one) => one !== undefined)
    .to(topic('unpaid-orders', { key: string(), value: order }));

  paid
    .groupBy(({ c }) => c, { name: 'by-customer', key: string(), value: paidOrder })
    .aggregate(
      (): Total => ({ c: '', n: 0, sum: 0, o: '', os: 0, ps: 0 }),
      (before, { amt, o, os, ps }, c) => ({ c, n: before.n + 1, sum: before.sum + amt, o, os, ps }),
      { store: 'customer-totals', value: total },
    )
    .toStream()
    .to(topic('customer-totals', { key: string(), value: total }));
  return builder.build();
}
