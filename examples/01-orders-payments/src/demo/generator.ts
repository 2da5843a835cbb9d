import { seededRandom, type Random } from '@millrace/core';
import { GRACE_MS, PAYMENT_WINDOW_MS, type Order, type Payment } from '../topology.ts';

/** A record as it reaches Kafka; `timestamp` says when it happened, which may be earlier than what arrived before it. */
export type Arrival =
  | { readonly kind: 'order'; readonly value: Order; readonly timestamp: number }
  | { readonly kind: 'payment'; readonly value: Payment; readonly timestamp: number };

const MINUTE_MS = 60_000;
const SECOND_MS = 1000;
const HOUR_MS = 60 * MINUTE_MS;
const CUSTOMERS = ['anna', 'ben', 'chloe', 'dilan', 'emre', 'fatou'];

/** What becomes of an order, and how often out of a hundred. */
const FATES = [
  { fate: 'paid in time', percent: 58 },
  { fate: 'paid early', percent: 8 },
  { fate: 'paid twice', percent: 8 },
  { fate: 'paid late', percent: 12 },
  { fate: 'never paid', percent: 14 },
] as const;

type Fate = (typeof FATES)[number]['fate'];

/** Part of the records that arrive out of order, by so much less than the grace of the join that none comes too late. */
const DELAYED_SHARE = 0.1;
const DELAY_MAX_MS = GRACE_MS - 2 * MINUTE_MS;

interface Timed {
  readonly arrivedMs: number;
  readonly arrival: Arrival;
}

/**
 * An hour of orders and their payments in the order of their arrival: a pure function of its arguments.
 *
 * @param startMs event time of the first order, ms since the epoch
 */
export function generateArrivals(orderCount: number, startMs: number, seed = 1): Arrival[] {
  const random = seededRandom(seed);
  const timed: Timed[] = [];
  for (let number = 1; number <= orderCount; number++) {
    const orderedMs = startMs + Math.round((number * HOUR_MS) / orderCount);
    const order = makeOrder(number, random);
    timed.push(arriving({ kind: 'order', value: order, timestamp: orderedMs }, random));
    paymentTimes(pickFate(random), orderedMs, random).forEach((timestamp, index) => {
      const paymentId = `${order.orderId.replace('o', 'p')}${index === 0 ? '' : '-again'}`;
      const value = { paymentId, orderId: order.orderId, cents: order.cents };
      timed.push(arriving({ kind: 'payment', value, timestamp }, random));
    });
  }
  return timed.sort((a, b) => a.arrivedMs - b.arrivedMs).map(({ arrival }) => arrival);
}

/** The latest event time of all. */
export function lastTimestamp(arrivals: readonly Arrival[]): number {
  return arrivals.reduce((last, { timestamp }) => Math.max(last, timestamp), 0);
}

function makeOrder(number: number, random: Random): Order {
  return {
    orderId: `o-${String(number).padStart(4, '0')}`,
    customer: CUSTOMERS[between(0, CUSTOMERS.length - 1, random)] as string,
    cents: between(5, 200, random) * 50,
  };
}

function pickFate(random: Random): Fate {
  let left = random.next() * 100;
  for (const { fate, percent } of FATES) {
    left -= percent;
    if (left < 0) return fate;
  }
  return 'never paid';
}

/** When the payments of an order happen. */
function paymentTimes(fate: Fate, orderedMs: number, random: Random): number[] {
  const inTime = (): number => orderedMs + between(SECOND_MS, PAYMENT_WINDOW_MS, random);
  switch (fate) {
    case 'paid in time':
      return [inTime()];
    case 'paid early':
      return [orderedMs - between(SECOND_MS, PAYMENT_WINDOW_MS, random)];
    case 'paid twice':
      return [inTime(), inTime()].sort((a, b) => a - b);
    case 'paid late':
      return [orderedMs + PAYMENT_WINDOW_MS + between(1, 15 * MINUTE_MS, random)];
    case 'never paid':
      return [];
  }
}

function arriving(arrival: Arrival, random: Random): Timed {
  const delayMs = random.next() < DELAYED_SHARE ? between(SECOND_MS, DELAY_MAX_MS, random) : 0;
  return { arrivedMs: arrival.timestamp + delayMs, arrival };
}

/** A whole number, both ends included. */
function between(min: number, max: number, random: Random): number {
  return min + Math.floor(random.next() * (max - min + 1));
}
