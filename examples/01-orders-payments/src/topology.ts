import { json, StreamsBuilder, string, topic, type Topic, type Topology } from 'millrace';

/** Somebody buys something. Key: order id. */
export interface Order {
  readonly orderId: string;
  readonly customer: string;
  readonly cents: number;
}

/** Money arrives for an order. Key: order id. */
export interface Payment {
  readonly paymentId: string;
  readonly orderId: string;
  readonly cents: number;
}

/** An order and one payment for it. An order that is paid twice gives two of these. Key: order id. */
export interface PaidOrder extends Order {
  readonly paymentId: string;
}

/** What a customer has paid so far. Key: customer. */
export interface CustomerTotal {
  readonly customer: string;
  readonly payments: number;
  readonly cents: number;
}

/** A payment counts for an order when the two are at most this far apart, whichever comes first. */
export const PAYMENT_WINDOW_MS = 10 * 60_000;

/** How long the join waits for records that arrive out of order before it calls an order unpaid. */
export const GRACE_MS = 5 * 60_000;

export interface Topics {
  readonly orders: Topic<string, Order>;
  readonly payments: Topic<string, Payment>;
  readonly paidOrders: Topic<string, PaidOrder>;
  readonly unpaidOrders: Topic<string, Order>;
  readonly customerTotals: Topic<string, CustomerTotal>;
}

/** The topics that the example reads and writes. @param prefix sets the topics of one run apart from all others */
export function topicsOf(prefix = ''): Topics {
  return {
    orders: topic(`${prefix}orders`, { key: string(), value: json<Order>() }),
    payments: topic(`${prefix}payments`, { key: string(), value: json<Payment>() }),
    paidOrders: topic(`${prefix}paid-orders`, { key: string(), value: json<PaidOrder>() }),
    unpaidOrders: topic(`${prefix}unpaid-orders`, { key: string(), value: json<Order>() }),
    customerTotals: topic(`${prefix}customer-totals`, { key: string(), value: json<CustomerTotal>() }),
  };
}

/**
 * ```
 * orders ──┬─ join ─────► paid-orders ─► by customer ─► total ─► customer-totals
 * payments ┴─ left join ► unpaid-orders   (once the window has closed)
 * ```
 */
export function buildTopology(topics: Topics = topicsOf()): Topology {
  const builder = new StreamsBuilder();
  const orders = builder.stream(topics.orders);
  const payments = builder.stream(topics.payments);
  const window = { within: PAYMENT_WINDOW_MS, grace: GRACE_MS };

  const paid = orders.join(payments, payOrder, { ...window, name: 'match-payment' });
  paid.to(topics.paidOrders);

  orders
    .leftJoin(payments, (order, payment) => (payment === undefined ? order : undefined), { ...window, name: 'miss-payment' })
    .filter((order) => order !== undefined)
    .to(topics.unpaidOrders);

  paid
    .groupBy((order) => order.customer, { name: 'by-customer', key: string(), value: topics.paidOrders.value })
    .aggregate(noPayments, addPayment, { store: 'customer-totals', value: topics.customerTotals.value })
    .toStream()
    .to(topics.customerTotals);

  return builder.build();
}

function payOrder(order: Order, payment: Payment): PaidOrder {
  return { ...order, cents: payment.cents, paymentId: payment.paymentId };
}

function noPayments(): CustomerTotal {
  return { customer: '', payments: 0, cents: 0 };
}

function addPayment(total: CustomerTotal, order: PaidOrder, customer: string): CustomerTotal {
  return { customer, payments: total.payments + 1, cents: total.cents + order.cents };
}
